"""Valid calls of data, models, rewards and rollouts, where those of `public_calls` lack something.

As there, an argument that is a function of no arguments is called to make it. The name of a row
begins with the name of what it calls; a second row of the same goes another way.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import gymnasium
import numpy as np

import all_calls
import dynaplan as dp
from imagined_plant import Plant
from model_calls import known
from public_calls import BOX, DIMS, GOAL, STEP
from public_objects import data, ensemble, learned_end, linear, process, reward

Row = tuple[Callable[..., Any], dict[str, Any]]

POINTS = {"states": [0.0, 0.0], "actions": [0.0], "threads": 1}
OBSERVED = ([-1.0] * 3, [1.0] * 3)
ROUND = {"angles": {0: (-1.0, 1.0)}}
WEIGHTS = np.ones(40)


def on(make: Callable[[], Any], name: str) -> Callable[..., Any]:
    """A method of an object that is made for the call."""

    def call(**arguments: Any) -> Any:
        return getattr(make(), name)(**arguments)

    return call


def more(name: str, **arguments: Any) -> Row:
    """A row of the other tables with more arguments."""
    function, known = all_calls.CALLS[name]
    return function, {**known, **arguments}


def predicting(make: Callable[..., Any]) -> Callable[..., Any]:
    """Makes a model and predicts with it."""
    return lambda **arguments: make(**arguments).predict([0.0, 0.0], [0.0])


def scoring(make: Callable[..., Any]) -> Callable[..., Any]:
    """Makes a term and calls it with one step; another size is refused there."""
    return lambda **arguments: make(**arguments)(**STEP)


@cache
def mlp() -> dp.MLP:
    return dp.MLP.fit(data(), hidden=(4,), epochs=2, seed=0)


@cache
def gaussian() -> dp.GaussianMLP:
    return dp.GaussianMLP.fit(data(), hidden=(4,), epochs=2, seed=0)


def one_step(states: Any, actions: Any) -> Any:
    return 0.9 * states + 0.1 * actions


def batch_reward(states: Any, actions: Any, next_states: Any) -> Any:
    return -(next_states[:, 0] ** 2)


def batch_end(states: Any, actions: Any, next_states: Any) -> Any:
    return next_states[:, 0] > 9.0


@cache
def function_model() -> dp.FunctionModel:
    return dp.FunctionModel(one_step, 2, 1)


def compiled_dynamics() -> Any:
    return dp.signatures.DYNAMICS_FLOAT64.ctypes(lambda *_: None)


@cache
def compiled_model() -> dp.CompiledModel:
    return dp.CompiledModel(compiled_dynamics(), 2, 1)


@cache
def bare_network() -> Any:
    """An ONNX graph of two layers from three inputs to two outputs."""
    from onnx import TensorProto, helper, numpy_helper

    arrays = {"w": np.ones((4, 3)), "b": np.zeros(4), "v": np.ones((2, 4)), "c": np.zeros(2)}
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["h"], transB=1),
        helper.make_node("Tanh", ["h"], ["g"]),
        helper.make_node("Gemm", ["g", "v", "c"], ["y"], transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array.astype(np.float32), name) for name, array in arrays.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def recursive() -> dp.RecursiveLeastSquares:
    return dp.RecursiveLeastSquares(2, 1)


def end() -> dp.terminations.Term:
    return dp.terminations.outside([-9.0, -9.0], [9.0, 9.0])


def _fits() -> dict[str, Row]:
    shared: dict[str, Any] = {
        "angles": (),
        "patience": 5,
        "improvement": 0.01,
        "progress": lambda: lambda epoch, training, held_out: None,
    }
    of_ensemble = {"warm_up": 1, "bootstrap": True, "probabilistic": True}
    fits = {
        "MLP.fit": more("MLP.fit", **shared),
        "GaussianMLP.fit": more("GaussianMLP.fit", **shared, warm_up=1),
        "Ensemble.fit": more("Ensemble.fit", **shared, **of_ensemble),
    }
    rows = dict(fits)
    earlier = {"MLP.fit": mlp, "GaussianMLP.fit": gaussian, "Ensemble.fit": ensemble}
    for name, (function, arguments) in fits.items():
        others = {"held_out": data, "weight_decay": (1e-4, 1e-4), "angles": (1,)}
        rows[f"{name} with other held-out data"] = function, {**arguments, **others}
        others = {"initial": earlier[name], "prior": None, "rewards": name == "Ensemble.fit"}
        rows[f"{name} from another"] = function, {**arguments, **others}
    return rows


def _models() -> dict[str, Row]:
    rows: dict[str, Row] = {}
    makers = {
        "LinearGaussian": linear,
        "LinearModel": lambda: dp.LinearModel(np.eye(2), np.ones((2, 1)), noise=np.ones(2)),
        "GaussianProcess": process,
        "MLP": mlp,
        "GaussianMLP": gaussian,
        "Ensemble": ensemble,
        "FunctionModel": function_model,
        "CompiledModel": compiled_model,
    }
    for name, make in makers.items():
        rows[f"{name}.predict"] = on(make, "predict"), POINTS
        rows[f"{name}.sample"] = on(make, "sample"), {**POINTS, "seed": 0}
        rows[f"{name}.with_jacobians"] = on(make, "with_jacobians"), POINTS
        if name in {"LinearGaussian", "GaussianProcess", "GaussianMLP", "Ensemble"}:
            arguments = {"held_out": data, "level": 0.9, "threads": 1}
            rows[f"{name}.calibrated"] = on(make, "calibrated"), arguments
        if name not in {"FunctionModel", "CompiledModel"}:
            rows[f"{name}.save"] = on(make, "save"), {"path": "a.model"}
    return rows


def _of_functions() -> dict[str, Row]:
    """Rows that take Python functions where `public_calls` has terms."""
    functions = {"reward": lambda: batch_reward, "termination": lambda: batch_end}
    evaluated = {name: value for name, value in more("evaluate")[1].items() if name != "model"}
    return {
        "evaluate a function": (dp.evaluate, {**evaluated, "model": function_model}),
        "imagine with functions": more("imagine", **functions),
        "imagine with a compiled policy": more(
            "imagine", policy=lambda: dp.SAC(box_env(), hidden=(4,), seed=0)
        ),
        "returns of functions": more("returns", **functions, model=function_model),
        "returns of an ensemble": more("returns", model=ensemble, propagation="tsinf"),
        "rollout of a function": more(
            "rollout", model=function_model, termination=functions["termination"]
        ),
        "FunctionModel": (
            predicting(dp.FunctionModel),
            {
                "function": lambda: one_step,
                "state_dim": 2,
                "action_dim": 1,
                "observed": OBSERVED,
                **ROUND,
            },
        ),
        "FunctionModel.from_equations": (
            predicting(dp.FunctionModel.from_equations),
            {**DIMS, "function": lambda: one_state, "observed": OBSERVED, **ROUND},
        ),
        "CompiledModel": (
            predicting(dp.CompiledModel),
            {
                "function": compiled_dynamics,
                "state_dim": 2,
                "action_dim": 1,
                "dtype": np.float64,
                "user_data": np.zeros(2),
                "owner": "kept",
                "observed": OBSERVED,
                **ROUND,
            },
        ),
    }


def box_env() -> Any:
    """An environment of two states and one action, as the models here have."""

    class Small(Plant):
        action_space = gymnasium.spaces.Box(-1.0, 1.0, (1,))

    return Small()


def _written(state: Any, action: Any, next_state: Any, data: Any) -> None:
    next_state[0] = state[0]


def one_state(state: Any, action: Any) -> Any:
    place, speed = state
    return 0.9 * place + 0.1 * speed, 0.9 * speed + action[0]


def _of_numba() -> dict[str, Row]:
    scalar = {**DIMS, "dtype": np.float64, "data": np.zeros(2)}
    number: Any = lambda: lambda state, action, next_state, data: 0.0  # noqa: E731
    truth: Any = lambda: lambda state, action, next_state, data: state[0] > 9.0  # noqa: E731
    written: Any = lambda: _written  # noqa: E731
    return {
        "rewards.from_numba": (dp.rewards.from_numba, {**scalar, "function": number}),
        "terminations.from_numba": (dp.terminations.from_numba, {**scalar, "function": truth}),
        "CompiledModel.from_equations, by numba": (
            predicting(dp.CompiledModel.from_equations),
            {
                **DIMS,
                "dtype": np.float64,
                "function": lambda: one_state,
                "observed": OBSERVED,
                **ROUND,
            },
        ),
        "CompiledModel.from_numba": (
            dp.CompiledModel.from_numba,
            {**scalar, "function": written, "observed": OBSERVED, **ROUND},
        ),
    }


MODEL_CALLS: dict[str, Row] = {
    **_fits(),
    **_models(),
    **_of_functions(),
    **_of_numba(),
    "LinearGaussian": (
        predicting(dp.LinearGaussian),
        {
            "fit": lambda: linear()._fit,
            "features": dp.Identity,
            "settings": ("change", True, 0.0, 0.0),
            "calibration": np.ones(2),
            "band_factors": lambda: {"sample": np.ones((3, 2))},
            "prior": known,
            "angle_inputs": lambda: linear()._angle_inputs,
        },
    ),
    "GaussianProcess": (
        predicting(dp.GaussianProcess),
        {
            "fit": lambda: process()._fit,
            "calibration": np.ones(2),
            "band_factors": lambda: {"sample": np.ones((3, 2))},
            "prior": known,
            "angle_inputs": lambda: process()._angle_inputs,
        },
    ),
    "MLP": (predicting(dp.MLP), {"fitted": lambda: mlp()._fitted()}),
    "GaussianMLP": (predicting(dp.GaussianMLP), {"fitted": lambda: gaussian()._fitted()}),
    "Ensemble": (predicting(dp.Ensemble), {"fitted": lambda: ensemble()._fitted()}),
    "LinearGaussian.fit": more("LinearGaussian.fit", weights=WEIGHTS),
    "LinearGaussian.fit of squares": more(
        "LinearGaussian.fit",
        features=partial(dp.Polynomial, 2),
        ridge=0.1,
        target="absolute",
        prior=None,
    ),
    "LinearGaussian.updated": (
        on(linear, "updated"),
        {"data": data, "weights": WEIGHTS, "threads": 1},
    ),
    "LinearGaussian.merged": (on(linear, "merged"), {"other": linear}),
    "MLP.from_onnx": (
        predicting(dp.MLP.from_onnx),
        {"model": bare_network, "units": dp.NetworkUnits},
    ),
    "MLP.from_onnx with its own units": (
        predicting(dp.MLP.from_onnx),
        {"model": lambda: mlp().to_onnx()},
    ),
    "NetworkUnits": (
        lambda **arguments: dp.MLP.from_onnx(bare_network(), dp.NetworkUnits(**arguments)),
        {
            "angles": (),
            "rewards": False,
            "input_mean": np.zeros(3),
            "input_scale": np.ones(3),
            "target_mean": np.zeros(2),
            "target_scale": np.ones(2),
        },
    ),
    "RecursiveLeastSquares.from_model": (
        dp.RecursiveLeastSquares.from_model,
        {"model": linear, "forgetting": 0.9, "forgetting_kind": "directional"},
    ),
    "RecursiveLeastSquares.update": (
        on(recursive, "update"),
        {"state": [0.1, 0.2], "action": [0.3], "next_state": [0.1, 0.2]},
    ),
    "Polynomial": (
        lambda **arguments: dp.LinearGaussian.fit(data(), features=dp.Polynomial(**arguments)),
        {"degree": 2},
    ),
    "Transitions.save": (on(data, "save"), {"path": "a.transitions"}),
    "Transitions.concatenate": (dp.Transitions.concatenate, {"parts": lambda: [data(), data()]}),
    "Transitions.__getitem__ of indices": (lambda key: data()[key], {"key": [0, 1]}),
    "Transitions.__add__": (lambda other: data() + other, {"other": data}),
    "rewards.Term": (
        scoring(dp.rewards.Term),
        {"recipe": lambda: reward()._recipe, "name": "term", "parts": (), "text": "t"},
    ),
    "rewards.Term.__add__": (lambda other: reward() + other, {"other": reward}),
    "rewards.Term.__radd__": (lambda other: other + reward(), {"other": reward}),
    "rewards.Term.__mul__": (lambda other: reward() * other, {"other": 2.0}),
    "rewards.Term.__mul__ of terms": (lambda other: reward() * other, {"other": reward}),
    "rewards.Term.__rmul__": (lambda other: other * reward(), {"other": 2.0}),
    "rewards.compiled": more("rewards.compiled", owner="kept"),
    "terminations.compiled": more("terminations.compiled", owner="kept"),
    "rewards.scheduled": (
        lambda **arguments: dp.rewards.scheduled(**arguments)(**STEP, steps=[0]),
        {"term": reward, "weights": [1.0, 2.0]},
    ),
    "rewards.quadratic of a matrix": (
        scoring(dp.rewards.quadratic),
        {"weights": np.eye(2), "target": np.zeros((1, 2)), "of": "next_state"},
    ),
    "rewards.distance to a target": (
        scoring(dp.rewards.distance),
        {"weight": 1.0, **{name: GOAL[name] for name in ("indices", "target", "of")}},
    ),
    "rewards.inside, scored": (scoring(dp.rewards.inside), {**BOX, "bonus": 1.0, "of": "state"}),
    "terminations.LearnedTermination": (
        scoring(dp.terminations.LearnedTermination),
        {"fitted": lambda: learned_end()._recipe},
    ),
    "terminations.LearnedTermination.save": (on(learned_end, "save"), {"path": "a.termination"}),
    "terminations.Term": (
        scoring(dp.terminations.Term),
        {"recipe": lambda: end()._recipe, "text": "t"},
    ),
    "terminations.outside, called": (scoring(dp.terminations.outside), BOX),
    "with_jacobians of a function": (
        dp.with_jacobians,
        {"model": function_model, "states": [0.0, 0.0], "actions": [0.0], "threads": 1},
    ),
}
