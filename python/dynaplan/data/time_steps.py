"""How far apart in time the rows of a log are, and which steps are none of its usual ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynaplan import _warnings
from dynaplan.errors import ArgumentError, SuspectDataWarning

__all__ = ["TimeSteps"]

Float64 = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Of the median step: a lost row makes it twice as long, a row that is there twice makes it 0.
_SHORTEST, _LONGEST = 0.5, 1.5
_JITTER = 0.2  # of the median, between the first and the last decile of the steps


class TimeSteps:
    """Steps from each row to the one below, in time.

    Attributes:
        median: of those that advance.
        are_unusual: (R - 1,) those of rows that follow each other which are not from half to one
            and a half times the median.
    """

    def __init__(self, times: Float64, follows: Bools, median: float | None) -> None:
        """Measures them.

        Args:
            times: (R,); nan where one is missing.
            follows: (R - 1,) whether the row below is of the same episode.
            median: of the rows before, or None.

        Raises:
            ArgumentError: time never advances.
        """
        with np.errstate(invalid="ignore", over="ignore"):  # of what is not finite
            self._steps = np.diff(times)
        usual = self._steps[follows & (self._steps > 0.0)]
        if median is None and not usual.size and np.isfinite(self._steps[follows]).any():
            raise ArgumentError(
                "time: no row is later than the row above, in the same episode; must be the times "
                "of the rows"
            )
        self.median = float(np.median(usual)) if median is None and usual.size else median
        self.are_unusual = np.zeros(len(self._steps), np.bool_)
        if self.median is not None:
            low, high = _SHORTEST * self.median, _LONGEST * self.median
            self.are_unusual = follows & ((self._steps <= low) | (self._steps >= high))
        self._follows = follows
        self._begins = median is None

    def warn(self, first: int) -> None:
        """Warns of unusual steps, and of steps that vary much; `first` is the first row's number.

        That they vary is told once, of the first rows.

        Warns:
            SuspectDataWarning: at the line outside of this package.
        """
        if self.median is None:
            return
        rows = np.flatnonzero(self.are_unusual)
        if rows.size:
            size = self._steps[rows]
            worst = int(rows[np.argmax(np.abs(size - self.median))])
            _warnings.warn(
                f"time: {len(rows)} of {np.count_nonzero(self._follows)} steps are not from half "
                f"to one and a half times the median of {self.median:.4g}, the worst one is "
                f"{self._steps[worst]:.4g} from row {first + worst} to row {first + worst + 1}. "
                "Rows are missing, double or out of order: nothing is predicted across them. Use "
                'gaps="split", which cuts the episodes there; or gaps="ignore" to take all steps',
                SuspectDataWarning,
            )
        usual = self._steps[self._follows & ~self.are_unusual & np.isfinite(self._steps)]
        if not usual.size or not self._begins:
            return
        low, high = np.quantile(usual, [0.1, 0.9])
        if high - low > _JITTER * self.median:
            _warnings.warn(
                f"time: steps are uneven, one in five is not from {low:.4g} to {high:.4g}; a model "
                f"takes all of them as one step of {self.median:.4g}",
                SuspectDataWarning,
            )
