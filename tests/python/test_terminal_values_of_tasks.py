"""What plans of the commands count beyond the reward: finite, ordered as said, and safe."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest

import dynaplan as dp
from dynaplan.tasks import terminal_values

KNOWN = ["Acrobot-v1", "CartPole-v1", "MountainCarContinuous-v0"]


def states_of(name):
    return dp.collect(gymnasium.make(name), 400, seed=0, episode_steps=None).states


def test_most_rewards_need_none():
    assert terminal_values.for_env("Pendulum-v1") is None
    assert terminal_values.for_env(gymnasium.make("Pendulum-v1")) is None


@pytest.mark.parametrize("name", KNOWN)
def test_a_plan_does_not_gain_by_missing_the_goal_or_by_ending_early(name):
    # An episode that has ended is worth 0 from then on. Where the end is the goal, nothing short
    # of it may be worth more; where it is a failure, nothing before it may be worth less.
    values = terminal_values.for_env(name).function(states_of(name))
    assert values.shape == (400,)
    assert np.isfinite(values).all()
    assert (values >= 0.0).all() if name == "CartPole-v1" else (values <= 0.0).all()


def test_the_acrobot_is_worth_its_height_and_swing():
    hangs, level, stands = [1, 0, 1, 0, 3, 0], [0, 1, 1, 0, 0, 0], [-1, 0, 1, 0, 0, 0]
    swings, spins = [1, 0, 1, 0, 0, -3], [1, 0, 1, 0, 0, 28]  # worth 0.3 and 0.5 of a length
    values = terminal_values.acrobot(np.array([hangs, level, stands, swings, spins], float))
    np.testing.assert_allclose(values, [-75.0, -25.0, 0.0, -67.5, -62.5])


def test_the_car_is_worth_its_height():
    # sin(3 x): the valley, the top.
    values = terminal_values.mountain_car(np.array([[-np.pi / 6, 0.05], [np.pi / 6, 0.0]]))
    np.testing.assert_allclose(values, [-100.0, 0.0])


def test_the_cart_pole_is_worth_its_distance_from_the_ends():
    angle = np.radians(12.0)
    states = [[0, 0, 0, 0], [2.4, 0, 0, 0], [0, 3, angle, 1], [-2.4, 0, -angle, 0]]
    values = terminal_values.cart_pole(np.array(states, float))
    np.testing.assert_allclose(values, [40.0, 20.0, 20.0, 0.0], atol=1e-12)
