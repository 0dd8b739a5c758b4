"""Agents with tables, and mazes."""

from typing import Any, SupportsFloat, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from dynaplan._core._arrays import _Float64

_Int64 = NDArray[np.int64]
# Values, tried pairs, their next states, rewards and last tries, queued pairs, their priorities,
# real steps, updates, place of the random stream.
_Record = tuple[_Float64, _Int64, _Int64, _Float64, _Int64, _Int64, _Float64, int, int, int]

class TabularSettings:
    """Settings that all agents with tables share."""

    def __init__(
        self,
        state_start: int,
        states: int,
        action_start: int,
        actions: int,
        learning_rate: float,
        discount: float,
        exploration: float,
        planning_steps: int,
        seed: int,
    ) -> None: ...

class TabularAgent:
    """An agent with a table of values and a model of tables."""

    def act(self, state: SupportsIndex, explore: bool = True) -> int: ...
    def observe(
        self,
        state: SupportsIndex,
        action: SupportsIndex,
        reward: SupportsFloat,
        next_state: SupportsIndex,
        terminated: bool,
    ) -> None: ...
    def values(self) -> _Float64: ...
    def policy(self) -> _Int64: ...
    def record(self) -> _Record: ...
    def restore(self, record: _Record) -> None: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def discount(self) -> float: ...
    @property
    def planning_steps(self) -> int: ...
    @property
    def exploration(self) -> float: ...
    @exploration.setter
    def exploration(self, exploration: float) -> None: ...
    @property
    def steps(self) -> int: ...
    @property
    def updates(self) -> int: ...

class Maze:
    """A maze of chapter 8 of Sutton & Barto 2018."""

    def __init__(
        self,
        rows: int,
        columns: int,
        start: int,
        goals: NDArray[np.uint8],
        walls: NDArray[np.uint8],
        changed_walls: NDArray[np.uint8] | None,
        switch_at: int,
    ) -> None: ...
    def reset(self) -> int: ...
    def set_clock_back(self) -> None: ...
    def restore(self, state: int, clock: int) -> None: ...
    def step(self, action: Any) -> tuple[int, float, bool]: ...
    def run(self, agent: TabularAgent, steps: int) -> tuple[_Float64, NDArray[np.bool_]]: ...
    @property
    def clock(self) -> int: ...
    @property
    def state(self) -> int: ...
    @property
    def has_changed(self) -> bool: ...

def dyna_q(settings: TabularSettings) -> TabularAgent: ...
def dyna_q_plus(settings: TabularSettings, bonus: float) -> TabularAgent: ...
def prioritized_sweeping(settings: TabularSettings, threshold: float) -> TabularAgent: ...
