#pragma once

#include <vector>

#include "dynaplan/core/jumps.hpp"
#include "dynaplan/planners/planner.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Writes all that jumps in a problem from state to state: rewards, ends of episodes, functions from outside.
template <class T>
void find_jumps(const PlanProblemOf<T>& problem, Jumps& out);

/// Rounding to float32 as places at which something jumps show it: the error of a state, as a share of how far the
/// state ranges or is from the nearest such place, or of a hundred times the width between two. Neither returns nor
/// nudges show it: a place that float32 steps over is never seen. 0 where nothing jumps.
///
/// `states` (H + 1, S) is a plan made in float32. What does not move there is looked for in float64, in rollouts of a
/// few actions, as it may have lost its motion to rounding.
double rounding_of_jumps(const ExactPlanProblem& exact, const Jumps& jumps, const std::vector<float>& states,
                         Index horizon);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
