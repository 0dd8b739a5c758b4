"""dynaplan's agents with tables in the Dyna maze, compiled as a whole and stepped from Python."""

from __future__ import annotations

import dynaplan as dp
from bench.case import Prepared
from bench.maze_workload import DynaMaze
from dynaplan.envs.mazes import Maze


def agent_of(inputs: DynaMaze, maze: Maze) -> dp.DynaQ:
    """Returns a fresh agent for the maze."""
    return dp.DynaQ(
        maze,
        learning_rate=inputs.learning_rate,
        discount=inputs.discount,
        exploration=inputs.exploration,
        planning_steps=inputs.planning_steps,
        seed=0,
    )


def compiled(inputs: DynaMaze, threads: int) -> Prepared:
    """`maze.run`: all steps of a call without Python."""
    maze = Maze()
    agent = agent_of(inputs, maze)
    return Prepared(
        lambda: maze.run(agent, inputs.steps), lambda: agent.q, note="maze.run, one call"
    )


def from_python(inputs: DynaMaze, threads: int) -> Prepared:
    """`agent.learn`: every real step passes through Gymnasium's interface."""
    agent = agent_of(inputs, Maze())
    return Prepared(
        lambda: agent.learn(inputs.steps), lambda: agent.q, note="agent.learn, bare environment"
    )
