"""What a loop with imagined transitions reports, and logs of it."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dynaplan import _texts
from dynaplan.agents.sac.settings import UpdateStatistics
from dynaplan.errors import ArgumentError
from dynaplan.rollouts.evaluation import Evaluation

__all__ = ["CSVLog", "DynaIteration", "TensorBoardLog", "mean_statistics"]

_COLUMNS = (
    "steps",
    "episode",
    "episode_steps",
    "episode_return",
    "finished",
    "length",
    "model_error",
    "imagined",
    "updates",
    "critic_loss",
    "actor_loss",
    "value",
    "entropy",
    "temperature",
    "updates_per_second",
    "seconds",
    "learning_seconds",
    "imagining_seconds",
    "updating_seconds",
)
_OF_UPDATES = ("updates", "critic_loss", "actor_loss", "value", "entropy", "temperature")


@dataclass(frozen=True, slots=True, kw_only=True)
class DynaIteration:
    """One episode of a loop that imagines, or the part of it that was left.

    Attributes:
        steps: real steps so far, the random ones included.
        episode: 0, 1, ...
        episode_steps: steps of the episode so far.
        episode_return: sum of its rewards so far, exploration included.
        finished: whether the episode is over; False where the steps of the run ended first.
        length: steps of each imagined rollout now; 0 where nothing is imagined.
        model_error: median error of the model after one step, on transitions it had not seen, in
            standard deviations of the data; nan where it was not measured.
        evaluation: all of that measurement; None where there is none, or after `restore`.
        imagined: transitions imagined in this iteration.
        updates: means over the agent's updates in it, None if there were none.
        updates_per_second: of these, while the agent was busy with them; nan if there were none.
        seconds: wall-clock time of the iteration.
        learning_seconds: of these, for models.
        imagining_seconds: of these, for imagined transitions.
        updating_seconds: of these, for updates of the agent.
    """

    steps: int
    episode: int
    episode_steps: int
    episode_return: float
    finished: bool
    length: int
    model_error: float
    evaluation: Evaluation | None
    imagined: int
    updates: UpdateStatistics | None
    updates_per_second: float
    seconds: float
    learning_seconds: float
    imagining_seconds: float
    updating_seconds: float

    def numbers(self) -> dict[str, float]:
        """Returns all of it that is a number, by name, for logs."""
        row: dict[str, float] = {}
        for name in _COLUMNS:
            if name not in _OF_UPDATES:
                row[name] = getattr(self, name)
            elif self.updates is not None:
                row[name] = getattr(self.updates, name)
            else:
                row[name] = 0 if name == "updates" else np.nan
        return row

    def __repr__(self) -> str:
        return _texts.object_text(
            self,
            "steps",
            "episode",
            "episode_return",
            "finished",
            "length",
            "model_error",
            "imagined",
        )


def mean_statistics(reports: Sequence[Any]) -> UpdateStatistics | None:
    """Joins what several calls of `update` reported, each by its number of updates.

    Reports of another kind, of agents that are not `SAC`, come to None.
    """
    made = [r for r in reports if isinstance(r, UpdateStatistics) and r.updates > 0]
    if not made:
        return None
    counts = [report.updates for report in made]

    def mean(name: str) -> float:
        return float(np.average([getattr(report, name) for report in made], weights=counts))

    return UpdateStatistics(sum(counts), *(mean(name) for name in _OF_UPDATES[1:]))


class CSVLog:
    """Writes a row for each iteration to a CSV file, at once.

    A file that is there is gone on with: its rows beyond the loop's steps are dropped, such as
    those that were written after the checkpoint that the loop was restored from.

    Args:
        path: name of the file.
        steps: real steps of the loop at the beginning.

    Raises:
        ArgumentError: the file that is there is no such log.
        OSError: it cannot be written to.
    """

    def __init__(self, path: str | os.PathLike[str], steps: int) -> None:
        rows = _kept_rows(Path(path), steps)
        self._file = Path(path).open("w", newline="", encoding="utf-8")  # noqa: SIM115  # see close
        self._writer = csv.writer(self._file)
        self._writer.writerows([_COLUMNS, *rows])
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
    if tuple(heading) != _COLUMNS:
        raise ArgumentError(f"csv: {path} is there and is no log of this loop")
    # A row that was cut off by a crash is dropped too.
    return [row for row in rows if len(row) == len(_COLUMNS) and int(row[0]) <= steps]


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
