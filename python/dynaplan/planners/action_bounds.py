"""`ActionBounds`: the lowest and highest actions, which may differ from step to step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynaplan.errors import ArgumentError, ShapeError
from dynaplan.planners.limits import Limits

__all__ = ["ActionBounds"]

Float64 = NDArray[np.float64]
Bounds = tuple[Float64, Float64]


@dataclass(frozen=True, eq=False)
class ActionBounds:
    """Lowest and highest actions of each step; the last ones hold from there on.

    Attributes:
        low: (R, A) a row for each step.
        high: (R, A) likewise.
        is_discrete: whether actions are one-hot rows, of which the bounds leave some.
    """

    low: Float64
    high: Float64
    is_discrete: bool = False

    @classmethod
    def of(
        cls,
        box: Bounds,
        limits: Limits | None,
        *,
        is_discrete: bool,
        is_whole: bool,
    ) -> ActionBounds:
        """Returns the bounds of limits within the box of an action space.

        Args:
            box: (A,) lowest and highest actions of the space.
            limits: may have other bounds for some steps.
            is_discrete: whether actions are one-hot rows.
            is_whole: whether actions are whole numbers, as the bounds must be then.

        Raises:
            ShapeError: they have other columns than the model has actions.
            ArgumentError: one is outside the box or not whole, or a lower one above an upper one.
        """
        low, high = (None, None) if limits is None else (limits.action_low, limits.action_high)
        if low is None and high is None:
            return cls(box[0][np.newaxis], box[1][np.newaxis], is_discrete)
        rows = max([len(one) for one in (low, high) if one is not None])
        lowest = _filled("action_low", box[0], low, rows, -np.inf)
        highest = _filled("action_high", box[1], high, rows, np.inf)
        low_text, high_text = (f"action_space.{side} = {{}}" for side in ("low", "high"))
        _require("action_low", lowest >= box[0], lowest, f"at least {low_text}", box[0])
        _require("action_high", highest <= box[1], highest, f"at most {high_text}", box[1])
        for name, rows_of in (("action_low", lowest), ("action_high", highest)):
            is_fine = (rows_of == np.rint(rows_of)) | (not is_whole)
            _require(name, is_fine, rows_of, "a whole number, as the actions are", rows_of)
        _require("action_low", lowest <= highest, lowest, "at most action_high = {}", highest)
        return cls(lowest, highest, is_discrete)

    def at(self, step: int) -> Bounds:
        """Returns (A,) lowest and highest actions of a step."""
        row = min(step, len(self.low) - 1)
        return self.low[row], self.high[row]

    def rows(self, step: int, count: int | None) -> Bounds:
        """Returns (n, A) lowest and highest actions from a step on: `count` steps, or all rows."""
        first = min(step, len(self.low) - 1)
        last = None if count is None else first + count
        return self.low[first:last], self.high[first:last]

    def along(self, step: int, count: int) -> Bounds:
        """Returns (count, A) lowest and highest actions of the steps from one on."""
        steps = np.minimum(np.arange(step, step + count), len(self.low) - 1)
        return self.low[steps], self.high[steps]

    def nearest(self, actions: Float64, step: int) -> Float64:
        """Returns the nearest actions (..., A) within the bounds of a step.

        Of discrete ones that are not, the first that is.
        """
        low, high = self.at(step)
        if not self.is_discrete:
            return np.clip(actions, low, high)
        within = ((actions >= low) & (actions <= high)).all(axis=-1, keepdims=True)
        return np.where(within, actions, self._first_choice(low, high))

    def ahead_of(self, rate: Float64 | None) -> ActionBounds:
        """Returns the actions from which all later bounds can be reached at a rate (A,) or None.

        Where they cannot, the bounds come first, and what is nearest to the later ones is left.
        """
        if rate is None or len(self.low) == 1:
            return self
        low, high = self.low.copy(), self.high.copy()
        for row in range(len(low) - 2, -1, -1):
            lowest, highest = low[row + 1] - rate, high[row + 1] + rate
            # Such that the change back is within the rate to the last bit.
            lowest = np.where(lowest + rate < low[row + 1], np.nextafter(lowest, np.inf), lowest)
            highest = np.where(
                highest - rate > high[row + 1], np.nextafter(highest, -np.inf), highest
            )
            low[row] = np.clip(lowest, self.low[row], self.high[row])
            high[row] = np.clip(highest, self.low[row], self.high[row])
        return ActionBounds(low, high, self.is_discrete)

    @staticmethod
    def _first_choice(low: Float64, high: Float64) -> Float64:
        choices = np.eye(len(low))
        within = ((choices >= low) & (choices <= high)).all(axis=1)
        first: Float64 = choices[int(within.argmax())]
        return first


def _filled(name: str, box: Float64, rows: Float64 | None, count: int, free: float) -> Float64:
    """Returns (count, A): the rows, the last one repeated, and the box where they leave it."""
    if rows is None:
        return np.tile(box, (count, 1))
    if rows.shape[1] != len(box):
        raise ShapeError(
            f"limits.{name}: got shape {rows.shape}, must have {len(box)} columns, one for each "
            "action of the model"
        )
    filled = np.concatenate([rows, np.repeat(rows[-1:], count - len(rows), axis=0)])
    return np.where(filled == free, box, filled)


def _require(
    name: str, holds: NDArray[np.bool_], values: Float64, wanted: str, other: Float64
) -> None:
    if holds.all():
        return
    step, action = np.argwhere(~holds)[0]
    bound = np.broadcast_to(other, values.shape)[step, action]
    raise ArgumentError(
        f"limits.{name}: got {values[step, action]} at step {step} for action {action}, must be "
        f"{wanted.format(bound)}"
    )
