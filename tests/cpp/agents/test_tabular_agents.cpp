#include <doctest/doctest.h>

#include <array>
#include <limits>
#include <memory>

#include "dynaplan/agents/dyna_q.hpp"
#include "dynaplan/agents/maze_run.hpp"
#include "dynaplan/agents/prioritized_sweeping.hpp"
#include "dynaplan/core/error.hpp"

using namespace dynaplan;

namespace {

TabularSettings corridor(Index states) {
  TabularSettings settings;
  settings.states = {0, states};
  settings.actions = {0, 2};
  settings.learning_rate = 1.0;
  settings.discount = 0.5;
  return settings;
}

// Action 1 leads from 0 to 1 and so on; the last step pays 1 and ends.
void walk(TabularAgent& agent, Index states) {
  for (Index s = 0; s < states; ++s) {
    const bool last = s + 1 == states;
    agent.observe({s, 1, last ? 1.0 : 0.0, last ? s : s + 1, last});
  }
}

}  // namespace

TEST_CASE("one walk and one sweep back give the discounted values of all states, with one update for each") {
  TabularSettings settings = corridor(8);
  settings.planning_steps = 8;
  PrioritizedSweeping agent(settings, 0.0);
  walk(agent, 8);
  double wanted = 1.0;
  for (Index s = 7; s >= 0; --s, wanted *= 0.5) {
    CHECK(agent.table().value(2 * s + 1) == wanted);
    CHECK(agent.table().value(2 * s) == 0.0);
  }
  CHECK(agent.updates() == 8);
}

TEST_CASE("differences up to the threshold are let be") {
  TabularSettings settings = corridor(8);
  settings.planning_steps = 100;
  PrioritizedSweeping agent(settings, 0.25);
  walk(agent, 8);
  CHECK(agent.table().value(15) == 1.0);
  CHECK(agent.table().value(13) == 0.5);
  CHECK(agent.table().value(11) == 0.0);  // it would be 0.25
  CHECK(agent.updates() == 2);
}

TEST_CASE("a table with a value of nothing after the end: the end itself is never worth anything") {
  TabularSettings settings = corridor(3);
  settings.planning_steps = 50;
  DynaQ agent(settings);
  for (int n = 0; n < 20; ++n) walk(agent, 3);
  CHECK(agent.table().largest(agent.table().end()) == 0.0);
  CHECK(agent.table().value(5) == 1.0);
  CHECK(agent.table().value(3) == 0.5);
  CHECK(agent.table().value(1) == 0.25);
  CHECK(agent.updates() == 20 * 3 * 51);
}

TEST_CASE("actions of equal value are drawn alike, and no word is drawn where one is best") {
  QTable table(1, 4);
  WordStream stream(3);
  table.set(1, 2.0);
  CHECK(table.greedy(0, stream) == 1);
  CHECK(stream.place() == 0);
  table.set(3, 2.0);
  std::array<int, 4> count{};
  for (int n = 0; n < 10000; ++n) ++count[static_cast<std::size_t>(table.greedy(0, stream))];
  CHECK(count[0] + count[2] == 0);
  CHECK(count[1] == doctest::Approx(5000).epsilon(0.05));
  CHECK(table.first_greedy(0) == 1);
}

TEST_CASE("Dyna-Q+ pays for the time since a try, and imagines what was never tried as leading back") {
  TabularSettings settings = corridor(2);
  settings.discount = 0.0;
  settings.planning_steps = 200;
  DynaQPlus agent(settings, 0.5);
  for (int n = 0; n < 9; ++n) agent.observe({0, 1, 1.0, 0, false});
  CHECK(agent.table().value(0) == 0.5 * std::sqrt(9.0));  // never tried: all nine steps
  CHECK(agent.table().value(1) == 1.0);                   // tried in this step
  CHECK(agent.table().value(2) == 0.0);                   // its state was never visited
}

TEST_CASE("what cannot be is refused and changes nothing") {
  TabularSettings settings = corridor(3);
  settings.states.start = -5;
  DynaQ agent(settings);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::array<TabularStep, 6> wrong{{{-6, 0, 0.0, -5, false},
                                          {-2, 0, 0.0, -5, false},
                                          {-5, 2, 0.0, -5, false},
                                          {-5, 0, nan, -5, false},
                                          {-5, 0, 1e101, -5, false},
                                          {-5, 0, 0.0, std::numeric_limits<std::int64_t>::max(), true}}};
  for (const TabularStep& step : wrong) CHECK_THROWS_AS(agent.observe(step), ValueError);
  CHECK(agent.steps() == 0);
  CHECK(agent.record().place == 0);
  settings.states = {std::numeric_limits<std::int64_t>::max(), 1};
  CHECK_THROWS_AS(DynaQ{settings}, ValueError);
  settings.states = {0, kMaxPairs};
  CHECK_THROWS_AS(DynaQ{settings}, ValueError);
}

TEST_CASE("a run in a maze that is cut into pieces is the same run") {
  MazeLayout layout;
  layout.rows = 3;
  layout.columns = 4;
  layout.goals.assign(12, 0);
  layout.goals[11] = 1;
  layout.walls.assign(12, 0);
  layout.walls[5] = 1;
  TabularSettings settings;
  settings.states = {0, 12};
  settings.actions = {0, Maze::kActions};
  Maze whole_maze(layout);
  Maze cut_maze(layout);
  DynaQ whole(settings);
  DynaQ cut(settings);
  std::array<double, 600> rewards{};
  std::array<bool, 600> terminations{};
  run_maze(whole, whole_maze, 600, rewards.data(), terminations.data());
  for (int k = 0; k < 600; k += 50) run_maze(cut, cut_maze, 50, rewards.data(), terminations.data());
  CHECK(whole.record().values == cut.record().values);
  CHECK(whole.record().place == cut.record().place);
  settings.actions.count = 5;
  DynaQ other(settings);
  CHECK_THROWS_AS(run_maze(other, cut_maze, 1, rewards.data(), terminations.data()), ValueError);
}
