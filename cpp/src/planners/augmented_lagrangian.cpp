#include "dynaplan/planners/augmented_lagrangian.hpp"

#include <algorithm>
#include <cmath>

#include "dynaplan/planners/pull_back.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// By so many units the limits in the costs are within the real ones, which thus are kept where these nearly are.
constexpr double kMargin = 1e-6;

}  // namespace

void AugmentedLagrangian::prepare(const ExactPlanProblem& problem, Index horizon) {
  state_dim_ = problem.rollout.dynamics->state_dim();
  action_dim_ = problem.rollout.dynamics->action_dim();
  limits_.clear();
  if (const StateLimits<double>* const allowed = problem.rollout.allowed) {
    for (Index i = 0; i < state_dim_; ++i) {
      const double low = allowed->low[static_cast<std::size_t>(i)];
      const double high = allowed->high[static_cast<std::size_t>(i)];
      const double state = problem.state[i];
      const double unit = first_length<double>(
          {high - low, std::abs(std::isfinite(high) ? high - state : state - low), std::abs(high), std::abs(low)});
      const double margin = kMargin * unit;
      if (std::isfinite(high)) limits_.push_back({i, 1.0, high, high - margin, unit});
      if (std::isfinite(low)) limits_.push_back({i, -1.0, -low, -low - margin, unit});
    }
  }
  weight_ = 1.0;
  functions_.prepare(problem);
  units_.assign(static_cast<std::size_t>(functions_.count()), 1.0);
  multipliers_.assign(static_cast<std::size_t>(horizon) * count(), 0.0);
  if (units_.empty()) return;
  workspace_.reserve(pull_back_bytes(functions_.variables(), WholeState::of(problem).size() + action_dim_));
}

void AugmentedLagrangian::set_units(const ExactPlanProblem& problem, const NominalTrajectory& trajectory) {
  std::vector<double> values;
  functions_.values(problem, trajectory, values);
  for (std::size_t n = 0; n < units_.size(); ++n) {
    double largest = 0.0;
    for (Index step = 0; step < trajectory.length; ++step) {
      const double value = std::abs(values[n * static_cast<std::size_t>(trajectory.length) + step]);
      if (std::isfinite(value)) largest = std::max(largest, value);
    }
    units_[n] = first_length<double>({largest});
  }
}

std::vector<double> AugmentedLagrangian::excesses(const ExactPlanProblem& problem,
                                                  const NominalTrajectory& trajectory) const {
  std::vector<double> result;
  std::vector<double> values;
  functions_.values(problem, trajectory, values);
  result.reserve(static_cast<std::size_t>(trajectory.length) * count());
  for (Index step = 0; step < trajectory.length; ++step) {
    const double* const state = trajectory.state(step + 1, state_dim_);
    for (const Limit& limit : limits_) result.push_back((limit.sign * state[limit.entry] - limit.target) / limit.unit);
    for (std::size_t n = 0; n < units_.size(); ++n) {
      const double value = values[n * static_cast<std::size_t>(trajectory.length) + static_cast<std::size_t>(step)];
      // What is nowhere counts as far outside as it was at the beginning.
      result.push_back(std::isfinite(value) ? value / units_[n] + kMargin : 1.0);
    }
  }
  return result;
}

double AugmentedLagrangian::cost(const ExactPlanProblem& problem, const NominalTrajectory& trajectory) const {
  const std::vector<double> excess = excesses(problem, trajectory);
  double sum = 0.0;
  double discount = 1.0;
  for (std::size_t place = 0; place < excess.size(); ++place) {
    if (place > 0 && place % count() == 0) discount *= problem.rollout.discount;
    const double multiplier = multipliers_[place];
    const double price = std::max(0.0, multiplier + weight_ * excess[place]);
    sum += discount * (price * price - multiplier * multiplier) / (2.0 * weight_);
  }
  return sum;
}

