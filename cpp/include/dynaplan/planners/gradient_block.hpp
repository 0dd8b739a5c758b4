#pragma once

#include <cmath>
#include <vector>

#include "dynaplan/networks/adam.hpp"
#include "dynaplan/planners/gradient_sweep.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// A block of the action sequences that the gradient planner improves in lock-step: their trajectories, the gradients
/// of their returns, and steps of projected Adam along these.
class GradientBlock {
 public:
  static constexpr Index kLanes = ForwardPass::kAtOnce;

  /// Makes room for `count` sequences, and forgets all about others.
  void prepare(const ExactPlanProblem& problem, Index horizon, Index count);

  Index count() const { return count_; }
  /// (H * A, kLanes), to be written before the first rollout.
  Block<double> actions() { return forward_.actions(); }

  /// Rolls all sequences out. One that is not finite any more goes back to where it was, and is given half the rate.
  void roll_out(const ExactPlanProblem& problem);
  /// How many the last rollout had.
  const ForwardPass::Count& counted() const { return counted_; }
  /// Whether the last rollout of a sequence was finite, and whether any was.
  bool is_finite(Index lane) const { return std::isfinite(forward_.total(lane)); }
  bool has_trajectory(Index lane) const { return candidates_[static_cast<std::size_t>(lane)].has_trajectory; }
  /// The last rollout that was finite; of none, the first.
  const NominalTrajectory& trajectory(Index lane) const {
    return candidates_[static_cast<std::size_t>(lane)].trajectory;
  }
  /// Its violation of the limits of states and the constraints, 0 where they are kept.
  double violation(Index lane) const { return candidates_[static_cast<std::size_t>(lane)].violation; }

  /// The gradient of each return, less what exceeding the limits costs.
  void derive(const ExactPlanProblem& problem);
  /// Whether a sequence would move by no more than `tolerance`, the norm of all actions in half widths of the bounds,
  /// if it were to follow the gradient of the return, in units of `scale`, within bounds and rates; and the limits are
  /// met.
  bool is_optimal(const ExactPlanProblem& problem, Index lane, double scale, double tolerance) const;
  /// One step of Adam, then back into bounds, rates and accelerations.
  void step(const ExactPlanProblem& problem, const AdamStep<double>& adam);
  /// The prices of the limits follow from how they are exceeded.
  void update_prices(const ExactPlanProblem& problem);

 private:
  struct Candidate {
    NominalTrajectory trajectory;
    bool has_trajectory = false;
    double violation = 0.0;
    double rate = 1.0;      // share of the learning rate
    double unit = 0.0;      // the largest entry of the first gradient
    double residual = 0.0;  // of the limits when their prices were last changed
    std::vector<double> costs;
    AugmentedLagrangian limits;
  };
  using Tile = std::vector<double, Eigen::aligned_allocator<double>>;

  static double half_width(const ExactPlanProblem& problem, Index dim) {
    return 0.5 * problem.action_high[dim] - 0.5 * problem.action_low[dim];
  }
  Block<double> gradient() { return {gradient_.data(), actions().dim, kLanes, kLanes}; }
  bool is_held_by_rate(const ExactPlanProblem& problem, Index row, Index lane) const;
  void pass_on_held(const ExactPlanProblem& problem);
  void find_units();

  Index action_dim_ = 0;
  Index count_ = 0;
  ForwardPass::Count counted_;
  ForwardPass forward_;
  GradientSweep sweep_;
  std::vector<Candidate> candidates_;
  Tile gradient_;  // (H * A, kLanes) for a change by half the width of the bounds
  Tile first_;     // moments of Adam
  Tile second_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
