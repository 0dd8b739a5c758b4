#include "dynaplan/environments/maze.hpp"

#include <algorithm>

#include "dynaplan/core/check.hpp"
#include "dynaplan/core/error.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

Index validated_cells(const MazeLayout& layout) {
  layout.validate();
  return layout.rows * layout.columns;
}

// Where each action leads from each cell.
std::vector<std::int32_t> next_states(const MazeLayout& layout, const std::vector<std::uint8_t>& walls) {
  std::vector<std::int32_t> next;
  next.reserve(walls.size() * Maze::kActions);
  for (Index row = 0; row < layout.rows; ++row) {
    for (Index column = 0; column < layout.columns; ++column) {
      const std::array<std::array<Index, 2>, Maze::kActions> cells{{{std::max<Index>(row - 1, 0), column},
                                                                    {std::min(row + 1, layout.rows - 1), column},
                                                                    {row, std::max<Index>(column - 1, 0)},
                                                                    {row, std::min(column + 1, layout.columns - 1)}}};
      for (const auto& cell : cells) {
        const Index to = cell[0] * layout.columns + cell[1];
        const bool is_wall = walls[static_cast<std::size_t>(to)] != 0;
        next.push_back(static_cast<std::int32_t>(is_wall ? row * layout.columns + column : to));
      }
    }
  }
  return next;
}

}  // namespace

void MazeLayout::validate() const {
  if (rows < 1 || columns < 1 || rows > Maze::kMaxCells / columns) {
    throw_value_error("layout", text_of(rows) + " by " + text_of(columns) + " cells",
                      "from 1 to " + text_of(Maze::kMaxCells) + " in all");
  }
  const auto cells = static_cast<std::size_t>(rows * columns);
  if (goals.size() != cells || walls.size() != cells || !(changed_walls.empty() || changed_walls.size() == cells)) {
    throw ShapeError("goals, walls: must have one entry for each of the " + text_of(cells) + " cells");
  }
  require_in("start", start, 0, rows * columns - 1);
  if (std::count(goals.begin(), goals.end(), 0) == rows * columns) {
    throw_value_error("goals", "none", "at least one cell");
  }
  const auto place = static_cast<std::size_t>(start);
  require(goals[place] == 0 && walls[place] == 0, "start", start, "a cell that is neither a goal nor a wall");
  require_at_least("switch_at", switch_at, 0);
}

Maze::Maze(const MazeLayout& layout)
    : states_(validated_cells(layout)),
      start_(layout.start),
      state_(layout.start),
      changes_(!layout.changed_walls.empty()),
      switch_at_(layout.switch_at),
      goals_(layout.goals),
      next_{next_states(layout, layout.walls),
            changes_ ? next_states(layout, layout.changed_walls) : std::vector<std::int32_t>{}} {}

void Maze::restore(Index state, std::int64_t clock) {
  require_in("state", state, 0, states_ - 1);
  require_at_least("clock", clock, 0);
  state_ = state;
  clock_ = clock;
}

Maze::Step Maze::step(std::int64_t action) {
  require_in("action", action, 0, kActions - 1);
  const auto& next = next_[has_changed() ? 1 : 0];
  state_ = next[static_cast<std::size_t>(state_ * kActions + action)];
  ++clock_;
  const bool is_goal = goals_[static_cast<std::size_t>(state_)] != 0;
  return {state_, is_goal ? 1.0 : 0.0, is_goal};
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
