"""One step of the core's dynamics for many states."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _core
from dynaplan.models.interface import Model

__all__ = ["Drawn", "drawn_steps", "single_steps"]

Drawn: TypeAlias = Literal["mean", "sample"]
Float64 = NDArray[np.float64]


def drawn_steps(
    model: Model, states: ArrayLike, actions: ArrayLike, seed: int | None, threads: int
) -> Float64:
    """Returns (N, S): a draw of the next state of each row, as a model's `sample` gives it.

    Raises:
        ShapeError: an array has the wrong shape.
        ArgumentError: a state or an action is not finite.
    """
    state_rows = _arrays.finite_rows("states", states, model.state_dim)
    action_rows = _arrays.finite_rows("actions", actions, model.action_dim)
    number, count = _arrays.seed_number(seed), _arrays.count("threads", threads)
    return single_steps(model.dynamics, state_rows, action_rows, "sample", number, count)


def single_steps(  # noqa: PLR0917  # called in two places
    dynamics: _core.Dynamics,
    states: Float64,
    actions: Float64,
    drawn: Drawn,
    seed: int,
    threads: int,
) -> Float64:
    """Returns (N, S): each state one step later.

    Args:
        dynamics: of a model.
        states: (N, S).
        actions: (N, A).
        drawn: the mean, or a sample.
        seed: of the draws.
        threads: threads to use.
    """
    out = np.empty((len(actions), 1, 2, states.shape[1]))
    _core.rollout(
        dynamics,
        states,
        actions[:, None],
        None,
        None,
        _core.Particles(drawn, 1, "mean", 1.0),
        None,
        seed,
        threads,
        out,
    )
    return out[:, 0, 1].copy()
