#include "dynaplan/planners/icem.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "dynaplan/core/error.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// The candidates of an iteration are those drawn, the last of them in the last iteration the mean, and after them the
// sequences that were kept.
class IcemSearch final : public Search {
 public:
  IcemSearch(const IcemSettings& settings, const SequenceNoise* noise, const PlanProblem& problem, SearchMemory& memory,
             PlanResult& result)
      : settings_(settings), noise_(noise), problem_(problem), memory_(memory), result_(result) {
    memory.distribution.start(problem, settings.horizon, settings.initial_std);
    size_ = static_cast<Index>(memory.distribution.mean.size());
    keep(problem.carried);
  }

  Index population(int iteration) const override { return drawn(iteration) + kept_; }

  void draw(int iteration, Index first, Block<float> actions, Workspace& workspace) const override {
    Stream stream = problem_.stream;
    stream.iteration = static_cast<std::uint32_t>(iteration);
    if (noise_ == nullptr) {
      fill_normal(stream, Purpose::kActions, first, 0, actions);
    } else {
      const Block<float> normals = workspace.take_block<float>(actions.dim, actions.lanes);
      fill_normal(stream, Purpose::kActions, first, 0, normals);
      noise_->apply(normals, actions);
    }
    memory_.distribution.draw(actions);
    const Index count = drawn(iteration);
    const bool is_last = iteration + 1 == settings_.iterations;
    if (is_last && count > first && count - 1 < first + actions.lanes) {
      for (Index row = 0; row < size_; ++row) {
        actions.row(row)[count - 1 - first] = memory_.distribution.mean_action(row);
      }
    }
    for (Index n = std::max(count, first); n < std::min(count + kept_, first + actions.lanes); ++n) {
      const float* const sequence = memory_.kept.data() + (n - count) * size_;
      for (Index row = 0; row < kept_size_; ++row) actions.row(row)[n - first] = sequence[row];
    }
  }

  void update(int /*iteration*/, Index finite) override {
    const Index elites = std::min(settings_.elites, finite);
    if (elites == 0) return;
    Candidates& candidates = memory_.candidates;
    memory_.distribution.fit(candidates.select(elites), elites, settings_.smoothing, settings_.min_std);
    kept_ = std::min(settings_.kept(), elites);
    kept_size_ = size_;
    memory_.kept.resize(static_cast<std::size_t>(kept_ * size_));
    candidates.copy_best(kept_, memory_.kept.data());
    result_.elites.assign(memory_.kept.begin(), memory_.kept.end());
  }

 private:
  Index drawn(int iteration) const {
    double count = static_cast<double>(settings_.candidates);
    for (int i = 0; i < iteration; ++i) count = std::floor(count / settings_.decay);
    return std::max(static_cast<Index>(count), std::min(2 * settings_.elites, settings_.candidates));
  }

  // Takes over the sequences of the plan before; the steps they lack keep what is drawn.
  void keep(const CarriedSequences& carried) {
    kept_ = carried.count;
    const Index action_dim = problem_.rollout.dynamics->action_dim();
    kept_size_ = carried.steps * action_dim;
    memory_.kept.resize(static_cast<std::size_t>(kept_ * size_));
    for (Index n = 0; n < kept_; ++n) {
      for (Index row = 0; row < kept_size_; ++row) {
        const double action = carried.actions[n * kept_size_ + row];
        memory_.kept[static_cast<std::size_t>(n * size_ + row)] = static_cast<float>(
            std::clamp(action, problem_.action_low[row % action_dim], problem_.action_high[row % action_dim]));
      }
    }
  }

  const IcemSettings& settings_;
  const SequenceNoise* noise_;
  const PlanProblem& problem_;
  SearchMemory& memory_;
  PlanResult& result_;
  Index size_ = 0;       // of a sequence, H * A
  Index kept_ = 0;       // sequences
  Index kept_size_ = 0;  // entries of theirs that are given
};

void require(bool holds, const char* name, double value, const char* rule) {
  if (!holds) throw ValueError(std::string(name) + ": got " + std::to_string(value) + ", must be " + rule);
}

}  // namespace

void IcemSettings::validate() const {
  require_at_least_one("horizon", horizon);
  require_at_least_one("candidates", candidates);
  require_at_least_one("iterations", iterations);
  if (elites < 1 || elites > candidates) {
    throw ValueError("elites: got " + std::to_string(elites) +
                     ", must be from 1 to candidates = " + std::to_string(candidates));
  }
  require(smoothing >= 0.0 && smoothing < 1.0, "smoothing", smoothing, "in [0, 1)");
  require(initial_std > 0.0 && std::isfinite(initial_std), "initial_std", initial_std, "finite and above 0");
  require(min_std >= 0.0 && min_std <= initial_std, "min_std", min_std, "from 0 to initial_std");
  require(noise_exponent >= 0.0 && std::isfinite(noise_exponent), "noise_exponent", noise_exponent,
          "finite and at least 0");
  require(decay >= 1.0 && std::isfinite(decay), "decay", decay, "finite and at least 1");
  require(keep >= 0.0 && keep <= 1.0, "keep", keep, "from 0 to 1");
}

Index IcemSettings::kept() const { return static_cast<Index>(keep * static_cast<double>(elites)); }

Icem::Icem(const IcemSettings& settings) : settings_(settings) {
  settings.validate();
  if (settings.noise_exponent > 0.0) noise_ = SequenceNoise::coloured(settings.horizon, settings.noise_exponent);
}

void Icem::plan(const PlanProblem& problem, SearchMemory& memory, PlanResult& result) const {
  problem.validate(settings_.horizon);
  IcemSearch search(settings_, noise_ ? &*noise_ : nullptr, problem, memory, result);
  const float best_total = run_search(problem, settings_.horizon, settings_.iterations, search, memory, result);
  choose_best(problem, settings_.iterations, best_total, memory, result);
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
