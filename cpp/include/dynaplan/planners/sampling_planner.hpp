#pragma once

#include "dynaplan/planners/search.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// The settings, once they are checked.
template <class Settings>
Settings validated(Settings settings) {
  settings.validate();
  return settings;
}

/// A planner that draws candidates; the final classes hold their settings, validated, and nothing else. It plans in
/// either type, see `plan_in_either_type`.
class SamplingPlanner {
 public:
  SamplingPlanner() = default;
  SamplingPlanner(const SamplingPlanner&) = default;
  SamplingPlanner& operator=(const SamplingPlanner&) = default;
  virtual ~SamplingPlanner() = default;

  virtual Index horizon() const = 0;

  /// Plans into `result`; `memory` and `result` keep their memory, so that a second call allocates nothing.
  virtual void plan(const PlanProblem& problem, SearchMemory<float>& memory, PlanResult<float>& result) const = 0;
  virtual void plan(const ExactPlanProblem& problem, SearchMemory<double>& memory,
                    PlanResult<double>& result) const = 0;

  /// Writes the actions (H, A) of a result in float64, exactly within the bounds and rates.
  virtual void copy_actions(const PlanProblem& problem, const PlanResult<float>& result, double* out) const {
    copy_sequences(problem, horizon(), result.actions, out);
  }
  virtual void copy_actions(const ExactPlanProblem& problem, const PlanResult<double>& result, double* out) const {
    copy_sequences(problem, horizon(), result.actions, out);
  }
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
