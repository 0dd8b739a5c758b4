"""What `Transitions` takes and refuses, and its selections, splits and sums."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynaplan.data.transitions import Transitions
from dynaplan.errors import Error, ShapeError

ARRAYS = ("states", "actions", "next_states", "rewards", "terminations", "episodes")


def walk(count, episodes=None, rewards=True):
    """Rows that tell which they are: row i goes from (i, -i) to (i + 1, -i - 1) by action 10 i."""
    path = np.arange(count + 1.0)
    states = np.column_stack([path, -path])
    return Transitions(
        states[:-1],
        10 * path[:-1, None],
        states[1:],
        rewards=path[:-1] if rewards else None,
        episodes=episodes,
    )


def rows_of(data):
    """The numbers of the rows of `walk` that `data` holds."""
    return data.states[:, 0].astype(int).tolist()


def assert_owned(data):
    for name in ARRAYS:
        array = getattr(data, name)
        if name == "rewards" and array is None:
            continue
        assert array.flags.owndata, name
        assert array.flags.c_contiguous, name
        assert not array.flags.writeable, name


# --- what is taken, and what it becomes


def test_arrays_are_owned_read_only_float64_copies():
    states = np.asfortranarray(np.arange(12.0, dtype=np.float32).reshape(4, 3))
    data = Transitions(states, [[1], [0], [1], [0]], states[::-1], rewards=np.array([1, 2, 3, 4]))
    states[:] = -1
    assert_owned(data)
    for name in ("states", "actions", "next_states", "rewards"):
        assert getattr(data, name).dtype == np.float64
    assert data.terminations.dtype == np.bool_
    assert data.episodes.dtype == np.int64
    np.testing.assert_array_equal(data.states, np.arange(12.0).reshape(4, 3))
    np.testing.assert_array_equal(data.next_states[0], [9.0, 10.0, 11.0])
    with pytest.raises(ValueError, match="read-only"):
        data.states[0, 0] = 1.0
    with pytest.raises(AttributeError):
        data.states = states


def test_read_only_and_strided_input_is_taken():
    states = np.arange(24.0).reshape(4, 6)
    states.flags.writeable = False
    data = Transitions(states[:, ::2], states[:, :1], states[:, 1::2])
    assert_owned(data)
    assert data.state_dim == 3


def test_a_single_transition_works():
    data = Transitions([[0.5, 1.0]], [[2.0]], [[1.0, 1.0]], terminations=[True])
    assert (len(data), data.state_dim, data.action_dim) == (1, 2, 1)
    assert data.episode_slices == [slice(0, 1)]
    assert data[0] == data


def test_terminations_may_be_zeros_and_ones():
    column = np.zeros((3, 1))
    data = Transitions(column, column, column, terminations=[0.0, 1.0, 0.0])
    assert data.terminations.tolist() == [False, True, False]
    with pytest.raises(ValueError, match=r"terminations: row 2 is 0\.5, must be True, False"):
        Transitions(column, column, column, terminations=[0, 1, 0.5])


def test_repr_is_one_short_line():
    assert repr(walk(4)) == (
        "Transitions(4 rows, state_dim=2, action_dim=1, 1 episodes, with rewards)"
    )


# --- what is refused


@pytest.mark.parametrize(
    "states",
    [
        np.array([[1 + 1j]]),
        np.array([["1.0"]]),
        np.array([[None]]),
        np.array([["2020-01-01"]], dtype="datetime64[D]"),
        np.array([[b"1"]]),
    ],
    ids=["complex", "string", "object", "date", "bytes"],
)
def test_what_is_no_real_number_is_refused(states):
    with pytest.raises(TypeError, match=r"states: got dtype .*, must be real numbers"):
        Transitions(states, [[1.0]], [[1.0]])


def test_masked_arrays_are_refused_because_their_masked_values_would_come_back():
    masked = np.ma.masked_array([[1.0]], mask=[[True]])
    with pytest.raises(TypeError, match=r"states: .* masked .* drop_nonfinite=True"):
        Transitions(masked, [[1.0]], [[1.0]])


def test_one_dimensional_states_are_ambiguous():
    with pytest.raises(
        ShapeError, match=r"states: got shape \(3,\).* np\.reshape\(states, \(-1, 1\)\)"
    ):
        Transitions([1.0, 2.0, 3.0], [[1.0]] * 3, [[1.0]] * 3)
    with pytest.raises(ShapeError, match=r"actions: got shape .*, must be \(N, columns\)"):
        Transitions([[1.0]], [1.0], [[1.0]])
    with pytest.raises(ShapeError, match=r"next_states: got shape \(1, 1, 1\)"):
        Transitions([[1.0]], [[1.0]], [[[1.0]]])


@pytest.mark.parametrize("empty", [[], np.empty((0, 3)), np.empty(0)])
def test_empty_data_are_refused(empty):
    with pytest.raises(ShapeError, match="states: got 0 transitions"):
        Transitions(empty, empty, empty)


def test_arrays_that_do_not_fit_each_other_are_refused():
    two, three = np.zeros((2, 2)), np.zeros((3, 2))
    with pytest.raises(ShapeError, match=r"actions: got 2 rows .*, must be 3 as in states"):
        Transitions(three, two, three)
    with pytest.raises(ShapeError, match=r"next_states: got shape \(2, 2\), must be \(3, 2\)"):
        Transitions(three, three, two)
    with pytest.raises(ShapeError, match=r"rewards: got shape \(3, 1\), must be \(3,\).*; use np"):
        Transitions(three, three, three, rewards=np.zeros((3, 1)))
    with pytest.raises(ShapeError, match=r"episodes: got shape \(2,\), must be \(3,\)"):
        Transitions(three, three, three, episodes=[0, 0])
    with pytest.raises(ShapeError, match=r"states: .*must have at least one column"):
        Transitions(np.zeros((3, 0)), three, np.zeros((3, 0)))
    with pytest.raises(ShapeError, match="actions: the rows do not form an array"):
        Transitions(three, [[1.0], [1.0, 2.0], [1.0]], three)


@pytest.mark.parametrize("name", ["actions", "next_states", "rewards", "terminations", "episodes"])
def test_a_view_that_no_memory_would_hold_is_refused_by_its_shape(name):
    shape = (2**44, 1) if name in {"actions", "next_states"} else (2**44,)
    parts = {"states": [[0.0]], "actions": [[0.0]], "next_states": [[0.0]]}
    with pytest.raises(ShapeError, match=rf"{name}: got .*{2**44}"):
        Transitions(**(parts | {name: np.broadcast_to(np.uint8(1), shape)}))


def test_shape_errors_are_both_value_errors_and_errors_of_the_package():
    assert issubclass(ShapeError, Error)
    assert issubclass(ShapeError, ValueError)


# --- values that are not finite


def test_the_first_row_that_is_not_finite_is_named():
    states, rewards = np.zeros((6, 3)), np.zeros(6)
    actions, next_states = np.zeros((6, 2)), np.zeros((6, 3))
    states[5, 0], next_states[4, 2], actions[4, 1] = np.nan, np.nan, -np.inf
    with pytest.raises(ValueError, match=r"actions: row 4, column 1 is -inf \(2 of 6 rows .*drop_"):
        Transitions(states, actions, next_states)
    rewards[2] = np.nan
    with pytest.raises(ValueError, match=r"rewards: row 2 is nan \(3 of 6 rows"):
        Transitions(states, actions, next_states, rewards=rewards)


def test_rows_that_are_not_finite_can_be_dropped():
    path = np.arange(7.0)[:, None]
    rewards = np.array([0, 1, np.nan, 3, 4, 5])
    data = Transitions(
        path[:-1], path[:-1], path[1:], rewards, [0, 0, 0, 0, 0, 1], drop_nonfinite=True
    )
    assert data.states.ravel().tolist() == [0, 1, 3, 4, 5]
    assert data.rewards.tolist() == [0, 1, 3, 4, 5]
    assert data.terminations.tolist() == [False] * 4 + [True]
    # The gap ends an episode: from row 1 one cannot go on to row 3.
    assert data.episodes.tolist() == [0, 0, 1, 1, 1]
    assert_owned(data)


def test_dropping_rows_cuts_given_episodes_too():
    states = np.array([[0.0], [1.0], [np.nan], [3.0], [4.0], [5.0]])
    zeros = np.zeros((6, 1))
    inside = Transitions(states, zeros, zeros, episodes=[7, 7, 7, 7, 9, 9], drop_nonfinite=True)
    assert inside.episodes.tolist() == [0, 0, 1, 2, 2]
    at_the_end = Transitions(states, zeros, zeros, episodes=[7, 7, 7, 9, 9, 9], drop_nonfinite=True)
    assert at_the_end.episodes.tolist() == [7, 7, 9, 9, 9]


def test_dropping_every_row_is_an_error():
    with pytest.raises(ShapeError, match="0 transitions are left, all 2 rows hold a nan"):
        Transitions([[np.nan], [np.inf]], [[1], [1]], [[1], [1]], drop_nonfinite=True)


def test_numbers_beyond_float64_are_found_as_infinities():
    huge = np.array([[np.finfo(np.longdouble).max]])
    if huge[0, 0] <= np.finfo(np.float64).max:
        pytest.skip("longdouble is float64 here")
    with pytest.raises(ValueError, match="states: row 0, column 0 is inf"):
        Transitions(huge, [[1.0]], [[1.0]])


# --- episodes


def test_a_new_episode_begins_where_the_chain_of_states_breaks():
    states = np.array([[0.0], [1.0], [5.0], [6.0], [9.0]])
    data = Transitions(states, states, states + 1.0)
    assert data.episodes.tolist() == [0, 0, 1, 1, 2]
    assert data.episode_slices == [slice(0, 2), slice(2, 4), slice(4, 5)]


def test_a_new_episode_begins_after_a_termination():
    zeros = np.zeros((4, 1))
    data = Transitions(zeros, zeros, zeros, terminations=[0, 1, 0, 1])
    assert data.episodes.tolist() == [0, 0, 1, 1]


def test_rounding_to_float32_does_not_break_an_episode():
    path = np.random.default_rng(3).normal(size=(100, 2)).cumsum(axis=0)
    data = Transitions(path[:-1].astype(np.float32), path[:-1], path[1:])
    assert len(data.episode_slices) == 1


def test_given_episodes_are_kept_even_where_states_jump():
    data = Transitions(*np.random.default_rng(0).normal(size=(3, 4, 2)), episodes=[3, 3, -1, -1])
    assert data.episodes.tolist() == [3, 3, -1, -1]


def test_an_episode_that_comes_back_is_refused():
    with pytest.raises(ValueError, match=r"episodes: row 4 is of episode 1, whose rows ended"):
        walk(7, episodes=[1, 1, 2, 3, 1, 2, 2])


@pytest.mark.parametrize("ids", [[0.0, 0.0, 1.0], [True, True, False]])
def test_episodes_must_be_integers(ids):
    with pytest.raises(TypeError, match=r"episodes: .*must be integers; .*\.astype\(np\.int64\)"):
        walk(3, episodes=ids)


# --- selection


def test_selection_by_slice_mask_indices_and_integer():
    data = walk(6, episodes=[0, 0, 0, 4, 4, 4])
    assert rows_of(data[1:5]) == [1, 2, 3, 4]
    assert rows_of(data[-2:]) == [4, 5]
    assert rows_of(data[2]) == [2]
    assert rows_of(data[np.int64(-1)]) == [5]
    assert rows_of(data[[5, 0]]) == [5, 0]
    assert rows_of(data[data.rewards > 2]) == [3, 4, 5]
    for part in (data[1:5], data[2], data[[5, 0]]):
        assert_owned(part)
        np.testing.assert_array_equal(part.actions[:, 0], 10 * part.states[:, 0])
        np.testing.assert_array_equal(part.next_states[:, 0], part.states[:, 0] + 1)
        np.testing.assert_array_equal(part.rewards, part.states[:, 0])
    assert [rows_of(row) for row in data] == [[0], [1], [2], [3], [4], [5]]


def test_selection_keeps_episode_ids_unless_it_breaks_an_episode():
    data = walk(6, episodes=[2, 2, 2, 4, 4, 4])
    assert data[1:5].episodes.tolist() == [2, 2, 4, 4]
    assert data[[0, 1, 4, 5]].episodes.tolist() == [2, 2, 4, 4]
    assert data[::2].episodes.tolist() == [0, 1, 2]
    assert data[::-1].episodes.tolist() == [0, 1, 2, 3, 4, 5]
    assert data[[1, 1]].episodes.tolist() == [0, 1]
    assert data[[0, 3, 1]].episodes.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "key", [6, -7, [0, 6], np.ones(5, bool), 1.5, [0.0, 1.0], "states", (0, 1), [[0]], None, ...]
)
def test_keys_that_make_no_sense_are_index_errors(key):
    with pytest.raises(IndexError):
        walk(6)[key]


@pytest.mark.parametrize("key", [[], slice(3, 3), np.zeros(6, bool)])
def test_an_empty_selection_is_refused(key):
    with pytest.raises(ShapeError, match="key: selects 0 of 6 transitions"):
        walk(6)[key]


# --- split


def test_a_single_episode_is_split_in_time():
    train, held_out = walk(200).split(0.25, seed=3)
    assert rows_of(train) == list(range(150))
    assert rows_of(held_out) == list(range(150, 200))


@pytest.mark.parametrize(("fraction", "held"), [(1e-9, 1), (1 - 1e-9, 4), (0.5, 2)])
def test_each_side_of_a_split_gets_at_least_one_row(fraction, held):
    train, held_out = walk(5).split(fraction)
    assert (len(train), len(held_out)) == (5 - held, held)


def test_one_transition_cannot_be_split():
    with pytest.raises(ValueError, match="a single transition cannot be split"):
        walk(1).split(0.5)


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, 2, float("nan")])
def test_a_split_needs_a_share(fraction):
    with pytest.raises(ValueError, match=r"fraction: got .*, must be above 0 and below 1"):
        walk(4).split(fraction)


def test_the_episodes_that_are_held_out_depend_on_the_seed_alone():
    data = walk(40, episodes=np.arange(40) // 4)
    again = [rows_of(data.split(0.3, seed=5)[1]) for _ in range(2)]
    assert again[0] == again[1]
    assert len({tuple(rows_of(data.split(0.3, seed=seed)[1])) for seed in range(5)}) > 1


@given(
    lengths=st.lists(st.integers(1, 9), min_size=2, max_size=12),
    fraction=st.floats(0.01, 0.99),
    seed=st.integers(0, 2**31),
)
def test_a_split_parts_whole_episodes(lengths, fraction, seed):
    data = walk(sum(lengths), episodes=np.repeat(np.arange(len(lengths)), lengths))
    train, held_out = data.split(fraction, seed)
    assert sorted(rows_of(train) + rows_of(held_out)) == list(range(len(data)))
    assert rows_of(train) == sorted(rows_of(train))
    assert not set(train.episodes) & set(held_out.episodes)
    # No episode more or less could bring the share nearer by more than one episode's length.
    assert abs(len(held_out) - fraction * len(data)) <= max(lengths)


# --- concatenation


def test_episodes_never_merge_when_data_are_joined():
    one, two = walk(3, episodes=[5, 5, 6]), walk(2, episodes=[6, 7])
    both = one + two
    assert both.episodes.tolist() == [0, 0, 1, 2, 3]
    assert rows_of(both) == [0, 1, 2, 0, 1]
    assert both == Transitions.concatenate(iter([one, two]))
    assert_owned(both)
    cut = walk(6)
    assert (cut[:3] + cut[3:]).episodes.tolist() == [0, 0, 0, 1, 1, 1]


def test_joining_says_what_does_not_fit():
    plain = walk(3, rewards=False)
    with pytest.raises(ValueError, match="parts: item 0 has rewards and item 1 has none"):
        walk(3) + plain
    with pytest.raises(ValueError, match="parts: item 2 has rewards and item 0 has none"):
        Transitions.concatenate([plain, plain, walk(3)])
    other = Transitions([[1.0]], [[1.0]], [[1.0]], rewards=[0.0])
    with pytest.raises(ShapeError, match="parts: state_dim is 2 in item 0 and 1 in 1"):
        walk(3) + other
    wide = Transitions([[1.0, 1.0]], [[1.0, 1.0]], [[1.0, 1.0]], rewards=[0.0])
    with pytest.raises(ShapeError, match="parts: action_dim is 1 in item 0 and 2 in 1"):
        walk(3) + wide
    with pytest.raises(TypeError, match=r"parts: item 1 is \[\], must be Transitions"):
        Transitions.concatenate([plain, []])
    with pytest.raises(ValueError, match="parts: got none, must be at least one"):
        Transitions.concatenate([])
    with pytest.raises(TypeError):
        plain + 1


# --- equality and copies


def test_equality_is_by_value():
    assert walk(3) == walk(3)
    assert walk(3) != walk(4)
    assert walk(3) != walk(3, rewards=False)
    assert walk(3) != walk(3, episodes=[0, 0, 1])
    assert walk(3) != 3
    with pytest.raises(TypeError, match="unhashable"):
        hash(walk(3))


@pytest.mark.parametrize(
    "duplicate", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_copies_are_equal_and_read_only(duplicate):
    twin = duplicate(walk(5))
    assert twin == walk(5)
    assert_owned(twin)
