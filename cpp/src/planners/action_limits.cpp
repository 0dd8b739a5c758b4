#include "dynaplan/planners/action_limits.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

template <class T>
bool has_limits(const PlanProblemOf<T>& problem) {
  return problem.action_rate != nullptr || problem.action_acceleration != nullptr;
}

// A number that is finite in either type: half of its largest, so that differences are finite too.
template <class T>
T within_range(double value) {
  constexpr auto kEnd = static_cast<double>(std::numeric_limits<T>::max()) / 2.0;
  return static_cast<T>(std::clamp(value, -kEnd, kEnd));
}

double entry_or_free(const double* values, Index dim) {
  return values != nullptr ? values[dim] : std::numeric_limits<double>::infinity();
}

// The change a step from which an action still stops within `distance` if it slows by `deceleration` a step: the
// largest v for which v + (v - b) + (v - 2 b) + ..., as long as these are positive, is not beyond it.
template <class T>
T stopping_change(T distance, T deceleration) {
  if (!(distance > T(0)) || !(deceleration > T(0))) return T(0);
  const T steps = std::max(std::ceil(T(0.5) * (std::sqrt(T(1) + T(8) * distance / deceleration) - T(1))), T(1));
  return std::isfinite(steps) ? distance / steps + T(0.5) * deceleration * (steps - T(1)) : distance;
}

// Keeps rates alone: the same as ActionLimiter, for all lanes at once.
template <class T>
void limit_rates(const PlanProblemOf<T>& problem, Block<T> actions) {
  const Index action_dim = problem.rollout.dynamics->action_dim();
  for (Index row = 0; row < actions.dim; ++row) {
    const Index dim = row % action_dim;
    if (row < action_dim && problem.last_action == nullptr) continue;
    const auto last = row < action_dim ? within_range<T>(problem.last_action[dim]) : T(0);
    const auto low = static_cast<T>(problem.low_at(row / action_dim, dim));
    const auto high = static_cast<T>(problem.high_at(row / action_dim, dim));
    const auto rate = static_cast<T>(problem.action_rate[dim]);
    T* const action = actions.row(row);
    for (Index k = 0; k < actions.lanes; ++k) {
      const T before = row < action_dim ? last : actions.row(row - action_dim)[k];
      const auto [lowest, highest] = range_after(before, rate, low, high);
      action[k] = std::min(std::max(action[k], lowest), highest);
    }
  }
}

// Where one dimension of a block's noise is taken, by the limits of the actions.
template <class T>
class Knots {
 public:
  Knots(const PlanProblemOf<T>& problem, const Stream& stream, const T* spread, Index dim, Index horizon)
      : spread_(spread + dim),
        stride_(problem.rollout.dynamics->action_dim()),
        horizon_(horizon),
        rate_(entry_or_free(problem.action_rate, dim)),
        acceleration_(entry_or_free(problem.action_acceleration, dim)) {
    // Other knots at each iteration and plan, well spread (Weyl 1916).
    constexpr double kGoldenRatio = 0.61803398874989485;
    const double turns = kGoldenRatio * (1.0 + static_cast<double>(stream.iteration) + 3.0 * stream.call);
    phase_ = turns - std::floor(turns);
  }

  // Steps from the knot at `step` to the next, `wider` times what the limits want.
  Index spacing(Index step, double wider) const {
    const auto spread = static_cast<double>(spread_[step * stride_]);
    double steps = 1.0;
    if (spread > 0.0) steps = std::max({1.0, spread / rate_, std::sqrt(2.0 * spread / acceleration_)});
    // What is a whole number but for the rounding of float32 is one.
    constexpr double kRounding = 1e-6;
    const double spaced = std::ceil((1.0 - kRounding) * wider * steps);
    return spaced < static_cast<double>(horizon_) ? static_cast<Index>(spaced) : horizon_;
  }
  Index first_spacing(double wider) const {
    const Index steps = spacing(0, wider);
    return steps < horizon_ ? std::max<Index>(1, static_cast<Index>(std::ceil(phase_ * static_cast<double>(steps))))
                            : steps;
  }

 private:
  const T* spread_;
  Index stride_;
  Index horizon_;
  double rate_;
  double acceleration_;
  double phase_;
};

// Lanes [begin, end) of the rows row, row + stride, ...: one row a step.
template <class T>
struct LaneRange {
  Block<T> noise;
  Index row;
  Index stride;
  Index begin;
  Index end;

  T* at(Index step) const { return noise.row(row + step * stride); }
};

