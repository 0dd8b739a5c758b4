"""A comparison as a person reads it: a table of the models, one by state, and which to take."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np

from dynaplan import _tables
from dynaplan.rollouts.evaluation_text import labels, learned_states

__all__ = ["comparison_text"]

Comparison: TypeAlias = Any  # which prints by what is here, and so is not imported

_LEVEL = 0.9


def comparison_text(comparison: Comparison) -> str:
    """Returns the lines that a comparison prints."""
    models = comparison.models.values()
    failed = [f"{one.name}: not evaluated: {one.problem}" for one in models if one.problem]
    away = [
        f"{one.name}: runs away from {_tables.percent(one.run_away)} of the starts"
        for one in models
        if one.run_away > 0.0
    ]
    notes = [*_meanings(comparison), *failed, *away, f"take {comparison.reason}"]
    return "\n".join(
        [
            *_tables.paragraph(_heading(comparison), "  "),
            *_tables.lines(_by_model(comparison)),
            *_by_state(comparison),
            *(line for note in notes for line in _tables.paragraph(note, "  ")),
        ]
    )


def _heading(comparison: Comparison) -> str:
    return (
        f"{_count(len(comparison.models), 'model')}, {_count(comparison.steps, 'step')} ahead, on "
        f"{_count(comparison.rows, 'held-out row')} of {_count(comparison.episodes, 'episode')}"
    )


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _by_model(comparison: Comparison) -> list[list[str]]:
    rows = [["", "error", "90 % interval", "one step", "trusted", "in 90% band"]]
    rows[0] += ["numbers", "ns a step", "of 500"]
    for one in comparison.models.values():
        mark = "* " if one.name == comparison.chosen else "  "
        check = one.evaluation
        if check is None:
            rows.append([mark + one.name, *["-"] * 8])
            continue
        size = "-" if one.fitted_numbers is None else str(one.fitted_numbers)
        rows.append(
            [
                mark + one.name,
                _tables.number(one.error, 3),
                _interval(one.error_interval),
                _known(_one_step(check)),
                _trusted(check),
                _tables.percent(_mean_known(check.coverage[_LEVEL])),
                size,
                *(_nanoseconds(value) for value in one.step_nanoseconds),
            ]
        )
    return rows


def _by_state(comparison: Comparison) -> list[str]:
    checks = {one.name: one.evaluation for one in comparison.models.values() if one.evaluation}
    if not checks:
        return []
    first = next(iter(checks.values()))
    names, learned = labels(first), learned_states(first).tolist()
    rows = [[f"after {_count(comparison.steps, 'step')}", *(names[state] for state in learned)]]
    for name, check in checks.items():
        rows.append([f"  {name}", *(_known(value) for value in check.state_ratio[-1][learned])])
    return _tables.lines(rows, least=9)


def _meanings(comparison: Comparison) -> list[str]:
    drawn = (
        "no interval: the held-out data are too few"
        if comparison.units == 1
        else f"intervals of {comparison.units} "
        + ("episodes" if comparison.units == comparison.episodes else "pieces of the data")
    )
    baselines = comparison.baselines.items()
    return [
        "error without a model: "
        + ", ".join(f"{name} {_tables.number(error, 3)}" for name, error in baselines),
        f"(error: over all steps, 1: as wrong as that nothing changes; {drawn}; one step: in "
        "standard deviations of the data; trusted: steps; numbers: fitted; ns: measured; after k "
        "steps: error of each state over its change, noise taken out)",
    ]


def _interval(interval: tuple[float, float] | None) -> str:
    if interval is None:
        return "-"
    return " to ".join(_tables.number(value, 3) for value in interval)


def _trusted(check: Any) -> str:
    reach = ">=" if check.trusted_horizon == check.steps[-1] else ""
    return f"{reach}{check.trusted_horizon}"


def _one_step(check: Any) -> float:
    """Returns the error of one step, the root mean square of the states' in their spreads."""
    varied = check.spread > 0.0
    varied[list(check.known_states)] = False
    if not varied.any():
        return math.nan
    with np.errstate(over="ignore"):
        relative = check.one_step_rmse[varied] / check.spread[varied]
        return float(np.sqrt(np.mean(relative**2)))


def _mean_known(values: Any) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else math.nan


def _known(value: float) -> str:
    return "-" if math.isnan(value) else _tables.number(value, 3)


def _nanoseconds(value: float) -> str:
    return "-" if math.isnan(value) else _tables.fixed(value, 1 if value < 100.0 else 0)
