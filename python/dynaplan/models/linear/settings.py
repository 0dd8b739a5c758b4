"""What a linear fit is asked for."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dynaplan import _arrays, _core
from dynaplan.errors import ArgumentError
from dynaplan.models.linear.features import Identity, Polynomial, checked_features
from dynaplan.models.linear.function_fit import FeatureFunction, FunctionFit
from dynaplan.models.linear.regression_rows import Rows

__all__ = ["Features", "Fit", "Settings", "Target", "fit_of", "fit_rows", "merged_fit"]
__all__ += ["predicts_change", "require_change"]

Features: TypeAlias = Identity | Polynomial | FeatureFunction
Fit: TypeAlias = _core.LinearGaussianFit | FunctionFit

Target: TypeAlias = Literal["change", "absolute"]
Settings: TypeAlias = tuple[Target, bool, float, float]  # target, intercept, ridge, threshold


def predicts_change(target: str) -> bool:
    """Returns whether `target` is "change"; else it must be "absolute"."""
    return _arrays.choice("target", target, "change", "absolute") == "change"


def require_change(target: str, where: str) -> None:
    """Refuses another target than the change of the state, where something needs that.

    Raises:
        ArgumentError: it is "absolute".
    """
    if not predicts_change(target):
        raise ArgumentError(f'target: got "{target}", must be "change" with {where}')


def fit_rows(
    data: Rows,
    weights: NDArray[np.float64] | None,
    features: Features,
    settings: Settings,
    threads: int,
) -> Fit:
    """Returns the fit of transitions, with weights (N,) of their rows if there are any."""
    target, intercept, ridge, threshold = settings
    rows = data.states, data.actions, data.next_states, weights
    if not isinstance(features, Identity | Polynomial):
        return FunctionFit.fit(features, rows, (intercept, ridge, threshold), threads)
    degree, change = checked_features(features).degree, predicts_change(target)
    return _core.LinearGaussianFit.fit(*rows, degree, intercept, change, ridge, threshold, threads)


def merged_fit(one: Fit, other: Fit) -> Fit:
    """Returns the fit of the data of both.

    Raises:
        ArgumentError: the settings or the kind of their features differ.
        ShapeError: the dimensions differ.
    """
    if isinstance(one, FunctionFit) and isinstance(other, FunctionFit):
        return one.merged(other)
    if isinstance(one, FunctionFit) or isinstance(other, FunctionFit):
        raise ArgumentError("other: fitted with other features, must have the same")
    return one.merged(other)


def fit_of(state: tuple[Any, ...], features: Features, settings: Settings) -> Fit:
    """Returns the fit with this state, which another one had."""
    target, intercept, ridge, threshold = settings
    if not isinstance(features, Identity | Polynomial):
        return FunctionFit.from_state(features, state, (intercept, ridge, threshold))
    return _core.LinearGaussianFit.from_state(
        state, features.degree, intercept, predicts_change(target), ridge, threshold
    )
