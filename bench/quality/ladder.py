"""The least time in which a planner reaches a share of the best known value."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from bench.quality.settings import Family, Setting
from bench.workloads import FloatArray

SHARES = (0.90, 0.99)
SEEDS = 3  # plans from each start


class Searcher(Protocol):
    """A planner with its problem, ready to plan."""

    def reset(self, seed: int) -> None:
        """Forgets the last plan and begins the random numbers of this seed."""

    def plan(self, state: FloatArray) -> FloatArray:
        """Plans (H, A) from a state (S,), beginning at the last plan, shifted by a step, if any."""


@dataclass(frozen=True)
class Trial:
    """What one setting did: median seconds of a plan, and the mean share of its plans."""

    setting: str
    seconds: float
    share: float


Measure = Callable[[Searcher], tuple[Sequence[float], Sequence[float]]]


@dataclass
class Ladder:
    """Finds the fastest settings of families in which more candidates are slower and no worse.

    In each family the first rung that reaches a share is found by bisection; rungs beyond one that
    takes longer than another family needed are left out.

    Args:
        searcher_of: makes a searcher of a setting, compiled and warmed up.
        measure: returns the seconds and the shares of a searcher's plans.
        clock: of the time for all rungs, in which `searcher_of` does not count.
    """

    searcher_of: Callable[[Any], Searcher]
    measure: Measure
    clock: Callable[[], float] = time.perf_counter
    trials: list[Trial] = field(default_factory=list)
    spent: float = 0.0
    complete: bool = True

    def climb(self, families: Sequence[Family[Any]], seconds: float) -> None:
        """Searches all families, that of the least work first, until so many seconds are spent."""
        gc.collect()
        for family in sorted(families, key=lambda one: one.rungs[len(one.rungs) // 2].work):
            done: dict[int, Trial] = {}
            for share in reversed(SHARES):
                low, high = 0, len(family.rungs)
                while low < high:
                    middle = (low + high) // 2
                    if middle not in done:
                        if self.spent >= seconds:
                            self.complete = False
                            return
                        done[middle] = self.tried(family.rungs[middle])
                    trial = done[middle]
                    if trial.share >= share or trial.seconds > self.least_seconds(share):
                        high = middle
                    else:
                        low = middle + 1

    def tried(self, setting: Setting) -> Trial:
        """Measures one setting and keeps what it did."""
        searcher = self.searcher_of(setting)
        gc.disable()
        before = self.clock()
        try:
            seconds, shares = self.measure(searcher)
        finally:
            gc.enable()
        self.spent += self.clock() - before
        trial = Trial(str(setting), float(np.median(seconds)), float(np.mean(shares)))
        self.trials.append(trial)
        return trial

    def first(self, share: float) -> Trial | None:
        """Returns the fastest trial that reached a share."""
        reached = [trial for trial in self.trials if trial.share >= share]
        return min(reached, key=lambda trial: trial.seconds, default=None)

    def least_seconds(self, share: float) -> float:
        """Returns the seconds of the fastest trial that reached a share, else infinity."""
        first = self.first(share)
        return np.inf if first is None else first.seconds

    def facts_of_default(self, default: Trial) -> dict[str, Any]:
        """Returns how a default did, beside the fastest trial that is as good.

        As good is: reached the same of `SHARES`, or, where the default reached none, its share.
        """
        bar = max((share for share in SHARES if share <= default.share), default=default.share)
        return {
            "as it comes, ms": 1e3 * default.seconds,
            "as it comes, %": 100.0 * default.share,
            "as it comes, x its frontier": default.seconds / self.least_seconds(bar),
        }

    def facts(self, default: Trial | None = None) -> dict[str, Any]:
        """Returns what the table shows; what was not reached is left out."""
        if not self.trials:
            return {}
        count = len(self.trials)
        shown: dict[str, Any] = {
            "best share, %": 100.0 * max(trial.share for trial in self.trials),
            "slowest rung, ms": 1e3 * max(trial.seconds for trial in self.trials),
            "rungs": count if self.complete else f"{count}, then out of time",
        }
        if default is not None:
            shown |= self.facts_of_default(default)
        for share in SHARES:
            first = self.first(share)
            if first is not None:
                shown[f"ms to {share:.0%}"] = 1e3 * first.seconds
                shown[f"settings, {share:.0%}"] = first.setting
        return shown
