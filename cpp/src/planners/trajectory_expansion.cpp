#include "dynaplan/planners/trajectory_expansion.hpp"

#include <algorithm>
#include <cmath>

#include "dynaplan/core/parallel.hpp"
#include "dynaplan/core/transpose.hpp"
#include "dynaplan/planners/finite_or_zero.hpp"
#include "dynaplan/planners/pull_back.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// Steps at a time: each brings S (S + A) numbers, which should stay in cache.
constexpr Index kLanes = 16;

}  // namespace

void TrajectoryExpansion::prepare(const ExactPlanProblem& problem, Index horizon) {
  const Dynamics<double>& dynamics = *problem.rollout.dynamics;
  const Reward<double>* const reward = problem.rollout.reward;
  whole_ = WholeState::of(problem);
  has_derivatives_ = reward != nullptr && reward->has_derivatives();
  const Index size = whole_.size();
  const Index both = size + whole_.action_dim;
  steps_.resize(static_cast<std::size_t>(horizon));
  for (StepExpansion& step : steps_) {
    step.of_state.setZero(size, size);
    step.of_action.setZero(size, whole_.action_dim);
    if (whole_.has_previous_action) {
      step.of_action.middleRows(whole_.state_dim, whole_.action_dim).setIdentity();
    }
    if (whole_.has_earlier_action) {
      step.of_state.block(whole_.state_dim + whole_.action_dim, whole_.state_dim, whole_.action_dim, whole_.action_dim)
          .setIdentity();
    }
    step.defect.setZero(size);
    step.slope.setZero(both);
    step.curvature.setZero(both, both);
  }
  if (!has_derivatives_) differences_.prepare(problem, whole_, horizon);

  const Index variables = 2 * (whole_.state_dim + whole_.action_dim);
  const Index of_state = whole_.state_dim * whole_.state_dim;
  const Index of_action = whole_.state_dim * whole_.action_dim;
  const std::size_t of_dynamics =
      2 * Workspace::bytes<double>(whole_.state_dim * kLanes) + Workspace::bytes<double>(whole_.action_dim * kLanes) +
      Workspace::bytes<double>(of_state * kLanes) + Workspace::bytes<double>(of_action * kLanes) +
      dynamics.jacobians_workspace_bytes(kLanes);
  const std::size_t of_reward = Workspace::bytes<double>(variables) + RewardExpansion<double>::bytes(variables) +
                                pull_back_bytes(variables, both) +
                                (has_derivatives_ ? reward->expansion_bytes(variables) : 0);
  const int threads = usable_threads((horizon + kLanes - 1) / kLanes, problem.threads);
  workspaces_.resize(std::max(workspaces_.size(), static_cast<std::size_t>(threads)));
  for (Workspace& workspace : workspaces_) workspace.reserve(std::max(of_dynamics, of_reward));
}

void TrajectoryExpansion::compute(const ExactPlanProblem& problem, const NominalTrajectory& trajectory) {
  if (!has_derivatives_) differences_.compute(problem, trajectory);
  const Index blocks = (trajectory.length + kLanes - 1) / kLanes;
  const auto expand = [&](Index index, int thread) {
    Workspace& workspace = workspaces_[static_cast<std::size_t>(thread)];
    const Index first = index * kLanes;
    const Index count = std::min(kLanes, trajectory.length - first);
    expand_dynamics(problem, trajectory, first, count, workspace);
    for (Index t = first; t < first + count; ++t) expand_reward(problem, trajectory, t, workspace);
  };
  parallel_for(blocks, usable_threads(blocks, problem.threads), expand, problem.interrupt);
}

void TrajectoryExpansion::compute_with_defects(const ExactPlanProblem& problem, const NominalTrajectory& trajectory) {
  has_defects_ = true;
  compute(problem, trajectory);
  has_defects_ = false;
}

