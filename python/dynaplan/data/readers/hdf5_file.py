"""HDF5 files: flat data sets, as those of D4RL; h5py is imported only when one is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py

from dynaplan import _disk
from dynaplan.data.readers.table import Chunk, Table
from dynaplan.errors import ModelFileError, ShapeError

__all__ = ["Hdf5Table", "opened_hdf5"]

_MAX_NAMES = 1000


class Hdf5Table(Table):
    """The data sets of an HDF5 file; those in groups are named by their path."""

    def __init__(self, path: Path) -> None:
        self.title = str(path)
        self._path = path
        names: list[str] = []

        def note(name: str, item: Any) -> bool | None:
            if isinstance(item, h5py.Dataset) and item.ndim:
                names.append(name)
            return True if len(names) >= _MAX_NAMES else None

        with opened_hdf5(path) as file:
            file.visititems(note)
        self.names = names

    def chunks(self, names: Sequence[str], rows: int) -> Iterator[Chunk]:
        """As in the base class."""
        with opened_hdf5(self._path) as file:
            lengths = {name: len(file[name]) for name in names}
            if len(set(lengths.values())) > 1:
                raise ShapeError(
                    f"{self._path}: the data sets have {lengths} rows, must have equally many"
                )
            for first in range(0, next(iter(lengths.values()), 0), rows):
                yield {name: file[name][first : first + rows] for name in names}


@contextmanager
def opened_hdf5(path: Path) -> Iterator[Any]:
    """Opens a file for reading; what h5py raises of a damaged one becomes an error that names it.

    Raises:
        OSError: there is no such file, or it cannot be read.
        ModelFileError: it is damaged.
    """
    with _disk.opened(path) as file:
        size = file.seek(0, 2)
    if not size:
        raise ModelFileError(f"{path}: is empty, must be an HDF5 file")
    try:
        with h5py.File(path, "r", locking=False) as file:
            yield file
    except (OSError, RuntimeError, KeyError, TypeError, ValueError, MemoryError) as error:
        if isinstance(error, ModelFileError | ShapeError):
            raise
        text = " ".join(str(error).split())[:200]
        raise ModelFileError(f"{path}: damaged, or of another kind: {text}") from error
