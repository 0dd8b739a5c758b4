#include "dynaplan/planners/constraint_steps.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <numeric>

#include "dynaplan/rollout/score_steps.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// The fourth root of a double's precision, as for differences of rewards.
constexpr double kReach = 1e-4;

const Reward<double>& constraint_of(const ExactPlanProblem& problem, Index constraint) {
  return *problem.rollout.constraints[static_cast<std::size_t>(constraint)];
}

// The sum of the terms, or 0 where it is no more than the rounding of numbers of this size or of theirs.
double difference(std::initializer_list<double> terms, double size) {
  double sum = 0.0;
  for (const double term : terms) {
    sum += term;
    size += std::abs(term);
  }
  return std::abs(sum) <= 64.0 * std::numeric_limits<double>::epsilon() * size ? 0.0 : sum;
}

// Steps laid out as arrays (count, .), and what a function makes of them.
class StepRows {
 public:
  StepRows(Index state_dim, Index action_dim, Index step, Index horizon)
      : state_dim_(state_dim), action_dim_(action_dim), step_(step), horizon_(horizon) {}

  void add(const double* variables) {
    const double* const action = variables + state_dim_;
    const double* const before = action + action_dim_;
    const double* const next = before + action_dim_;
    states_.insert(states_.end(), variables, action);
    actions_.insert(actions_.end(), action, before);
    previous_actions_.insert(previous_actions_.end(), before, next);
    next_states_.insert(next_states_.end(), next, next + state_dim_);
    steps_.push_back(step_);
  }

  std::vector<double> values(const Reward<double>& function) const {
    StepBatch batch;
    batch.states = states_.data();
    batch.actions = actions_.data();
    batch.next_states = next_states_.data();
    batch.previous_actions = previous_actions_.data();
    batch.steps = steps_.data();
    batch.horizon = horizon_;
    batch.count = static_cast<Index>(steps_.size());
    batch.state_dim = state_dim_;
    batch.action_dim = action_dim_;
    std::vector<double> result(steps_.size());
    score_steps(function, batch, result.data());
    return result;
  }

 private:
  Index state_dim_;
  Index action_dim_;
  std::int64_t step_;
  Index horizon_;
  std::vector<double> states_;
  std::vector<double> actions_;
  std::vector<double> previous_actions_;
  std::vector<double> next_states_;
  std::vector<std::int64_t> steps_;
};

}  // namespace

void ConstraintSteps::prepare(const ExactPlanProblem& problem, Index horizon) {
  state_dim_ = problem.rollout.dynamics->state_dim();
  action_dim_ = problem.rollout.dynamics->action_dim();
  count_ = static_cast<Index>(problem.rollout.constraints.size());
  faces_.prepare(problem, horizon);
  if (count_ == 0) return;
  std::size_t of_functions = 0;
  for (const Reward<double>* function : problem.rollout.constraints) {
    of_functions = std::max(of_functions, function->expansion_bytes(variables()));
  }
  workspace_.reserve(RewardExpansion<double>::bytes(variables()) + Workspace::bytes<double>(variables()) +
                     of_functions);
  expansion_ = RewardExpansion<double>::take(workspace_, variables());
  reaches_.resize(static_cast<std::size_t>(variables()));
}

void ConstraintSteps::values(const ExactPlanProblem& problem, const NominalTrajectory& trajectory,
                             std::vector<double>& out) const {
  out.resize(static_cast<std::size_t>(count_ * trajectory.length));
  if (out.empty()) return;
  const double* const actions = trajectory.actions.data();
  std::vector<double> previous_actions(static_cast<std::size_t>(trajectory.length * action_dim_));
  std::copy_n(problem.last_action != nullptr ? problem.last_action : actions, action_dim_, previous_actions.data());
  std::copy_n(actions, (trajectory.length - 1) * action_dim_, previous_actions.data() + action_dim_);
  std::vector<std::int64_t> steps(static_cast<std::size_t>(trajectory.length));
  std::iota(steps.begin(), steps.end(), 0);
  StepBatch batch;
  batch.states = trajectory.states.data();
  batch.actions = actions;
  batch.next_states = trajectory.states.data() + state_dim_;
  batch.previous_actions = previous_actions.data();
  batch.steps = steps.data();
  batch.horizon = trajectory.horizon(action_dim_);
  batch.count = trajectory.length;
  batch.state_dim = state_dim_;
  batch.action_dim = action_dim_;
  for (Index n = 0; n < count_; ++n) {
    score_steps(constraint_of(problem, n), batch, out.data() + n * trajectory.length);
  }
}

