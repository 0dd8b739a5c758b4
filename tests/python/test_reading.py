"""`Transitions.read` of CSV files and mappings: rows, episodes, missing values, what is refused."""

from __future__ import annotations

import csv
import itertools
import os
from pathlib import Path

import numpy as np
import pytest

import dynaplan as dp

XU = {"states": ["x", "v"], "actions": ["u"]}


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def log(rows=12, runs=3):
    """A log in which row i has x = i, v = -i, u = 10 i."""
    i = np.arange(float(rows))
    return {"x": i, "v": -i, "u": 10 * i, "run": np.repeat(np.arange(runs), rows // runs)}


def starts(data):
    """The rows of `log` that the transitions begin in; each leads to the row below."""
    np.testing.assert_array_equal(data.next_states[:, 0], data.states[:, 0] + 1)
    np.testing.assert_array_equal(data.next_states[:, 1], data.states[:, 1] - 1)
    np.testing.assert_array_equal(data.actions[:, 0], 10 * data.states[:, 0])
    return data.states[:, 0].astype(int).tolist()


# --- rows and episodes


def test_next_states_are_those_of_the_row_below_within_an_episode():
    data = dp.Transitions.read(log(), **XU, episode="run")
    assert starts(data) == [0, 1, 2, 4, 5, 6, 8, 9, 10]
    assert data.episodes.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert (data.state_names, data.action_names) == (("x", "v"), ("u",))
    assert starts(dp.Transitions.read(log(), **XU)) == list(range(11))


@pytest.mark.parametrize(
    ("ids", "numbers"),
    [
        (["b", "b", "a", "a"], [0, 1]),
        ([7, 7, -3, -3], [7, -3]),
        ([7.0, 7.0, -3.0, -3.0], [7, -3]),
        ([True, True, False, False], [0, 1]),
        (["7", "7", "-3", "-3"], [7, -3]),
        ([10**18, 10**18, 10**18 + 1, 10**18 + 1], [10**18, 10**18 + 1]),
    ],
)
def test_episodes_are_called_by_integers_or_text(ids, numbers):
    data = dp.Transitions.read({**log(4, 1), "run": ids}, **XU, episode="run")
    assert data.groups.tolist() == numbers


def test_an_episode_that_returns_is_refused():
    with pytest.raises(dp.ArgumentError, match=r"episode: row 3 of source is of episode 'a', who"):
        dp.Transitions.read({**log(4, 1), "run": ["a", "a", "b", "a"]}, **XU, episode="run")


def test_an_episode_ends_with_a_termination_or_a_truncation():
    flags = {"done": [0, 1, 0, 0, 0, 0], "cut": [False] * 3 + [True] + [False] * 2}
    columns = {**log(6, 1), **flags, "r": np.arange(6.0)}
    data = dp.Transitions.read(columns, **XU, terminations="done", truncations="cut", rewards="r")
    assert starts(data) == [0, 2, 4]
    assert data.rewards.tolist() == [0.0, 2.0, 4.0]
    assert data.groups.tolist() == [0, 1, 2]
    assert not data.terminations.any()


def test_next_states_that_were_logged_are_taken_and_then_every_row_counts():
    columns = {**log(4, 1), "x2": [1.0, 2.0, 3.0, 9.0], "v2": [-1.0, -2.0, -3.0, 9.0]}
    data = dp.Transitions.read(
        {**columns, "done": [0, 0, 0, 1]}, **XU, next_states=["x2", "v2"], terminations="done"
    )
    assert data.next_states[:, 0].tolist() == [1.0, 2.0, 3.0, 9.0]
    assert data.terminations.tolist() == [False, False, False, True]
    lost = {**columns, "x2": [1.0, 9.0, 3.0, 9.0]}
    with pytest.warns(dp.SuspectDataWarning, match="next_states: 1 of 3 rows do not end where"):
        data = dp.Transitions.read(lost, **XU, next_states=["x2", "v2"])
    assert data.segments.tolist() == [0, 0, 1, 1]
    assert data.episodes.tolist() == [0, 0, 0, 0]
    data = dp.Transitions.read(lost, **XU, next_states=["x2", "v2"], gaps="split")
    assert data.episodes.tolist() == [0, 0, 1, 1]
    assert data.groups.tolist() == [0, 0, 0, 0]


def test_columns_of_several_numbers_a_row():
    data = dp.Transitions.read({"s": np.eye(3), "a": [[1], [2], [3]]}, states="s", actions="a")
    assert data.state_names == ("s[0]", "s[1]", "s[2]")
    np.testing.assert_array_equal(data.next_states, np.eye(3)[1:])
    ragged = np.array([[1.0], [1.0, 2.0]], dtype=object)
    with pytest.raises(dp.ArgumentError, match="column 's', row 1 of source is no list of 1 num"):
        dp.Transitions.read({"s": ragged}, states="s")
    ragged[1] = None
    with pytest.raises(dp.ArgumentError, match=r"column 's\[0\]|column 's', row 1 .* is missing"):
        dp.Transitions.read({"s": ragged}, states="s")


def without_actions():
    """A system that decays by a tenth in each step, to 0.1, from eight starts."""
    starts = np.random.default_rng(0).normal(size=(8, 1, 2))
    path = 0.9 ** np.arange(40.0)[:, None] * starts + 0.1
    columns = {"x": path[..., 0].ravel(), "v": path[..., 1].ravel(), "run": np.repeat(range(8), 40)}
    return path, dp.Transitions.read(columns, states=["x", "v"], episode="run")


def test_a_system_without_actions_has_one_that_is_always_zero():
    path, data = without_actions()
    assert data.action_names is None
    assert data.actions.shape == (8 * 39, 1)
    assert not data.actions.any()
    train, held_out = data.split(0.3, seed=0)
    with pytest.warns(dp.RankDeficientWarning, match="action 0 never varied"):
        model = dp.LinearGaussian.fit(train)
    assert dp.evaluate(model, held_out, horizon=5).trusted_horizon == 5
    ahead = dp.rollout(model, path[:, 0], np.zeros((8, 39, 1)))
    np.testing.assert_allclose(ahead, path, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", [dp.MLP, dp.GaussianMLP, dp.Ensemble])
def test_networks_take_a_system_without_actions(kind, tmp_path):
    path, data = without_actions()
    train, held_out = data.split(0.3, seed=0)
    model = kind.fit(train, hidden=(16,), epochs=40, seed=0)
    assert dp.evaluate(model, held_out, horizon=3).trusted_horizon == 3
    model.save(tmp_path / "a.model")
    again = dp.load(tmp_path / "a.model")
    ahead = dp.rollout(model, path[:, 0], np.zeros((8, 5, 1)))
    np.testing.assert_array_equal(ahead, dp.rollout(again, path[:, 0], np.zeros((8, 5, 1))))


def test_arrays_with_names_and_open_archives_are_tables(tmp_path):
    columns = log()
    table = np.rec.fromarrays(list(columns.values()), names=list(columns))
    whole = dp.Transitions.read(columns, **XU, episode="run")
    assert dp.Transitions.read(table, **XU, episode="run") == whole
    np.savez(tmp_path / "log.npz", **columns)
    with np.load(tmp_path / "log.npz") as archive:
        assert dp.Transitions.read(archive, **XU, episode="run") == whole


def test_discrete_actions_are_numbers_in_one_column():
    columns = {"x": [0.0, 1.0, 2.0], "gear": [2, 0, 1]}
    data = dp.Transitions.read(columns, states="x", actions="gear", discrete_actions=3)
    assert data.actions.tolist() == [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    with pytest.raises(dp.ArgumentError, match="discrete_actions: got 0 columns of actions"):
        dp.Transitions.read(columns, states="x", discrete_actions=3)
    with pytest.raises(TypeError, match=r"actions: .*integers"):
        dp.Transitions.read(
            {**columns, "gear": [0.5] * 3}, states="x", actions="gear", discrete_actions=3
        )


# --- missing values


def test_a_missing_value_is_named_and_what_hangs_on_its_row_left_out():
    columns = {**log(), "x": [None if i == 5 else i for i in range(12)]}
    message = (
        r"states: column 'x', row 5 of source is missing; leave such rows out with "
        r"drop_nonfinite=True"
    )
    with pytest.raises(dp.ArgumentError, match=message):
        dp.Transitions.read(columns, **XU, episode="run")
    data = dp.Transitions.read(columns, **XU, episode="run", drop_nonfinite=True)
    assert starts(data) == [0, 1, 2, 6, 8, 9, 10]
    data = dp.Transitions.read({**columns, "run": [0] * 12}, **XU, drop_nonfinite=True)
    assert starts(data) == [0, 1, 2, 3, 6, 7, 8, 9, 10]
    assert data.episodes.tolist() == [0] * 4 + [1] * 5
    assert data.groups.tolist() == [0] * 9


def test_a_missing_action_costs_its_own_transition_only_and_the_last_one_none():
    columns = log(5, 1)
    columns["u"][[2, 4]] = np.nan
    with pytest.raises(dp.ArgumentError, match="actions: column 'u', row 2 of source is missing"):
        dp.Transitions.read(columns, **XU)
    assert starts(dp.Transitions.read(columns, **XU, drop_nonfinite=True)) == [0, 1, 3]
    columns["u"][2] = 20.0
    assert starts(dp.Transitions.read(columns, **XU)) == [0, 1, 2, 3]


def test_an_infinity_and_a_missing_episode_are_missing_values_too():
    columns = log(5, 1)
    columns["v"][3] = np.inf
    with pytest.raises(dp.ArgumentError, match="states: column 'v', row 3 of source is inf"):
        dp.Transitions.read(columns, **XU)
    columns = {**log(5, 1), "run": ["a", "a", None, "a", "a"]}
    with pytest.raises(dp.ArgumentError, match="episode: row 2 of source is missing"):
        dp.Transitions.read(columns, **XU, episode="run")
    data = dp.Transitions.read(columns, **XU, episode="run", drop_nonfinite=True)
    assert starts(data) == [0, 3]


# --- CSV files


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_a_csv_in_any_of_its_dialects(tmp_path, end, delimiter, encoding):
    lines = [
        "# robot 7",
        delimiter.join(['"x, m;"', "temp\u00e9", '"u"', "unused"]),
        delimiter.join(["0", " 1.5", "True", "text"]),
        "",
        delimiter.join(['"1e0"', "2.5 ", "false", '"a""b"']),
        "# restart",
        delimiter.join(["2", "-.5", "", ""]),
    ]
    path = write(tmp_path / "log.csv", end.join(lines), encoding)
    data = dp.Transitions.read(path, states=["x, m;", "temp\u00e9"], actions="u")
    assert data.states.tolist() == [[0.0, 1.5], [1.0, 2.5]]
    assert data.next_states.tolist() == [[1.0, 2.5], [2.0, -0.5]]
    assert data.actions.tolist() == [[1.0], [0.0]]


def test_a_header_as_numpy_writes_it(tmp_path):
    table = np.arange(12.0).reshape(4, 3)
    np.savetxt(tmp_path / "log.csv", table, delimiter=",", header="x,v,u")
    data = dp.Transitions.read(str(tmp_path / "log.csv"), **XU)
    np.testing.assert_array_equal(data.states, table[:-1, :2])


def test_a_row_that_was_made_a_comment_is_missing(tmp_path):
    rows = [f"{i},{-i},{10 * i}" for i in range(6)]
    rows[3] = f"#{rows[3]}"
    path = write(tmp_path / "log.csv", "x,v,u\n" + "\n".join(rows))
    with pytest.raises(dp.ArgumentError, match=r"column 'x', row 3 \(line 5\) of .* is missing"):
        dp.Transitions.read(path, **XU)
    assert starts(dp.Transitions.read(path, **XU, drop_nonfinite=True)) == [0, 1, 4]


def test_the_line_of_a_value_that_is_no_number_is_named(tmp_path):
    path = write(tmp_path / "log.csv", "x,v,u\n# a comment\n0,0,0\n\n1,1,1_0\n2,2,2\n")
    with pytest.raises(dp.ArgumentError, match=r"actions: column 'u', row 1 \(line 5\) of .*log.c"):
        dp.Transitions.read(path, **XU)
    path = write(tmp_path / "log.csv", "x;v;u\n0;0;0\n1;1;0,5\n2;2;2\n")
    with pytest.raises(dp.ArgumentError, match=r"is '0,5', must be a number; a decimal comma is"):
        dp.Transitions.read(path, **XU)
    path = write(tmp_path / "log.csv", "x,v,u\n0,0,0\n1,1\n")
    with pytest.raises(dp.ModelFileError, match=r"log.csv: line 3 has 2 cells, must be 3 as in"):
        dp.Transitions.read(path, **XU)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty, must have a line that names the columns"),
        ("\n\n", "is empty, must have a line that names the columns"),
        ("x,v,u\n", "has 0 rows, must be at least 2"),
        ("x,v,u\n1,2,3\n", "has 1 rows with 0 transitions among them"),
        ("1,2,3\n4,5,6\n", "has no column 'x'; it has '1', '2', '3'"),
        ("x,X,u\n1,2,3\n", "has no column 'v'; it has"),
        ("x,V ,u\n1,2,3\n", "has no column 'v'; did you mean 'V'"),
        ("x,v,v,u\n1,2,3,4\n", "'v' is the name of 2 columns of"),
        ('x,v,u\n"1,2,3\n4,5,6\n', "line 3 has 1 cells|damaged"),
        ("x,v,u\n1,\0,3\n", "holds zero bytes, is no CSV file"),
    ],
)
def test_what_is_no_log_is_said_in_one_line(tmp_path, text, message):
    path = write(tmp_path / "log.csv", text)
    with pytest.raises(dp.Error, match=message) as caught:
        dp.Transitions.read(path, **XU)
    assert "log.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


# --- what is refused


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"states": ["y"]}, "states: source has no column 'y'; it has 'x', 'v', 'u', 'run'"),
        ({"states": ["runn"]}, "states: source has no column 'runn'; did you mean 'run'?"),
        ({"states": []}, "states: got no column, must name at least one"),
        ({"states": None}, "states: got None, must be names of columns; source has 'x', 'v'"),
        ({"states": [0]}, "states: got 0 in the list, must be names, which are text"),
        ({"states": itertools.repeat("x")}, "states: got more than 65536 names"),
        ({"states": np.array(0.5)}, "states: got an array of shape .* must be a list of names"),
        ({"states": ["x", "x"]}, "states: column 'x' is among the states already"),
        ({"actions": ["x"]}, "actions: column 'x' is among the states already"),
        ({"next_states": ["u"]}, "next_states: got 1 columns, must be 2 as states"),
        ({"episode": ["run"]}, "episode: got .* must be the name of a column"),
        ({"time": "t"}, "time: source has no column 't'"),
        ({"terminations": "x"}, "terminations: column 'x', row 2 of source is 2.0, must be True"),
        ({"gaps": "drop"}, "gaps: got 'drop', must be"),
        ({"units": {"y": "m"}}, "units: 'y' is no column"),
        ({"source": {"x": [1.0], "v": [1.0, 2.0], "u": [1.0]}}, "source: columns have"),
        ({"source": {"x": 1.0, "v": [1.0], "u": [1.0]}}, "source: column 'x' is 1.0, must be an"),
        ({"source": [[1.0]]}, "source: got .*, must be the name of a file, a frame"),
        ({"source": "log.xlsx"}, "source: got log.xlsx, its name must end in one of .csv"),
        ({"source": {**log(), "x": [1j] * 12}}, "states: column 'x' of source holds complex128"),
        ({"source": {**log(), "x": ["a"] * 12}}, "states: column 'x', row 0 of source is 'a', mus"),
        ({"source": {**log(), "x": [10**400] * 12}}, "states: column 'x', row 0 of source is an i"),
        ({"source": {**log(), "x": np.ma.array(np.zeros(12), mask=True)}}, "is a masked array"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises((dp.Error, TypeError), match=message):
        dp.Transitions.read(**{"source": log(), **XU, **arguments})


def test_a_file_that_is_not_there_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"log\.csv"):
        dp.Transitions.read(tmp_path / "log.csv", **XU)
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(dp.ArgumentError, match=r"folder\.csv is a folder without"):
        dp.Transitions.read(tmp_path / "folder.csv", **XU)


