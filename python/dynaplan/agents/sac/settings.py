"""How a soft actor-critic learns, and what its updates report."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynaplan import _arrays, _core, _texts
from dynaplan._settings import checked_settings
from dynaplan.errors import ArgumentError

__all__ = ["SACSettings", "UpdateStatistics"]


@dataclass(frozen=True, slots=True)
class UpdateStatistics:
    """Means over the updates of one call.

    Attributes:
        updates: how many there were.
        critic_loss: half the sum of both critics' mean squared errors.
        actor_loss: mean of temperature * log-probability - value.
        value: mean of the smaller critic at the policy's own actions: the return it expects,
            discounted, entropy included.
        entropy: mean of the policy's entropy in nats, of actions scaled to [-1, 1].
        temperature: mean weight of the entropy.
    """

    updates: int
    critic_loss: float
    actor_loss: float
    value: float
    entropy: float
    temperature: float

    def __repr__(self) -> str:
        return _texts.object_text(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class SACSettings:
    """The arguments of `SAC` but for the environment and the threads, as they go into files."""

    learning_rate: float
    buffer_size: int
    learning_starts: int
    batch_size: int
    tau: float
    discount: float
    train_freq: int
    gradient_steps: int
    hidden: tuple[int, ...]
    activation: str
    target_entropy: float
    temperature: float | None
    initial_temperature: float
    real_ratio: float
    imagined_buffer_size: int
    seed: int

    def __post_init__(self) -> None:
        checked_settings(self)

    def core(
        self,
        state_dim: int,
        bounds: tuple[NDArray[np.float64], NDArray[np.float64]],
        threads: int,
    ) -> _core.Sac:
        """Returns a new agent of the core, which checks the settings.

        Raises:
            ArgumentError: something is out of range.
        """
        for setting, minimum in (("learning_starts", 0), ("train_freq", 1), ("gradient_steps", 1)):
            _arrays.at_least(minimum, setting, getattr(self, setting))
        _arrays.choice("activation", self.activation, "relu", "tanh", "silu")
        fixed = self.temperature
        temperature = self.initial_temperature if fixed is None else fixed
        for name in ("temperature", "initial_temperature"):
            value = getattr(self, name)
            if value is not None and not 0.0 < value < np.inf:
                raise ArgumentError(f"{name}: got {value}, must be finite and above 0")
        settings = _core.SacSettings(
            learning_rate=self.learning_rate,
            batch_size=self.batch_size,
            tau=self.tau,
            discount=self.discount,
            target_entropy=self.target_entropy,
            temperature=temperature,
            learns_temperature=fixed is None,
            real_ratio=self.real_ratio,
            buffer_size=self.buffer_size,
            imagined_buffer_size=self.imagined_buffer_size,
            seed=self.seed,
            threads=_arrays.count("threads", threads),
        )
        return _core.Sac(
            state_dim=state_dim,
            hidden=list(self.hidden),
            activation=self.activation,
            low=bounds[0],
            high=bounds[1],
            settings=settings,
        )
