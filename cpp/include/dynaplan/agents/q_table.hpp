#pragma once

#include <vector>

#include "dynaplan/core/word_stream.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Values of states and actions, 0 at first. A pair is numbered state * actions + action. One more state, `end()`,
/// stands for all that comes after a termination and stays at 0.
class QTable {
 public:
  QTable(Index states, Index actions);

  Index states() const { return states_; }
  Index actions() const { return actions_; }
  Index pairs() const { return states_ * actions_; }
  Index end() const { return states_; }

  double value(Index pair) const { return values_[static_cast<std::size_t>(pair)]; }
  void set(Index pair, double value) { values_[static_cast<std::size_t>(pair)] = value; }
  /// (states, actions), row by row.
  const double* values() const { return values_.data(); }

  /// The value of the best action.
  double largest(Index state) const {
    const double* const row = values_.data() + state * actions_;
    double best = row[0];
    for (Index action = 1; action < actions_; ++action) best = row[action] > best ? row[action] : best;
    return best;
  }
  /// The best action; of several as good ones, each is as likely. Takes a random word only then.
  Index greedy(Index state, WordStream& stream) const;
  /// The best action, of several as good ones the first.
  Index first_greedy(Index state) const;

 private:
  Index states_;
  Index actions_;
  std::vector<double> values_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
