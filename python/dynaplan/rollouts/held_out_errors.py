"""What a model gets wrong on held-out data, and the reference data that it is measured by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynaplan.data.angles import Angles
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
        spread: (S,) standard deviations of the states, exactly 0 of those that never varied; of
            angles about their circular mean.
        scale: the lengths in which differences are counted, and the angles.
        noise: of the sensors.
        moved: how far the states move in 1 ... K steps.
        change_median: (K,) median of that over the starts.
        known_states: which are exact shifts in the data.
        state_names: of the data.
        units: of what they name.
    """

    spread: Float64
    scale: Scale
    noise: MeasurementNoise
    moved: Differences
    change_median: Float64
    known_states: tuple[int, ...]
    state_names: tuple[str, ...] | None
    units: Mapping[str, str]

    @staticmethod
    def of(reference: Transitions, horizon: int, angles: Angles) -> Yardstick:
        """Measures reference data.

        Args:
            reference: the data.
            horizon: steps to look ahead, K. Beyond the longest segment the last figure holds on.
            angles: of the states.
        """
        # The deviation of equal numbers may come out as 1e-17 of them, which is no scale.
        centred = angles.about_mean(reference.states)
        varied = centred.max(axis=0) > centred.min(axis=0)
        spread = np.where(varied, deviation_of(centred), 0.0)
        scale = Scale.of(reference.states, spread, angles, reference.known)
        ahead = Ahead.of(reference, horizon)
        moved = changes(reference, ahead, scale)
        [change_median] = quantile(moved.size, moved.reached, 0.5)
        later = horizon - len(ahead.steps)
        return Yardstick(
            spread,
            scale,
            measurement_noise(reference, ahead.ends, spread, angles),
            moved,
            np.pad(change_median, (0, later), mode="edge"),
            tuple(reference.known),
            reference.state_names,
            reference.units,
        )

    @property
    def change_squares(self) -> Float64:
        """(K, S) mean squares of the changes of each state, in squared units."""
        later = len(self.change_median) - len(self.moved.mean_squares)
        return np.pad(self.moved.mean_squares, ((0, later), (0, 0)), mode="edge")


@dataclass(frozen=True)
class HeldOutErrors:
    """The errors of a model, or of several on parts of the data that each did not see.

    Attributes:
        one_step: of N rows.
        ahead: of the same rows as starts of rollouts of up to K steps.
        groups: (N,) numbers of the groups that the rows are of, from 0.
    """

    one_step: OneStep
    ahead: Differences
    groups: NDArray[np.int64]

    @staticmethod
    def joined(parts: Sequence[HeldOutErrors]) -> HeldOutErrors:
        """Returns the errors of several parts of the data, which share no group."""
        steps = max(part.ahead.size.shape[1] for part in parts)
        aheads = [_padded(part.ahead, steps) for part in parts]
        reached = np.array([ahead.reached.sum(axis=0) for ahead in aheads])
        shares = (reached / reached.sum(axis=0))[:, :, None]  # (parts, K, 1)
        firsts = np.cumsum([0, *(int(part.groups.max()) + 1 for part in parts[:-1])])

        def mean(values: list[Float64]) -> Float64:
            with np.errstate(invalid="ignore"):  # infinite times 0, which does not count
                total: Float64 = np.where(shares > 0.0, shares * np.stack(values), 0.0).sum(axis=0)
            return total

        return HeldOutErrors(
            OneStep(
                np.concatenate([part.one_step.errors for part in parts]),
                np.concatenate([part.one_step.deviations for part in parts]),
            ),
            Differences(
                np.concatenate([ahead.size for ahead in aheads]),
                np.concatenate([ahead.reached for ahead in aheads]),
                mean([ahead.mean_squares for ahead in aheads]),
                mean([ahead.start_noise for ahead in aheads]),
                np.concatenate([ahead.group_squares for ahead in aheads]),
            ),
            np.concatenate([f + p.groups for f, p in zip(firsts, parts, strict=True)]),
        )


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
        one_step_errors(model, held_out, yardstick.scale.angles, threads),
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


def _padded(ahead: Differences, steps: int) -> Differences:
    """Returns the same differences up to a later step, which no start reaches."""
    later = steps - ahead.size.shape[1]
    rows, squares = ((0, 0), (0, later)), ((0, later), (0, 0))
    return Differences(
        np.pad(ahead.size, rows),
        np.pad(ahead.reached, rows),
        np.pad(ahead.mean_squares, squares),
        np.pad(ahead.start_noise, squares),
        np.pad(ahead.group_squares, ((0, 0), *squares)),
    )
