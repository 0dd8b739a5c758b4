"""Compiled terminations."""

import numpy as np
from numpy.typing import NDArray

from dynaplan._core._arrays import _Float64
from dynaplan._core.networks import NetworkParameters

class Termination:
    """A termination in both precisions."""

    def ended(
        self,
        states: _Float64,
        actions: _Float64,
        next_states: _Float64,
        steps: NDArray[np.int64] | None = None,
    ) -> NDArray[np.bool_]: ...

def acrobot_termination() -> Termination: ...
def compiled_termination(
    address: int, is_float64: bool, user_data: int, owner: object, state_dim: int, action_dim: int
) -> Termination: ...
def double_pendulum_termination() -> Termination: ...
def inside_termination(low: _Float64, high: _Float64) -> Termination: ...
def learned_termination(networks: NetworkParameters, threshold: float) -> Termination: ...
def outside_termination(low: _Float64, high: _Float64) -> Termination: ...
