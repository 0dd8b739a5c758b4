"""Where a model has data: the range of its inputs, and how far its members disagree there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynaplan import _arrays, _core
from dynaplan.errors import ArgumentError
from dynaplan.models.interface import Model, angles_of
from dynaplan.rollouts.trust import MARGIN, ROUNDING, Trust

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["KnownRegion", "observed_range"]

Float64 = NDArray[np.float64]
Bounds = tuple[Float64, Float64]
_SAME = 1e-6  # of its value: two readings of what never varied, one of them rounded to float32
_NO_RANGE = 1e-12  # of its value: one number, computed in several ways


class KnownRegion:
    """Where a model has data, or little beyond, as far as it remembers them; immutable.

    Args:
        model: its `observed_low` and `observed_high` are the range; its `observed_disagreement`, if
            it has one, is the most that its members disagree by; its `angles`, if it has them, are
            states that a whole turn leaves the same.
        trusted_horizon: steps that it is trusted to look ahead, or None.
        margin: how far beyond the range the region reaches, in units of the range. Default: that of
            known ground.

    Attributes:
        low: (S + A,) smallest value of each input, states first; -inf where it is not known.
        high: (S + A,) the largest; inf where it is not known.
        disagreement_limit: the most that the members disagree by on the data, or None.
        trusted_horizon: as given.
        state_bounds: (S,) lowest and highest states for a search that keeps to the region.
        action_bounds: (A,) likewise.

    Raises:
        ShapeError: the model's range has another shape.
        ArgumentError: its `observed_disagreement` is not above 0.
    """

    __slots__ = (
        "_action_range",
        "_angles",
        "_constant",
        "_constant_states",
        "_middle",
        "_model",
        "_reach",
        "_start_range",
        "_state_range",
        "action_bounds",
        "disagreement_limit",
        "high",
        "low",
        "state_bounds",
        "trusted_horizon",
    )

    def __init__(
        self, model: Model, trusted_horizon: int | None = None, margin: float = MARGIN
    ) -> None:
        low, high = observed_range(model)
        known = np.isfinite(low) & np.isfinite(high)
        if (low[known] == high[known]).all():  # nothing ever varied, as of networks never trained
            known[:] = False
        self.low, self.high = np.where(known, low, -np.inf), np.where(known, high, np.inf)
        self.trusted_horizon = trusted_horizon
        self.disagreement_limit = _disagreement_limit(model)
        # Kept only where it is needed: plans are pickled, and not every model can be.
        self._model = None if self.disagreement_limit is None else model
        self._angles = angles_of(model)
        low, high = np.where(known, low, 0.0), np.where(known, high, 0.0)
        self._middle = 0.5 * low + 0.5 * high
        self._reach = np.where(known, 0.5 * high - 0.5 * low, np.inf)
        self._constant = self._reach <= _NO_RANGE * np.abs(self._middle)
        size = model.state_dim
        self._constant_states = np.flatnonzero(self._constant[:size])
        low, high = self._widened(margin + ROUNDING)
        self._start_range = low[:size], high[:size]
        self._action_range = low[size:], high[size:]
        # A state that never varied is predicted to stay, but for rounding: its start says it all.
        self._state_range = _freed(self._start_range, self._constant_states)
        low, high = self._widened(margin)
        self.state_bounds = _freed((low[:size], high[:size]), self._constant_states)
        self.state_bounds = _freed(self.state_bounds, self._angles.columns)
        self.action_bounds = low[size:], high[size:]

    def _widened(self, margin: float) -> Bounds:
        """Returns (S + A,) lowest and highest inputs within this share of the range of the data."""
        with np.errstate(over="ignore"):
            reach = self._reach * (1.0 + 2.0 * margin)
            reach = np.where(self._constant, _SAME * np.abs(self._middle), reach)
            return self._middle - reach, self._middle + reach

    def __copy__(self) -> Self:
        return self  # immutable

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def has_outside(self, states: Float64) -> bool:
        """Returns whether one of the measured states, (S,) or (N, S), is not in the region."""
        low, high = self._start_range
        rows = self._turned(states)
        # For a few numbers NumPy's `all` would take as long as the comparisons.
        quick = ((rows >= low) & (rows <= high)).tobytes()
        return 0 in quick and not _inside(rows, self._start_range).all()

    def states_outside(self, state: Float64) -> NDArray[np.bool_]:
        """Returns (S,) which entries of a measured state (S,) are not in the region."""
        return ~_inside(self._turned(state), self._start_range)

    def excess(self, inputs: Float64) -> Float64:
        """Returns how far inputs are outside the range of the data, in units of it.

        Args:
            inputs: (S,) or (N, S) states, or with the actions (N, S + A).
        """
        columns = slice(inputs.shape[-1])
        middle, reach = self._middle[columns], self._reach[columns]
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            distance = np.abs(self._turned(inputs) - middle)
            excess = np.maximum(distance - reach, 0.0) / reach * 0.5
        differs = ~(distance <= _SAME * np.abs(middle))
        return np.where(self._constant[columns], np.where(differs, np.inf, 0.0), excess)

    def known_steps(self, states: Float64, actions: Float64) -> NDArray[np.bool_]:
        """Returns (H,) which steps of a plan are in the region.

        Args:
            states: (H + 1, S), the first of which the plan begins at.
            actions: (H, A).
        """
        return self._known(states, actions, self._disagreement(states, actions))

    def trust(self, states: Float64, actions: Float64) -> Trust:
        """Returns what is known of a plan's steps, in this region or not.

        Args:
            states: (H + 1, S), the first of which the plan begins at.
            actions: (H, A).
        """
        disagreement = self._disagreement(states, actions)
        known = self._known(states, actions, disagreement)
        size = states.shape[1]
        excess = self.excess(np.hstack([states[:-1], actions]))
        excess[:, self._constant_states] = excess[0, self._constant_states]  # as they stay
        has_data = bool(np.isfinite(self.low).any()) or disagreement is not None
        return Trust(
            known=known,
            state_excess=excess[:, :size].copy(),
            action_excess=excess[:, size:].copy(),
            disagreement=disagreement,
            disagreement_limit=self.disagreement_limit,
            trusted_horizon=self.trusted_horizon,
            measured=has_data or self.trusted_horizon is not None,
        )

    def _known(
        self, states: Float64, actions: Float64, disagreement: Float64 | None
    ) -> NDArray[np.bool_]:
        """Returns (H,) which steps are in the region, as far as is known."""
        constant = self._constant_states
        if len(constant) and self.states_outside(states[0])[constant].any():
            return np.zeros(len(actions), np.bool_)
        known = np.asarray(_inside(self._turned(states[:-1]), self._state_range).all(axis=1))
        known &= _inside(actions, self._action_range).all(axis=1)
        if disagreement is not None:
            assert self.disagreement_limit is not None
            known &= disagreement <= self.disagreement_limit * (1.0 + ROUNDING)
        if self.trusted_horizon is not None:
            known &= np.arange(len(actions)) < self.trusted_horizon
        return known

    def _disagreement(self, states: Float64, actions: Float64) -> Float64 | None:
        """Returns (H,); infinite from where the plan is; None for a model without a limit."""
        if self._model is None:
            return None
        rows = np.ascontiguousarray(states[:-1])
        finite = np.isfinite(rows).all(axis=1)
        if finite.all():
            return _core.disagreement(self._model.dynamics, rows, actions, 1)
        found = np.full(len(actions), np.inf)
        if finite.any():
            found[finite] = _core.disagreement(
                self._model.dynamics, rows[finite], actions[finite], 1
            )
        return found

    def _turned(self, inputs: Float64) -> Float64:
        """Returns the inputs with angles less than half a turn from the middle of their range."""
        return self._angles.near(inputs, self._middle[: inputs.shape[-1]])


def observed_range(model: Model) -> Bounds:
    """Returns (S + A,) smallest and largest values of a model's inputs, infinite where not known.

    Raises:
        ShapeError: they have another shape.
    """
    size = model.state_dim + model.action_dim
    low = _arrays.vector("model.observed_low", model.observed_low, size)
    return low, _arrays.vector("model.observed_high", model.observed_high, size)


def _disagreement_limit(model: Model) -> float | None:
    limit = getattr(model, "observed_disagreement", None)
    if limit is None:
        return None
    limit = _arrays.real("model.observed_disagreement", limit)
    if not 0.0 < limit < np.inf:
        raise ArgumentError(
            f"model.observed_disagreement: got {limit}, must be finite and above 0, or None"
        )
    return limit


def _freed(bounds: Bounds, which: NDArray[np.intp]) -> Bounds:
    """Returns the bounds with some of them taken away."""
    low, high = bounds[0].copy(), bounds[1].copy()
    low[which], high[which] = -np.inf, np.inf
    return low, high


def _inside(rows: Float64, bounds: Bounds) -> NDArray[np.bool_]:
    low, high = bounds
    inside: NDArray[np.bool_] = (rows >= low) & (rows <= high) | np.isneginf(low)
    return inside  # what has no range is not judged, be it nan
