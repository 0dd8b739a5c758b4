"""HDF5 files: flat data sets, as those of D4RL; h5py is imported only when one is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py

from dynaplan import _disk
from dynaplan.data.readers.table import Chunk, Table, damaged
from dynaplan.errors import ModelFileError, ShapeError

__all__ = ["Hdf5Table", "data_set", "opened_hdf5"]

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
            columns = {name: data_set(file, name) for name in names}
            yield from self.parts(columns, rows)


def data_set(file: Any, name: str) -> Any:
    """Returns a data set that lies in the file itself.

    Raises:
        ModelFileError: it is a group, or would be read from another file.
    """
    item = file[name]
    if not isinstance(item, h5py.Dataset):
        raise ModelFileError(
            f"{file.filename}: {name} is a group of several arrays, must be one of rows of numbers"
        )
    if item.file.filename != file.filename or item.external or item.is_virtual:
        raise ModelFileError(f"{file.filename}: {name} lies in another file, must be in this one")
    return item


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
        raise damaged(path, error) from error
