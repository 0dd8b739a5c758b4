"""A valid call of the functions and classes of data, rewards, terminations, risk and rollouts."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import dynaplan as dp
from public_objects import data, ended, ensemble, learned_end, linear, long_log, reward

STATE, ACTION = [[0.0, 0.0]], [[0.0]]
STEP = {"states": STATE, "actions": ACTION, "next_states": STATE}
GOAL = {"indices": [0], "to": [1], "target": [0.0], "of": "next_state"}
BOX = {"low": [-1.0, -1.0], "high": [1.0, 1.0]}
CORNERS = {"low": [-1.0], "high": [1.0]}
DISC = {"radius": 1.0, "centre": [0.0], "to": [1]}
KEPT = {"indices": [0], "margin": 0.1, "of": "next_state"}
DIMS = {"state_dim": 2, "action_dim": 1}
DRAWN = {"propagation": "sample", "particles": 2, "seed": 0}
ROLLED = {
    "model": linear,
    "states": [0.0, 0.0],
    "actions": np.zeros((2, 3, 1)),
    "termination": partial(dp.terminations.outside, [-9.0, -9.0], [9.0, 9.0]),
    "disagreement_limit": partial(dp.DisagreementLimit, 1.0),
    "clip": 2.0,
    "dtype": np.float64,
    "threads": 1,
}
OF_DATA = {"function": lambda: lambda state, action, next_state, data: data[0], **DIMS}
OF_DATA |= {"data": np.ones(2), "dtype": np.float64}
SCALAR = {"function": lambda: lambda state, action, next_state: 0.0, **DIMS, "dtype": np.float64}


def _never() -> Any:
    return lambda state, action, next_state: False


def _compiled(kind: str) -> Any:
    signature = dp.signatures.Signature(kind, "float64")
    return signature.ctypes(lambda *_: None)


def _built(kind: str) -> dict[str, Any]:
    function = partial(_compiled, kind)
    return {"function": function, **DIMS, "dtype": np.float64, "user_data": ctypes.c_double(1.0)}


NAMED = {
    "state_names": ["x", "v"],
    "action_names": ["u"],
    "units": {"x": "m"},
    "time_step": 0.1,
    "angles": (0,),
}


def log() -> dict[str, Any]:
    """A log with a column for each argument of `read`, named by its first letter."""
    columns = {name: np.arange(4.0) for name in ("s", "a", "n", "r", "t")}
    return {**columns, "e": [0, 0, 1, 1], "ends": [0] * 4, "cuts": [0, 1, 0, 0]}


LOG = {
    "source": log,
    "states": ["s"],
    "actions": ["a"],
    "next_states": ["n"],
    "episode": "e",
    "time": "t",
    "rewards": "r",
    "terminations": "ends",
    "truncations": "cuts",
    "drop_nonfinite": False,
    "gaps": "ignore",
    "units": lambda: {"s": "m"},
    "angles": (0,),
}
LOG_OF_NUMBERS = {"source": log, "states": ["s"], "actions": ["e"], "discrete_actions": 2}

# From the name to the function and its arguments; an argument that is a function of no arguments
# is called to make it, so that nothing is fitted when this file is read.
CALLS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "DisagreementLimit": (dp.DisagreementLimit, {"limit": 1.0, "on_exceeding": "reject"}),
    "DisagreementLimit.calibrated": (
        dp.DisagreementLimit.calibrated,
        {
            "model": ensemble,
            "held_out": data,
            "quantile": 0.9,
            "on_exceeding": "stop",
            "threads": 1,
        },
    ),
    "Transitions": (
        dp.Transitions,
        {
            **STEP,
            "rewards": [0.0],
            "terminations": [False],
            "episodes": [0],
            "drop_nonfinite": False,
            "gaps": "warn",
            **NAMED,
            "known": {1: 0},
        },
    ),
    "Transitions.from_trajectories": (
        dp.Transitions.from_trajectories,
        {
            "states": [[[0.0, 0.0], [1.0, 1.0]]],
            "actions": [[[0.0]]],
            "rewards": [[0.0]],
            "terminations": [False],
            "drop_nonfinite": False,
            **NAMED,
        },
    ),
    "Transitions.from_trajectories of numbers": (
        dp.Transitions.from_trajectories,
        {"states": [[[0.0], [1.0]]], "actions": [[1]], "discrete_actions": 2},
    ),
    "Transitions.read": (dp.Transitions.read, LOG),
    "Transitions.read of numbers": (dp.Transitions.read, LOG_OF_NUMBERS),
    "Transitions.read_batches": (
        lambda **arguments: list(dp.Transitions.read_batches(**arguments)),
        {**LOG, "rows": 2},
    ),
    "Transitions.read_batches of numbers": (
        lambda **arguments: list(dp.Transitions.read_batches(**arguments)),
        LOG_OF_NUMBERS,
    ),
    "Transitions of numbers": (dp.Transitions, {**STEP, "actions": [1], "discrete_actions": 2}),
    "Transitions.concatenate": (dp.Transitions.concatenate, {"parts": lambda: [data()]}),
    "Transitions.save": (lambda path: data().save(path), {"path": lambda: None}),
    "Transitions.split": (
        lambda **arguments: data().split(**arguments),
        {"fraction": 0.5, "seed": 0},
    ),
    "Transitions.__getitem__": (lambda key: data()[key], {"key": 0}),
    "Transitions.with_history": (
        lambda **arguments: data().with_history(**arguments),
        {"states": 1, "actions": 1},
    ),
    "bands": (
        dp.bands,
        {
            **{name: ROLLED[name] for name in ("model", "states", "actions", "threads")},
            "propagation": "sample",
            "seed": 0,
        },
    ),
    "calibrate_bands": (
        dp.calibrate_bands,
        {
            "model": linear,
            "held_out": data,
            "horizon": 1,
            "propagation": "sample",
            "seed": 0,
            "threads": 1,
        },
    ),
    "Evaluation.plot": (
        lambda **arguments: dp.evaluate(linear(), data(), 3).plot(**arguments),
        {"path": lambda: None, "states": (0,), "ax": lambda: None},
    ),
    "compare": (
        dp.compare,
        {
            "models": lambda: {"linear": linear()},
            "held_out": data,
            "horizon": 3,
            "share": 0.5,
            "reference": data,
            "seed": 0,
            "threads": 1,
        },
    ),
    "diagnose": (
        dp.diagnose,
        {"data": data, "held_out": data, "time": lambda: np.arange(40.0)},
    ),
    "estimate_delays": (dp.estimate_delays, {"data": long_log, "max_delay": 2}),
    "evaluate": (
        dp.evaluate,
        {
            "model": linear,
            "held_out": data,
            "horizon": 3,
            "share": 0.5,
            "reference": data,
            "propagation": "sample",
            "seed": 0,
            "threads": 1,
        },
    ),
    "imagine": (
        dp.imagine,
        {
            "model": linear,
            "starts": STATE,
            "policy": lambda: lambda states: states[:, :1],
            "length": 2,
            "reward": reward,
            "elite_members": 1,
            "seed": 0,
            **{
                name: ROLLED[name]
                for name in ("termination", "disagreement_limit", "clip", "threads")
            },
        },
    ),
    "returns": (
        dp.returns,
        {
            **ROLLED,
            **DRAWN,
            "reward": reward,
            "risk": dp.risk.Mean,
            "discount": 0.9,
            "previous_action": [0.0],
        },
    ),
    "constraints.half_plane": (
        dp.constraints.half_plane,
        {"weights": [1.0, 0.0], "bound": 1.0, "margin": 0.1, "of": "state"},
    ),
    "constraints.inside_box": (dp.constraints.inside_box, {**CORNERS, **KEPT}),
    "constraints.inside_disc": (dp.constraints.inside_disc, {**DISC, **KEPT}),
    "constraints.inside_tube": (
        dp.constraints.inside_tube,
        {"radius": 1.0, "path": [[0.0], [1.0]], **KEPT},
    ),
    "constraints.outside_box": (dp.constraints.outside_box, {**CORNERS, **KEPT}),
    "constraints.outside_disc": (dp.constraints.outside_disc, {**DISC, **KEPT}),
    "rewards.Term.__call__": (
        dp.rewards.action_change_cost([1.0]),
        {**STEP, "previous_actions": ACTION, "steps": [0], "horizon": 3},
    ),
    "rewards.action_change_cost": (dp.rewards.action_change_cost, {"weights": [1.0]}),
    "rewards.action_cost": (
        dp.rewards.action_cost,
        {"weights": [1.0], "target": [0.0], "low": [-1.0], "high": [1.0]},
    ),
    "rewards.angle": (
        dp.rewards.angle,
        {"weight": 1.0, "cos": 0, "sin": 1, "target": 0.0, "of": "state"},
    ),
    "rewards.angle of an index": (dp.rewards.angle, {"weight": 1.0, "index": 0}),
    "rewards.change": (dp.rewards.change, {"index": 0, "weight": 1.0}),
    "rewards.compiled": (dp.rewards.compiled, _built("reward")),
    "rewards.distance": (dp.rewards.distance, {"weight": 1.0, **GOAL}),
    "rewards.excess": (dp.rewards.excess, {"weights": [1.0, 1.0], **BOX, "of": "state"}),
    "rewards.for_env": (dp.rewards.for_env, {"env": "Pendulum-v1"}),
    "rewards.from_numba": (dp.rewards.from_numba, SCALAR),
    "rewards.from_numba with data": (dp.rewards.from_numba, OF_DATA),
    "rewards.inside": (dp.rewards.inside, {**BOX, "bonus": 1.0, "of": "state"}),
    "rewards.linear": (
        dp.rewards.linear,
        {"weights": [1.0, 0.0], "offset": 0.0, "of": "next_state"},
    ),
    "rewards.path_error": (
        dp.rewards.path_error,
        {"weight": 1.0, "indices": [0], "path": [[0.0], [1.0]], "of": "state"},
    ),
    "rewards.path_progress": (
        dp.rewards.path_progress,
        {"weight": 1.0, "indices": [0], "path": [[0.0], [1.0]]},
    ),
    "rewards.quadratic": (
        dp.rewards.quadratic,
        {"weights": [1.0, 1.0], "target": [0.0, 0.0], "of": "state"},
    ),
    "rewards.scheduled": (dp.rewards.scheduled, {"term": reward, "weights": [1.0]}),
    "rewards.terminal": (dp.rewards.terminal, {"term": reward}),
    "rewards.tolerance": (
        dp.rewards.tolerance,
        {
            "index": 0,
            "margin": 1.0,
            "low": 0.0,
            "high": 0.0,
            "value_at_margin": 0.1,
            "falloff": "gaussian",
            "of": "action",
        },
    ),
    "rewards.within": (dp.rewards.within, {"radius": 1.0, **GOAL, "bonus": 1.0}),
    "risk.CVaR": (dp.risk.CVaR, {"fraction": 0.5}),
    "risk.EpistemicPenalty": (dp.risk.EpistemicPenalty, {"multiple": 1.0}),
    "rollout": (dp.rollout, {**ROLLED, **DRAWN, "out": lambda: np.empty((2, 2, 4, 2))}),
    "select": (
        dp.select,
        {
            "data": data,
            "models": lambda: {"linear": dp.LinearGaussian.fit},
            "horizon": 3,
            "share": 0.5,
            "seed": 0,
            "time_limit": 60.0,
            "threads": 1,
        },
    ),
    "signatures.Signature": (dp.signatures.Signature, {"kind": "reward", "dtype": "float32"}),
    "terminations.LearnedTermination.__call__": (
        lambda **given: dp.terminations.LearnedTermination.__call__(learned_end(), **given),
        {**STEP, "steps": [0]},
    ),
    "terminations.LearnedTermination.fit": (
        dp.terminations.LearnedTermination.fit,
        {
            "data": ended,
            "hidden": (4,),
            "angles": (0,),
            "threshold": 0.5,
            "epochs": 1,
            "seed": 0,
            "threads": 1,
        },
    ),
    "terminations.LearnedTermination.probability": (
        lambda **given: learned_end().probability(**given),
        {"next_states": STATE},
    ),
    "terminations.LearnedTermination.save": (
        lambda path: learned_end().save(path),
        {"path": lambda: None},
    ),
    "terminations.Term.__call__": (
        dp.terminations.inside([0, 0], [1, 1]),
        {**STEP, "steps": [0]},
    ),
    "terminations.compiled": (dp.terminations.compiled, _built("termination")),
    "terminations.for_env": (dp.terminations.for_env, {"env": "Pendulum-v1"}),
    "terminations.from_numba": (dp.terminations.from_numba, {**SCALAR, "function": _never}),
    "terminations.inside": (dp.terminations.inside, BOX),
    "terminations.outside": (dp.terminations.outside, BOX),
}
