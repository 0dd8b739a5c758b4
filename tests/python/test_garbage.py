"""Cycles through the compiled core are collected by Python."""

from __future__ import annotations

import gc
import resource
import weakref
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest

import dynaplan as dp
from public_objects import BOX, data, linear, reward

STATES = data().states[:3]


class User:
    """An object of the user's, whose own methods the thing that it keeps calls."""

    kept: Any

    def step(self, states: Any, actions: Any) -> Any:
        return 0.9 * states + 0.1 * actions

    def reward(self, states: Any, actions: Any, next_states: Any) -> Any:
        return -(next_states**2).sum(axis=1)

    def ends(self, states: Any, actions: Any, next_states: Any) -> Any:
        return np.abs(next_states[:, 0]) > 9.0

    def value(self, states: Any) -> Any:
        return -(states**2).sum(axis=1)

    def policy(self, states: Any) -> Any:
        return -0.1 * np.atleast_2d(states)[:, :1]

    def learn(self, transitions: dp.Transitions, previous: Any) -> Any:
        return dp.LinearGaussian.fit(transitions)

    def on_blocks(self, *_: Any) -> None:
        """Does nothing, as a compiled function."""


def _planner(**settings: Any) -> dp.CEM:
    return dp.CEM(horizon=3, candidates=8, elites=2, iterations=1, **settings)


def _controller(model: Any = None, pays: Any = None, **parts: Any) -> dp.MPC:
    mpc = dp.MPC(model or linear(), pays or reward(), _planner(), action_space=BOX, seed=0, **parts)
    mpc.act([0.1, 0.2])
    return mpc


def _compiled(user: User, kind: str) -> Any:
    return dp.signatures.Signature(kind, "float64").ctypes(user.on_blocks)  # type: ignore[arg-type]


def _compiled_reward(user: User) -> dp.rewards.Term:
    return dp.rewards.compiled(_compiled(user, "reward"), state_dim=2, action_dim=1)


def _compiled_model(user: User) -> dp.CompiledModel:
    return dp.CompiledModel(_compiled(user, "dynamics"), 2, 1)


def _imagined_env(user: User) -> dp.ImaginedVectorEnv:
    model = dp.FunctionModel(user.step, 2, 1)
    return dp.ImaginedVectorEnv(
        model, 2, STATES, action_space=BOX, reward=user.reward, termination=user.ends
    )


def _loop(user: User) -> dp.PETS:
    pets = dp.PETS(
        gymnasium.make("Pendulum-v1"),
        learn=user.learn,
        reward=user.reward,
        planner=_planner(),
        random_steps=30,
        seed=0,
    )
    list(pets.run(32))
    return pets


def _imagining_loop(user: User) -> dp.Dyna:
    env = gymnasium.make("Pendulum-v1")
    agent = dp.SAC(env, hidden=(4,), seed=0)
    dyna = dp.Dyna(
        env, agent, user.learn, reward=user.reward, random_steps=20, refit_every=20, seed=0
    )
    list(dyna.run(25))
    return dyna


HOLDERS: dict[str, Callable[[User], Any]] = {
    "FunctionModel": lambda user: dp.FunctionModel(user.step, 2, 1),
    "dynamics of a FunctionModel": lambda user: dp.FunctionModel(user.step, 2, 1).dynamics,
    "CompiledModel": _compiled_model,
    "compiled reward": _compiled_reward,
    "compiled termination": lambda user: dp.terminations.compiled(
        _compiled(user, "termination"), state_dim=2, action_dim=1
    ),
    "sum of rewards": lambda user: _compiled_reward(user) + reward(),
    "sum of sums": lambda user: (reward() + _compiled_reward(user)) + (reward() + reward()),
    "product of rewards": lambda user: 2.0 * _compiled_reward(user) * reward(),
    "scheduled reward": lambda user: dp.rewards.scheduled(_compiled_reward(user), [1.0, 2.0]),
    "terminal reward": lambda user: dp.rewards.terminal(_compiled_reward(user)),
    "MPC, model": lambda user: _controller(dp.FunctionModel(user.step, 2, 1)),
    "MPC, compiled model": lambda user: dp.MPC(
        _compiled_model(user), reward(), _planner(), action_space=BOX
    ),
    "MPC, reward": lambda user: _controller(pays=user.reward),
    "MPC, compiled reward": lambda user: _controller(pays=_compiled_reward(user) + reward()),
    "MPC, termination": lambda user: _controller(termination=user.ends),
    "MPC, terminal value": lambda user: _controller(terminal_value=user.value),
    "MPC, policy": lambda user: _controller(policy=user.policy),
    "MPC, by derivatives": lambda user: dp.MPC(
        dp.FunctionModel(user.step, 2, 1), reward(), dp.ILQR(horizon=3), action_space=BOX
    ),
    "PlannerThread": lambda user: dp.PlannerThread(_controller(pays=user.reward), period=0.1),
    "ImaginedVectorEnv": _imagined_env,
    "PETS": _loop,
    "Dyna": _imagining_loop,
}


@pytest.mark.parametrize("name", HOLDERS)
def test_a_cycle_through_a_holder_is_collected(name: str) -> None:
    user = User()
    user.kept = HOLDERS[name](user)
    assert gc.is_tracked(user.kept)
    alive = weakref.ref(user)
    gc.collect()
    assert alive() is not None  # what is in use is not collected
    del user
    gc.collect()
    assert alive() is None


@pytest.mark.parametrize("name", HOLDERS)
def test_what_is_in_use_survives_collections(name: str) -> None:
    # A reference that the collector were shown twice would be freed while it is in use.
    user = User()
    kept = HOLDERS[name](user)
    holds = weakref.ref(user)
    del user
    for _ in range(3):
        gc.collect()
    assert holds() is not None
    repr(kept)
    del kept
    gc.collect()
    assert holds() is None


def test_functions_outlive_the_objects_they_were_given_to() -> None:
    # The dynamics and the sum alone must keep alive what they call.
    dynamics_of = dp.FunctionModel(User().step, 2, 1)
    total = _compiled_reward(User()) + dp.rewards.quadratic([1.0, 1.0])
    gc.collect()
    assert dynamics_of.predict([1.0, 2.0], [0.0]).mean == pytest.approx(np.array([[0.9, 1.8]]))
    assert total([[0, 0]], [[0]], [[1.0, 2.0]]) == pytest.approx(-5.0)


def test_dropped_controllers_leave_no_memory_behind() -> None:
    def drop(count: int) -> int:
        for _ in range(count):
            user = User()
            user.kept = _controller(dp.FunctionModel(user.step, 2, 1), user.reward)
            user.ballast = np.ones(20_000)  # type: ignore[attr-defined]  # 160 kB
        gc.collect()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    before = drop(50)
    assert drop(300) - before < 20_000  # kB; all kept would be 48,000
