"""The public names, how a wrong argument is answered, and how objects print."""

from __future__ import annotations

import ast
import importlib
import inspect
import pickle
import pkgutil
import re
from pathlib import Path

import numpy as np
import pytest

import dynaplan as dp
from public_objects import OBJECTS, controller, data, linear, plan, reward

INTERFACES = {"Agent", "Learner", "Model", "Planner", "Reward", "Risk", "Termination"}


def test_the_directory_is_the_list_of_public_names():
    assert dir(dp) == sorted(dp.__all__)
    assert len(set(dp.__all__)) == len(dp.__all__)
    for name in dp.__all__:
        assert getattr(dp, name) is not None, name
    assert set(dp.__all__) >= INTERFACES


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'TYPE_CHECKER'"):
        dp.TYPE_CHECKER  # noqa: B018


def test_no_name_is_both_a_module_and_something_else():
    optional = {"torch", "onnx", "stable_baselines3", "tensorboardX", "numba", "pyarrow", "h5py"}
    clashes = []
    for found in pkgutil.walk_packages(dp.__path__, "dynaplan."):
        if "_core" in found.name or found.name.endswith("__main__"):
            continue
        try:
            module = importlib.import_module(found.name)
        except ImportError as error:  # of an extra that is not installed
            if any(package in str(error) for package in optional):
                continue
            raise
        parent, _, name = found.name.rpartition(".")
        if getattr(importlib.import_module(parent), name, module) is not module:
            clashes.append(found.name)
    assert not clashes


def test_messages_of_what_users_get_wrong_most():
    model = linear()
    with pytest.raises(TypeError, match="model: got list, must be a model"):
        dp.evaluate([model, model], data())
    with pytest.raises(TypeError, match="model: got the class LinearGaussian, must be a model"):
        dp.rollout(dp.LinearGaussian, [0.0, 0.0], np.zeros((1, 2, 1)))
    with pytest.raises(TypeError, match="reference: got 'x', must be Transitions"):
        dp.evaluate(model, data(), reference="x")
    with pytest.raises(TypeError, match="weights: got 'a', must be real numbers"):
        dp.rewards.quadratic("a")
    with pytest.raises(TypeError, match="states: got 'a', must be real numbers"):
        dp.Transitions("a", [[0.0]], [[0.0]])
    with pytest.raises(dp.ArgumentError, match="seed: got True, must be an integer"):
        dp.returns(model, reward(), [0.0, 0.0], np.zeros((1, 2, 1)), seed=True)


ABSTRACT = {"Agent", "Model", "Planner", "Risk"}


def test_every_public_class_has_an_example():
    classes = {
        name
        for name in dp.__all__
        if inspect.isclass(getattr(dp, name)) and not issubclass(getattr(dp, name), Exception)
    }
    assert classes - ABSTRACT <= set(OBJECTS)


@pytest.mark.parametrize("name", OBJECTS)
def test_the_repr_is_one_short_line(name):
    text = repr(OBJECTS[name]())
    assert text.startswith(name.rpartition(".")[2] + "(")
    assert text.endswith(")")
    assert len(text) < 200
    assert "\n" not in text
    assert " at 0x" not in text
    assert "array(" not in text


def test_planners_print_what_is_not_the_default():
    assert repr(dp.CEM(horizon=7, threads=2)) == "CEM(horizon=7, candidates=500, threads=2)"
    shown = repr(dp.CEM(horizon=7, initial_std=0.50000001))
    assert shown == "CEM(horizon=7, candidates=500, initial_std=0.50000001)"
    assert repr(dp.CategoricalCEM(actions=[[-1.0], [1.0]])).startswith(
        "CategoricalCEM(actions=[[-1], [1]], horizon=20"
    )
    assert "CEM(horizon=6, candidates=32, elites=4)" in repr(controller())


def test_rewards_read_as_sums():
    quadratic, cost = dp.rewards.quadratic([1.0, 0.5]), dp.rewards.action_cost([0.1], low=[-1.0])
    assert repr(quadratic + cost) == "quadratic([1, 0.5]) + action_cost([0.1], low=[-1])"
    assert repr(2 * (quadratic + cost)) == f"2 * ({quadratic!r} + {cost!r})"
    assert repr(quadratic * cost) == f"{quadratic!r} * {cost!r}"
    assert repr(dp.rewards.quadratic(np.eye(7), of="state")) == "quadratic(<7x7>, of='state')"
    assert repr(dp.rewards.terminal(quadratic)) == "terminal(quadratic([1, 0.5]))"
    assert repr(dp.rewards.scheduled(cost, [0.0, 1.0])).endswith("low=[-1]), [0, 1])")
    assert len(repr(sum([quadratic] * 40, start=cost))) < 200
    assert repr(dp.terminations.outside([-1.0], [np.inf])) == "outside([-1], [inf])"


@pytest.mark.parametrize("env", ["Pendulum-v1", "Pusher-v5", "dm_control/cartpole-swingup"])
def test_known_rewards_print_shortly(env):
    assert re.fullmatch(r"[\w(\[<].{20,198}", repr(dp.rewards.for_env(env)))


def test_a_plan_prints_in_a_dozen_lines():
    lines = str(plan()).splitlines()
    assert lines[0].startswith("plan of 6 steps: value -")
    assert "160 candidates in 5 iterations" in lines[1]
    assert lines[2].split() == ["step", "action", "0", "state", "0", "state", "1"]
    first = lines[3].split()
    assert first == ["0", f"{plan().actions[0, 0]:.4g}", "0.5", "-0.5"]
    assert lines[-1].split()[0] == "6"
    assert len(lines) <= 12

    wide = plan()._replace(actions=np.zeros((50, 9)), states=np.ones((51, 17)))
    lines = str(wide).splitlines()
    assert len(lines) <= 12
    assert max(map(len, lines)) <= 120
    assert [line.split()[0] for line in lines[3:]] == ["0", "1", "2", "3", "4", "25", "49", "50"]


def test_a_prediction_is_still_a_tuple_and_pickles():
    prediction = linear().predict([0.0, 0.0], [0.0])
    mean, _, _ = prediction
    assert mean is prediction.mean
    again = pickle.loads(pickle.dumps(prediction))
    np.testing.assert_array_equal(again.mean, mean)


def test_names_imported_on_first_use_are_those_that_type_checkers_see() -> None:
    tree = ast.parse(Path(dp.__file__).read_text(encoding="utf-8"))
    checked = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.name: f"{node.module}".removeprefix("dynaplan").lstrip(".")
        for node in checked.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    modules = {name: path.rpartition(".")[0] for name, path in dp._MODULES.items()}
    assert seen == {**dp._HOMES, **modules}
    assert {*seen, "__version__", "build_info"} == set(dp.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        dp.nothing  # noqa: B018
