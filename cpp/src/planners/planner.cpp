#include "dynaplan/planners/planner.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

void require_elites(Index elites, Index candidates) {
  if (elites >= 1 && elites <= candidates) return;
  throw_value_error("elites", text_of(elites), "from 1 to candidates = " + text_of(candidates));
}

template <class T>
void PlanProblemOf<T>::validate() const {
  rollout.validate();
  if (score == nullptr && rollout.reward == nullptr) throw_value_error("reward", "none", "a reward");
  const Index action_dim = rollout.dynamics->action_dim();
  require_finite("state", state, rollout.dynamics->state_dim());
  require_finite("action_space.low", action_low, action_dim);
  require_finite("action_space.high", action_high, action_dim);
  require_finite("warm_start", warm_start.actions, warm_start.count * warm_start.steps * action_dim);
  require_finite("kept_sequences", carried.actions, carried.count * carried.steps * action_dim);
  require_finite("previous_action", last_action, action_dim);
  for (Index i = 0; i < action_dim; ++i) {
    if (action_rate != nullptr && !(action_rate[i] >= 0.0)) {
      throw_entry_error("limits.action_rate", i, action_rate[i], "at least 0");
    }
    if (action_low[i] > action_high[i]) {
      throw_entry_error("action_space.low", i, action_low[i], "at most action_space.high = " + text_of(action_high[i]));
    }
  }
}

template <class T>
double PlanProblemOf<T>::start_action(Index row) const {
  const Index dim = row % rollout.dynamics->action_dim();
  if (warm_start.actions == nullptr) return 0.5 * action_low[dim] + 0.5 * action_high[dim];
  const Index step = std::min(warm_start.skip + row / rollout.dynamics->action_dim(), warm_start.steps - 1);
  return std::clamp(warm_start.actions[step * rollout.dynamics->action_dim() + dim], action_low[dim], action_high[dim]);
}

template struct PlanProblemOf<float>;
template struct PlanProblemOf<double>;

namespace {

// The range of an action after `before`, or the whole box where that is null.
template <class T>
std::pair<T, T> reach(const PlanProblem& problem, Index dim, const T* before) {
  const auto low = static_cast<T>(problem.action_low[dim]);
  const auto high = static_cast<T>(problem.action_high[dim]);
  if (problem.action_rate == nullptr || before == nullptr) return {low, high};
  const auto rate = static_cast<T>(problem.action_rate[dim]);
  return {std::clamp(*before - rate, low, high), std::clamp(*before + rate, low, high)};
}

}  // namespace

void limit_rates(const PlanProblem& problem, Block<float> actions) {
  if (problem.action_rate == nullptr) return;
  const Index action_dim = problem.rollout.dynamics->action_dim();
  for (Index row = 0; row < actions.dim; ++row) {
    const Index dim = row % action_dim;
    float* const action = actions.row(row);
    if (row < action_dim && problem.last_action == nullptr) continue;
    const auto last = static_cast<float>(row < action_dim ? problem.last_action[dim] : 0.0);
    for (Index k = 0; k < actions.lanes; ++k) {
      const float before = row < action_dim ? last : actions.row(row - action_dim)[k];
      const auto [low, high] = reach(problem, dim, &before);
      action[k] = std::min(std::max(action[k], low), high);
    }
  }
}

void limit_rates(const PlanProblem& problem, std::vector<float>& sequence) {
  limit_rates(problem, Block<float>{sequence.data(), static_cast<Index>(sequence.size()), 1, 1});
}

void PlanResult::copy_sequences(const PlanProblem& problem, Index horizon, const std::vector<float>& sequences,
                                double* out) {
  const Index action_dim = problem.rollout.dynamics->action_dim();
  const auto size = static_cast<Index>(sequences.size());
  for (Index row = 0; row < size; ++row) {
    const Index dim = row % action_dim;
    const bool is_first = row / action_dim % horizon == 0;
    const double* before = out + row - action_dim;
    if (is_first) before = problem.last_action != nullptr ? problem.last_action + dim : nullptr;
    const auto [low, high] = reach(problem, dim, before);
    out[row] = std::clamp(static_cast<double>(sequences[static_cast<std::size_t>(row)]), low, high);
  }
}

void PlanResult::begin(const PlanProblem& problem, Index horizon) {
  actions.resize(static_cast<std::size_t>(horizon * problem.rollout.dynamics->action_dim()));
  states.resize(static_cast<std::size_t>((horizon + 1) * problem.rollout.dynamics->state_dim()));
  kept_sequences.clear();
  spread.clear();
  status = PlanStatus::kIterations;
  candidates = rejected = non_finite = 0;
  iterations = 0;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
