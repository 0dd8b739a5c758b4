#pragma once

#include <vector>

#include "dynaplan/planners/forward_pass.hpp"
#include "dynaplan/planners/reward_differences.hpp"
#include "dynaplan/planners/terminal_expansion.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Gradients of the returns of a block of trajectories by their actions: the adjoint of rewards and dynamics, from the
/// last step to the first (Bryson & Ho 1975, sec. 2.2). The dynamics' Jacobians are exact, so are the rewards'
/// gradients where they have them; else these, and those of a terminal value, are differences, as iLQR takes them. What
/// is not finite counts as 0.
class GradientSweep {
 public:
  static constexpr Index kLanes = ForwardPass::kAtOnce;

  /// Makes room; does nothing if there is enough.
  void prepare(const ExactPlanProblem& problem, Index horizon);

  /// Takes one trajectory for lane `lane`, and what its steps cost besides by their variables, (length, 2 (S + A)) laid
  /// out as in StepVariables, or nothing.
  void take(const ExactPlanProblem& problem, const NominalTrajectory& trajectory, const std::vector<double>& costs,
            Index lane);

  /// The gradients of all lanes taken, (H * A, kLanes) into `gradient`; of the others anything.
  void run(const ExactPlanProblem& problem, Block<double> gradient);

 private:
  double* of_step(Index step, Index variable) { return slopes_.data() + (step * variables_ + variable) * kLanes; }
  void take_rewards(const ExactPlanProblem& problem, const NominalTrajectory& trajectory, Index lane);
  void arrive(const ExactPlanProblem& problem, const JacobianBlock<double>& jacobians, Index step);
  void leave(const ExactPlanProblem& problem, const JacobianBlock<double>& jacobians, Index step,
             Block<double> gradient);

  WholeState whole_;
  Index horizon_ = 0;
  Index variables_ = 0;
  bool has_derivatives_ = false;
  RewardDifferences differences_;
  TerminalExpansion terminal_;
  using Tile = std::vector<double, Eigen::aligned_allocator<double>>;
  Tile states_;      // (H * S, kLanes) where each step begins
  Tile actions_;     // (H * A, kLanes)
  Tile slopes_;      // (H * variables, kLanes) of each step's reward
  Tile adjoint_;     // (S, kLanes) of the state that the sweep has come to
  Tile of_next_;     // (S, kLanes) of what the dynamics predict from it
  Tile of_earlier_;  // (A, kLanes) of the action before the steps that are done
  Workspace workspace_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
