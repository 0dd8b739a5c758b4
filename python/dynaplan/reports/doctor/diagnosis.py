"""`diagnose`: what is wrong with a log, before a model is fitted to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan.data import rows
from dynaplan.data.history import without_history
from dynaplan.data.transitions import Transitions, require_transitions
from dynaplan.errors import ArgumentError, ShapeError
from dynaplan.reports.doctor import actions, angles, columns, endings, ordering, sensors
from dynaplan.reports.doctor import held_out as splits
from dynaplan.reports.doctor.findings import Diagnosis, Finding, ordered
from dynaplan.reports.doctor.record import Record
from dynaplan.reports.doctor.shifted_actions import shifted_actions
from dynaplan.reports.doctor.unusual_steps import unusual_steps

__all__ = ["diagnose"]

# What a check gives: findings, or why it could not be made.
Found: TypeAlias = "list[Finding] | str"
Check: TypeAlias = Callable[[Record], Found]

_CHECKS: dict[tuple[str, ...], Check] = {
    ("few_rows",): ordering.few_rows,
    ("gaps", "wrong_next_states"): ordering.gaps,
    ("seams", "lost_steps"): unusual_steps,
    ("wild_values",): ordering.wild_values,
    ("duplicate_rows",): ordering.duplicate_rows,
    ("constant_column",): columns.constant_columns,
    ("time_column",): columns.time_columns,
    ("dependent_columns",): columns.dependent_columns,
    ("units",): columns.units,
    ("wrapped_angle",): angles.wrapped_angles,
    ("stuck_sensor",): sensors.stuck_sensors,
    ("quantised_sensor",): sensors.quantised_sensors,
    ("noisy_sensor",): sensors.noisy_sensors,
    ("shifted_actions",): shifted_actions,
    ("closed_loop",): actions.closed_loop,
    ("saturated_actions",): actions.saturated_actions,
    ("rewards",): endings.rewards,
    ("terminations",): endings.terminations,
}


def diagnose(
    data: Transitions, held_out: Transitions | None = None, *, time: ArrayLike | None = None
) -> Diagnosis:
    """Says what is wrong with a log before a model is fitted to it, with numbers and a cure.

    Looked for are, in the rows: gaps, seams, lost steps, wild values, rows twice, uneven time;
    in the columns: constant, counting, dependent ones, wrapped angles, sensors that stick, are
    coarse or noisy; in the actions: shifts in time, feedback without excitation, bounds; and what
    is wrong with rewards, terminations and the split. What no finding says can be wrong all the
    same: a finding needs evidence. None depends on units and offsets of the columns, but "units".
    Of data with a history what is observed is judged, without its lags.
    The same data give the same findings; of more than 32,768 rows the regressions take 32 stretches
    of 1,024.

    Args:
        data: the log, or the part of it to learn from.
        held_out: the other part. Default: no split is judged.
        time: (N,) when each state was measured, in any unit, ascending within episodes. Default:
            steps are taken to be even.

    Returns:
        The findings, the worst first, and what was looked for.

    Raises:
        TypeError: an argument has the wrong type.
        ShapeError: `held_out` has other columns than `data`, or `time` is not one number a row.
        ArgumentError: a time is not finite, or `held_out` has other angles than `data`.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> states = rng.normal(size=(200, 2))
        >>> actions = states @ [[0.5], [0.1]]  # feedback alone: what does the action do?
        >>> data = dp.Transitions(states, actions, 0.9 * states + actions)
        >>> dp.diagnose(data).kinds
        ('closed_loop',)
    """
    require_transitions("data", data)
    if held_out is not None:
        require_transitions("held_out", held_out)
        for name in ("state_dim", "action_dim"):
            got, wanted = getattr(held_out, name), getattr(data, name)
            if got != wanted:
                raise ShapeError(f"held_out: {name} is {got}, must be {wanted} as in data")
        if held_out.angles != data.angles:
            raise ArgumentError(f"held_out: has {held_out.angles}, must have {data.angles} as data")
    when = None
    if time is not None:
        when = rows.copied(rows.vector("time", time, len(data)))
        if not np.isfinite(when).all():
            row = int(np.argmin(np.isfinite(when)))
            raise ArgumentError(f"time: row {row} is {when[row]}, must be finite")
    earlier = data.known.earlier_actions(data.action_dim)
    observed = without_history(data)
    others = None if held_out is None else without_history(held_out)
    with np.errstate(over="ignore", invalid="ignore"):  # of numbers at the ends of float64
        made = _made(Record(observed, earlier), others, when)
    looked_for = [
        kind for kinds, found in made.items() if not isinstance(found, str) for kind in kinds
    ]
    return Diagnosis(
        findings=ordered(
            [one for found in made.values() if not isinstance(found, str) for one in found]
        ),
        looked_for=tuple(looked_for),
        passed_over=tuple(
            (kind, found)
            for kinds, found in made.items()
            if isinstance(found, str)
            for kind in kinds
        ),
        subject=_subject(data, held_out),
    )


def _made(
    record: Record, held_out: Transitions | None, time: NDArray[np.float64] | None
) -> dict[tuple[str, ...], Found]:
    """Returns what all checks give, by the kinds that they look for."""
    made = {kinds: check(record) for kinds, check in _CHECKS.items()}
    if made["closed_loop",] and not isinstance(made["closed_loop",], str):
        # The action in the row below tells the state that it follows from.
        made["shifted_actions",] = "actions follow from the states"
    made["uneven_time",] = ordering.uneven_time(record, time)
    made["leakage",] = splits.leakage(record.data, held_out)
    made["outside_range",] = splits.outside_range(record.data, held_out)
    return made


def _subject(data: Transitions, held_out: Transitions | None) -> str:
    def counted(count: int, name: str) -> str:
        return f"{count} {name}{'s' * (count != 1)}"

    episodes = len(rows.starts(data.episodes))
    beside = "" if held_out is None else f", {counted(len(held_out), 'row')} held out"
    return (
        f"{counted(len(data), 'row')} of {counted(episodes, 'episode')} "
        f"({counted(data.state_dim, 'state')}, {counted(data.action_dim, 'action')}){beside}"
    )
