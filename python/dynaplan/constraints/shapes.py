"""Where a point of the state must be: outside obstacles, inside corridors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from dynaplan import _arrays, _texts
from dynaplan._recipes import CoreCall
from dynaplan.errors import ArgumentError
from dynaplan.rewards.goals import linear, places
from dynaplan.rewards.terms import Of, Term, of_next, of_text

__all__ = [
    "half_plane",
    "inside_box",
    "inside_disc",
    "inside_tube",
    "outside_box",
    "outside_disc",
]


def outside_disc(
    radius: float,
    *,
    indices: Sequence[int],
    centre: ArrayLike | None = None,
    to: Sequence[int] | None = None,
    margin: float = 0.0,
    of: Of = "next_state",
) -> Term:
    """Keeps a point of the state outside a disc, or a ball: radius + margin - distance <= 0.

    Args:
        radius: in the states' units, >= 0.
        indices: the n states that form the point.
        centre: (n,) the disc's centre, in the states' units, or (H, n), one row for each step of
            the plan, the last one for all later steps: an obstacle that moves. Default: 0.
        to: n other states that the centre moves with, such as those of another vehicle; `centre`
            is then the offset from them.
        margin: kept besides, in the states' units, >= 0. Default 0.
        of: "next_state" (default), the state after the step, or "state", the one before it.

    Returns:
        The term, by how much the point is too near; below 0 by how much it is clear.

    Raises:
        ShapeError: the two points have different numbers of entries, or none.
        ArgumentError: an index or a length is negative, or a value is not finite.

    Example:
        >>> clear = dp.constraints.outside_disc(1.0, indices=[0, 1], centre=[3.0, 4.0])
        >>> clear([[0, 0]], [[0]], [[0.0, 0.0]])
        array([-4.])
    """
    return _disc(
        "outside_disc", radius, indices=indices, centre=centre, to=to, margin=margin, of=of
    )


def inside_disc(
    radius: float,
    *,
    indices: Sequence[int],
    centre: ArrayLike | None = None,
    to: Sequence[int] | None = None,
    margin: float = 0.0,
    of: Of = "next_state",
) -> Term:
    """Keeps a point of the state inside a disc, or a ball: distance - radius + margin <= 0.

    Args:
        radius: in the states' units, >= 0.
        indices: the n states that form the point.
        centre: (n,) the disc's centre, in the states' units, or (H, n), one row for each step of
            the plan, the last one for all later steps. Default: 0.
        to: n other states that the centre moves with; `centre` is then the offset from them.
        margin: kept besides, in the states' units, >= 0. Default 0.
        of: "next_state" (default), the state after the step, or "state", the one before it.

    Returns:
        The term, by how much the point is outside; below 0 by how much it is within.

    Raises:
        ShapeError: the two points have different numbers of entries, or none.
        ArgumentError: an index or a length is negative, or a value is not finite.

    Example:
        >>> near = dp.constraints.inside_disc(6.0, indices=[0, 1], centre=[3.0, 4.0])
        >>> near([[0, 0]], [[0]], [[0.0, 0.0]])
        array([-1.])
    """
    return _disc("inside_disc", radius, indices=indices, centre=centre, to=to, margin=margin, of=of)


def half_plane(
    weights: ArrayLike, bound: float, *, margin: float = 0.0, of: Of = "next_state"
) -> Term:
    """Keeps the state on one side of a plane: weights^T s <= bound - margin.

    Args:
        weights: (S,) per unit of each state.
        bound: of the sum.
        margin: kept besides, in the unit of the sum, >= 0. Default 0.
        of: "next_state" (default), the state after the step, or "state", the one before it.

    Raises:
        ArgumentError: a value is not finite, or `margin` is negative.

    Example:
        >>> brakes_in_time = dp.constraints.half_plane([1.0, 0.5], 10.0)  # place + speed / 2 <= 10
        >>> brakes_in_time([[0, 0]], [[0]], [[7.0, 4.0]])
        array([-1.])
    """
    limit, slack = _arrays.real("bound", bound), _length("margin", margin)
    if not np.isfinite(limit):
        raise ArgumentError(f"bound: got {limit}, must be finite")
    term = linear(weights, offset=slack - limit, of=of)
    text = _texts.call_text("half_plane", weights, limit, margin=slack or None, of=of_text(of))
    return Term(term._recipe, "half_plane", text=text)


def outside_box(
    low: ArrayLike,
    high: ArrayLike,
    *,
    indices: Sequence[int],
    margin: float = 0.0,
    of: Of = "next_state",
) -> Term:
    """Keeps a point of the state outside a box whose sides lie along the axes.

    Args:
        low: (n,) the box's lowest corner, in the states' units, or (H, n), one row for each step of
            the plan, the last one for all later steps: an obstacle that moves.
        high: (n,) or (H, n), its highest corner.
        indices: the n states that form the point.
        margin: distance that is kept from the box besides, in the states' units, >= 0. Default 0.
        of: "next_state" (default), the state after the step, or "state", the one before it.

    Returns:
        The term, by how much the point is too near; below 0 by how much it is clear.

    Raises:
        ShapeError: the sizes differ, or there are no indices.
        ArgumentError: `low` exceeds `high` somewhere, an index or `margin` is negative, or a value
            is not finite.

    Example:
        >>> clear = dp.constraints.outside_box([0.0, 0.0], [2.0, 1.0], indices=[0, 1])
        >>> clear([[0, 0]] * 2, [[0]] * 2, [[5.0, 5.0], [1.0, 0.25]])
        array([-5.  ,  0.25])
    """
    entries = places("indices", indices)
    slack = _length("margin", margin)
    box = [_arrays.finite_rows(*one, len(entries)) for one in (("low", low), ("high", high))]
    text = _texts.call_text(
        "outside_box", low, high, indices=indices, margin=slack or None, of=of_text(of)
    )
    call = CoreCall("box_clearance", entries, *box, True, slack, of_next(of))
    return Term(call, "outside_box", text=text)


def inside_box(
    low: ArrayLike,
    high: ArrayLike,
    *,
    indices: Sequence[int],
    margin: float = 0.0,
    of: Of = "next_state",
) -> tuple[Term, ...]:
    """Keeps a point of the state inside a box whose sides lie along the axes.

    The same as `Limits(state_low=, state_high=)`, but for bounds that vary along the plan.

    Args:
        low: (n,) the box's lowest corner, in the states' units, or (H, n), one row for each step of
            the plan, the last one for all later steps.
        high: (n,) or (H, n), its highest corner.
        indices: the n states that form the point.
        margin: kept from each side besides, in the states' units, >= 0. Default 0.
        of: "next_state" (default), the state after the step, or "state", the one before it.

    Returns:
        A term for each index, by how much the point is beyond the nearer side.

    Raises:
        ShapeError: the sizes differ, or there are no indices.
        ArgumentError: `low` exceeds `high` somewhere, an index or `margin` is negative, or a value
            is not finite.

    Example:
        >>> lane = dp.constraints.inside_box([-2.0, 0.0], [2.0, 9.0], indices=[1, 3])
        >>> [float(term([[0] * 4], [[0]], [[7.0, 3.0, 0.0, 8.0]])[0]) for term in lane]
        [1.0, -1.0]
    """
    entries = places("indices", indices)
    slack = _length("margin", margin)
    lows = _arrays.finite_rows("low", low, len(entries))
    highs = _arrays.finite_rows("high", high, len(entries))
    text = _texts.call_text(
        "inside_box", low, high, indices=indices, margin=slack or None, of=of_text(of)
    )
    return tuple(
        Term(
            CoreCall(
                "box_clearance",
                [entry],
                np.ascontiguousarray(lows[:, i : i + 1]),
                np.ascontiguousarray(highs[:, i : i + 1]),
                False,
                slack,
                of_next(of),
            ),
            f"inside_box {entry}",
            text=f"{text}[{i}]",
        )
        for i, entry in enumerate(entries)
    )


def inside_tube(
    radius: float,
    *,
    indices: Sequence[int],
    path: ArrayLike,
    margin: float = 0.0,
    of: Of = "next_state",
) -> Term:
    """Keeps a point of the state near a path: distance - radius + margin <= 0.

    Args:
        radius: of the tube around the path, in the states' units, >= 0.
        indices: the n states that form the point.
        path: (M, n) points that straight lines join, M >= 1.
        margin: kept besides, in the states' units, >= 0. Default 0.
        of: "next_state" (default), the state after the step, or "state", the one before it.

    Returns:
        The term, by how much the point is outside; below 0 by how much it is within.

    Raises:
        ShapeError: `path` has another number of columns than there are indices.
        ArgumentError: an index or a length is negative, or a value is not finite.

    Example:
        >>> road = dp.constraints.inside_tube(2.0, indices=[0, 1], path=[[0, 0], [9, 0], [9, 9]])
        >>> road([[0, 0]] * 2, [[0]] * 2, [[4.0, 1.5], [12.0, 4.0]])
        array([-0.5,  1. ])
    """
    entries = places("indices", indices)
    length, slack = _length("radius", radius), _length("margin", margin)
    points = _arrays.finite_rows("path", path, len(entries))
    text = _texts.call_text(
        "inside_tube", length, indices=indices, path=path, margin=slack or None, of=of_text(of)
    )
    call = CoreCall("path_clearance", entries, points, length, False, slack, of_next(of))
    return Term(call, "inside_tube", text=text)


def _disc(
    name: str,
    radius: float,
    *,
    indices: Sequence[int],
    centre: ArrayLike | None,
    to: Sequence[int] | None,
    margin: float,
    of: Of,
) -> Term:
    entries = places("indices", indices)
    others = [] if to is None else places("to", to)
    length, slack = _length("radius", radius), _length("margin", margin)
    centres = np.zeros((1, len(entries)))
    if centre is not None:
        centres = _arrays.finite_rows("centre", centre, len(entries))
    text = _texts.call_text(
        name, length, indices=indices, centre=centre, to=to, margin=slack or None, of=of_text(of)
    )
    is_outside = name == "outside_disc"
    call = CoreCall(
        "ball_clearance", entries, others, centres, length, is_outside, slack, of_next(of)
    )
    return Term(call, name, text=text)


def _length(name: str, value: float) -> float:
    length = _arrays.real(name, value)
    if not 0.0 <= length < np.inf:
        raise ArgumentError(f"{name}: got {length:g}, must be finite and at least 0")
    return length
