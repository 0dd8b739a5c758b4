"""What all network models share: prediction, sampling, copies."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _core
from dynaplan.models.model import Prediction
from dynaplan.models.training import Architecture, Fitted, TrainingHistory, TrainingSettings

__all__ = ["NetworkModel"]

Float64 = NDArray[np.float64]


class NetworkModel:
    """One network or an ensemble of them: abstract, see `MLP`, `GaussianMLP`, `Ensemble`.

    A model that exists is fitted. It is immutable and may be shared by threads. It predicts the
    change of the state, standardises inside, and sees sin and cos of the states that are angles.

    Attributes:
        architecture: what the networks look like.
        settings: how they were trained.
        history: how the training went.
        rows: transitions trained on, the held-out ones left out.
    """

    __slots__ = (
        "__weakref__",
        "_dynamics",
        "_observed",
        "_parameters",
        "architecture",
        "history",
        "rows",
        "settings",
    )

    def __init__(self, fitted: Fitted) -> None:
        self._parameters = fitted.parameters
        self._dynamics: _core.Dynamics | None = None
        self._observed = fitted.observed
        self.architecture: Architecture = fitted.architecture
        self.settings: TrainingSettings = fitted.settings
        self.history: TrainingHistory = fitted.history
        self.rows: int = fitted.rows

    @property
    def state_dim(self) -> int:
        """Number of state dimensions, S."""
        return self._parameters.state_dim

    @property
    def action_dim(self) -> int:
        """Number of action dimensions, A."""
        return self._parameters.action_dim

    @property
    def observed_low(self) -> Float64:
        """(S + A,) smallest value of each input in the data."""
        return self._observed[0].copy()

    @property
    def observed_high(self) -> Float64:
        """(S + A,) largest value of each input in the data."""
        return self._observed[1].copy()

    @property
    def dynamics(self) -> _core.Dynamics:
        """The compiled dynamics that rollouts and planners run."""
        if self._dynamics is None:
            self._dynamics = self._parameters.dynamics()
        return self._dynamics

    def predict(self, states: ArrayLike, actions: ArrayLike, *, threads: int = 1) -> Prediction:
        """Predicts the next states, with both kinds of uncertainty.

        Args:
            states: (N, S), or one state (S,).
            actions: (N, A), or one action (A,).
            threads: threads to use.

        Returns:
            Arrays of shape (N, S); N is 1 for a single state. By the law of total variance,
            `aleatoric` is the mean of the members' variances (0 where they predict none) and
            `epistemic` the variance of the members' means (0 for a single network).

        Raises:
            ShapeError: an array has the wrong shape.
        """
        state_rows = _arrays.rows("states", states, self.state_dim)
        action_rows = _arrays.rows("actions", actions, self.action_dim)
        moments = self._parameters.predict(state_rows, action_rows, threads)
        # A predicted reward stands beside the states.
        return Prediction(*(m[:, : self.state_dim].copy() for m in moments))

    def sample(
        self, states: ArrayLike, actions: ArrayLike, *, seed: int | None = None, threads: int = 1
    ) -> Float64:
        """Draws next states from the mixture: a member for each row, then that member's noise.

        Args:
            states: (N, S), or one state (S,).
            actions: (N, A), or one action (A,).
            seed: same seed, same draws; None draws anew.
            threads: threads to use.

        Returns:
            (N, S).
        """
        state_rows = _arrays.rows("states", states, self.state_dim)
        action_rows = _arrays.rows("actions", actions, self.action_dim)
        generator = np.random.default_rng(_arrays.seed_number(seed))
        members = generator.integers(self.architecture.members, size=len(state_rows))
        draws = np.empty((len(state_rows), self.state_dim))
        for member in np.unique(members):
            rows = np.flatnonzero(members == member)
            out = np.empty((len(rows), 1, 2, self.state_dim))
            _core.rollout(
                self._member(int(member)).dynamics(),
                state_rows[rows],
                action_rows[rows, None],
                None,
                None,
                _core.Particles("sample", 1, "mean", 1.0),
                None,
                seed=int(generator.integers(2**63)),
                threads=threads,
                out=out,
            )
            draws[rows] = out[:, 0, 1]
        return draws

    def _numbers(self) -> dict[str, Any]:
        return {name: getattr(self._parameters, name) for name in _PARAMETERS}

    def _member(self, member: int) -> _core.NetworkParameters:
        """Returns one member as a network of its own."""
        if self.architecture.members == 1:
            return self._parameters
        numbers = self._numbers()
        for name in ("weights", "biases"):
            numbers[name] = [array[member : member + 1] for array in numbers[name]]
        for name in ("log_variance_low", "log_variance_high"):
            if numbers[name] is not None:
                numbers[name] = numbers[name][member : member + 1]
        return _core.NetworkParameters(**numbers)

    def __repr__(self) -> str:
        shape = self.architecture
        members = f"members={shape.members}, " if shape.members > 1 else ""
        return (
            f"{type(self).__name__}({members}hidden={shape.hidden}, {shape.activation}, "
            f"state_dim={self.state_dim}, action_dim={self.action_dim}, rows={self.rows})"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        parts = (self.architecture, self.settings, self.history, self.rows, self._observed)
        return _restored, (type(self), self._numbers(), parts)


# What `_core.NetworkParameters` is made of, by the names of its arguments.
_PARAMETERS = (
    "state_dim",
    "action_dim",
    "angles",
    "hidden",
    "activation",
    "probabilistic",
    "rewards",
    "input_mean",
    "input_scale",
    "target_mean",
    "target_scale",
    "weights",
    "biases",
    "log_variance_low",
    "log_variance_high",
)


def _restored(
    kind: type[NetworkModel], numbers: dict[str, Any], parts: tuple[Any, ...]
) -> NetworkModel:
    """Makes a model again from its arrays: for copies and other processes."""
    return kind(Fitted(_core.NetworkParameters(**numbers), *parts))
