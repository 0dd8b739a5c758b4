"""Compiled terminations."""

import numpy as np
from numpy.typing import NDArray

from dynaplan._core._arrays import _Float64

class Termination:
    """A termination in both precisions."""

    def ended(
        self, states: _Float64, actions: _Float64, next_states: _Float64
    ) -> NDArray[np.bool_]: ...

def double_pendulum_termination() -> Termination: ...
def inside_termination(low: _Float64, high: _Float64) -> Termination: ...
def outside_termination(low: _Float64, high: _Float64) -> Termination: ...
