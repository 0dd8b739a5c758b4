"""Imagined transitions."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynaplan._core._arrays import _Float64, _Limits
from dynaplan._core.models import Dynamics
from dynaplan._core.rewards import Reward
from dynaplan._core.terminations import Termination

class Policy:
    """A policy as it was when this was made."""

# Without a policy `actions` are (N * H, A); `previous_actions` (N, A) come before the first step.
# (N * H, S) states, (N * H, A) actions, (N * H,) rewards (empty without one), (N * H, S) next
# states, (N * H,) terminations; (N,) steps of each rollout, (N,) whether it was cut.
def imagine(
    *,
    dynamics: Dynamics,
    starts: _Float64,
    policy: Policy | None,
    policy_function: Callable[..., NDArray[Any]] | None,
    reward: Reward | None,
    termination: Termination | None,
    termination_function: Callable[..., NDArray[Any]] | None,
    limits: _Limits | None,
    elite_members: Sequence[int],
    disagreement_limit: float | None,
    length: int,
    seed: int,
    threads: int,
    actions: _Float64 | None = None,
    previous_actions: _Float64 | None = None,
) -> tuple[
    _Float64,
    _Float64,
    _Float64,
    _Float64,
    NDArray[np.bool_],
    NDArray[np.int64],
    NDArray[np.bool_],
]: ...
