"""States and actions that are not finite: refused by name wherever a model is given some."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
import pytest

import dynaplan as dp
from public_objects import BOX, data, ensemble, linear, pendulum, process, reward

PLANNER = dp.CEM(horizon=4, candidates=8, elites=2)


def decay(*block: Any) -> None:
    state, action, stride, lanes, _, after = block
    for k in range(lanes):
        after[k] = 0.5 * state[k] + action[k]
        after[stride + k] = state[stride + k]


@cache
def made(name: str) -> Any:
    fit = {"hidden": (4,), "epochs": 1, "seed": 0}
    return {
        "linear": linear,
        "polynomial": lambda: dp.LinearGaussian.fit(data(), features=dp.Polynomial(2)),
        "mlp": lambda: dp.MLP.fit(data(), activation="tanh", **fit),
        "relu": lambda: dp.MLP.fit(data(), activation="relu", **fit),
        "angles": lambda: dp.GaussianMLP.fit(data(), angles=(0,), **fit),
        "process": process,
        "ensemble": ensemble,
        "function": lambda: dp.FunctionModel(lambda s, a: 0.5 * s, 2, 1),
        "compiled": lambda: dp.CompiledModel(dp.signatures.DYNAMICS_FLOAT64.ctypes(decay), 2, 1),
    }[name]()


MODELS = ["linear", "polynomial", "process", "mlp", "relu", "angles", "ensemble", "function"]
MODELS += ["compiled"]
Call = Callable[[Any, Any, Any], Any]
BOTH: dict[str, Call] = {
    "predict": lambda model, s, a: model.predict(s, a),
    "sample": lambda model, s, a: model.sample(s, a, seed=0),
    "with_jacobians": dp.with_jacobians,
    "model.with_jacobians": lambda model, s, a: model.with_jacobians(s, a),
    "rollout": lambda model, s, a: dp.rollout(model, s, np.asarray(a)[:, None]),
    "returns": lambda model, s, a: dp.returns(model, reward(), s, np.asarray(a)[:, None]),
}
STATES: dict[str, Call] = {
    "plan": lambda model, s, a: PLANNER.plan(model, reward(), s[0], action_space=BOX, seed=0),
    "act": lambda model, s, a: dp.MPC(model, reward(), PLANNER, action_space=BOX, seed=0).act(s),
    "imagine": lambda model, s, a: dp.imagine(
        model, s, lambda states: states[:, :1], reward=reward(), seed=0
    ),
}


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("rows", [1, 30])
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("call", BOTH)
def test_the_models_all_refuse_it(name: str, call: str, rows: int, value: float) -> None:
    model = made(name)
    for argument, place in (("states", (rows - 1, 1)), ("actions", (rows - 1, 0))):
        given = {"states": np.zeros((rows, 2)), "actions": np.zeros((rows, 1))}
        BOTH[call](model, given["states"], given["actions"])
        given[argument][place] = value
        with pytest.raises(dp.ArgumentError, match=rf"^{argument}: .*{value}, must be (a )?finite"):
            BOTH[call](model, given["states"], given["actions"])


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("call", STATES)
def test_so_does_what_calls_a_model(name: str, call: str, value: float) -> None:
    states = np.zeros((2, 2))
    states[0, 1] = value
    with pytest.raises(
        dp.ArgumentError, match=rf"^(states?|starts): .*{value}, must be (a )?finite"
    ):
        STATES[call](made(name), states, None)


def test_so_does_an_agent() -> None:
    agent = dp.SAC(pendulum(), hidden=(4,), seed=0)
    for value in (np.nan, np.inf):
        with pytest.raises(dp.ArgumentError, match=r"^states: .*must be (a )?finite"):
            agent.act([0.0, value, 0.0])


# --- what a model predicts of finite numbers may diverge all the same


@np.errstate(all="ignore")
def exploding(states: Any, actions: Any) -> Any:
    """Each state grows by 1e200 where it is not 0."""
    return states * 1e200 + actions


MODEL = dp.FunctionModel(exploding, 2, 1)


def test_a_rollout_keeps_what_diverges() -> None:
    states = dp.rollout(MODEL, [1.0, 0.0], np.zeros((1, 3, 1)))[0]
    np.testing.assert_array_equal(states[:, 1], 0.0)
    np.testing.assert_array_equal(states[:, 0], [1.0, 1e200, np.inf, np.inf])


def test_a_policy_is_not_asked_about_states_that_are_not_finite() -> None:
    asked = []

    def policy(states: Any) -> Any:
        asked.append(states.copy())
        return np.full((len(states), 1), 0.25)

    tried = PLANNER.plan(
        MODEL, reward(), [1.0, 0.0], action_space=BOX, policy=policy, policy_candidates=2, seed=0
    )
    assert tried.status == "no_finite_candidate"
    assert len(asked) == 2
    assert np.isfinite(np.concatenate(asked)).all()


def test_of_several_candidates_of_a_policy_only_those_that_stay_finite_go_on() -> None:
    counts = []

    def policy(states: Any) -> Any:
        counts.append(len(states))
        return np.linspace(0.0, 1.0, len(states))[:, None]  # one stays at 0, the others explode

    plan = partial(PLANNER.plan, MODEL, dp.rewards.quadratic([1.0, 1.0]), action_space=BOX, seed=0)
    tried = plan([0.0, 0.0], policy=policy, policy_candidates=3)
    assert counts == [3, 3, 3, 1]
    assert tried.value == 0.0
    np.testing.assert_array_equal(tried.actions, 0.0)


def test_evaluate_finds_it_as_wrong_as_it_is() -> None:
    path = np.ones((6, 2))
    told = dp.evaluate(MODEL, dp.Transitions(path[:-1], np.zeros((5, 1)), path[1:]), 4)
    assert told.trusted_horizon == 0
    assert np.isinf(told.error_median).all()
    assert told.one_step_rmse == pytest.approx([1e200, 1e200])  # of squares that overflow


def test_an_imagined_step_that_diverges_is_not_taken() -> None:
    envs = dp.ImaginedVectorEnv(
        MODEL, 2, [[1.0, 1.0]], action_space=BOX, reward=reward(), clip=None, cut_reward=-7.0
    )
    envs.reset(seed=0)
    for _ in range(3):
        observations, *_ = envs.step([[0.0], [0.0]])
        assert np.isfinite(observations).all()
    made = dp.imagine(MODEL, [[1.0, 1.0]], lambda s: 0.0 * s[:, :1], 5, reward=reward(), seed=0)
    assert made.cut.all()
    assert np.isfinite(made.next_states).all()


def test_within_a_delay_it_is_said_that_the_model_diverges() -> None:
    mpc = dp.MPC(MODEL, reward(), PLANNER, action_space=BOX, delay_steps=4, seed=0)
    with pytest.raises(dp.NumericalError, match="delay_steps: under the actions already sent"):
        mpc.act([1.0, 1.0])


def test_a_closed_loop_that_diverges_is_worth_least() -> None:
    found = dp.tune(
        0.5,
        MODEL,
        reward(),
        action_space=BOX,
        states=[[1.0, 1.0]],
        horizons=(2,),
        iterations=(1,),
        time_limit=0.1,
    )
    assert found.trials[0].value == -np.inf
    assert "-inf" in str(found)
