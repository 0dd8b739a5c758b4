#pragma once

#include "dynaplan/planners/backward_pass.hpp"
#include "dynaplan/planners/forward_pass.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// The iterative linear-quadratic regulator with bounds on the actions (Tassa, Mansard & Todorov 2014, "Control-limited
/// differential dynamic programming"), from the model's exact derivatives.
struct IlqrSettings {
  Index horizon = 30;
  int iterations = 50;
  double tolerance = 1e-7;           // of the return, relative: an iteration that gains no more is the last one
  int step_sizes = 16;               // shares of a step that are tried at most: 1, 1/2, 1/4, ...
  double regularisation = 0.0;       // at the start; in units of the reward, for a change of half a width of the bounds
  double min_regularisation = 1e-6;  // if any
  double max_regularisation = 1e10;
  double regularisation_factor = 2.0;  // by which the factor on it grows and falls

  void validate() const;
};

/// A plan of a planner by derivatives. Reused from call to call: its arrays keep their memory.
struct TrajectoryPlan {
  std::vector<double> actions;  // (H, A), within the bounds
  std::vector<double> states;   // (H + 1, S)
  std::vector<double> gains;    // (H, A, S): a small change of the state changes the best action by so much
  double value = 0.0;
  PlanStatus status = PlanStatus::kIterations;
  Index candidates = 0;  // trajectories rolled out
  Index non_finite = 0;
  int iterations = 0;
};

/// Kept between plans for its memory alone.
struct IlqrMemory {
  NominalTrajectory nominal;
  TrajectoryExpansion expansion;
  BackwardPass backward;
  ForwardPass forward;
};

/// Plans into `result`; `memory` and `result` keep their memory. `beyond`, if any, is what the last state costs.
void plan_ilqr(const IlqrSettings& settings, const ExactPlanProblem& problem, const CostBeyond* beyond,
               IlqrMemory& memory, TrajectoryPlan& result);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
