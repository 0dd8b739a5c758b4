#include "dynaplan/planners/acceleration_limits.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "dynaplan/planners/action_limits.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// Of a function that does not apply to a step.
constexpr double kNever = -std::numeric_limits<double>::infinity();

// Violations are charged for in units of no less than this share of the width of the bounds: costs that are much
// steeper on either side than in between take many steps.
constexpr double kClose = 0.1;

double sign_of(Index row) { return row % 2 == 0 ? 1.0 : -1.0; }

}  // namespace

void AccelerationLimits::prepare(const ExactPlanProblem& problem, Index horizon, ChargedChanges changes) {
  state_dim_ = problem.rollout.dynamics->state_dim();
  action_dim_ = problem.rollout.dynamics->action_dim();
  dims_.clear();
  units_.clear();
  precisions_.clear();
  allowed_.clear();
  accelerations_.clear();
  rates_.clear();
  const bool takes_rates = changes == ChargedChanges::kAccelerationsAndRates;
  if (changes == ChargedChanges::kNone || (problem.action_acceleration == nullptr && !takes_rates)) return;
  constexpr double kFree = std::numeric_limits<double>::infinity();
  for (Index i = 0; i < action_dim_; ++i) {
    accelerations_.push_back(problem.action_acceleration != nullptr ? problem.action_acceleration[i] : kFree);
    rates_.push_back(problem.action_rate != nullptr && takes_rates ? problem.action_rate[i] : kFree);
    const double limit = std::min(accelerations_.back(), rates_.back());
    if (!std::isfinite(limit)) continue;
    dims_.push_back(i);
    const double width = problem.action_high[i] - problem.action_low[i];
    precisions_.push_back(first_length<double>({limit, accelerations_.back(), rates_.back(), width}));
    units_.push_back(std::max(precisions_.back(), kClose * width));
  }
  relax(problem, horizon);
}

// What no plan can keep, since the last actions are too fast or outside the box, may be exceeded by as much as actions
// do that stay where they are as well as they can.
void AccelerationLimits::relax(const ExactPlanProblem& problem, Index horizon) {
  NominalTrajectory held;
  held.length = horizon;
  held.actions.resize(static_cast<std::size_t>(horizon * action_dim_));
  for (Index row = 0; row < horizon * action_dim_; ++row) {
    const double* const start = problem.last_action != nullptr ? problem.last_action : problem.action_low;
    held.actions[static_cast<std::size_t>(row)] = start[row % action_dim_];
  }
  limit_changes(problem, horizon, held.actions.data());
  const std::size_t count = static_cast<std::size_t>(kKinds * horizon) * dims_.size();
  allowed_.assign(count, 0.0);
  std::vector<double> allowed(count);
  double* of_step = allowed.data();
  for (Index step = 0; step < horizon; ++step) {
    for (std::size_t n = 0; n < dims_.size(); ++n, of_step += kKinds) {
      of_step[0] = accelerations_[static_cast<std::size_t>(dims_[n])];
      of_step[1] = rates_[static_cast<std::size_t>(dims_[n])];
      for (Index row = 0; row < kRows; ++row) {
        double& of_kind = of_step[kind_of(row)];
        of_kind = std::max(of_kind, excess(problem, held, step, static_cast<Index>(n), row));
      }
    }
  }
  allowed_ = allowed;
}

// By how much an action differs from the one before; unknown ones are taken for equal.
double AccelerationLimits::change(const ExactPlanProblem& problem, const NominalTrajectory& trajectory, Index step,
                                  Index dim) const {
  if (step > 0) return trajectory.action(step, action_dim_)[dim] - trajectory.action(step - 1, action_dim_)[dim];
  if (step == 0) {
    return problem.last_action != nullptr ? trajectory.action(0, action_dim_)[dim] - problem.last_action[dim] : 0.0;
  }
  return problem.last_action != nullptr && problem.last_change != nullptr ? problem.last_change[dim] : 0.0;
}

