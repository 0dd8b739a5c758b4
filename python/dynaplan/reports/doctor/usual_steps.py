"""The steps that a system usually makes, by a fit that a few steps of another kind do not bend."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynaplan.reports.doctor.record import Record
from dynaplan.reports.doctor.regression import features

__all__ = ["UsualSteps", "usual_steps_of"]

Float64 = NDArray[np.float64]

STEPS = 0.9  # of the rows are taken to be steps: a reset after 20 steps or more leaves as many
OF_STATES = 0.6  # of the states are off where a step is none: a reset moves most of them
_ROUNDS = 3
_MIN = 1e-6  # of the deviation of the changes: what is less is rounding
_OF_NORMAL = 1.6449  # deviations that 9 of 10 normal numbers keep to


@dataclass(frozen=True)
class UsualSteps:
    """What was predicted and what is left, in units of what is commonly left in each state.

    Attributes:
        predicted: (M, S) changes over one step, as they are expected.
        left: (M, S) what they are beside that; deviations of 1, but for tails.
    """

    predicted: Float64
    left: Float64

    @property
    def off(self) -> Float64:
        """(M, S) size of what is left, in units of what 9 of 10 rows keep to."""
        return np.asarray(np.abs(self.left) / _OF_NORMAL)

    @property
    def tails(self) -> Float64:
        """(S,) how far the worst of the rows is off by heavy tails, those of a power law.

        From one in 2 rows to one in 10 grows what a row is off by at most; and so on to one in all.
        """
        off = self.off
        half, most = np.maximum(np.quantile(off, [0.5, STEPS], axis=0), _MIN)
        further = np.log(0.1 * len(off)) / np.log(5.0)
        return np.asarray((most / half) ** further)


def usual_steps_of(record: Record) -> UsualSteps | None:
    """Fits the changes to states, their products and actions; None where rows are too few.

    Three times the tenth of the rows that fits worst is left out.
    """
    states, actions, changes = record.inputs, record.actions, record.changes
    bases = [features(states, actions.shape[1], products=products) for products in (True, False)]
    base = next((base for base in bases if base is not None), None)
    if base is None:
        return None
    inputs = np.hstack([base, actions])
    size = changes.std(axis=0)
    targets = changes / np.where(size > 0.0, size, 1.0)
    kept, judged = np.arange(len(targets)), -int(np.ceil(OF_STATES * targets.shape[1]))
    for _ in range(_ROUNDS):
        found = np.linalg.lstsq(inputs[kept], targets[kept], rcond=1e-10)[0]
        predicted = inputs @ found
        left = targets - predicted
        usual = np.maximum(np.quantile(np.abs(left), STEPS, axis=0), _MIN) / _OF_NORMAL
        worst = np.sort(np.abs(left) / usual, axis=1)[:, judged]
        kept = np.flatnonzero(worst <= np.quantile(worst, STEPS))
    return UsualSteps(predicted / usual, left / usual)
