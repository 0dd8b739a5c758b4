#include "dynaplan/planners/augmented_lagrangian.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

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
  multipliers_.assign(static_cast<std::size_t>(horizon) * limits_.size(), 0.0);
}

double AugmentedLagrangian::excess(const NominalTrajectory& trajectory, Index step, const Limit& limit) const {
  return (limit.sign * trajectory.state(step + 1, state_dim_)[limit.entry] - limit.target) / limit.unit;
}

// Calls use(step, excess, multiplier's place) for all limits of all steps.
template <class Use>
void AugmentedLagrangian::for_each(const NominalTrajectory& trajectory, const Use& use) const {
  for (Index step = 0; step < trajectory.length; ++step) {
    for (std::size_t n = 0; n < limits_.size(); ++n) {
      use(step, excess(trajectory, step, limits_[n]), static_cast<std::size_t>(step) * limits_.size() + n);
    }
  }
}

double AugmentedLagrangian::cost(const ExactPlanProblem& problem, const NominalTrajectory& trajectory) const {
  double sum = 0.0;
  double discount = 1.0;
  Index last_step = 0;
  for_each(trajectory, [&](Index step, double excess, std::size_t place) {
    if (step > last_step) discount *= problem.rollout.discount;
    last_step = step;
    const double multiplier = multipliers_[place];
    const double price = std::max(0.0, multiplier + weight_ * excess);
    sum += discount * (price * price - multiplier * multiplier) / (2.0 * weight_);
  });
  return sum;
}

void AugmentedLagrangian::expand(const NominalTrajectory& trajectory, Index step, StepExpansion& expansion) {
  const Index size = expansion.of_state.rows();
  slope_.resize(size + action_dim_);
  for (std::size_t n = 0; n < limits_.size(); ++n) {
    const Limit& limit = limits_[n];
    const double multiplier = multipliers_[static_cast<std::size_t>(step) * limits_.size() + n];
    const double price = multiplier + weight_ * excess(trajectory, step, limit);
    if (!(price > 0.0)) continue;
    slope_.head(size) = expansion.of_state.row(limit.entry).transpose();
    slope_.tail(action_dim_) = expansion.of_action.row(limit.entry).transpose();
    slope_ *= limit.sign / limit.unit;
    expansion.slope += price * slope_;
    expansion.curvature.noalias() += (weight_ * slope_) * slope_.transpose();
  }
}

double AugmentedLagrangian::residual(const NominalTrajectory& trajectory) const {
  double largest = 0.0;
  for_each(trajectory, [&](Index, double excess, std::size_t place) {
    largest = std::max(largest, std::abs(std::max(excess, -multipliers_[place] / weight_)));
  });
  return largest;
}

bool AugmentedLagrangian::is_kept(const NominalTrajectory& trajectory) const {
  return std::all_of(limits_.begin(), limits_.end(), [&](const Limit& limit) {
    for (Index step = 1; step <= trajectory.length; ++step) {
      if (!(limit.sign * trajectory.state(step, state_dim_)[limit.entry] <= limit.bound)) return false;
    }
    return true;
  });
}

void AugmentedLagrangian::update(const NominalTrajectory& trajectory, bool fell_enough) {
  constexpr double kGrowth = 5.0;
  for_each(trajectory, [&](Index, double excess, std::size_t place) {
    multipliers_[place] = std::max(0.0, multipliers_[place] + weight_ * excess);
  });
  if (!fell_enough) weight_ *= kGrowth;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