// Of v + (v - b) + (v - 2 b) + ... the terms up to the one that is 0 or less; which of three pieces near that, by the
// remainder of its number, so that a piece keeps its row while the distance changes.
AccelerationLimits::Stop AccelerationLimits::stop(const ExactPlanProblem& problem, const NominalTrajectory& trajectory,
                                                  Index step, Index dim, double sign, Index piece) const {
  const double before = step > 0 ? trajectory.action(step - 1, action_dim_)[dim] : problem.last_action[dim];
  const double distance = sign > 0.0 ? problem.action_high[dim] - before : before - problem.action_low[dim];
  const double limit = accelerations_[static_cast<std::size_t>(dim)];
  double steps = 1.0;
  if (distance > 0.0) {
    steps = limit > 0.0 ? std::max(std::ceil(0.5 * (std::sqrt(1.0 + 8.0 * distance / limit) - 1.0)), 1.0)
                        : std::numeric_limits<double>::infinity();
  }
  if (std::isfinite(steps)) {
    constexpr auto kCount = static_cast<double>(kPieces);
    const double offset = std::fmod(static_cast<double>(piece) - steps, kCount);
    steps = std::max(steps + offset - kCount * std::round(offset / kCount), 1.0);
  }
  return {steps, distance};
}

double AccelerationLimits::excess(const ExactPlanProblem& problem, const NominalTrajectory& trajectory, Index step,
                                  Index limited, Index row) const {
  const Index dim = dims_[static_cast<std::size_t>(limited)];
  const double sign = sign_of(row);
  const double limit = accelerations_[static_cast<std::size_t>(dim)];
  const double* const allowed = allowed_.data() + kKinds * (step * static_cast<Index>(dims_.size()) + limited);
  if (step == 0 && problem.last_action == nullptr) return kNever;
  const double now = change(problem, trajectory, step, dim);
  if (row < kRate) return sign * (now - change(problem, trajectory, step - 1, dim)) - allowed[0];
  if (row < kStop) return sign * now - allowed[1];
  if (step + 1 != trajectory.length || !std::isfinite(limit)) return kNever;
  const Stop last = stop(problem, trajectory, step, dim, sign, (row - kStop) / 2);
  const double fastest =
      std::isfinite(last.steps) ? last.distance / last.steps + 0.5 * limit * (last.steps - 1.0) : 0.0;
  return sign * now - fastest - allowed[2];
}

void AccelerationLimits::excesses(const ExactPlanProblem& problem, const NominalTrajectory& trajectory, Index step,
                                  double margin, double* out) const {
  for (std::size_t n = 0; n < dims_.size(); ++n) {
    const auto dim = static_cast<std::size_t>(dims_[n]);
    for (Index row = 0; row < kRows; ++row) {
      // Between two limits of 0 there is no room for a margin.
      const double limit = kind_of(row) == 1 ? rates_[dim] : accelerations_[dim];
      const double within = std::min(margin * precisions_[n], limit) / units_[n];
      *out++ = excess(problem, trajectory, step, static_cast<Index>(n), row) / units_[n] + within;
    }
  }
}

void AccelerationLimits::slope(const ExactPlanProblem& problem, const NominalTrajectory& trajectory, Index step,
                               Index row, Eigen::VectorXd& out) const {
  const auto limited = static_cast<std::size_t>(row / kRows);
  const Index dim = dims_[limited];
  const Index of_dim = row % kRows;
  const double scaled = sign_of(of_dim) / units_[limited];
  const Index before = state_dim_ + dim;
  out.setZero();
  out(out.size() - action_dim_ + dim) = scaled;
  if (step == 0) return;  // the actions before are what they are
  if (of_dim < kRate) {
    const bool is_tied = step == 1 && problem.last_action == nullptr;
    out(before) = is_tied ? -scaled : -2.0 * scaled;
    out(before + action_dim_) = is_tied ? 0.0 : scaled;
    return;
  }
  if (of_dim < kStop) {
    out(before) = -scaled;
    return;
  }
  const double steps = stop(problem, trajectory, step, dim, sign_of(of_dim), (of_dim - kStop) / 2).steps;
  out(before) = -scaled * (1.0 - 1.0 / steps);
}

bool AccelerationLimits::is_kept(const ExactPlanProblem& problem, const NominalTrajectory& trajectory) const {
  constexpr double kRounding = 1e-12;
  for (Index step = 0; step < trajectory.length; ++step) {
    for (std::size_t n = 0; n < dims_.size(); ++n) {
      const double size = std::max(std::abs(problem.action_low[dims_[n]]), std::abs(problem.action_high[dims_[n]]));
      for (Index row = 0; row < kRows; ++row) {
        if (!(excess(problem, trajectory, step, static_cast<Index>(n), row) <= kRounding * size)) return false;
      }
    }
  }
  return true;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
