"""Which reader a source needs: by the ending of a file's name, or by what an object has."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from dynaplan import _texts, files
from dynaplan.data.readers.csv_file import CsvTable
from dynaplan.data.readers.frame import FrameTable, is_frame
from dynaplan.data.readers.table import Table
from dynaplan.errors import ArgumentError

__all__ = ["HDF5", "opened_table", "require_package"]

CSV = (".csv", ".tsv", ".txt")
PARQUET = (".parquet", ".pq")
ARROW = (".arrow", ".feather", ".ipc")
HDF5 = (".h5", ".hdf5", ".hdf")


def opened_table(source: Any, wanted: Sequence[str]) -> Table:
    """Returns the table that a source holds; rows are read later.

    Args:
        source: name of a file, a frame, or a mapping of arrays.
        wanted: names of columns that are asked for.

    Raises:
        TypeError: the source is none of them.
        ArgumentError: the ending of the name is none that is known.
        ModelFileError: the file is damaged.
        OSError: the file does not exist or cannot be read.
        ImportError: a package is missing.
    """
    if not isinstance(source, str | os.PathLike):
        if not is_frame(source) and hasattr(source, "__arrow_c_stream__"):
            require_package("pyarrow", "source")
            import pyarrow as pa  # noqa: PLC0415  # an extra

            return FrameTable(pa.table(source))
        if not is_frame(source):
            raise TypeError(
                f"source: got {_texts.shown(source)}, must be the name of a file, a frame of "
                "pandas, polars or pyarrow, or a mapping from names to arrays"
            )
        return FrameTable(source)
    path = files.path_of(source)
    ending = path.suffix.lower()
    if ending in CSV:
        return CsvTable(path, wanted)
    if ending in PARQUET or ending in ARROW:
        require_package("pyarrow", path)
        from dynaplan.data.readers import arrow_file  # noqa: PLC0415  # an extra

        table = arrow_file.ParquetTable if ending in PARQUET else arrow_file.ArrowTable
        return table(path)
    if ending in HDF5:
        require_package("h5py", path)
        from dynaplan.data.readers import hdf5_file  # noqa: PLC0415  # an extra

        return hdf5_file.Hdf5Table(path)
    known = ", ".join((*CSV, *PARQUET, *ARROW, *HDF5))
    raise ArgumentError(f"source: got {path}, its name must end in one of {known}")


def require_package(name: str, source: Path | str) -> None:
    """Raises ImportError that names the extra, where a package is not installed."""
    if find_spec(name) is None:
        raise ImportError(
            f'{source} is read by {name}; install it with pip install "dynaplan[data]"'
        )
