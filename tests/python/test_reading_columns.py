"""`Transitions.read`: columns that do not fit what they are named for, and where warnings point."""

from __future__ import annotations

import numpy as np
import pytest

import dynaplan as dp


def test_columns_of_one_number_a_row_may_be_matrices():
    log = {"x": np.arange(4.0), "run": [[0], [0], [1], [1]], "t": np.arange(4.0)[:, None]}
    data = dp.Transitions.read(log, states="x", episode="run", time="t")
    np.testing.assert_array_equal(data.states[:, 0], [0.0, 2.0])
    assert data.time_step == 1.0


@pytest.mark.parametrize("name", ["rewards", "episode", "time"])
def test_columns_of_two_numbers_a_row_are_refused_where_it_must_be_one(name):
    log = {"x": np.arange(4.0), "y": np.zeros((4, 2))}
    with pytest.raises(dp.ArgumentError, match=rf"^{name}: column 'y' of source .*must be one"):
        dp.Transitions.read(log, states="x", **{name: "y"})


def test_rows_that_lack_several_values_count_once():
    nan = np.nan
    log = {"x": [0.0, nan, 2.0, 3.0], "u": [0.0, nan, 2.0, 3.0], "r": [0.0, nan, nan, 3.0]}
    with pytest.raises(dp.ArgumentError, match=r"\(2 rows lack a value\)"):
        dp.Transitions.read(log, states="x", actions="u", rewards="r")


def test_a_number_that_was_made_a_comment_is_a_missing_row_of_one_column(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("# of a pendulum\nx\n1\n2\n# 3\n4\n# stopped here\n5\n")
    data = dp.Transitions.read(path, states="x", drop_nonfinite=True)
    np.testing.assert_array_equal(data.states[:, 0], [1.0, 4.0])


def test_warnings_point_at_the_line_that_reads():
    log = {"x": np.r_[np.sin(np.arange(99.0)), 1e6], "t": np.arange(100.0)}
    log["t"][50:] += 7.0
    with pytest.warns(dp.SuspectDataWarning) as found:
        dp.Transitions.read(log, states="x", time="t")
    assert {one.filename for one in found} == {__file__}
    assert len(found) == 2