template <class T>
void hold_first(const LaneRange<T>& lanes, Index horizon, T wider) {
  for (Index step = horizon; step-- > 0;) {
    for (Index k = lanes.begin; k < lanes.end; ++k) lanes.at(step)[k] = wider * lanes.at(0)[k];
  }
}

template <class T>
void join_knots(const LaneRange<T>& lanes, Index horizon, const Knots<T>& knots, double wider) {
  if (knots.spacing(0, wider) >= horizon) {
    hold_first(lanes, horizon, T(1));
    return;
  }
  Index steps = knots.first_spacing(wider);
  for (Index knot = 0; knot < horizon; knot += steps) {
    if (knot > 0) steps = knots.spacing(knot, wider);
    const Index next = std::min(knot + steps, horizon - 1);
    for (Index step = knot + 1; step < std::min(knot + steps, horizon); ++step) {
      const T share = static_cast<T>(step - knot) / static_cast<T>(steps);
      for (Index k = lanes.begin; k < lanes.end; ++k) {
        lanes.at(step)[k] = (T(1) - share) * lanes.at(knot)[k] + share * lanes.at(next)[k];
      }
    }
  }
}

}  // namespace

template <class T>
template <class P>
ActionLimiter<T>::ActionLimiter(const PlanProblemOf<P>& problem, Index dim)
    : low_(static_cast<T>(problem.action_low[dim])),
      high_(static_cast<T>(problem.action_high[dim])),
      width_(high_ - low_),
      rate_(static_cast<T>(entry_or_free(problem.action_rate, dim))),
      acceleration_(static_cast<T>(entry_or_free(problem.action_acceleration, dim))),
      has_before_(problem.last_action != nullptr && has_limits(problem)) {
  if (problem.step_low != nullptr) {
    of_steps_ = {problem.step_low + dim, problem.step_high + dim, problem.bound_steps,
                 problem.rollout.dynamics->action_dim()};
  }
  if (!has_before_) return;
  before_ = wanted_before_ = within_range<T>(problem.last_action[dim]);
  if (problem.last_change != nullptr) change_ = within_range<T>(problem.last_change[dim]);
}

template <class T>
T ActionLimiter<T>::next(T wanted) {
  if (of_steps_.low != nullptr) {
    low_ = bound_at(of_steps_.low, step_);
    high_ = bound_at(of_steps_.high, step_);
  }
  T action = std::clamp(wanted, low_, high_);
  if (has_before_) {
    if (std::isfinite(acceleration_)) action = before_ + change_towards(action);
    const auto [lowest, highest] = range_after(before_, rate_, low_, high_);
    action = std::clamp(action, lowest, highest);
    change_ = action - before_;
  }
  has_before_ = std::isfinite(rate_) || std::isfinite(acceleration_);
  wanted_before_ = std::clamp(wanted, low_, high_);
  before_ = action;
  ++step_;
  return action;
}

// As the wanted actions change, and nearer to them, but never faster than can be stopped before them or a bound.
template <class T>
T ActionLimiter<T>::change_towards(T wanted) const {
  const T behind = wanted_before_ - before_;
  T change = wanted - wanted_before_ + std::copysign(stopping_change(std::abs(behind), acceleration_), behind);
  change = std::clamp(change, -rate_, rate_);
  if (of_steps_.low == nullptr) {
    change = std::min(change, stopping_change(high_ - before_, acceleration_));
    change = std::max(change, -stopping_change(before_ - low_, acceleration_));
  } else {
    change = std::min(change, change_that_stops(of_steps_.high, T(1)));
    change = std::max(change, -change_that_stops(of_steps_.low, T(-1)));
  }
  return std::clamp(change, change_ - acceleration_, change_ + acceleration_);
}

// The largest change upwards (sign 1) or downwards (-1) from which the bounds of this and all later steps on that side
// can still be kept: after j steps that slow down by the acceleration the action has changed by j v - a j (j - 1) / 2.
template <class T>
T ActionLimiter<T>::change_that_stops(const double* bounds, T sign) const {
  const auto distance = [&](Index j) { return sign * (bound_at(bounds, step_ + j - 1) - before_); };
  T largest = std::numeric_limits<T>::infinity();
  Index j = 1;
  for (; step_ + j < of_steps_.steps; ++j) {
    const T slowed = T(0.5) * acceleration_ * static_cast<T>(j - 1);
    if (slowed - width_ / static_cast<T>(j) >= largest) return largest;  // whatever comes later
    largest = std::min(largest, distance(j) / static_cast<T>(j) + slowed);
  }
  // The last bound holds from here on, and is met at once or where the action stops.
  const T last = distance(j);
  if (T(0.5) * acceleration_ * static_cast<T>(j) * static_cast<T>(j + 1) < last) {
    return std::min(largest, stopping_change(last, acceleration_));
  }
  return std::min(largest, last / static_cast<T>(j) + T(0.5) * acceleration_ * static_cast<T>(j - 1));
}

