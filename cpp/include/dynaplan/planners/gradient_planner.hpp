#pragma once

#include "dynaplan/planners/backward_pass.hpp"
#include "dynaplan/planners/forward_pass.hpp"
#include "dynaplan/planners/gradient_block.hpp"
#include "dynaplan/planners/search_distribution.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// A plan of a gradient-based planner. Reused from call to call: its arrays keep their memory.
struct TrajectoryPlan {
  std::vector<double> actions;  // (H, A), within the bounds
  std::vector<double> states;   // (H + 1, S)
  std::vector<double> gains;    // (H, A, S): a small change of the state changes the best action by so much; or none
  double value = 0.0;
  PlanStatus status = PlanStatus::kIterations;
  Index candidates = 0;  // trajectories rolled out
  Index non_finite = 0;
  Index rejected = 0;  // all that are finite, where the plan leaves the limits of the states
  int iterations = 0;
};

/// Kept between plans for its memory alone.
struct TrajectoryMemory {
  NominalTrajectory nominal;
  NominalTrajectory held;  // the first state at all steps
  AugmentedLagrangian limits;
  TrajectoryExpansion expansion;
  TerminalExpansion terminal;
  BackwardPass backward;
  ForwardPass forward;
  std::vector<GradientBlock> ascent;
  SearchDistribution<double> distribution;
};

/// A planner that improves trajectories by derivatives; the final classes hold their settings, validated.
class GradientPlanner {
 public:
  GradientPlanner() = default;
  GradientPlanner(const GradientPlanner&) = default;
  GradientPlanner& operator=(const GradientPlanner&) = default;
  virtual ~GradientPlanner() = default;

  virtual Index horizon() const = 0;

  /// Plans into `result`; `memory` and `result` keep their memory, so that a second call allocates nothing.
  virtual void plan(const ExactPlanProblem& problem, TrajectoryMemory& memory, TrajectoryPlan& result) const = 0;
};

/// Throws ValueError unless returns are those of the mean prediction, anywhere.
void require_mean_prediction(const RolloutProblem<double>& rollout);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
