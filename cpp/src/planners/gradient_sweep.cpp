#include "dynaplan/planners/gradient_sweep.hpp"

#include <algorithm>
#include <cmath>

#include "dynaplan/planners/finite_or_zero.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

constexpr Index kLanes = GradientSweep::kLanes;

// sum += the derivatives of row `of` of a function times what a change of it is worth.
void add_chain(const double* derivative, const double* worth, double* sum) {
  for (Index k = 0; k < kLanes; ++k) sum[k] += finite_or_zero(derivative[k]) * worth[k];
}

}  // namespace

void GradientSweep::prepare(const ExactPlanProblem& problem, Index horizon) {
  const Dynamics<double>& dynamics = *problem.rollout.dynamics;
  const Reward<double>* const reward = problem.rollout.reward;
  whole_ = WholeState::of(problem);
  horizon_ = horizon;
  variables_ = 2 * (whole_.state_dim + whole_.action_dim);
  has_derivatives_ = reward != nullptr && reward->has_derivatives();
  if (!has_derivatives_) differences_.prepare(problem, whole_, horizon, Derivatives::kFirst);
  terminal_.prepare(problem, Derivatives::kFirst);
  const auto resize = [](Tile& tile, Index rows) { tile.resize(static_cast<std::size_t>(rows * kLanes), 0.0); };
  resize(states_, horizon * whole_.state_dim);
  resize(actions_, horizon * whole_.action_dim);
  resize(slopes_, horizon * variables_);
  resize(adjoint_, whole_.state_dim);
  resize(of_next_, whole_.state_dim);
  resize(of_earlier_, whole_.action_dim);
  std::fill(adjoint_.begin(), adjoint_.end(), 0.0);
  const Index inputs = whole_.state_dim + whole_.action_dim;
  const std::size_t of_dynamics = Workspace::bytes<double>(whole_.state_dim * kLanes) +
                                  Workspace::bytes<double>(whole_.state_dim * whole_.state_dim * kLanes) +
                                  Workspace::bytes<double>(whole_.state_dim * whole_.action_dim * kLanes) +
                                  dynamics.jacobians_workspace_bytes(kLanes);
  const Index expanded = has_derivatives_ ? variables_ : inputs + whole_.action_dim;
  const std::size_t of_reward = Workspace::bytes<double>(variables_) + RewardExpansion<double>::bytes(expanded) +
                                (has_derivatives_ ? reward->expansion_bytes(variables_) : 0);
  workspace_.reserve(std::max(of_dynamics, of_reward));
}

void GradientSweep::take(const ExactPlanProblem& problem, const NominalTrajectory& trajectory,
                         const std::vector<double>& costs, Index lane) {
  const auto spread = [&](const std::vector<double>& from, Tile& to) {
    for (std::size_t row = 0; row < to.size() / kLanes; ++row) {
      to[row * kLanes + static_cast<std::size_t>(lane)] = from[row];
    }
  };
  spread(trajectory.states, states_);
  spread(trajectory.actions, actions_);
  for (std::size_t row = 0; row < slopes_.size() / kLanes; ++row) {
    slopes_[row * kLanes + static_cast<std::size_t>(lane)] = row < costs.size() ? -costs[row] : 0.0;
  }
  take_rewards(problem, trajectory, lane);
  terminal_.compute(problem, trajectory);
  for (Index i = 0; i < whole_.state_dim; ++i) {
    adjoint_[static_cast<std::size_t>(i * kLanes + lane)] = terminal_.is_zero() ? 0.0 : terminal_.gradient()(i);
  }
}

void GradientSweep::take_rewards(const ExactPlanProblem& problem, const NominalTrajectory& trajectory, Index lane) {
  if (!has_derivatives_) differences_.compute(problem, trajectory);
  const Index action_dim = whole_.action_dim;
  const Workspace::Scope scope(workspace_);
  double* const values = workspace_.take<double>(variables_);
  auto reward = RewardExpansion<double>::take(workspace_, has_derivatives_ ? variables_ : differences_.variables());
  for (Index t = 0; t < trajectory.length; ++t) {
    reward.clear();
    if (has_derivatives_) {
      const StepVariables<double> variables{values, whole_.state_dim, action_dim, t, horizon_};
      write_variables(problem, trajectory, t, values);
      problem.rollout.reward->expand(variables, workspace_, reward);
    } else {
      differences_.expand(t, reward);
    }
    for (Index v = 0; v < reward.count; ++v) {
      of_step(t, v)[lane] += finite_or_zero(reward.gradient[v]);
    }
  }
}

