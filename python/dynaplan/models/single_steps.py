"""One step of the core's dynamics for many states."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dynaplan import _core

__all__ = ["Drawn", "single_steps"]

Drawn: TypeAlias = Literal["mean", "sample"]
Float64 = NDArray[np.float64]


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
