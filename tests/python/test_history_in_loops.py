"""Loops, tuning and rewards of models with a history, each with what it must be told of it."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest

import dynaplan as dp
from reference.pushed_mass import BOX, PLACE, places, pushed


@pytest.fixture(scope="module")
def model() -> dp.LinearGaussian:
    return dp.LinearGaussian.fit(places().with_history(states=1, actions=1))


class Mass(gymnasium.Env):
    """The mass, of which the place alone is observed."""

    observation_space = gymnasium.spaces.Box(-100.0, 100.0, (1,))
    action_space = gymnasium.spaces.Box(-1.0, 1.0, (1,))

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.state = np.array([self.np_random.uniform(-1.0, 1.0), 0.0])
        return self.state[:1].astype(np.float32), {}

    def step(self, action):
        self.state = pushed(self.state, float(action[0]))
        return self.state[:1].astype(np.float32), -float(self.state[0] ** 2), False, False, {}


class Switched(Mass):
    """The same mass under three pushes."""

    action_space = gymnasium.spaces.Discrete(3)

    def step(self, action):
        return super().step([action - 1.0])


@pytest.mark.filterwarnings("ignore::dynaplan.RankDeficientWarning")
@pytest.mark.parametrize("env", [Mass(), Switched()])
def test_pets_hands_the_past_over_where_it_refits_in_an_episode(env, monkeypatch) -> None:
    starts = []
    act = dp.MPC.act

    def noted(mpc, *args, **more):
        action = act(mpc, *args, **more)
        starts.append(mpc.last_plan.states[0])
        return action

    monkeypatch.setattr(dp.MPC, "act", noted)
    is_discrete = isinstance(env, Switched)
    count = 3 if is_discrete else 1
    loop = dp.PETS(
        env,
        learn=lambda data, _: dp.LinearGaussian.fit(
            data.with_history(states=2, actions=2), ridge=1e-3
        ),
        reward=dp.rewards.quadratic([1.0] + [0.0] * (2 + 2 * count)),
        planner=(dp.CategoricalCEM if is_discrete else dp.CEM)(horizon=3, candidates=100),
        random_steps=30,
        episode_steps=15,
        refit_every=4,
        seed=0,
    )
    *_, last = loop.run(30 + 15)
    played = last.data[30:]
    seen = np.concatenate([played.states[:1]] * 3 + [played.states[1:]])
    acted = np.concatenate([np.zeros((2, count)), played.actions])
    if is_discrete:
        acted[:2] = starts[0][3:].reshape(2, count)[::-1]
    for step, start in enumerate(starts):
        lags = [*seen[step : step + 3][::-1], *acted[step : step + 2][::-1]]
        assert np.allclose(start, np.concatenate(lags), atol=1e-9)


def test_pets_learns_what_it_sees_in_part() -> None:
    loop = dp.PETS(
        Mass(),
        learn=lambda data, _: dp.LinearGaussian.fit(data.with_history(states=1, actions=1)),
        reward=PLACE,
        planner=dp.ILQR(horizon=20),
        random_steps=100,
        random_episode_steps=50,
        episode_steps=60,
        seed=0,
    )
    *_, last = loop.run(100 + 3 * 60)
    assert last.evaluation.trusted_horizon >= 10
    assert last.episode_return > -8.0


@pytest.mark.parametrize("history", [(1, 1), (2, 0), (0, 2)])
def test_a_search_is_tuned_for_a_model_with_a_history(history, monkeypatch) -> None:
    states, actions = history
    data = places().with_history(states=states, actions=actions)
    model = dp.LinearGaussian.fit(data, ridge=1e-6)
    starts = data.states[5:7]
    planned, act = [], dp.MPC.act

    def noted(mpc, *args, **more):
        action = act(mpc, *args, **more)
        planned.append(mpc.last_plan.states[0])
        return action

    monkeypatch.setattr(dp.MPC, "act", noted)
    reward = dp.rewards.quadratic([1.0] + [0.0] * (states + actions))
    found = dp.tune(
        0.5,
        model,
        reward,
        states=starts,
        action_space=BOX,
        planner=dp.CEM(horizon=5),
        horizons=(5,),
        iterations=(2,),
        time_limit=0.1,
    )
    assert np.isfinite(found.trials[0].value)
    for start in starts:  # the loops begin where they are to begin, with their past
        assert any(np.allclose(start, one, atol=1e-9) for one in planned)


def test_a_reward_of_what_is_observed_alone_is_refused_with_the_cure(model) -> None:
    observed = dp.rewards.quadratic([1.0])
    arguments = {"action_space": BOX, "seed": 0, "trust": "ignore"}
    planner = dp.CEM(horizon=5, candidates=100)
    with pytest.raises(dp.ShapeError, match=r"reward: .*must be for the model's 3; .*obs\[:, :1\]"):
        dp.MPC(model, observed, planner, **arguments).act([1.0])
    cure = dp.MPC(
        model, lambda obs, act, after: observed(obs[:, :1], act, after[:, :1]), planner, **arguments
    )
    whole = dp.MPC(model, PLACE, planner, **arguments)
    assert np.allclose(cure.act([1.0]), whole.act([1.0]), atol=1e-6)
    plain = dp.LinearModel(np.eye(3), np.ones((3, 1)))
    with pytest.raises(dp.ShapeError, match=r"must be for the model's 3$"):
        dp.MPC(plain, observed, planner, **arguments).act(np.ones(3))
