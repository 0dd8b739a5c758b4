#include "dynaplan/planners/gradient_block.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "dynaplan/planners/action_limits.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// Of the return, for a violation of one unit: a wall that is steep from the beginning bends too much for gradients. Of
// the weights and rates of growth that were tried, these came nearest to a solver's optimum on 27 convex problems.
constexpr double kFirstWeight = 0.1;

}  // namespace

void GradientBlock::prepare(const ExactPlanProblem& problem, Index horizon, Index count) {
  action_dim_ = problem.rollout.dynamics->action_dim();
  count_ = count;
  forward_.prepare(problem, horizon);
  sweep_.prepare(problem, horizon);
  const auto actions = static_cast<std::size_t>(horizon * action_dim_);
  const auto states = static_cast<std::size_t>((horizon + 1) * problem.rollout.dynamics->state_dim());
  candidates_.resize(static_cast<std::size_t>(kLanes));
  for (Candidate& candidate : candidates_) {
    candidate.trajectory.actions.resize(actions);
    candidate.trajectory.states.resize(states);
    candidate.has_trajectory = false;
    candidate.violation = candidate.unit = 0.0;
    candidate.rate = 1.0;
    candidate.residual = std::numeric_limits<double>::infinity();
    candidate.costs.clear();
    candidate.limits.prepare(problem, horizon, ChargedChanges::kNone);
    candidate.limits.release();
  }
  for (Tile* tile : {&gradient_, &first_, &second_}) tile->assign(actions * static_cast<std::size_t>(kLanes), 0.0);
}

void GradientBlock::roll_out(const ExactPlanProblem& problem) {
  counted_ = forward_.roll_out(problem, count_);
  for (Index k = 0; k < count_; ++k) {
    Candidate& candidate = candidates_[static_cast<std::size_t>(k)];
    if (is_finite(k)) {
      forward_.take(problem, k, candidate.trajectory);
      if (!candidate.limits.is_empty()) {
        if (!candidate.has_trajectory) {
          const double size = kFirstWeight * std::abs(candidate.trajectory.value);
          candidate.limits.set_units(problem, candidate.trajectory);
          candidate.limits.set_weight(size > 0.0 ? size : 1.0);
        }
        candidate.violation = candidate.limits.violation(problem, candidate.trajectory);
      }
      candidate.has_trajectory = true;
    } else if (candidate.has_trajectory) {
      candidate.rate *= 0.5;
      for (Index row = 0; row < actions().dim; ++row) {
        actions().row(row)[k] = candidate.trajectory.actions[static_cast<std::size_t>(row)];
      }
    } else {
      forward_.take(problem, k, candidate.trajectory);
    }
  }
}

void GradientBlock::derive(const ExactPlanProblem& problem) {
  for (Index k = 0; k < count_; ++k) {
    Candidate& candidate = candidates_[static_cast<std::size_t>(k)];
    if (!candidate.has_trajectory) continue;
    if (!candidate.limits.is_empty()) candidate.limits.write_slopes(problem, candidate.trajectory, candidate.costs);
    sweep_.take(problem, candidate.trajectory, candidate.costs, k);
  }
  sweep_.run(problem, gradient());
  for (Index row = 0; row < gradient().dim; ++row) {
    const double scale = half_width(problem, row % action_dim_);
    for (Index k = 0; k < kLanes; ++k) {
      double& entry = gradient().row(row)[k];
      entry = std::isfinite(scale * entry) ? scale * entry : 0.0;
    }
  }
  if (problem.action_rate != nullptr) pass_on_held(problem);
  find_units();
}

// Whether the rate, and not the bound, keeps an action from following its gradient.
bool GradientBlock::is_held_by_rate(const ExactPlanProblem& problem, Index row, Index lane) const {
  const Index dim = row % action_dim_;
  const std::vector<double>& actions = candidates_[static_cast<std::size_t>(lane)].trajectory.actions;
  const bool is_first = row < action_dim_;
  if (problem.action_rate == nullptr || (is_first && problem.last_action == nullptr)) return false;
  const double* const before =
      is_first ? problem.last_action + dim : &actions[static_cast<std::size_t>(row - action_dim_)];
  const Index step = row / action_dim_;
  const auto [lowest, highest] = action_range(problem, step, dim, before);
  const double action = actions[static_cast<std::size_t>(row)];
  const double slope = gradient_[static_cast<std::size_t>(row * kLanes + lane)];
  if (slope > 0.0) return action >= highest && highest < problem.high_at(step, dim);
  return slope < 0.0 && action <= lowest && lowest > problem.low_at(step, dim);
}