void TrajectoryExpansion::expand_dynamics(const ExactPlanProblem& problem, const NominalTrajectory& trajectory,
                                          Index first, Index count, Workspace& workspace) {
  const Workspace::Scope scope(workspace);
  const Index lanes = padded_lanes<double>(count);
  const Index state_dim = whole_.state_dim;
  const Index action_dim = whole_.action_dim;
  const Block<double> states = workspace.take_block<double>(state_dim, lanes);
  const Block<double> actions = workspace.take_block<double>(action_dim, lanes);
  const JacobianBlock<double> jacobians{workspace.take_block<double>(state_dim, lanes),
                                        workspace.take_block<double>(state_dim * state_dim, lanes),
                                        workspace.take_block<double>(state_dim * action_dim, lanes)};
  rows_to_block(trajectory.state(first, state_dim), state_dim, count, states);
  rows_to_block(trajectory.action(first, action_dim), action_dim, count, actions);
  problem.rollout.dynamics->jacobians(states, actions, workspace, jacobians);
  const StateLimits<double>* const limits = problem.rollout.limits;
  for (Index k = 0; k < count; ++k) {
    StepExpansion& step = steps_[static_cast<std::size_t>(first + k)];
    for (Index d = 0; d < state_dim; ++d) {
      const double predicted = jacobians.next.row(d)[k];
      double next = predicted;
      if (limits != nullptr) {
        next = std::min(std::max(predicted, limits->low[static_cast<std::size_t>(d)]),
                        limits->high[static_cast<std::size_t>(d)]);
      }
      // Clipped to its limit, a state moves with nothing.
      const bool clipped = next != predicted;
      const double planned = trajectory.state(first + k + 1, state_dim)[d];
      step.defect(d) = has_defects_ ? finite_or_zero(next - planned) : 0.0;
      for (Index i = 0; i < state_dim; ++i) {
        step.of_state(d, i) = clipped ? 0.0 : finite_or_zero(jacobians.state.row(d * state_dim + i)[k]);
      }
      for (Index j = 0; j < action_dim; ++j) {
        step.of_action(d, j) = clipped ? 0.0 : finite_or_zero(jacobians.action.row(d * action_dim + j)[k]);
      }
    }
  }
}

void TrajectoryExpansion::expand_reward(const ExactPlanProblem& problem, const NominalTrajectory& trajectory,
                                        Index step, Workspace& workspace) {
  const Workspace::Scope scope(workspace);
  StepExpansion& expansion = steps_[static_cast<std::size_t>(step)];
  const bool tied = step == 0 && problem.last_action == nullptr;
  if (!has_derivatives_) {
    auto reward = RewardExpansion<double>::take(workspace, differences_.variables());
    differences_.expand(step, reward);
    take_cost(reward, tied, expansion, workspace);
    return;
  }
  const Index state_dim = whole_.state_dim;
  const Index action_dim = whole_.action_dim;
  double* const values = workspace.take<double>(2 * (state_dim + action_dim));
  const StepVariables<double> variables{values, state_dim, action_dim, step, trajectory.horizon(action_dim)};
  const double* const action = trajectory.action(step, action_dim);
  const double* const last = tied ? action : problem.last_action;
  const double* const before = step > 0 ? action - action_dim : last;
  std::copy_n(trajectory.state(step, state_dim), state_dim, values);
  std::copy_n(action, action_dim, values + variables.action());
  std::copy_n(before, action_dim, values + variables.previous_action());
  double* const next = values + variables.state(At::kNextState);
  for (Index d = 0; d < state_dim; ++d) next[d] = trajectory.state(step + 1, state_dim)[d] + expansion.defect(d);
  auto reward = RewardExpansion<double>::take(workspace, variables.count());
  problem.rollout.reward->expand(variables, workspace, reward);
  take_cost(reward, tied, expansion, workspace);
}

void TrajectoryExpansion::take_cost(const RewardExpansion<double>& reward, bool tied, StepExpansion& step,
                                    Workspace& workspace) const {
  pull_back(reward, whole_, step.of_state, step.of_action, tied, workspace, step.slope, step.curvature);
  step.slope *= -1.0;
  step.curvature *= -1.0;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
