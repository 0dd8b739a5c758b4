"""`Past`: what a model with a history must be told of earlier steps, kept between the calls."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays
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
        # What each step before was, once one has passed: (N, observed) each, the newest first, and
        # (N, K, A), the oldest first.
        self._before: tuple[list[Float64], Float64] | None = None
        self._now: tuple[Float64, list[Float64], Float64] | None = None  # observed, and before
        self._is_sending = False

    def require_count(self, count: int) -> None:
        """Refuses another number of systems than those of which something was handed over.

        Raises:
            ShapeError: it is another.
        """
        if self._lags is not None:
            self._handed_over(count)

    def require_whole(self, *, sends: bool) -> None:
        """Refuses to go on from a call that raised, after which nobody knows what was sent.

        Args:
            sends: whether the call that begins ends with `passes`, unless it raises.

        Raises:
            ArgumentError: the call before raised, and it was not the first.
        """
        if self._is_sending and self._before is not None:
            raise ArgumentError(
                "state: the call of act before raised, so that the history has a gap; call reset "
                "with previous_observations= and previous_actions=, or without for a new episode"
            )
        self._is_sending = sends and self._lags is not None

    def states(self, observations: Float64, systems: Sequence[SystemMemory]) -> Float64:
        """Returns the states (S,) or (N, S) of systems of which this is observed now.

        Raises:
            ShapeError: something was handed over for another number of systems.
            ArgumentError: an observation is not finite.
        """
        # Where no plan is due none would look at them, and feedback would send what comes of a nan.
        now = _arrays.finite_rows("state", observations, self.observed)
        if self._lags is None:
            return observations
        self._now, now = None, np.array(now)
        # Kept by `passes` alone: the first observation that is acted on tells of the time before.
        seen, sent = self._beginning(now) if self._before is None else self._before
        if sent.shape[1]:  # it may have been another than was to be sent
            sent[:, -1] = [system.last_action for system in systems]
        self._now, count = (now, seen, sent), sent.shape[1]
        acted = [self._delay.at_once(sent[:, : count - lag]) for lag in range(self._lags[1])]
        states = np.hstack([now, *seen, *acted])
        return states[0] if observations.ndim == 1 else states

    def passes(self, systems: Sequence[SystemMemory]) -> None:
        """Records that a step has passed, in which each system was sent its last action."""
        if self._lags is None:
            return
        assert self._now is not None
        now, seen, sent = self._now
        last = np.stack([system.last_action for system in systems])[:, np.newaxis]
        self._before = [now, *seen][: self._lags[0]], np.concatenate([sent, last], axis=1)[:, 1:]
        self._now, self._is_sending = None, False

    def require_steps(self, steps: int) -> None:
        """Refuses steps in which it is not known what was observed.

        Raises:
            ArgumentError: the model has a history, and it is more than one, or nothing was observed
                since the step before.
        """
        if self._lags is None:
            return
        if steps > 1:
            raise ArgumentError(
                f"steps: got {steps}, must be 1 where the model has a history, as nobody says what "
                "was observed in between; call act with replan_every, or advance after each step"
            )
        if self._now is None or self._is_sending:
            raise ArgumentError(
                f"steps: got {steps} where nothing was observed since the step before, must follow "
                "plan, as the model has a history"
            )

    def _handed_over(self, count: int) -> tuple[Float64 | None, list[Float64] | None]:
        """Returns what was observed (N, K, observed), and sent (K, A) to each of N systems."""
        hand_over, before = self._first
        observed = None
        if before is not None:
            observed = np.stack(for_each("previous_observations", before, count))
        if hand_over is None:
            return observed, None
        actions = hand_over.actions(self._rest, self._rest)
        return observed, for_each("previous_actions", actions, count)

    def _beginning(self, now: Float64) -> tuple[list[Float64], Float64]:
        """Returns what is taken to have been before this (N, observed) was observed."""
        assert self._lags is not None
        count, (observations, actions) = len(now), self._lags
        observed, sent = self._handed_over(count)
        length = actions + self._delay.queued if actions else 0
        padding = np.tile(self._rest, (length, 1))
        if sent is None:
            sent = [padding] * count
        done = np.stack([np.concatenate([padding, one])[len(one) :] for one in sent])
        if observed is None:
            return [now.copy() for _ in range(observations)], done
        last = observed.shape[1] - 1
        return [observed[:, max(last - lag, 0)] for lag in range(observations)], done


def require_no_history(name: str, model: Model) -> None:
    """Refuses a model with a history.

    Raises:
        ArgumentError: it has one.
    """
    if (history := known_of(model).history) is not None:
        raise ArgumentError(f"{name}: its model has a history of {history}, must have none here")
