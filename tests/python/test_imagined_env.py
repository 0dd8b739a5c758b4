"""A model as a vector environment does what Gymnasium's own vector environments do."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import TimeLimit
from gymnasium.wrappers import vector as vector_wrappers
from hypothesis import given, settings
from hypothesis import strategies as st

import dynaplan as dp
from imagined_plant import BOX, START, Plant, drawn_actions, envs_of

MODES = list(AutoresetMode)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("limit", [1, 6, None])
def test_it_steps_as_gymnasiums_vector_of_the_same_system(
    mode: AutoresetMode, limit: int | None
) -> None:
    count, rng = 7, np.random.default_rng(0)
    plant = Plant if limit is None else lambda: TimeLimit(Plant(), limit)
    theirs = SyncVectorEnv([plant] * count, autoreset_mode=mode)
    ours = envs_of(count, autoreset_mode=mode, max_episode_steps=limit)
    assert ours.metadata["autoreset_mode"] is mode
    assert ours.observation_space == theirs.observation_space
    assert ours.action_space == theirs.action_space
    assert data_equivalence(ours.reset(seed=1), theirs.reset(seed=1), exact=True)
    ends = {"terminated": 0, "truncated": 0, "cut": 0}
    for _ in range(200):
        actions = drawn_actions(rng, count)
        found, wanted = ours.step(actions), theirs.step(actions)
        assert data_equivalence(found, wanted, exact=True), (found, wanted)
        _, _, terminated, truncated, infos = found
        ends["terminated"] += np.count_nonzero(terminated)
        ends["truncated"] += np.count_nonzero(truncated)
        ends["cut"] += np.count_nonzero(infos.get("final_info", infos).get("cut", False))
        over_now = terminated | truncated
        if mode is AutoresetMode.DISABLED and over_now.any():
            options = {"reset_mask": over_now}
            assert data_equivalence(
                ours.reset(options=options), theirs.reset(options=dict(options)), exact=True
            )
            assert options["reset_mask"] is over_now
    assert ends["truncated"] > 0
    assert limit == 1 or min(ends.values()) > 0, ends


@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 9))
def test_masks_reset_what_they_name(mode: AutoresetMode, seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    theirs = SyncVectorEnv([lambda: TimeLimit(Plant(), 4)] * count, autoreset_mode=mode)
    ours = envs_of(count, autoreset_mode=mode, max_episode_steps=4)
    ours.reset(), theirs.reset()
    for _ in range(12):
        actions = drawn_actions(rng, count)
        found, wanted = ours.step(actions), theirs.step(actions)
        assert data_equivalence(found, wanted, exact=True)
        mask = rng.random(count) < 0.3
        if mode is AutoresetMode.DISABLED:
            mask |= found[2] | found[3]
        if mask.any():
            again = theirs.reset(options={"reset_mask": mask.copy()})
            assert data_equivalence(ours.reset(options={"reset_mask": mask}), again, exact=True)


def test_gymnasiums_wrappers_run_around_it() -> None:
    recorded = vector_wrappers.RecordEpisodeStatistics(envs_of(3))
    listed = vector_wrappers.DictInfoToList(envs_of(3, autoreset_mode="SameStep"))
    recorded.reset(seed=0), listed.reset(seed=0)
    actions, lengths, ends = np.zeros((3, 2), np.float32), [], []
    for _ in range(40):
        *_, infos = recorded.step(actions)
        if "episode" in infos:
            lengths += infos["episode"]["l"][infos["_episode"]].tolist()
        *_, infos = listed.step(actions)
        ends += [info["final_obs"] for info in infos if "final_obs" in info]
    assert lengths == [6] * 15  # the step that begins an episode is none of it
    np.testing.assert_array_equal(ends, np.tile(START / 2**6, (18, 1)))
    recorded.close(), listed.close()


def ensemble_data() -> dp.Transitions:
    rng = np.random.default_rng(3)
    states, actions = rng.normal(size=(300, 2)), rng.uniform(-1.0, 1.0, (300, 2))
    after = 0.8 * states + 0.2 * actions + 0.05 * rng.normal(size=states.shape)
    return dp.Transitions(states, actions, after, states[:, 0] - actions[:, 1])


@pytest.fixture(scope="module")
def ensemble() -> dp.Ensemble:
    return dp.Ensemble.fit(
        ensemble_data(), members=4, hidden=(16,), epochs=10, rewards=True, seed=0
    )


def course(envs: dp.ImaginedVectorEnv, seed: int | None, steps: int = 25) -> list[Any]:
    """All that comes out under fixed actions."""
    rng = np.random.default_rng(7)
    parts: list[Any] = [envs.reset(seed=seed)[0]]
    for _ in range(steps):
        parts += envs.step(rng.uniform(-1.0, 1.0, (envs.num_envs, 2)))[:4]
    return parts


@pytest.mark.parametrize("count", [1, 64, 500])
def test_same_seed_same_bits_whatever_the_threads(ensemble: dp.Ensemble, count: int) -> None:
    settings: dict[str, Any] = {
        "starts": ensemble_data().states,
        "action_space": BOX,
        "max_episode_steps": 9,
        "elite_members": 3,
    }
    first = dp.ImaginedVectorEnv(ensemble, count, **settings)
    wanted = course(first, 11)
    for envs in (
        first,
        *(dp.ImaginedVectorEnv(ensemble, count, **settings, threads=t) for t in (2, 5)),
    ):
        for found, want in zip(course(envs, 11), wanted, strict=True):
            np.testing.assert_array_equal(found, want)
    seeded = dp.ImaginedVectorEnv(ensemble, count, **settings, seed=11)
    for found, want in zip(course(seeded, None), wanted, strict=True):
        np.testing.assert_array_equal(found, want)
    assert not np.array_equal(course(seeded, None)[0], wanted[0])
    assert not np.array_equal(course(first, 12)[5], wanted[5])


def test_steps_are_those_of_imagine(ensemble: dp.Ensemble) -> None:
    """Many steps from one state: each is a draw of one member, so the members' means tell."""
    count = 4000
    envs = dp.ImaginedVectorEnv(ensemble, count, [0.3, -0.2], action_space=BOX)
    envs.reset(seed=0)
    actions = np.tile([0.5, -0.5], (count, 1))
    after, rewards, *_ = envs.step(actions)
    made = dp.imagine(ensemble, np.tile([0.3, -0.2], (count, 1)), lambda s: actions, seed=1)
    spread = made.next_states.std(axis=0)
    assert np.abs(after.mean(axis=0) - made.next_states.mean(axis=0)).max() < 0.1 * spread.min()
    np.testing.assert_allclose(after.std(axis=0), spread, rtol=0.1)
    np.testing.assert_allclose(rewards.mean(), made.rewards.mean(), atol=0.1 * made.rewards.std())
    np.testing.assert_allclose(rewards.std(), made.rewards.std(), rtol=0.1)
    first, second = envs.step(actions)[0], envs.step(actions)[0]
    assert np.abs(first - second).min() > 0.0  # the noise is another one at each step


