"""Whatever is public is copied and pickled: the copy is equal, and moves by itself."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium
import numpy as np
import pytest

import dynaplan as dp
from public_objects import BOX, OBJECTS, data, ensemble, kalman, linear, maze, reward

STATE = np.array([0.5, -0.5])


# Functions of a module, as pickle wants them.
def step(states: Any, actions: Any) -> Any:
    return 0.9 * states + 0.1 * actions


def pays(states: Any, actions: Any, next_states: Any) -> Any:
    return -(next_states**2).sum(axis=1)


def ends(states: Any, actions: Any, next_states: Any) -> Any:
    return np.abs(next_states[:, 0]) > 9.0


def value(states: Any) -> Any:
    return -(states**2).sum(axis=1)


def policy(states: Any) -> Any:
    return -0.1 * np.atleast_2d(states)[:, :1]


def learn(transitions: dp.Transitions, previous: Any) -> Any:
    return dp.LinearGaussian.fit(transitions)


def _pickled(thing: Any) -> Any:
    return pickle.loads(pickle.dumps(thing))


COPY: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": _pickled,
}
ways = pytest.mark.parametrize("way", COPY)


def _env() -> gymnasium.Env[Any, Any]:
    return gymnasium.make("Pendulum-v1")


def _mpc(planner: dp.Planner, **parts: Any) -> dp.MPC:
    parts = {"model": linear(), "reward": reward(), "action_space": BOX, "seed": 3} | parts
    return dp.MPC(parts.pop("model"), parts.pop("reward"), planner, **parts)


SMALL = {"horizon": 5, "candidates": 16}


def _pets(env: Any = None) -> dp.PETS:
    planner = dp.CEM(horizon=3, candidates=8, elites=2, iterations=1)
    task = dp.rewards.for_env("Pendulum-v1")
    return dp.PETS(
        env or _env(),
        learn=learn,
        reward=task,
        planner=planner,
        random_steps=30,
        episode_steps=20,
        seed=0,
    )


def _dyna() -> dp.Dyna:
    env, task = _env(), dp.rewards.for_env("Pendulum-v1")
    agent = dp.SAC(env, hidden=(8,), seed=0)
    return dp.Dyna(env, agent, learn, reward=task, random_steps=20, refit_every=20, seed=0)


def _mbpo() -> dp.MBPO:
    agent = dp.SAC(_env(), hidden=(4,), seed=0)
    return dp.MBPO(_env(), agent=agent, random_steps=20, refit_every=30, seed=0)


def _agent() -> dp.SAC:
    agent = dp.SAC(_env(), hidden=(8,), learning_starts=20, seed=0)
    return agent.learn(60)


def _envs() -> dp.ImaginedVectorEnv:
    return dp.ImaginedVectorEnv(
        ensemble(), 4, data().states, action_space=BOX, reward=reward(), max_episode_steps=7, seed=0
    )


def _rls() -> dp.RecursiveLeastSquares:
    return dp.RecursiveLeastSquares(2, 1, forgetting=0.9)


def _rls_step(rls: dp.RecursiveLeastSquares, k: int) -> Any:
    transitions = data()
    for row in range(10 * k, 10 * (k + 1)):
        one = transitions[row : row + 1]
        rls.update(one.states[0], one.actions[0], one.next_states[0])
    return rls.model().A, rls.rows


def _kalman_step(one: dp.KalmanFilter, k: int) -> Any:
    one.update([0.1 * k, np.nan])
    return one.predict([0.5]), one.covariance, one.log_likelihood


def _loop_step(loop: Any, k: int) -> Any:
    last = list(loop.run(15))[-1]
    return last.steps, last.episode_return, last.episode


def _agent_step(agent: dp.SAC, k: int) -> Any:
    return agent.act(np.ones(3)), agent.update(3).critic_loss, agent.explore()


def _table_step(agent: Any, k: int) -> Any:
    agent.learn(40)
    return agent.q, agent.steps, agent.act(3)


def _env_step(envs: dp.ImaginedVectorEnv, k: int) -> Any:
    if k == 0:
        envs.reset(seed=1)
    actions = 0.1 * k * np.ones((4, 1))
    return envs.step(actions)[:4]


def _act(mpc: dp.MPC, k: int) -> Any:
    return mpc.act(STATE * (1.0 - 0.1 * k))


# What is made, and what it does in its step k; each step depends on those before.
MOVING: dict[str, tuple[Callable[[], Any], Callable[[Any, int], Any]]] = {
    "MPC, CEM": (partial(_mpc, dp.CEM(**SMALL, elites=4)), _act),
    "MPC, ICEM": (partial(_mpc, dp.ICEM(**SMALL, elites=4)), _act),
    "MPC, MPPI": (partial(_mpc, dp.MPPI(**SMALL, effective_samples=4.0)), _act),
    "MPC, gradients": (partial(_mpc, dp.GradientPlanner(horizon=5, iterations=5)), _act),
    "MPC, ILQR": (partial(_mpc, dp.ILQR(horizon=5)), _act),
    "MPC, ILQR from CEM": (
        partial(_mpc, dp.ILQR(horizon=5, start=dp.CEM(**SMALL, elites=4))),
        _act,
    ),
    "MPC, LQR": (partial(_mpc, dp.LQR(horizon=5)), _act),
    "MPC, delayed": (partial(_mpc, dp.CEM(**SMALL, elites=4), delay_steps=2), _act),
    "MPC, replanning rarely": (partial(_mpc, dp.CEM(**SMALL, elites=4), replan_every=3), _act),
    "MPC, functions": (
        lambda: _mpc(
            dp.CEM(**SMALL, elites=4),
            model=dp.FunctionModel(step, 2, 1),
            reward=pays,
            termination=ends,
            terminal_value=value,
            policy=policy,
        ),
        _act,
    ),
    "SAC": (_agent, _agent_step),
    "DynaQ": (lambda: dp.DynaQ(maze(), planning_steps=5, seed=0), _table_step),
    "DynaQPlus": (lambda: dp.DynaQPlus(maze(), seed=0), _table_step),
    "PrioritizedSweeping": (lambda: dp.PrioritizedSweeping(maze(), seed=0), _table_step),
    "RecursiveLeastSquares": (_rls, _rls_step),
    "KalmanFilter": (kalman, _kalman_step),
    "ImaginedVectorEnv": (_envs, _env_step),
    "PETS": (_pets, _loop_step),
    "Dyna": (_dyna, _loop_step),
    "MBPO": (_mbpo, _loop_step),
}


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, tuple | list):
        return len(a) == len(b) and all(map(_same, a, b))
    return bool(np.array_equal(np.asarray(a), np.asarray(b), equal_nan=True))


@ways
@pytest.mark.parametrize("name", MOVING)
def test_a_copy_continues_alike_and_alone(name: str, way: str) -> None:
    make, move = MOVING[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dp.RankDeficientWarning)
        original, undisturbed = make(), make()
        for thing in (original, undisturbed):
            for k in range(2):
                move(thing, k)
        twin = COPY[way](original)
        assert type(twin) is type(original)
        assert twin is not original
        # The twin first and further: were anything shared, the original would have moved too.
        of_twin = [move(twin, k) for k in (2, 3)]
        of_original = [move(original, k) for k in (2, 3)]
        expected = [move(undisturbed, k) for k in (2, 3)]
    assert _same(of_original, expected)
    assert _same(of_twin, expected)


def test_a_copy_of_a_controller_has_its_own_plans() -> None:
    mpc = _mpc(dp.CEM(**SMALL, elites=4))
    mpc.act(STATE)
    twin = copy.copy(mpc)
    assert twin.last_plan is not None
    assert mpc.last_plan is not None
    twin.last_plan.actions[:] = 9.0
    assert abs(mpc.last_plan.actions).max() <= 1.0
    assert abs(mpc.act(STATE)).max() <= 1.0


# What is of no use twice, or in another process, and says so.
NOT_COPIED = {"PlannerThread": "its thread is neither copied nor pickled"}
NOT_PICKLED = {"CompiledModel": "compiled"}
# Made with a lambda, which pickle refuses by its name; cloudpickle takes it.
OF_LAMBDAS = {"Dyna", "FunctionModel", "PETS"}


@ways
@pytest.mark.parametrize("name", OBJECTS)
def test_everything_public_is_copied(name: str, way: str) -> None:
    thing = OBJECTS[name]()
    if name in NOT_COPIED:
        with pytest.raises(TypeError, match=NOT_COPIED[name]):
            COPY[way](thing)
        return
    if way == "pickle" and name in NOT_PICKLED:
        with pytest.raises(TypeError, match=NOT_PICKLED[name]):
            pickle.dumps(thing)
        return
    if way == "pickle" and name in OF_LAMBDAS:
        cloudpickle = pytest.importorskip("cloudpickle")
        twin = pickle.loads(cloudpickle.dumps(thing))
    else:
        twin = COPY[way](thing)
    assert type(twin) is type(thing)
    assert repr(twin) == repr(thing)


TERMS = {
    "quadratic": lambda: dp.rewards.quadratic([1.0, 2.0], target=[0.1, 0.2], of="state"),
    "angle": lambda: dp.rewards.angle(1.0, index=0, target=[0.1, 0.2]),
    "direction": lambda: dp.rewards.angle(1.0, cos=0, sin=1),
    "action_cost": lambda: dp.rewards.action_cost([0.1], low=[-0.5], high=[0.5]),
    "action_change_cost": lambda: dp.rewards.action_change_cost([0.1]),
    "linear": lambda: dp.rewards.linear([1.0, 2.0], offset=0.5),
    "change": lambda: dp.rewards.change(index=1, weight=2.0),
    "distance": lambda: dp.rewards.distance(1.0, indices=[0], to=[1]),
    "within": lambda: dp.rewards.within(0.5, indices=[0, 1], target=[0.0, 0.0]),
    "inside": lambda: dp.rewards.inside([-1.0, -1.0], [1.0, 1.0], bonus=2.0),
    "excess": lambda: dp.rewards.excess([1.0, 1.0], low=[-1.0, -1.0], high=[1.0, 1.0]),
    "tolerance": lambda: dp.rewards.tolerance(0, margin=0.5),
    "sum": lambda: reward() + dp.rewards.linear([0.0, 1.0]),
    "product": lambda: 2.0 * dp.rewards.tolerance(0, margin=0.5) * dp.rewards.linear([1.0, 0.0]),
    "scheduled": lambda: dp.rewards.scheduled(reward(), [1.0, 2.0, 3.0]),
    "terminal": lambda: dp.rewards.terminal(reward()),
}
SCORED = (data().states, data().actions, data().next_states, data().actions[::-1].copy())
STEPS = {"steps": np.arange(40) % 4, "horizon": 4}


@ways
@pytest.mark.parametrize("name", TERMS)
def test_a_reward_pays_the_same(name: str, way: str) -> None:
    term = TERMS[name]()
    twin = COPY[way](term)
    assert (twin(*SCORED, **STEPS) == term(*SCORED, **STEPS)).all()
    assert (twin.name, repr(twin), len(twin.parts)) == (term.name, repr(term), len(term.parts))


def test_a_reward_keeps_the_numbers_it_was_made_with() -> None:
    weights = np.array([1.0, 2.0])
    term = dp.rewards.linear(weights)
    paid = term(*SCORED)
    weights[:] = 9.0
    assert (_pickled(term)(*SCORED) == paid).all()


@pytest.mark.parametrize("env", ["InvertedDoublePendulum-v5", "Hopper-v5", "Walker2d-v5"])
def test_what_is_known_of_environments_travels(env: str) -> None:
    termination = dp.terminations.for_env(env)
    assert repr(_pickled(termination)) == repr(termination)


@pytest.mark.parametrize("make", [dp.terminations.inside, dp.terminations.outside])
def test_a_termination_ends_the_same(make: Callable[..., Any]) -> None:
    termination = make([-0.5, -0.5], [0.5, 0.5])
    assert (_pickled(termination)(*SCORED[:3]) == termination(*SCORED[:3])).all()


def test_what_is_compiled_from_python_is_compiled_again() -> None:
    pytest.importorskip("numba")
    term = dp.rewards.from_numba(pays_of_one, state_dim=2, action_dim=1)
    assert (_pickled(term)(*SCORED[:3]) == term(*SCORED[:3])).all()
    model = dp.CompiledModel.from_numba(step_of_one, 2, 1)
    of_equations = dp.discretise(rates_of_one, 0.1, state_dim=2, action_dim=1, compiled=True)
    for one in (model, of_equations):
        assert (_pickled(one).predict(*SCORED[:2]).mean == one.predict(*SCORED[:2]).mean).all()


def pays_of_one(state: Any, action: Any, next_state: Any) -> Any:
    return -abs(next_state[0]) - action[0] ** 2


def rates_of_one(state: Any, action: Any) -> Any:
    return np.cos(state[1]), state[0] * action[0]


def step_of_one(state: Any, action: Any, next_state: Any) -> None:
    next_state[0] = 0.9 * state[0] + 0.1 * action[0]
    next_state[1] = 0.9 * state[1]


def test_an_address_is_not_pickled() -> None:
    function = dp.signatures.REWARD_FLOAT64.ctypes(lambda *_: None)
    term = dp.rewards.compiled(function, state_dim=2, action_dim=1) + reward()
    with pytest.raises(TypeError, match=r"compiled.*address in this process"):
        pickle.dumps(_mpc(dp.CEM(**SMALL, elites=4), reward=term))
    assert copy.deepcopy(term) is term


class Plant:
    """An object whose own method its model calls."""

    def __init__(self) -> None:
        self.gain = 0.5
        self.model = dp.FunctionModel(self.next, 1, 1)

    def next(self, states: Any, actions: Any) -> Any:
        return self.gain * states + actions


@pytest.mark.parametrize("way", ["deepcopy", "pickle"])
def test_a_model_of_a_copied_object_calls_the_copy(way: str) -> None:
    plant = Plant()
    twin = COPY[way](plant)
    plant.gain = 9.0
    assert twin.model.predict([1.0], [0.0]).mean == pytest.approx(0.5)
    assert plant.model.predict([1.0], [0.0]).mean == pytest.approx(9.0)


class OwnModel(dp.FunctionModel):
    """A model of a class of one's own."""


class OwnRecursion(dp.RecursiveLeastSquares):
    """Likewise a recursion."""


@ways
def test_a_class_of_ones_own_stays_one(way: str) -> None:
    for thing in (OwnModel(step, 2, 1), OwnRecursion(2, 1)):
        assert type(COPY[way](thing)) is type(thing)


class PlainPendulum:
    """An environment that has Gymnasium's interface, and none of its bases."""

    def __init__(self) -> None:
        self.env = _env()
        self.observation_space = self.env.observation_space
        self.action_space = self.env.action_space

    def reset(self, **options: Any) -> Any:
        return self.env.reset(**options)

    def step(self, action: Any) -> Any:
        return self.env.step(action)


@ways
def test_a_loop_in_an_environment_without_gymnasiums_base_is_copied(way: str) -> None:
    pets = _pets(PlainPendulum())
    _loop_step(pets, 0)
    _loop_step(pets, 1)
    twin = COPY[way](pets)
    assert _same(_loop_step(twin, 2), _loop_step(pets, 2))
