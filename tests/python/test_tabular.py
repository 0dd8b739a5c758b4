"""Agents with tables: the book's algorithms to the bit, any Gymnasium environment, bad input."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.envs import toy_text
from gymnasium.spaces import Box, Discrete, MultiDiscrete
from hypothesis import given, settings
from hypothesis import strategies as st

import dynaplan as dp
from dynaplan.envs.mazes import Maze
from reference import tabular as book

SMALL = ("S..", ".#.", "..G")
SETTINGS = {"learning_rate": 0.3, "discount": 0.9, "exploration": 0.2}
AGENTS: dict[str, Callable[..., Any]] = {
    "DynaQ": dp.DynaQ,
    "DynaQPlus": dp.DynaQPlus,
    "PrioritizedSweeping": dp.PrioritizedSweeping,
}


def play(agent: Any, env: gymnasium.Env[Any, Any], steps: int) -> list[int]:
    """The actions of an agent that is called step by step."""
    actions = []
    state, _ = env.reset(seed=0)
    for _ in range(steps):
        action = agent.act(state)
        actions.append(int(action))
        next_state, reward, terminated, truncated, _ = env.step(action)
        agent.observe(state, action, float(reward), next_state, terminated)
        state = env.reset()[0] if terminated or truncated else next_state
    return actions


def table(twin: book.QLearning, shape: tuple[int, int]) -> np.ndarray[Any, Any]:
    return np.array([[twin.q[s, a] for a in range(shape[1])] for s in range(shape[0])])


class Slippery(gymnasium.Env[Any, Any]):
    """Six states, three actions, random outcomes: the model's pairs change where they lead."""

    observation_space = Discrete(6)
    action_space = Discrete(3)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        self.state = 0
        return 0, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        self.state = int(self.np_random.integers(6))
        reward = float(self.np_random.normal()) + action
        return self.state, reward, self.np_random.random() < 0.1, False, {}


@pytest.mark.parametrize("seed", [0, 2**63 + 12345])
@pytest.mark.parametrize("env", [lambda: Maze(SMALL), Slippery], ids=["maze", "slippery"])
def test_without_planning_it_is_q_learning_to_the_bit(env: Callable[[], Any], seed: int) -> None:
    agent = dp.DynaQ(env(), planning_steps=0, seed=seed, **SETTINGS)
    twin = book.QLearning(agent.q.shape[1], *SETTINGS.values(), seed)
    assert play(agent, env(), 2000) == play(twin, env(), 2000)
    assert np.array_equal(agent.q, table(twin, agent.q.shape))
    assert np.abs(agent.q).max() > 0.0
    assert agent.steps == agent.updates == 2000


@pytest.mark.parametrize("env", [lambda: Maze(SMALL), Slippery], ids=["maze", "slippery"])
@pytest.mark.parametrize(
    ("name", "extra", "twin_class", "twin_extra"),
    [
        ("DynaQ", {}, book.DynaQ, {}),
        ("DynaQPlus", {"bonus": 0.03}, book.DynaQPlus, {"kappa": 0.03}),
        ("PrioritizedSweeping", {"threshold": 1e-3}, book.PrioritizedSweeping, {"theta": 1e-3}),
    ],
)
def test_planning_is_the_books_to_the_bit(
    env: Callable[[], Any], name: str, extra: dict[str, float], twin_class: Any, twin_extra: Any
) -> None:
    agent = AGENTS[name](env(), planning_steps=7, seed=5, **SETTINGS, **extra)
    twin = twin_class(agent.q.shape[1], *SETTINGS.values(), 5, n=7, **twin_extra)
    assert play(agent, env(), 1500) == play(twin, env(), 1500)
    assert np.array_equal(agent.q, table(twin, agent.q.shape))


@pytest.mark.parametrize("name", AGENTS)
def test_values_become_those_of_the_best_way(name: str) -> None:
    # Shortest distances by dynamic programming, from the maze's own steps.
    maze = Maze(SMALL)
    extra = {"bonus": 0.0} if name == "DynaQPlus" else {}
    agent = AGENTS[name](maze, learning_rate=1.0, planning_steps=30, seed=0, **extra)
    agent.exploration = 1.0
    agent.learn(5000)
    distance = {(0, 0): 4, (0, 1): 3, (0, 2): 2, (1, 0): 3, (1, 2): 1, (2, 0): 2, (2, 1): 1}
    for (row, column), steps in distance.items():
        assert agent.q[3 * row + column].max() == pytest.approx(0.95 ** (steps - 1), rel=1e-9)


@pytest.mark.parametrize("name", AGENTS)
def test_the_compiled_run_gives_the_bits_of_the_steps_from_python(name: str) -> None:
    python, compiled = (AGENTS[name](Maze(), planning_steps=20, seed=7) for _ in range(2))
    episodes = list(python.run(4000))
    rewards, terminations = Maze().run(compiled, 4000)
    assert np.array_equal(python.q, compiled.q)
    assert (python.steps, python.updates) == (compiled.steps, compiled.updates)
    ends = np.flatnonzero(terminations) + 1
    lengths = [it.episode_steps for it in episodes if it.terminated]
    assert np.array_equal(np.diff(ends, prepend=0), lengths)
    assert rewards.sum() == sum(it.episode_return for it in episodes) == len(ends)
    assert python.act(0) == compiled.act(0)


