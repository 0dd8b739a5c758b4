"""What was measured: a row an implementation and thread count, and figures read off the rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


class MissingRowError(LookupError):
    """A figure needs a row that was not measured (peer not installed, thread count left out)."""


@dataclass
class Row:
    """One implementation with one thread count on one variant.

    Attributes:
        rounds: median of each round, seconds or rate per second.
        calls: how many calls were timed in all rounds.
        least, median, p99: over all calls, except that `median` is over the rounds' medians.
        disturbed: how many rounds ran while other processes used the cores.
        figure: the case's check; `agrees` says whether it passed, None where it cannot.
        facts: named results of implementations that report facts.
        skipped: why there is nothing to show, else empty.
    """

    label: str
    role: str
    threads: int
    reports: str = "wall"
    note: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    rounds: list[float] = field(default_factory=list)
    calls: int = 0
    least: float = 0.0
    median: float = 0.0
    p99: float = 0.0
    disturbed: int = 0
    figure: float | None = None
    agrees: bool | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    skipped: str = ""

    def summarise(self, samples: Iterable[list[float]]) -> None:
        """Fills the figures from the samples of each round."""
        kept = [sample for sample in samples if sample]
        if not kept:
            return
        every_call = np.concatenate([np.asarray(sample) for sample in kept])
        self.rounds = [float(np.median(sample)) for sample in kept]
        self.calls = len(every_call)
        self.least = float(np.min(every_call))
        self.median = float(np.median(self.rounds))
        self.p99 = float(np.percentile(every_call, 99))

    @property
    def timed(self) -> bool:
        """Whether this row holds seconds a call."""
        return not self.skipped and self.reports in ("wall", "seconds") and bool(self.rounds)


class Results:
    """Rows of a case by variant, with the figures that targets and tables need.

    Args:
        rows: by the name of the variant.
        bounds: `Work.bounds`, by the name of the variant.
    """

    def __init__(
        self, rows: dict[str, list[Row]], bounds: Mapping[str, Mapping[str, float]]
    ) -> None:
        self.rows = rows
        self._bounds = bounds

    def select(
        self,
        variant: str,
        role: str | None = None,
        labels: tuple[str, ...] = (),
        threads: int | None = None,
    ) -> list[Row]:
        """Returns the timed rows that fit; raises MissingRowError where there are none."""
        found = [
            row
            for row in self.rows.get(variant, [])
            if row.timed
            and (role is None or row.role == role)
            and (not labels or row.label in labels)
            and (threads is None or row.threads == threads)
        ]
        if not found:
            raise MissingRowError(f"{variant}: no row for {role or ''} {labels} {threads or ''}")
        return found

    def fastest(
        self,
        variant: str,
        role: str | None = None,
        labels: tuple[str, ...] = (),
        threads: int | None = None,
    ) -> Row:
        """Returns the row of least median."""
        return min(self.select(variant, role, labels, threads), key=lambda row: row.median)

    def speedup(
        self, variant: str, over: tuple[str, ...] = (), threads: int | None = None
    ) -> float:
        """Returns how many times faster ours is than the best of these peers (default: all)."""
        ours = self.fastest(variant, "ours", threads=threads)
        return self.fastest(variant, None if over else "peer", over).median / ours.median

    def bound(self, variant: str, threads: int) -> float:
        """Returns the least seconds a call can take by the machine limits measured beside it."""
        rates = {
            row.label: row.median
            for row in self.rows.get(variant, [])
            if row.role == "limit" and row.threads == threads and row.median > 0
        }
        amounts = self._bounds[variant]
        if not amounts or not set(amounts) <= set(rates):
            raise MissingRowError(f"{variant}: limits not measured with {threads} threads")
        return max(amount / rates[name] for name, amount in amounts.items())

    def share_of_limit(self, variant: str, threads: int) -> float:
        """Returns bound / median of ours, in percent."""
        ours = self.fastest(variant, "ours", threads=threads)
        return 100.0 * self.bound(variant, threads) / ours.median

    def figure(self, variant: str, label: str) -> float:
        """Returns the check's figure of one implementation (its fastest thread count)."""
        value = self.fastest(variant, labels=(label,)).figure
        if value is None:
            raise MissingRowError(f"{variant}: {label} was not checked")
        return value

    def fact(self, variant: str, label: str, name: str) -> float:
        """Returns a named fact of an implementation that reports facts."""
        for row in self.rows.get(variant, []):
            if row.label == label and name in row.facts:
                return float(row.facts[name])
        raise MissingRowError(f"{variant}: {label} reported no {name}")


def as_json(rows: dict[str, list[Row]]) -> dict[str, list[dict[str, Any]]]:
    """Returns rows as plain dictionaries."""
    return {name: [dataclasses.asdict(row) for row in some] for name, some in rows.items()}


def from_json(rows: dict[str, list[dict[str, Any]]]) -> dict[str, list[Row]]:
    """Returns rows from plain dictionaries."""
    return {name: [Row(**row) for row in some] for name, some in rows.items()}
