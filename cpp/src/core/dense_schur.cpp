#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

#include "dynaplan/core/dense.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

std::optional<RealSchur> real_schur(const Eigen::MatrixXd& matrix) {
  const Eigen::RealSchur<Eigen::MatrixXd> schur(matrix);
  if (schur.info() != Eigen::Success) return std::nullopt;
  return RealSchur{schur.matrixT(), schur.matrixU()};
}

// Read off the diagonal of T, as in LAPACK's dlanv2 without its rotation: a block of two holds a conjugate pair.
std::optional<std::vector<std::complex<double>>> eigenvalues(const Eigen::MatrixXd& matrix) {
  const Eigen::RealSchur<Eigen::MatrixXd> schur(matrix, false);
  if (schur.info() != Eigen::Success) return std::nullopt;
  const Eigen::MatrixXd& t = schur.matrixT();
  std::vector<std::complex<double>> values;
  for (Eigen::Index i = 0; i < t.rows(); ++i) {
    if (i + 1 == t.rows() || t(i + 1, i) == 0.0) {
      values.emplace_back(t(i, i));
      continue;
    }
    const double middle = 0.5 * (t(i, i) - t(i + 1, i + 1));
    const double largest = std::max({std::abs(middle), std::abs(t(i + 1, i)), std::abs(t(i, i + 1))});
    const double scaled = middle / largest;  // against overflow of the squares
    const double root =
        largest * std::sqrt(std::abs(scaled * scaled + (t(i + 1, i) / largest) * (t(i, i + 1) / largest)));
    values.emplace_back(t(i + 1, i + 1) + middle, root);
    values.emplace_back(t(i + 1, i + 1) + middle, -root);
    ++i;
  }
  return values;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
