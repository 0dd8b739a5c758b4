#include "dynaplan/planners/planner.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "dynaplan/core/error.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

void require_finite(const char* name, const double* values, Index count) {
  for (Index i = 0; values != nullptr && i < count; ++i) {
    if (!std::isfinite(values[i])) {
      throw ValueError(std::string(name) + ": entry " + std::to_string(i) + " is " + std::to_string(values[i]) +
                       ", must be finite");
    }
  }
}

}  // namespace

void require_at_least_one(const char* setting, Index value) {
  if (value < 1) throw ValueError(std::string(setting) + ": got " + std::to_string(value) + ", must be at least 1");
}

template <class T>
void PlanProblemOf<T>::validate(Index horizon) const {
  rollout.validate();
  if (score == nullptr && rollout.reward == nullptr) throw ValueError("reward: got none, must be a reward");
  const Index action_dim = rollout.dynamics->action_dim();
  require_finite("state", state, rollout.dynamics->state_dim());
  require_finite("action_space.low", action_low, action_dim);
  require_finite("action_space.high", action_high, action_dim);
  require_finite("warm_start", warm_start, horizon * action_dim);
  require_finite("elites", carried.actions, carried.count * carried.steps * action_dim);
  if (carried.steps > horizon) {
    throw ShapeError("elites: got " + std::to_string(carried.steps) + " steps, must be at most the horizon, " +
                     std::to_string(horizon));
  }
  require_finite("previous_action", last_action, action_dim);
  for (Index i = 0; i < action_dim; ++i) {
    if (action_low[i] > action_high[i]) {
      throw ValueError("action_space: low exceeds high in entry " + std::to_string(i));
    }
  }
}

template <class T>
double PlanProblemOf<T>::start_action(Index row) const {
  const Index dim = row % rollout.dynamics->action_dim();
  if (warm_start == nullptr) return 0.5 * action_low[dim] + 0.5 * action_high[dim];
  return std::clamp(warm_start[row], action_low[dim], action_high[dim]);
}

template struct PlanProblemOf<float>;
template struct PlanProblemOf<double>;

void PlanResult::copy_sequences(const PlanProblem& problem, const std::vector<float>& sequences, double* out) {
  const Index action_dim = problem.rollout.dynamics->action_dim();
  for (Index row = 0; row < static_cast<Index>(sequences.size()); ++row) {
    const auto action = static_cast<double>(sequences[static_cast<std::size_t>(row)]);
    out[row] = std::clamp(action, problem.action_low[row % action_dim], problem.action_high[row % action_dim]);
  }
}

void PlanResult::begin(const PlanProblem& problem, Index horizon) {
  actions.resize(static_cast<std::size_t>(horizon * problem.rollout.dynamics->action_dim()));
  states.resize(static_cast<std::size_t>((horizon + 1) * problem.rollout.dynamics->state_dim()));
  elites.clear();
  status = PlanStatus::kIterations;
  candidates = rejected = non_finite = 0;
  iterations = 0;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
