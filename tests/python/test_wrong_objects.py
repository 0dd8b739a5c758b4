"""An object of one kind in place of another: a TypeError says what it was and must be."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import dynaplan as dp
from all_calls import CALLS, made
from public_objects import agent, controller, data, linear, pendulum, reward

PLANNER = dp.CEM(horizon=3, candidates=8, elites=2)


@cache
def objects() -> dict[str, Any]:
    """One of each kind."""
    return {
        "model": linear(),
        "data": data(),
        "reward": reward(),
        "termination": dp.terminations.outside([-9.0, -9.0], [9.0, 9.0]),
        "planner": PLANNER,
        "risk": dp.risk.Mean(),
        "disagreement_limit": dp.DisagreementLimit(1.0),
        "limits": dp.Limits(),
        "features": dp.Identity(),
        "agent": agent(),
        "env": pendulum(),
        "controller": controller(),
        "function": lambda *_: None,
        "class": dp.CEM,
        "array": np.zeros(2),
        "pair": ([-1.0], [1.0]),
        "text": "x",
        "number": 3,
        "namespace": SimpleNamespace(dynamics=5, state_dim=2, action_dim=1),
    }


# What each argument that is an object may be.
KINDS = {
    "agent": {"agent"},
    "callback": {"function"},
    "data": {"data"},
    "disagreement_limit": {"disagreement_limit"},
    "env": {"env"},
    "features": {"features"},
    "held_out": {"data"},
    "initial": set[str](),
    "learn": {"function"},
    "limits": {"limits"},
    "model": {"model"},
    "mpc": {"controller"},
    "other": {"model"},
    "out": {"array"},
    "planner": {"planner"},
    "progress": {"function"},
    "reference": {"data"},
    "reward": {"reward", "function"},
    "risk": {"risk"},
    "start": {"planner"},
    "term": {"reward"},
    "terminal_value": {"function"},
    "termination": {"termination", "function"},
}
# Terms may be called, and are functions to whoever asks for one; so may a schedule.
FUNCTIONS = {"callback", "learn", "progress", "terminal_value"}
# A number is a fraction of the data, a text an id.
ALSO = {"rewards.for_env-env": {"text"}, "terminations.for_env-env": {"text"}}
ALSO |= {"LinearGaussian.fit-features": {"function"}}
ALSO |= {f"{kind}.fit-held_out": {"number"} for kind in ("MLP", "GaussianMLP", "Ensemble")}
# Here these are numbers, or objects of another library.
OTHERS = {"DynaQ.observe", "SAC.observe", "MLP.from_onnx"}

ARGUMENTS = [
    pytest.param(name, argument, id=f"{name}-{argument}")
    for name, (_, arguments) in CALLS.items()
    for argument in arguments
    if argument in KINDS and "numba" not in name and name not in OTHERS
]


@pytest.mark.parametrize(("name", "argument"), ARGUMENTS)
def test_each_object_is_refused_where_another_kind_is_wanted(name: str, argument: str) -> None:
    function, arguments = CALLS[name]
    right = KINDS[argument] | ALSO.get(f"{name}-{argument}", set())
    right |= {"reward", "termination"} if argument in FUNCTIONS else set()
    for kind, wrong in objects().items():
        if kind in right:
            continue
        given = {key: made(value) for key, value in arguments.items()}
        with pytest.raises(TypeError, match=rf"^{argument}: got ") as caught:
            function(**{**given, argument: wrong})
        assert " at 0x" not in str(caught.value), kind


def test_constructors_that_are_not_for_users_say_what_is() -> None:
    for kind in (dp.MLP, dp.GaussianMLP, dp.Ensemble):
        with pytest.raises(TypeError, match=rf"fitted: got Transitions; use {kind.__name__}\.fit"):
            kind(data())
    with pytest.raises(TypeError, match=r"fit: got Transitions; use LinearGaussian\.fit"):
        dp.LinearGaussian(data(), dp.Identity(), ("change", True, 0.0))
    with pytest.raises(
        TypeError, match=r"recipe: got 3, must be made by a function of dp\.rewards"
    ):
        dp.rewards.Term(3)
    with pytest.raises(TypeError, match=r"recipe: got 3, must be made by a function of dp\."):
        dp.terminations.Term(3)


def test_a_model_of_ones_own_has_all_members() -> None:
    own = SimpleNamespace(dynamics=linear().dynamics, state_dim=2, action_dim=1)
    with pytest.raises(TypeError, match="model: got SimpleNamespace without observed_low, obs"):
        dp.rollout(own, [0.0, 0.0], np.zeros((1, 2, 1)))
    for name in ("observed_low", "observed_high"):
        setattr(own, name, getattr(linear(), name))
    with pytest.raises(TypeError, match="model: got SimpleNamespace without predict, must have"):
        dp.evaluate(own, data())
    states = dp.rollout(own, [1.0, 0.0], np.zeros((1, 2, 1)))
    np.testing.assert_array_equal(states, dp.rollout(linear(), [1.0, 0.0], np.zeros((1, 2, 1))))


def test_arithmetic_with_a_term_takes_numbers_alone() -> None:
    for wrong in ("x", None, [1.0], np.ones(2), 1j, object(), np.array([2.0])):
        with pytest.raises(TypeError, match=r"unsupported operand|can't multiply|not support"):
            reward() * wrong
        with pytest.raises(TypeError, match=r"unsupported operand|can't multiply|not support"):
            wrong * reward()
    for large in (10**400, Fraction(10**400)):
        with pytest.raises(
            dp.ArgumentError, match=r"weight: got .*, must be a number that a float"
        ):
            large * reward()
    with pytest.raises(dp.ArgumentError, match="weight: got True, must be a number"):
        True * reward()
    with pytest.raises(dp.ArgumentError, match="weight: got a masked array"):
        reward() * np.ma.masked
    assert repr(np.float32(0.5) * dp.rewards.quadratic([1.0])) == "0.5 * quadratic([1])"
    assert repr(np.array(0.5) * dp.rewards.quadratic([1.0])) == "0.5 * quadratic([1])"


def test_a_model_of_ones_own_says_what_its_dynamics_say() -> None:
    for name, wrong in (("state_dim", "x"), ("state_dim", 3), ("action_dim", 2)):
        with pytest.raises(TypeError, match=f"^model: has {name} .*, must have [12] as its"):
            dp.rollout(_own(**{name: wrong}), [0.0, 0.0], np.zeros((1, 2, 1)))
    with pytest.raises(dp.ShapeError, match=r"^model\.observed_low: got shape \(7,\)"):
        PLANNER.plan(
            _own(observed_low=np.zeros(7)), reward(), [0.0, 0.0], action_space=([-1.0], [1.0])
        )


@pytest.mark.parametrize(
    ("returned", "error", "text"),
    [
        (None, TypeError, "its predict returned None, must return a Prediction"),
        ((1, 2, 3), TypeError, "its predict returned"),
        (linear().predict([0.0, 0.0], [0.0]), dp.ShapeError, "its predict returned shape"),
    ],
)
def test_what_a_model_of_ones_own_predicts_is_a_prediction(
    returned: Any, error: type[Exception], text: str
) -> None:
    own = _own(predict=lambda states, actions, threads=1: returned)
    with pytest.raises(error, match=f"^model: {text}"):
        dp.evaluate(own, data())
    with pytest.raises(error, match=f"^model: {text}"):
        PLANNER.plan(
            own,
            reward(),
            [0.0, 0.0],
            action_space=([-1.0], [1.0]),
            policy=lambda states: states[:, :1],
            policy_candidates=2,
        )


def _own(**members: Any) -> SimpleNamespace:
    """A model that is not one of the package's, but for its dynamics."""
    names = ("dynamics", "state_dim", "action_dim", "observed_low", "observed_high", "predict")
    return SimpleNamespace(**{**{name: getattr(linear(), name) for name in names}, **members})


def test_a_compiled_function_is_made_a_term_first() -> None:
    compiled = dp.signatures.REWARD_FLOAT64.ctypes(lambda *_: None)
    sequences = np.zeros((1, 2, 1))
    with pytest.raises(TypeError, match=r"reward: got a compiled function, must go by rewards\.co"):
        dp.returns(linear(), compiled, [0.0, 0.0], sequences)
    with pytest.raises(TypeError, match=r"termination: got a compiled function, must go by term"):
        dp.rollout(linear(), [0.0, 0.0], sequences, termination=compiled)
