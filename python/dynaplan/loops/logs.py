"""Logs of a loop that imagines: CSV files and TensorBoard."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

import numpy as np

from dynaplan import _disk, files
from dynaplan.errors import ArgumentError
from dynaplan.loops.dyna_iteration import COLUMNS, DynaIteration

__all__ = ["CSVLog", "TensorBoardLog"]


class CSVLog:
    """Writes a row for each iteration to a CSV file, at once.

    A file that exists is continued: its rows beyond the loop's steps are dropped, such as those
    that were written after the checkpoint that the loop was restored from.

    Args:
        path: name of the file.
        steps: real steps of the loop at the beginning.

    Raises:
        ArgumentError: the file exists and is no such log.
        OSError: it cannot be written to, or is no regular file.
    """

    def __init__(self, path: str | os.PathLike[str], steps: int) -> None:
        place = files.path_of(path, "csv")
        rows = _kept_rows(place, steps)
        kept = io.StringIO(newline="")
        csv.writer(kept).writerows([COLUMNS, *rows])
        with _disk.replacing(place) as file:  # so that a kill now loses no row
            file.write(kept.getvalue().encode())
        self._file = place.open("a", newline="", encoding="utf-8")
        self._writer = csv.writer(self._file)

    def write(self, iteration: DynaIteration) -> None:
        """Adds a row."""
        self._writer.writerow(iteration.numbers().values())
        self._file.flush()

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def _kept_rows(path: Path, steps: int) -> list[list[str]]:
    if not path.exists() or path.stat().st_size == 0:
        return []
    try:
        with io.TextIOWrapper(_disk.opened(path), "utf-8", newline="") as file:
            heading, *rows = csv.reader(file)
    except (UnicodeDecodeError, csv.Error):
        heading, rows = [], []
    if tuple(heading) != COLUMNS:
        raise ArgumentError(f"csv: {path} exists and is no log of this loop")
    # A row that was cut off by a crash is dropped too.
    whole = (row for row in rows if len(row) == len(COLUMNS) and row[0].isdecimal())
    return [row for row in whole if int(row[0]) <= steps]


class TensorBoardLog:
    """Writes the numbers of each iteration for TensorBoard, by real steps.

    Args:
        folder: where TensorBoard looks for them.

    Raises:
        ImportError: tensorboardX is not installed: `pip install "dynaplan[tensorboard]"`.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        place = files.path_of(folder, "tensorboard")
        from tensorboardX import SummaryWriter  # noqa: PLC0415  # an extra

        self._writer = SummaryWriter(os.fspath(place))

    def write(self, iteration: DynaIteration) -> None:
        """Adds the numbers."""
        for name, value in iteration.numbers().items():
            if name != "steps" and np.isfinite(value):
                self._writer.add_scalar(f"dyna/{name}", float(value), iteration.steps)

    def close(self) -> None:
        """Closes the files."""
        self._writer.close()
