#pragma once

#include "dynaplan/planners/action_widths.hpp"
#include "dynaplan/planners/sampling_planner.hpp"
#include "dynaplan/planners/sequence_noise.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// The cross-entropy method (Rubinstein 1999; for planning Chua et al. 2018): draw candidates from a Gaussian, refit
/// it to the elites, repeat.
struct CemSettings {
  Index horizon = 22;
  Index candidates = 500;
  Index elites = 50;
  int iterations = 5;
  double smoothing = 0.1;          // share of the old mean and standard deviation that is kept
  ActionWidths initial_std = 0.5;  // times half the width of the bounds
  double min_std = 0.05;           // likewise
  bool returns_mean = false;
  bool truncated = false;  // draws beyond two standard deviations are drawn again, see draw_narrow
  NoiseSettings noise;     // white where `truncated`
  double tolerance = 0.0;  // standard deviation, in half widths of the bounds, below which the search has settled

  void validate() const;
};

class Cem final : public SamplingPlanner {
 public:
  explicit Cem(const CemSettings& settings);

  Index horizon() const override { return settings_.horizon; }
  void plan(const PlanProblem& problem, SearchMemory<float>& memory, PlanResult<float>& result) const override;
  void plan(const ExactPlanProblem& problem, SearchMemory<double>& memory, PlanResult<double>& result) const override;

 private:
  template <class T>
  void plan_in(const PlanProblemOf<T>& problem, SearchMemory<T>& memory, PlanResult<T>& result) const;

  CemSettings settings_;
  NoiseInBothTypes noise_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
