"""Valid calls of the models and their fits, as `public_calls` has of data and rewards."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np

import dynaplan as dp
from public_objects import data, ensemble, linear, process


def known() -> dp.LinearModel:
    return dp.LinearModel(np.eye(2), np.ones((2, 1)))


DIMS = {"state_dim": 2, "action_dim": 1}
ROWS = {"states": [[0.0, 0.0]], "actions": [[0.0]]}
OBSERVED = {"observed": ([-1.0, -1.0, -1.0], [1.0, 1.0, 1.0])}
ROUND = {"angles": (0,)}
REGRESSION = {"features": dp.Identity, "target": "change", "intercept": True, "ridge": 0.0}
REGRESSION |= {"threshold": 0.0}
FORGETTING = {"forgetting": 0.9, "forgetting_kind": "directional"}
TRAINING = {
    "data": data,
    "hidden": (4,),
    "activation": "silu",
    "angles": (0,),
    "rewards": False,
    "loss": "huber",
    "epochs": 1,
    "batch_size": 8,
    "learning_rate": 1e-3,
    "weight_decay": 0.0,
    "held_out": 0.2,
    "patience": 5,
    "improvement": 0.01,
    "initial": lambda: None,
    "prior": known,
    "progress": lambda: lambda *_: None,
    "seed": 0,
    "threads": 1,
}


def _step(state: Any, action: Any, next_state: Any) -> None:
    next_state[0] = 0.5 * state[0] + action[0]


def _compiled() -> Any:
    return dp.signatures.DYNAMICS_FLOAT64.ctypes(lambda *_: None)


def _rls(**arguments: Any) -> None:
    dp.RecursiveLeastSquares(2, 1).update(**arguments)


def _decay(state: Any, action: Any) -> Any:
    return 0.5 * state[0], state[1] + action[0]


CALLS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "CompiledModel": (
        dp.CompiledModel,
        {
            "function": _compiled,
            **DIMS,
            "dtype": np.float64,
            "user_data": ctypes.c_double(1.0),
            **OBSERVED,
            **ROUND,
        },
    ),
    "CompiledModel.from_numba": (
        dp.CompiledModel.from_numba,
        {"function": lambda: _step, **DIMS, "dtype": np.float64, **OBSERVED, **ROUND},
    ),
    "CompiledModel.from_equations by numba": (
        dp.CompiledModel.from_equations,
        {"function": lambda: _decay, **DIMS, "dtype": np.float64, **OBSERVED, **ROUND},
    ),
    "Ensemble.fit": (
        dp.Ensemble.fit,
        {**TRAINING, "members": 2, "probabilistic": True, "warm_up": 0, "bootstrap": True},
    ),
    "Ensemble.predict": (lambda **given: ensemble().predict(**given), {**ROWS, "threads": 1}),
    "Ensemble.sample": (
        lambda **given: ensemble().sample(**given),
        {**ROWS, "seed": 0, "threads": 1},
    ),
    "FunctionModel": (
        dp.FunctionModel,
        {"function": lambda: lambda s, a: s, **DIMS, **OBSERVED, **ROUND},
    ),
    "FunctionModel.from_equations": (
        dp.FunctionModel.from_equations,
        {"function": lambda: _decay, **DIMS, **OBSERVED, **ROUND},
    ),
    "FunctionModel.predict": (
        lambda **given: dp.FunctionModel(lambda s, a: s, 2, 1).predict(**given),
        {**ROWS, "threads": 1},
    ),
    "FunctionModel.sample": (
        lambda **given: dp.FunctionModel(lambda s, a: s, 2, 1).sample(**given),
        {**ROWS, "seed": 0, "threads": 1},
    ),
    "FunctionModel.with_jacobians": (
        lambda **given: dp.FunctionModel(lambda s, a: s, 2, 1).with_jacobians(**given),
        {**ROWS, "threads": 1},
    ),
    "GaussianMLP.fit": (dp.GaussianMLP.fit, {**TRAINING, "warm_up": 0}),
    "GaussianProcess.fit": (
        dp.GaussianProcess.fit,
        {
            "data": data,
            "prior": known,
            "max_rows": 50,
            "hyperparameter_rows": 20,
            "starts": 1,
            "seed": 0,
            "threads": 1,
        },
    ),
    "GaussianProcess.predict": (
        lambda **given: process().predict(**given),
        {**ROWS, "threads": 1},
    ),
    "GaussianProcess.sample": (
        lambda **given: process().sample(**given),
        {**ROWS, "seed": 0, "threads": 1},
    ),
    "LinearGaussian.fit": (
        dp.LinearGaussian.fit,
        {
            "data": data,
            **REGRESSION,
            "weights": np.ones(40),
            "loss": "huber",
            "prior": known,
            "threads": 1,
        },
    ),
    "LinearGaussian.calibrated": (
        lambda **given: linear().calibrated(**given),
        {"held_out": data, "level": 0.9, "threads": 1},
    ),
    "LinearGaussian.equations": (
        lambda **given: linear().equations(**given),
        {"names": ("x", "y", "u"), "precision": 3},
    ),
    "LinearGaussian.merged": (lambda other: linear().merged(other), {"other": linear}),
    "LinearGaussian.predict": (lambda **given: linear().predict(**given), {**ROWS, "threads": 1}),
    "LinearGaussian.sample": (
        lambda **given: linear().sample(**given),
        {**ROWS, "seed": 0, "threads": 1},
    ),
    "LinearGaussian.save": (lambda path: linear().save(path), {"path": lambda: None}),
    "LinearGaussian.updated": (
        lambda **given: linear().updated(**given),
        {"data": data, "weights": np.ones(40), "threads": 1},
    ),
    "LinearGaussian.with_jacobians": (
        lambda **given: linear().with_jacobians(**given),
        {**ROWS, "threads": 1},
    ),
    "LinearModel": (
        dp.LinearModel,
        {
            "A": np.eye(2),
            "B": np.ones((2, 1)),
            "c": np.zeros(2),
            "noise": np.ones(2),
            "observed": (np.zeros(3), np.ones(3)),
            **ROUND,
        },
    ),
    "LinearModel.equations": (
        lambda **given: known().equations(**given),
        {"names": ("x", "y", "u"), "precision": 3},
    ),
    "LinearModel.predict": (lambda **given: known().predict(**given), {**ROWS, "threads": 1}),
    "LinearModel.sample": (
        lambda **given: known().sample(**given),
        {**ROWS, "seed": 0, "threads": 1},
    ),
    "LinearModel.save": (lambda path: known().save(path), {"path": lambda: None}),
    "LinearModel.updated": (lambda **given: known().updated(**given), {"data": data, "rows": 10.0}),
    "LinearModel.with_jacobians": (
        lambda **given: known().with_jacobians(**given),
        {**ROWS, "threads": 1},
    ),
    "discretise": (
        dp.discretise,
        {
            "system": (np.eye(2), np.ones((2, 1))),
            "dt": 0.1,
            "method": "zoh",
            "substeps": 2,
            **OBSERVED,
            **ROUND,
        },
    ),
    "discretise of equations by numba": (
        dp.discretise,
        {
            "system": lambda: _decay,
            "dt": 0.1,
            "method": "rk4",
            "substeps": 2,
            **DIMS,
            "compiled": True,
            **OBSERVED,
            **ROUND,
        },
    ),
    "MLP.fit": (dp.MLP.fit, TRAINING),
    "MLP.from_onnx": (dp.MLP.from_onnx, {"model": lambda: None, "units": dp.NetworkUnits}),
    "MLP.from_torch": (dp.MLP.from_torch, {"module": lambda: None, "units": dp.NetworkUnits}),
    "NetworkUnits": (
        dp.NetworkUnits,
        {
            "angles": (0,),
            "rewards": False,
            "input_mean": [0.0],
            "input_scale": [1.0],
            "target_mean": [0.0],
            "target_scale": [1.0],
        },
    ),
    "Polynomial": (dp.Polynomial, {"degree": 2}),
    "RecursiveLeastSquares": (
        dp.RecursiveLeastSquares,
        {**DIMS, **REGRESSION, **FORGETTING, **ROUND, "known": {1: 0}},
    ),
    "RecursiveLeastSquares.from_model": (
        dp.RecursiveLeastSquares.from_model,
        {"model": linear, **FORGETTING},
    ),
    "RecursiveLeastSquares.update": (
        _rls,
        {"state": [0.0, 0.0], "action": [0.0], "next_state": [0.0, 0.0]},
    ),
    "with_jacobians": (dp.with_jacobians, {"model": linear, **ROWS, "threads": 1}),
}
