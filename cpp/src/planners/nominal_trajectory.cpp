#include "dynaplan/planners/nominal_trajectory.hpp"

#include <algorithm>

#include "dynaplan/core/transpose.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

WholeState WholeState::of(const ExactPlanProblem& problem) {
  const Reward<double>* const reward = problem.rollout.reward;
  return {problem.rollout.dynamics->state_dim(), problem.rollout.dynamics->action_dim(),
          reward != nullptr && reward->needs_previous_action()};
}

std::size_t length_bytes(const ExactPlanProblem& problem) {
  const Dynamics<double>& dynamics = *problem.rollout.dynamics;
  return 2 * Workspace::bytes<double>(dynamics.state_dim() * kMaxLanes) +
         Workspace::bytes<double>(dynamics.action_dim() * kMaxLanes) + Workspace::bytes<double>(kMaxLanes);
}

Index length_of(const ExactPlanProblem& problem, const NominalTrajectory& trajectory, Workspace& workspace) {
  const Index state_dim = problem.rollout.dynamics->state_dim();
  const Index action_dim = problem.rollout.dynamics->action_dim();
  const Index horizon = static_cast<Index>(trajectory.actions.size()) / action_dim;
  if (problem.score != nullptr) {
    return problem.score->length(trajectory.states.data(), trajectory.actions.data(), horizon);
  }
  if (problem.rollout.termination == nullptr) return horizon;
  for (Index first = 0; first < horizon; first += kMaxLanes) {
    const Workspace::Scope scope(workspace);
    const Index count = std::min(kMaxLanes, horizon - first);
    const Index lanes = padded_lanes<double>(count);
    const Block<double> states = workspace.take_block<double>(state_dim, lanes);
    const Block<double> actions = workspace.take_block<double>(action_dim, lanes);
    const Block<double> next = workspace.take_block<double>(state_dim, lanes);
    double* const alive = workspace.take<double>(lanes);
    rows_to_block(trajectory.state(first, state_dim), state_dim, count, states);
    rows_to_block(trajectory.action(first, action_dim), action_dim, count, actions);
    rows_to_block(trajectory.state(first + 1, state_dim), state_dim, count, next);
    std::fill_n(alive, lanes, 1.0);
    problem.rollout.termination->mark(states, actions, next, alive);
    const double* const ended = std::find(alive, alive + count, 0.0);
    if (ended != alive + count) return first + (ended - alive) + 1;
  }
  return horizon;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
