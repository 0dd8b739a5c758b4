"""All steps of many trajectories at once, and what functions of steps make of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynaplan import _callbacks
from dynaplan.rewards.terms import Reward, Term

__all__ = ["Steps", "step_arrays", "step_values", "takes_step"]


class Steps(NamedTuple):
    """All steps of N trajectories, one trajectory after another, in float64.

    Attributes:
        states: (N * H, S).
        actions: (N * H, A).
        next_states: (N * H, S).
        numbers: (N * H,) from 0 to H - 1.
        horizon: H.
    """

    states: NDArray[np.float64]
    actions: NDArray[np.float64]
    next_states: NDArray[np.float64]
    numbers: NDArray[np.int64]
    horizon: int

    def call(self, function: Callable[..., Any]) -> Any:
        """Calls a user's function with the batch, and with the step numbers if it takes them."""
        if takes_step(function):
            return function(*self[:3], step=self.numbers)
        return function(*self[:3])


def step_arrays(trajectories: NDArray[Any], actions: NDArray[Any]) -> Steps:
    """Returns all steps of trajectories (N, H + 1, S) under actions (N, H, A)."""
    count, horizon = actions.shape[:2]
    rows = count * horizon
    before, after = trajectories[:, :-1], trajectories[:, 1:]
    return Steps(
        before.astype(np.float64).reshape(rows, -1),
        actions.astype(np.float64).reshape(rows, -1),
        after.astype(np.float64).reshape(rows, -1),
        np.tile(np.arange(horizon), count),
        horizon,
    )


def step_values(
    function: Reward,
    steps: Steps,
    actions: NDArray[Any] | None,
    previous_action: NDArray[Any] | None,
    *,
    name: str = "reward",
) -> NDArray[np.float64]:
    """Returns (N * H,): a reward, or another function, of each step of trajectories.

    Args:
        function: a term, or a function of whole batches.
        steps: the steps.
        actions: (N, H, A) under which they were made; None: each was made by itself.
        previous_action: (A,) applied before the first step, or None.
        name: of the argument that the function is, for messages.
    """
    if not isinstance(function, Term):
        return _callbacks.numbers(name, steps.call(function), steps.numbers.shape, "number")
    before = None
    if actions is not None:
        before = np.empty_like(actions)
        before[:, :1] = actions[:, :1] if previous_action is None else previous_action
        before[:, 1:] = actions[:, :-1]
        before = before.reshape(steps.actions.shape)
    return function(*steps[:3], before, steps=steps.numbers, horizon=steps.horizon)


def takes_step(function: Callable[..., Any]) -> bool:
    """Returns whether a user's function has a parameter `step`."""
    try:
        step = inspect.signature(function).parameters.get("step")
    except (TypeError, ValueError):  # of some callables that are not written in Python
        return False
    return step is not None and step.kind in (step.POSITIONAL_OR_KEYWORD, step.KEYWORD_ONLY)
