"""The Dyna maze of Sutton & Barto 2018, figure 8.2, as a table of moves, and how to check a run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

ROWS, COLUMNS = 6, 9
START, GOAL = 18, 8
WALLS = ((1, 2), (2, 2), (3, 2), (0, 7), (1, 7), (2, 7), (4, 5))
ACTIONS = 4  # up, down, left, right


@dataclass(frozen=True)
class DynaMaze:
    """Dyna-Q in the maze: alpha 0.1, gamma 0.95, epsilon 0.1.

    Attributes:
        next_states: (54, 4), where each action leads from each cell.
        planning_steps: imagined steps after each real one.
        steps: real steps of a call; agents go on from call to call.
    """

    next_states: npt.NDArray[np.int64]
    planning_steps: int
    steps: int
    learning_rate: float = 0.1
    discount: float = 0.95
    exploration: float = 0.1


def dyna_maze(planning_steps: int = 50, steps: int = 1000) -> DynaMaze:
    """Returns the maze and what to do in it."""
    next_states = np.empty((ROWS * COLUMNS, ACTIONS), np.int64)
    for state in range(ROWS * COLUMNS):
        row, column = divmod(state, COLUMNS)
        for action, (down, right) in enumerate([(-1, 0), (1, 0), (0, -1), (0, 1)]):
            to = (row + down, column + right)
            free = 0 <= to[0] < ROWS and 0 <= to[1] < COLUMNS and to not in WALLS
            next_states[state, action] = to[0] * COLUMNS + to[1] if free else state
    return DynaMaze(next_states, planning_steps, steps)


def steps_to_goal(inputs: DynaMaze, values: npt.NDArray[np.float64]) -> float:
    """Returns the steps of the greedy way by a table (54, 4); infinite if it never arrives."""
    state = START
    for steps in range(1, ROWS * COLUMNS + 1):
        state = int(inputs.next_states[state, int(np.argmax(values[state]))])
        if state == GOAL:
            return float(steps)
    return np.inf
