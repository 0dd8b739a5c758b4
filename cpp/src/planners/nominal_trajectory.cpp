#include "dynaplan/planners/nominal_trajectory.hpp"

#include <algorithm>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

WholeState WholeState::of(const ExactPlanProblem& problem) {
  const RolloutProblem<double>& rollout = problem.rollout;
  const bool constrains_changes = std::any_of(rollout.constraints.begin(), rollout.constraints.end(),
                                              [](const auto* function) { return function->needs_previous_action(); });
  return {rollout.dynamics->state_dim(), rollout.dynamics->action_dim(),
          problem.action_rate != nullptr || problem.action_acceleration != nullptr || constrains_changes ||
              (rollout.reward != nullptr && rollout.reward->needs_previous_action()),
          problem.action_acceleration != nullptr};
}

// An action before the first is the one applied last, or the first where none is known.
double WholeState::entry(const ExactPlanProblem& problem, const NominalTrajectory& trajectory, Index step,
                         Index i) const {
  if (i < state_dim) return trajectory.state(step, state_dim)[i];
  const Index back = 1 + (i - state_dim) / action_dim;
  const Index dim = (i - state_dim) % action_dim;
  if (step >= back) return trajectory.action(step - back, action_dim)[dim];
  return problem.last_action != nullptr ? problem.last_action[dim] : trajectory.action(0, action_dim)[dim];
}

void write_variables(const ExactPlanProblem& problem, const NominalTrajectory& trajectory, Index step, double* out) {
  const Index state_dim = problem.rollout.dynamics->state_dim();
  const Index action_dim = problem.rollout.dynamics->action_dim();
  const double* const action = trajectory.action(step, action_dim);
  const double* const last = problem.last_action != nullptr ? problem.last_action : action;
  out = std::copy_n(trajectory.state(step, state_dim), state_dim, out);
  out = std::copy_n(action, action_dim, out);
  out = std::copy_n(step > 0 ? action - action_dim : last, action_dim, out);
  std::copy_n(trajectory.state(step + 1, state_dim), state_dim, out);
}

std::size_t end_bytes(const ExactPlanProblem& problem) {
  constexpr Index kLanes = kVectorLanes<double>;
  const Dynamics<double>& dynamics = *problem.rollout.dynamics;
  const Termination<double>* const termination = problem.rollout.termination;
  return 2 * Workspace::bytes<double>(dynamics.state_dim() * kLanes) +
         2 * Workspace::bytes<double>(dynamics.action_dim() * kLanes) + Workspace::bytes<double>(kLanes) +
         (termination != nullptr ? termination->workspace_bytes(kLanes) : 0);
}

// One step at a time, each in every lane of a vector, as a termination is given one step for all lanes.
std::optional<Index> end_of(const ExactPlanProblem& problem, const NominalTrajectory& trajectory,
                            Workspace& workspace) {
  constexpr Index kLanes = kVectorLanes<double>;
  const Index state_dim = problem.rollout.dynamics->state_dim();
  const Index action_dim = problem.rollout.dynamics->action_dim();
  const Index horizon = trajectory.horizon(action_dim);
  if (problem.score != nullptr) {
    return problem.score->end(trajectory.states.data(), trajectory.actions.data(), horizon);
  }
  if (problem.rollout.termination == nullptr) return std::nullopt;
  const Workspace::Scope scope(workspace);
  const Block<double> state = workspace.take_block<double>(state_dim, kLanes);
  const Block<double> action = workspace.take_block<double>(action_dim, kLanes);
  const Block<double> previous_action = workspace.take_block<double>(action_dim, kLanes);
  const Block<double> next = workspace.take_block<double>(state_dim, kLanes);
  double* const alive = workspace.take<double>(kLanes);
  const auto spread = [](const double* values, const Block<double>& out) {
    for (Index i = 0; i < out.dim; ++i) std::fill_n(out.row(i), kLanes, values[i]);
  };
  for (Index t = 0; t < horizon; ++t) {
    const double* const first = problem.last_action != nullptr ? problem.last_action : trajectory.action(0, action_dim);
    spread(trajectory.state(t, state_dim), state);
    spread(trajectory.action(t, action_dim), action);
    spread(t > 0 ? trajectory.action(t - 1, action_dim) : first, previous_action);
    spread(trajectory.state(t + 1, state_dim), next);
    std::fill_n(alive, kLanes, 1.0);
    problem.rollout.termination->mark({state, action, previous_action, next, {}, t, horizon}, workspace, alive);
    if (alive[0] == 0.0) return t + 1;
  }
  return std::nullopt;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
