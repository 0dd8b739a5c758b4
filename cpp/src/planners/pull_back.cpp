#include "dynaplan/planners/pull_back.hpp"

#include <cmath>

#include "dynaplan/planners/finite_or_zero.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

void pull_back(const RewardExpansion<double>& of_variables, const WholeState& whole, const Eigen::MatrixXd& of_state,
               const Eigen::MatrixXd& of_action, bool tied, Workspace& workspace, Eigen::VectorXd& gradient,
               Eigen::MatrixXd& hessian) {
  using Map = Eigen::Map<Eigen::MatrixXd>;
  const Workspace::Scope scope(workspace);
  const Index size = whole.size();
  const Index action_dim = whole.action_dim;
  const Index both = size + action_dim;
  const Index count = of_variables.count;
  for (Index i = 0; i < count; ++i) of_variables.gradient[i] = finite_or_zero(of_variables.gradient[i]);
  for (Index i = 0; i < count * count; ++i) of_variables.hessian[i] = finite_or_zero(of_variables.hessian[i]);
  Map jacobian(workspace.take<double>(count * both), count, both);
  Map product(workspace.take<double>(count * both), count, both);
  jacobian.setZero();
  jacobian.topLeftCorner(whole.state_dim, whole.state_dim).setIdentity();
  jacobian.block(whole.state_dim, size, action_dim, action_dim).setIdentity();
  if (whole.has_previous_action) {
    const Index column = tied ? size : whole.state_dim;
    jacobian.block(whole.state_dim + action_dim, column, action_dim, action_dim).setIdentity();
  }
  if (count == 2 * (whole.state_dim + action_dim)) {
    jacobian.block(count - whole.state_dim, 0, whole.state_dim, size) = of_state.topRows(whole.state_dim);
    jacobian.bottomRightCorner(whole.state_dim, action_dim) = of_action.topRows(whole.state_dim);
  }
  const Map of_pairs(of_variables.hessian, count, count);
  const Eigen::Map<const Eigen::VectorXd> slope(of_variables.gradient, count);
  product.noalias() = of_pairs * jacobian;
  hessian.noalias() = jacobian.transpose() * product;
  gradient.noalias() = jacobian.transpose() * slope;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
