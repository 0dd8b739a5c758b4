#include "dynaplan/planners/icem.hpp"

#include <algorithm>
#include <cmath>

#include "dynaplan/core/check.hpp"
#include "dynaplan/planners/action_limits.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// The last candidate drawn in the last iteration is the mean, the first one drawn at all the warm start, if there is
// one.
template <class T>
class IcemSearch final : public Search<T> {
 public:
  IcemSearch(const IcemSettings& settings, const SequenceNoise<T>& noise, const PlanProblemOf<T>& problem,
             SearchMemory<T>& memory, PlanResult<T>& result)
      : settings_(settings), noise_(noise), problem_(problem), memory_(memory), result_(result) {
    settings.noise.require_actions(problem.rollout.dynamics->action_dim());
    memory.distribution.start(problem, settings.horizon, settings.initial_std, "initial_std");
  }

  Index population(int iteration) const override {
    double count = static_cast<double>(settings_.candidates);
    for (int i = 0; i < iteration; ++i) count = std::floor(count / settings_.population_decay);
    return std::max(static_cast<Index>(count), std::min(2 * settings_.elites, settings_.candidates));
  }

  void draw(int iteration, Index first, Block<T> actions, Workspace& workspace) const override {
    Stream stream = problem_.stream;
    stream.iteration = static_cast<std::uint32_t>(iteration);
    noise_.draw(stream, first, actions, workspace);
    const Index count = population(iteration);
    slow_noise(problem_, stream, memory_.distribution.std.data(), Population{first, count}, actions);
    memory_.distribution.draw(actions);
    if (iteration == 0 && first == 0 && problem_.warm_start.actions != nullptr) write_mean(0, actions);
    const bool is_last = iteration + 1 == settings_.iterations;
    if (is_last && count > first && count - 1 < first + actions.lanes) write_mean(count - 1 - first, actions);
  }

  void update(int /*iteration*/, Index ranked) override {
    const Index elites = std::min(settings_.elites, ranked);
    if (elites == 0) return;
    Candidates<T>& candidates = memory_.candidates;
    memory_.distribution.fit(candidates.select(elites), elites, settings_.smoothing, settings_.min_std);
    const Index kept = std::min(settings_.kept(), elites);
    T* const sequences = memory_.kept.keep(kept);
    candidates.copy_best(kept, sequences);
    result_.kept_sequences.assign(sequences, sequences + kept * static_cast<Index>(memory_.distribution.mean.size()));
  }

 private:
  void write_mean(Index lane, Block<T> actions) const {
    for (Index row = 0; row < actions.dim; ++row) actions.row(row)[lane] = memory_.distribution.mean_action(row);
  }

  const IcemSettings& settings_;
  const SequenceNoise<T>& noise_;
  const PlanProblemOf<T>& problem_;
  SearchMemory<T>& memory_;
  PlanResult<T>& result_;
};

}  // namespace

void IcemSettings::validate() const {
  require_at_least("horizon", horizon, 1);
  require_at_least("candidates", candidates, 1);
  require_at_least("iterations", iterations, 1);
  require_elites(elites, candidates);
  require_fraction_below_one("smoothing", smoothing);
  initial_std.validate("initial_std");
  require(min_std >= 0.0 && min_std <= initial_std.smallest(), "min_std", min_std, "from 0 to initial_std");
  require(population_decay >= 1.0 && std::isfinite(population_decay), "population_decay", population_decay,
          "finite and at least 1");
  require_fraction("reuse_fraction", reuse_fraction);
  noise.validate(horizon);
}

Index IcemSettings::kept() const { return static_cast<Index>(reuse_fraction * static_cast<double>(elites)); }

Icem::Icem(const IcemSettings& settings)
    : settings_(validated(settings)), noise_(noise_sums(settings.horizon, settings.noise)) {}

template <class T>
void Icem::plan_in(const PlanProblemOf<T>& problem, SearchMemory<T>& memory, PlanResult<T>& result) const {
  problem.validate();
  IcemSearch<T> search(settings_, noise_.as<T>(), problem, memory, result);
  const BestCandidate<T> best = run_search(problem, settings_.horizon, settings_.iterations, search, memory, result);
  choose_best(problem, settings_.iterations, best, memory, result);
}

void Icem::plan(const PlanProblem& problem, SearchMemory<float>& memory, PlanResult<float>& result) const {
  plan_in(problem, memory, result);
}

void Icem::plan(const ExactPlanProblem& problem, SearchMemory<double>& memory, PlanResult<double>& result) const {
  plan_in(problem, memory, result);
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
