#include "dynaplan/planners/random_shooting.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

void RandomShootingSettings::validate() const {
  require_at_least_one("horizon", horizon);
  require_at_least_one("candidates", candidates);
}

void plan_random_shooting(const RandomShootingSettings& settings, const PlanProblem& problem, Candidates& candidates,
                          PlanResult& result) {
  settings.validate();
  problem.validate(settings.horizon);
  const Index action_dim = problem.rollout.dynamics->action_dim();
  candidates.prepare(problem, settings.candidates, settings.horizon);
  result.resize(problem, settings.horizon);
  const auto fill = [&](Index first, Block<float> actions) {
    fill_uniform(problem.stream, Purpose::kActions, first, 0, actions);
    for (Index row = 0; row < actions.dim; ++row) {
      const auto low = static_cast<float>(problem.action_low[row % action_dim]);
      const auto high = static_cast<float>(problem.action_high[row % action_dim]);
      float* const value = actions.row(row);
      for (Index k = 0; k < actions.lanes; ++k) value[k] = low + (high - low) * value[k];
    }
  };
  const RankedLast last = candidates.evaluate(problem, 0, fill);
  result.non_finite = last.non_finite;
  result.rejected = last.rejected;
  result.candidates = settings.candidates;
  result.iterations = 1;
  const bool any_finite = last.total() < settings.candidates;
  result.status = any_finite ? PlanStatus::kIterations : PlanStatus::kNoFiniteCandidate;
  if (any_finite) {
    candidates.copy_actions(candidates.best(), result.actions.data());
  } else {
    for (Index row = 0; row < settings.horizon * action_dim; ++row) {
      result.actions[static_cast<std::size_t>(row)] = static_cast<float>(problem.start_action(row));
    }
  }
  candidates.evaluate_result(problem, 1, result);
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
