"""What a model gets wrong on held-out data, and the reference data that it is measured by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynaplan.data.transitions import Transitions
from dynaplan.models.interface import Model
from dynaplan.rollouts.measurement_noise import MeasurementNoise, measurement_noise
from dynaplan.rollouts.one_step import OneStep, deviation_of, one_step_errors
from dynaplan.rollouts.open_loop import (
    Ahead,
    Differences,
    Scale,
    changes,
    open_loop_errors,
    quantile,
)

__all__ = ["HeldOutErrors", "Yardstick", "held_out_errors"]

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Yardstick:
    """Spread, noise and change of the reference data.

    Attributes:
        spread: (S,) standard deviations of the states, exactly 0 of those that never varied.
        scale: the lengths in which differences are counted.
        noise: of the sensors.
        moved: how far the states move in 1 ... K steps.
        change_median: (K,) median of that over the starts.
    """

    spread: Float64
    scale: Scale
    noise: MeasurementNoise
    moved: Differences
    change_median: Float64

    @staticmethod
    def of(reference: Transitions, horizon: int, *, steps: int | None = None) -> Yardstick:
        """Measures reference data.

        Args:
            reference: the data.
            horizon: steps to look ahead, at most the longest segment.
            steps: K. Beyond the longest segment the last figure holds on. Default: up to there.
        """
        # The deviation of equal numbers may come out as 1e-17 of them, which is no scale.
        varied = reference.states.max(axis=0) > reference.states.min(axis=0)
        spread = np.where(varied, deviation_of(reference.states), 0.0)
        scale = Scale.of(reference.states, spread)
        ahead = Ahead.of(reference, horizon)
        moved = changes(reference, ahead, scale)
        [change_median] = quantile(moved.size, moved.reached, 0.5)
        later = max(0, (steps or 0) - len(ahead.steps))
        return Yardstick(
            spread,
            scale,
            measurement_noise(reference, ahead.ends, spread),
            moved,
            np.pad(change_median, (0, later), mode="edge"),
        )

    @property
    def change_squares(self) -> Float64:
        """(K, S) mean squares of the changes of each state, in squared units."""
        later = len(self.change_median) - len(self.moved.mean_squares)
        return np.pad(self.moved.mean_squares, ((0, later), (0, 0)), mode="edge")


@dataclass(frozen=True)
class HeldOutErrors:
    """The errors of a model.

    Attributes:
        one_step: of N rows.
        ahead: of the same rows as starts of rollouts of up to K steps.
        groups: (N,) numbers of the groups that the rows are of, from 0.
    """

    one_step: OneStep
    ahead: Differences
    groups: NDArray[np.int64]


def held_out_errors(  # noqa: PLR0917  # called by the names it takes
    model: Model,
    held_out: Transitions,
    ahead: Ahead,
    yardstick: Yardstick,
    groups: NDArray[np.int64],
    threads: int,
) -> HeldOutErrors:
    """Returns the errors of a model on data, one step and several steps ahead."""
    return HeldOutErrors(
        one_step_errors(model, held_out, threads),
        open_loop_errors(
            model,
            held_out,
            ahead,
            yardstick.scale,
            yardstick.noise.low,
            groups=groups,
            threads=threads,
        ),
        groups,
    )
