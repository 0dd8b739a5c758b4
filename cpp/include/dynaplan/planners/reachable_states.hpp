#pragma once

#include <Eigen/Core>

#include "dynaplan/core/block.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Coordinates y of the states, x = basis y, of which actions reach the first `count`, at once or by and by, and no
/// others: the controllable subspace and what is orthogonal to it.
struct ReachableStates {
  Eigen::MatrixXd basis;  // (n, n), orthonormal
  Index count;
};

/// Of x' = A x + B u, by the staircase algorithm (Paige 1981): what the actions move at once, what that moves, and so
/// on. States that the zeros of A and B keep apart stay exactly apart; elsewhere an effect below 1e-12 of the largest
/// is rounding.
ReachableStates reachable_states(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
