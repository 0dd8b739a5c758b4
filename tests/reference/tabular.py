"""Q-learning, Dyna-Q, Dyna-Q+ and prioritized sweeping as the book's boxes have them, in dicts.

The random words are those of the counter-based stream, so that results can be compared to the bit.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np

from dynaplan import _core

END = "the end"


def words(seed: int) -> Iterator[int]:
    """The words of a seed: four of each counter (low, high, 0, 2**32 - 1)."""
    key = np.array([seed % 2**32, seed >> 32], np.uint32)
    number = 0
    while True:
        counter = np.array([number % 2**32, number >> 32, 0, 2**32 - 1], np.uint32)
        yield from map(int, _core.philox(counter, key))
        number += 1


class QLearning:
    """Section 6.5; tables of floats, states and actions from 0 on."""

    def __init__(self, actions: int, alpha: float, gamma: float, epsilon: float, seed: int) -> None:
        self.actions, self.alpha, self.gamma, self.epsilon = actions, alpha, gamma, epsilon
        self.words = words(seed)
        self.q: defaultdict[tuple[Any, int], float] = defaultdict(float)

    def below(self, limit: int) -> int:
        return next(self.words) * limit >> 32

    def act(self, state: int) -> int:
        if self.epsilon > 0.0 and next(self.words) / 2**32 < self.epsilon:
            return self.below(self.actions)
        row = [self.q[state, action] for action in range(self.actions)]
        best = [action for action, value in enumerate(row) if value == max(row)]
        return best[self.below(len(best))] if len(best) > 1 else best[0]

    def target(self, reward: float, next_state: Any) -> float:
        if next_state == END:
            return reward
        row = [self.q[next_state, action] for action in range(self.actions)]
        return reward + self.gamma * max(row)

    def update(self, state: int, action: int, target: float) -> None:
        self.q[state, action] += self.alpha * (target - self.q[state, action])

    def observe(
        self, state: int, action: int, reward: float, next_state: int, terminated: bool
    ) -> None:
        self.update(state, action, self.target(reward, END if terminated else next_state))


class DynaQ(QLearning):
    """Section 8.2."""

    def __init__(self, *settings: Any, n: int) -> None:
        super().__init__(*settings)
        self.n = n
        self.time = 0
        self.model: dict[int, dict[int, tuple[float, Any]]] = {}
        self.tried_at: dict[tuple[int, int], int] = {}

    def observe(
        self, state: int, action: int, reward: float, next_state: int, terminated: bool
    ) -> None:
        super().observe(state, action, reward, next_state, terminated)
        self.remember(state, action, reward, END if terminated else next_state)
        for _ in range(self.n):
            self.imagine()

    def remember(self, state: int, action: int, reward: float, next_state: Any) -> None:
        self.time += 1
        self.model.setdefault(state, {})[action] = (reward, next_state)
        self.tried_at[state, action] = self.time

    def imagine(self) -> None:
        state = list(self.model)[self.below(len(self.model))]
        tried = list(self.model[state])
        action = tried[self.below(len(tried))]
        self.update(state, action, self.target(*self.model[state][action]))


class DynaQPlus(DynaQ):
    """Section 8.3, with the footnote on actions that were never tried."""

    def __init__(self, *settings: Any, n: int, kappa: float) -> None:
        super().__init__(*settings, n=n)
        self.kappa = kappa

    def imagine(self) -> None:
        state = list(self.model)[self.below(len(self.model))]
        action = self.below(self.actions)
        reward, next_state = self.model[state].get(action, (0.0, state))
        waited = self.time - self.tried_at.get((state, action), 0)
        self.update(state, action, self.target(reward + self.kappa * math.sqrt(waited), next_state))


class PrioritizedSweeping(DynaQ):
    """Section 8.4; of equal priorities the pair with the smaller number comes first."""

    def __init__(self, *settings: Any, n: int, theta: float) -> None:
        super().__init__(*settings, n=n)
        self.theta = theta
        self.queue: dict[tuple[int, int], float] = {}

    def observe(
        self, state: int, action: int, reward: float, next_state: int, terminated: bool
    ) -> None:
        self.remember(state, action, reward, END if terminated else next_state)
        self.put(state, action)
        for _ in range(self.n):
            if not self.queue:
                break
            first = max(self.queue, key=lambda pair: (self.queue[pair], -pair[0], -pair[1]))
            del self.queue[first]
            self.update(*first, self.target(*self.model[first[0]][first[1]]))
            for before, actions in self.model.items():
                for by, (_, leads_to) in actions.items():
                    if leads_to == first[0]:
                        self.put(before, by)

    def put(self, state: int, action: int) -> None:
        change = abs(self.target(*self.model[state][action]) - self.q[state, action])
        if change > self.theta:
            self.queue[state, action] = max(change, self.queue.get((state, action), 0.0))