void AugmentedLagrangian::expand(const ExactPlanProblem& problem, const NominalTrajectory& trajectory,
                                 TrajectoryExpansion& expansion) {
  const std::vector<double> excess = excesses(problem, trajectory);
  const WholeState& whole = expansion.whole();
  const Index size = whole.size();
  slope_.resize(size + action_dim_);
  curvature_.resize(size + action_dim_, size + action_dim_);
  expansion.add_costs(trajectory, [&](Index step, StepExpansion& of_step) {
    const std::size_t first = static_cast<std::size_t>(step) * count();
    const auto price_of = [&](std::size_t n) { return multipliers_[first + n] + weight_ * excess[first + n]; };
    for (std::size_t n = 0; n < limits_.size(); ++n) {
      if (!(price_of(n) > 0.0)) continue;
      slope_.head(size) = of_step.of_state.row(limits_[n].entry).transpose();
      slope_.tail(action_dim_) = of_step.of_action.row(limits_[n].entry).transpose();
      slope_ *= limits_[n].sign / limits_[n].unit;
      add_cost(price_of(n), of_step);
    }
    for (std::size_t n = 0; n < units_.size(); ++n) {
      const double price = price_of(limits_.size() + n);
      if (!(price > 0.0)) continue;
      const RewardExpansion<double>& of_variables =
          functions_.expand(problem, trajectory, static_cast<Index>(n), step, units_[n]);
      pull_back(of_variables, whole, of_step.of_state, of_step.of_action, ConstraintSteps::is_tied(problem, step),
                workspace_, slope_, curvature_);
      slope_ *= 1.0 / units_[n];
      of_step.curvature += (price / units_[n]) * curvature_;
      add_cost(price, of_step);
    }
  });
}

void AugmentedLagrangian::write_slopes(const ExactPlanProblem& problem, const NominalTrajectory& trajectory,
                                       std::vector<double>& out) {
  const std::vector<double> excess = excesses(problem, trajectory);
  const Index variables = 2 * (state_dim_ + action_dim_);
  out.assign(static_cast<std::size_t>(trajectory.length * variables), 0.0);
  for (Index step = 0; step < trajectory.length; ++step) {
    double* const slope = out.data() + step * variables;
    double* const of_next = slope + variables - state_dim_;
    const std::size_t first = static_cast<std::size_t>(step) * count();
    const auto price_of = [&](std::size_t n) {
      return std::max(0.0, multipliers_[first + n] + weight_ * excess[first + n]);
    };
    for (std::size_t n = 0; n < limits_.size(); ++n) {
      of_next[limits_[n].entry] += price_of(n) * limits_[n].sign / limits_[n].unit;
    }
    for (std::size_t n = 0; n < units_.size(); ++n) {
      const double price = price_of(limits_.size() + n) / units_[n];
      if (!(price > 0.0)) continue;
      const RewardExpansion<double>& of_variables =
          functions_.expand(problem, trajectory, static_cast<Index>(n), step, units_[n]);
      for (Index v = 0; v < variables; ++v) slope[v] += price * of_variables.gradient[v];
    }
  }
}

// What the limit whose slope is at hand costs more where the step changes.
void AugmentedLagrangian::add_cost(double price, StepExpansion& expansion) const {
  expansion.slope += price * slope_;
  expansion.curvature.noalias() += (weight_ * slope_) * slope_.transpose();
}

double AugmentedLagrangian::residual(const ExactPlanProblem& problem, const NominalTrajectory& trajectory) const {
  const std::vector<double> excess = excesses(problem, trajectory);
  double largest = 0.0;
  for (std::size_t place = 0; place < excess.size(); ++place) {
    largest = std::max(largest, std::abs(std::max(excess[place], -multipliers_[place] / weight_)));
  }
  return largest;
}

bool AugmentedLagrangian::is_kept(const ExactPlanProblem& problem, const NominalTrajectory& trajectory) const {
  const bool keeps_limits = std::all_of(limits_.begin(), limits_.end(), [&](const Limit& limit) {
    for (Index step = 1; step <= trajectory.length; ++step) {
      if (!(limit.sign * trajectory.state(step, state_dim_)[limit.entry] <= limit.bound)) return false;
    }
    return true;
  });
  if (!keeps_limits) return false;
  std::vector<double> values;
  functions_.values(problem, trajectory, values);
  return std::all_of(values.begin(), values.end(), [](double value) { return value <= 0.0; });
}

double AugmentedLagrangian::violation(const ExactPlanProblem& problem, const NominalTrajectory& trajectory) const {
  if (is_kept(problem, trajectory)) return 0.0;
  double sum = 0.0;
  for (const double excess : excesses(problem, trajectory)) sum += std::max(excess, 0.0);
  return sum;
}

void AugmentedLagrangian::update(const ExactPlanProblem& problem, const NominalTrajectory& trajectory,
                                 bool fell_enough) {
  constexpr double kGrowth = 5.0;
  const std::vector<double> excess = excesses(problem, trajectory);
  for (std::size_t place = 0; place < excess.size(); ++place) {
    multipliers_[place] = std::max(0.0, multipliers_[place] + weight_ * excess[place]);
  }
  if (!fell_enough) weight_ *= kGrowth;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
