"""Models as rollouts and planners run them."""

from dynaplan._core._arrays import _Float64

class Dynamics:
    """A model's dynamics in both precisions."""

    @property
    def state_dim(self) -> int: ...
    @property
    def action_dim(self) -> int: ...

def jacobians(
    dynamics: Dynamics, states: _Float64, actions: _Float64, threads: int
) -> tuple[_Float64, _Float64, _Float64]: ...
