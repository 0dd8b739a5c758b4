#include "dynaplan/agents/tabular_agent.hpp"

#include <algorithm>

#include "dynaplan/core/check.hpp"
#include "dynaplan/core/error.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

TabularSettings validated(const TabularSettings& settings) {
  settings.validate();
  return settings;
}

void require_reward(double reward) {
  require(std::abs(reward) <= kMaxReward, "reward", reward, "from -1e+100 to 1e+100");
}

template <class T>
void require_entries(const char* name, const std::vector<T>& values, Index count) {
  require_size(name, static_cast<Index>(values.size()), count);
}

}  // namespace

void TabularSettings::validate() const {
  states.validate("states");
  actions.validate("actions");
  if (states.count > kMaxPairs || actions.count > kMaxPairs / states.count) {
    throw_value_error("states, actions", text_of(states.count) + " and " + text_of(actions.count),
                      "at most " + text_of(kMaxPairs) + " pairs");
  }
  require_positive_fraction("learning_rate", learning_rate);
  require_fraction("discount", discount);
  require_fraction("exploration", exploration);
  require_at_least("planning_steps", planning_steps, 0);
}

TabularAgent::TabularAgent(const TabularSettings& settings)
    : settings_(validated(settings)),
      table_(settings.states.count, settings.actions.count),
      model_(settings.states.count, settings.actions.count),
      stream_(settings.seed) {}

void TabularAgent::set_exploration(double exploration) {
  require_fraction("exploration", exploration);
  settings_.exploration = exploration;
}

std::int64_t TabularAgent::act(std::int64_t state, bool explore) {
  const Index index = settings_.states.index_of(state, "state");
  const bool at_random = explore && settings_.exploration > 0.0 && stream_.uniform() < settings_.exploration;
  const Index action = at_random ? stream_.below(table_.actions()) : table_.greedy(index, stream_);
  return settings_.actions.value_of(action);
}

void TabularAgent::observe(const TabularStep& step, const Interrupt* interrupt) {
  const Index state = settings_.states.index_of(step.state, "state");
  const Index action = settings_.actions.index_of(step.action, "action");
  const Index next_state = settings_.states.index_of(step.next_state, "next_state");
  require_reward(step.reward);
  const Index pair = state * table_.actions() + action;
  model_.record(pair, {step.reward, step.terminated ? table_.end() : next_state});
  interrupt_ = interrupt;
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
  if (steps() != 0) throw ValueError("record: this agent has already learned; restore into a new one");
  require_entries("values", record.values, table_.pairs());
  require_finite("values", record.values.data(), table_.pairs());
  require_at_least("steps", record.steps, 0);
  require_at_least("updates", record.updates, 0);
  restore_pairs(record);
  restore_queue(record);
  for (Index pair = 0; pair < table_.pairs(); ++pair) table_.set(pair, record.values[static_cast<std::size_t>(pair)]);
  model_.set_steps(record.steps);
  updates_ = record.updates;
  stream_ = WordStream(settings_.seed, record.place);
}

void TabularAgent::restore_pairs(const TabularRecord& record) {
  const std::size_t count = record.tried.size();
  require_entries("next_states", record.next_states, static_cast<Index>(count));
  require_entries("rewards", record.rewards, static_cast<Index>(count));
  require_entries("last_tried", record.last_tried, static_cast<Index>(count));
  const DiscreteSpace pairs{0, table_.pairs()};
  const DiscreteSpace outcomes{0, table_.states() + 1};
  for (std::size_t k = 0; k < count; ++k) {
    const Index pair = pairs.index_of(record.tried[k], "tried");
    const Index when = record.last_tried[k];
    if (model_.is_tried(pair)) throw_value_error("tried", "pair " + text_of(pair) + " twice", "listed once");
    require_in("last_tried", when, 1, record.steps);
    require_reward(record.rewards[k]);
    model_.restore(pair, {record.rewards[k], outcomes.index_of(record.next_states[k], "next_states")}, when);
  }
}

void TabularAgent::restore_queue(const TabularRecord& record) {
  if (!record.queued.empty() || !record.priorities.empty()) {
    throw_value_error("queued", "a queue", "empty: this agent has none");
  }
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