void ConstraintSteps::smooth_values(const ExactPlanProblem& problem, const NominalTrajectory& trajectory,
                                    std::vector<double>& out) const {
  values(problem, trajectory, out);
  for (Index n = 0; n < count_ && !faces_.is_empty(); ++n) {
    for (Index step = 0; step < trajectory.length; ++step) {
      if (faces_.face(n, step) == ObstacleFaces::kDistance) continue;
      out[static_cast<std::size_t>(n * trajectory.length + step)] = faces_.lack(trajectory, n, step);
    }
  }
}

const RewardExpansion<double>& ConstraintSteps::expand(const ExactPlanProblem& problem,
                                                       const NominalTrajectory& trajectory, Index constraint,
                                                       Index step, double unit) {
  const Reward<double>& function = constraint_of(problem, constraint);
  expansion_.clear();
  if (!function.has_derivatives()) {
    expand_by_differences(problem, trajectory, function, step, unit);
    return expansion_;
  }
  const Workspace::Scope scope(workspace_);
  auto* const values = workspace_.take<double>(variables());
  write_variables(problem, trajectory, step, values);
  const StepVariables<double> variables{values, state_dim_, action_dim_, step, trajectory.horizon(action_dim_)};
  if (faces_.face(constraint, step) != ObstacleFaces::kDistance) {
    faces_.expand(variables, constraint, expansion_);
  } else {
    function.expand(variables, workspace_, expansion_);
  }
  return expansion_;
}

// A share of how far each variable ranges: a state on the way, an action between its bounds.
void ConstraintSteps::find_reaches(const ExactPlanProblem& problem, const NominalTrajectory& trajectory) {
  for (Index i = 0; i < state_dim_; ++i) {
    double range = 0.0;
    for (Index t = 1; t <= trajectory.length; ++t) {
      range = std::max(range, std::abs(trajectory.state(t, state_dim_)[i] - problem.state[i]));
    }
    const double reach = kReach * first_length<double>({range, std::abs(problem.state[i])});
    reaches_[static_cast<std::size_t>(i)] = reaches_[static_cast<std::size_t>(variables() - state_dim_ + i)] = reach;
  }
  for (Index i = 0; i < action_dim_; ++i) {
    const double range = 0.5 * problem.action_high[i] - 0.5 * problem.action_low[i];
    const double reach = kReach * first_length<double>({range, std::abs(problem.action_low[i])});
    reaches_[static_cast<std::size_t>(state_dim_ + i)] = reach;
    reaches_[static_cast<std::size_t>(state_dim_ + action_dim_ + i)] = reach;
  }
}

void ConstraintSteps::expand_by_differences(const ExactPlanProblem& problem, const NominalTrajectory& trajectory,
                                            const Reward<double>& function, Index step, double unit) {
  find_reaches(problem, trajectory);
  std::vector<double> variables(static_cast<std::size_t>(this->variables()));
  write_variables(problem, trajectory, step, variables.data());
  std::vector<std::size_t> moved(variables.size());
  std::iota(moved.begin(), moved.end(), std::size_t{0});
  if (!function.needs_previous_action()) {
    const auto before = moved.begin() + state_dim_ + action_dim_;
    moved.erase(before, before + action_dim_);
  }
  StepRows rows(state_dim_, action_dim_, step, trajectory.horizon(action_dim_));
  const auto add = [&](std::size_t i, std::size_t j, double sign) {
    std::vector<double> point = variables;
    point[i] += sign * reaches_[i];
    if (j != i) point[j] += sign * reaches_[j];
    rows.add(point.data());
  };
  rows.add(variables.data());
  for (const std::size_t i : moved) {
    for (const double sign : {1.0, -1.0}) add(i, i, sign);
  }
  for (std::size_t a = 0; a < moved.size(); ++a) {
    for (std::size_t b = a + 1; b < moved.size(); ++b) {
      for (const double sign : {1.0, -1.0}) add(moved[a], moved[b], sign);
    }
  }
  const std::vector<double> values = rows.values(function);
  const double middle = values[0];
  const double* const along = values.data() + 1;  // of each variable forwards and backwards
  const double* pair = along + 2 * moved.size();
  expansion_.value = middle;
  for (std::size_t a = 0; a < moved.size(); ++a) {
    const double reach = reaches_[moved[a]];
    const double* const of_a = along + 2 * a;
    const auto i = static_cast<Index>(moved[a]);
    expansion_.gradient[i] = difference({of_a[0], -of_a[1]}, unit) / (2.0 * reach);
    expansion_.second(i, i) = difference({of_a[0], -2.0 * middle, of_a[1]}, unit) / (reach * reach);
    for (std::size_t b = a + 1; b < moved.size(); ++b, pair += 2) {
      const double* const of_b = along + 2 * b;
      const double sum = difference({pair[0], -of_a[0], -of_b[0], 2.0 * middle, -of_a[1], -of_b[1], pair[1]}, unit);
      expansion_.add_second(i, static_cast<Index>(moved[b]), sum / (2.0 * reach * reaches_[moved[b]]));
    }
  }
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
