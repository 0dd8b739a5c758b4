"""How large a model is: the numbers that were fitted, and the time that one step takes."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from dynaplan.data.transitions import Transitions
from dynaplan.errors import Error
from dynaplan.models.gaussian_process.gaussian_process import GaussianProcess
from dynaplan.models.interface import Model
from dynaplan.models.known import KnownDynamics
from dynaplan.models.linear.linear_gaussian import LinearGaussian
from dynaplan.models.networks.arrays import NetworkArrays
from dynaplan.models.networks.network_model import NetworkModel
from dynaplan.rollouts.rollout import rollout

__all__ = ["FAILURES", "fitted_numbers", "step_nanoseconds"]

# What a model that cannot be evaluated raises; anything else is a fault of the caller's.
FAILURES = (Error, ArithmeticError, ValueError)

_STEPS = 50
_BATCHES = (1, 500)
_RUNS = 7
_SECONDS = 0.05  # for each batch, beyond the first run


def fitted_numbers(model: Any) -> int | None:
    """Returns how many numbers a fit has found: 0 of known dynamics, None where nobody can tell."""
    if isinstance(model, LinearGaussian):
        if model.threshold > 0.0:  # a term that was dropped has no uncertainty
            return sum(int(spread.any(axis=1).sum()) for spread in model._fit.spreads)
        # Those of known states were not fitted.
        return (model.state_dim - len(model.known)) * int(model.coefficients.shape[1])
    if isinstance(model, GaussianProcess):  # predictions hang on every row, and on the kernels
        return int(model.rows * model.state_dim + model.length_scales.size + 2 * model.state_dim)
    if isinstance(model, NetworkModel):
        arrays = NetworkArrays.of(model._parameters)
        return sum(int(part.size) for part in (*arrays.weights, *arrays.biases))
    return 0 if isinstance(model, KnownDynamics) else None


def step_nanoseconds(model: Model, data: Transitions) -> tuple[float, float]:
    """Measures the time of a step of rollouts in float32, which planners run, with one thread.

    Returns:
        Nanoseconds for each step of each trajectory: of one trajectory at a time, and of 500; the
        quickest of up to seven runs. nan where it fails, as where float32 does not hold the data.
    """
    found = []
    for batch in _BATCHES:
        with np.errstate(over="ignore"):  # and refused as infinite
            states = np.resize(data.states, (batch, data.state_dim)).astype(np.float32)
            actions = np.resize(data.actions, (batch, _STEPS, data.action_dim)).astype(np.float32)
        try:
            found.append(_quickest(model, states, actions) / (batch * _STEPS) * 1e9)
        except FAILURES:
            found.append(float("nan"))
    return found[0], found[1]


def _quickest(model: Model, states: Any, actions: Any) -> float:
    quickest, begin = float("inf"), time.perf_counter()
    for run in range(_RUNS):
        if run > 1 and time.perf_counter() - begin > _SECONDS:
            break
        started = time.perf_counter()
        rollout(model, states, actions)
        quickest = min(quickest, time.perf_counter() - started)
    return quickest