def test_starts_are_drawn_evenly() -> None:
    starts = np.arange(8.0)[:, None] * [1.0, -1.0]
    envs = envs_of(4000, starts=starts, max_episode_steps=1)
    observed, _ = envs.reset(seed=3)
    for _ in range(2):
        counts = np.bincount(observed[:, 0].astype(int), minlength=8)
        assert np.abs(counts - 500).max() < 5 * np.sqrt(500)
        np.testing.assert_array_equal(observed[:, 1], -observed[:, 0])
        envs.step(np.zeros((4000, 2)))  # all end
        observed = envs.step(np.zeros((4000, 2)))[0]


def test_where_members_disagree_the_episode_is_cut(ensemble: dp.Ensemble) -> None:
    data = ensemble_data()
    ground = dp.DisagreementLimit.calibrated(ensemble, data, quantile=0.9)
    starts = np.concatenate([data.states, 30.0 * data.states[:50]])
    envs = dp.ImaginedVectorEnv(
        ensemble, 2000, starts, action_space=BOX, disagreement_limit=ground, cut_reward=-3.0
    )
    before, _ = envs.reset(seed=0)
    after, rewards, terminated, truncated, infos = envs.step(np.tanh(before))
    wanted = dp.imagine(ensemble, before, np.tanh, disagreement_limit=ground, seed=0).cut
    np.testing.assert_array_equal(infos["cut"], wanted)
    np.testing.assert_array_equal(infos["_cut"], wanted)
    np.testing.assert_array_equal(truncated, wanted)
    np.testing.assert_array_equal(after[wanted], before[wanted])
    assert (rewards[wanted] == -3.0).all()
    assert not (rewards[~wanted] == -3.0).any()
    assert not terminated.any()
    assert 200 < wanted.sum() < 1000


