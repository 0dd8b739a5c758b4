"""Data whose states hold earlier observations and actions: what the lags are, and what is known."""

from __future__ import annotations

import copy
import pickle

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import dynaplan as dp


def walks(lengths: list[int], states: int = 2, actions: int = 1, **more) -> dp.Transitions:
    """Random walks, an episode each, of which every number is there once."""
    rng = np.random.default_rng(0)
    parts = []
    for length in lengths:
        path = rng.normal(size=(length + 1, states)).cumsum(axis=0)
        parts.append((path[:-1], rng.normal(size=(length, actions)), path[1:]))
    ids = np.repeat(np.arange(len(lengths)), lengths)
    return dp.Transitions(*map(np.concatenate, zip(*parts, strict=True)), episodes=ids, **more)


def test_the_state_is_what_was_observed_and_done_then() -> None:
    data = walks([6])
    seen = data.with_history(states=2, actions=1)
    assert (seen.state_dim, seen.action_dim, len(seen), seen.history) == (7, 1, 4, (2, 1))
    for row in range(4):
        now = row + 2
        then = [data.states[now], data.states[now - 1], data.states[now - 2], data.actions[now - 1]]
        after = [data.next_states[now], data.states[now], data.states[now - 1], data.actions[now]]
        assert np.array_equal(seen.states[row], np.concatenate(then))
        assert np.array_equal(seen.next_states[row], np.concatenate(after))
    assert np.array_equal(seen.actions, data.actions[2:])
    assert dict(seen.known) == {2: 0, 3: 1, 4: 2, 5: 3, 6: ("action", 0)}


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 8), min_size=1, max_size=5),
    history=st.tuples(st.integers(0, 3), st.integers(0, 3)).filter(any),
    lost=st.integers(0, 12),
)
def test_lags_cross_neither_episodes_nor_gaps(lengths, history, lost) -> None:
    data = walks(lengths, states=1)
    marks = np.arange(len(data)) != lost
    if marks.any():
        data = data[marks]
    states, actions = history
    where = {value: row for row, value in enumerate(data.states[:, 0])}
    place = np.arange(len(data)) - np.searchsorted(data.segments, data.segments)
    wanted = np.flatnonzero(place >= max(history))
    if not wanted.size:
        with pytest.raises(dp.ShapeError, match="no segment"):
            data.with_history(states=states, actions=actions)
        return
    seen = data.with_history(states=states, actions=actions)
    assert [where[value] for value in seen.states[:, 0]] == wanted.tolist()
    for row, now in enumerate(wanted):
        back = now - np.arange(1 + max(history))
        assert len(set(data.segments[back].tolist())) == 1
        lags = [data.states[back[k], 0] for k in range(1 + states)]
        lags += [data.actions[back[k], 0] for k in range(1, 1 + actions)]
        assert np.array_equal(seen.states[row], lags)
    assert np.array_equal(seen.episodes, data[wanted].episodes)
    assert np.array_equal(seen.groups, data.groups[wanted])


def test_names_units_and_angles_go_with_the_lags() -> None:
    data = walks(
        [8],
        state_names=["angle", "speed"],
        action_names=["force"],
        units={"angle": "rad", "force": "N"},
        time_step=0.1,
        angles={0: 1000.0},
    )
    seen = data.with_history(states=1, actions=2)
    assert seen.state_names == (
        *("angle", "speed", "angle[-1]", "speed[-1]", "force[-1]", "force[-2]"),
    )
    assert seen.units == {"angle": "rad", "angle[-1]": "rad"} | dict.fromkeys(
        ("force", "force[-1]", "force[-2]"), "N"
    )
    assert dict(seen.angles) == {0: 1000.0, 2: 1000.0}
    assert (seen.time_step, seen.action_names) == (0.1, ("force",))
    assert data.with_history(actions=1).state_names == ("angle", "speed", "force[-1]")
    unnamed = walks([8], state_names=["x", "v"]).with_history(actions=1)
    assert unnamed.state_names == ("x", "v", "action 0[-1]")


