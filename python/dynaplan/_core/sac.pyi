"""Soft actor-critic."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from dynaplan._core._arrays import _Float32, _Float64
from dynaplan._core.imagination import Policy

class SacSettings:
    """The settings of a soft actor-critic, checked when an agent is made of them."""

    def __init__(
        self,
        *,
        learning_rate: float,
        batch_size: int,
        tau: float,
        discount: float,
        target_entropy: float,
        temperature: float,
        learns_temperature: bool,
        real_ratio: float,
        buffer_size: int,
        imagined_buffer_size: int,
        seed: int,
        threads: int,
    ) -> None: ...

class Sac:
    """A soft actor-critic with its replay; one thread at a time may call it."""

    def __init__(
        self,
        *,
        state_dim: int,
        hidden: Sequence[int],
        activation: str,
        low: _Float64,
        high: _Float64,
        settings: SacSettings,
    ) -> None: ...
    def observe(
        self,
        states: NDArray[Any],
        actions: NDArray[Any],
        rewards: NDArray[Any],
        next_states: NDArray[Any],
        terminated: NDArray[Any],
    ) -> None: ...
    def observe_imagined(
        self,
        states: NDArray[Any],
        actions: NDArray[Any],
        rewards: NDArray[Any],
        next_states: NDArray[Any],
        terminated: NDArray[Any],
        replace: bool,
    ) -> None: ...
    def resize_imagined(self, capacity: int) -> None: ...
    # Updates, critic's loss, actor's loss, value, entropy, temperature.
    def update(self, count: int) -> tuple[int, float, float, float, float, float]: ...
    def act(self, states: _Float64, deterministic: bool) -> _Float64: ...
    def explore(self, count: int) -> _Float64: ...
    # The policy as it is now.
    def policy(self) -> Policy: ...
    # (batch, columns) each: states, actions, rewards, terminated, next_states, next_noise, noise.
    def next_batch(self) -> dict[str, _Float32]: ...
    # Of each network, moments and slow copy by name: weights and biases, layer by layer.
    def numbers(self) -> dict[str, _Float32]: ...
    def set_numbers(self, numbers: dict[str, NDArray[Any]]) -> None: ...
    # Logarithm of the temperature, its two moments, updates, draws.
    def counters(self) -> tuple[float, float, float, int, int]: ...
    def set_counters(
        self, logarithm: float, first: float, second: float, updates: int, draws: int
    ) -> None: ...
    # (size, 2 S + A + 2) and where the next one goes.
    def transitions(self, imagined: bool) -> tuple[_Float32, int]: ...
    def set_transitions(self, imagined: bool, rows: NDArray[Any], next: int) -> None: ...
    def sizes(self) -> tuple[int, int]: ...
