#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "dynaplan/agents/replay_draw.hpp"
#include "dynaplan/agents/sac_update.hpp"
#include "dynaplan/core/interrupt.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// How an agent learns; the Python API documents each.
struct SacSettings {
  double learning_rate = 3e-4;
  Index batch_size = 256;
  double tau = 0.005;
  double discount = 0.99;
  double target_entropy = -1.0;
  double temperature = 1.0;  // initial value, or the value throughout
  bool learns_temperature = true;
  double real_ratio = 0.05;
  Index buffer_size = 1000000;
  Index imagined_buffer_size = 1000000;
  std::uint64_t seed = 0;
  int threads = 1;

  /// Throws ValueError naming what is out of range.
  void validate() const;
};

/// Means over the updates of one call.
struct SacStatistics {
  Index updates = 0;  // that were made
  double critic_loss = 0.0;
  double actor_loss = 0.0;
  double value = 0.0;
  double entropy = 0.0;  // the mean of -log_prob
  double temperature = 0.0;
};

/// Soft actor-critic with a replay of real and imagined transitions (Haarnoja et al. 2018; Janner et al. 2019, "When to
/// trust your model"). All randomness follows from the seed and from counts of calls, whatever the threads.
/// One call at a time: what is here is not guarded against two threads.
class Sac {
 public:
  /// Throws ShapeError, ValueError.
  Sac(const SacShape& shape, const ActionBox& box, const SacSettings& settings);

  const SacShape& shape() const { return shape_; }
  const ActionBox& box() const { return box_; }
  const SacSettings& settings() const { return settings_; }

  /// Takes transitions in. Throws ValueError if a number is not finite or an action lies outside the box; then none is
  /// taken.
  void observe(const TransitionRows& rows);
  /// `replace`: those before are forgotten.
  void observe_imagined(const TransitionRows& rows, bool replace);

  /// Makes up to `count` updates; `wants_stop` is asked before each. Throws ValueError if there is no transition, and
  /// NumericalError if a loss is not finite, before it has changed the networks it is the loss of.
  SacStatistics update(Index count, const std::function<bool()>& wants_stop);

  /// Actions (count, A) for states (count, S), within the box; drawn, or the mode of the policy. Throws ValueError.
  /// `interrupt`, which may be null, ends the work early.
  void act(const double* states, Index count, bool deterministic, double* actions,
           const Interrupt* interrupt = nullptr);
  /// Actions (count, A) uniform in the box.
  void explore(Index count, double* actions);

  /// What the next update will work on, a chunk of kMaxLanes samples each.
  std::vector<SacBatch<float>> next_batch();

  SacNetworks<float>& networks() { return networks_; }
  const SacNetworks<float>& networks() const { return networks_; }
  TransitionStore& real() { return real_; }
  TransitionStore& imagined() { return imagined_; }
  const TransitionStore& real() const { return real_; }
  const TransitionStore& imagined() const { return imagined_; }

  /// Calls so far that drew random actions; with `networks().updates` all that the random numbers depend on.
  std::uint64_t draws() const { return draws_; }
  void set_draws(std::uint64_t draws) { draws_ = draws; }

 private:
  void prepare();
  ReplayDraw draw() const;
  void fill(const ReplayDraw& draw, Index number, int thread);
  void critic_step(const ReplayDraw& draw);
  void actor_step();
  template <class Step>
  void run_ranges(const std::vector<SacUpdate<float>::Range>& ranges, const Step& step);
  float* scratch(int thread) { return scratch_[static_cast<std::size_t>(thread)].data(); }

  SacShape shape_;
  ActionBox box_;
  SacSettings settings_;
  SacNetworks<float> networks_;
  TransitionStore real_;
  TransitionStore imagined_;
  std::unique_ptr<SacUpdate<float>> update_;  // from the first update on: an agent that only acts needs none
  std::vector<Numbers<float>> scratch_;       // of each thread
  std::vector<NetworkTape<float>> acting_;    // of each thread, a chunk long
  std::uint64_t draws_ = 0;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
