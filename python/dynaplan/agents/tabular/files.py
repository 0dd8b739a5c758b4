"""What a file of an agent with tables holds: its values, its model, and where it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynaplan import files
from dynaplan.errors import ModelFileError

__all__ = ["Arrays", "from_parts", "parts"]

Arrays = Mapping[str, NDArray[Any]]

# In the order of the compiled agent's record; whole numbers are stored as float64, which holds
# those of a table and of 2**53 steps exactly.
_WHOLE = ("tried", "next_states", "last_tried", "queued")
_NAMES = ("values", "tried", "next_states", "rewards", "last_tried", "queued", "priorities")
_COUNTS = {"steps": int, "updates": int, "place": int}


def parts(
    record: tuple[Any, ...], shape: tuple[int, int], settings: Mapping[str, float], seed: int
) -> tuple[Arrays, dict[str, Any]]:
    """Returns the arrays and the header, from the record of an agent of the compiled core."""
    arrays = {
        name: np.asarray(array, np.float64)
        for name, array in zip(_NAMES, record[: len(_NAMES)], strict=True)
    }
    arrays["values"] = arrays["values"].reshape(shape)
    counts = dict(zip(_COUNTS, record[len(_NAMES) :], strict=True))
    return arrays, {"settings": dict(settings), "seed": seed, "counts": counts}


def from_parts(
    arrays: Arrays, header: dict[str, Any], shape: tuple[int, int], names: Sequence[str]
) -> tuple[tuple[Any, ...], dict[str, Any], int]:
    """Returns the record, the settings and the seed; the agent checks what their values mean.

    Raises:
        ModelFileError: something is missing, of another type or shape, or not whole.
    """
    top = files.fields(header, "header", {"settings": dict, "seed": int, "counts": dict})
    kinds = {name: int if name == "planning_steps" else float for name in names}
    settings = files.fields(top["settings"], "settings", kinds)
    counts = files.fields(top["counts"], "counts", _COUNTS)
    if not (0 <= counts["place"] < 2**64 and max(counts["steps"], counts["updates"]) < 2**53):
        raise ModelFileError(f"counts: got {counts}, steps and updates must be below 2**53")
    sizes = {name: _size(arrays, name) for name in ("tried", "queued")}
    wanted: dict[str, tuple[str, tuple[int, ...]]] = {"values": ("float64", shape)}
    for name in ("tried", "next_states", "rewards", "last_tried"):
        wanted[name] = ("float64", (sizes["tried"],))
    for name in ("queued", "priorities"):
        wanted[name] = ("float64", (sizes["queued"],))
    files.named_arrays(arrays, wanted)
    columns = (_column(name, arrays[name]) for name in _NAMES)
    return (*columns, *counts.values()), settings, top["seed"]


def _size(arrays: Arrays, name: str) -> int:
    array = arrays.get(name)
    if array is None or array.ndim != 1:
        raise ModelFileError(f"array {name!r}: must be there and have one dimension")
    return len(array)


def _column(name: str, array: NDArray[Any]) -> NDArray[Any]:
    flat = array.ravel()
    if name not in _WHOLE:
        return flat
    if not ((flat == np.floor(flat)) & (np.abs(flat) < 2.0**53)).all():
        raise ModelFileError(f"array {name!r}: must hold whole numbers")
    return flat.astype(np.int64)
