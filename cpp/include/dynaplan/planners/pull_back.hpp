#pragma once

#include <Eigen/Core>

#include "dynaplan/planners/nominal_trajectory.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// From the derivatives of a function of a step's variables, state, action, previous action where it counts and, unless
/// it is left out, next state, to those by the step's whole state x and its action u: with J the variables' derivatives
/// by (x, u), J^T g and J^T H J, without the curvature of the dynamics. `of_state` (n, n) and `of_action` (n, A) are
/// the next whole state's derivatives. The previous action is part of x unless it is `tied` to u, as at a first step
/// that none came before. What is not finite counts as 0.
void pull_back(const RewardExpansion<double>& of_variables, const WholeState& whole, const Eigen::MatrixXd& of_state,
               const Eigen::MatrixXd& of_action, bool tied, Workspace& workspace, Eigen::VectorXd& gradient,
               Eigen::MatrixXd& hessian);
/// Scratch that takes, `both` being the size of (x, u).
inline std::size_t pull_back_bytes(Index variables, Index both) {
  return 2 * Workspace::bytes<double>(variables * both);
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
