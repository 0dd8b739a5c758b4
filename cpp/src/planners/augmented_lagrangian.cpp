#include "dynaplan/planners/augmented_lagrangian.hpp"

#include <algorithm>
#include <cmath>

#include "dynaplan/planners/pull_back.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// By so many units the limits in the costs are within the real ones, which thus are kept where these nearly are.
constexpr double kMargin = 1e-6;
// Two limits of a state are close where they are nearer to each other than this share of how far they are away: that is
// the least unit in which their violations are charged for.
constexpr double kClose = 0.1;
// Less than this share is the precision that they are kept to.
constexpr double kNarrow = 1e-3;

}  // namespace

void AugmentedLagrangian::prepare(const ExactPlanProblem& problem, Index horizon, ChargedChanges changes) {
  state_dim_ = problem.rollout.dynamics->state_dim();
  action_dim_ = problem.rollout.dynamics->action_dim();
  limits_.clear();
  if (const StateLimits<double>* const allowed = problem.rollout.allowed) {
    for (Index i = 0; i < state_dim_; ++i) {
      const auto entry = static_cast<std::size_t>(i);
      add_limits(i, allowed->low[entry], allowed->high[entry], problem.state[i]);
    }
  }
  is_holding_ =
      std::any_of(limits_.begin(), limits_.end(), [](const Limit& limit) { return limit.kind == Kind::kMiddle; });
  weight_ = 1.0;
  functions_.prepare(problem, horizon);
  units_.assign(static_cast<std::size_t>(functions_.count()), 1.0);
  accelerations_.prepare(problem, horizon, changes);
  multipliers_.assign(static_cast<std::size_t>(horizon) * count(), 0.0);
  if (units_.empty()) return;
  workspace_.reserve(pull_back_bytes(functions_.variables(), WholeState::of(problem).size() + action_dim_));
}

void AugmentedLagrangian::add_limits(Index entry, double low, double high, double state) {
  const double width = high - low;
  const double reach =
      first_length<double>({std::abs(std::isfinite(high) ? high - state : state - low), std::abs(high), std::abs(low)});
  const bool are_two = std::isfinite(width);
  const double unit = are_two ? std::max(width, kClose * reach) : reach;
  const double precision = are_two ? std::max(width, kNarrow * reach) : reach;
  const double margin = kMargin * precision;
  if (are_two && width <= 4.0 * margin) {
    limits_.push_back({Kind::kFixed, entry, 1.0, std::max(margin, 0.5 * width), low + 0.5 * width, unit, precision});
    return;
  }
  const bool are_close = are_two && width < kClose * reach;
  const Kind kind = are_close ? Kind::kSide : Kind::kBound;
  if (std::isfinite(high)) limits_.push_back({kind, entry, 1.0, high, high - margin, unit, precision});
  if (std::isfinite(low)) limits_.push_back({kind, entry, -1.0, -low, -low - margin, unit, precision});
  if (are_close) limits_.push_back({Kind::kMiddle, entry, 1.0, width, low + 0.5 * width, unit, precision});
}

bool AugmentedLagrangian::is_active(const Limit& limit) const {
  return limit.kind == Kind::kSide ? !is_holding_ : limit.kind != Kind::kMiddle || is_holding_;
}

double AugmentedLagrangian::price(std::size_t n, double multiplier, double excess) const {
  const double price = multiplier + weight_ * excess;
  if (n >= limits_.size()) return std::max(0.0, price);
  if (!is_active(limits_[n])) return 0.0;
  return is_middle(limits_[n]) ? price : std::max(0.0, price);
}

