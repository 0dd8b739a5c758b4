#include "dynaplan/agents/prioritized_sweeping.hpp"

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

PrioritizedSweeping::PrioritizedSweeping(const TabularSettings& settings, double threshold)
    : TabularAgent(settings),
      threshold_(threshold),
      queue_(table().pairs()),
      predecessors_(table().states() + 1, table().pairs()) {
  require_at_least("planning_steps", settings.planning_steps, 1);
  require_not_negative("threshold", threshold);
}

void PrioritizedSweeping::queue_if_off(Index pair) {
  const double change = std::abs(target(model().outcome(pair)) - table().value(pair));
  if (change > threshold_) queue_.push(pair, change);
}

void PrioritizedSweeping::learn(Index pair) {
  predecessors_.link(pair, model().outcome(pair).next_state);
  queue_if_off(pair);
  for (Index n = 0; !queue_.empty() && continues(n); ++n) {
    const Index first = queue_.pop();
    update(first, target(model().outcome(first)));
    const Index state = first / table().actions();
    for (Index before = predecessors_.first(state); before >= 0; before = predecessors_.after(before)) {
      queue_if_off(before);
    }
  }
}

void PrioritizedSweeping::record_queue(TabularRecord& record) const {
  for (const Index pair : queue_.pairs()) {
    record.queued.push_back(pair);
    record.priorities.push_back(queue_.priority(pair));
  }
}

void PrioritizedSweeping::restore_queue(const TabularRecord& record) {
  require_same_size("priorities", static_cast<Index>(record.priorities.size()), "queued",
                    static_cast<Index>(record.queued.size()));
  const DiscreteSpace pairs{0, table().pairs()};
  for (const Index pair : model().tried()) predecessors_.link(pair, model().outcome(pair).next_state);
  for (std::size_t k = 0; k < record.queued.size(); ++k) {
    const Index pair = pairs.index_of(record.queued[k], "queued");
    if (queue_.contains(pair) || !model().is_tried(pair) || !(record.priorities[k] > 0.0)) {
      throw_value_error("queued", "pair " + text_of(pair), "a tried pair, listed once and with a priority above 0");
    }
    queue_.push(pair, record.priorities[k]);
  }
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
