#include "dynaplan/planners/backward_pass.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "dynaplan/planners/action_limits.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// Less is rounding of numbers of this size: an action that near to its bound is on it.
double difference(double bound, double action, double size) {
  constexpr double kRounding = 4.0 * std::numeric_limits<double>::epsilon();
  const double exact = bound - action;
  return std::abs(exact) <= kRounding * size ? 0.0 : exact;
}

}  // namespace

void BackwardPass::prepare(const WholeState& whole, Index horizon) {
  const Index size = whole.size();
  const Index both = size + whole.action_dim;
  whole_ = whole;
  policies_.resize(static_cast<std::size_t>(horizon));
  for (LocalPolicy& policy : policies_) {
    policy.change.setZero(whole.action_dim);
    policy.gain.setZero(whole.action_dim, size);
  }
  quadratic_.prepare(whole.action_dim);
  joined_.resize(size, both);
  product_.resize(size, both);
  hessian_.resize(both, both);
  gradient_.resize(both);
  of_action_.resize(whole.action_dim, whole.action_dim);
  action_slope_.resize(whole.action_dim);
  value_hessian_.resize(size, size);
  value_gradient_.resize(size);
  held_.resize(whole.action_dim, size);
  largest_.resize(size);
  low_is_rate_.resize(static_cast<std::size_t>(whole.action_dim));
  high_is_rate_.resize(static_cast<std::size_t>(whole.action_dim));
  low_.resize(whole.action_dim);
  high_.resize(whole.action_dim);
  convex_.resize(both, both);
}

bool BackwardPass::run(const ExactPlanProblem& problem, const NominalTrajectory& trajectory,
                       const TrajectoryExpansion& expansion, const TerminalExpansion& terminal,
                       const CostBeyond* beyond, double regularisation, bool convex, bool bounded) {
  begin(problem, trajectory, terminal, beyond, convex);
  for (Index t = trajectory.length - 1; t >= 0; --t) {
    LocalPolicy& policy = policies_[static_cast<std::size_t>(t)];
    find_bounds(problem, trajectory, t, bounded);
    if (problem.interrupt != nullptr && problem.interrupt->requested()) return false;
    if (!step(problem.rollout.discount, expansion.step(t), regularisation, convex, policy)) return false;
  }
  return true;
}

// By how much the action of a step may change, if the one before does not.
void BackwardPass::find_bounds(const ExactPlanProblem& problem, const NominalTrajectory& trajectory, Index t,
                               bool bounded) {
  constexpr double kFree = std::numeric_limits<double>::infinity();
  const double* const action = trajectory.action(t, whole_.action_dim);
  const double* const before = t > 0 ? action - whole_.action_dim : problem.last_action;
  for (Index i = 0; i < whole_.action_dim; ++i) {
    const auto [low, high] = action_range(problem, t, i, before != nullptr ? before + i : nullptr);
    // A bound by a rate may be near 0 and yet the difference of two large numbers.
    const double start = problem.action_rate != nullptr && before != nullptr ? std::abs(before[i]) : 0.0;
    low_(i) = bounded ? difference(low, action[i], std::max({start, std::abs(low), std::abs(action[i])})) : -kFree;
    high_(i) = bounded ? difference(high, action[i], std::max({start, std::abs(high), std::abs(action[i])})) : kFree;
    low_is_rate_[static_cast<std::size_t>(i)] = bounded && t > 0 && low > problem.low_at(t, i) ? 1 : 0;
    high_is_rate_[static_cast<std::size_t>(i)] = bounded && t > 0 && high < problem.high_at(t, i) ? 1 : 0;
  }
}

// Actions on a bound stay there, whatever the state; but one that a rate holds to the action before follows that.
void BackwardPass::find_gain(LocalPolicy& policy) {
  const Index size = whole_.size();
  const Index action_dim = whole_.action_dim;
  policy.gain = hessian_.bottomLeftCorner(action_dim, size);
  for (Index i = 0; i < action_dim && whole_.has_previous_action; ++i) {
    const auto entry = static_cast<std::size_t>(i);
    const bool follows = (low_is_rate_[entry] != 0 && policy.change(i) <= low_(i)) ||
                         (high_is_rate_[entry] != 0 && policy.change(i) >= high_(i));
    low_is_rate_[entry] = follows ? 1 : 0;
    if (follows) policy.gain.col(whole_.state_dim + i) += of_action_.col(i);
  }
  quadratic_.apply_negative_inverse(policy.gain);
  for (Index i = 0; i < action_dim && whole_.has_previous_action; ++i) {
    if (low_is_rate_[static_cast<std::size_t>(i)] != 0) policy.gain(i, whole_.state_dim + i) = 1.0;
  }
}

