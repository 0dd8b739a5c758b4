#pragma once

#include "dynaplan/planners/planner.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Rounding as what a plan must keep shows it: how much a nudge changes states with limits, and constraints, as a share
/// of how far they range along the plan or are from what is not allowed. 0 where nothing is limited.
///
/// `block` is the rollout of one sequence in lanes of which those after the first were nudged, with its trajectory.
template <class T>
double rounding_of_limits(const PlanProblemOf<T>& problem, const BlockRollout<T>& block, Workspace& workspace);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
