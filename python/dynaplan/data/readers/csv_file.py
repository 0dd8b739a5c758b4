"""CSV files, by the reader of Python's own: quoted cells, comments, any of the usual delimiters."""

from __future__ import annotations

import codecs
import csv
import io
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from dynaplan import _disk, _texts
from dynaplan.data.readers.table import Chunk, Table
from dynaplan.errors import ModelFileError

__all__ = ["CsvTable"]

_DELIMITERS = (",", ";", "\t")
_BLOCK = 1 << 20  # bytes
_LONGEST_LINE = 1 << 20  # characters of a header; what has none is no CSV
_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}


class CsvTable(Table):
    """A CSV file whose first line, after comments, names the columns.

    Cells are separated by commas, semicolons or tabs, whichever gives most columns. Lines that
    begin with # are comments; the last of them is the header where the names that are asked for
    stand there, as `numpy.savetxt` writes it. A comment with as many cells as the header is a row
    of which all values are missing. Empty lines are passed over.
    """

    def __init__(self, path: Path, wanted: Sequence[str] = ()) -> None:
        self.title = str(path)
        self._path = path
        self._lines = array("q")
        self._encoding = _encoding_of(path)
        try:
            self._read_header(wanted)
        except UnicodeError as error:  # of UTF-16
            raise ModelFileError(f"{path}: is not the text that its first bytes say") from error

    def _read_header(self, wanted: Sequence[str]) -> None:
        with self._opened() as file:
            comment, skipped, line = "", 0, ""
            while line := file.readline(_LONGEST_LINE):
                skipped += 1
                if line.startswith("#"):
                    comment = line
                elif line.strip():
                    break
        if len(line) >= _LONGEST_LINE:
            raise ModelFileError(f"{self.title}: its first line has no end, is no CSV file")
        candidates = [(skipped, line)] if line else []
        if comment:
            candidates.append((skipped - bool(line), comment[1:]))
        if not candidates:
            raise ModelFileError(f"{self.title}: is empty, must have a line that names the columns")
        best: tuple[int, int, int, str, list[str]] | None = None
        for place, (end, text) in enumerate(candidates):
            for delimiter in _DELIMITERS:
                names = [name.strip() for name in next(self._cells([text], delimiter), [])]
                found = len(set(names) & set(wanted)), -place, len(names)
                if best is None or found > best[:3]:
                    best = (*found, delimiter, names)
                    self._skipped = end
        assert best is not None
        self._delimiter, self.names = best[3], best[4]

    @contextmanager
    def _opened(self) -> Iterator[io.TextIOWrapper]:
        with _disk.opened(self._path) as file:
            yield io.TextIOWrapper(file, encoding=self._encoding, newline="")

    def _cells(self, lines: Any, delimiter: str) -> Iterator[list[str]]:
        reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
        try:
            yield from reader
        except (csv.Error, UnicodeError) as error:
            raise ModelFileError(
                f"{self.title}: damaged near line {reader.line_num}: {error}"
            ) from error

    def place(self, row: int) -> str:
        """As in the base class, with the line of the file."""
        return f"row {row} (line {self._lines[row]})" if row < len(self._lines) else f"row {row}"

    def chunks(self, names: Sequence[str], rows: int) -> Iterator[Chunk]:
        """As in the base class; cells are text."""
        places = [list(self.names).index(name) for name in names]
        for batch in self._batches(rows):
            columns: dict[str, Any] = {}
            for name, place in zip(names, places, strict=True):
                columns[name] = np.empty(len(batch), object)
                columns[name][:] = [row[place] for row in batch]
            yield columns

    def _batches(self, rows: int) -> Iterator[list[list[str]]]:
        """Gives so many rows of cells at a time, each as long as the header."""
        self._lines = array("q")
        with self._opened() as file:
            for _ in range(self._skipped):
                file.readline()
            lines = enumerate(file, self._skipped + 1)
            filled = self._filled(lines)
            while batch := list(islice(filled, rows)):
                yield batch

    def _filled(self, lines: Iterator[tuple[int, str]]) -> Iterator[list[str]]:
        """Gives the rows, without comments and empty lines."""
        number = 0
        count = len(self.names)
        nothing = self._delimiter * (count - 1) if count > 1 else '""'

        def texts() -> Iterator[str]:
            nonlocal number
            for number, line in lines:  # noqa: B007  # the line of the row that ends here
                if not line.startswith("#"):
                    yield line
                elif _is_row(line[1:], self._delimiter, count):
                    yield nothing  # a row that was made a comment is missing between the others

        for row in self._cells(texts(), self._delimiter):
            if not row:
                continue
            if len(row) != count:
                raise ModelFileError(
                    f"{self.title}: line {number} has {len(row)} cells, must be {count} as in the "
                    f"header: {_texts.shown(self._delimiter.join(row)[:50])}"
                )
            self._lines.append(number)
            yield row


def _is_row(text: str, delimiter: str, count: int) -> bool:
    """Returns whether a comment was a row: it has as many cells, of one column a number."""
    if count > 1:
        return text.count(delimiter) == count - 1
    try:
        float(text)
    except ValueError:
        return False
    return True


def _encoding_of(path: Path) -> str:
    """Returns how the text is encoded: UTF-8, with or without a mark, UTF-16, else Latin-1.

    Latin-1 takes any byte; numbers are the same in all of them.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    with _disk.opened(path) as file:
        block = file.read(_BLOCK)
        for mark, encoding in _MARKS.items():
            if block.startswith(mark):
                return encoding
        if b"\0" in block:
            raise ModelFileError(f"{path}: holds zero bytes, is no CSV file")
        try:
            while block:
                decoder.decode(block)
                block = file.read(_BLOCK)
            decoder.decode(b"", True)
        except UnicodeDecodeError:
            return "latin-1"
    return "utf-8"
