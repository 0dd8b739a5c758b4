#include "dynaplan/planners/random_shooting.hpp"

#include <algorithm>
#include <cmath>

#include "dynaplan/core/check.hpp"
#include "dynaplan/core/vector_math.hpp"
#include "dynaplan/planners/action_limits.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// Standard normals become the uniform numbers in [0, 1] of which they are the quantiles: their distribution function,
// to 2 in 10^7, by Abramowitz & Stegun 1964, 7.1.26.
template <class T>
void make_uniform(Block<T> normals) {
  constexpr Index kWidth = kVectorLanes<T>;
  for (Index row = 0; row < normals.dim; ++row) {
    for (Index k = 0; k < normals.lanes; k += kWidth) {
      T* const at = normals.row(row) + k;
      const LaneVector<T> normal = load_lanes(at);
      const LaneVector<T> size = normal < T(0) ? -normal : normal;
      const LaneVector<T> t = T(1) / (T(1) + static_cast<T>(0.3275911 * 0.70710678118654752440) * size);
      LaneVector<T> series = static_cast<T>(1.061405429) * t - static_cast<T>(1.453152027);
      series = series * t + static_cast<T>(1.421413741);
      series = series * t - static_cast<T>(0.284496736);
      series = series * t + static_cast<T>(0.254829592);
      const LaneVector<T> beyond = T(0.5) * t * series * fast_exp<T>(T(-0.5) * size * size);
      store_lanes(at, normal < T(0) ? beyond : T(1) - beyond);
    }
  }
}

template <class T>
class UniformSearch final : public Search<T> {
 public:
  UniformSearch(const RandomShootingSettings& settings, const SequenceNoise<T>& noise, const PlanProblemOf<T>& problem)
      : settings_(settings), noise_(noise), problem_(problem) {
    settings.noise.require_actions(problem.rollout.dynamics->action_dim());
  }

  Index population(int /*iteration*/) const override { return settings_.candidates; }

  // Uniform within the bounds; as far from their middle, in widths, as noise that limits slow down.
  void draw(int /*iteration*/, Index first, Block<T> actions, Workspace& workspace) const override {
    if (noise_.is_white()) {
      fill_uniform(problem_.stream, Purpose::kActions, first, 0, actions);
    } else {
      noise_.draw(problem_.stream, first, actions, workspace);
      make_uniform(actions);
    }
    T* const spread = workspace.take<T>(actions.dim);
    for (Index row = 0; row < actions.dim; ++row) {
      const double width = high_of(row) - low_of(row);
      spread[row] = finite_bound<T>(width / std::sqrt(12.0));
      for (Index k = 0; k < actions.lanes; ++k) actions.row(row)[k] -= T(0.5);
    }
    slow_noise(problem_, problem_.stream, spread, Population{first, settings_.candidates}, actions);
    for (Index row = 0; row < actions.dim; ++row) {
      const T low = finite_bound<T>(low_of(row));
      const T width = finite_bound<T>(high_of(row) - low_of(row));
      T* const value = actions.row(row);
      for (Index k = 0; k < actions.lanes; ++k) value[k] = low + width * std::clamp(value[k] + T(0.5), T(0), T(1));
    }
    if (first > 0 || problem_.warm_start.actions == nullptr) return;
    for (Index row = 0; row < actions.dim; ++row) actions.row(row)[0] = finite_bound<T>(problem_.start_action(row));
  }

  void update(int /*iteration*/, Index /*ranked*/) override {}

 private:
  double low_of(Index row) const { return problem_.low_at(row / action_dim_, row % action_dim_); }
  double high_of(Index row) const { return problem_.high_at(row / action_dim_, row % action_dim_); }

  const RandomShootingSettings& settings_;
  const SequenceNoise<T>& noise_;
  const PlanProblemOf<T>& problem_;
  Index action_dim_ = problem_.rollout.dynamics->action_dim();
};

}  // namespace

void RandomShootingSettings::validate() const {
  require_at_least("horizon", horizon, 1);
  require_at_least("candidates", candidates, 1);
  noise.validate(horizon);
}

RandomShooting::RandomShooting(const RandomShootingSettings& settings)
    : settings_(validated(settings)), noise_(noise_sums(settings.horizon, settings.noise)) {}

template <class T>
void RandomShooting::plan_in(const PlanProblemOf<T>& problem, SearchMemory<T>& memory, PlanResult<T>& result) const {
  problem.validate();
  UniformSearch<T> search(settings_, noise_.as<T>(), problem);
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
