#pragma once

#include "dynaplan/planners/action_widths.hpp"
#include "dynaplan/planners/gradient_planner.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Projected Adam (Kingma & Ba 2015) on several action sequences at once, along the exact gradients of their returns:
/// gradient-based planning (Bharadhwaj, Xie & Shkurti 2020, "Model-predictive control via cross-entropy and
/// gradient-based optimization").
struct GradientAscentSettings {
  Index horizon = 22;
  Index candidates = 8;
  int iterations = 100;
  double learning_rate = 0.1;      // at the start, of half the width of the bounds; falls linearly to 0
  ActionWidths initial_std = 0.5;  // of the sequences that are drawn, in half widths of the bounds
  double tolerance = 1e-3;         // of the move that the gradient, in units of the return, still asks for

  void validate() const;
};

/// This as a planner.
class GradientAscent final : public GradientPlanner {
 public:
  explicit GradientAscent(const GradientAscentSettings& settings);

  Index horizon() const override { return settings_.horizon; }
  void plan(const ExactPlanProblem& problem, TrajectoryMemory& memory, TrajectoryPlan& result) const override;

 private:
  GradientAscentSettings settings_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
