#include "dynaplan/planners/limit_rounding.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "dynaplan/planners/rounding.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// A number along a plan, with what a nudge makes of it.
template <class T>
class NudgedNumber {
 public:
  // Its lanes at a step, and how far the first is from what is not allowed.
  void add(const T* lanes, T clearance) {
    low_ = std::min(low_, lanes[0]);
    high_ = std::max(high_, lanes[0]);
    clearance_ = std::min(clearance_, std::abs(clearance));
    for (Index k = 1; k <= kNudgedLanes; ++k) change_ = std::max(change_, std::abs(lanes[k] - lanes[0]));
  }

  double share() const {
    // What does not move though a nudge moves it has lost its motion to rounding.
    constexpr double kAll = 1.0;
    const T scale = std::max(high_ - low_, clearance_);
    if (!(change_ > T(0))) return 0.0;
    return scale > T(0) ? static_cast<double>(change_) / static_cast<double>(scale) : kAll;
  }

 private:
  T low_ = std::numeric_limits<T>::infinity();
  T high_ = -std::numeric_limits<T>::infinity();
  T clearance_ = std::numeric_limits<T>::infinity();
  T change_ = T(0);
};

template <class T>
class NudgedPlan {
 public:
  NudgedPlan(const PlanProblemOf<T>& problem, const BlockRollout<T>& block)
      : problem_(problem),
        block_(block),
        state_dim_(problem.rollout.dynamics->state_dim()),
        action_dim_(problem.rollout.dynamics->action_dim()),
        horizon_(block.actions.dim / action_dim_) {}

  // Of a state that is `clearance` of its value away from what is not allowed.
  template <class Clearance>
  double of_state(Index entry, const Clearance& clearance) const {
    NudgedNumber<T> number;
    for (Index t = 1; t <= horizon_; ++t) {
      const T* const lanes = state(t).row(entry);
      number.add(lanes, clearance(lanes[0]));
    }
    return number.share();
  }

  double of_constraint(const Reward<T>& function, Workspace& workspace) const {
    const Workspace::Scope scope(workspace);
    const Index lanes = block_.actions.lanes;
    T* const values = workspace.take<T>(lanes);
    NudgedNumber<T> number;
    for (Index t = 0; t < horizon_; ++t) {
      std::fill_n(values, lanes, T(0));
      function.add({state(t), action(t), previous_action(t), state(t + 1), {}, t, horizon_}, workspace, values);
      number.add(values, values[0]);
    }
    return number.share();
  }

 private:
  ConstBlock<T> state(Index t) const { return block_.trajectory.rows(t * state_dim_, state_dim_); }
  ConstBlock<T> action(Index t) const {
    return {block_.actions.row(t * action_dim_), action_dim_, block_.actions.lanes, block_.actions.stride};
  }
  ConstBlock<T> previous_action(Index t) const {
    if (t > 0) return action(t - 1);
    return block_.last_action.data != nullptr ? block_.last_action : action(0);
  }

  const PlanProblemOf<T>& problem_;
  const BlockRollout<T>& block_;
  Index state_dim_;
  Index action_dim_;
  Index horizon_;
};

}  // namespace

template <class T>
double rounding_of_limits(const PlanProblemOf<T>& problem, const BlockRollout<T>& block, Workspace& workspace) {
  const RolloutProblem<T>& rollout = problem.rollout;
  const NudgedPlan<T> plan(problem, block);
  const T infinity = std::numeric_limits<T>::infinity();
  // Functions outside, which a score asks, may look at any state.
  const bool is_any_limited = problem.score != nullptr && !rollout.constraints.empty();
  double share = 0.0;
  for (Index i = 0; i < rollout.dynamics->state_dim(); ++i) {
    const auto entry = static_cast<std::size_t>(i);
    const T low = rollout.allowed != nullptr ? rollout.allowed->low[entry] : -infinity;
    const T high = rollout.allowed != nullptr ? rollout.allowed->high[entry] : infinity;
    if (!is_any_limited && !std::isfinite(low) && !std::isfinite(high)) continue;
    const auto clearance = [&](T value) {
      return is_any_limited ? T(0) : std::min(std::abs(value - low), std::abs(high - value));
    };
    share = std::max(share, plan.of_state(i, clearance));
  }
  for (const Reward<T>* function : rollout.constraints) {
    if (!is_any_limited) share = std::max(share, plan.of_constraint(*function, workspace));
  }
  return share;
}

template double rounding_of_limits(const PlanProblem&, const BlockRollout<float>&, Workspace&);
template double rounding_of_limits(const ExactPlanProblem&, const BlockRollout<double>&, Workspace&);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
