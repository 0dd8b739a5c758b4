"""What the stored results of one method on one task come to."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

NEVER = math.inf
QUARTILES = (0.25, 0.5, 0.75)


def reached(evaluations: Sequence[dict[str, Any]], threshold: float) -> tuple[float, float]:
    """Returns real steps and seconds of the first of two evaluations in a row at the threshold."""
    for first, second in itertools.pairwise(evaluations):
        if first["mean"] >= threshold and second["mean"] >= threshold:
            return float(first["steps"]), float(first["seconds"])
    return NEVER, NEVER


def quantile(values: Sequence[float], share: float) -> float:
    """Returns a quantile, linear between values; infinite as soon as an infinite one has part."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
    return low if low == high else low + (place % 1.0) * (high - low)


@dataclass(frozen=True)
class Spread:
    """Median and quartiles over the seeds."""

    lower: float
    median: float
    upper: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Returns them for some values, at least one."""
        return cls(*(quantile(values, share) for share in QUARTILES))


@dataclass(frozen=True)
class Summary:
    """A method on a task over all its seeds.

    Attributes:
        method: its name.
        settings: its settings, as text.
        task: the protocol, with the method's budget of steps.
        seeds: all that were run.
        steps: real steps to the threshold, "never" as infinity; None without a threshold.
        seconds: of learning and acting until then.
        never: how many seeds never reached it, those that raised included.
        raised: the messages of the seeds that ended with an error, by seed.
        last: mean return at the last evaluation of the runs that were not ended by an error; None
            if there is none.
        all_seconds: of whole runs; None if there is none.
        facts: medians of what was known of the model and the agent at the last evaluation of the
            same runs, by name.
    """

    method: str
    settings: str
    task: dict[str, Any]
    seeds: tuple[int, ...]
    steps: Spread | None
    seconds: Spread | None
    never: int
    raised: dict[int, str]
    last: Spread | None
    all_seconds: Spread | None
    facts: dict[str, float]


def summarised(results: Sequence[dict[str, Any]]) -> Summary:
    """Returns the summary of results that share task, method and settings, at least one."""
    first, threshold = results[0], results[0]["task"]["threshold"]
    ends = [one["evaluations"][-1] for one in results if one["status"] == "done"]
    until = [
        (NEVER, NEVER) if one["status"] != "done" else reached(one["evaluations"], threshold)
        for one in results
        if threshold is not None
    ]
    return Summary(
        method=first["method"],
        settings=first["settings"],
        task=first["task"],
        seeds=tuple(sorted(one["seed"] for one in results)),
        steps=Spread.of([steps for steps, _ in until]) if until else None,
        seconds=Spread.of([seconds for _, seconds in until]) if until else None,
        never=sum(steps == NEVER for steps, _ in until),
        raised={one["seed"]: one["message"] for one in results if one["status"] != "done"},
        last=Spread.of([end["mean"] for end in ends]) if ends else None,
        all_seconds=Spread.of([end["seconds"] for end in ends]) if ends else None,
        facts=_medians([end["facts"] for end in ends]),
    )


def _medians(facts: Sequence[dict[str, float]]) -> dict[str, float]:
    """Returns the median of each fact over the runs that know it."""
    names = dict.fromkeys(name for some in facts for name in some)
    return {name: quantile([some[name] for some in facts if name in some], 0.5) for name in names}


def grouped(results: Sequence[dict[str, Any]]) -> dict[str, list[list[dict[str, Any]]]]:
    """Returns results by task, and of each those that belong together.

    One method twice is two groups if its settings or its protocol were two.
    """
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for one in results:
        key = repr((one["method"], one["settings"], one["task"]))
        found.setdefault(one["task"]["name"], {}).setdefault(key, []).append(one)
    return {name: list(groups.values()) for name, groups in found.items()}


def curve(results: Sequence[dict[str, Any]]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Returns steps (T,) and quartiles over the seeds (3, T) of the mean returns.

    Runs that are evaluated at other steps are read between their evaluations, linearly. A run that
    failed has no part in it.
    """
    runs = [one["evaluations"] for one in results if one["status"] == "done"]
    if not runs:
        return np.empty(0), np.empty((3, 0))
    begin = max(rows[0]["steps"] for rows in runs)
    steps = np.unique([row["steps"] for rows in runs for row in rows])
    steps = steps[steps >= begin]
    means = [
        np.interp(steps, [row["steps"] for row in rows], [row["mean"] for row in rows])
        for rows in runs
    ]
    return steps, np.quantile(means, QUARTILES, axis=0)
