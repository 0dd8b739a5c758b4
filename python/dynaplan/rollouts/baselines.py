"""Predictions without a model, which a model must beat to be of use."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dynaplan.data.rows import begins
from dynaplan.data.transitions import Transitions
from dynaplan.rollouts.open_loop import STARTS_AT_ONCE, Ahead, Scale, squared

__all__ = ["BASELINES", "NO_CHANGE", "baseline_sizes"]

NO_CHANGE = "nothing changes"
BASELINES = (NO_CHANGE, "the mean", "constant velocity")

Float64 = NDArray[np.float64]


def baseline_sizes(
    data: Transitions, ahead: Ahead, scale: Scale, mean: Float64
) -> dict[str, Float64]:
    """Returns for each baseline (N, K) root mean square errors over the states.

    Args:
        data: where it starts, and what it is compared with.
        ahead: what follows each row.
        scale: of the states.
        mean: (S,) of the states, the circular one of angles, of data that the baseline may know.

    Constant velocity is the change from the state before, once more at each step; where a segment
    begins, none.
    """
    velocity = np.zeros_like(data.states)
    later = ~begins(data.segments)
    velocity[later] = scale.angles.short_way(data.states[1:] - data.states[:-1])[later[1:]]
    steps = (ahead.steps + 1.0)[:, None]
    predictions: tuple[Callable[[slice], Float64], ...] = (
        lambda some: data.states[some, None],
        lambda some: mean,
        lambda some: data.states[some, None] + steps * velocity[some, None],
    )
    sizes = {name: np.empty(ahead.reached.shape) for name in BASELINES}
    for first in range(0, len(data), STARTS_AT_ONCE):
        some = slice(first, first + STARTS_AT_ONCE)
        actual = data.next_states[ahead.rows(some)]
        for name, predict in zip(BASELINES, predictions, strict=True):
            difference = squared(actual - predict(some), ahead.reached[some], scale)
            sizes[name][some] = scale.size(difference)
    return sizes
