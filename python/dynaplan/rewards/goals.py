"""Terms that say where to go: distances, bonuses, progress, and conditions to multiply."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _core
from dynaplan.errors import ArgumentError
from dynaplan.rewards.terms import Of, Term, of_next, place, step_targets

__all__ = ["change", "distance", "excess", "inside", "linear", "tolerance", "within"]


def linear(weights: ArrayLike, *, offset: float = 0.0, of: Of = "next_state") -> Term:
    """Pays offset + weights^T s: more of some states, less of others.

    Args:
        weights: (S,) reward per unit of each state.
        offset: added at every step. Default 0.
        of: the state after the step (default), or before it.

    Raises:
        ArgumentError: a value is not finite.

    Example:
        >>> dp.rewards.linear([0.5, 0.0], offset=0.5)([[0, 0]], [[0]], [[1.0, 7.0]])
        array([1.])
    """
    return Term(
        _core.linear_reward(_arrays.vector("weights", weights), offset, of_next(of)), "linear"
    )


def change(index: int, *, weight: float = 1.0) -> Term:
    """Pays weight * (s'_i - s_i): what an entry of the state gains in the step.

    With `weight` = 1 / (seconds a step takes) and a position it pays the mean speed, as walking
    robots are paid. The mean prediction of a model that is wrong by a constant is paid that
    constant: check `evaluate` first.

    Args:
        index: the state that is to grow.
        weight: reward per unit gained; negative: it is to shrink.

    Raises:
        ArgumentError: `index` is negative, or `weight` is not finite.

    Example:
        >>> dp.rewards.change(0, weight=20.0)([[1.0]], [[0.0]], [[1.25]])
        array([5.])
    """
    return Term(_core.change_reward(place("index", index), weight), "change")


def distance(
    weight: float,
    *,
    indices: Sequence[int],
    to: Sequence[int] | None = None,
    target: ArrayLike | None = None,
    of: Of = "next_state",
) -> Term:
    """-weight * Euclidean distance, between some states and others, or a point.

    Args:
        weight: cost per unit of distance.
        indices: the states that are one end, n of them.
        to: n states that are the other end; or
        target: (n,) a point that is, or (H, n), one row for each step, the last one for all steps
            beyond. Default: 0. With `to` it is the wanted difference.
        of: the state after the step (default), or before it.

    Raises:
        ShapeError: the ends have different numbers of entries, or none.
        ArgumentError: an index is negative, or a value is not finite.

    Example:
        >>> reach = dp.rewards.distance(2.0, indices=[0, 1], target=[3.0, 4.0])
        >>> reach([[0, 0]], [[0]], [[0.0, 0.0]])
        array([-10.])
    """
    return Term(_core.distance_reward(*_ends(indices, to, target), weight, of_next(of)), "distance")


def within(
    radius: float,
    *,
    indices: Sequence[int],
    to: Sequence[int] | None = None,
    target: ArrayLike | None = None,
    bonus: float = 1.0,
    of: Of = "next_state",
) -> Term:
    """A bonus where a distance is at most a radius, else 0; the distance is that of `distance`.

    Args:
        radius: in the states' units, >= 0.
        indices: the states that are one end, n of them.
        to: n states that are the other end; or
        target: (n,) a point that is, or (H, n), one row for each step, the last one for all steps
            beyond. Default: 0. With `to` it is the wanted difference.
        bonus: paid at every step that ends there. Default 1.
        of: the state after the step (default), or before it.

    Raises:
        ShapeError: the ends have different numbers of entries, or none.
        ArgumentError: an index is negative, or a value is out of range.

    Example:
        >>> hold = dp.rewards.within(0.5, indices=[0], bonus=3.0)
        >>> hold([[0], [0]], [[0], [0]], [[0.4], [0.6]])
        array([3., 0.])
    """
    return Term(
        _core.within_reward(*_ends(indices, to, target), radius, bonus, of_next(of)), "within"
    )


def inside(low: ArrayLike, high: ArrayLike, *, bonus: float = 1.0, of: Of = "next_state") -> Term:
    """A bonus where the state lies in the box [low, high], its faces included, else 0.

    Args:
        low: (S,), -inf where unbounded.
        high: (S,), inf where unbounded.
        bonus: paid at every step that ends there. Default 1.
        of: the state after the step (default), or before it.

    Raises:
        ShapeError: `low` and `high` differ in size.
        ArgumentError: `low` exceeds `high` somewhere, or `bonus` is not finite.

    Example:
        >>> alive = dp.rewards.inside([-0.2, -np.inf], [0.2, np.inf])
        >>> alive([[0, 0], [0, 0]], [[0], [0]], [[0.1, 9.0], [0.3, 0.0]])
        array([1., 0.])
    """
    box = _arrays.vector("low", low), _arrays.vector("high", high)
    return Term(_core.inside_reward(*box, bonus, of_next(of)), "inside")


def excess(
    weights: ArrayLike,
    *,
    low: ArrayLike | None = None,
    high: ArrayLike | None = None,
    of: Of = "next_state",
) -> Term:
    """-sum of weight * (distance beyond the bounds)^2: limits that may be passed at a price.

    For limits that must not be passed at all there is `Limits`; with both, a system that is outside
    already finds the way back.

    Args:
        weights: (S,) cost per unit squared of each state beyond its bounds, >= 0.
        low: (S,), -inf where unbounded. Default: unbounded.
        high: (S,), inf where unbounded. Default: unbounded.
        of: the state after the step (default), or before it.

    Raises:
        ShapeError: the sizes differ.
        ArgumentError: a weight is negative, or `low` exceeds `high` somewhere.

    Example:
        >>> slow = dp.rewards.excess([0.0, 2.0], high=[np.inf, 1.0])
        >>> slow([[0, 0]] * 2, [[0]] * 2, [[5.0, 0.9], [5.0, 1.5]])
        array([ 0. , -0.5])
    """
    cost = _arrays.vector("weights", weights)
    lowest = np.full(len(cost), -np.inf) if low is None else _arrays.vector("low", low)
    highest = np.full(len(cost), np.inf) if high is None else _arrays.vector("high", high)
    return Term(_core.excess_cost(cost, lowest, highest, of_next(of)), "excess")


def tolerance(
    index: int,
    *,
    margin: float,
    low: float = 0.0,
    high: float = 0.0,
    value_at_margin: float = 0.1,
    falloff: Literal["gaussian", "quadratic"] = "gaussian",
    of: Literal["state", "next_state", "action"] = "next_state",
) -> Term:
    """1 where an entry lies in [low, high], falling smoothly to 0 outside.

    Multiply several to demand all at once, as the tasks of dm_control do.

    Args:
        index: which state or action.
        margin: the distance from the bounds at which `value_at_margin` is left, > 0.
        low: lower bound. Default 0.
        high: upper bound. Default 0: the target is one value.
        value_at_margin: below 1, and above 0 unless the falloff is quadratic. Default 0.1, as in
            dm_control.
        falloff: "gaussian": v^(d^2) at d margins; "quadratic": max(0, 1 - (1 - v) d^2).
        of: the state after the step (default), the state before it, or the action.

    Raises:
        ArgumentError: a setting is out of range.

    Source: Tassa et al. 2018, "DeepMind Control Suite", `rewards.tolerance`.

    Example:
        >>> dp.rewards.tolerance(0, margin=2.0)([[0]] * 2, [[0]] * 2, [[0.0], [2.0]]).round(9)
        array([1. , 0.1])
    """
    if of not in ("state", "next_state", "action"):
        raise ArgumentError(f'of: got {of!r}, must be "state", "next_state" or "action"')
    if falloff not in ("gaussian", "quadratic"):
        raise ArgumentError(f'falloff: got {falloff!r}, must be "gaussian" or "quadratic"')
    quadratic = falloff == "quadratic"
    entry = place("index", index)
    return Term(
        _core.tolerance_reward(entry, of, low, high, margin, value_at_margin, quadratic),
        "tolerance",
    )


def _ends(
    indices: Sequence[int], to: Sequence[int] | None, target: ArrayLike | None
) -> tuple[list[int], list[int], NDArray[Any]]:
    """Returns the entries of both ends and the points between them, one row a step."""
    first = [place("indices", index) for index in indices]
    second = [] if to is None else [place("to", index) for index in to]
    return first, second, step_targets(target, len(first))
