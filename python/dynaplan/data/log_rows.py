"""The rows of a log in numbers, a part of them at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynaplan import _texts
from dynaplan.data.log_layout import Layout
from dynaplan.data.readers.cells import Clock, column_numbers, episode_keys, run_starts
from dynaplan.data.readers.table import Chunk, Table
from dynaplan.errors import ArgumentError

__all__ = ["LogReader", "LogRows"]

Float64 = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRows:
    """Rows of a log one below the other; nan where a value is missing.

    Attributes:
        states: (R, S).
        actions: (R, A).
        next_states: (R, S), or (R, 0) where they are the states of the row below.
        rewards: (R, 1), or (R, 0).
        times: (R, 1), or (R, 0).
        terminations: (R,).
        truncations: (R,).
        episodes: (R,).
        nameless: (R,) whether it is missing to which episode a row belongs: to that of the row
            above, if at all.
    """

    states: Float64
    actions: Float64
    next_states: Float64
    rewards: Float64
    times: Float64
    terminations: Bools
    truncations: Bools
    episodes: NDArray[np.int64]
    nameless: Bools

    def __len__(self) -> int:
        return len(self.states)

    @staticmethod
    def joined(parts: Sequence[LogRows]) -> LogRows:
        """Returns the rows of all parts."""
        if len(parts) == 1:
            return parts[0]
        names = [field.name for field in fields(LogRows)]
        return LogRows(
            **{name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        )

    def last(self) -> LogRows:
        """Returns the last row alone."""
        return LogRows(**{field.name: getattr(self, field.name)[-1:] for field in fields(LogRows)})


class LogReader:
    """Reads a table as numbers, and remembers what later rows hang on.

    Attributes:
        table: that is read.
        layout: of its columns.
        labels: for states, actions, next states, rewards and times: the names of their numbers,
            once rows were read. A column of k numbers in each row is k of them.
    """

    def __init__(self, table: Table, layout: Layout) -> None:
        self.table, self.layout = table, layout
        self.labels: dict[str, list[str]] = {}
        self._clock = Clock()
        self._codes: dict[Any, int] = {}
        self._seen: set[int] = set()
        self._are_integers: bool | None = None
        self._current: int | None = None

    def parts(self, rows: int) -> Iterator[LogRows]:
        """Gives at most so many rows at a time.

        Raises:
            ArgumentError: a value is no number, or rows of an episode are apart.
            ShapeError, ModelFileError, OSError: as reading the table does.
        """
        first = 0
        names = list(dict.fromkeys(name for _, name in self.layout.named()))
        for chunk in self.table.chunks(names, rows):
            part = self._numbers(chunk, first)
            first += len(part)
            if len(part):
                yield part

    def _numbers(self, chunk: Chunk, first: int) -> LogRows:
        layout = self.layout
        count = len(chunk[layout.states[0]])
        matrices = {
            kind: self._matrix(kind, names, chunk, first, count)
            for kind, names in (
                ("states", layout.states),
                ("actions", layout.actions),
                ("next_states", layout.next_states),
                ("rewards", (layout.rewards,) if layout.rewards else ()),
            )
        }
        if layout.rewards is not None and matrices["rewards"].shape[1] != 1:
            raise ArgumentError(
                f"rewards: column {layout.rewards!r} of {self.table.title} has "
                f"{matrices['rewards'].shape[1]} numbers in a row, must be one"
            )
        times = np.empty((count, 0))
        if layout.time is not None:
            column = chunk[layout.time]
            times = self._clock.seconds(layout.time, column, self.table, first)[:, None]
            self.labels["times"] = [layout.time]
        episodes, nameless = self._episodes(chunk, first, count)
        return LogRows(
            **matrices,
            times=times,
            terminations=self._flags("terminations", layout.terminations, chunk, first, count),
            truncations=self._flags("truncations", layout.truncations, chunk, first, count),
            episodes=episodes,
            nameless=nameless,
        )

    def _matrix(
        self, kind: str, names: tuple[str, ...], chunk: Chunk, first: int, count: int
    ) -> Float64:
        columns, labels = [np.empty((count, 0))], []
        for name in names:
            numbers = column_numbers(kind, name, chunk[name], self.table, first)
            width = numbers.shape[1]
            labels += [name] if width == 1 else [f"{name}[{i}]" for i in range(width)]
            columns.append(numbers)
        known = self.labels.setdefault(kind, labels)
        if known != labels:
            raise ArgumentError(
                f"{kind}: from row {first} on {self.table.title} has {len(labels)} numbers in a "
                f"row, must be {len(known)} as in the first rows"
            )
        return np.concatenate(columns, axis=1)

    def _flags(
        self, argument: str, name: str | None, chunk: Chunk, first: int, count: int
    ) -> Bools:
        if name is None:
            return np.zeros(count, np.bool_)
        flags = column_numbers(argument, name, chunk[name], self.table, first)
        strange = np.flatnonzero(((flags != 0.0) & (flags != 1.0)).any(axis=1))
        if strange.size or flags.shape[1] != 1:
            place = self.table.place(first + int(strange[0])) if strange.size else "row 0"
            got = flags[strange[0], 0] if strange.size else f"{flags.shape[1]} values"
            raise ArgumentError(
                f"{argument}: column {name!r}, {place} of {self.table.title} is {got}, must be "
                "True, False, 1 or 0"
            )
        return np.asarray(flags[:, 0] != 0.0)

    def _episodes(self, chunk: Chunk, first: int, count: int) -> tuple[NDArray[np.int64], Bools]:
        name = self.layout.episode
        if name is None:
            return np.zeros(count, np.int64), np.zeros(count, np.bool_)
        values = np.asarray(chunk[name])
        if values.shape not in ((count,), (count, 1)):
            raise ArgumentError(
                f"episode: column {name!r} of {self.table.title} has shape {values.shape}, "
                "must be one value in each row"
            )
        values = values.reshape(count)
        heads = run_starts(values)
        keys = episode_keys(values[heads])
        codes = np.empty(len(heads), np.int64)
        for place, (row, key) in enumerate(zip(heads.tolist(), keys, strict=True)):
            if key is not None:
                self._enter(key, first + row)
            codes[place] = 0 if self._current is None else self._current
        lengths = np.diff(heads, append=count)
        missing = np.array([key is None for key in keys], np.bool_)
        return np.repeat(codes, lengths), np.repeat(missing, lengths)

    def _enter(self, key: Any, row: int) -> None:
        """Notes that a row is of the episode of this name.

        Raises:
            ArgumentError: its rows ended before another one began.
        """
        code = self._code(key, row)
        if code != self._current and code in self._seen:
            raise ArgumentError(
                f"episode: {self.table.place(row)} of {self.table.title} is of episode "
                f"{_texts.shown(key)}, whose rows ended before another episode began; sort the log "
                "by episode and time"
            )
        self._seen.add(code)
        self._current = code

    def _code(self, key: Any, row: int) -> int:
        """Returns the number of an episode: itself, or of text the place at which it appeared."""
        is_integer = isinstance(key, int) and not isinstance(key, bool)
        if self._are_integers is None:
            self._are_integers = is_integer
        if is_integer and self._are_integers and -(2**63) <= key < 2**63:
            return int(key)
        if self._are_integers:
            raise ArgumentError(
                f"episode: {self.table.place(row)} of {self.table.title} is {_texts.shown(key)}, "
                "must be an integer of 64 bits as the rows above"
            )
        return self._codes.setdefault(key, len(self._codes))