void GradientSweep::run(const ExactPlanProblem& problem, Block<double> gradient) {
  const Workspace::Scope scope(workspace_);
  const Index state_dim = whole_.state_dim;
  const Index action_dim = whole_.action_dim;
  const JacobianBlock<double> jacobians{workspace_.take_block<double>(state_dim, kLanes),
                                        workspace_.take_block<double>(state_dim * state_dim, kLanes),
                                        workspace_.take_block<double>(state_dim * action_dim, kLanes)};
  const double discount = problem.rollout.discount;
  std::fill(of_earlier_.begin(), of_earlier_.end(), 0.0);
  for (Index t = horizon_; t-- > 0;) {
    if (problem.interrupt != nullptr && problem.interrupt->requested()) return;
    const ConstBlock<double> states{states_.data() + t * state_dim * kLanes, state_dim, kLanes, kLanes};
    const ConstBlock<double> actions{actions_.data() + t * action_dim * kLanes, action_dim, kLanes, kLanes};
    problem.rollout.dynamics->jacobians(states, actions, workspace_, jacobians);
    arrive(problem, jacobians, t);
    leave(problem, jacobians, t, gradient.rows(t * action_dim, action_dim));
    for (Index i = 0; i < state_dim; ++i) {
      double* const sum = adjoint_.data() + i * kLanes;
      std::copy_n(of_step(t, i), kLanes, sum);
      for (Index d = 0; d < state_dim; ++d) {
        add_chain(jacobians.state.row(d * state_dim + i), of_next_.data() + d * kLanes, sum);
      }
    }
  }
  double weight = 1.0;
  for (Index t = 1; t < horizon_ && discount != 1.0; ++t) {
    weight *= discount;
    for (Index i = 0; i < action_dim * kLanes; ++i) gradient.row(t * action_dim)[i] *= weight;
  }
}

// What a change of the step's action is worth, to `gradient` (A, K): by itself, as the previous one of the step after,
// and by the next state.
void GradientSweep::leave(const ExactPlanProblem& problem, const JacobianBlock<double>& jacobians, Index step,
                          Block<double> gradient) {
  const Index state_dim = whole_.state_dim;
  const Index action_dim = whole_.action_dim;
  const double discount = problem.rollout.discount;
  const bool is_tied = step == 0 && problem.last_action == nullptr;
  for (Index j = 0; j < action_dim; ++j) {
    double* const sum = gradient.row(j);
    double* const earlier = of_earlier_.data() + j * kLanes;
    const double* const own = of_step(step, state_dim + j);
    const double* const of_previous = of_step(step, state_dim + action_dim + j);
    for (Index k = 0; k < kLanes; ++k) {
      sum[k] = own[k] + discount * earlier[k] + (is_tied ? of_previous[k] : 0.0);
      earlier[k] = of_previous[k];
    }
    for (Index d = 0; d < state_dim; ++d) {
      add_chain(jacobians.action.row(d * action_dim + j), of_next_.data() + d * kLanes, sum);
    }
  }
}

// What a change of the next state is worth, and thus of what predicts it: nothing where that is clipped.
void GradientSweep::arrive(const ExactPlanProblem& problem, const JacobianBlock<double>& jacobians, Index step) {
  const StateLimits<double>* const limits = problem.rollout.limits;
  for (Index d = 0; d < whole_.state_dim; ++d) {
    const double* const of_next = of_step(step, whole_.state_dim + 2 * whole_.action_dim + d);
    const double* const predicted = jacobians.next.row(d);
    double* const worth = of_next_.data() + d * kLanes;
    for (Index k = 0; k < kLanes; ++k) {
      worth[k] = problem.rollout.discount * adjoint_[static_cast<std::size_t>(d * kLanes + k)] + of_next[k];
      if (limits == nullptr) continue;
      const auto entry = static_cast<std::size_t>(d);
      if (predicted[k] < limits->low[entry] || predicted[k] > limits->high[entry]) worth[k] = 0.0;
    }
  }
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
