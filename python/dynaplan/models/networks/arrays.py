"""`NetworkArrays`: all numbers of a network or an ensemble, in NumPy arrays.

Files, copies and other libraries are written and read through it; the core checks it when it makes
its own `NetworkParameters`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _core, _texts
from dynaplan.errors import ArgumentError, ShapeError

__all__ = ["NetworkArrays", "NetworkUnits"]

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkUnits:
    """The inputs and outputs of a bare network, which consists of weights and activations alone.

    A bare network sees (x - input_mean) / input_scale of its inputs x: the states with sin in place
    of each angle, the cosines of the angles, the actions. It gives (y - target_mean) / target_scale
    of its targets y: the change of the state, and with `rewards` the reward.

    Attributes:
        angles: the states that are angles in radians, ascending. Default: none.
        rewards: whether the last output is the reward. Default False.
        input_mean: one number per input. Default: all 0.
        input_scale: above 0. Default: all 1.
        target_mean: one number per output. Default: all 0.
        target_scale: above 0. Default: all 1.

    Raises:
        TypeError, ShapeError, ArgumentError: an attribute is of another kind or shape.
    """

    angles: Sequence[int] = ()
    rewards: bool = False
    input_mean: ArrayLike | None = None
    input_scale: ArrayLike | None = None
    target_mean: ArrayLike | None = None
    target_scale: ArrayLike | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "angles", _arrays.counts("angles", self.angles))
        object.__setattr__(self, "rewards", _arrays.flag("rewards", self.rewards))
        for name in ("input_mean", "input_scale", "target_mean", "target_scale"):
            values = getattr(self, name)
            if values is not None:
                object.__setattr__(self, name, _unit(name, values))

    def __repr__(self) -> str:
        return _texts.object_text(self)


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkArrays:
    """The arguments of `_core.NetworkParameters` by their names.

    Attributes:
        state_dim: S.
        action_dim: A.
        angles: the states that are angles, ascending.
        hidden: units of each hidden layer.
        activation: "silu", "tanh" or "relu", after each hidden layer.
        probabilistic: a log-variance beside every mean.
        rewards: one more target after the states.
        input_mean, input_scale: (inputs,) inputs are standardised by them. Inputs are the states
            with sin in place of each angle, the cosines of the angles, and the actions.
        target_mean, target_scale: (targets,) of the change of the state, then of the reward.
        weights: for each layer (K, outputs, inputs); the last gives means, then log-variances.
        biases: for each layer (K, outputs).
        log_variance_low, log_variance_high: (K, targets) if probabilistic, else None.
        periods: of each angle, in its state's unit; none where all are in radians.
    """

    state_dim: int
    action_dim: int
    angles: Sequence[int]
    hidden: Sequence[int]
    activation: str
    probabilistic: bool
    rewards: bool
    input_mean: Float64
    input_scale: Float64
    target_mean: Float64
    target_scale: Float64
    weights: Sequence[Float32]
    biases: Sequence[Float32]
    log_variance_low: Float32 | None
    log_variance_high: Float32 | None
    periods: Sequence[float] = ()

    @property
    def members(self) -> int:
        """Number of networks, K."""
        return int(self.weights[0].shape[0])

    @property
    def targets(self) -> int:
        """Number of means that a network predicts."""
        return self.state_dim + int(self.rewards)

    @classmethod
    def of(cls, parameters: _core.NetworkParameters) -> NetworkArrays:
        """Returns copies of the core's."""
        return cls(**{field.name: getattr(parameters, field.name) for field in fields(cls)})

    @classmethod
    def of_layers(
        cls,
        layers: Sequence[tuple[NDArray[Any], NDArray[Any]]],
        activation: str,
        units: NetworkUnits,
    ) -> NetworkArrays:
        """Makes one network that predicts no variance.

        Args:
            layers: weights (outputs, inputs) and biases (outputs,) of each; rounded to float32.
            activation: between them.
            units: of the first layer's inputs and the last one's outputs.

        Raises:
            ShapeError: the layers do not fit each other or `units`.
        """
        inputs, outputs = layers[0][0].shape[1], layers[-1][0].shape[0]
        state_dim = outputs - int(units.rewards)
        action_dim = inputs - state_dim - len(units.angles)
        if state_dim < 1 or action_dim < 1:
            raise ShapeError(
                f"network: {inputs} inputs and {outputs} outputs leave {state_dim} states and "
                f"{action_dim} actions with {len(units.angles)} angles, must be at least 1 each"
            )
        for (_, biases), (weights, _) in pairwise(layers):
            if weights.shape[1] != len(biases):
                raise ShapeError(
                    f"network: a layer of {weights.shape[1]} inputs follows {len(biases)} outputs"
                )
        return cls(
            state_dim=state_dim,
            action_dim=action_dim,
            angles=list(units.angles),
            hidden=[len(biases) for _, biases in layers[:-1]],
            activation=activation,
            probabilistic=False,
            rewards=units.rewards,
            input_mean=_vector("input_mean", units.input_mean, inputs, 0.0),
            input_scale=_vector("input_scale", units.input_scale, inputs, 1.0),
            target_mean=_vector("target_mean", units.target_mean, outputs, 0.0),
            target_scale=_vector("target_scale", units.target_scale, outputs, 1.0),
            weights=[np.array(weights[np.newaxis], np.float32, order="C") for weights, _ in layers],
            biases=[np.array(biases[np.newaxis], np.float32, order="C") for _, biases in layers],
            log_variance_low=None,
            log_variance_high=None,
        )

    def means(self) -> NetworkArrays:
        """Returns the same network without its variances.

        Raises:
            ArgumentError: there are several networks.
        """
        if self.members != 1:
            raise ArgumentError(
                f"network: an ensemble of {self.members} networks, must be a single one"
            )
        return replace(
            self,
            probabilistic=False,
            weights=[*self.weights[:-1], self.weights[-1][:, : self.targets]],
            biases=[*self.biases[:-1], self.biases[-1][:, : self.targets]],
            log_variance_low=None,
            log_variance_high=None,
        )

    def with_noise_scaled(self, factors: Float64) -> NetworkArrays:
        """Returns the same networks, but for the standard deviations (S,) of the states' noise.

        Args:
            factors: on each of them, above 0.
        """
        assert self.log_variance_low is not None
        assert self.log_variance_high is not None
        shift = np.zeros(self.targets, np.float32)
        shift[: self.state_dim] = 2.0 * np.log(factors)
        # Raw log-variance and bounds move together, so that their distances stay.
        biases = self.biases[-1].copy()
        biases[:, self.targets :] += shift
        return replace(
            self,
            biases=[*self.biases[:-1], biases],
            log_variance_low=self.log_variance_low + shift,
            log_variance_high=self.log_variance_high + shift,
        )

    def parameters(self) -> _core.NetworkParameters:
        """Returns them as the core's `NetworkParameters`.

        Raises:
            ArgumentError, ShapeError: something is out of range, or does not fit the rest.
        """
        # Not by `asdict`, which would copy every array.
        arguments: dict[str, Any] = {
            field.name: getattr(self, field.name) for field in fields(self)
        }
        return _core.NetworkParameters(**arguments | {"periods": list(self.periods)})


def _unit(name: str, values: ArrayLike) -> Float64:
    vector: Float64 = _arrays.vector(name, values)
    if not np.isfinite(vector).all() or (name.endswith("scale") and not (vector > 0.0).all()):
        wanted = "finite and above 0" if name.endswith("scale") else "finite"
        raise ArgumentError(f"{name}: got {_texts.brief(vector)}, must be {wanted}")
    return vector


def _vector(name: str, values: ArrayLike | None, size: int, default: float) -> Float64:
    return np.full(size, default) if values is None else _arrays.vector(name, values, size)
