#pragma once

#include <vector>

#include "dynaplan/planners/obstacle_faces.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// The constraints of a problem along a trajectory: functions of its steps that must not be above 0.
class ConstraintSteps {
 public:
  void prepare(const ExactPlanProblem& problem, Index horizon);
  Index count() const { return count_; }
  ObstacleFaces& faces() { return faces_; }
  const ObstacleFaces& faces() const { return faces_; }

  /// Each constraint at each step before the trajectory ends, (count, length) into `out`.
  void values(const ExactPlanProblem& problem, const NominalTrajectory& trajectory, std::vector<double>& out) const;
  /// The same, but of an obstacle what a step lacks to be beyond the face that is chosen for it.
  void smooth_values(const ExactPlanProblem& problem, const NominalTrajectory& trajectory,
                     std::vector<double>& out) const;
  /// One of these at one step with its derivatives by the step's variables, exact where it has them, else central
  /// differences, of which what rounding leaves of numbers of the size of `unit` counts as 0. Valid until the next
  /// call.
  const RewardExpansion<double>& expand(const ExactPlanProblem& problem, const NominalTrajectory& trajectory,
                                        Index constraint, Index step, double unit);
  /// Whether the variable "previous action" of that step is the action itself.
  static bool is_tied(const ExactPlanProblem& problem, Index step) {
    return step == 0 && problem.last_action == nullptr;
  }
  Index variables() const { return 2 * (state_dim_ + action_dim_); }

 private:
  void expand_by_differences(const ExactPlanProblem& problem, const NominalTrajectory& trajectory,
                             const Reward<double>& function, Index step, double unit);
  void find_reaches(const ExactPlanProblem& problem, const NominalTrajectory& trajectory);

  Index state_dim_ = 0;
  Index action_dim_ = 0;
  Index count_ = 0;
  Workspace workspace_;
  RewardExpansion<double> expansion_;
  std::vector<double> reaches_;  // (variables)
  ObstacleFaces faces_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
