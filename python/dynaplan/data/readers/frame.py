"""Frames of pandas, polars and pyarrow, and mappings of arrays: read without importing them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from dynaplan import _arrays, _texts
from dynaplan.data.readers.table import Chunk, Table
from dynaplan.errors import ArgumentError, ShapeError

__all__ = ["FrameTable", "is_frame"]


def is_frame(source: Any) -> bool:
    """Returns whether something has named columns."""
    return _names_of(source) is not None


class FrameTable(Table):
    """What gives a column for its name: a frame, or a mapping of arrays."""

    def __init__(self, source: Any) -> None:
        names = _names_of(source)
        if names is None:
            raise TypeError(f"source: got {_texts.shown(source)}, must be a file or a frame")
        self.title = "source"
        self.names = names
        self._source = source

    def chunks(self, names: Sequence[str], rows: int) -> Iterator[Chunk]:
        """As in the base class."""
        columns = {name: self._column(name) for name in names}
        yield from self.parts(columns, rows)

    def _column(self, name: str) -> Any:
        try:
            values = self._source[name]
        except Exception as error:  # of the object's own conversion
            raise ArgumentError(f"source: column {name!r} cannot be read: {error}") from error
        if _arrays.has_masked(values):
            raise TypeError(
                f"source: column {name!r} is a masked array, must be a plain one; use "
                ".filled(np.nan) with drop_nonfinite=True to leave the masked rows out"
            )
        convert = getattr(values, "to_numpy", None)
        try:
            array = np.asarray(values if convert is None else convert())
        except Exception as error:  # of the object's own conversion
            raise ArgumentError(f"source: column {name!r} is no array: {error}") from error
        kind = str(getattr(values, "type", getattr(values, "dtype", ""))).lower()
        if array.dtype.kind == "f" and kind.startswith(("int", "uint")):
            # Nulls made floats of it, which hold no integer beyond 2**53.
            listed = getattr(values, "to_pylist", None) or values.to_list
            array = np.array(listed(), object)
        if not array.ndim:
            raise ShapeError(f"source: column {name!r} is {_texts.shown(values)}, must be an array")
        return array


def _names_of(source: Any) -> list[str] | None:
    """Returns the names of the columns, or None of what has none."""
    if isinstance(source, Mapping):
        return [name for name in source if isinstance(name, str)]
    if isinstance(source, np.ndarray):
        return None if source.dtype.names is None else list(source.dtype.names)
    names = getattr(source, "column_names", None)  # of pyarrow
    if names is None:
        names = getattr(source, "columns", None)
    if names is None or isinstance(source, type) or not hasattr(source, "__getitem__"):
        return None
    try:
        return [name for name in names if isinstance(name, str)]
    except Exception:  # of the object's own conversion
        return None
