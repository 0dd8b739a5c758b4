#pragma once

#include "dynaplan/planners/gradient_planner.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// The iterative linear-quadratic regulator with bounds on the actions (Tassa, Mansard & Todorov 2014, "Control-limited
/// differential dynamic programming"), from the model's exact derivatives.
struct IlqrSettings {
  Index horizon = 30;
  int iterations = 50;
  double tolerance = 1e-7;           // of the return, relative: where no change promises more it has converged
  int step_sizes = 16;               // shares of a step that are tried at most: 1, 1/2, 1/4, ...
  double regularisation = 0.0;       // at the start; in units of the reward, for a change of half a width of the bounds
  double min_regularisation = 1e-6;  // if any
  double max_regularisation = 1e10;
  double regularisation_factor = 2.0;  // by which the factor on it grows and falls

  void validate() const;
};

/// iLQR as a planner.
class Ilqr final : public GradientPlanner {
 public:
  explicit Ilqr(const IlqrSettings& settings);

  Index horizon() const override { return settings_.horizon; }
  void plan(const ExactPlanProblem& problem, TrajectoryMemory& memory, TrajectoryPlan& result) const override;

 private:
  IlqrSettings settings_;
};

/// The iterations themselves, with what the last state costs: what an infinite horizon adds.
void run_ilqr(const IlqrSettings& settings, const ExactPlanProblem& problem, const CostBeyond* beyond,
              TrajectoryMemory& memory, TrajectoryPlan& result);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
