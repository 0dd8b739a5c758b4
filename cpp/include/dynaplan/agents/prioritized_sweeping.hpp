#pragma once

#include "dynaplan/agents/pair_queue.hpp"
#include "dynaplan/agents/predecessors.hpp"
#include "dynaplan/agents/tabular_agent.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Prioritized sweeping for a deterministic environment (Sutton & Barto 2018, section 8.4): pairs whose value would
/// change by more than `threshold` wait in a queue, the largest change first; each of up to `planning_steps` updates
/// after a real step takes the first pair and queues those that lead to its state.
class PrioritizedSweeping final : public TabularAgent {
 public:
  /// `planning_steps` >= 1, as the value of the real step itself is computed from the queue. Throws ValueError.
  PrioritizedSweeping(const TabularSettings& settings, double threshold);
  double threshold() const { return threshold_; }

 private:
  void learn(Index pair) override;
  void record_queue(TabularRecord& record) const override;
  void restore_queue(const TabularRecord& record) override;
  void queue_if_off(Index pair);

  double threshold_;  // theta
  PairQueue queue_;
  Predecessors predecessors_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
