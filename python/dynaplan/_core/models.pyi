"""Models as rollouts and planners run them."""

from collections.abc import Callable

from dynaplan._core._arrays import _Float64

class Dynamics:
    """A model's dynamics in both precisions."""

    @property
    def state_dim(self) -> int: ...
    @property
    def action_dim(self) -> int: ...

def compiled_dynamics(
    address: int, is_float64: bool, user_data: int, owner: object, state_dim: int, action_dim: int
) -> Dynamics: ...
def python_dynamics(
    function: Callable[[_Float64, _Float64], _Float64], state_dim: int, action_dim: int
) -> Dynamics: ...
def linear_dynamics(weights: _Float64, constant: _Float64, noise_factor: _Float64) -> Dynamics: ...
def matrix_exponential(matrix: _Float64) -> _Float64: ...
def jacobians(
    dynamics: Dynamics, states: _Float64, actions: _Float64, threads: int
) -> tuple[_Float64, _Float64, _Float64]: ...
