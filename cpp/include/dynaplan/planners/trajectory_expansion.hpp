#pragma once

#include <Eigen/Core>
#include <vector>

#include "dynaplan/planners/reward_differences.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// A step near a trajectory, for small changes x of its whole state and u of its action: the next whole state changes
/// by F x + G u + d, and the cost, which is minus the reward, by l^T y + y^T L y / 2 with y = (x, u).
struct StepExpansion {
  Eigen::MatrixXd of_state;   // F (n, n)
  Eigen::MatrixXd of_action;  // G (n, A)
  Eigen::VectorXd defect;     // d (n): what the dynamics add to the trajectory's next state; 0 where it follows them
  Eigen::VectorXd slope;      // l (n + A)
  Eigen::MatrixXd curvature;  // L (n + A, n + A), symmetric
};

/// All steps of a trajectory near it: exact derivatives of the dynamics and, where it has them, of the reward. The
/// dynamics' second derivatives are left out, as iLQR does. What is not finite counts as 0.
class TrajectoryExpansion {
 public:
  /// Makes room; does nothing if there is enough.
  void prepare(const ExactPlanProblem& problem, Index horizon);
  /// Expands the steps before the trajectory ends.
  void compute(const ExactPlanProblem& problem, const NominalTrajectory& trajectory);
  /// The same of states that do not follow the dynamics.
  void compute_with_defects(const ExactPlanProblem& problem, const NominalTrajectory& trajectory);

  /// Adds a cost to the expansion of each step, as add(step, expansion) does.
  template <class Add>
  void add_costs(const NominalTrajectory& trajectory, const Add& add) {
    for (Index t = 0; t < trajectory.length; ++t) add(t, steps_[static_cast<std::size_t>(t)]);
  }

  const StepExpansion& step(Index step) const { return steps_[static_cast<std::size_t>(step)]; }
  const WholeState& whole() const { return whole_; }

 private:
  void expand_dynamics(const ExactPlanProblem& problem, const NominalTrajectory& trajectory, Index first, Index count,
                       Workspace& workspace);
  void expand_reward(const ExactPlanProblem& problem, const NominalTrajectory& trajectory, Index step,
                     Workspace& workspace);
  // The derivatives of the cost, which is minus the reward.
  void take_cost(const RewardExpansion<double>& reward, bool tied, StepExpansion& step, Workspace& workspace) const;

  WholeState whole_;
  bool has_derivatives_ = false;
  bool has_defects_ = false;
  std::vector<StepExpansion> steps_;
  std::vector<Workspace> workspaces_;
  RewardDifferences differences_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
