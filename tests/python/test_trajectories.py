"""`Transitions.from_trajectories`: what a loop written by hand gives, and no step over a seam."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynaplan as dp


def by_hand(states, actions, rewards, ended):
    """The loop that users write."""
    rows = []
    for number, path in enumerate(states):
        last = len(path) - 2
        for t in range(last + 1):
            end = bool(ended[number]) and t == last
            step = path[t], actions[number][t], path[t + 1], rewards[number][t], end, number
            rows.append(step)
    s, a, next_s, r, end, episode = zip(*rows, strict=True)
    return dp.Transitions(s, a, next_s, r, end, episode)


@settings(deadline=None)
@given(
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=5),
    longer=st.booleans(),
    seed=st.integers(0, 2**32),
)
def test_it_is_what_a_loop_by_hand_gives(lengths, longer, seed):
    rng = np.random.default_rng(seed)
    states = [rng.normal(size=(length + 1, 2)) for length in lengths]
    actions = [rng.normal(size=(length + longer, 3)) for length in lengths]
    rewards = [rng.normal(size=length + longer) for length in lengths]
    ended = rng.integers(0, 2, size=len(lengths))
    data = dp.Transitions.from_trajectories(states, actions, rewards=rewards, terminations=ended)
    assert data == by_hand(states, actions, rewards, ended)


def test_an_array_of_trajectories_of_equal_length_is_taken():
    rng = np.random.default_rng(0)
    states, actions = rng.normal(size=(4, 6, 2)), rng.normal(size=(4, 5, 1))
    data = dp.Transitions.from_trajectories(states, actions)
    np.testing.assert_array_equal(data.states.reshape(4, 5, 2), states[:, :-1])
    np.testing.assert_array_equal(data.next_states.reshape(4, 5, 2), states[:, 1:])
    assert data == dp.Transitions.from_trajectories(list(states), iter(list(actions)))
    assert data == dp.Transitions.from_trajectories(memoryview(states), memoryview(actions))
    assert [part.stop - part.start for part in data.episode_slices] == [5] * 4


def test_trajectories_that_touch_stay_episodes_of_their_own():
    data = dp.Transitions.from_trajectories([[[0.0], [1.0]], [[1.0], [2.0]]], [[[1.0]], [[1.0]]])
    assert data.episodes.tolist() == [0, 1]
    assert len(data) == 2


def test_discrete_actions_and_a_system_without_actions():
    states = [[[0.0], [1.0], [2.0]]]
    data = dp.Transitions.from_trajectories(states, [[2, 0]], discrete_actions=3)
    assert data.actions.tolist() == [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    still = dp.Transitions.from_trajectories(states)
    assert still.actions.tolist() == [[0.0], [0.0]]


def test_nan_padding_is_left_out_where_it_is_said():
    padded = np.array([[[0.0], [1.0], [2.0]], [[5.0], [4.0], [np.nan]]])
    actions = np.zeros((2, 2, 1))
    with pytest.raises(dp.ArgumentError, match="next_states: row 3, column 0 is nan"):
        dp.Transitions.from_trajectories(padded, actions)
    data = dp.Transitions.from_trajectories(padded, actions, drop_nonfinite=True)
    assert data.next_states.ravel().tolist() == [1.0, 2.0, 4.0]


@pytest.mark.parametrize(
    ("states", "actions", "message"),
    [
        ([], [], "states: got 0 trajectories"),
        (5, [], "states: got 5, must be a list of arrays"),
        ("ab", [], "states: got 'ab', must be a list of arrays"),
        ([[0.0, 1.0]], [[[0.0]]], r"states: trajectory 0 has shape \(2,\).*np.reshape"),
        ([[[0.0]]], [[[0.0]]], "states: trajectory 0 has shape .* at least two states"),
        (np.zeros((3, 1)), [[[0.0]]], r"states: got one array .* use \[states\]"),
        ([[[0.0], [1.0]]], np.zeros(1), r"actions: got one array .* use \[actions\]"),
        ([[[0.0], [1.0]]], [], "actions: got 0 trajectories, must be 1 as states"),
        ([[[0.0], [1.0]]], [[[0.0]] * 3], r"actions: trajectory 0 has shape .* must be \(1, A\)"),
        (
            [[[0.0], [1.0]]],
            [[1]],
            r"must be \(1, A\).* are numbers of actions pass discrete",
        ),
        ([[[0.0], [1.0]]] * 2, [[[0.0]], [[0.0, 1.0]]], "actions: trajectory 1 has 2 columns"),
        ([[[0.0], [1.0]], [[0.0, 1.0]] * 2], [[[0.0]]] * 2, "states: trajectory 1 has 2 columns"),
        ([[[0.0], ["a"]]], [[[0.0]]], "states: trajectory 0: got dtype"),
        ([[[0.0], [1.0, 2.0]]], [[[0.0]]], "states: trajectory 0: the rows do not form an array"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_place(states, actions, message):
    with pytest.raises((dp.Error, TypeError), match=message):
        dp.Transitions.from_trajectories(states, actions)


def test_terminations_are_one_for_each_trajectory():
    states, actions = np.zeros((2, 3, 1)), np.zeros((2, 2, 1))
    with pytest.raises(dp.ShapeError, match=r"terminations: got shape \(3,\), must be \(2,\)"):
        dp.Transitions.from_trajectories(states, actions, terminations=[0, 0, 1])
    with pytest.raises(dp.ArgumentError, match="terminations: row 3 is 2"):
        dp.Transitions.from_trajectories(states, actions, terminations=[0, 2])