// An action that its rate holds moves no further than the one before it, which is thus asked to move in its place: the
// slope that is passed on is the multiplier of the rate.
void GradientBlock::pass_on_held(const ExactPlanProblem& problem) {
  for (Index row = gradient().dim; row-- > action_dim_;) {
    for (Index k = 0; k < count_; ++k) {
      if (is_held_by_rate(problem, row, k)) gradient().row(row - action_dim_)[k] += gradient().row(row)[k];
    }
  }
}

// Adam takes small gradients for none: what is small is for the reward to say.
void GradientBlock::find_units() {
  for (Index k = 0; k < count_; ++k) {
    Candidate& candidate = candidates_[static_cast<std::size_t>(k)];
    if (!candidate.has_trajectory || candidate.unit > 0.0) continue;
    for (Index row = 0; row < gradient().dim; ++row) {
      candidate.unit = std::max(candidate.unit, std::abs(gradient().row(row)[k]));
    }
  }
}

bool GradientBlock::is_optimal(const ExactPlanProblem& problem, Index lane, double scale, double tolerance) const {
  const Candidate& candidate = candidates_[static_cast<std::size_t>(lane)];
  // Where accelerations hold an action back its gradient says nothing.
  if (!candidate.has_trajectory || problem.action_acceleration != nullptr) return false;
  if (!candidate.limits.is_empty() &&
      candidate.limits.residual(problem, candidate.trajectory) > AugmentedLagrangian::kNoResidual) {
    return false;
  }
  double squares = 0.0;
  for (Index row = 0; row < static_cast<Index>(candidate.trajectory.actions.size()); ++row) {
    const Index dim = row % action_dim_;
    const double slope = gradient_[static_cast<std::size_t>(row * kLanes + lane)];
    if (slope == 0.0 || is_held_by_rate(problem, row, lane)) continue;
    const double action = candidate.trajectory.actions[static_cast<std::size_t>(row)];
    const Index step = row / action_dim_;
    const double room = slope > 0.0 ? problem.high_at(step, dim) - action : action - problem.low_at(step, dim);
    const double move = std::min(std::abs(slope) / scale, room / half_width(problem, dim));
    squares += move * move;
  }
  return std::sqrt(squares) <= tolerance;
}

void GradientBlock::step(const ExactPlanProblem& problem, const AdamStep<double>& adam) {
  for (Index row = 0; row < actions().dim; ++row) {
    const Index dim = row % action_dim_;
    const double low = problem.low_at(row / action_dim_, dim);
    const double high = problem.high_at(row / action_dim_, dim);
    double* const action = actions().row(row);
    for (Index k = 0; k < count_; ++k) {
      const Candidate& candidate = candidates_[static_cast<std::size_t>(k)];
      if (!(candidate.unit > 0.0)) continue;
      const auto place = static_cast<std::size_t>(row * kLanes + k);
      const double change = adam.change(-gradient_[place] / candidate.unit, first_[place], second_[place]);
      action[k] = std::clamp(action[k] - candidate.rate * half_width(problem, dim) * change, low, high);
    }
  }
  limit_changes(problem, actions());
}

void GradientBlock::update_prices(const ExactPlanProblem& problem) {
  constexpr double kEnough = 0.7;
  for (Index k = 0; k < count_; ++k) {
    Candidate& candidate = candidates_[static_cast<std::size_t>(k)];
    if (!candidate.has_trajectory || candidate.limits.is_empty()) continue;
    const double residual = candidate.limits.residual(problem, candidate.trajectory);
    candidate.limits.update(problem, candidate.trajectory, residual <= kEnough * candidate.residual);
    candidate.residual = residual;
  }
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
