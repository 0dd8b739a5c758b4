#include "dynaplan/planners/cem.hpp"

#include <algorithm>
#include <cmath>

#include "dynaplan/core/check.hpp"
#include "dynaplan/planners/action_limits.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// A normal beyond two standard deviations is drawn again, from numbers that no candidate has; the share 0.0455 of them
// is left each time.
template <class T>
void redraw_tails(const Stream& stream, Index first, Block<T> normals, Workspace& workspace) {
  constexpr T kMaxDeviation = T(2);
  constexpr Index kAttempts = 8;
  const Block<T> fresh = workspace.take_block<T>(normals.dim, normals.lanes);
  for (Index attempt = 1; attempt <= kAttempts; ++attempt) {
    fill_normal(stream, Purpose::kActions, first, attempt * normal_rows(normals.dim), fresh);
    for (Index i = 0; i < normals.dim * normals.lanes; ++i) {
      if (std::abs(normals.data[i]) > kMaxDeviation) normals.data[i] = fresh.data[i];
    }
  }
  for (Index i = 0; i < normals.dim * normals.lanes; ++i) {
    normals.data[i] = std::clamp(normals.data[i], -kMaxDeviation, kMaxDeviation);
  }
}

template <class T>
class CemSearch final : public Search<T> {
 public:
  CemSearch(const CemSettings& settings, const SequenceNoise<T>& noise, const PlanProblemOf<T>& problem,
            SearchMemory<T>& memory)
      : settings_(settings), noise_(noise), problem_(problem), memory_(memory) {
    settings.noise.require_actions(problem.rollout.dynamics->action_dim());
    memory.distribution.start(problem, settings.horizon, settings.initial_std, "initial_std");
  }

  Index population(int /*iteration*/) const override { return settings_.candidates; }

  // Candidate 0 is the mean itself: the plan of the last call is never worse off for being refined.
  void draw(int iteration, Index first, Block<T> actions, Workspace& workspace) const override {
    Stream stream = problem_.stream;
    stream.iteration = static_cast<std::uint32_t>(iteration);
    noise_.draw(stream, first, actions, workspace);
    if (settings_.truncated) redraw_tails(stream, first, actions, workspace);
    slow_noise(problem_, stream, memory_.distribution.std.data(), Population{first, settings_.candidates}, actions);
    if (settings_.truncated) {
      memory_.distribution.draw_narrow(actions);
    } else {
      memory_.distribution.draw(actions);
    }
    if (first > 0) return;
    for (Index row = 0; row < actions.dim; ++row) actions.row(row)[0] = memory_.distribution.mean_action(row);
  }

  // Where fewer candidates are finite than there are elites, only these are fitted: a diverged one is never elite.
  void update(int /*iteration*/, Index ranked) override {
    const Index elites = std::min(settings_.elites, ranked);
    if (elites == 0) return;
    memory_.distribution.fit(memory_.candidates.select(elites), elites, settings_.smoothing, settings_.min_std);
  }

  bool has_settled() const override {
    return settings_.tolerance > 0.0 && memory_.distribution.widest() <= static_cast<T>(settings_.tolerance);
  }

 private:
  const CemSettings& settings_;
  const SequenceNoise<T>& noise_;
  const PlanProblemOf<T>& problem_;
  SearchMemory<T>& memory_;
};

}  // namespace

void CemSettings::validate() const {
  require_at_least("horizon", horizon, 1);
  require_at_least("candidates", candidates, 1);
  require_at_least("iterations", iterations, 1);
  require_elites(elites, candidates);
  require_fraction_below_one("smoothing", smoothing);
  initial_std.validate("initial_std");
  require_not_negative("tolerance", tolerance);
  require(min_std >= 0.0 && min_std <= initial_std.smallest(), "min_std", min_std, "from 0 to initial_std");
  noise.validate(horizon);
  require(!truncated || noise.is_white(), "truncated", truncated,
          "False with noise_exponent, knots or smoothing_window: what is drawn again stands alone");
}

Cem::Cem(const CemSettings& settings)
    : settings_(validated(settings)), noise_(noise_sums(settings.horizon, settings.noise)) {}

template <class T>
void Cem::plan_in(const PlanProblemOf<T>& problem, SearchMemory<T>& memory, PlanResult<T>& result) const {
  problem.validate();
  CemSearch<T> search(settings_, noise_.as<T>(), problem, memory);
  const BestCandidate<T> best = run_search(problem, settings_.horizon, settings_.iterations, search, memory, result);
  if (settings_.returns_mean) {
    choose_mean(problem, settings_.iterations, best, memory, result);
  } else {
    choose_best(problem, settings_.iterations, best, memory, result);
  }
}

void Cem::plan(const PlanProblem& problem, SearchMemory<float>& memory, PlanResult<float>& result) const {
  plan_in(problem, memory, result);
}

void Cem::plan(const ExactPlanProblem& problem, SearchMemory<double>& memory, PlanResult<double>& result) const {
  plan_in(problem, memory, result);
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
