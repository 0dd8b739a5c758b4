"""What the doctor finds: one finding, and all of them with what was looked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dynaplan import _tables

__all__ = [
    "KINDS",
    "LEAVE_OUT",
    "Columns",
    "Diagnosis",
    "Finding",
    "Severity",
    "named",
    "ordered",
]

Severity: TypeAlias = Literal["error", "warning", "note"]
Columns: TypeAlias = tuple[tuple[str, int], ...]

# All that is looked for, as printed: first what is wrong with rows, then columns, actions, the end.
KINDS = (
    "few_rows",
    "gaps",
    "wrong_next_states",
    "seams",
    "lost_steps",
    "wild_values",
    "duplicate_rows",
    "uneven_time",
    "constant_column",
    "time_column",
    "dependent_columns",
    "units",
    "wrapped_angle",
    "stuck_sensor",
    "quantised_sensor",
    "noisy_sensor",
    "shifted_actions",
    "closed_loop",
    "saturated_actions",
    "rewards",
    "terminations",
    "leakage",
    "outside_range",
)
_SEVERITIES = ("error", "warning", "note")
LEAVE_OUT = "Leave these rows out, as data[np.delete(np.arange(len(data)), finding.rows)]"
_NAMED = 6  # columns in a sentence


@dataclass(frozen=True, eq=False)
class Finding:
    """One thing that is wrong with a log; it prints as a few lines.

    Attributes:
        kind: which kind of fault, one of `Diagnosis.looked_for`, such as "gaps".
        severity: "error": a fit learns what is not so; "warning": a fit is much worse than it could
            be, or its test; "note": good to know.
        columns: ("states", 2) and so on, the columns that it is about; empty if it is about rows.
        evidence: one sentence with the numbers.
        cure: one sentence: what to do.
        rows: indices of the rows that it is about; empty if it is about columns.
    """

    kind: str
    severity: Severity
    columns: Columns
    evidence: str
    cure: str
    rows: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, np.intp))

    def __str__(self) -> str:
        where = f" in {named(self.columns)}" if self.columns else ""
        return "\n".join(
            [
                *_tables.paragraph(f"{self.severity}: {self.kind}{where}", "  "),
                *_tables.paragraph(f"  {self.evidence}", "  "),
                *_tables.paragraph(f"  -> {self.cure}", "     "),
            ]
        )

    def __repr__(self) -> str:
        text = named(self.columns) if self.columns else f"{len(self.rows)} rows"
        return f"Finding({self.kind!r}, {self.severity!r}, {text})"


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """What `diagnose` found in a log, the worst first; it prints as a text, and is iterable.

    Attributes:
        findings: all of them.
        looked_for: the kinds of faults that were looked for.
        passed_over: the other kinds, each with the reason, such as that no `time` was given.
        subject: what was looked at, in words.
    """

    findings: tuple[Finding, ...]
    looked_for: tuple[str, ...]
    passed_over: tuple[tuple[str, str], ...]
    subject: str

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of the findings, each once, in their order."""
        return tuple(dict.fromkeys(finding.kind for finding in self.findings))

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def __bool__(self) -> bool:
        return bool(self.findings)

    def __str__(self) -> str:
        count = len(self.findings)
        head = {0: "nothing found", 1: "1 finding"}.get(count, f"{count} findings")
        lines = _tables.paragraph(f"{head} in {self.subject}", "  ")
        for finding in self.findings:
            lines += str(finding).splitlines()
        lines += _tables.paragraph(f"looked for: {', '.join(self.looked_for)}", "  ")
        reasons = dict.fromkeys(reason for _, reason in self.passed_over)
        for reason in reasons:
            kinds = ", ".join(kind for kind, why in self.passed_over if why == reason)
            lines += _tables.paragraph(f"not looked for: {kinds} ({reason})", "  ")
        return "\n".join(lines)

    def __repr__(self) -> str:
        counts = [
            f"{sum(finding.severity == severity for finding in self.findings)} {severity}s"
            for severity in _SEVERITIES
        ]
        return f"Diagnosis({', '.join(counts)})"


def ordered(findings: list[Finding]) -> tuple[Finding, ...]:
    """Returns the findings with the worst first, those of one severity in the order of `KINDS`."""
    return tuple(
        sorted(findings, key=lambda one: (_SEVERITIES.index(one.severity), KINDS.index(one.kind)))
    )


def named(columns: Columns) -> str:
    """Returns columns as a sentence names them: "states 0, 2, actions 1"."""
    parts = []
    for array in dict.fromkeys(array for array, _ in columns):
        numbers = [str(number) for name, number in columns if name == array]
        shown = ", ".join(numbers[:_NAMED]) + ", ..." * (len(numbers) > _NAMED)
        parts.append(f"{array if len(numbers) > 1 else array.removesuffix('s')} {shown}")
    return " and ".join(parts)
