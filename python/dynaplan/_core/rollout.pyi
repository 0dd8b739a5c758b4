"""Rollouts, particles, known ground."""

from typing import Literal

from dynaplan._core._arrays import _Float64, _Floats, _Limits
from dynaplan._core.models import Dynamics
from dynaplan._core.rewards import Reward
from dynaplan._core.terminations import Termination

class Particles:
    """How many particles there are, how they spread, and what their returns come to."""

    def __init__(
        self,
        propagation: Literal["mean", "sample", "ts1", "tsinf", "moment"],
        count: int,
        reduction: Literal["mean", "cvar", "worst", "epistemic_penalty"],
        parameter: float,
    ) -> None: ...

class DisagreementLimit:
    """A limit on the members' disagreement, and what becomes of particles beyond it."""

    def __init__(self, limit: float, rejects: bool) -> None: ...

def rollout(
    dynamics: Dynamics,
    states: _Floats,
    actions: _Floats,
    termination: Termination | None,
    limits: _Limits | None,
    particles: Particles,
    disagreement_limit: DisagreementLimit | None,
    seed: int,
    threads: int,
    out: _Floats,
) -> _Floats | None: ...
def returns(
    dynamics: Dynamics,
    reward: Reward,
    states: _Floats,
    actions: _Floats,
    previous_action: _Floats | None,
    termination: Termination | None,
    limits: _Limits | None,
    discount: float,
    particles: Particles,
    disagreement_limit: DisagreementLimit | None,
    seed: int,
    threads: int,
) -> _Floats: ...
def reduce(dynamics: Dynamics, particles: Particles, returns: _Float64) -> _Float64: ...
def disagreement(
    dynamics: Dynamics, states: _Float64, actions: _Float64, threads: int
) -> _Float64: ...
