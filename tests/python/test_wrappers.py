"""Spaces that are neither a 1-D Box nor a Discrete: the wrapper that the refusal names works."""

from __future__ import annotations

import re

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces, wrappers
from gymnasium.spaces import Box, Dict, Discrete, MultiBinary, MultiDiscrete, Tuple

import dynaplan as dp

ROW = Box(-1.0, 1.0, (2,))
IMAGE = Box(0, 255, (40, 30, 3), np.uint8)
ACTIONS = {
    "multidiscrete": MultiDiscrete([3, 2]),
    "multidiscrete from elsewhere": MultiDiscrete([[2, 2], [1, 3]], start=[[1, 0], [0, -1]]),
    "multibinary": MultiBinary(3),
    "multibinary matrix": MultiBinary((2, 2)),
    "matrix": Box(-1.0, 1.0, (2, 3)),
    "scalar": Box(-1.0, 1.0, ()),
    "dict of boxes": Dict(arm=Box(-2.0, 2.0, (2,)), tool=Dict(grip=Box(0.0, 1.0, (1,)))),
    "tuple of boxes": Tuple((Box(-1.0, 1.0, (1,)), Box(-1.0, 1.0, (2, 2)))),
}
OBSERVATIONS = {
    "dict": Dict(image=Box(0, 255, (3, 2), np.uint8), task=Discrete(3), speed=ROW),
    "tuple": Tuple((ROW, Discrete(2))),
    "discrete": Discrete(4, start=2),
    "multidiscrete": MultiDiscrete([3, 2]),
    "multibinary": MultiBinary(3),
    "matrix": Box(-1.0, 1.0, (2, 3)),
    "scalar": Box(-1.0, 1.0, ()),
    "text": spaces.Text(4),
}


class Sampler(gymnasium.Env):
    """Shows samples of a space and takes actions of another, which it keeps."""

    def __init__(self, observation_space=ROW, action_space=ROW):
        self.observation_space = observation_space
        self.action_space = action_space
        self.observation_space.seed(0)
        self.taken = []

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.observation_space.sample(), {}

    def step(self, action):
        assert self.action_space.contains(action)
        self.taken.append(action)
        return self.observation_space.sample(), 0.0, False, False, {}


def refusal_of(action, *errors):
    with pytest.raises((TypeError, dp.ShapeError)) as raised:
        action()
    return str(raised.value)


def wrapped_as_told(text, env):
    """The environment with the wrapper whose call ends a message."""
    told = re.search(r"use (gymnasium\.wrappers\.\w+\(.*\))$", text)[1]
    names = {"gymnasium": gymnasium, "np": np, "env": env, "space": env.action_space}
    return eval(told, names)


@pytest.mark.parametrize("name", ACTIONS)
def test_actions_are_usable_with_the_wrapper_that_is_named(name):
    env = Sampler(action_space=ACTIONS[name])
    text = refusal_of(lambda: dp.collect(env, 3))
    assert text.startswith("env: its action_space ")
    usable = wrapped_as_told(text, env)
    data = dp.collect(usable, 300, seed=0, hold=(1, 1))
    assert len(env.taken) == 300
    assert data.actions.any(axis=0).all()
    if isinstance(usable.action_space, Discrete):  # every combination has a number, and only one
        kinds = {str(action) for action in env.taken}
        assert len(kinds) == usable.action_space.n == data.action_dim


@pytest.mark.parametrize("name", OBSERVATIONS)
def test_observations_are_usable_with_the_wrapper_that_is_named(name):
    env = Sampler(OBSERVATIONS[name])
    text = refusal_of(lambda: dp.collect(env, 3))
    assert text.startswith("env: its observation_space ")
    data = dp.collect(wrapped_as_told(text, env), 50, seed=0)
    assert data.states.std(axis=0).max() > 0.1


def test_images_are_usable_with_the_wrappers_that_are_named():
    pytest.importorskip("cv2", reason="ResizeObservation needs OpenCV")
    text = refusal_of(lambda: dp.collect(Sampler(IMAGE), 3))
    names = re.findall(r"\w+Observation", text)
    assert names == [
        "GrayscaleObservation",
        "ResizeObservation",
        "FrameStackObservation",
        "FlattenObservation",
    ]
    settings = {"ResizeObservation": {"shape": (8, 6)}, "FrameStackObservation": {"stack_size": 2}}
    env = Sampler(IMAGE)
    for name in names:
        env = getattr(wrappers, name)(env, **settings.get(name, {}))
    assert dp.collect(env, 20, seed=0).state_dim == 2 * 8 * 6


