#pragma once

#include "dynaplan/planners/sampling_planner.hpp"
#include "dynaplan/planners/sequence_noise.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Uniform action sequences within the bounds; the best is the plan.
struct RandomShootingSettings {
  Index horizon = 20;
  Index candidates = 1000;
  NoiseSettings noise;  // how actions hang together along the horizon; each is uniform whatever this is

  void validate() const;
};

class RandomShooting final : public SamplingPlanner {
 public:
  explicit RandomShooting(const RandomShootingSettings& settings);

  Index horizon() const override { return settings_.horizon; }
  void plan(const PlanProblem& problem, SearchMemory<float>& memory, PlanResult<float>& result) const override;
  void plan(const ExactPlanProblem& problem, SearchMemory<double>& memory, PlanResult<double>& result) const override;

 private:
  template <class T>
  void plan_in(const PlanProblemOf<T>& problem, SearchMemory<T>& memory, PlanResult<T>& result) const;

  RandomShootingSettings settings_;
  NoiseInBothTypes noise_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
