"""How often states some steps ahead lie within the bands that a model draws."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynaplan.data.angles import Angles
from dynaplan.data.transitions import Transitions
from dynaplan.models.interface import Model
from dynaplan.rollouts.bands import (
    BAND_PARTICLES,
    are_inside,
    band_factors_of,
    drawn_bands,
    scaled_bands,
)
from dynaplan.rollouts.open_loop import Ahead
from dynaplan.rollouts.rollout import Propagation

__all__ = ["band_coverage"]

_STARTS_AT_ONCE = 4096 // BAND_PARTICLES  # bounds the memory of the trajectories

Float64 = NDArray[np.float64]


def band_coverage(  # noqa: PLR0917  # called in one place
    model: Model,
    held_out: Transitions,
    of_states: tuple[Ahead, Angles],
    propagation: Propagation,
    seed: int | None,
    threads: int,
) -> tuple[Float64, Float64 | None]:
    """Returns (K,): the share of entries of the states within the bands of drawn trajectories.

    With the model's factors on its bands, and without, where it has some.
    """
    ahead, angles = of_states
    reached = ahead.reached
    count, horizon = reached.shape
    factors = band_factors_of(model, propagation)
    as_drawn, scaled = np.zeros((2, horizon))
    for first in range(0, count, _STARTS_AT_ONCE):
        some = slice(first, first + _STARTS_AT_ONCE)
        rows = ahead.rows(some)
        drawn = drawn_bands(
            model,
            held_out.states[some],
            held_out.actions[rows],
            propagation,
            None if seed is None else (seed + first) % 2**64,
            threads,
        )
        actual = held_out.next_states[rows]
        as_drawn += (are_inside(drawn, actual, angles).mean(axis=2) * reached[some]).sum(axis=0)
        if factors is not None:
            held = scaled_bands(drawn, factors)
            scaled += (are_inside(held, actual, angles).mean(axis=2) * reached[some]).sum(axis=0)
    starts = reached.sum(axis=0)
    if factors is None:
        return as_drawn / starts, None
    return scaled / starts, as_drawn / starts