def test_the_history_stays_with_the_data(tmp_path) -> None:
    seen = walks([9, 9, 9], angles={1: 1000.0}).with_history(states=1, actions=1)
    seen.save(tmp_path / "data")
    train, held_out = seen.split(0.3, seed=0)
    others = [dp.load(tmp_path / "data"), pickle.loads(pickle.dumps(seen)), copy.deepcopy(seen)]
    for other in others:
        assert other == seen
    for other in [*others, train, held_out, train + held_out, seen[3:9], seen[::2]]:
        assert other.known == seen.known
        assert other.history == (1, 1)
    again = dp.Transitions(
        seen.states, seen.actions, seen.next_states, known=seen.known, gaps="ignore"
    )
    assert again.history == (1, 1)


def test_what_was_known_before_is_known_among_the_lags_too() -> None:
    plain = walks([9], states=1)
    states = np.hstack([plain.states, np.vstack([[0.0], plain.actions[:-1]])])
    after = np.hstack([plain.next_states, plain.actions])
    data = dp.Transitions(states, plain.actions, after, known={1: ("action", 0)})
    assert data.history is None
    seen = data.with_history(states=1)
    assert dict(seen.known) == {1: ("action", 0), 2: 0, 3: 1}


def test_known_states_are_compared_with_the_rows() -> None:
    seen = walks([9]).with_history(states=1)
    arrays = seen.states, seen.actions, seen.next_states
    assert dict(dp.Transitions(*arrays, known={2: 0, -1: -3}).known) == {2: 0, 3: 1}
    rounded = [np.float32(array) for array in arrays]
    rounded[2][:, 2] *= np.float32(1.0 + 1e-7)
    assert dict(dp.Transitions(*rounded, known={2: 0}).known) == {2: 0}
    wrong = seen.next_states.copy()
    wrong[3, 2] += 1e-3
    with pytest.raises(
        dp.ArgumentError, match=r"known: in row 3 the next state 2 is .* state 0 is"
    ):
        dp.Transitions(seen.states, seen.actions, wrong, known={2: 0}, gaps="ignore")
    with pytest.raises(dp.ArgumentError, match=r"in row 0 the next state 0 is .* as action 0 is"):
        dp.Transitions(*arrays, known={0: ("action", 0)})


def test_a_known_angle_may_be_a_turn_apart() -> None:
    states = np.array([[0.1, 6.2], [6.2, 0.1]])
    after = np.array([[6.2, 0.1 + 2.0 * np.pi], [0.1, 6.2]])
    angles = {0: 2.0 * np.pi, 1: 2.0 * np.pi}
    known = dp.Transitions(states, np.zeros((2, 1)), after, angles=angles, known={1: 0})
    assert dict(known.known) == {1: 0}


@pytest.mark.parametrize(
    ("known", "error"),
    [
        ({0: 1, 1: 0}, "all 2 states"),
        ({5: 0}, "must be one of states 0 to 1"),
        ({1: 2}, "must be one of states 0 to 1"),
        ({1: ("action", 1)}, "must be one of actions 0 to 0"),
        ({1: ("state", 0)}, "action"),
        ({1: ("action",)}, "action"),
        ({1: 0.5}, "integer"),
        ({1: 0, -1: 0}, "twice"),
    ],
)
def test_what_cannot_be_known_is_refused(known, error) -> None:
    data = walks([4])
    with pytest.raises(dp.ArgumentError, match=rf"known: .*{error}"):
        dp.Transitions(data.states, data.actions, data.next_states, known=known)


def test_known_must_be_a_mapping() -> None:
    data = walks([4])
    with pytest.raises(TypeError, match=r"known: got .* must be a mapping"):
        dp.Transitions(data.states, data.actions, data.next_states, known=[1])


def test_histories_that_cannot_be_made_are_refused() -> None:
    data = walks([4])
    with pytest.raises(dp.ArgumentError, match="at least 1"):
        data.with_history()
    with pytest.raises(dp.ArgumentError, match="actions: got -1"):
        data.with_history(states=1, actions=-1)
    with pytest.raises(dp.ArgumentError, match="states: got 1001"):
        data.with_history(states=1001)
    with pytest.raises(dp.ShapeError, match="no segment has more than 4 rows"):
        data.with_history(states=4)
    with pytest.raises(dp.ArgumentError, match="have a history of"):
        data.with_history(states=1).with_history(actions=1)
    with pytest.raises(dp.ArgumentError, match="other known states"):
        dp.Transitions.concatenate([data.with_history(states=1), walks([4], states=4)])