@pytest.mark.parametrize("name", AGENTS)
def test_a_seed_gives_the_same_run_and_another_one_a_different_one(name: str) -> None:
    one, same, other = (
        AGENTS[name](Maze(), planning_steps=5, seed=seed).learn(3000).q for seed in (1, 1, 2)
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


@given(steps=st.integers(1, 300), limit=st.integers(1, 40))
@settings(max_examples=30, deadline=None)
def test_a_run_makes_exactly_the_steps_and_its_episodes_add_up(steps: int, limit: int) -> None:
    env = gymnasium.wrappers.TimeLimit(Maze(SMALL), limit)
    agent = dp.DynaQ(env, seed=0)
    episodes = list(agent.run(steps))
    assert [it.episode for it in episodes] == list(range(1, len(episodes) + 1))
    assert sum(it.episode_steps for it in episodes) == steps == agent.steps == episodes[-1].steps
    assert all(it.episode_steps <= limit for it in episodes)
    assert all(it.episode_return == it.terminated for it in episodes)


def test_a_time_limit_is_no_end() -> None:
    # Two states, never an end: the value is the geometric sum, however often the time runs out.
    class Forever(gymnasium.Env[Any, Any]):
        observation_space, action_space = Discrete(1), Discrete(1)

        def reset(self, *, seed: Any = None, options: Any = None) -> tuple[int, dict[str, Any]]:
            return 0, {}

        def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
            return 0, 1.0, False, False, {}

    env = gymnasium.wrappers.TimeLimit(Forever(), 5)
    agent = dp.DynaQ(env, discount=0.5, planning_steps=50, seed=0).learn(200)
    assert agent.q[0, 0] == pytest.approx(2.0)


def test_spaces_that_do_not_start_at_0() -> None:
    class Shifted(Maze):
        def __init__(self) -> None:
            super().__init__(SMALL)
            self.observation_space = Discrete(9, start=-4)
            self.action_space = Discrete(4, start=100)

        def reset(self, **settings: Any) -> Any:
            state, info = super().reset(**settings)
            return state - 4, info

        def step(self, action: int) -> Any:
            state, *rest = super().step(action - 100)
            return state - 4, *rest

    shifted, plain = (dp.DynaQ(env, seed=0).learn(1000) for env in (Shifted(), Maze(SMALL)))
    assert np.array_equal(shifted.q, plain.q)
    assert np.array_equal(shifted.policy(), plain.policy() + 100)
    assert np.array_equal(plain.policy(), plain.q.argmax(axis=1))
    with pytest.raises(dp.ArgumentError, match="state: got 5, must be from -4 to 4"):
        shifted.act(5)
    with pytest.raises(dp.ArgumentError, match="action: got 0, must be from 100 to 103"):
        shifted.observe(0, 0, 0.0, 0, False)
    with pytest.raises(dp.ArgumentError, match="agent: got one for"):
        Maze(SMALL).run(shifted, 1)


@pytest.mark.parametrize("name", ["FrozenLakeEnv", "TaxiEnv", "CliffWalkingEnv"])
def test_gymnasiums_own_environments(name: str) -> None:
    env = getattr(toy_text, name)()  # their ids change with Gymnasium's versions
    agent = dp.DynaQ(env, planning_steps=3, seed=0).learn(500)
    assert agent.q.shape == (env.observation_space.n, env.action_space.n)
    assert agent.steps == 500
    assert np.isfinite(agent.q).all()


def test_exploration() -> None:
    agent = dp.DynaQ(Maze(SMALL), planning_steps=0, exploration=1.0, learning_rate=1.0, seed=0)
    agent.observe(0, 3, 1.0, 1, True)
    assert agent.q[0, 3] == 1.0
    drawn = np.bincount([agent.act(0) for _ in range(4000)], minlength=4)
    assert drawn == pytest.approx(np.full(4, 1000), abs=150)  # five standard deviations
    assert {agent.act(0, explore=False) for _ in range(100)} == {3}
    agent.exploration = 0.0
    assert {agent.act(0) for _ in range(100)} == {3}
    assert agent.exploration == 0.0
    with pytest.raises(dp.ArgumentError, match="exploration"):
        agent.exploration = np.nan


@pytest.mark.parametrize("name", AGENTS)
@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"learning_rate": 0.0}, dp.ArgumentError, "learning_rate"),
        ({"learning_rate": 1.5}, dp.ArgumentError, "learning_rate"),
        ({"discount": -0.1}, dp.ArgumentError, "discount"),
        ({"discount": np.nan}, dp.ArgumentError, "discount"),
        ({"exploration": 1.1}, dp.ArgumentError, "exploration"),
        ({"planning_steps": -1}, dp.ArgumentError, "planning_steps"),
        ({"planning_steps": 2.0}, dp.ArgumentError, "planning_steps"),
        ({"seed": -1}, dp.ArgumentError, "seed"),
        ({"learning_rate": "fast"}, dp.ArgumentError, "fast"),
    ],
)
def test_a_setting_out_of_range_is_refused(
    name: str, wrong: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        AGENTS[name](Maze(SMALL), **wrong)


@pytest.mark.parametrize("value", [-1e-9, np.nan, np.inf])
def test_settings_of_one_agent_out_of_range(value: float) -> None:
    with pytest.raises(dp.ArgumentError, match="bonus"):
        dp.DynaQPlus(Maze(SMALL), bonus=value)
    with pytest.raises(dp.ArgumentError, match="threshold"):
        dp.PrioritizedSweeping(Maze(SMALL), threshold=value)
    with pytest.raises(dp.ArgumentError, match="planning_steps: got 0"):
        dp.PrioritizedSweeping(Maze(SMALL), planning_steps=0)


class Spaces(gymnasium.Env[Any, Any]):
    def __init__(self, states: Any, actions: Any) -> None:
        self.observation_space, self.action_space = states, actions


@pytest.mark.parametrize(
    ("env", "error", "message"),
    [
        ("FrozenLake-v1", TypeError, "gymnasium.make"),
        (None, TypeError, "Gymnasium environment"),
        (
            Spaces(Box(0.0, 1.0, (2,)), Discrete(2)),
            TypeError,
            "observation_space .*must be Discrete",
        ),
        (Spaces(Discrete(2), MultiDiscrete([2, 2])), TypeError, "action_space .*be Discrete"),
        (Spaces(Discrete(2**14), Discrete(2**13)), dp.ArgumentError, "at most 67108864 pairs"),
        (Spaces(Discrete(2**62), Discrete(2**62)), dp.ArgumentError, "at most 67108864 pairs"),
        (Spaces(Discrete(2, start=2**63 - 2), Discrete(2)), dp.ArgumentError, "64 bits"),
    ],
)
def test_an_environment_that_will_not_do_is_refused(
    env: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        dp.DynaQ(env)


@pytest.mark.parametrize("name", AGENTS)
@pytest.mark.parametrize(
    ("step", "message"),
    [
        ((-1, 0, 0.0, 0), "state: got -1, must be from 0 to 8"),
        ((9, 0, 0.0, 0), "state: got 9"),
        ((2**70, 0, 0.0, 0), "state: got .* integer of 64 bits"),
        ((0.0, 0, 0.0, 0), "state: got 0.0, must be an integer"),
        ((None, 0, 0.0, 0), "state: got None"),
        ((np.array([1]), 0, 0.0, 0), "state: got"),
        ((0, 4, 0.0, 0), "action: got 4, must be from 0 to 3"),
        ((0, 0, 0.0, 9), "next_state: got 9"),
        ((0, 0, np.nan, 0), "reward: got nan"),
        ((0, 0, -np.inf, 0), "reward: got -inf"),
        ((0, 0, 1e101, 0), "reward: got"),
    ],
)
def test_a_step_out_of_range_is_refused_and_changes_nothing(
    name: str, step: tuple[Any, ...], message: str
) -> None:
    agent = AGENTS[name](Maze(SMALL), seed=0).learn(50)
    before = agent.q, agent.steps, agent.updates
    with pytest.raises(dp.ArgumentError, match=message):
        agent.observe(*step, False)
    assert np.array_equal(before[0], agent.q)
    assert before[1:] == (agent.steps, agent.updates)


@pytest.mark.parametrize("state", [np.int64(4), np.uint8(4), np.array(4)])
def test_any_integer_is_a_state(state: Any) -> None:
    agent = dp.DynaQ(Maze(SMALL), seed=0)
    agent.observe(state, np.int32(2), np.float32(0.5), state, np.False_)
    assert agent.q[int(state), 2] != 0.0
    assert agent.act(state) in range(4)


@pytest.mark.parametrize("steps", [0, -1, 1.0])
def test_steps_out_of_range(steps: Any) -> None:
    agent = dp.DynaQ(Maze(SMALL))
    for run in (agent.run, agent.learn, lambda steps: Maze(SMALL).run(agent, steps)):
        with pytest.raises(dp.ArgumentError, match="steps"):
            run(steps)


def test_q_is_a_copy() -> None:
    agent = dp.DynaQ(Maze(SMALL), seed=0).learn(200)
    agent.q[:] = 9.0
    assert agent.q.max() <= 1.0


def test_two_threads_at_one_agent_are_told() -> None:
    maze = Maze()
    agent = dp.DynaQ(maze, planning_steps=2000, seed=0)
    refusals = []

    def run() -> None:
        try:
            maze.run(agent, 20_000)
        except dp.ArgumentError as error:  # the other thread was there first
            refusals.append(str(error))

    at_work = threading.Thread(target=run)
    at_work.start()
    while at_work.is_alive():
        try:
            agent.act(0)
        except dp.ArgumentError as error:
            refusals.append(str(error))
    at_work.join()
    assert set(refusals) == {"agent: in use by another thread; call it from one thread at a time"}
    assert agent.act(0) in range(4)
