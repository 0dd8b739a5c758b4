"""`Past`: what a model with a history must be told of earlier steps, kept between the calls."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan.control.hand_over import HandOver, for_each, sequences
from dynaplan.control.memory import SystemMemory
from dynaplan.errors import ArgumentError
from dynaplan.models.interface import Model, known_of
from dynaplan.planners.action_delay import ActionDelay

__all__ = ["Past", "require_no_history"]

Float64 = NDArray[np.float64]


class Past:
    """Makes states of what is observed now, as `Transitions.with_history` makes them of a log.

    At the beginning nothing is known of the time before, other than what was handed over: the
    system is taken to have been where it is, under the actions sent before, or none.

    Args:
        model: the dynamics; without a history states are what is observed.
        delay: of the actions. What counts for the model is when they act.
        bounds: (A,) lowest and highest actions, for those that nobody knows: the nearest to 0.

    Attributes:
        observed: how many entries an observation has.
    """

    def __init__(self, model: Model, delay: ActionDelay, bounds: tuple[Float64, Float64]) -> None:
        known, dims = known_of(model), (model.state_dim, model.action_dim)
        self.observed = known.observation_dim(*dims)
        self._lags = known.history
        self._delay = delay
        self._rest = np.clip(np.zeros(dims[1]), *bounds)
        self.forget(None, None)

    def forget(self, hand_over: HandOver | None, previous_observations: ArrayLike | None) -> None:
        """Begins anew, with what was sent and observed before, if that is known.

        Args:
            hand_over: the actions sent before.
            previous_observations: (K, observed) or (N, K, observed), the oldest first.

        Raises:
            ShapeError: they have another shape.
            ArgumentError: one is not finite; or the model has no earlier observations.
        """
        name = "previous_observations"
        before = sequences(name, previous_observations, self.observed)
        if before is not None and (self._lags is None or self._lags[0] == 0):
            raise ArgumentError(f"{name}: got some, must be None: the model has no earlier ones")
        self._first = hand_over, before
        self._seen: list[Float64] = []  # (N, observed) of each step before, the newest first
        self._sent: Float64 | None = None  # (N, K, A) sent before, the oldest first
        self._present: Float64 | None = None

    def states(self, observations: Float64, systems: Sequence[SystemMemory]) -> Float64:
        """Returns the states (S,) or (N, S) of systems of which this is observed now.

        Raises:
            ShapeError: something was handed over for another number of systems.
        """
        if self._lags is None:
            return observations
        now = np.atleast_2d(np.array(observations, np.float64))
        if self._sent is None:
            self._begin(now)
        assert self._sent is not None
        if self._sent.shape[1]:  # it may have been another than was to be sent
            self._sent[:, -1] = [system.last_action for system in systems]
        self._present, count = now, self._sent.shape[1]
        acted = [self._delay.at_once(self._sent[:, : count - lag]) for lag in range(self._lags[1])]
        states = np.hstack([now, *self._seen, *acted])
        return states[0] if observations.ndim == 1 else states

    def passes(self, systems: Sequence[SystemMemory]) -> None:
        """Records that a step has passed, in which each system was sent its last action."""
        if self._lags is None:
            return
        assert self._sent is not None
        assert self._present is not None
        self._seen = [self._present, *self._seen][: self._lags[0]]
        sent = np.stack([system.last_action for system in systems])[:, np.newaxis]
        self._sent = np.concatenate([self._sent, sent], axis=1)[:, 1:]

    def require_steps(self, steps: int) -> None:
        """Refuses steps in which it is not known what was observed.

        Raises:
            ArgumentError: it is more than one, and the model has a history.
        """
        if self._lags is not None and steps > 1:
            raise ArgumentError(
                f"steps: got {steps}, must be 1 where the model has a history, as nobody says what "
                "was observed in between; call act with replan_every, or advance after each step"
            )

    def _begin(self, now: Float64) -> None:
        assert self._lags is not None
        hand_over, before = self._first
        count, (observations, actions) = len(now), self._lags
        length = actions + self._delay.queued if actions else 0
        sent = [np.empty((0, len(self._rest)))] * count
        if hand_over is not None:
            sent = for_each("previous_actions", hand_over.actions(self._rest, self._rest), count)
        padding = np.tile(self._rest, (length, 1))
        self._sent = np.stack([np.concatenate([padding, one])[len(one) :] for one in sent])
        self._seen = [now.copy() for _ in range(observations)]
        if before is not None:
            each = np.stack(for_each("previous_observations", before, count))
            last = each.shape[1] - 1
            self._seen = [each[:, max(last - lag, 0)] for lag in range(observations)]


def require_no_history(name: str, model: Model) -> None:
    """Refuses a model with a history.

    Raises:
        ArgumentError: it has one.
    """
    if (history := known_of(model).history) is not None:
        raise ArgumentError(f"{name}: its model has a history of {history}, must have none here")