// What comes after the end of the trajectory costs nothing, and no action is worth changing there.
void BackwardPass::begin(const ExactPlanProblem& problem, const NominalTrajectory& trajectory,
                         const TerminalExpansion& terminal, const CostBeyond* beyond, bool convex) {
  const auto horizon = static_cast<Index>(policies_.size());
  for (Index t = trajectory.length; t < horizon; ++t) {
    policies_[static_cast<std::size_t>(t)].change.setZero();
    policies_[static_cast<std::size_t>(t)].gain.setZero();
  }
  size_ = steepness_ = slope_ = curvature_ = 0.0;
  value_hessian_.setZero();
  value_gradient_.setZero();
  if (!terminal.is_zero()) {
    const Index state_dim = whole_.state_dim;
    Eigen::MatrixXd curvature = -terminal.hessian();
    if (convex) make_convex(Eigen::MatrixXd(curvature), curvature);
    value_hessian_.topLeftCorner(state_dim, state_dim) = curvature;
    value_gradient_.head(state_dim) = -terminal.gradient();
  }
  if (beyond == nullptr || trajectory.ends) return;
  const Index size = whole_.size();
  gradient_.setZero();
  for (Index i = 0; i < size; ++i) gradient_(i) = whole_.entry(problem, trajectory, horizon, i);
  value_hessian_ = 2.0 * beyond->curvature;
  value_gradient_.noalias() = value_hessian_ * gradient_.head(size);
  value_gradient_ += 2.0 * beyond->slope;
}

bool BackwardPass::step(double discount, const StepExpansion& expansion, double regularisation, bool convex,
                        LocalPolicy& policy) {
  const Index size = whole_.size();
  const Index action_dim = whole_.action_dim;
  if (convex) make_convex(expansion.curvature, convex_);
  joined_.leftCols(size) = expansion.of_state;
  joined_.rightCols(action_dim) = expansion.of_action;
  product_.noalias() = value_hessian_ * joined_;
  hessian_.noalias() = discount * joined_.transpose() * product_;
  hessian_ += convex ? convex_ : expansion.curvature;
  value_gradient_.noalias() += value_hessian_ * expansion.defect;
  gradient_.noalias() = discount * joined_.transpose() * value_gradient_;
  gradient_ += expansion.slope;
  if (!hessian_.allFinite() || !gradient_.allFinite()) return false;

  of_action_ = hessian_.bottomRightCorner(action_dim, action_dim);
  action_slope_ = gradient_.tail(action_dim);
  steepness_ *= discount;
  for (Index i = 0; i < action_dim; ++i) {
    const double half_width = 0.5 * (high_(i) - low_(i));
    const double room = std::min(half_width, action_slope_(i) > 0.0 ? -low_(i) : high_(i));
    steepness_ += room * std::abs(action_slope_(i));
    const double effect = half_width * (std::abs(action_slope_(i)) + half_width * std::abs(of_action_(i, i)));
    if (std::isfinite(effect)) size_ = std::max(size_, effect);
    if (half_width > 0.0) of_action_(i, i) += regularisation / (half_width * half_width);
  }
  if (!quadratic_.solve(of_action_, action_slope_, low_, high_)) return false;
  policy.change = quadratic_.solution();
  find_gain(policy);
  if (!policy.change.allFinite() || !policy.gain.allFinite()) return false;

  // The cost from here on under this policy, which the regularisation is no part of.
  const auto of_action = hessian_.bottomRightCorner(action_dim, action_dim);
  const auto mixed = hessian_.bottomLeftCorner(action_dim, size);
  slope_ = discount * slope_ + policy.change.dot(action_slope_);
  action_slope_.noalias() += of_action * policy.change;
  curvature_ = discount * curvature_ + policy.change.dot(action_slope_ - gradient_.tail(action_dim));
  value_gradient_ = gradient_.head(size);
  value_gradient_.noalias() += policy.gain.transpose() * action_slope_;
  value_gradient_.noalias() += mixed.transpose() * policy.change;
  held_.noalias() = of_action * policy.gain;
  value_hessian_ = hessian_.topLeftCorner(size, size);
  value_hessian_.noalias() += policy.gain.transpose() * held_;
  value_hessian_.noalias() += policy.gain.transpose() * mixed;
  value_hessian_.noalias() += mixed.transpose() * policy.gain;
  for (Index i = 0; i < size; ++i) {
    for (Index j = 0; j < i; ++j) {
      value_hessian_(i, j) = value_hessian_(j, i) = 0.5 * (value_hessian_(i, j) + value_hessian_(j, i));
    }
  }
  return true;
}

double BackwardPass::magnitude(const NominalTrajectory& trajectory) {
  largest_.setZero();
  for (Index t = 0; t <= trajectory.length; ++t) {
    for (Index i = 0; i < whole_.state_dim; ++i) {
      largest_(i) = std::max(largest_(i), std::abs(trajectory.state(t, whole_.state_dim)[i]));
    }
    for (Index i = whole_.state_dim; i < whole_.size() && t < trajectory.length; ++i) {
      const double action = trajectory.action(t, whole_.action_dim)[(i - whole_.state_dim) % whole_.action_dim];
      largest_(i) = std::max(largest_(i), std::abs(action));
    }
  }
  double sum = 0.0;
  for (Index i = 0; i < whole_.size(); ++i) {
    double row = std::abs(value_gradient_(i));
    for (Index j = 0; j < whole_.size(); ++j) row += 0.5 * std::abs(value_hessian_(i, j)) * largest_(j);
    sum += row * largest_(i);
  }
  return sum;
}

// The nearest positive semi-definite matrix (Higham 1988).
void BackwardPass::make_convex(const Eigen::MatrixXd& curvature, Eigen::MatrixXd& convex) {
  if (!curvature.allFinite()) {
    convex.setZero(curvature.rows(), curvature.cols());
    return;
  }
  eigen_.compute(curvature);
  hessian_ = eigen_.vectors() * eigen_.values().cwiseMax(0.0).cwiseSqrt().asDiagonal();
  convex.noalias() = hessian_ * hessian_.transpose();
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
