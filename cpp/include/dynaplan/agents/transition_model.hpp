#pragma once

#include <cstdint>
#include <vector>

#include "dynaplan/core/block.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// What a step led to.
struct Outcome {
  double reward;
  Index next_state;
};

/// A deterministic tabular model: the last outcome seen of each pair of a state and an action, and when. A pair never
/// tried leads back to its state without a reward. Pairs are numbered as in `QTable`.
class TransitionModel {
 public:
  TransitionModel(Index states, Index actions);

  /// Records a real step.
  void record(Index pair, const Outcome& outcome);
  /// Restores a pair as it was recorded at real step `when`, in the order in which pairs were first tried.
  void restore(Index pair, const Outcome& outcome, Index when);
  void set_steps(Index steps) { steps_ = steps; }

  Outcome outcome(Index pair) const {
    const Stored& stored = outcomes_[static_cast<std::size_t>(pair)];
    return {stored.reward, stored.next_state};
  }
  bool is_tried(Index pair) const { return last_tried(pair) > 0; }
  /// The real step of the last try, 1 for the first step; 0 before any.
  Index last_tried(Index pair) const { return last_tried_[static_cast<std::size_t>(pair)]; }
  /// Real steps so far.
  Index steps() const { return steps_; }

  /// How many states an action was tried in, and which, in the order of the first try.
  Index visited() const { return static_cast<Index>(visited_.size()); }
  Index visited_state(Index number) const { return visited_[static_cast<std::size_t>(number)]; }
  /// How many pairs of a state were tried, and which, likewise.
  Index tried_count(Index state) const { return tried_count_[static_cast<std::size_t>(state)]; }
  Index tried_pair(Index state, Index number) const {
    return tried_by_state_[static_cast<std::size_t>(state * actions_ + number)];
  }
  /// All pairs that were tried, in the order of the first try.
  const std::vector<std::int32_t>& tried() const { return tried_; }

 private:
  struct Stored {
    double reward;
    std::int32_t next_state;
  };

  Index actions_;
  Index steps_ = 0;
  std::vector<Stored> outcomes_;
  std::vector<std::int64_t> last_tried_;
  std::vector<std::int32_t> visited_;
  std::vector<std::int32_t> tried_count_;
  std::vector<std::int32_t> tried_by_state_;  // (states, actions), the first tried_count of a row are filled
  std::vector<std::int32_t> tried_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
