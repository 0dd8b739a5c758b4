"""Terms that describe a goal: distances, bonuses, progress, and conditions to multiply."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _texts
from dynaplan._recipes import CoreCall
from dynaplan.errors import ShapeError
from dynaplan.rewards.terms import Of, Term, of_next, of_text, step_targets

__all__ = ["change", "distance", "excess", "inside", "linear", "tolerance", "within"]


def linear(weights: ArrayLike, *, offset: float = 0.0, of: Of = "next_state") -> Term:
    """A reward linear in the state: offset + weights^T s.

    Args:
        weights: (S,) reward per unit of each state.
        offset: added at every step. Default 0.
        of: "next_state" (default), the state after the step, or "state", the one before it.

    Raises:
        ArgumentError: a value is not finite.

    Example:
        >>> dp.rewards.linear([0.5, 0.0], offset=0.5)([[0, 0]], [[0]], [[1.0, 7.0]])
        array([1.])
    """
    slope, constant = _arrays.vector("weights", weights), _arrays.real("offset", offset)
    text = _texts.call_text("linear", weights, offset=constant or None, of=of_text(of))
    return Term(CoreCall("linear_reward", slope, constant, of_next(of)), "linear", text=text)


def change(index: int, *, weight: float = 1.0) -> Term:
    """The increase of one entry of the state over the step: weight * (s'_i - s_i).

    With `weight` = 1 / (duration of a step in seconds) and a position it is the mean speed, the
    usual reward of walking robots. A model whose mean prediction is off by a constant adds that
    constant to every step: check `evaluate` first.

    Args:
        index: the state that should increase.
        weight: reward per unit of increase; negative: it should decrease. Default 1.

    Raises:
        ArgumentError: `index` is negative, or `weight` is not finite.

    Example:
        >>> dp.rewards.change(0, weight=20.0)([[1.0]], [[0.0]], [[1.25]])
        array([5.])
    """
    entry, factor = _arrays.count("index", index, 0), _arrays.real("weight", weight)
    text = _texts.call_text("change", entry, weight=factor)
    return Term(CoreCall("change_reward", entry, factor), "change", text=text)


def distance(
    weight: float,
    *,
    indices: Sequence[int],
    to: Sequence[int] | None = None,
    target: ArrayLike | None = None,
    of: Of = "next_state",
) -> Term:
    """-weight * Euclidean distance between some states and others, or a point.

    Args:
        weight: cost per unit of distance, in the states' units.
        indices: the n states that form one point.
        to: the n states that form the other point. Default: the other point is `target`.
        target: (n,) the other point, in the states' units, or with `to` the desired difference of
            the two; or (H, n), one row for each step, the last one for all later steps. Default 0.
        of: "next_state" (default), the state after the step, or "state", the one before it.

    Raises:
        ShapeError: the two points have different numbers of entries, or none.
        ArgumentError: an index is negative, or a value is not finite.

    Example:
        >>> reach = dp.rewards.distance(2.0, indices=[0, 1], target=[3.0, 4.0])
        >>> reach([[0, 0]], [[0]], [[0.0, 0.0]])
        array([-10.])
    """
    factor = _arrays.real("weight", weight)
    reward = CoreCall("distance_reward", *_ends(indices, to, target), factor, of_next(of))
    text = _texts.call_text(
        "distance", factor, indices=indices, to=to, target=target, of=of_text(of)
    )
    return Term(reward, "distance", text=text)


def within(
    radius: float,
    *,
    indices: Sequence[int],
    to: Sequence[int] | None = None,
    target: ArrayLike | None = None,
    bonus: float = 1.0,
    of: Of = "next_state",
) -> Term:
    """A bonus where the Euclidean distance of two points is at most a radius, else 0.

    Args:
        radius: in the states' units, >= 0.
        indices: the n states that form one point.
        to: the n states that form the other point. Default: the other point is `target`.
        target: (n,) the other point, in the states' units, or with `to` the desired difference of
            the two; or (H, n), one row for each step, the last one for all later steps. Default 0.
        bonus: reward of every step that ends there. Default 1.
        of: "next_state" (default), the state after the step, or "state", the one before it.

    Raises:
        ShapeError: the two points have different numbers of entries, or none.
        ArgumentError: an index is negative, or a value is out of range.

    Example:
        >>> hold = dp.rewards.within(0.5, indices=[0], bonus=3.0)
        >>> hold([[0], [0]], [[0], [0]], [[0.4], [0.6]])
        array([3., 0.])
    """
    length, gain = _arrays.real("radius", radius), _arrays.real("bonus", bonus)
    reward = CoreCall("within_reward", *_ends(indices, to, target), length, gain, of_next(of))
    text = _texts.call_text(
        "within", length, indices=indices, to=to, target=target, bonus=gain, of=of_text(of)
    )
    return Term(reward, "within", text=text)


def inside(low: ArrayLike, high: ArrayLike, *, bonus: float = 1.0, of: Of = "next_state") -> Term:
    """A bonus where the state lies in the box [low, high], its boundary included, else 0.

    Args:
        low: (S,), -inf where unbounded.
        high: (S,), inf where unbounded.
        bonus: reward of every step that ends there. Default 1.
        of: "next_state" (default), the state after the step, or "state", the one before it.

    Raises:
        ShapeError: `low` and `high` differ in size.
        ArgumentError: `low` exceeds `high` somewhere, or `bonus` is not finite.

    Example:
        >>> alive = dp.rewards.inside([-0.2, -np.inf], [0.2, np.inf])
        >>> alive([[0, 0], [0, 0]], [[0], [0]], [[0.1, 9.0], [0.3, 0.0]])
        array([1., 0.])
    """
    box = _arrays.vector("low", low), _arrays.vector("high", high)
    gain = _arrays.real("bonus", bonus)
    text = _texts.call_text("inside", low, high, bonus=gain, of=of_text(of))
    return Term(CoreCall("inside_reward", *box, gain, of_next(of)), "inside", text=text)


def excess(
    weights: ArrayLike,
    *,
    low: ArrayLike | None = None,
    high: ArrayLike | None = None,
    of: Of = "next_state",
) -> Term:
    """-sum of weight * (distance beyond the bounds)^2: soft limits.

    Hard limits, which no plan may exceed, are `Limits`; with both, a system that is already outside
    is drawn back.

    Args:
        weights: (S,) cost per unit squared of each state beyond its bounds, >= 0.
        low: (S,), -inf where unbounded. Default: unbounded.
        high: (S,), inf where unbounded. Default: unbounded.
        of: "next_state" (default), the state after the step, or "state", the one before it.

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
    text = _texts.call_text("excess", weights, low=low, high=high, of=of_text(of))
    return Term(CoreCall("excess_cost", cost, lowest, highest, of_next(of)), "excess", text=text)


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

    Multiply several to require all at once, as the tasks of dm_control do.

    Args:
        index: which state or action.
        margin: the distance from the bounds at which the value is `value_at_margin`, in the
            entry's unit, > 0.
        low: lower bound. Default 0.
        high: upper bound. Default 0: the target is a single value.
        value_at_margin: in (0, 1), or [0, 1) for a quadratic falloff. Default 0.1, as in
            dm_control.
        falloff: the value v^(d^2) at d margins ("gaussian", default), or max(0, 1 - (1 - v) d^2)
            ("quadratic"), with v the `value_at_margin`.
        of: "next_state" (default), the state after the step, "state", the one before it, or
            "action".

    Raises:
        ArgumentError: a setting is out of range.

    Source: Tassa et al. 2018, "DeepMind Control Suite", `rewards.tolerance`.

    Example:
        >>> dp.rewards.tolerance(0, margin=2.0)([[0]] * 2, [[0]] * 2, [[0.0], [2.0]]).round(9)
        array([1. , 0.1])
    """
    _arrays.choice("of", of, "state", "next_state", "action")
    quadratic = _arrays.choice("falloff", falloff, "gaussian", "quadratic") == "quadratic"
    entry = _arrays.count("index", index, 0)
    bounds = _arrays.real("low", low), _arrays.real("high", high)
    distance = _arrays.real("margin", margin)
    value = _arrays.real("value_at_margin", value_at_margin)
    text = _texts.call_text(
        "tolerance",
        entry,
        margin=distance,
        low=bounds[0] or None,
        high=bounds[1] or None,
        of=of_text(of),
    )
    reward = CoreCall("tolerance_reward", entry, of, *bounds, distance, value, quadratic)
    return Term(reward, "tolerance", text=text)


def _ends(
    indices: Sequence[int], to: Sequence[int] | None, target: ArrayLike | None
) -> tuple[list[int], list[int], NDArray[Any]]:
    """Returns the entries of both ends and the points between them, one row a step."""
    first = places("indices", indices)
    second = [] if to is None else places("to", to)
    return first, second, step_targets(target, len(first))


def places(name: str, indices: Sequence[int]) -> list[int]:
    """Returns the entries of a state that form a point, at least one."""
    entries = _arrays.counts(name, indices)
    if not entries:
        raise ShapeError(f"{name}: got none, must be at least one")
    return [_arrays.count(name, entry, 0) for entry in entries]
