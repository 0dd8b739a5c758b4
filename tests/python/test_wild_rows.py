"""Single wild rows are named; honest data with heavy tails are not."""

from __future__ import annotations

import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import dynaplan as dp
from dynaplan.data.wild_rows import wild_rows
from dynaplan.errors import SuspectDataWarning


def path(count: int, seed: int = 0) -> Any:
    """States (count + 1, 2) and actions (count, 1) of a stable system."""
    rng = np.random.default_rng(seed)
    states, actions = np.zeros((count + 1, 2)), rng.normal(size=(count, 1))
    for row in range(count):
        states[row + 1] = 0.9 * states[row] + [0.1, 1.0] * actions[row]
    return states, actions


def test_a_glitch_is_named_with_its_row_column_and_score() -> None:
    states, actions = path(1000)
    score = (1e6 - np.median(states[:-1, 1])) / np.median(
        np.abs(states[:-1, 1] - np.median(states[:-1, 1]))
    )
    states[500, 1] = 1e6
    with pytest.warns(SuspectDataWarning) as told:
        dp.Transitions(states[:-1], actions, states[1:])
    assert str(told[0].message).startswith(
        f"state 1 is 1e+06 in row 500, {score * 0.67449:.2g} robust standard deviations from its "
        "median: rows 499, 500 are unlike all others"
    )
    assert told[0].filename == __file__
    rows = np.delete(np.arange(1000), [499, 500])  # as the message says
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dp.Transitions(states[:-1][rows], actions[rows], states[1:][rows])


@pytest.mark.parametrize("unit", [1e-20, 1.0, 1e20])
@pytest.mark.parametrize("seed", range(10))
def test_every_glitch_of_a_hundred_deviations_is_found(unit: float, seed: int) -> None:
    states, actions = path(1000, seed)
    states[:, 0] += 1e3 * seed  # far from the origin
    states[700, 0] += 100.0 * states[:, 0].std()
    found = wild_rows(unit * states[:-1], actions, unit * states[1:])
    assert (found.name, found.rows.tolist()) == ("state 0", [699, 700])
    actions[3] = -100.0
    found = wild_rows(states[:-1], actions, states[1:])
    assert found.rows.tolist() == [3, 699, 700]
    assert wild_rows(actions, states[1:, :1], actions).rows.tolist() == [699]


@pytest.mark.filterwarnings("ignore::dynaplan.SuspectDataWarning")
@pytest.mark.parametrize("seed", range(200))
def test_numbers_at_the_ends_of_float64_are_numbers(seed: int) -> None:
    # No warning of NumPy's reaches the user.
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 60))
    arrays = rng.normal(size=(3, count, 2))
    wild = rng.random(size=arrays.shape) < rng.choice([0.05, 0.5])
    largest = np.finfo(np.float64).max
    ends = rng.choice([largest, -largest, 5e-324, 5.71e285, 1e-310], size=arrays.shape)
    states, actions, following = np.where(wild, ends, arrays)
    if seed % 2:
        following[:-1] = states[1:]
    dp.Transitions(states, actions, following, episodes=np.zeros(count, int) if seed % 3 else None)


@pytest.mark.parametrize("gain", [-30.0, 1e12])
@pytest.mark.parametrize("seed", range(10))
def test_states_that_lead_far_beyond_themselves_are_not_wild(gain: float, seed: int) -> None:
    # Of an unstable system, drawn one by one: a next state is judged beside the other next states.
    states, actions = np.random.default_rng(seed).normal(size=(2, 40, 1))
    following = gain * states + actions
    assert not wild_rows(states, actions, following).rows.size
    following[7] = 1e3 * gain
    assert wild_rows(states, actions, following).rows.tolist() == [7]


def test_a_sensor_that_fails_for_several_steps_is_named_where_it_does() -> None:
    states, actions = path(1000)
    states[300:310] = -9999.0
    assert wild_rows(states[:-1], actions, states[1:]).rows.tolist() == [299, 309]


@pytest.mark.parametrize("count", [30, 100, 1000, 10_000])
def test_heavy_tails_raise_no_alarm(count: int) -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        for drawn in (
            rng.standard_t(3, (count + 1, 4)),
            rng.standard_t(3, (count + 1, 4)).cumsum(axis=0),
            rng.lognormal(size=(count + 1, 4)),
            rng.normal(size=(count + 1, 4)),
            rng.integers(0, 3, (count + 1, 4)).astype(float),
            rng.poisson(0.05, (count + 1, 4)).astype(float),
        ):
            assert not wild_rows(drawn[:-1, :3], drawn[:-1, 3:], drawn[1:, :3]).rows.size


def test_what_diverges_in_many_steps_is_a_motion() -> None:
    states, actions = path(1000)
    states[950:, 1] = 1.5 ** np.arange(51)
    assert states.max() > 1e8
    assert not wild_rows(states[:-1], actions, states[1:]).rows.size


def test_few_values_or_none_that_vary_tell_nothing() -> None:
    states, actions = np.zeros((200, 1)), np.zeros((199, 1))
    states[50] = 1.0
    assert not wild_rows(states[:-1], actions, states[1:]).rows.size
    short, some = path(10)
    short[5] = 1e9
    assert not wild_rows(short[:-1], some, short[1:]).rows.size


@pytest.mark.parametrize("episode_steps", [25, None])
@pytest.mark.parametrize(
    "env_id", ["Hopper-v5", "HalfCheetah-v5", "Ant-v5", "InvertedDoublePendulum-v5", "Pusher-v5"]
)
def test_contacts_raise_no_alarm(env_id: str, episode_steps: int | None) -> None:
    pytest.importorskip("mujoco")
    with warnings.catch_warnings():
        warnings.simplefilter("error", SuspectDataWarning)
        data = dp.collect(gym.make(env_id), 400, seed=0, episode_steps=episode_steps)
    assert len(data) == 400
