"""Logs of a loop that imagines: CSV files and TensorBoard."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np

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
        OSError: it cannot be written to.
    """

    def __init__(self, path: str | os.PathLike[str], steps: int) -> None:
        rows = _kept_rows(Path(path), steps)
        self._file = Path(path).open("w", newline="", encoding="utf-8")  # noqa: SIM115  # see close
        self._writer = csv.writer(self._file)
        self._writer.writerows([COLUMNS, *rows])
        self._file.flush()

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
    with path.open(newline="", encoding="utf-8") as file:
        heading, *rows = csv.reader(file)
    if tuple(heading) != COLUMNS:
        raise ArgumentError(f"csv: {path} exists and is no log of this loop")
    # A row that was cut off by a crash is dropped too.
    return [row for row in rows if len(row) == len(COLUMNS) and int(row[0]) <= steps]


class TensorBoardLog:
    """Writes the numbers of each iteration for TensorBoard, by real steps.

    Args:
        folder: where TensorBoard looks for them.

    Raises:
        ImportError: tensorboardX is not installed: `pip install "dynaplan[tensorboard]"`.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        from tensorboardX import SummaryWriter  # noqa: PLC0415  # an extra

        self._writer = SummaryWriter(os.fspath(folder))

    def write(self, iteration: DynaIteration) -> None:
        """Adds the numbers."""
        for name, value in iteration.numbers().items():
            if name != "steps" and np.isfinite(value):
                self._writer.add_scalar(f"dyna/{name}", float(value), iteration.steps)

    def close(self) -> None:
        """Closes the files."""
        self._writer.close()
