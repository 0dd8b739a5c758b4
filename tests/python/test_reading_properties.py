"""`Transitions.read` of any log is what a loop over its rows gives, in batches of any size."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynaplan as dp

CELL = st.sampled_from([0.0, 1.0, -2.5, None])
ROW = st.tuples(
    CELL,  # state
    CELL,  # action
    st.sampled_from([1.0] * 12 + [2.0, 0.0, -1.0]),  # time since the row above
    st.booleans() | st.just(False) | st.just(False),  # the episode is cut after this row
    st.sampled_from([False] * 5 + [True]),  # another episode begins
)


def columns_of(rows):
    states, actions, steps, cuts, begins = (list(column) for column in zip(*rows, strict=True))
    return {
        "row": list(range(len(rows))),
        "x": states,
        "u": actions,
        "t": np.cumsum(steps),
        "cut": cuts,
        "run": [f"run {number}" for number in np.cumsum(begins)],
    }


def by_hand(log, *, timed):
    """The rows that lead to the row below, and for each whether the one before leads to it."""
    count = len(log["x"])
    follows = [
        i + 1 < count and log["run"][i] == log["run"][i + 1] and not log["cut"][i]
        for i in range(count)
    ]
    steps = [log["t"][i + 1] - log["t"][i] if follows[i] else 0.0 for i in range(count)]
    median = statistics.median([step for step in steps if step > 0.0] or [math.nan])
    kept = [
        i
        for i in range(count)
        if follows[i]
        and (not timed or 0.5 * median < steps[i] < 1.5 * median)
        and None not in (log["x"][i], log["u"][i], log["x"][i + 1])
    ]
    return kept, [i for i in kept if i - 1 in kept and follows[i - 1]]


def read(log, timed, **settings):
    return {
        "source": log,
        "states": ["row", "x"],
        "actions": "u",
        "episode": "run",
        "truncations": "cut",
        "time": "t" if timed else None,
        "drop_nonfinite": True,
        "gaps": "split",
        **settings,
    }


@settings(deadline=None, max_examples=150)
@given(rows=st.lists(ROW, min_size=2, max_size=30), timed=st.booleans(), size=st.integers(2, 9))
def test_a_log_is_read_as_by_a_loop(rows, timed, size):
    log = columns_of(rows)
    kept, joined = by_hand(log, timed=timed)
    if timed and not any(np.diff(log["t"]) > 0.0):
        return  # which is refused: time never advances
    if not kept:
        with pytest.raises(dp.Error, match=r"0 transitions|no row is later"):
            dp.Transitions.read(**read(log, timed))
        return
    data = dp.Transitions.read(**read(log, timed))
    assert data.states[:, 0].astype(int).tolist() == kept
    assert data.next_states[:, 0].astype(int).tolist() == [i + 1 for i in kept]
    assert data.states[:, 1].tolist() == [log["x"][i] for i in kept]
    assert data.next_states[:, 1].tolist() == [log["x"][i + 1] for i in kept]
    assert data.actions[:, 0].tolist() == [log["u"][i] for i in kept]
    same = np.flatnonzero(np.diff(data.segments) == 0) + 1
    assert [kept[place] for place in same] == joined
    assert (data.segments == data.episodes).all()
    if not timed:
        parts = list(dp.Transitions.read_batches(**read(log, timed), rows=size))
        rows_read = np.concatenate([part.states[:, 0] for part in parts])
        assert rows_read.astype(int).tolist() == kept
