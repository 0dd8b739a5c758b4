"""What a linear fit is asked for."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from dynaplan import _arrays, _core
from dynaplan.errors import ArgumentError
from dynaplan.models.linear.features import Identity, Polynomial

__all__ = ["Settings", "Target", "fit_of", "predicts_change", "require_change"]

Target: TypeAlias = Literal["change", "absolute"]
Settings: TypeAlias = tuple[Target, bool, float, float]  # target, intercept, ridge, threshold


def predicts_change(target: str) -> bool:
    """Returns whether `target` is "change"; else it must be "absolute"."""
    return _arrays.choice("target", target, "change", "absolute") == "change"


def require_change(target: str) -> None:
    """Refuses another target where there is a prior.

    Raises:
        ArgumentError: it is "absolute".
    """
    if not predicts_change(target):
        raise ArgumentError(
            f'target: got "{target}", must be "change" with a prior, as the rest is fitted'
        )


def fit_of(
    state: tuple[Any, ...], features: Identity | Polynomial, settings: Settings
) -> _core.LinearGaussianFit:
    """Returns the fit with this state, which another one had."""
    target, intercept, ridge, threshold = settings
    return _core.LinearGaussianFit.from_state(
        state, features.degree, intercept, predicts_change(target), ridge, threshold
    )
