#include "dynaplan/planners/random_shooting.hpp"

#include <algorithm>
#include <cmath>

#include "dynaplan/core/check.hpp"
#include "dynaplan/planners/action_limits.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

template <class T>
class UniformSearch final : public Search<T> {
 public:
  UniformSearch(const RandomShootingSettings& settings, const PlanProblemOf<T>& problem)
      : settings_(settings), problem_(problem) {}

  Index population(int /*iteration*/) const override { return settings_.candidates; }

  // Uniform within the bounds; as far from their middle, in widths, as noise that limits slow down.
  void draw(int /*iteration*/, Index first, Block<T> actions, Workspace& workspace) const override {
    const Index action_dim = problem_.rollout.dynamics->action_dim();
    fill_uniform(problem_.stream, Purpose::kActions, first, 0, actions);
    T* const spread = workspace.take<T>(actions.dim);
    for (Index row = 0; row < actions.dim; ++row) {
      const double width = problem_.action_high[row % action_dim] - problem_.action_low[row % action_dim];
      spread[row] = finite_bound<T>(width / std::sqrt(12.0));
      for (Index k = 0; k < actions.lanes; ++k) actions.row(row)[k] -= T(0.5);
    }
    slow_noise(problem_, problem_.stream, spread, Population{first, settings_.candidates}, actions);
    for (Index row = 0; row < actions.dim; ++row) {
      const T low = finite_bound<T>(problem_.action_low[row % action_dim]);
      const T width = finite_bound<T>(problem_.action_high[row % action_dim] - problem_.action_low[row % action_dim]);
      T* const value = actions.row(row);
      for (Index k = 0; k < actions.lanes; ++k) value[k] = low + width * std::clamp(value[k] + T(0.5), T(0), T(1));
    }
    if (first > 0 || problem_.warm_start.actions == nullptr) return;
    for (Index row = 0; row < actions.dim; ++row) actions.row(row)[0] = finite_bound<T>(problem_.start_action(row));
  }

  void update(int /*iteration*/, Index /*ranked*/) override {}

 private:
  const RandomShootingSettings& settings_;
  const PlanProblemOf<T>& problem_;
};

}  // namespace

void RandomShootingSettings::validate() const {
  require_at_least("horizon", horizon, 1);
  require_at_least("candidates", candidates, 1);
}

RandomShooting::RandomShooting(const RandomShootingSettings& settings) : settings_(settings) { settings.validate(); }

template <class T>
void RandomShooting::plan_in(const PlanProblemOf<T>& problem, SearchMemory<T>& memory, PlanResult<T>& result) const {
  problem.validate();
  UniformSearch<T> search(settings_, problem);
  if (!run_search(problem, settings_.horizon, 1, search, memory, result).exists()) {
    for (Index row = 0; row < static_cast<Index>(result.actions.size()); ++row) {
      result.actions[static_cast<std::size_t>(row)] = finite_bound<T>(problem.start_action(row));
    }
    limit_changes(problem, result.actions);
  }
  memory.candidates.evaluate_result(problem, 1, result);
}

void RandomShooting::plan(const PlanProblem& problem, SearchMemory<float>& memory, PlanResult<float>& result) const {
  plan_in(problem, memory, result);
}

void RandomShooting::plan(const ExactPlanProblem& problem, SearchMemory<double>& memory,
                          PlanResult<double>& result) const {
  plan_in(problem, memory, result);
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
