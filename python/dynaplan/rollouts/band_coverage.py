"""How often states some steps ahead lie within the bands that a model draws."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynaplan.data.angles import Angles
from dynaplan.data.transitions import Transitions
from dynaplan.models.interface import Model
from dynaplan.rollouts.bands import (
    are_inside,
    band_factors_of,
    drawn_ahead,
    scaled_bands,
)
from dynaplan.rollouts.open_loop import Ahead
from dynaplan.rollouts.rollout import Propagation

__all__ = ["band_coverage"]

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

    Known states, of which there is nothing to hold at first, do not count.

    With the model's factors on its bands, and without, where it has some.
    """
    ahead, angles = of_states
    reached, learned = ahead.reached, held_out.known.learned(held_out.state_dim)
    factors = band_factors_of(model, propagation)
    as_drawn, scaled = np.zeros((2, reached.shape[1]))
    for some, rows, drawn in drawn_ahead(model, held_out, ahead, propagation, seed, threads):
        actual = held_out.next_states[rows]
        inside = are_inside(drawn, actual, angles)[..., learned]
        as_drawn += (inside.mean(axis=2) * reached[some]).sum(axis=0)
        if factors is not None:
            held = scaled_bands(drawn, factors)
            inside = are_inside(held, actual, angles)[..., learned]
            scaled += (inside.mean(axis=2) * reached[some]).sum(axis=0)
    starts = reached.sum(axis=0)
    if factors is None:
        return as_drawn / starts, None
    return scaled / starts, as_drawn / starts
