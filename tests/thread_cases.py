"""Rewards under which a planner beside a loop plans, fails, or stays in the midst of a plan."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np


def paying(states: Any, actions: Any, next_states: Any) -> Any:
    return -np.square(next_states).sum(axis=1)


def failing(states: Any, actions: Any, next_states: Any) -> Any:
    raise ZeroDivisionError("of the reward")


class Blocking:
    """A reward in whose midst a plan stays until it is let go."""

    def __init__(self) -> None:
        self.entered, self.go = threading.Event(), threading.Event()

    def __call__(self, states: Any, actions: Any, next_states: Any) -> Any:
        self.entered.set()
        assert self.go.wait(60.0)
        return paying(states, actions, next_states)
