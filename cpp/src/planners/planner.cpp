#include "dynaplan/planners/planner.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "dynaplan/core/check.hpp"
#include "dynaplan/planners/action_limits.hpp"

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
  require_finite("previous_change", last_change, action_dim);
  for (Index i = 0; i < action_dim; ++i) {
    if (action_rate != nullptr && !(action_rate[i] >= 0.0)) {
      throw_entry_error("limits.action_rate", i, action_rate[i], "at least 0");
    }
    if (action_acceleration != nullptr && !(action_acceleration[i] >= 0.0)) {
      throw_entry_error("limits.action_acceleration", i, action_acceleration[i], "at least 0");
    }
    if (action_low[i] > action_high[i]) {
      throw_entry_error("action_space.low", i, action_low[i], "at most action_space.high = " + text_of(action_high[i]));
    }
  }
  validate_step_bounds();
}

template <class T>
void PlanProblemOf<T>::validate_step_bounds() const {
  const Index action_dim = rollout.dynamics->action_dim();
  for (Index row = 0; row < bound_steps * action_dim; ++row) {
    const Index i = row % action_dim;
    if (!(step_low[row] >= action_low[i])) {
      throw_entry_error("limits.action_low", row, step_low[row],
                        "at least action_space.low = " + text_of(action_low[i]));
    }
    if (!(step_high[row] <= action_high[i])) {
      throw_entry_error("limits.action_high", row, step_high[row],
                        "at most action_space.high = " + text_of(action_high[i]));
    }
    if (step_low[row] > step_high[row]) {
      throw_entry_error("limits.action_low", row, step_low[row],
                        "at most limits.action_high = " + text_of(step_high[row]));
    }
  }
}

template <class T>
double PlanProblemOf<T>::start_action(Index row) const {
  const Index action_dim = rollout.dynamics->action_dim();
  const Index dim = row % action_dim;
  const double low = low_at(row / action_dim, dim);
  const double high = high_at(row / action_dim, dim);
  if (warm_start.actions == nullptr) {
    // No further from the last action than where it may go.
    const bool is_held = last_action != nullptr && action_rate != nullptr;
    const double rate = is_held ? action_rate[dim] : std::numeric_limits<double>::infinity();
    if (rate < action_high[dim] - action_low[dim]) return std::clamp(last_action[dim], low, high);
    // Which rounding may take out of bounds that are equal.
    return std::clamp(0.5 * low + 0.5 * high, low, high);
  }
  const Index step = std::min(warm_start.skip + row / action_dim, warm_start.steps - 1);
  return std::clamp(warm_start.actions[step * action_dim + dim], low, high);
}

template struct PlanProblemOf<float>;
template struct PlanProblemOf<double>;

template <class T>
void PlanResult<T>::begin(const PlanProblemOf<T>& problem, Index horizon) {
  actions.resize(static_cast<std::size_t>(horizon * problem.rollout.dynamics->action_dim()));
  states.resize(static_cast<std::size_t>((horizon + 1) * problem.rollout.dynamics->state_dim()));
  kept_sequences.clear();
  spread.clear();
  status = PlanStatus::kIterations;
  candidates = rejected = non_finite = 0;
  iterations = 0;
  rounding.reset();
}

template struct PlanResult<float>;
template struct PlanResult<double>;

template <class T>
void copy_sequences(const PlanProblemOf<T>& problem, Index horizon, const std::vector<T>& sequences, double* out) {
  const Index action_dim = problem.rollout.dynamics->action_dim();
  const auto size = static_cast<Index>(sequences.size());
  std::copy(sequences.begin(), sequences.end(), out);
  for (Index first = 0; first < size; first += horizon * action_dim) limit_changes(problem, horizon, out + first);
}

template void copy_sequences(const PlanProblem&, Index, const std::vector<float>&, double*);
template void copy_sequences(const ExactPlanProblem&, Index, const std::vector<double>&, double*);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
