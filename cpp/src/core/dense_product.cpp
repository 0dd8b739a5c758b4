#include "dynaplan/core/dense.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

Eigen::MatrixXd product(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) { return a * b; }

Eigen::MatrixXd transposed_product(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) { return a.transpose() * b; }

Eigen::MatrixXd product_transposed(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) { return a * b.transpose(); }

Eigen::MatrixXd symmetric_part(const Eigen::MatrixXd& matrix) { return 0.5 * (matrix + matrix.transpose()); }

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
