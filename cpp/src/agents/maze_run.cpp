#include "dynaplan/agents/maze_run.hpp"

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

void run_maze(TabularAgent& agent, Maze& maze, Index steps, double* rewards, bool* terminations) {
  const DiscreteSpace& states = agent.settings().states;
  const DiscreteSpace& actions = agent.settings().actions;
  if (states.start != 0 || states.count != maze.states() || actions.start != 0 || actions.count != Maze::kActions) {
    throw_value_error(
        "agent", "one for " + text_of(states.count) + " states and " + text_of(actions.count) + " actions",
        "for the maze's " + text_of(maze.states()) + " and " + text_of(Maze::kActions) + ", numbered from 0");
  }
  for (Index k = 0; k < steps; ++k) {
    const Index state = maze.state();
    const std::int64_t action = agent.act(state);
    const Maze::Step made = maze.step(action);
    agent.observe({state, action, made.reward, made.state, made.terminated});
    rewards[k] = made.reward;
    terminations[k] = made.terminated;
    if (made.terminated) maze.reset();
  }
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
