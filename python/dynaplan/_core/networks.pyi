"""Networks."""

from typing import Final

from dynaplan._core._arrays import _Float32, _Float64
from dynaplan._core.models import Dynamics

class NetworkParameters:
    """A network or an ensemble: its numbers, checked, and packed to run in both precisions."""

    def __init__(
        self,
        state_dim: int,
        action_dim: int,
        angles: list[int],
        hidden: list[int],
        activation: str,
        probabilistic: bool,
        rewards: bool,
        input_mean: _Float64,
        input_scale: _Float64,
        target_mean: _Float64,
        target_scale: _Float64,
        weights: list[_Float32],
        biases: list[_Float32],
        log_variance_low: _Float32 | None,
        log_variance_high: _Float32 | None,
        periods: list[float] = ...,
    ) -> None: ...
    def dynamics(self) -> Dynamics: ...
    def predict(
        self, states: _Float64, actions: _Float64, threads: int
    ) -> tuple[_Float64, ...]: ...
    def sample(self, states: _Float64, actions: _Float64, seed: int, threads: int) -> _Float64: ...
    state_dim: Final[int]
    action_dim: Final[int]
    angles: Final[list[int]]
    periods: Final[list[float]]
    hidden: Final[list[int]]
    activation: Final[str]
    probabilistic: Final[bool]
    rewards: Final[bool]
    members: Final[int]
    input_mean: Final[_Float64]
    input_scale: Final[_Float64]
    target_mean: Final[_Float64]
    target_scale: Final[_Float64]
    weights: Final[list[_Float32]]
    biases: Final[list[_Float32]]
    log_variance_low: Final[_Float32 | None]
    log_variance_high: Final[_Float32 | None]
