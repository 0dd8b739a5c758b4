"""Rows that do not follow each other are found, told of, cut, and never looked across."""

from __future__ import annotations

import copy
import pickle
import warnings
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dynaplan as dp
from dynaplan.data.joins import measured_joins
from dynaplan.errors import ModelFileError, SuspectDataWarning

EXACT = dp.LinearModel([[0.9]], [[1.0]])


def path(count: int, seed: int = 0, scale: float = 1.0, offset: float = 0.0) -> Any:
    """States (count + 1, 1) and actions (count, 1) of x' = .9 x + u, in some unit."""
    actions = np.random.default_rng(seed).uniform(-1.0, 1.0, size=(count, 1))
    states = np.zeros((count + 1, 1))
    for row in range(count):
        states[row + 1] = 0.9 * states[row] + actions[row]
    return offset + scale * states, scale * actions


def log(states: Any, actions: Any, kept: Any = None, **settings: Any) -> dp.Transitions:
    """The rows that were kept, all of one episode."""
    kept = np.arange(len(actions)) if kept is None else np.asarray(kept)
    zeros = np.zeros(len(kept), int)
    columns = states[:-1][kept], actions[kept], states[1:][kept]
    return dp.Transitions(*columns, **{"episodes": zeros} | settings)


def broken(data: dp.Transitions) -> list[int]:
    """The rows after which a segment ends within an episode."""
    ends = data.segments[1:] != data.segments[:-1]
    return np.flatnonzero(ends & (data.episodes[1:] == data.episodes[:-1])).tolist()


def kept_rows(count: int, seed: int) -> Any:
    return np.flatnonzero(np.random.default_rng(seed).random(count) > 0.1)


# --- lost rows


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e12])
@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_lost_rows_are_counted_and_the_largest_jump_is_named(scale: float, offset: float) -> None:
    states, actions = path(1000, 1, scale, offset * scale)
    kept = kept_rows(1000, 1)
    missing = np.flatnonzero(np.diff(kept) > 1)
    jumps = np.abs(states[kept[missing] + 1] - states[kept[missing + 1]])[:, 0]
    largest = int(np.argmax(jumps))
    deviations = jumps[largest] / states[:-1][kept].std()
    with pytest.warns(SuspectDataWarning) as told:
        data = log(states, actions, kept)
    assert broken(data) == missing.tolist()
    assert str(told[0].message).startswith(
        f"next_states: {len(missing)} of {len(kept) - 1} rows do not end where the row below "
        f"begins, in the same episode; state 0 jumps most, by {jumps[largest]:.4g} "
        f"({deviations:.2g} standard deviations), from row {missing[largest]} to row "
        f"{missing[largest] + 1}. "
    )
    assert told[0].filename == __file__


@pytest.mark.parametrize("seed", range(5))
def test_the_exact_model_is_right_wherever_rows_were_lost(seed: int) -> None:
    states, actions = path(2000, seed)
    kept = kept_rows(2000, seed)
    with pytest.warns(SuspectDataWarning):
        told = log(states, actions, kept)
    for data in (told, log(states, actions, kept, gaps="split")):
        check = dp.evaluate(EXACT, data, 20, propagation="sample")
        assert check.error_90.max() < 1e-12
        assert check.trusted_horizon == 20
        # One start for each row with so many rows before a gap.
        runs = np.diff(np.flatnonzero(np.diff(kept, prepend=-9, append=9**9) > 1))
        steps = np.arange(1, 21)
        np.testing.assert_array_equal(
            check.starts, np.maximum(runs[:, None] - steps + 1, 0).sum(axis=0)
        )
    across = dp.evaluate(EXACT, log(states, actions, kept, gaps="ignore"), 20)
    assert across.error_90.max() > 0.2  # what it was


def test_split_cuts_episodes_and_keeps_what_belongs_together() -> None:
    states, actions = path(60)
    episodes = np.repeat([7, 3, 5], 20)
    kept = np.setdiff1d(np.arange(60), [5, 25, 26, 30, 55])
    data = log(states, actions, kept, episodes=episodes[kept], gaps="split")
    assert [part.stop - part.start for part in data.episode_slices] == [5, 14, 5, 3, 9, 15, 4]
    np.testing.assert_array_equal(data.groups, episodes[kept])
    np.testing.assert_array_equal(data.segments, data.episodes)
    for seed in range(20):
        train, held_out = data.split(0.3, seed=seed)
        assert not set(train.groups) & set(held_out.groups)
        assert len(set(held_out.groups)) == 1


