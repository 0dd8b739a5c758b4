"""Imagined steps are right wherever the origin is, and in any unit."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

import dynaplan as dp

A, B = np.array([[1.0, 0.1], [0.0, 1.0]]), np.array([[0.005], [0.1]])
ELSEWHERE = {
    "ordinary": (0.0, 1.0),
    "map": (1e6, 1.0),
    "far": (-1e9, 1.0),
    "nano": (0.0, 1e-9),
    "giga": (0.0, 1e9),
    "nanometres on a wafer": (1e-2, 1e-9),
}
REWARD = dp.rewards.linear([0.0, 1.0])


class Coordinates:
    """A cart's place and speed as someone else counts them."""

    def __init__(self, where):
        self.start, self.unit = np.array([ELSEWHERE[where][0], 0.0]), ELSEWHERE[where][1]
        generator = np.random.default_rng(0)
        self.own = generator.normal(size=(300, 2))
        actions = generator.uniform(-1, 1, size=(300, 1))
        after = self.own @ A.T + actions @ B.T
        self.data = dp.Transitions(self.states(self.own), actions, self.states(after))

    def states(self, own):
        return self.start + self.unit * own

    def own_states(self, states):
        return (states - self.start) / self.unit


def check(here, made, starts):
    """Each step is that of the plant, to a thousandth of how far the states move."""
    own, after = here.own_states(made.states), here.own_states(made.next_states)
    wanted = own @ A.T + made.actions @ B.T
    change = abs(wanted - own).max(axis=0)
    assert (abs(after - wanted).max(axis=0) <= 1e-3 * change).all()
    first = np.append(True, np.diff(made.starts) > 0)
    np.testing.assert_array_equal(made.states[first], here.states(starts))
    np.testing.assert_array_equal(
        made.states[~first], made.next_states[np.append(~first[1:], False)]
    )


@pytest.mark.parametrize("where", ELSEWHERE)
@pytest.mark.parametrize("policy", ["function", "SAC"])
def test_a_step_goes_where_the_plant_goes(where, policy):
    here = Coordinates(where)
    model = dp.LinearGaussian.fit(here.data)
    policies = {
        "function": lambda states: np.full((len(states), 1), 0.5),
        "SAC": dp.SAC(gym.make("MountainCarContinuous-v0"), seed=0),
    }
    starts = here.states(here.own[:50])
    made = dp.imagine(model, starts, policies[policy], 5, reward=REWARD, seed=0)
    assert len(made) == 250
    check(here, made, here.own[:50])


@pytest.mark.parametrize("where", ["map", "far"])
def test_so_does_an_environment_that_observes_in_float64(where):
    here = Coordinates(where)
    envs = dp.ImaginedVectorEnv(
        dp.LinearGaussian.fit(here.data),
        8,
        here.data.states,
        action_space=([-1.0], [1.0]),
        observation_space=gym.spaces.Box(-np.inf, np.inf, (2,), np.float64),
        reward=REWARD,
        seed=0,
    )
    observations, _ = envs.reset()
    before = here.own_states(observations)
    actions = np.linspace(-1, 1, 8)[:, None]
    for _ in range(10):
        observations, *_ = envs.step(actions)
        wanted = before @ A.T + actions @ B.T
        change = abs(wanted - before).max(axis=0)
        before = here.own_states(observations)
        assert (abs(before - wanted).max(axis=0) <= 1e-3 * change).all()


@pytest.mark.parametrize("where", ["map", "far", "nanometres on a wafer"])
def test_observations_too_coarse_are_refused_by_name(where):
    here = Coordinates(where)
    with pytest.raises(dp.ArgumentError, match=r"observation_space: got dtype float32.*\[:, 0\]"):
        dp.ImaginedVectorEnv(
            dp.LinearGaussian.fit(here.data),
            8,
            here.data.states,
            action_space=([-1.0], [1.0]),
            reward=REWARD,
        )


@pytest.mark.parametrize("where", ["ordinary", "nano", "giga"])
def test_ordinary_ones_are_not(where):
    here = Coordinates(where)
    model = dp.LinearGaussian.fit(here.data)
    for starts in (here.data.states, here.states(np.zeros((1, 2))), here.states(np.ones((1, 2)))):
        dp.ImaginedVectorEnv(model, 2, starts, action_space=([-1.0], [1.0]), reward=REWARD)


def test_what_does_not_move_is_no_matter_of_precision():
    still = dp.LinearModel(np.eye(2), [[1.0], [0.0]])
    made = dp.imagine(
        still, [[0.0, 1e6 + 0.3]], lambda states: np.ones((len(states), 1)), 3, reward=REWARD
    )
    # In float32 throughout, as the start alone is kept as it was.
    assert made.next_states[0, 1] == np.float32(1e6 + 0.3)
    envs = dp.ImaginedVectorEnv(
        still, 2, [[0.0, 1e6 + 0.3]], action_space=([-1.0], [1.0]), reward=REWARD, clip=None
    )
    assert envs.reset()[0].dtype == np.float32
