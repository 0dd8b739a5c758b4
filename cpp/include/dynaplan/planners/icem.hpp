#pragma once

#include "dynaplan/planners/action_widths.hpp"
#include "dynaplan/planners/sampling_planner.hpp"
#include "dynaplan/planners/sequence_noise.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// The improved cross-entropy method (Pinneri et al. 2020): coloured noise, a population that shrinks, and elites that
/// are kept, from iteration to iteration and, shifted by the caller, from plan to plan.
struct IcemSettings {
  Index horizon = 30;
  Index candidates = 40;  // of the first iteration
  Index elites = 10;
  int iterations = 3;
  double smoothing = 0.1;          // share of the old mean and standard deviation that is kept
  ActionWidths initial_std = 0.5;  // times half the width of the bounds
  double min_std = 0.0;            // likewise
  double population_decay = 1.25;  // each iteration draws so many times fewer candidates, but at least 2 x elites
  double reuse_fraction = 0.3;     // share of the elites that are candidates again
  NoiseSettings noise{{2.0}};

  void validate() const;
  Index kept() const;
};

class Icem final : public SamplingPlanner {
 public:
  explicit Icem(const IcemSettings& settings);

  Index horizon() const override { return settings_.horizon; }
  void plan(const PlanProblem& problem, SearchMemory<float>& memory, PlanResult<float>& result) const override;
  void plan(const ExactPlanProblem& problem, SearchMemory<double>& memory, PlanResult<double>& result) const override;

 private:
  template <class T>
  void plan_in(const PlanProblemOf<T>& problem, SearchMemory<T>& memory, PlanResult<T>& result) const;

  IcemSettings settings_;
  NoiseInBothTypes noise_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