template <class T>
void limit_changes(const PlanProblemOf<T>& problem, Block<T> actions) {
  if (!has_limits(problem)) return;
  if (problem.action_acceleration == nullptr) {
    limit_rates(problem, actions);
    return;
  }
  const Index action_dim = problem.rollout.dynamics->action_dim();
  for (Index dim = 0; dim < action_dim; ++dim) {
    const ActionLimiter<T> start(problem, dim);
    for (Index k = 0; k < actions.lanes; ++k) {
      ActionLimiter<T> limiter = start;
      for (Index row = dim; row < actions.dim; row += action_dim) {
        actions.row(row)[k] = limiter.next(actions.row(row)[k]);
      }
    }
  }
}

template <class T>
void limit_changes(const PlanProblemOf<T>& problem, std::vector<T>& sequence) {
  limit_changes(problem, Block<T>{sequence.data(), static_cast<Index>(sequence.size()), 1, 1});
}

template <class T>
void limit_changes(const PlanProblemOf<T>& problem, Index horizon, double* sequence) {
  const Index action_dim = problem.rollout.dynamics->action_dim();
  for (Index dim = 0; dim < action_dim; ++dim) {
    ActionLimiter<double> limiter(problem, dim);
    for (Index row = dim; row < horizon * action_dim; row += action_dim) sequence[row] = limiter.next(sequence[row]);
  }
}

template <class T>
void slow_noise(const PlanProblemOf<T>& problem, const Stream& stream, const T* spread, Population population,
                Block<T> noise) {
  if (!has_limits(problem)) return;
  constexpr Index kScales = 4;
  // The width of noise that is the same at all steps: of ten levels many are on a bound.
  constexpr T kLevels = T(4);
  const Index action_dim = problem.rollout.dynamics->action_dim();
  const Index horizon = noise.dim / action_dim;
  // By the candidates' numbers, so that it does not matter how they are cut into blocks: in runs of up to 16 alike, as
  // many of each scale.
  constexpr Index kMaxAlike = 16;
  const Index rounds = std::max<Index>((population.count + kScales * kMaxAlike - 1) / (kScales * kMaxAlike), 1);
  const Index alike = std::max<Index>((population.count + kScales * rounds - 1) / (kScales * rounds), 1);
  for (Index dim = 0; dim < action_dim; ++dim) {
    const double width = problem.action_high[dim] - problem.action_low[dim];
    const bool is_free = entry_or_free(problem.action_rate, dim) >= width &&
                         entry_or_free(problem.action_acceleration, dim) >= 2.0 * width;
    if (is_free) continue;
    const Knots<T> knots(problem, stream, spread, dim, horizon);
    for (Index begin = 0; begin < noise.lanes;) {
      const Index number = population.first + begin;
      const Index scale = number / alike % kScales;
      const LaneRange<T> lanes{noise, dim, action_dim, begin, std::min(noise.lanes, begin + alike - number % alike)};
      begin = lanes.end;
      if (scale + 1 == kScales) {
        hold_first(lanes, horizon, kLevels);
      } else {
        const double share = static_cast<double>(scale) / static_cast<double>(kScales - 1);
        join_knots(lanes, horizon, knots, std::pow(static_cast<double>(horizon), share));
      }
    }
  }
}

template class ActionLimiter<float>;
template class ActionLimiter<double>;
template ActionLimiter<float>::ActionLimiter(const PlanProblem&, Index);
template ActionLimiter<double>::ActionLimiter(const PlanProblem&, Index);
template ActionLimiter<double>::ActionLimiter(const ExactPlanProblem&, Index);
template void limit_changes(const PlanProblem&, Block<float>);
template void limit_changes(const ExactPlanProblem&, Block<double>);
template void limit_changes(const PlanProblem&, std::vector<float>&);
template void limit_changes(const ExactPlanProblem&, std::vector<double>&);
template void limit_changes(const PlanProblem&, Index, double*);
template void limit_changes(const ExactPlanProblem&, Index, double*);
template void slow_noise(const PlanProblem&, const Stream&, const float*, Population, Block<float>);
template void slow_noise(const ExactPlanProblem&, const Stream&, const double*, Population, Block<double>);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
