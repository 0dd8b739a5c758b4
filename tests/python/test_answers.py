"""What an environment answers: the same is taken and refused, by name, in every loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete

import dynaplan as dp


class Plant(gym.Env[Any, Any]):
    """Two states that go to 0; every answer can be replaced."""

    observation_space = Box(-np.inf, np.inf, (2,), np.float64)
    action_space = Box(-1.0, 1.0, (1,), np.float32)
    first: Any = np.ones(2)

    def __init__(self, **answers: Any) -> None:
        self.answers = {"observation": None, "reward": -1.0, "terminated": False, **answers}
        self.count = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.state = self.np_random.normal(size=2)
        answer = self.state if self.answers["observation"] is None else self.answers["observation"]
        return self.answers.get("reset", (answer, {}))

    def step(self, action: Any) -> Any:
        self.count += 1
        self.state = 0.9 * self.state + 0.1 * np.asarray(action)
        observation, reward, terminated = (self.answers[name] for name in self.NAMES)
        observation = self.state if observation is None else observation
        truncated = self.answers.get("truncated", self.count % 10 == 0)
        return self.answers.get("step", (observation, reward, terminated, truncated, {}))

    NAMES = ("observation", "reward", "terminated")


class Table(Plant):
    """The same with numbers for states and actions."""

    observation_space = Discrete(4)
    action_space = Discrete(2)

    def step(self, action: Any) -> Any:
        observation, reward, terminated = (self.answers[name] for name in self.NAMES)
        observation = int(action) if observation is None else observation
        truncated = self.answers.get("truncated", False)
        return self.answers.get("step", (observation, reward, terminated, truncated, {}))

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        first = 0 if self.answers["observation"] is None else self.answers["observation"]
        return self.answers.get("reset", (first, {}))


def learn(data: Any, previous: Any) -> Any:
    return dp.FunctionModel(lambda states, actions: 0.9 * states + 0.1 * actions, 2, 1)


REWARD = dp.rewards.quadratic([1.0, 1.0])
PLANNER = dp.CEM(horizon=2, candidates=8, elites=2)
LOOPS: dict[str, Callable[[Any], Any]] = {
    "collect": lambda env: dp.collect(env, 20, seed=0),
    "collect with a policy": lambda env: dp.collect(env, 20, lambda state: [0.0], seed=0),
    "PETS": lambda env: dp.PETS(
        env, learn=learn, reward=REWARD, planner=PLANNER, random_steps=10, seed=0
    ).learn(20),
    "PETS at once": lambda env: list(
        dp.PETS(env, learn=learn, reward=REWARD, planner=PLANNER, seed=0).run(
            5, data=dp.collect(Plant(), 20, seed=0)
        )
    ),
    "Dyna": lambda env: dp.Dyna(
        env, dp.SAC(env, hidden=(4,), seed=0), learn, reward=REWARD, random_steps=10, seed=0
    ).learn(5),
    "SAC": lambda env: dp.SAC(env, hidden=(4,), seed=0).learn(20),
}
TABLES: dict[str, Callable[[Any], Any]] = {
    "DynaQ": lambda env: dp.DynaQ(env, seed=0).learn(20),
    "PrioritizedSweeping": lambda env: dp.PrioritizedSweeping(env, seed=0).learn(20),
}
ALL = [
    *(pytest.param(Plant, loop, id=name) for name, loop in LOOPS.items()),
    *(pytest.param(Table, loop, id=name) for name, loop in TABLES.items()),
]


@pytest.mark.parametrize(
    "answers",
    [
        {"reward": 1},
        {"reward": np.float32(1.0)},
        {"reward": np.array(1.0)},
        {"reward": np.array([1.0])},
        {"reward": [1.0]},
        {"terminated": np.False_},
        {"terminated": np.array([False]), "truncated": np.array(False)},
    ],
)
@pytest.mark.parametrize(("kind", "loop"), ALL)
def test_numbers_and_bools_of_numpy_are_taken(kind: Any, loop: Any, answers: Any) -> None:
    loop(kind(**answers))


def test_the_reward_of_an_array_is_its_entry() -> None:
    data = dp.collect(Plant(reward=np.array([2.5])), 3, seed=0)
    np.testing.assert_array_equal(data.rewards, [2.5, 2.5, 2.5])


WRONG_REWARDS = [None, "1.0", 1j, np.ones(2), [], {"a": 1}, np.ma.array([1.0], mask=True), object()]
WRONG_ENDS = [None, "False", np.nan, 0.3, 0, 1, np.int64(0), [True, False], np.ma.masked]


@pytest.mark.parametrize("reward", WRONG_REWARDS)
@pytest.mark.parametrize(("kind", "loop"), ALL)
def test_a_reward_that_is_no_number_is_refused(kind: Any, loop: Any, reward: Any) -> None:
    with pytest.raises(TypeError, match=r"^env: its reward is .*, must be a number"):
        loop(kind(reward=reward))


@pytest.mark.parametrize("name", ["terminated", "truncated"])
@pytest.mark.parametrize("value", WRONG_ENDS)
@pytest.mark.parametrize(("kind", "loop"), ALL)
def test_an_end_that_is_no_bool_is_refused(kind: Any, loop: Any, name: str, value: Any) -> None:
    with pytest.raises(TypeError, match=rf"^env: its {name} is .*, must be True or False"):
        loop(kind(**{name: value}))


@pytest.mark.parametrize("observation", ["state", 1j, np.ma.array([1.0, 2.0], mask=True), {}])
@pytest.mark.parametrize(("kind", "loop"), ALL)
def test_an_observation_of_another_kind_is_refused(kind: Any, loop: Any, observation: Any) -> None:
    with pytest.raises((TypeError, dp.ArgumentError), match=r"^env: its observation: got"):
        loop(kind(observation=observation))


@pytest.mark.parametrize("observation", [np.ones(3), np.ones((1, 2)), 1.0])
@pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS)
def test_an_observation_of_another_shape_is_refused(loop: Any, observation: Any) -> None:
    with pytest.raises(dp.ShapeError, match=r"^env: its observation has shape .* have \(2,\)"):
        loop(Plant(observation=observation))


@pytest.mark.parametrize("observation", [1.5, np.ones(2)])
@pytest.mark.parametrize("loop", TABLES.values(), ids=TABLES)
def test_an_observation_that_is_no_integer_is_refused(loop: Any, observation: Any) -> None:
    with pytest.raises(dp.ArgumentError, match=r"^env: its observation: got .* an integer"):
        loop(Table(observation=observation))


@pytest.mark.parametrize(("kind", "loop"), ALL)
def test_the_answers_of_the_old_gym_are_refused(kind: Any, loop: Any) -> None:
    with pytest.raises(TypeError, match=r"^env: its reset returned .*, must return \(observation"):
        loop(kind(reset=np.ones(2)))
    with pytest.raises(TypeError, match=r"^env: its step returned 4 values, must return \(obs"):
        loop(kind(step=(np.ones(2), 0.0, False, {})))
    with pytest.raises(TypeError, match=r"^env: its step returned None, must return"):
        loop(kind(step=None))


@pytest.mark.parametrize(
    "env", [object(), "Pendulum-v1", Plant, 3, type("Empty", (), {"observation_space": None})()]
)
@pytest.mark.parametrize("loop", [*LOOPS.values(), *TABLES.values()], ids=[*LOOPS, *TABLES])
def test_what_is_no_environment_is_refused(loop: Any, env: Any) -> None:
    with pytest.raises(TypeError, match=r"^env: got .*, must be an? .*environment"):
        loop(env)
    spaces = {"observation_space": Plant.observation_space, "action_space": Plant.action_space}
    with pytest.raises(TypeError, match=r"^env: got Bare, must be a Gymnasium environment"):
        loop(type("Bare", (), spaces)())


def test_an_action_is_refused_by_the_name_of_who_chose_it() -> None:
    class Agent:
        def act(self, states: Any) -> Any:
            return [0.0, 1.0]

        def observe(self, *transition: Any) -> None: ...
        def update(self, count: int) -> None: ...

    with pytest.raises(dp.ShapeError, match=r"^agent: got an action of shape \(2,\)"):
        dp.Dyna(Plant(), Agent(), learn, reward=REWARD, random_steps=2, seed=0).learn(5)
    with pytest.raises(dp.ShapeError, match=r"^policy: got an action of shape \(2,\)"):
        dp.collect(Plant(), 5, lambda state: [0.0, 1.0])
