#include "dynaplan/planners/random_shooting.hpp"

#include <cmath>

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

class UniformSearch final : public Search {
 public:
  UniformSearch(const RandomShootingSettings& settings, const PlanProblem& problem)
      : settings_(settings), problem_(problem) {}

  Index population(int /*iteration*/) const override { return settings_.candidates; }

  void draw(int /*iteration*/, Index first, Block<float> actions, Workspace& /*workspace*/) const override {
    const Index action_dim = problem_.rollout.dynamics->action_dim();
    fill_uniform(problem_.stream, Purpose::kActions, first, 0, actions);
    for (Index row = 0; row < actions.dim; ++row) {
      const float low = float_bound(problem_.action_low[row % action_dim]);
      const float width = float_bound(problem_.action_high[row % action_dim] - problem_.action_low[row % action_dim]);
      float* const value = actions.row(row);
      for (Index k = 0; k < actions.lanes; ++k) value[k] = low + width * value[k];
    }
  }

  void update(int /*iteration*/, Index /*finite*/) override {}

 private:
  const RandomShootingSettings& settings_;
  const PlanProblem& problem_;
};

}  // namespace

void RandomShootingSettings::validate() const {
  require_at_least("horizon", horizon, 1);
  require_at_least("candidates", candidates, 1);
}

RandomShooting::RandomShooting(const RandomShootingSettings& settings) : settings_(settings) { settings.validate(); }

void RandomShooting::plan(const PlanProblem& problem, SearchMemory& memory, PlanResult& result) const {
  problem.validate();
  UniformSearch search(settings_, problem);
  if (!std::isfinite(run_search(problem, settings_.horizon, 1, search, memory, result))) {
    for (Index row = 0; row < static_cast<Index>(result.actions.size()); ++row) {
      result.actions[static_cast<std::size_t>(row)] = float_bound(problem.start_action(row));
    }
    limit_rates(problem, result.actions);
  }
  memory.candidates.evaluate_result(problem, 1, result);
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