def test_a_history_must_be_that_of_its_lags() -> None:
    seen = walks([5], states=1).with_history(states=1)
    other = dp.Transitions(np.zeros((1, 3)), np.zeros((1, 1)), np.zeros((1, 3)), known={1: 0, 2: 1})
    with pytest.raises(dp.ArgumentError, match="of a history"):
        dp.Transitions(other.states, other.actions, other.next_states, known=seen.known)


def test_a_glitch_is_named_once_and_not_in_the_lags(tmp_path) -> None:
    plain = walks([200], states=1)
    states, after = plain.states.copy(), plain.next_states.copy()
    states[100], after[99] = 1e6, 1e6
    with pytest.warns(dp.SuspectDataWarning):
        data = dp.Transitions(states, plain.actions, after, episodes=plain.episodes)
    data.with_history(states=1).save(tmp_path / "data")
    with pytest.warns(dp.SuspectDataWarning, match="state 0 is 1e.06") as caught:
        dp.load(tmp_path / "data")
    assert len(caught) == 1
    assert "rows 98, 99 are" in str(caught[0].message)


@pytest.mark.parametrize(
    ("state_names", "action_names", "message"),
    [
        (["x", "x[-1]"], ["u"], r"'x\[-1\]' would be there twice, .* 'x' is called 1 step before"),
        (["x", "u[-2]"], ["u"], r"'u\[-2\]' would be there twice, .* 'u' is called 2 steps before"),
        (["x", "u"], ["u"], r"'u\[-1\]' would be there twice"),
    ],
)
def test_a_name_that_a_lag_would_get_is_refused(state_names, action_names, message) -> None:
    data = walks([9], state_names=state_names, action_names=action_names)
    with pytest.raises(dp.ArgumentError, match=rf"state_names: {message}.*; give other names"):
        data.with_history(states=1, actions=2)


def huge() -> list:
    """Known states that no file of three states and an action has, each with the history first."""
    return [
        [[0, 0], [1, 2**63]],
        [[0, 0], [1, 2**64]],
        [[0, 0], [1, -(2**63)]],
        [[0, 0], [2**64, 0]],
        [[0, 0], [2**31, 0]],
        [[2**64, 0], [1, 0]],
        [[0, 2**64], [1, 0]],
        [[0, 0], [1, 3]],
        [[0, 0], [1, -2]],
    ]


@pytest.mark.parametrize("lists", huge())
def test_known_states_of_a_file_must_be_of_its_sizes(lists, tmp_path, monkeypatch) -> None:
    data = walks([30], states=1).with_history(states=1, actions=1)
    model = dp.LinearGaussian.fit(data)
    with pytest.raises(dp.ArgumentError, match="known"):
        type(data.known).of_lists(lists, 3, 1)
    monkeypatch.setattr(type(data.known), "to_lists", lambda _: lists)
    model.save(tmp_path / "model")
    with pytest.raises(dp.ModelFileError, match="known"):
        dp.load(tmp_path / "model")


def test_an_observed_state_that_is_an_earlier_one_is_not_known_without_lags() -> None:
    # The first sensor shows what the second one showed two steps before.
    rng = np.random.default_rng(0)
    second = rng.normal(size=401)
    path = np.column_stack([np.roll(second, 2), second])
    actions = rng.normal(size=(400, 1))
    data = dp.Transitions(path[:-1], actions, path[1:], episodes=np.zeros(400, int))[2:]
    seen = data.with_history(states=1)
    known = type(seen.known)({**seen.known, 0: 3}, (1, 0))
    more = dp.Transitions(
        *(seen.states, seen.actions, seen.next_states), known=known, episodes=seen.episodes
    )
    assert more.known[0] == 3
    assert dp.diagnose(more).kinds == dp.diagnose(seen).kinds
    dp.estimate_delays(more)
