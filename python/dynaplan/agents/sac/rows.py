"""Transitions as the agent's replay takes them."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dynaplan import _arrays

__all__ = ["transition_rows"]

_Rows: TypeAlias = NDArray[Any]


class SizedAgent(Protocol):
    """What has states and actions of known sizes."""

    @property
    def state_dim(self) -> int:
        """S."""

    @property
    def action_dim(self) -> int:
        """A."""


def transition_rows(  # noqa: PLR0917  # in the order of `observe`
    agent: SizedAgent,
    states: Any,
    actions: Any,
    rewards: Any,
    next_states: Any,
    terminated: Any,
) -> tuple[_Rows, _Rows, _Rows, _Rows, _Rows]:
    """Returns states (N, S), actions (N, A), rewards (N,), next states (N, S) and ends (N,).

    Args:
        agent: whose sizes they must have.
        states: (N, S), or (S,).
        actions: (N, A), or (A,).
        rewards: (N,), or a number.
        next_states: (N, S), or (S,).
        terminated: (N,) bools, or one.

    Raises:
        ShapeError: an array has the wrong shape.
        TypeError: an array is of another type.
    """
    ended = np.atleast_1d(np.ascontiguousarray(_arrays.any_array("terminated", terminated)))
    if ended.dtype != np.bool_:
        raise TypeError(f"terminated: got dtype {ended.dtype}, must be bool")
    return (
        _arrays.rows("states", states, agent.state_dim),
        _arrays.rows("actions", actions, agent.action_dim),
        np.atleast_1d(_arrays.numbers("rewards", rewards)),
        _arrays.rows("next_states", next_states, agent.state_dim),
        ended,
    )