void AugmentedLagrangian::release() {
  is_holding_ = false;
  for (std::size_t place = 0; place < multipliers_.size(); ++place) {
    const std::size_t n = place % count();
    if (n >= limits_.size() || limits_[n].kind != Kind::kMiddle) continue;
    multipliers_[place - 2] = std::max(0.0, multipliers_[place]);
    multipliers_[place - 1] = std::max(0.0, -multipliers_[place]);
    multipliers_[place] = 0.0;
  }
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
  functions_.smooth_values(problem, trajectory, values);
  result.reserve(static_cast<std::size_t>(trajectory.length) * count());
  for (Index step = 0; step < trajectory.length; ++step) {
    const double* const state = trajectory.state(step + 1, state_dim_);
    for (const Limit& limit : limits_) result.push_back((limit.sign * state[limit.entry] - limit.target) / limit.unit);
    for (std::size_t n = 0; n < units_.size(); ++n) {
      const double value = values[n * static_cast<std::size_t>(trajectory.length) + static_cast<std::size_t>(step)];
      // What is nowhere counts as far outside as it was at the beginning.
      result.push_back(std::isfinite(value) ? value / units_[n] + kMargin : 1.0);
    }
    result.resize(result.size() + static_cast<std::size_t>(accelerations_.count()));
    accelerations_.excesses(problem, trajectory, step, kMargin, result.data() + result.size() - accelerations_.count());
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
    const double priced = price(place % count(), multiplier, excess[place]);
    sum += discount * (priced * priced - multiplier * multiplier) / (2.0 * weight_);
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
    const auto price_of = [&](std::size_t n) { return price(n, multipliers_[first + n], excess[first + n]); };
    for (std::size_t n = 0; n < limits_.size(); ++n) {
      if (!is_active(limits_[n]) || (!is_middle(limits_[n]) && !(price_of(n) > 0.0))) continue;
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
    for (Index n = 0; n < accelerations_.count(); ++n) {
      const double price = price_of(limits_.size() + units_.size() + static_cast<std::size_t>(n));
      if (!(price > 0.0)) continue;
      accelerations_.slope(problem, trajectory, step, n, slope_);
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
    const auto price_of = [&](std::size_t n) { return price(n, multipliers_[first + n], excess[first + n]); };
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

// What is kept more exactly than it is charged for counts for more.
double AugmentedLagrangian::digits(std::size_t n) const {
  if (n < limits_.size()) return limits_[n].unit / limits_[n].precision;
  const std::size_t others = limits_.size() + units_.size();
  return n < others ? 1.0 : accelerations_.digits(static_cast<Index>(n - others));
}

double AugmentedLagrangian::residual(const ExactPlanProblem& problem, const NominalTrajectory& trajectory) const {
  const std::vector<double> excess = excesses(problem, trajectory);
  double largest = 0.0;
  for (std::size_t place = 0; place < excess.size(); ++place) {
    const std::size_t n = place % count();
    // How far the multiplier is from what it would become.
    const double change = (price(n, multipliers_[place], excess[place]) - multipliers_[place]) / weight_;
    largest = std::max(largest, std::abs(change) * digits(n));
  }
  return largest;
}

bool AugmentedLagrangian::is_kept(const ExactPlanProblem& problem, const NominalTrajectory& trajectory) const {
  return accelerations_.is_kept(problem, trajectory) && are_steps_allowed(problem, trajectory);
}

bool AugmentedLagrangian::are_steps_allowed(const ExactPlanProblem& problem,
                                            const NominalTrajectory& trajectory) const {
  const bool keeps_limits = std::all_of(limits_.begin(), limits_.end(), [&](const Limit& limit) {
    for (Index step = 1; step <= trajectory.length; ++step) {
      const double value = limit.sign * trajectory.state(step, state_dim_)[limit.entry];
      if (!((is_middle(limit) ? std::abs(value - limit.target) : value) <= limit.bound)) return false;
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
  const std::vector<double> excess = excesses(problem, trajectory);
  double sum = 0.0;
  for (std::size_t place = 0; place < excess.size(); ++place) {
    const std::size_t n = place % count();
    if (n >= limits_.size()) {
      sum += std::max(excess[place], 0.0);
    } else if (is_active(limits_[n])) {
      sum += is_middle(limits_[n]) ? std::abs(excess[place]) : std::max(excess[place], 0.0);
    }
  }
  return sum;
}

void AugmentedLagrangian::update(const ExactPlanProblem& problem, const NominalTrajectory& trajectory,
                                 bool fell_enough) {
  constexpr double kGrowth = 5.0;
  const std::vector<double> excess = excesses(problem, trajectory);
  for (std::size_t place = 0; place < excess.size(); ++place) {
    multipliers_[place] = price(place % count(), multipliers_[place], excess[place]);
  }
  if (!fell_enough) weight_ *= kGrowth;
}

void AugmentedLagrangian::forget_prices() { std::fill(multipliers_.begin(), multipliers_.end(), 0.0); }

std::vector<AugmentedLagrangian::Turn> AugmentedLagrangian::turns() const {
  const ObstacleFaces& faces = functions_.faces();
  const auto horizon = static_cast<Index>(multipliers_.size() / count());
  std::vector<Turn> turns;
  for (Index n = 0; n < constraints(); ++n) {
    for (Index step = 0; step + 1 < horizon && faces.count(n) > 0; ++step) {
      const Index face = faces.face(n, step);
      const Index next = faces.face(n, step + 1);
      if (face == next) continue;
      turns.push_back({n, step, next});
      turns.push_back({n, step + 1, face});
    }
  }
  return turns;
}

void AugmentedLagrangian::take(const Turn& turn) {
  functions_.faces().set(turn.constraint, turn.step, turn.face);
  multipliers_[static_cast<std::size_t>(turn.step) * count() + limits_.size() +
               static_cast<std::size_t>(turn.constraint)] = 0.0;
}

void AugmentedLagrangian::set_prices(const Prices& prices) {
  weight_ = prices.weight;
  multipliers_ = prices.multipliers;
  functions_.faces() = prices.faces;
}

bool AugmentedLagrangian::turn_corners(const NominalTrajectory& trajectory) {
  bool turned = false;
  for (Index n = 0; n < constraints(); ++n) {
    for (Index step = 0; step < trajectory.length; ++step) {
      double& multiplier =
          multipliers_[static_cast<std::size_t>(step) * count() + limits_.size() + static_cast<std::size_t>(n)];
      if (!(multiplier > 0.0) || !functions_.faces().turn(trajectory, n, step)) continue;
      multiplier = 0.0;
      turned = true;
    }
  }
  return turned;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