# --- batches


@pytest.mark.parametrize("rows", [2, 3, 4, 5, 7, 100])
@pytest.mark.parametrize("episode", [None, "run"])
def test_batches_hold_the_same_transitions(tmp_path, rows, episode):
    columns = log(13, 1) | {"run": np.repeat([0, 1, 2], [5, 1, 7])}
    path = tmp_path / "log.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *zip(*columns.values(), strict=True)])
    whole = dp.Transitions.read(columns, **XU, episode=episode)
    for source in (columns, path):
        parts = list(dp.Transitions.read_batches(source, rows=rows, **XU, episode=episode))
        assert starts(dp.Transitions.concatenate(parts)) == starts(whole)
        assert max(map(len, parts)) <= rows
    assert len(parts) > 1 or rows == 100


def test_a_fault_in_a_later_batch_is_told_there_with_its_row():
    columns = log(10, 1)
    columns["x"][7] = np.nan
    parts = dp.Transitions.read_batches(columns, rows=4, **XU)
    assert starts(next(parts)) == [0, 1, 2]
    with pytest.raises(dp.ArgumentError, match="states: column 'x', row 7 of source is missing"):
        next(parts)
    with pytest.raises(dp.ShapeError, match="has 0 rows with 0 transitions"):
        list(dp.Transitions.read_batches({"x": [], "v": [], "u": []}, **XU))
    with pytest.raises(dp.ArgumentError, match="rows: got 1, must be at least 2"):
        dp.Transitions.read_batches(columns, rows=1, **XU)


# --- measured data


def test_flights_are_read_as_by_hand():
    path = os.environ.get("DYNAPLAN_FLIGHTS")
    if not path:
        pytest.skip("DYNAPLAN_FLIGHTS does not name crazyflie_flights.csv")
    states = ["omegax", "omegay", "omegaz", "pitch", "roll", "yaw", "linax", "linay", "linaz"]
    actions = ["m1pwm", "m2pwm", "m3pwm", "m4pwm"]
    next_states = [f"next_{name}" for name in states]
    with Path(path).open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    table = dict(zip(header, np.array(rows, float).T, strict=True))
    by_hand = dp.Transitions(
        *(
            np.column_stack([table[name] for name in names])
            for names in (states, actions, next_states)
        ),
        episodes=table["flight"].astype(int),
        gaps="split",
        state_names=states,
        action_names=actions,
    )
    assert by_hand == dp.Transitions.read(
        path,
        states=states,
        actions=actions,
        next_states=next_states,
        episode="flight",
        gaps="split",
    )
