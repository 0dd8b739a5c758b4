#include "dynaplan/agents/tabular_agent.hpp"

#include <algorithm>
#include <string>

#include "dynaplan/core/error.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

void require_share(double value, const char* name, bool may_be_zero) {
  if (!(value <= 1.0 && (may_be_zero ? value >= 0.0 : value > 0.0))) {
    throw ValueError(std::string(name) + ": got " + std::to_string(value) + ", must be " +
                     (may_be_zero ? "from 0 to 1" : "above 0 and at most 1"));
  }
}

TabularSettings validated(const TabularSettings& settings) {
  settings.validate();
  return settings;
}

void require_reward(double reward) {
  if (!(std::abs(reward) <= kMaxReward)) {
    throw ValueError("reward: got " + std::to_string(reward) + ", must be finite and at most 1e100 in size");
  }
}

void require_size(std::size_t size, std::size_t wanted, const char* name) {
  if (size != wanted) {
    throw ShapeError(std::string(name) + ": got " + std::to_string(size) + " entries, must have " +
                     std::to_string(wanted));
  }
}

}  // namespace

void TabularSettings::validate() const {
  states.validate("states");
  actions.validate("actions");
  if (states.count > kMaxPairs || actions.count > kMaxPairs / states.count) {
    throw ValueError("states, actions: got " + std::to_string(states.count) + " and " + std::to_string(actions.count) +
                     ", must be at most " + std::to_string(kMaxPairs) + " pairs");
  }
  require_share(learning_rate, "learning_rate", false);
  require_share(discount, "discount", true);
  require_share(exploration, "exploration", true);
  if (planning_steps < 0) {
    throw ValueError("planning_steps: got " + std::to_string(planning_steps) + ", must be at least 0");
  }
}

TabularAgent::TabularAgent(const TabularSettings& settings)
    : settings_(validated(settings)),
      table_(settings.states.count, settings.actions.count),
      model_(settings.states.count, settings.actions.count),
      stream_(settings.seed) {}

void TabularAgent::set_exploration(double exploration) {
  require_share(exploration, "exploration", true);
  settings_.exploration = exploration;
}

std::int64_t TabularAgent::act(std::int64_t state, bool explore) {
  const Index index = settings_.states.index_of(state, "state");
  const bool at_random = explore && settings_.exploration > 0.0 && stream_.uniform() < settings_.exploration;
  const Index action = at_random ? stream_.below(table_.actions()) : table_.greedy(index, stream_);
  return settings_.actions.value_of(action);
}

void TabularAgent::observe(const TabularStep& step) {
  const Index state = settings_.states.index_of(step.state, "state");
  const Index action = settings_.actions.index_of(step.action, "action");
  const Index next_state = settings_.states.index_of(step.next_state, "next_state");
  require_reward(step.reward);
  const Index pair = state * table_.actions() + action;
  model_.record(pair, {step.reward, step.terminated ? table_.end() : next_state});
  learn(pair);
}

TabularRecord TabularAgent::record() const {
  TabularRecord record;
  record.values.assign(table_.values(), table_.values() + table_.pairs());
  for (const Index pair : model_.tried()) {
    record.tried.push_back(pair);
    record.next_states.push_back(model_.outcome(pair).next_state);
    record.rewards.push_back(model_.outcome(pair).reward);
    record.last_tried.push_back(model_.last_tried(pair));
  }
  record.steps = steps();
  record.updates = updates_;
  record.place = stream_.place();
  record_queue(record);
  return record;
}

void TabularAgent::restore(const TabularRecord& record) {
  if (steps() != 0) throw ValueError("record: the agent has learnt something already");
  require_size(record.values.size(), static_cast<std::size_t>(table_.pairs()), "values");
  if (!std::all_of(record.values.begin(), record.values.end(), [](double value) { return std::isfinite(value); })) {
    throw ValueError("values: must be finite");
  }
  if (record.steps < 0 || record.updates < 0) throw ValueError("steps, updates: must not be negative");
  restore_pairs(record);
  restore_queue(record);
  for (Index pair = 0; pair < table_.pairs(); ++pair) table_.set(pair, record.values[static_cast<std::size_t>(pair)]);
  model_.set_steps(record.steps);
  updates_ = record.updates;
  stream_ = WordStream(settings_.seed, record.place);
}

void TabularAgent::restore_pairs(const TabularRecord& record) {
  const std::size_t count = record.tried.size();
  require_size(record.next_states.size(), count, "next_states");
  require_size(record.rewards.size(), count, "rewards");
  require_size(record.last_tried.size(), count, "last_tried");
  const DiscreteSpace pairs{0, table_.pairs()};
  const DiscreteSpace outcomes{0, table_.states() + 1};
  for (std::size_t k = 0; k < count; ++k) {
    const Index pair = pairs.index_of(record.tried[k], "tried");
    const Index when = record.last_tried[k];
    if (model_.is_tried(pair)) throw ValueError("tried: pair " + std::to_string(pair) + " stands twice");
    if (when < 1 || when > record.steps) {
      throw ValueError("last_tried: got " + std::to_string(when) + ", must be from 1 to " +
                       std::to_string(record.steps));
    }
    require_reward(record.rewards[k]);
    model_.restore(pair, {record.rewards[k], outcomes.index_of(record.next_states[k], "next_states")}, when);
  }
}

void TabularAgent::restore_queue(const TabularRecord& record) {
  if (!record.queued.empty() || !record.priorities.empty()) throw ValueError("queued: this agent has no queue");
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
