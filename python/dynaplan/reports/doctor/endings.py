"""Rewards that say nothing, and ends of episodes that are none."""

from __future__ import annotations

import numpy as np

from dynaplan import _tables
from dynaplan.data import rows
from dynaplan.reports.doctor.findings import Finding
from dynaplan.reports.doctor.record import Record

__all__ = ["rewards", "terminations"]

# Episodes that all end by a termination after the same number of rows, of 10 or more: were their
# lengths spread over as few as 10, 3 would be the same in one log in a hundred.
_EPISODES, _LENGTH = 3, 10


def rewards(record: Record) -> list[Finding] | str:
    """Finds rewards that are the same in all rows."""
    given = record.data.rewards
    if given is None:
        return "no rewards"
    if len(given) < 2 or given.min() != given.max():
        return []
    evidence = f"the reward is {_tables.number(given[0])} in all of {len(given)} rows."
    cure = (
        "Record rows with other rewards too, or give the reward as a function: a model with "
        "rewards=True would learn a constant."
    )
    return [Finding("rewards", "note", (), evidence, cure)]


def terminations(record: Record) -> list[Finding]:
    """Finds terminations within episodes, in all rows, and where time is up."""
    data = record.data
    ended = np.flatnonzero(data.terminations)
    last = rows.ends_of(data.episodes) - 1
    within = ended[ended < last[ended]]
    if within.size:
        evidence = (
            f"{len(within)} rows terminate while their episode goes on below, first row "
            f"{within[0]}."
        )
        cure = (
            "Begin a new episode after each termination: pass episodes, or leave them to be found."
        )
        return [Finding("terminations", "error", (), evidence, cure, within)]
    lengths = np.diff(rows.starts(data.episodes), append=len(data))
    if len(ended) == len(data) >= _EPISODES:
        evidence = f"all of {len(data)} rows terminate."
    elif len(ended) == len(lengths) >= _EPISODES and lengths.min() == lengths.max() >= _LENGTH:
        evidence = (
            f"all of {len(lengths)} episodes terminate after exactly {lengths[0]} rows, as a time "
            "limit does."
        )
    else:
        return []
    cure = (
        "Pass as terminations only where the system itself ended, not where recording did: a value "
        "of what follows is learned to be 0 there."
    )
    return [Finding("terminations", "warning", (), evidence, cure, ended)]
