#include <Eigen/SVD>

#include "dynaplan/core/dense.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

SingularValues singular_values(const Eigen::MatrixXd& matrix) {
  const Eigen::JacobiSVD<Eigen::MatrixXd> svd(matrix, Eigen::ComputeFullU | Eigen::ComputeFullV);
  return {svd.singularValues(), svd.matrixU(), svd.matrixV()};
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
