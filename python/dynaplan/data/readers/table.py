"""A log as a table: named columns, given a number of rows at a time."""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dynaplan import _texts
from dynaplan.errors import ArgumentError, ModelFileError, ShapeError

__all__ = ["Chunk", "Table", "damaged"]

Chunk = Mapping[str, Any]  # from the name of a column to its values, as NumPy reads them
_NAMED = 12  # columns in a message


class Table(ABC):
    """Named columns of equal length; what a subclass reads, it reads when rows are asked for.

    Attributes:
        title: what messages call it, such as the name of the file.
        names: of the columns, in their order; a damaged table may have the same one twice.
    """

    title: str
    names: Sequence[str]

    @abstractmethod
    def chunks(self, names: Sequence[str], rows: int) -> Iterator[Chunk]:
        """Gives the columns with these names, at most so many rows at a time.

        Raises:
            ModelFileError: the file is damaged.
        """

    def parts(self, columns: Chunk, rows: int) -> Iterator[Chunk]:
        """Gives columns that are there as a whole, at most so many rows at a time.

        Raises:
            ShapeError: they differ in length.
        """
        lengths = {name: len(column) for name, column in columns.items()}
        if len(set(lengths.values())) > 1:
            raise ShapeError(f"{self.title}: columns have {lengths} rows, must have equally many")
        for first in range(0, next(iter(lengths.values()), 0), rows):
            yield {name: column[first : first + rows] for name, column in columns.items()}

    def place(self, row: int) -> str:
        """Returns how a message names a row, counted from 0."""
        return f"row {row}"

    def require(self, argument: str, name: str) -> None:
        """Raises ArgumentError unless there is one column of this name."""
        count = list(self.names).count(name)
        if count == 1:
            return
        if count > 1:
            raise ArgumentError(
                f"{argument}: {name!r} is the name of {count} columns of {self.title}, must be of "
                "one; rename the others"
            )
        near = difflib.get_close_matches(name, self.names, n=1, cutoff=0.6) or [
            other for other in self.names if other.strip().lower() == name.strip().lower()
        ]
        hint = f"; did you mean {near[0]!r}?" if near else ""
        listed = ", ".join(_texts.shown(other) for other in self.names[:_NAMED])
        listed += ", ..." if len(self.names) > _NAMED else ""
        raise ArgumentError(
            f"{argument}: {self.title} has no column {name!r}{hint or ';'} it has "
            f"{listed or 'none'}"
        )


def damaged(path: Path, error: Exception) -> ModelFileError:
    """Returns the error that says so of a file, in one line, for what a library raised of it."""
    text = " ".join(str(error).split())[:200]
    return ModelFileError(f"{path}: damaged, or of another kind: {text}")
