"""Networks of the dynamics in NumPy: the arithmetic of the compiled ones, one member at a time."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dynaplan import _core
from reference.network import means_and_variances

Float64 = NDArray[np.float64]
Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Networks:
    """An ensemble with random weights, and what it says.

    Attributes:
        state_dim, action_dim, angles, hidden, activation, probabilistic, rewards: its shape.
        members: networks of the ensemble.
        seed: of the weights and scales.
    """

    state_dim: int = 3
    action_dim: int = 2
    angles: tuple[int, ...] = ()
    hidden: tuple[int, ...] = (20, 30)
    activation: str = "silu"
    probabilistic: bool = True
    rewards: bool = False
    members: int = 4
    seed: int = 0
    offset: float = 1.0
    input_mean: Float64 = field(init=False, repr=False)
    input_scale: Float64 = field(init=False, repr=False)
    target_mean: Float64 = field(init=False, repr=False)
    target_scale: Float64 = field(init=False, repr=False)
    weights: list[Float32] = field(init=False, repr=False)
    biases: list[Float32] = field(init=False, repr=False)
    log_variance_low: Float32 | None = field(init=False, repr=False)
    log_variance_high: Float32 | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        sizes = [self.inputs, *self.hidden, self.targets * (2 if self.probabilistic else 1)]
        scaling = {
            "input_mean": self.offset * rng.normal(size=self.inputs),
            "input_scale": rng.uniform(0.5, 2.0, self.inputs),
            "target_mean": 0.1 * rng.normal(size=self.targets),
            "target_scale": rng.uniform(0.05, 0.2, self.targets),
        }
        shapes = zip(sizes[1:], sizes[:-1], strict=True)
        weights = [
            (rng.normal(size=(self.members, o, i)) / np.sqrt(i)).astype(np.float32)
            for o, i in shapes
        ]
        biases = [0.1 * rng.normal(size=(self.members, o)).astype(np.float32) for o in sizes[1:]]
        bounds = rng.uniform(-1.0, 1.0, (2, self.members, self.targets)).astype(np.float32)
        for name, value in (
            *scaling.items(),
            ("weights", weights),
            ("biases", biases),
            ("log_variance_low", bounds[0] - 5.0 if self.probabilistic else None),
            ("log_variance_high", bounds[1] + 1.0 if self.probabilistic else None),
        ):
            object.__setattr__(self, name, value)

    @property
    def inputs(self) -> int:
        return self.state_dim + len(self.angles) + self.action_dim

    @property
    def targets(self) -> int:
        return self.state_dim + (1 if self.rewards else 0)

    def compiled(self) -> _core.NetworkParameters:
        """The same ensemble in C++."""
        return _core.NetworkParameters(
            self.state_dim,
            self.action_dim,
            list(self.angles),
            list(self.hidden),
            self.activation,
            self.probabilistic,
            self.rewards,
            self.input_mean,
            self.input_scale,
            self.target_mean,
            self.target_scale,
            self.weights,
            self.biases,
            self.log_variance_low,
            self.log_variance_high,
        )

    def all_members(self, states: Float64, actions: Float64) -> tuple[Float64, Float64]:
        """Means and variances (K, N, targets), of next states and rewards."""
        means, variances = means_and_variances(self, states, actions)
        means[..., : self.state_dim] += states
        return means, variances

    def member(self, m: int, states: Float64, actions: Float64) -> tuple[Float64, Float64]:
        """Means and variances (N, targets) of one member, of next states and rewards."""
        means, variances = self.all_members(states, actions)
        return means[m], variances[m]

    def moments(self, states: Float64, actions: Float64) -> tuple[Float64, Float64, Float64]:
        """Mean, aleatoric and epistemic variance (N, targets): law of total variance."""
        means, variances = self.all_members(states, actions)
        return means.mean(axis=0), variances.mean(axis=0), means.var(axis=0)

    def disagreement(self, states: Float64, actions: Float64) -> Float64:
        """(N,): the members' standard deviation of predicted changes in their own scales."""
        epistemic = self.moments(states, actions)[2][:, : self.state_dim]
        scale = self.target_scale[: self.state_dim]
        return np.sqrt((epistemic / scale**2).mean(axis=1))
