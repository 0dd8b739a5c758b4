"""Feature maps of linear models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dynaplan import _arrays, _texts

__all__ = ["Identity", "Polynomial", "checked_features", "is_function"]


@dataclass(frozen=True)
class Polynomial:
    """All monomials of the states and actions up to a total degree.

    With S + A = n inputs there are `comb(n + degree, degree) - 1` features: the inputs first, then
    the products of two, and so on. The constant is the model's intercept.

    Args:
        degree: the highest total degree, at least 1. Default 2: products such as speed times
            cosine are what most rigid bodies need first.

    Raises:
        ArgumentError: the degree is not an integer of at least 1.

    Example:
        >>> dp.Polynomial(2)
        Polynomial(degree=2)
    """

    degree: int = 2

    def __post_init__(self) -> None:
        object.__setattr__(self, "degree", _arrays.at_least(1, "degree", self.degree))


@dataclass(frozen=True)
class Identity:
    """The states and actions themselves: a linear model.

    Example:
        >>> dp.Identity().degree
        1
    """

    @property
    def degree(self) -> int:
        """The total degree, 1."""
        return 1


def is_function(features: Any) -> bool:
    """Whether features are a function of the user's, and no term or policy of ours."""
    is_ours = type(features).__module__.split(".")[0] == "dynaplan"
    return callable(features) and not isinstance(features, type) and not is_ours


def checked_features(features: Any) -> Identity | Polynomial:
    """Returns a feature map, or refuses what is none."""
    if not isinstance(features, Identity | Polynomial):
        raise TypeError(
            f"features: got {_texts.shown(features)}, must be Identity() or Polynomial(degree), "
            "such as Polynomial(2)"
        )
    _arrays.count("degree", features.degree)
    return features
