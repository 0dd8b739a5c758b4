"""Parts of the data that are held out in turns: whole groups, or pieces of a single one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynaplan.data.transitions import Transitions
from dynaplan.rollouts.error_ratio import grouped
from dynaplan.rollouts.open_loop import Ahead
from dynaplan.rollouts.paired_errors import pieces_of, units_of

__all__ = ["Fold", "Folds", "folds_of"]

_FOLDS = 5
_GAP = 20  # of a single recording at most one row in so many, before and after what is held out

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Fold:
    """A part that is held out, and what is learned from meanwhile.

    Attributes:
        train: rows.
        held_out: rows, in their order.
    """

    train: Rows
    held_out: Rows


@dataclass(frozen=True)
class Folds:
    """All parts; each row is held out once.

    Attributes:
        parts: the folds.
        units: (N,) of the rows: groups, or pieces of them, for draws; each within one fold.
        steps: how far ahead held-out segments reach, at most as many as were asked for.
        whole_groups: whether a fold holds out whole groups.
    """

    parts: tuple[Fold, ...]
    units: NDArray[np.int64]
    steps: int
    whole_groups: bool


def folds_of(data: Transitions, horizon: int, seed: int) -> Folds | None:
    """Divides data into up to five folds.

    Groups are never taken apart, where there are several: those of similar rows are drawn into each
    fold. A single one is cut into five pieces in time, and some rows before and after a piece are
    neither held out nor learned from, since neighbours are alike. Each piece is then twice as long
    as is looked ahead at least.

    Args:
        data: all rows.
        horizon: steps to look ahead.
        seed: of which groups go together.

    Returns:
        The folds, or None of fewer than four rows of a single group.
    """
    blocks = grouped(data.groups)
    if blocks.max() > 0:
        steps = len(Ahead.of(data, horizon).steps)
        return Folds(_of_groups(blocks, seed), units_of(data.groups, steps), steps, True)
    count = len(data)
    number = min(_FOLDS, count // 2)
    if number < 2:
        return None
    piece = np.arange(count) * number // count
    steps = max(1, min(horizon, count // number // 2))
    inner = np.minimum(3, np.bincount(piece) // (2 * steps))
    parts = _of_pieces(piece, min(steps, max(1, count // _GAP)))
    # Where the recording has gaps of its own, no segment may be as long.
    reached = max(len(Ahead.of(data[part.held_out], steps).steps) for part in parts)
    return Folds(parts, pieces_of(piece, np.maximum(1, inner)), reached, False)


def _of_groups(blocks: NDArray[np.int64], seed: int) -> tuple[Fold, ...]:
    sizes = np.bincount(blocks)
    number = min(_FOLDS, len(sizes))
    filled, fold = np.zeros(number, np.int64), np.empty(len(sizes), np.int64)
    for block in np.random.default_rng(seed).permutation(len(sizes)):
        fold[block] = np.argmin(filled)
        filled[fold[block]] += sizes[block]
    rows = np.arange(len(blocks))
    held = fold[blocks]
    return tuple(Fold(rows[held != part], rows[held == part]) for part in range(number))


def _of_pieces(piece: NDArray[np.int64], gap: int) -> tuple[Fold, ...]:
    rows, parts = np.arange(len(piece)), []
    for number in range(int(piece.max()) + 1):
        held_out = rows[piece == number]
        apart = (rows < held_out[0] - gap) | (rows > held_out[-1] + gap)
        parts.append(Fold(rows[apart], held_out))
    return tuple(parts)
