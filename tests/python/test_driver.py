"""Driving an environment: clipping, the ends of episodes, and the record of both."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.spaces import Box

import dynaplan as dp
from dynaplan.data.collection import play_episode
from dynaplan.data.driver import Driver, Episode, episodes
from dynaplan.data.recorder import Recorder


class Counter(gym.Env[Any, Any]):
    """Counts its steps from 0; each is worth its action, and it ends at `end` in one way."""

    observation_space = Box(-np.inf, np.inf, (1,), np.float64)
    action_space = Box(-1.0, 1.0, (1,), np.float32)

    def __init__(self, end: int = 3, terminates: bool = True) -> None:
        self.end, self.terminates, self.seeds = end, terminates, []

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, Any]:
        self.seeds.append(seed)
        self.count = 0
        return np.zeros(1), {}

    def step(self, action: Any) -> tuple[Any, ...]:
        assert self.action_space.contains(action)
        self.count += 1
        over = self.count == self.end
        ends = over and self.terminates, over and not self.terminates
        return np.full(1, float(self.count)), float(action[0]), *ends, {}


@pytest.mark.parametrize("terminates", [True, False])
def test_a_driver_clips_and_knows_how_an_episode_ended(terminates: bool) -> None:
    env = Counter(2, terminates)
    driver = Driver(env, env.action_space)
    assert not driver.is_open
    driver.reset(seed=5)
    state, action, next_state, reward, terminated = driver.step([7.0])
    assert (state, action, next_state, reward, terminated) == (0.0, 1.0, 1.0, 1.0, False)
    assert (driver.is_open, driver.episode_steps) == (True, 1)
    *_, reward, terminated = driver.step([-0.5])
    assert (reward, terminated, driver.is_open) == (-0.5, terminates, False)
    assert driver.terminated is terminates
    driver.reset()
    assert (driver.is_open, driver.terminated, driver.episode_steps) == (True, False, 0)
    assert env.seeds == [5, None]


def test_episodes_come_out_one_by_one_and_the_last_is_cut_short() -> None:
    env, seen = Counter(3), []
    played = episodes(
        env,
        env.action_space,
        act=lambda state: [2.0],
        observe=lambda *row: seen.append(row),
        steps=5,
        seed=9,
        steps_before=100,
    )
    assert env.seeds == []  # nothing happens before the first is asked for
    first = next(played)
    assert len(seen) == 3
    (last,) = played
    shared = {"episode_steps": 3, "episode_return": 3.0, "seconds": 0.0}
    assert first == Episode(steps=103, episode=1, terminated=True, finished=True, **shared)
    shared = {"episode_steps": 2, "episode_return": 2.0, "seconds": 0.0}
    assert last == Episode(steps=105, episode=2, terminated=False, finished=False, **shared)
    assert env.seeds == [9, None]
    state, action, reward, next_state, terminated = seen[2]
    assert (state, action, reward, next_state, terminated) == (2.0, 1.0, 1.0, 3.0, True)


def test_a_time_limit_finishes_an_episode_without_terminating_it() -> None:
    env = Counter(2, terminates=False)
    observe: list[Any] = []
    (only,) = episodes(
        env,
        env.action_space,
        lambda state: [0.0],
        lambda *row: observe.append(row[4]),
        2,
        seed=None,
        steps_before=0,
    )
    assert (only.terminated, only.finished) == (False, True)
    assert observe == [False, False]


@pytest.mark.parametrize(("action", "error"), [([0.0, 1.0], dp.ShapeError), ([np.nan], ValueError)])
def test_an_action_that_is_none_is_refused(action: Any, error: type[Exception]) -> None:
    env = Counter()
    driver = Driver(env, env.action_space)
    driver.reset()
    with pytest.raises(error):
        driver.step(action)
    assert driver.episode_steps == 0


def test_an_episode_is_played_to_its_end_or_to_the_limit() -> None:
    whole = play_episode(Counter(4), lambda state: [0.5], seed=1, max_steps=10)
    assert (len(whole), whole.terminations.tolist()) == (4, [False, False, False, True])
    cut = play_episode(Counter(4), lambda state: [0.5], seed=1, max_steps=3)
    np.testing.assert_array_equal(cut.next_states, whole.next_states[:3])
    assert not cut.terminations.any()


def test_a_recorder_keeps_rows_beyond_its_first_arrays() -> None:
    recorder = Recorder(2, 1)
    for row in range(200):
        state = np.array([row, -row], np.float64)
        recorder.append((state, [0.1 * row], state + 1.0, float(row), row % 50 == 49), row // 50)
    data = recorder.since(0)
    assert len(recorder) == len(data) == 200
    np.testing.assert_array_equal(data.states[:, 0], np.arange(200.0))
    assert len(data.episode_slices) == 4
    assert recorder.return_since(198) == 198.0 + 199.0
    again = Recorder(2, 1)
    again.extend(data)
    assert again.since(0) == data
    assert set(recorder.draw_states(5, np.random.default_rng(0))[:, 0]) <= set(range(200))
