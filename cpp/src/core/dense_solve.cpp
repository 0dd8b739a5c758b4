#include <Eigen/Cholesky>
#include <Eigen/LU>

#include "dynaplan/core/dense.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

Eigen::MatrixXd solve(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
  return Eigen::PartialPivLU<Eigen::MatrixXd>(a).solve(b);
}

Eigen::MatrixXd inverse(const Eigen::MatrixXd& a) { return solve(a, Eigen::MatrixXd::Identity(a.rows(), a.cols())); }

Eigen::MatrixXd solve_symmetric(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
  return Eigen::LDLT<Eigen::MatrixXd>(a).solve(b);
}

std::optional<Eigen::MatrixXd> solve_definite(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b, double min_pivot) {
  const Eigen::LDLT<Eigen::MatrixXd> factor(a);
  const Eigen::VectorXd diagonal = factor.transpositionsP() * Eigen::VectorXd(a.diagonal());
  const bool is_definite = (factor.vectorD().array() > min_pivot * diagonal.array().abs()).all();
  if (factor.info() != Eigen::Success || !is_definite) return std::nullopt;
  return factor.solve(b);
}

std::optional<Eigen::MatrixXd> lower_factor_of(const Eigen::MatrixXd& matrix) {
  const Eigen::LLT<Eigen::MatrixXd> factor(matrix);
  // A nan passes the test of each pivot.
  if (factor.info() != Eigen::Success || !factor.matrixLLT().diagonal().allFinite()) return std::nullopt;
  return Eigen::MatrixXd(factor.matrixL());
}

Eigen::MatrixXd inverse_of_lower(const Eigen::MatrixXd& lower) {
  Eigen::MatrixXd inverse = Eigen::MatrixXd::Identity(lower.rows(), lower.cols());
  lower.triangularView<Eigen::Lower>().solveInPlace(inverse);
  return inverse;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
