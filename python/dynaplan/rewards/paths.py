"""Terms of a path: how far beside it, and how far along."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.typing import ArrayLike

from dynaplan import _arrays, _texts
from dynaplan._recipes import CoreCall
from dynaplan.rewards.goals import places
from dynaplan.rewards.terms import Of, Term, of_next, of_text

__all__ = ["path_error", "path_progress"]


def path_error(
    weight: float, *, indices: Sequence[int], path: ArrayLike, of: Of = "next_state"
) -> Term:
    """-weight * squared distance from a path: the error across it.

    Args:
        weight: cost per unit of distance squared.
        indices: the n states that form the point.
        path: (M, n) points that straight lines join, M >= 1, in the states' units.
        of: "next_state" (default), the state after the step, or "state", the one before it.

    Raises:
        ShapeError: `path` has another number of columns than there are indices.
        ArgumentError: an index is negative, or a value is not finite.

    Example:
        >>> lane = dp.rewards.path_error(2.0, indices=[0, 1], path=[[0, 0], [9, 0], [9, 9]])
        >>> lane([[0, 0]] * 2, [[0]] * 2, [[4.0, 1.5], [12.0, 4.0]])
        array([ -4.5, -18. ])
    """
    entries, factor = places("indices", indices), _arrays.real("weight", weight)
    points = _arrays.finite_rows("path", path, len(entries))
    text = _texts.call_text("path_error", factor, indices=indices, path=path, of=of_text(of))
    reward = CoreCall("path_error", entries, points, factor, of_next(of))
    return Term(reward, "path_error", text=text)


def path_progress(weight: float = 1.0, *, indices: Sequence[int], path: ArrayLike) -> Term:
    """The length of path that the step gains, between the nearest points, times a weight.

    Where a path comes near to itself, the nearest point may be on another part of it: a step from
    one to the other gains all between. Give such a path in pieces.

    Args:
        weight: reward per unit of length. Default 1.
        indices: the n states that form the point.
        path: (M, n) points that straight lines join, M >= 1, in the states' units.

    Raises:
        ShapeError: `path` has another number of columns than there are indices.
        ArgumentError: an index is negative, or a value is not finite.

    Example:
        >>> along = dp.rewards.path_progress(indices=[0, 1], path=[[0, 0], [9, 0], [9, 9]])
        >>> along([[8.0, 0.5]], [[0]], [[9.5, 1.0]])
        array([2.])
    """
    entries, factor = places("indices", indices), _arrays.real("weight", weight)
    points = _arrays.finite_rows("path", path, len(entries))
    text = _texts.call_text("path_progress", factor, indices=indices, path=path)
    return Term(CoreCall("path_progress", entries, points, factor), "path_progress", text=text)