def test_selections_and_sums_keep_groups_apart() -> None:
    states, actions = path(40)
    data = log(states, actions, episodes=np.repeat([0, 1], 20))
    holes = data[np.setdiff1d(np.arange(40), [3, 9, 25])]
    assert len(holes.episode_slices) == 5
    train, held_out = holes.split(0.5, seed=0)
    assert {*train.groups} | {*held_out.groups} == {0, 1}
    assert not set(train.groups) & set(held_out.groups)
    both = holes + data
    np.testing.assert_array_equal(both.groups, np.repeat([0, 1, 2, 3], [18, 19, 20, 20]))
    np.testing.assert_array_equal(both.segments, both.episodes)
    dropped = states.copy()
    dropped[8] = np.nan
    data = log(dropped, actions, episodes=np.repeat([0, 1], 20), drop_nonfinite=True)
    assert len(data.episode_slices) == 3
    assert data.groups.tolist() == [0] * 18 + [1] * 20


def test_what_is_cut_is_kept_by_copies_and_files(tmp_path: Path) -> None:
    states, actions = path(300)
    kept = kept_rows(300, 0)
    with pytest.warns(SuspectDataWarning):
        told = log(states, actions, kept)
    for data in (told, log(states, actions, kept, gaps="split"), log(states, actions)):
        data.save(tmp_path / "data.npz")
        for same in (
            copy.deepcopy(data),
            pickle.loads(pickle.dumps(data)),
            dp.load(tmp_path / "data.npz"),
        ):
            assert same == data
            np.testing.assert_array_equal(same.segments, data.segments)
            np.testing.assert_array_equal(same.groups, data.groups)
    assert told != log(states, actions, kept, gaps="ignore")


@pytest.mark.parametrize(
    ("name", "ids"), [("segments", [0, 0, 1, 1]), ("segments", [0, 1, 0, 2]), ("groups", [0, 1, 1])]
)
def test_files_whose_cuts_do_not_fit_are_refused(tmp_path: Path, name: str, ids: Any) -> None:
    states, actions = path(4)
    log(states, actions, episodes=[0, 0, 0, 1]).save(tmp_path / "data.npz")
    with np.load(tmp_path / "data.npz") as arrays:
        changed = {**arrays, name: np.array(ids)}
    np.savez(tmp_path / "data.npz", **changed)
    with pytest.raises(ModelFileError, match=name):
        dp.load(tmp_path / "data.npz")


# --- next states of the wrong row


@pytest.mark.parametrize(("shift", "name"), [(2, "two rows below"), (0, "states themselves")])
def test_next_states_of_another_row_are_told(shift: int, name: str) -> None:
    states, actions = path(500)
    count = 499
    rows = states[:count], actions[:count], states[shift : count + shift]
    for gaps in ("warn", "split"):
        with pytest.warns(SuspectDataWarning, match=f"498 of 498 rows .* They are the .*{name}"):
            dp.Transitions(*rows, episodes=np.zeros(count, int), gaps=gaps)
    with pytest.warns(SuspectDataWarning, match="states one row above"):
        dp.Transitions(states[1:-1], actions[1:], states[:-2], episodes=np.zeros(count, int))


def test_rows_out_of_order_are_told() -> None:
    states, actions = path(500)
    order = np.random.default_rng(0).permutation(500)
    with pytest.warns(SuspectDataWarning, match="rows do not end where the row below begins"):
        data = log(states, actions, order)
    assert len(broken(data)) > 200
    runs = 500 - np.count_nonzero(np.diff(order) == 1)
    assert len(log(states, actions, order, episodes=None).episode_slices) == runs


@pytest.mark.filterwarnings("ignore:state 0 is")
def test_a_wild_value_does_not_hide_the_others() -> None:
    states, actions = path(500)
    states[100] = 1e9
    kept = kept_rows(500, 0)
    with pytest.warns(SuspectDataWarning, match="rows do not end where the row below begins"):
        data = log(states, actions, kept)
    assert broken(data) == np.flatnonzero(np.diff(kept) > 1).tolist()


def test_far_from_the_origin_a_reset_is_no_rounding() -> None:
    # As of a position on the globe in metres: 10 m are 2e-6 of it.
    states, actions = path(200, scale=10.0, offset=5e6)
    rows = np.r_[:100, 110:200]
    data = log(states, actions, rows, episodes=None)
    assert [part.stop - part.start for part in data.episode_slices] == [100, 90]


# --- next states across a reset


def d4rl(env_id: str, steps: int, episode_steps: int, seed: int) -> Any:
    """A flat log as of D4RL: observations, actions, and where episodes end."""
    data = dp.collect(gym.make(env_id), steps, seed=seed, episode_steps=episode_steps)
    ends = np.append(data.episodes[1:] != data.episodes[:-1], True)
    return data, ends


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("env_id", ["Pendulum-v1", "CartPole-v1", "MountainCarContinuous-v0"])
def test_next_states_shifted_across_resets_are_told(env_id: str, seed: int) -> None:
    data, ends = d4rl(env_id, 300, 30, seed)
    observations, actions = data.states, data.actions
    flat = observations[:-1], actions[:-1], observations[1:]
    seams = np.flatnonzero(ends[:-1])
    episodes = data.episodes[:-1]
    for gaps in ("warn", "split"):
        with pytest.warns(SuspectDataWarning, match="lead from the end of an episode") as told:
            shifted = dp.Transitions(*flat, episodes=episodes, gaps=gaps)
        assert str(told[0].message).split()[1] == str(len(seams))
    with pytest.warns(SuspectDataWarning, match="lead from the end of an episode"):
        dp.Transitions(*flat, terminations=ends[:-1])
    # The true last states, or no rows there, are right.
    dp.Transitions(*(column[~ends[:-1]] for column in flat), episodes=episodes[~ends[:-1]])
    dp.Transitions(data.states, actions, data.next_states, terminations=ends)
    with pytest.warns(SuspectDataWarning, match="lead from the end of an episode"):
        shifted = dp.Transitions(*flat, terminations=ends[:-1], episodes=np.zeros(299, int))
    # No window may hold such a row: it stands alone.
    lengths = np.bincount(shifted.segments)
    assert lengths.max() <= 30
    assert (lengths[shifted.segments[seams]] == 1).all()


