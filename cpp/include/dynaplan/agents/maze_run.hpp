#pragma once

#include "dynaplan/agents/tabular_agent.hpp"
#include "dynaplan/environments/maze.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Lets an agent act and learn in a maze for `steps` real steps, from the maze's state on, back at the start after each
/// episode. Writes the reward of each step, and whether it ended an episode. Throws ValueError if the agent was made
/// for other states or actions.
void run_maze(TabularAgent& agent, Maze& maze, Index steps, double* rewards, bool* terminations);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
