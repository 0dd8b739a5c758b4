#include "dynaplan/planners/ilqr.hpp"

#include <cmath>

#include "dynaplan/core/check.hpp"
#include "dynaplan/planners/ilqr_run.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

void IlqrSettings::validate() const {
  require_at_least("horizon", horizon, 1);
  require_at_least("iterations", iterations, 1);
  require_in("step_sizes", step_sizes, 1, 64);
  require_not_negative("tolerance", tolerance);
  if (!(min_regularisation > 0.0 && min_regularisation <= max_regularisation && std::isfinite(max_regularisation))) {
    throw_value_error("min_regularisation, max_regularisation",
                      text_of(min_regularisation) + " and " + text_of(max_regularisation),
                      "finite, above 0 and in this order");
  }
  require(regularisation >= 0.0 && regularisation <= max_regularisation, "regularisation", regularisation,
          "from 0 to max_regularisation");
  require(regularisation_factor > 1.0 && std::isfinite(regularisation_factor), "regularisation_factor",
          regularisation_factor, "finite and above 1");
}

Ilqr::Ilqr(const IlqrSettings& settings) : settings_(settings) { settings.validate(); }

void Ilqr::plan(const ExactPlanProblem& problem, TrajectoryMemory& memory, TrajectoryPlan& result) const {
  run_ilqr(settings_, problem, nullptr, memory, result);
}

void run_ilqr(const IlqrSettings& settings, const ExactPlanProblem& problem, const CostBeyond* beyond,
              TrajectoryMemory& memory, TrajectoryPlan& result) {
  problem.validate();
  require_mean_prediction(problem.rollout);
  const bool has_both = problem.action_rate != nullptr && problem.action_acceleration != nullptr;
  IlqrRun(settings, problem, beyond, memory, result, has_both).run();
  constexpr int kFew = 20;  // iterations of a search that is not meant to end at an optimum
  const bool is_stuck =
      result.status == PlanStatus::kStalled || (result.status == PlanStatus::kIterations && settings.iterations > kFew);
  if (problem.action_rate == nullptr || has_both || !is_stuck) return;
  constexpr double kLittle = 1e-6;
  const TrajectoryPlan held = result;
  IlqrRun(settings, problem, beyond, memory, result, true).run();
  if (!(result.value > held.value + kLittle * std::abs(held.value))) result = held;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
