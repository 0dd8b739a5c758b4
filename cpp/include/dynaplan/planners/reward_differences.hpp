#pragma once

#include <utility>
#include <vector>

#include "dynaplan/planners/nominal_trajectory.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// How far entry `dim` of the states ranges: a quarter of the limits that it is clipped to, or the largest on the way.
double range_of_state(const ExactPlanProblem& problem, const NominalTrajectory& trajectory, Index dim);

/// Which derivatives are wanted: gradients alone take far fewer differences.
enum class Derivatives { kFirst, kSecond };

/// Gradients and Hessians of a step's reward by central differences in its state, its action and, where the reward
/// looks at it, the action one step earlier. Each step is repeated from every point nearby, so that the reward may be
/// any, a Python function among them, which is called once with all points of all steps.
class RewardDifferences {
 public:
  /// Makes room; does nothing if there is enough.
  void prepare(const ExactPlanProblem& problem, const WholeState& whole, Index horizon,
               Derivatives derivatives = Derivatives::kSecond);
  void compute(const ExactPlanProblem& problem, const NominalTrajectory& trajectory);

  /// Variables of a step: state, action, and the action one step earlier where it counts.
  Index variables() const { return whole_.state_dim + (whole_.has_previous_action ? 2 : 1) * whole_.action_dim; }
  /// The reward of a step with the derivatives wanted, into `out` over as many variables.
  void expand(Index step, RewardExpansion<double>& out) const;

 private:
  // A point nearby: one or two variables moved by their reach, forwards or backwards.
  struct Move {
    Index first;
    Index second;  // as `first` where only one is moved
    double sign;   // 0 for the point in the middle
  };

  Index points() const { return static_cast<Index>(moves_.size()); }
  void find_moves();
  void find_reaches(const ExactPlanProblem& problem, const NominalTrajectory& trajectory);
  void lay_out(const ExactPlanProblem& problem, const NominalTrajectory& trajectory, Index first,
               const Block<double>& variables) const;
  void run_block(const ExactPlanProblem& problem, const NominalTrajectory& trajectory, Index first, Index count,
                 Workspace& workspace);

  WholeState whole_;
  Derivatives derivatives_ = Derivatives::kSecond;
  RolloutProblem<double> one_step_;
  std::vector<Move> moves_;
  std::vector<double> reaches_;    // (variables)
  std::vector<double> rewards_;    // (H, points)
  std::vector<double> paths_;      // (H * points, 2, S), only for a score
  std::vector<double> sequences_;  // (H * points, A), likewise
  std::vector<Workspace> workspaces_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