# --- no false alarm


@pytest.fixture
def no_warning() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.usefixtures("no_warning")
@pytest.mark.parametrize("seed", range(20))
def test_clean_data_raise_no_alarm(seed: int) -> None:
    rng = np.random.default_rng(seed)
    states, actions = path(600, seed, 10.0 ** rng.integers(-6, 7))
    log(states, actions)
    log(states, actions, episodes=None)
    log(states, actions, episodes=np.sort(rng.integers(0, 12, 600)))  # cut by hand
    log(states.astype(np.float32), actions)
    columns = states[:-1].astype(np.float32), actions, states[1:]  # of one array rounded
    dp.Transitions(*columns, episodes=np.zeros(600, int))
    heavy = np.cumsum(rng.standard_t(3, size=(601, 2)), axis=0)
    log(heavy, actions, episodes=np.sort(rng.integers(0, 12, 600)))
    pendulum = dp.collect(gym.make("Pendulum-v1"), 200, seed=seed)
    again = dp.Transitions(**{name: getattr(pendulum, name) for name in ARRAYS})
    assert again == pendulum
    cart = dp.collect(gym.make("CartPole-v1"), 200, seed=seed)
    assert cart.terminations.any()
    assert dp.Transitions(**{name: getattr(cart, name) for name in ARRAYS}) == cart


ARRAYS = ("states", "actions", "next_states", "rewards", "terminations", "episodes")


@pytest.mark.usefixtures("no_warning")
@pytest.mark.parametrize("noise", [1e-4, 1e-2, 0.1, 1.0, 10.0])
@pytest.mark.parametrize("heavy", [False, True])
def test_states_measured_twice_with_noise_raise_no_alarm(noise: float, heavy: bool) -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        states, actions = path([3, 10, 50, 1000][seed % 4], seed)

        def measured(values: Any, rng: Any = rng) -> Any:
            drawn = rng.standard_t(3, values.shape) if heavy else rng.normal(size=values.shape)
            return values + noise * drawn

        zeros = np.zeros(len(actions), int)
        dp.Transitions(measured(states[:-1]), actions, measured(states[1:]), episodes=zeros)


def test_jumps_beyond_the_noise_of_measuring_twice_are_told() -> None:
    rng = np.random.default_rng(0)
    states, actions = path(2000)
    states[1000:] += 8.0  # the robot was carried away
    rows = states[:-1].copy(), actions, states[1:].copy()
    rows[2][999] -= 8.0
    noisy = [rows[0] + 0.1 * rng.normal(size=rows[0].shape), actions]
    noisy.append(rows[2] + 0.1 * rng.normal(size=rows[0].shape))
    with pytest.warns(SuspectDataWarning, match=r"1 of 1999 rows .* from row 999 to row 1000\."):
        dp.Transitions(*noisy, episodes=np.zeros(2000, int))


@given(
    seed=st.integers(0, 2**32 - 1),
    exponent=st.floats(-100.0, 100.0),
    count=st.integers(2, 40),
    dim=st.integers(1, 3),
)
def test_what_is_broken_depends_on_no_unit(
    seed: int, exponent: float, count: int, dim: int
) -> None:
    rng = np.random.default_rng(seed)
    states = rng.normal(size=(count + 1, dim)).cumsum(axis=0)
    kept = np.sort(rng.choice(count, size=max(2, count * 3 // 4), replace=False))
    ids, ended = np.zeros(len(kept), int), np.zeros(len(kept), np.bool_)
    unit = 2.0 ** round(exponent)
    found = measured_joins(states[:-1][kept], states[1:][kept], ended, ids)
    scaled = measured_joins(unit * states[:-1][kept], unit * states[1:][kept], ended, ids)
    np.testing.assert_array_equal(found.broken, scaled.broken)
    np.testing.assert_array_equal(unit * found.gaps, scaled.gaps)


def test_gaps_is_one_of_three_words() -> None:
    with pytest.raises(dp.ArgumentError, match=r"gaps: got 'cut', must be \"warn\", \"split\" or"):
        log(*path(5), gaps="cut")
