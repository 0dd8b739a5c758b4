#pragma once

#include "dynaplan/planners/search.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Uniform action sequences within the bounds; the best is the plan.
struct RandomShootingSettings {
  Index horizon = 20;
  Index candidates = 1000;

  void validate() const;
};

/// Plans into `result`; `memory` and `result` keep their memory, so that a second call allocates nothing.
void plan_random_shooting(const RandomShootingSettings& settings, const PlanProblem& problem, SearchMemory& memory,
                          PlanResult& result);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
