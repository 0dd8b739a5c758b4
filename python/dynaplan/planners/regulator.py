"""`Regulator`: the feedback that `lqr` finds, and what a state costs under it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _texts
from dynaplan.errors import ArgumentError, ShapeError

__all__ = ["Regulator"]


class Regulator(NamedTuple):
    """The best action k - K s, and the cost to go of a state: s'P s + 2 p's + a constant.

    Made by `lqr`. With a finite horizon of H steps each array has the step first, and the last
    entry of P and p is the final cost. With a delay of d steps s is followed by the d actions under
    way, the oldest first, so that S below is S + d A; d is the largest of several, rounded up.

    Attributes:
        K: (A, S) or (H, A, S) gains.
        k: (A,) or (H, A) actions at s = 0.
        P: (S, S) or (H + 1, S, S) value matrices.
        p: (S,) or (H + 1, S).
    """

    K: NDArray[np.float64]
    k: NDArray[np.float64]
    P: NDArray[np.float64]
    p: NDArray[np.float64]

    def act(
        self, state: ArrayLike, step: int = 0, *, previous_actions: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Returns the best action in a state.

        Args:
            state: (S,), or (N, S).
            step: which of the horizon's; of an infinite horizon all are alike. Default 0.
            previous_actions: with a delay of d steps (d, A), or (N, d, A), the actions that were
                sent and have yet to act, the oldest first. Default: there are none.

        Returns:
            (A,), or (N, A).

        Raises:
            ShapeError: the state has the wrong shape, or the actions under way are not d.
            ArgumentError: a number is not finite, or `step` is not one of the horizon.

        Example:
            >>> regulator = dp.lqr([[1.1]], [[1.0]], [[1.0]], [[1.0]])
            >>> regulator.act([1.0]).round(6)
            array([-0.703428])
            >>> late = dp.lqr([[1.1]], [[1.0]], [[1.0]], [[1.0]], delay_steps=2)
            >>> late.act([1.0], previous_actions=[[-0.8], [-0.4]]).round(6)
            array([0.04924])
        """
        gains, actions = self.K, self.k
        number = _arrays.at_least(0, "step", step)
        if gains.ndim == 3:
            if number >= len(gains):
                raise ArgumentError(f"step: got {number}, must be below the horizon, {len(gains)}")
            gains, actions = gains[number], actions[number]
        states = _arrays.numbers("state", state)
        if previous_actions is not None:
            states = _followed(states, previous_actions, gains.shape)
        elif states.ndim not in {1, 2} or states.shape[-1] != gains.shape[1]:
            size = gains.shape[1]
            raise ShapeError(
                f"state: got shape {states.shape}, must be ({size},) or (N, {size}); the actions "
                "that are delayed go into previous_actions"
            )
        if not np.isfinite(states).all():
            raise ArgumentError(f"state, previous_actions: got {states}, must be finite")
        return np.asarray(actions - states @ gains.T, np.float64)

    def __repr__(self) -> str:
        return _texts.object_text(self, *self._fields)


def _followed(
    states: NDArray[np.float64], previous_actions: ArrayLike, shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """Returns states with their actions under way behind them, for gains of that shape."""
    sent = _arrays.numbers("previous_actions", previous_actions)
    action_dim, size = shape
    fits = states.ndim in {1, 2} and sent.ndim == states.ndim + 1 and sent.shape[-1] == action_dim
    if not fits or sent.shape[:-2] != states.shape[:-1]:
        raise ShapeError(
            f"previous_actions: got shape {sent.shape}, must be (d, {action_dim}) for a state, "
            f"or (N, d, {action_dim}) for N"
        )
    whole = np.concatenate([states, sent.reshape(*states.shape[:-1], -1)], axis=-1)
    if whole.shape[-1] != size:
        raise ShapeError(
            f"state, previous_actions: got {states.shape[-1]} and {sent.shape[-2]} x {action_dim} "
            f"numbers, must be {size} together"
        )
    return whole
