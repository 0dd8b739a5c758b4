#include <Eigen/QR>

#include "dynaplan/core/dense.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

void orthogonal_factor(Eigen::Ref<Eigen::MatrixXd> matrix) {
  const Eigen::HouseholderQR<Eigen::Ref<Eigen::MatrixXd>> in_place(matrix);
}

Eigen::MatrixXd orthonormal_basis(const Eigen::MatrixXd& columns) {
  Eigen::MatrixXd factor = columns;
  Eigen::Ref<Eigen::MatrixXd> in_place = factor;
  const Eigen::HouseholderQR<Eigen::Ref<Eigen::MatrixXd>> qr(in_place);
  return qr.householderQ() * Eigen::MatrixXd::Identity(columns.rows(), columns.cols());
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
