"""Environments for agents, so small that everything about them is known."""

from __future__ import annotations

import gymnasium as gym
import numpy as np

import dynaplan as dp


class Follow(gym.Env):
    """Ten steps an episode; the best action cancels the state: a = -3 s, which pays 0 always.

    The action space is lopsided on purpose: from -4 to 2.
    """

    observation_space = gym.spaces.Box(-1.0, 1.0, (1,))
    action_space = gym.spaces.Box(-4.0, 2.0, (1,))

    def __init__(self, terminates=False):
        self.terminates = terminates
        self.acted = []

    def _observe(self):
        self.state = self.np_random.uniform(-0.6, 1.0, size=1).astype(np.float32)
        return self.state

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return self._observe(), {}

    def step(self, action):
        assert self.action_space.contains(action)
        self.acted.append(float(action[0]))
        reward = -float((action[0] / 3.0 + self.state[0]) ** 2)
        self.steps += 1
        over = self.steps == 10
        return self._observe(), reward, over and self.terminates, over and not self.terminates, {}


def agent(states=3, actions=2, **settings):
    """An agent for an environment that is nothing but its spaces; actions go from -2 to 3."""

    class Spaces(gym.Env):
        observation_space = gym.spaces.Box(-np.inf, np.inf, (states,))
        action_space = gym.spaces.Box(-2.0, 3.0, (actions,))

    chosen = {"hidden": (16, 16), "batch_size": 70, "seed": 5, "buffer_size": 5000} | settings
    return dp.SAC(Spaces(), **chosen)


def transitions(rows, states=3, actions=2, seed=0):
    """Arguments of `observe`: random ones, a tenth of them the ends of episodes."""
    generator = np.random.default_rng(seed)
    return (
        generator.normal(size=(rows, states)),
        generator.uniform(-2.0, 3.0, size=(rows, actions)),
        generator.normal(size=rows),
        generator.normal(size=(rows, states)),
        generator.random(rows) < 0.1,
    )
