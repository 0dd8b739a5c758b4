#pragma once

#include "dynaplan/planners/sampling_planner.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Uniform action sequences within the bounds; the best is the plan.
struct RandomShootingSettings {
  Index horizon = 20;
  Index candidates = 1000;

  void validate() const;
};

class RandomShooting final : public SamplingPlanner {
 public:
  explicit RandomShooting(const RandomShootingSettings& settings);

  Index horizon() const override { return settings_.horizon; }
  void plan(const PlanProblem& problem, SearchMemory& memory, PlanResult& result) const override;

 private:
  RandomShootingSettings settings_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
