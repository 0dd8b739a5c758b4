#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "dynaplan/planners/planner.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// The actions from low to high that are no further than `rate` from the one before.
template <class T>
std::pair<T, T> range_after(T before, T rate, T low, T high) {
  return {std::clamp(before - rate, low, high), std::clamp(before + rate, low, high)};
}

/// The range of an action of a step in one dimension after `before`, by the bounds and the rate; the bounds alone where
/// that is null.
template <class T>
std::pair<T, T> action_range(const PlanProblemOf<T>& problem, Index step, Index dim, const T* before) {
  const auto low = static_cast<T>(problem.low_at(step, dim));
  const auto high = static_cast<T>(problem.high_at(step, dim));
  if (problem.action_rate == nullptr || before == nullptr) return {low, high};
  return range_after(*before, static_cast<T>(problem.action_rate[dim]), low, high);
}

/// Keeps the actions of one dimension, one step after another, within the bounds of each step, the rate and the
/// acceleration of a problem. What keeps them already is left as it is. Where they contradict each other, as where the
/// last action lies outside the bounds, the bounds come first, then the rate.
template <class T>
class ActionLimiter {
 public:
  template <class P>
  ActionLimiter(const PlanProblemOf<P>& problem, Index dim);

  /// The allowed action nearest to the wanted one; where an acceleration is given, one from which the actions wanted
  /// can be caught up with, and the bounds be kept, without passing them.
  T next(T wanted);

 private:
  // The bounds of each step, the last from there on.
  struct StepBounds {
    const double* low = nullptr;  // null: the same at all steps
    const double* high = nullptr;
    Index steps = 0;
    Index stride = 0;
  };

  T change_towards(T wanted) const;
  T change_that_stops(const double* bounds, T sign) const;
  T bound_at(const double* bounds, Index step) const {
    return static_cast<T>(bounds[std::min(step, of_steps_.steps - 1) * of_steps_.stride]);
  }

  T low_;  // of the next action
  T high_;
  StepBounds of_steps_;
  T width_;         // more than an action can change by
  Index step_ = 0;  // of the next action
  T rate_;
  T acceleration_;
  bool has_before_;
  T before_ = T(0);         // the action
  T wanted_before_ = T(0);  // what was wanted in its place
  T change_ = T(0);         // by which it differs from the one before
};

/// Keeps sequences (H * A, K) within the problem's limits, from the last action on where there is one.
template <class T>
void limit_changes(const PlanProblemOf<T>& problem, Block<T> actions);

/// The same for one sequence (H * A).
template <class T>
void limit_changes(const PlanProblemOf<T>& problem, std::vector<T>& sequence);

/// The same in float64, to the last bit; also without limits within the box.
template <class T>
void limit_changes(const PlanProblemOf<T>& problem, Index horizon, double* sequence);

/// Where a block's candidates stand among those that are drawn.
struct Population {
  Index first = 0;  // number of the block's first
  Index count = 0;  // of all
};

/// Makes noise (H * A, K), `spread` (H * A) wide, such that actions can follow it within the problem's limits; does
/// nothing without limits. Noise wider than the rate, other at each step, would make every candidate a walk of random
/// steps as long as the rate, which neither climbs a ramp nor holds a level. It is taken at knots, as far apart as an
/// action needs to cross its spread, and joined by lines. A quarter of the candidates have knots as near as that, two
/// quarters have fewer, and the last has noise four times as wide that is the same at all steps.
template <class T>
void slow_noise(const PlanProblemOf<T>& problem, const Stream& stream, const T* spread, Population population,
                Block<T> noise);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