def test_images_are_told_which_wrappers_make_them_rows():
    text = refusal_of(lambda: dp.collect(Sampler(IMAGE), 3))
    names = re.findall(r"\w+Observation", text)
    assert all(hasattr(wrappers, name) for name in names)
    env = Sampler(IMAGE)
    for name in names:  # all but the one that needs another package
        if name != "ResizeObservation":
            settings = {"stack_size": 2} if name == "FrameStackObservation" else {}
            env = getattr(wrappers, name)(env, **settings)
    assert dp.collect(env, 3, seed=0).state_dim == 2 * 40 * 30


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (MultiDiscrete([100, 100]), "too many combinations .* Discrete of at most 4096"),
        (MultiBinary(20000), "too many combinations"),
        (Tuple((Discrete(2), ROW)), "TransformAction with a 1-D Box or a Discrete"),
        (Dict(a=Discrete(2)), "TransformAction with a 1-D Box or a Discrete"),
        (spaces.Text(3), "TransformAction with a 1-D Box or a Discrete"),
    ],
    ids=["multidiscrete", "multibinary", "mixed", "dict", "text"],
)
def test_other_actions_are_told_what_a_wrapper_must_do(space, message):
    with pytest.raises(TypeError, match=message):
        dp.collect(Sampler(action_space=space), 3)


@pytest.mark.parametrize(
    "space", [spaces.Sequence(Discrete(2)), spaces.Graph(ROW, None)], ids=["sequence", "graph"]
)
def test_observations_of_no_fixed_size_need_a_function(space):
    with pytest.raises(TypeError, match=r"use gymnasium\.wrappers\.TransformObservation with a f"):
        dp.collect(Sampler(space), 3)


LEARN = dp.LinearGaussian.fit
MODEL = dp.LinearModel(np.eye(2), np.ones((2, 6)))
ENTRANCES = {
    "PETS": lambda env: dp.PETS(env, learn=LEARN),
    "pets_cpu": dp.pets_cpu,
    "pets_paper": lambda env: dp.pets_paper(env, "cartpole", reward=dp.rewards.linear([1.0])),
    "SAC": dp.SAC,
    "MBPO": dp.MBPO,
    "Dyna": lambda env: dp.Dyna(env, dp.SAC(Sampler()), LEARN),
}


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_every_entrance_names_the_wrapper(entrance):
    text = refusal_of(lambda: ENTRANCES[entrance](Sampler(action_space=ACTIONS["multidiscrete"])))
    assert re.search(r"its action_space is .*gymnasium\.wrappers\.TransformAction\(env, ", text)
    text = refusal_of(lambda: ENTRANCES[entrance](Sampler(OBSERVATIONS["dict"])))
    assert re.search(r"its observation_space is .*gymnasium\.wrappers\.FlattenObservation", text)
    text = refusal_of(lambda: ENTRANCES[entrance](Sampler(IMAGE)))
    assert re.search(r"its observation_space has .*gymnasium\.wrappers\.GrayscaleObser", text)


@pytest.mark.parametrize("name", ACTIONS.keys() - {"scalar"})
def test_a_controller_names_the_wrapper_too(name):
    with pytest.raises((dp.ArgumentError, dp.ShapeError)) as raised:
        dp.MPC(MODEL, dp.rewards.linear([1.0, 1.0]), action_space=ACTIONS[name])
    assert str(raised.value).startswith("action_space: got ")
    usable = wrapped_as_told(str(raised.value), Sampler(action_space=ACTIONS[name]))
    assert usable.action_space.shape in ((), (3,), (5,), (6,))


@pytest.mark.parametrize("entrance", ["SAC", "MBPO", "Dyna"])
def test_agents_of_continuous_actions_refuse_discrete_ones(entrance):
    text = refusal_of(lambda: ENTRANCES[entrance](Sampler(action_space=Discrete(2))))
    assert "its action_space is Discrete(2), must be a Box; with discrete actions plan" in text


def test_tables_name_the_wrappers_that_discretise():
    if not hasattr(wrappers, "DiscretizeObservation"):
        pytest.skip("this Gymnasium has no wrappers that discretise")
    env = gymnasium.make("Pendulum-v1")
    with pytest.raises(TypeError, match=r"use gymnasium\.wrappers\.DiscretizeObservation\(env"):
        dp.DynaQ(env)
    env = wrappers.DiscretizeObservation(env, bins=6)
    with pytest.raises(TypeError, match=r"use gymnasium\.wrappers\.DiscretizeAction\(env, bins"):
        dp.DynaQ(env)
    agent = dp.DynaQ(wrappers.DiscretizeAction(env, bins=3), seed=0).learn(50)
    assert agent.steps == 50
    with pytest.raises(TypeError, match=r"must be Discrete; .*TransformAction\(env, "):
        dp.DynaQ(Sampler(Discrete(2), MultiDiscrete([2, 2])))
