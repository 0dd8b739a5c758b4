"""Dyna-Q in the Dyna maze in plain Python: lists, and a dict as the model, as the book tells it."""

from __future__ import annotations

import random

import numpy as np
import numpy.typing as npt

from bench.case import Prepared
from bench.maze_workload import ACTIONS, GOAL, START, DynaMaze


class DynaQ:
    """A table of lists; the environment is a table of moves, so that no call is paid for it."""

    def __init__(self, inputs: DynaMaze) -> None:
        self.inputs = inputs
        self.moves: list[list[int]] = inputs.next_states.tolist()
        self.q = [[0.0] * ACTIONS for _ in self.moves]
        self.model: dict[int, dict[int, tuple[float, int]]] = {}
        self.visited: list[int] = []
        self.tried: list[list[int]] = [[] for _ in self.moves]
        self.state = START
        self.draw = random.Random(0).random

    def act(self, state: int) -> int:
        """Returns the next action, ties broken at random."""
        draw = self.draw
        if draw() < self.inputs.exploration:
            return int(draw() * ACTIONS)
        row = self.q[state]
        best = max(row)
        ties = [action for action in range(ACTIONS) if row[action] == best]
        return ties[int(draw() * len(ties))]

    def run(self) -> None:
        """Makes the steps of a call."""
        q, model, visited, tried, draw = self.q, self.model, self.visited, self.tried, self.draw
        alpha, gamma = self.inputs.learning_rate, self.inputs.discount
        state = self.state
        for _ in range(self.inputs.steps):
            action = self.act(state)
            next_state = self.moves[state][action]
            reward = 1.0 if next_state == GOAL else 0.0
            q[state][action] += alpha * (reward + gamma * max(q[next_state]) - q[state][action])
            if state not in model:
                model[state] = {}
                visited.append(state)
            if action not in model[state]:
                tried[state].append(action)
            model[state][action] = (reward, next_state)
            for _ in range(self.inputs.planning_steps):
                s = visited[int(draw() * len(visited))]
                a = tried[s][int(draw() * len(tried[s]))]
                r, following = model[s][a]
                q[s][a] += alpha * (r + gamma * max(q[following]) - q[s][a])
            state = START if next_state == GOAL else next_state
        self.state = state

    def values(self) -> npt.NDArray[np.float64]:
        """Returns the table, (54, 4)."""
        return np.array(self.q)


def dyna_maze(inputs: DynaMaze, threads: int) -> Prepared:
    """Dyna-Q in plain Python."""
    agent = DynaQ(inputs)
    return Prepared(agent.run, agent.values, note="lists and a dict")
