#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "dynaplan/agents/discrete_space.hpp"
#include "dynaplan/agents/q_table.hpp"
#include "dynaplan/agents/transition_model.hpp"
#include "dynaplan/core/interrupt.hpp"
#include "dynaplan/core/rounding.hpp"
#include "dynaplan/core/word_stream.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// The largest table, in pairs of a state and an action: an agent takes 40 to 70 bytes for each.
inline constexpr Index kMaxPairs = Index{1} << 26;
/// The largest size of a reward: sums of such rewards cannot overflow.
inline constexpr double kMaxReward = 1e100;

/// Settings that all tabular agents share, in the symbols of Sutton & Barto 2018.
struct TabularSettings {
  DiscreteSpace states;
  DiscreteSpace actions;
  double learning_rate = 0.1;  // alpha
  double discount = 0.95;      // gamma
  double exploration = 0.1;    // epsilon
  Index planning_steps = 10;   // n
  std::uint64_t seed = 0;

  /// Throws ValueError.
  void validate() const;
};

/// A real step, in the environment's own numbers.
struct TabularStep {
  std::int64_t state;
  std::int64_t action;
  double reward;
  std::int64_t next_state;
  bool terminated;
};

/// All that an agent has learned and the place of its random words: what is needed to resume bit for bit. Pairs stand
/// in the order in which they were first tried; the queue is empty but for prioritized sweeping.
struct TabularRecord {
  std::vector<double> values;
  std::vector<std::int64_t> tried, next_states, last_tried, queued;
  std::vector<double> rewards, priorities;
  std::int64_t steps = 0;
  std::int64_t updates = 0;
  std::uint64_t place = 0;
};

/// An agent with a table of values and a tabular model that learns from each real step and from imagined ones.
/// Epsilon-greedy, ties broken at random. Not for use by two threads at once.
class TabularAgent {
 public:
  /// Throws ValueError.
  explicit TabularAgent(const TabularSettings& settings);
  TabularAgent(const TabularAgent&) = delete;
  TabularAgent& operator=(const TabularAgent&) = delete;
  virtual ~TabularAgent() = default;

  /// The next action; with probability `exploration` one drawn from all, unless `explore` is false.
  /// Throws ValueError for a state that is not in the space.
  std::int64_t act(std::int64_t state, bool explore = true);
  /// Learns from a real step; `interrupt`, which may be null, ends the imagined ones early. Throws ValueError and
  /// changes nothing if a number is out of range.
  void observe(const TabularStep& step, const Interrupt* interrupt = nullptr);

  const TabularSettings& settings() const { return settings_; }
  /// Changes how often `act` draws from all actions. Throws ValueError.
  void set_exploration(double exploration);
  const QTable& table() const { return table_; }
  /// Real steps so far.
  Index steps() const { return model_.steps(); }
  /// Values updated so far, after real steps and imagined ones.
  Index updates() const { return updates_; }

  TabularRecord record() const;
  /// Resumes from a record, in an agent that has not learned anything yet. Throws ValueError, ShapeError.
  void restore(const TabularRecord& record);

 protected:
  /// Learns from the pair that has just been recorded, and from imagined steps.
  virtual void learn(Index pair) = 0;
  virtual void record_queue(TabularRecord& /*record*/) const {}
  virtual void restore_queue(const TabularRecord& record);

  /// Whether the imagined steps continue after `made` of them.
  bool continues(Index made) const {
    constexpr Index kBetweenQuestions = 4096;  // tens of microseconds
    if (made >= settings_.planning_steps) return false;
    return interrupt_ == nullptr || made % kBetweenQuestions != kBetweenQuestions - 1 || !interrupt_->requested();
  }
  /// What an outcome makes of the value before it: reward + discount * value of the best action after it.
  double target(const Outcome& outcome) const {
    return outcome.reward + rounded_product(settings_.discount, table_.largest(outcome.next_state));
  }
  /// Moves the value of a pair towards a target.
  void update(Index pair, double target) {
    const double value = table_.value(pair);
    table_.set(pair, value + rounded_product(settings_.learning_rate, target - value));
    ++updates_;
  }
  const TransitionModel& model() const { return model_; }
  WordStream& stream() { return stream_; }

 private:
  void restore_pairs(const TabularRecord& record);

  TabularSettings settings_;
  QTable table_;
  TransitionModel model_;
  WordStream stream_;
  Index updates_ = 0;
  const Interrupt* interrupt_ = nullptr;  // of the step that is being learned from
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
