"""What users' functions return: taken as it is meant, or refused by the function's name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dynaplan as dp
from public_objects import BOX, linear, reward

START, SEQUENCES = [0.0, 0.0], np.zeros((2, 3, 1))
PLANNER = dp.CEM(horizon=3, candidates=8, elites=2)

# What each function may be, how it is passed, and how many rows it is called with is up to these.
Use = Callable[[Callable[..., Any]], Any]


def plan(**given: Any) -> Any:
    problem = {"model": linear(), "reward": reward(), "state": START, "action_space": BOX}
    return PLANNER.plan(**{**problem, "seed": 0, **given})


def step(**given: Any) -> Any:
    settings = {"action_space": BOX, "reward": reward(), "seed": 0, **given}
    envs = dp.ImaginedVectorEnv(linear(), 2, [START], **settings)
    envs.reset()
    return envs.step([[0.0], [0.0]])


def imagine(policy: Any = lambda states: states[:, :1], **given: Any) -> Any:
    settings = {"reward": reward(), "seed": 0, **given}
    return dp.imagine(linear(), [START, START], policy, 2, **settings)


def model(function: Callable[..., Any]) -> dp.FunctionModel:
    return dp.FunctionModel(function, 2, 1)


def first_reward(states: Any, actions: Any, next_states: Any) -> Any:
    return next_states[:, 0]


USES: dict[str, list[Use]] = {
    "reward": [
        lambda f: dp.returns(linear(), f, START, SEQUENCES),
        lambda f: plan(reward=f),
        lambda f: dp.ILQR(horizon=3).plan(linear(), f, START, action_space=BOX, seed=0),
        lambda f: dp.MPC(linear(), f, PLANNER, action_space=BOX, seed=0).act(START),
        lambda f: imagine(reward=f),
        lambda f: step(reward=f),
    ],
    "termination": [
        lambda f: dp.rollout(linear(), START, SEQUENCES, termination=f),
        lambda f: dp.returns(linear(), reward(), START, SEQUENCES, termination=f),
        lambda f: plan(termination=f),
        lambda f: imagine(termination=f),
        lambda f: step(termination=f),
    ],
    "terminal_value": [
        lambda f: plan(terminal_value=f),
        lambda f: plan(terminal_value=f, reward=first_reward),
        lambda f: dp.MPC(
            linear(), reward(), PLANNER, action_space=BOX, terminal_value=f, seed=0
        ).act(START),
    ],
    "policy": [lambda f: plan(policy=f), lambda f: imagine(policy=f)],
    "model": [
        lambda f: dp.rollout(model(f), START, SEQUENCES),
        lambda f: model(f).predict(START, [0.0]),
        lambda f: dp.with_jacobians(model(f), START, [0.0]),
        lambda f: plan(model=model(f)),
    ],
}
EACH = [
    pytest.param(name, use, id=f"{name}-{number}")
    for name, uses in USES.items()
    for number, use in enumerate(uses)
]


def right(name: str, states: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """What a function of that name may return for these states."""
    count = len(states)
    return {
        "reward": np.zeros(count),
        "termination": np.zeros(count, np.bool_),
        "terminal_value": np.zeros(count),
        "policy": np.zeros((count, 1)),
        "model": states.copy(),
    }[name]


@pytest.mark.parametrize(("name", "use"), EACH)
def test_what_is_right_is_taken_also_as_a_list(name: str, use: Use) -> None:
    use(lambda states, *_: right(name, states))
    use(lambda states, *_: right(name, states).tolist())
    use(lambda states, *_: np.ma.array(right(name, states), mask=False))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (np.complex128, "dtype complex128 and shape"),
        (str, "dtype <U"),
        (object, "dtype object and shape"),
        ("datetime64[s]", "dtype datetime64"),
    ],
)
@pytest.mark.parametrize(("name", "use"), EACH)
def test_another_kind_is_refused_by_name(name: str, use: Use, kind: Any, text: str) -> None:
    def wrong(states: Any, *_: Any) -> Any:
        return right(name, states).astype(np.int64).astype(kind)

    with pytest.raises(TypeError, match=f"^{name}: returned {text}.*, must be (real numbers|bool)"):
        use(wrong)


@pytest.mark.parametrize(("name", "use"), EACH)
def test_what_is_no_array_of_its_shape_is_refused_by_name(name: str, use: Use) -> None:
    for returned, text in ((None, "None"), ("no", "'no'"), ({"a": 1}, "dict"), (1j, "1j")):
        with pytest.raises(TypeError, match=f"^{name}: returned {text}, must be"):
            use(lambda *_, value=returned: value)
    with pytest.raises(dp.ShapeError, match=rf"^{name}: returned shape .*, must be \("):
        use(lambda states, *_: right(name, np.tile(states, (2, 1))))
    with pytest.raises(dp.ShapeError, match=f"^{name}: the rows do not form an array"):
        use(lambda *_: [[0.0], [0.0, 1.0]])
    with pytest.raises(TypeError, match=f"^{name}: got a masked array"):
        use(lambda states, *_: np.ma.array(right(name, states), mask=True))


@pytest.mark.parametrize("value", [np.nan, 0.3, 0.0, 1.0, 0, 1, "False", np.uint8(1)])
@pytest.mark.parametrize("use", USES["termination"])
def test_a_termination_returns_bools_and_nothing_that_passes_for_them(use: Use, value: Any) -> None:
    with pytest.raises(TypeError, match=r"^termination: returned dtype .*, must be bool of shape"):
        use(lambda states, *_: np.full(len(states), value))


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("use", USES["policy"])
def test_a_policy_returns_finite_actions(use: Use, value: float) -> None:
    with pytest.raises(dp.ArgumentError, match=r"policy|action"):
        use(lambda states: np.full((len(states), 1), value))


def test_the_value_of_a_termination_counts() -> None:
    """The sum of three rewards of 1, and of the first alone where each step ends it."""

    def one(states: Any, actions: Any, next_states: Any) -> Any:
        return np.ones(len(states))

    for ended, total in ((False, 3.0), (True, 1.0)):
        found = dp.returns(
            linear(), one, START, SEQUENCES, termination=lambda s, *_, e=ended: [e] * len(s)
        )
        np.testing.assert_array_equal(found, [total, total])
