"""How good plans are: their share of the way from doing nothing to the best known value."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from bench.quality.problems import Problem
from bench.workloads import FloatArray

FILE = Path(__file__).resolve().parent / "best_known.json"


@cache
def stored() -> dict[str, Any]:
    """Returns the best known values by problem and set of starts."""
    values: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return values


@dataclass(frozen=True)
class Scale:
    """Worst and best of one set of starts.

    Attributes:
        nothing: returns of doing nothing, one for each start.
        best: best known returns.
    """

    nothing: FloatArray
    best: FloatArray

    @classmethod
    def of(cls, problem: Problem, which: str, steps: int) -> Scale:
        """Returns the scale of returns over so many steps, of plans or of control."""
        best = np.array(stored()[problem.name][which][str(steps)])
        starts = problem.starts(which)[: len(best)]
        return cls(np.array([problem.nothing(start, steps) for start in starts]), best)

    def share(self, start: int, value: float) -> float:
        """Returns 0 for what doing nothing is worth and 1 for the best known value."""
        return float((value - self.nothing[start]) / (self.best[start] - self.nothing[start]))
