"""Parquet, Arrow and Feather files; pyarrow is imported only when one is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet

from dynaplan import _disk
from dynaplan.data.readers.table import Chunk, Table, damaged
from dynaplan.errors import ModelFileError

__all__ = ["ArrowTable", "ParquetTable"]


class ParquetTable(Table):
    """A Parquet file."""

    def __init__(self, path: Path) -> None:
        self.title = str(path)
        self._path = path
        with _disk.opened(path) as file, damage_named(path):
            self.names = pa.parquet.ParquetFile(file).schema_arrow.names

    def chunks(self, names: Sequence[str], rows: int) -> Iterator[Chunk]:
        """As in the base class."""
        with _disk.opened(self._path) as file, damage_named(self._path):
            # Row group by row group, and one column of it at a time: little memory.
            parquet = pa.parquet.ParquetFile(file, pre_buffer=False)
            for batch in parquet.iter_batches(rows, columns=list(names), use_threads=False):
                yield _columns(batch, names)


class ArrowTable(Table):
    """An Arrow file or stream, such as Feather (version 2)."""

    def __init__(self, path: Path) -> None:
        self.title = str(path)
        self._path = path
        with _disk.opened(path) as file, damage_named(path):
            self.names = self._batches(file)[0].names

    def chunks(self, names: Sequence[str], rows: int) -> Iterator[Chunk]:
        """As in the base class."""
        with _disk.opened(self._path) as file, damage_named(self._path):
            for batch in self._batches(file)[1]:
                for first in range(0, batch.num_rows, rows):
                    yield _columns(batch.slice(first, rows), names)

    @staticmethod
    def _batches(file: BinaryIO) -> tuple[Any, Iterator[Any]]:
        is_file = file.read(6) == b"ARROW1"
        file.seek(0)
        if not is_file:
            stream = pa.ipc.open_stream(file)
            return stream.schema, iter(stream)
        reader = pa.ipc.open_file(file)
        return reader.schema, map(reader.get_batch, range(reader.num_record_batches))


def _columns(batch: Any, names: Sequence[str]) -> Chunk:
    columns = {}
    for name in names:
        column = batch.column(batch.schema.get_field_index(name))
        column.validate(full=True)  # of a damaged file, sizes and places may lie outside
        # With nulls NumPy would have floats, which hold no integer beyond 2**53.
        has_gaps = column.null_count and pa.types.is_integer(column.type)
        columns[name] = np.array(column.to_pylist(), object) if has_gaps else _values(column)
    return columns


def _values(column: Any) -> Any:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _values(column.dictionary_decode())
    if pa.types.is_fixed_size_list(kind) and not column.null_count:
        return _values(column.flatten()).reshape(len(column), kind.list_size)
    return np.asarray(column.to_numpy(zero_copy_only=False))


@contextmanager
def damage_named(path: Path) -> Iterator[None]:
    """Turns what pyarrow raises of a damaged file into an error that names the file."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, OverflowError, KeyError, MemoryError) as error:
        if isinstance(error, ModelFileError | GeneratorExit):
            raise
        raise damaged(path, error) from error