def test_observations_stay_in_their_space() -> None:
    space = gym.spaces.Box(np.array([-0.7, -np.inf]), np.array([0.1, 0.3]), dtype=np.float64)
    envs = envs_of(50, starts=[0.1, 0.3], observation_space=space, termination=None)
    observed, _ = envs.reset(seed=0)
    rng = np.random.default_rng(0)
    seen = [observed]
    for _ in range(50):
        seen.append(envs.step(rng.uniform(-1.0, 1.0, (50, 2)))[0])
        assert envs.observation_space.contains(seen[-1])
    low, high = np.min(seen, axis=(0, 1)), np.max(seen, axis=(0, 1))
    np.testing.assert_allclose(high, [0.1, 0.3], rtol=1e-6)
    np.testing.assert_allclose(low[0], -0.7, rtol=1e-6)
    assert low[1] < -1.0


def test_clip_is_that_of_a_rollout() -> None:
    states = np.linspace(-1.0, 1.0, 50)[:, None]
    data = dp.Transitions(states, np.cos(9.0 * states), 2.0 * states)
    model = dp.LinearGaussian.fit(data)
    envs = dp.ImaginedVectorEnv(
        model, 2, [[1.0]], action_space=([-1], [1]), reward=dp.rewards.quadratic([1.0]), clip=3.0
    )
    envs.reset(seed=0)
    for _ in range(5):
        observed = envs.step(np.zeros((2, 1)))[0]
    np.testing.assert_array_equal(observed, [[3.0], [3.0]])


def test_actions_beyond_the_bounds_are_clipped() -> None:
    inside, outside = envs_of(4), envs_of(4)
    inside.reset(seed=0), outside.reset(seed=0)
    found, wanted = outside.step(np.full((4, 2), [9.0, -0.5])), inside.step([[1.0, -0.5]] * 4)
    assert data_equivalence(found, wanted, exact=True)


def test_a_change_of_action_counts_from_the_action_before() -> None:
    """Of the episode: its first action is no change, as in a rollout."""
    envs = envs_of(
        3, reward=dp.rewards.action_change_cost([1.0, 0.0]), termination=None, max_episode_steps=3
    )
    envs.reset()
    costs = []
    for first in (0.0, 0.5, -0.25, 9.0, 0.75, 0.25):  # the fourth step begins the next episode
        costs.append(envs.step(np.tile([first, 0.0], (3, 1)))[1])
    np.testing.assert_array_equal(np.array(costs)[:, 0], [0.0, -0.25, -0.5625, 0.0, 0.0, -0.25])


def test_what_comes_out_is_the_callers() -> None:
    envs = envs_of(3, autoreset_mode="SameStep", max_episode_steps=2)
    first, _ = envs.reset(seed=0)
    kept = first.copy()
    first[:] = 1e9
    actions = np.zeros((3, 2), np.float32)
    after, *flags, _ = envs.step(actions)
    np.testing.assert_array_equal(after, 0.5 * kept)
    for array in (after, *flags):
        array[:] = 1
    *_, infos = envs.step(actions)
    np.testing.assert_array_equal(np.stack(infos["final_obs"]), 0.25 * kept)
