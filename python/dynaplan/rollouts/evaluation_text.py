"""An evaluation as a person reads it: two tables, what they mean for trust, and what is odd."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dynaplan import _tables
from dynaplan.data.columns import Columns
from dynaplan.rollouts.bands import BAND_LEVEL
from dynaplan.rollouts.open_loop import RUN_AWAY

__all__ = ["evaluation_text", "labels", "learned_states", "remarks", "trust_interval"]

_PRINTED_STEPS = (1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 500, 1000)

Evaluation: TypeAlias = Any  # which prints by what is here, and so is not imported


def evaluation_text(check: Evaluation) -> str:
    """Returns the lines that an evaluation prints."""
    last = int(check.steps[-1])
    reach = "at least " if check.trusted_horizon == last else ""
    trust = (
        f"trusted horizon: {reach}{check.trusted_horizon} steps "
        f"(error <= {check.share:.0%} of the change; {trust_interval(check)})"
    )
    notes = [
        "(errors in standard deviations of the data; ratio: error over 'nothing changes'"
        + (", noise taken out)" if check.noise_floor.any() else ")"),
        trust,
        *remarks(check),
    ]
    return "\n".join(
        [
            *_one_step(check),
            *_after_steps(check),
            *(line for note in notes for line in _tables.paragraph(note, "  ")),
        ]
    )


def trust_interval(check: Evaluation) -> str:
    """Returns how sure the trusted horizon is, in words."""
    if check.trusted_interval is None:
        return "one held-out episode: how sure is not known"
    low, high = check.trusted_interval
    return f"90 % interval {low} to {high}, of {check.episodes} episodes"


def remarks(check: Evaluation) -> list[str]:
    """Returns what a reader of the numbers alone may miss, a sentence each."""
    said, names = [], labels(check)
    away = check.error_median > RUN_AWAY
    some_away = check.error_90 > RUN_AWAY
    beyond = f"(beyond {RUN_AWAY:g} times the spread of the data)"
    if away.any():
        said.append(f"runs away after step {int(np.argmax(away))} {beyond}")
    elif some_away.any():
        said.append(f"one start in ten runs away after step {int(np.argmax(some_away))} {beyond}")
    varied = check.spread > 0.0
    varied[list(check.known_states)] = False  # which repeat the errors of others
    trusted = check.rmse[: max(1, check.trusted_horizon)]
    worse = varied & (trusted > check.spread).any(axis=0)
    for state in np.flatnonzero(worse):
        step = int(np.argmax(trusted[:, state] > check.spread[state]))
        said.append(
            f"{names[state]}: predicted worse than by its mean from step {step + 1} on "
            f"(rmse {_tables.number(trusted[step, state])}, "
            f"spread {_tables.number(check.spread[state])})"
        )
    # Of the square of an error in a step, the noise of both states is twice its variance.
    floor = np.sqrt(2.0) * check.noise_floor
    for state in np.flatnonzero(floor > np.sqrt(0.5) * check.one_step_rmse):
        said.append(
            f"{names[state]}: mostly noise of its sensor in one step "
            f"({_tables.number(floor[state])} of rmse {_tables.number(check.one_step_rmse[state])})"
        )
    if np.isinf(check.ratio[0]) and np.isfinite(check.error_median[0]) and check.noise_floor.any():
        lost = int(np.argmin(np.append(np.isinf(check.ratio), False)))
        said.append(f"in up to {lost} steps no more changes than the noise of the sensors")
    return said


def labels(check: Evaluation) -> list[str]:
    """Returns what the states are called."""
    return Columns(state_names=check.state_names).labels(len(check.spread), 0)[0]


def _headings(check: Evaluation) -> list[str]:
    """Returns the names of the states with their units."""
    units = {name: f" ({unit})" for name, unit in check.units.items()}
    names = np.array(labels(check), object)[learned_states(check)]
    return [_tables.name(name) + _tables.name(units.get(name, "")) for name in names]


def learned_states(check: Evaluation) -> NDArray[np.intp]:
    """Returns the states that are learned: what is known has no errors of its own."""
    return np.setdiff1d(np.arange(len(check.spread)), check.known_states)


def _one_step(check: Evaluation) -> list[str]:
    some = learned_states(check)
    rows = [
        ["one step", *_headings(check)],
        ["  rmse", *map(_tables.number, check.one_step_rmse[some])],
        ["  data spread", *map(_tables.number, check.spread[some])],
    ]
    if check.noise_floor.any():
        rows.append(["  noise floor", *map(_tables.number, check.noise_floor[some])])
    for level, shares in check.coverage.items():
        rows.append([f"  in {level:>4.0%} band", *map(_tables.percent, shares[some])])
        if check.coverage_uncalibrated is not None:
            before = check.coverage_uncalibrated[level][some]
            rows.append(["  uncalibrated", *map(_tables.percent, before)])
    return _tables.lines(rows, least=11)


def _after_steps(check: Evaluation) -> list[str]:
    last = int(check.steps[-1])
    bands = [] if check.band_coverage is None else [f"in {BAND_LEVEL:.0%} band"]
    if check.band_coverage_uncalibrated is not None:
        bands.append("uncalibrated")
    rows = [["after k steps", "error", "90 %", "nothing changes", "ratio", "starts", *bands]]
    for step in sorted({k for k in _PRINTED_STEPS if k < last} | {last}):
        i = step - 1
        values = check.error_median[i], check.error_90[i], check.baseline_median[i], check.ratio[i]
        cells = [*map(_tables.number, values), str(check.starts[i])]
        if check.band_coverage is not None:
            cells.append(_tables.percent(check.band_coverage[i]))
        if check.band_coverage_uncalibrated is not None:
            cells.append(_tables.percent(check.band_coverage_uncalibrated[i]))
        rows.append([f"{step:>13}", *cells])
    return _tables.lines(rows)
