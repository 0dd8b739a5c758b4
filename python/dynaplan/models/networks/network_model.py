"""`NetworkModel`: what all network models share: training, prediction, sampling, copies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _callbacks, _core, _texts
from dynaplan.data.angles import Angles
from dynaplan.data.known_states import KnownStates
from dynaplan.data.transitions import Transitions, require_transitions
from dynaplan.errors import ArgumentError
from dynaplan.models.calibrated import CalibratedModel, checked_band_factors, checked_calibration
from dynaplan.models.formats import conversion
from dynaplan.models.interface import Model, Prediction
from dynaplan.models.networks import files
from dynaplan.models.networks.arrays import NetworkArrays
from dynaplan.models.networks.training import (
    Architecture,
    Fitted,
    Progress,
    TrainingHistory,
    TrainingSettings,
    angles_for,
    angles_of_networks,
    decay_of,
    held_out_fraction,
    train,
    usual_loss,
)
from dynaplan.models.priors import (
    dynamics_with,
    require_known,
    require_prior,
    require_same_prior,
    with_prior_mean,
)
from dynaplan.models.wrapping import with_angles, with_known

if TYPE_CHECKING:
    import onnx
    import torch
    from typing_extensions import Self

__all__ = ["NetworkModel"]

Float64 = NDArray[np.float64]
_FEW = 16  # rows tell one prior from another


class NetworkModel(CalibratedModel):
    """One network or an ensemble of them: abstract, see `MLP`, `GaussianMLP`, `Ensemble`.

    A model that exists is fitted. It is immutable and may be shared by threads. It predicts the
    change of the state, standardises inside, and sees sin and cos of the states that are angles.

    Attributes:
        state_dim: number of state dimensions, S.
        action_dim: number of action dimensions, A.
        architecture: the shape of the networks.
        angles: the states that are angles, as the data said it or `fit`.
        known: the states that are exact shifts, as the data said it.
        settings: how they were trained.
        history: how the training went.
        rows: transitions trained on, without the held-out ones.
        observed_disagreement: how far the members of an ensemble disagree where there are data, in
            the unit of `DisagreementLimit.limit`: 99 % of the rows trained on, and 99 % of those
            held out, lie within it. None: not known, as of a single network.
        prior: the model of what was known, beneath which the networks learned the rest, or None.
        calibration: (S,) factors of `calibrated` on the standard deviations of the noise, or None.
        band_factors: (K, S) factors of `calibrate_bands` on the half widths of the bands 1 ... K
            steps ahead, for each propagation; empty where they were not looked for.
    """

    __slots__ = (
        "__weakref__",
        "_dynamics",
        "_observed",
        "_parameters",
        "_trained",
        "action_dim",
        "angles",
        "architecture",
        "band_factors",
        "calibration",
        "history",
        "known",
        "observed_disagreement",
        "prior",
        "rows",
        "settings",
        "state_dim",
    )

    def __init__(self, fitted: Fitted) -> None:
        if not isinstance(fitted, Fitted):
            kind = type(self).__name__
            raise TypeError(f"fitted: got {_texts.shown(fitted)}; use {kind}.fit(data)")
        self._parameters = self._trained = fitted.parameters
        self.state_dim: int = fitted.parameters.state_dim
        self.action_dim: int = fitted.parameters.action_dim
        self._dynamics: _core.Dynamics | None = None
        self._observed = fitted.observed
        self.observed_disagreement: float | None = fitted.observed_disagreement
        self.architecture: Architecture = Architecture.of(fitted.parameters)
        self.angles: Angles = angles_of_networks(fitted)
        dims = self.state_dim, self.action_dim
        self.known: KnownStates = KnownStates.of(fitted.known, *dims)
        self.settings: TrainingSettings = fitted.settings
        self.history: TrainingHistory = fitted.history
        self.rows: int = fitted.rows
        self.prior: Model | None = fitted.prior
        if self.prior is not None:
            require_prior(self.prior, self, self.angles, self.known)
        self.calibration: Float64 | None = None
        self.band_factors = checked_band_factors(fitted.band_factors, self.state_dim)
        if fitted.calibration is not None:
            self.calibration = checked_calibration(fitted.calibration, self.state_dim)
            self._require_noise()
            scaled = NetworkArrays.of(self._trained).with_noise_scaled(self.calibration)
            self._parameters = scaled.parameters()

    @classmethod
    def _fit(
        cls,
        data: Transitions,
        *,
        members: int = 1,
        probabilistic: bool = False,
        hidden: Sequence[int],
        activation: str,
        angles: Sequence[int],
        rewards: bool,
        loss: str,
        epochs: int,
        batch_size: int,
        learning_rate: float,
        weight_decay: float | Sequence[float],
        held_out: float | Transitions,
        patience: int,
        improvement: float,
        warm_up: int = 0,
        bootstrap: bool = False,
        initial: Self | None,
        prior: Model | None,
        progress: Progress | None,
        seed: int | None,
        threads: int,
    ) -> Self:
        """Trains a model of this class; every class's `fit` is this one with its own signature."""
        if initial is not None and not isinstance(initial, cls):
            got = _texts.shown(initial)
            raise TypeError(f"initial: got {got}, must be a model of the class {cls.__name__}")
        if progress is not None:
            _callbacks.require_function("progress", progress)
        require_transitions("data", data)
        warm_up = _arrays.count("warm_up", warm_up, 0)
        settings = TrainingSettings(
            loss=_arrays.choice("loss", loss, usual_loss(cls.__name__), "huber"),
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            weight_decay=decay_of(weight_decay),
            held_out=held_out_fraction(held_out),
            patience=patience,
            improvement=improvement,
            warm_up=warm_up if initial is None else 0,
            bootstrap=bootstrap,
            seed=_arrays.seed_number(seed),
        )
        threads = _arrays.count("threads", threads)
        circles = angles_for(data, angles)
        if prior is not None:
            require_prior(prior, data, circles, data.known)
        if initial is not None:
            require_known("initial", initial, data.known)
            require_same_prior("initial", initial, prior, data.states[:_FEW], data.actions[:_FEW])
        fitted = train(
            data,
            circles,
            Architecture.given(members, probabilistic, hidden, activation, circles, rewards),
            settings,
            held_out=held_out,
            initial=None if initial is None else initial._trained,
            progress=progress,
            prior=prior,
            threads=threads,
        )
        return cls(fitted)

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
            whole = dynamics_with(self.prior, self._parameters.dynamics())
            self._dynamics = with_known(with_angles(whole, self.angles), self.known, self.angles)
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
            ArgumentError: a state or an action is not finite.
        """
        state_rows = _arrays.rows("states", states, self.state_dim)
        action_rows = _arrays.rows("actions", actions, self.action_dim)
        # Where a reward is predicted, its mean comes fourth.
        count = _arrays.count("threads", threads)
        mean, *variances = self._parameters.predict(state_rows, action_rows, count)[:3]
        mean = self._whole(mean, state_rows, action_rows, count)
        aleatoric, epistemic = (self.known.without(variance) for variance in variances)
        return Prediction(mean, aleatoric, epistemic)

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
        number = _arrays.seed_number(seed)
        count = _arrays.count("threads", threads)
        drawn = self._parameters.sample(state_rows, action_rows, number, count)
        return self._whole(drawn, state_rows, action_rows, count)

    def _whole(self, rest: Float64, states: Float64, actions: Float64, threads: int) -> Float64:
        """Returns next states (N, S) of those of the networks: with what is known of them."""
        found = with_prior_mean(self.prior, rest, states, actions, threads)
        return self.angles.wrapped(self.known.put_into(found, states, actions))

    @property
    def uncalibrated(self) -> Self:
        """The model as it was trained: itself, where it was not `calibrated`."""
        if self.calibration is None and not self.band_factors:
            return self
        return type(self)(replace(self._fitted(), calibration=None, band_factors=None))

    def _with_calibration(self, factors: Float64) -> Self:
        return type(self)(replace(self._fitted(), calibration=factors))

    def _with_band_factors(self, factors: Mapping[str, Float64]) -> Self:
        return type(self)(replace(self._fitted(), band_factors=factors))

    def _scaled_variances(self, prediction: Prediction) -> tuple[Float64, Float64]:
        self._require_noise()
        return prediction.aleatoric, prediction.epistemic

    def _require_noise(self) -> None:
        if not self.architecture.probabilistic:
            raise ArgumentError(
                f"model: {type(self).__name__} predicts no noise whose size could be corrected; "
                "fit a GaussianMLP, or an Ensemble that is probabilistic"
            )

    def __repr__(self) -> str:
        shape = self.architecture
        members = f"members={shape.members}, " if shape.members > 1 else ""
        known = "" if self.prior is None else f", prior={type(self.prior).__name__}"
        return (
            f"{type(self).__name__}({members}hidden={shape.hidden}, {shape.activation}, "
            f"state_dim={self.state_dim}, action_dim={self.action_dim}, rows={self.rows}{known})"
        )

    def to_torch(self) -> torch.nn.Module:
        """Makes a PyTorch module that gives the next state from [state, action] (N, S + A).

        In the data's own units, standardisation included; with rewards it returns (next state,
        reward). Its attribute `network` is the bare `torch.nn.Sequential`. float32, gradients on;
        variances are left out, and angles count turns on.

        Raises:
            ArgumentError: the model is an ensemble, or has a prior, known states, or angles that
                are not in radians.
            ImportError: PyTorch is not installed: `pip install "dynaplan[torch]"`.
        """
        self._require_plain()
        return conversion.to_torch(NetworkArrays.of(self._parameters))

    def to_onnx(self) -> onnx.ModelProto:
        """Makes an ONNX model that gives `next_state` (N, S) from `state_action` (N, S + A).

        In the data's own units, standardisation included; with rewards it also gives `reward`
        (N, 1). float32, operator set 17; variances are left out, and angles count turns on.
        `onnx.save(model, path)` writes it.

        Raises:
            ArgumentError: the model is an ensemble, or has a prior, known states, or angles that
                are not in radians.
            ImportError: onnx is not installed: `pip install "dynaplan[onnx]"`.
        """
        self._require_plain()
        return conversion.to_onnx(NetworkArrays.of(self._parameters))

    def _require_plain(self) -> None:
        if self.known:
            raise ArgumentError(
                f"model: has known states {list(self.known)}, which are no output of a network; "
                "shift them in code of your own, beside a model fitted to data without known="
            )
        if self.prior is not None:
            raise ArgumentError(
                "model: has a prior, which is no network; fit without one, or add what "
                "model.prior predicts to a network of your own"
            )

    def _with_prior(self, prior: Model) -> Self:
        return type(self)(replace(self._fitted(), prior=prior))

    def _file_parts(self) -> tuple[files.Arrays, dict[str, Any]]:
        return files.model_parts(self._fitted())

    @classmethod
    def _from_file_parts(cls, arrays: files.Arrays, header: dict[str, Any]) -> Self:
        return cls(files.model_from_parts(cls.__name__, arrays, header))

    def _fitted(self) -> Fitted:
        return Fitted(self._trained, *self._other_parts())

    def _other_parts(self) -> tuple[Any, ...]:
        parts = (self.settings, self.history, self.rows, self._observed)
        corrections = self.calibration, self.band_factors
        of_states = self.prior, self.angles, self.known
        return *parts, self.observed_disagreement, *corrections, *of_states

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), NetworkArrays.of(self._trained), self._other_parts())


def _restored(
    kind: type[NetworkModel], network: NetworkArrays, parts: tuple[Any, ...]
) -> NetworkModel:
    """Restores a model from its arrays: for copies and other processes."""
    return kind(Fitted(network.parameters(), *parts))
