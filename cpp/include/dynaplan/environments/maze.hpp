#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "dynaplan/core/block.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// What a maze is made of. Cells are numbered row by row; `walls` and `goals` hold one byte for each, 0 for none.
struct MazeLayout {
  Index rows = 0;
  Index columns = 0;
  Index start = 0;
  std::vector<std::uint8_t> goals;
  std::vector<std::uint8_t> walls;
  /// The walls once `switch_at` steps have been made; empty where they stay.
  std::vector<std::uint8_t> changed_walls;
  std::int64_t switch_at = 0;

  /// Throws ShapeError, ValueError.
  void validate() const;
};

/// A maze (Sutton & Barto 2018, chapter 8): up, down, left and right move by a cell, against a wall or the border they
/// leave the state as it is; reaching a goal pays 1 and ends the episode, all else pays 0.
class Maze {
 public:
  static constexpr Index kActions = 4;
  /// The maximum number of cells: see `kMaxPairs`.
  static constexpr Index kMaxCells = Index{1} << 24;

  struct Step {
    Index state;
    double reward;
    bool terminated;
  };

  /// Throws ShapeError, ValueError.
  explicit Maze(const MazeLayout& layout);

  Index states() const { return states_; }
  Index state() const { return state_; }
  /// Steps since the clock was last reset.
  std::int64_t clock() const { return clock_; }
  /// Whether the walls have changed by the next step.
  bool has_changed() const { return changes_ && clock_ >= switch_at_; }

  /// Back to the start; the clock continues.
  Index reset() { return state_ = start_; }
  void set_clock_back() { clock_ = 0; }
  /// Goes where another maze of the same layout is. Throws ValueError where there is no such place.
  void restore(Index state, std::int64_t clock);
  /// Throws ValueError for an action that is not from 0 to 3.
  Step step(std::int64_t action);

 private:
  Index states_;
  Index start_;
  Index state_;
  bool changes_;
  std::int64_t switch_at_;
  std::int64_t clock_ = 0;
  std::vector<std::uint8_t> goals_;
  std::array<std::vector<std::int32_t>, 2> next_;  // before and after the change, (states, actions)
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
