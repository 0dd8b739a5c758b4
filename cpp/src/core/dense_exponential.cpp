#include <unsupported/Eigen/MatrixFunctions>

#include "dynaplan/core/dense.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

Eigen::MatrixXd exponential(const Eigen::MatrixXd& matrix) { return matrix.exp(); }

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
