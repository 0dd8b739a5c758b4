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

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
