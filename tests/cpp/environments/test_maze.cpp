#include <doctest/doctest.h>

#include "dynaplan/core/error.hpp"
#include "dynaplan/environments/maze.hpp"

using namespace dynaplan;

namespace {

constexpr std::int64_t kUp = 0;
constexpr std::int64_t kDown = 1;
constexpr std::int64_t kLeft = 2;
constexpr std::int64_t kRight = 3;

// S # .
// . . G
MazeLayout small() {
  MazeLayout layout;
  layout.rows = 2;
  layout.columns = 3;
  layout.goals = {0, 0, 0, 0, 0, 1};
  layout.walls = {0, 1, 0, 0, 0, 0};
  return layout;
}

}  // namespace

TEST_CASE("borders and walls hold, the goal pays and ends") {
  Maze maze(small());
  for (const std::int64_t blocked : {kUp, kLeft, kRight}) CHECK(maze.step(blocked).state == 0);
  CHECK(maze.step(kDown).state == 3);
  CHECK(maze.step(kDown).state == 3);
  CHECK(maze.step(kRight).state == 4);
  CHECK(maze.step(kUp).state == 4);
  const Maze::Step last = maze.step(kRight);
  CHECK(last.state == 5);
  CHECK(last.reward == 1.0);
  CHECK(last.terminated);
  CHECK(maze.clock() == 8);
  CHECK(maze.reset() == 0);
  CHECK(maze.clock() == 8);
}

TEST_CASE("the walls change after so many steps, and change back with the clock") {
  MazeLayout layout = small();
  layout.changed_walls = {0, 0, 0, 1, 0, 0};
  layout.switch_at = 2;
  Maze maze(layout);
  CHECK(maze.step(kRight).state == 0);
  CHECK(maze.step(kRight).state == 0);
  CHECK(maze.has_changed());
  CHECK(maze.step(kDown).state == 0);
  CHECK(maze.step(kRight).state == 1);
  maze.reset();
  maze.set_clock_back();
  CHECK(!maze.has_changed());
  CHECK(maze.step(kDown).state == 3);
}

TEST_CASE("what is no maze is refused") {
  const auto refuses = [](auto change) {
    MazeLayout layout = small();
    change(layout);
    CHECK_THROWS_AS(Maze{layout}, Error);
  };
  refuses([](MazeLayout& m) { m.rows = 0; });
  refuses([](MazeLayout& m) { m.rows = Index{1} << 62; });
  refuses([](MazeLayout& m) { m.columns = 4; });
  refuses([](MazeLayout& m) { m.start = 6; });
  refuses([](MazeLayout& m) { m.start = 1; });
  refuses([](MazeLayout& m) { m.start = 5; });
  refuses([](MazeLayout& m) { m.goals[5] = 0; });
  refuses([](MazeLayout& m) { m.changed_walls = {0}; });
  refuses([](MazeLayout& m) { m.switch_at = -1; });
  Maze maze(small());
  CHECK_THROWS_AS(maze.step(4), ValueError);
  CHECK_THROWS_AS(maze.step(-1), ValueError);
}
