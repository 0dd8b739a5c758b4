#pragma once

#include "dynaplan/core/jumps.hpp"
#include "dynaplan/planners/sampling_planner.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// What a sampling planner keeps between plans, in either type.
struct SamplingMemory {
  SearchMemory<float> single;
  SearchMemory<double> exact;
  PlanResult<float> single_result;
  PlanResult<double> exact_result;
  Jumps jumps;            // of the problem
  bool is_exact = false;  // which of them is the last plan

  /// Calls `use` with the last plan.
  template <class Use>
  auto visit(const Use& use) const {
    return is_exact ? use(exact_result) : use(single_result);
  }
};

/// Plans in float32, or where that cannot tell candidates apart in float64: states a million from the origin, say,
/// whose steps are lost in rounding, or returns that hardly differ. Float32 is half the work and as good elsewhere.
/// Which of the two depends on the problem alone. `exact` is the same problem, and gets its PlanCall from it. Throws
/// ValueError where a part of the problem computes in float32 alone and that is too little.
void plan_at_needed_precision(const SamplingPlanner& planner, PlanProblem problem, ExactPlanProblem exact,
                              SamplingMemory& memory);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
