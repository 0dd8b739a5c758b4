"""Models that remember their data, and controllers with them, for the tests of trust."""

from __future__ import annotations

from functools import cache

import numpy as np

import dynaplan as dp

SHORT = {"hidden": (8,), "epochs": 20, "seed": 0}
RANGE = ([0.0, -1.0], [4.0, 1.0])


def transitions(rows: int, reach: float, seed: int) -> dp.Transitions:
    """Rows of s' = s + 0.1 sin(3 s) + 0.1 a with |s| <= reach and |a| <= 1."""
    generator = np.random.default_rng(seed)
    states = generator.uniform(-reach, reach, (rows, 1))
    actions = generator.uniform(-1.0, 1.0, (rows, 1))
    noise = 0.01 * generator.normal(size=(rows, 1))
    change = 0.1 * np.sin(3.0 * states) + 0.1 * actions + noise
    return dp.Transitions(states, actions, states + change)


def counting(observed=RANGE) -> dp.FunctionModel:
    """s' = s + 1, whatever the action."""
    return dp.FunctionModel(lambda states, actions: states + 1.0, 1, 1, observed=observed)


def integrator(**given) -> dp.LinearModel:
    """s' = s + a, with data of 0 <= s <= 4 and |a| <= 1 unless it is said."""
    return dp.LinearModel([[1.0]], [[1.0]], **{"observed": RANGE} | given)


def controller(
    model, horizon=10, *, low=-1.0, high=1.0, target=0.0, planner=None, **given
) -> dp.MPC:
    reward = dp.rewards.quadratic([1.0] * model.state_dim, target=[target] * model.state_dim)
    if planner is None:
        planner = dp.CEM(horizon=horizon, candidates=60, elites=6, iterations=4, clip=None)
    return dp.MPC(model, reward, planner, action_space=([low], [high]), seed=0, **given)


@cache
def ensemble() -> dp.Ensemble:
    """Fitted to |s| <= 0.3."""
    return dp.Ensemble.fit(transitions(200, 0.3, seed=0), hidden=(16,), epochs=60, seed=0)


class Doubtful:
    """An ensemble with another limit, which pretends to be a model of one's own."""

    def __init__(self, ensemble, limit=1e-9):
        self._ensemble = ensemble
        self.observed_disagreement = limit

    def __getattr__(self, name):
        return getattr(self._ensemble, name)
