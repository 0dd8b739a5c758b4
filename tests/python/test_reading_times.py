"""The `time` column of a log: its unit, uneven steps, lost rows, clocks that are set back."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

import dynaplan as dp

LOST = [0.0, 0.1, 0.2, 0.4, 0.5, 0.6, 0.7]


def read(times, **settings):
    rows = np.arange(float(len(times)))
    columns = {"t": times, "x": rows, **settings.pop("columns", {})}
    return dp.Transitions.read(columns, states="x", time="t", **settings)


def starts(data):
    np.testing.assert_array_equal(data.next_states, data.states + 1)
    return data.states[:, 0].astype(int).tolist()


def test_a_step_over_a_lost_row_is_left_out_and_told():
    message = (
        r"time: 1 of 6 steps are not .* median of 0.1, the worst one is 0.2 from row 2 to row 3"
    )
    with pytest.warns(dp.SuspectDataWarning, match=message):
        data = read(LOST)
    assert starts(data) == [0, 1, 3, 4, 5]
    assert data.segments.tolist() == [0, 0, 1, 1, 1]
    assert data.episodes.tolist() == data.groups.tolist() == [0] * 5
    assert data.time_step == pytest.approx(0.1)


def test_split_cuts_the_episodes_and_ignore_takes_every_step():
    data = read(LOST, gaps="split")
    assert starts(data) == [0, 1, 3, 4, 5]
    assert data.episodes.tolist() == data.segments.tolist() == [0, 0, 1, 1, 1]
    assert data.groups.tolist() == [0] * 5
    data = read(LOST, gaps="ignore")
    assert starts(data) == list(range(6))
    assert data.segments.tolist() == [0] * 6


def test_a_gap_between_logged_next_states_cuts_and_costs_no_row():
    columns = {"x2": np.arange(7.0) + 1}
    data = read(LOST, columns=columns, next_states="x2", gaps="split")
    assert starts(data) == list(range(7))
    assert data.segments.tolist() == [0, 0, 0, 1, 1, 1, 1]


def test_double_rows_and_rows_out_of_order_are_no_steps():
    data = read([0, 1, 1, 2, 3], gaps="split")
    assert starts(data) == [0, 2, 3]
    columns = {"run": [0] * 6}
    with pytest.warns(dp.SuspectDataWarning, match="time: 1 of 5 steps"):
        data = read([0, 1, 2, 1.5, 2.5, 3.5], columns=columns, episode="run")
    assert starts(data) == [0, 1, 3, 4]


def test_a_clock_that_is_set_back_begins_an_episode_where_none_are_named():
    data = read([5, 6, 7, 0, 1, 2])
    assert starts(data) == [0, 1, 3, 4]
    assert data.groups.tolist() == [0, 0, 1, 1]


def test_a_longer_pause_between_episodes_is_no_gap():
    data = read([0, 1, 2, 50, 51], columns={"run": [0, 0, 0, 1, 1]}, episode="run")
    assert starts(data) == [0, 1, 3]


def test_jitter_is_told_and_kept():
    times = np.cumsum(np.random.default_rng(0).uniform(0.08, 0.12, size=200))
    with pytest.warns(dp.SuspectDataWarning, match=r"time: steps are uneven, one in five"):
        data = read(times)
    assert len(data) == 199
    assert data.time_step == pytest.approx(np.median(np.diff(times)))
    assert len(read(np.cumsum(np.full(200, 0.1)))) == 199
    columns = {"t": times, "x": np.arange(200.0)}
    with pytest.warns(dp.SuspectDataWarning) as told:
        list(dp.Transitions.read_batches(columns, rows=50, states="x", time="t"))
    assert len(told) == 1


NANOSECONDS = 1_700_000_000_000_000_000 + 50_000_000 * np.arange(5)  # more digits than a float


@pytest.mark.parametrize(
    ("times", "step"),
    [
        (NANOSECONDS, 5e7),
        (NANOSECONDS.astype(np.uint64), 5e7),
        (NANOSECONDS.astype("datetime64[ns]"), 0.05),
        ((50 * np.arange(5)).astype("timedelta64[ms]"), 0.05),
        ([f"2024-02-29T23:59:59.{k:02}0000Z" for k in (0, 5, 10, 15, 20)], 0.05),
        ([f"2024-02-29 23:59:59.{k:02}0000" for k in (0, 5, 10, 15, 20)], 0.05),
        ([datetime.datetime(2024, 1, 1, 0, 0, s) for s in range(5)], 1.0),
        (["0.0", "0.05", "0.10", "0.15", "0.20"], 0.05),
    ],
)
def test_dates_become_seconds_and_numbers_keep_all_their_digits(times, step):
    data = read(times)
    assert len(data) == 4
    assert data.time_step == pytest.approx(step, rel=1e-9)


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([0.0, None, 2.0], "time: column 't', row 1 of source is missing"),
        (["2024-01-01", "then", "2024-01-03"], "time: column 't', row 1 of source is 'then', must"),
        (["now", "then", "soon"], "time: column 't', row 0 of source is 'now', must be a number"),
        ([1.0, 1.0, 1.0], "time: no row is later than the row above"),
        (np.ones((3, 2)), "time: column 't' of source has 2 numbers in a row"),
        (np.array(["2024-01-01", "NaT", "2024-01-03"], "datetime64[s]"), "row 1 .* is missing"),
    ],
)
def test_what_is_no_time_is_refused(times, message):
    with pytest.raises(dp.ArgumentError, match=message):
        read(times)


def test_a_row_without_a_time_is_left_out_where_it_is_said():
    data = read([0.0, 1.0, None, 3.0, 4.0], drop_nonfinite=True)
    assert starts(data) == [0, 3]
    assert data.episodes.tolist() == [0, 1]


def test_gaps_at_the_border_of_batches_are_found():
    columns = {"t": LOST, "x": np.arange(7.0)}
    for rows in range(2, 8):
        parts = dp.Transitions.read_batches(columns, rows=rows, states="x", time="t", gaps="split")
        assert starts(dp.Transitions.concatenate(parts)) == [0, 1, 3, 4, 5]


def test_a_clock_that_is_set_to_winter_time_goes_on():
    zone = pytest.importorskip("zoneinfo").ZoneInfo("Europe/Berlin")
    before = datetime.datetime(2024, 10, 27, 0, 30, tzinfo=datetime.timezone.utc)
    times = [
        (before + datetime.timedelta(minutes=10 * i)).astimezone(zone) for i in range(len(LOST))
    ]
    assert times[3].hour == times[0].hour == 2  # twice that night
    data = read(times)
    assert data.time_step == 600.0
    assert starts(data) == [0, 1, 2, 3, 4, 5]
