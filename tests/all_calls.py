"""The tables of valid calls of all that is public, together."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import FunctionType
from typing import Any

import numpy as np

import agent_calls
import model_calls
import planner_calls
import public_calls

CALLS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    **public_calls.CALLS,
    **model_calls.CALLS,
    **planner_calls.CALLS,
    **agent_calls.CALLS,
}


def made(value: Any) -> Any:
    """The value of an argument, which a table holds as a function of no arguments at times."""
    is_maker = isinstance(value, FunctionType | partial | type) and value not in {np.float64}
    return value() if is_maker or hasattr(value, "cache_info") else value


# Arguments that take some wrong value, or refuse one without their name; a list to be emptied.
GAPS: dict[str, str] = {
    "CompiledModel": "observed",
    "CompiledModel.from_numba": "observed",
    "Ensemble.fit": "data progress",
    "FunctionModel": "function observed",
    "FunctionModel.sample": "seed",
    "GaussianMLP.fit": "data progress",
    "LinearGaussian.fit": "data features target",
    "LinearGaussian.merged": "other",
    "LinearGaussian.sample": "threads",
    "LinearGaussian.save": "path",
    "LinearGaussian.updated": "data",
    "MLP.fit": "data progress",
    "MLP.from_onnx": "model units",
    "MLP.from_torch": "module units",
    "RecursiveLeastSquares": "features target",
    "RecursiveLeastSquares.from_model": "model",
    "with_jacobians": "model",
    "MPC": "model limits terminal_value policy planner",
    "MPC.change": "model limits terminal_value policy planner",
    "Planner.plan": "model limits terminal_value policy",
    "tune": "model horizons iterations",
    "Dyna": "learn elite_members disagreement_quantile",
    "Dyna.restore": "path",
    "Dyna.run": "csv tensorboard",
    "Dyna.save": "path",
    "DynaQ": "learning_rate discount exploration",
    "DynaQ.act": "state explore",
    "DynaQ.observe": "state action reward next_state terminated",
    "DynaQ.save": "path",
    "DynaQPlus": "learning_rate discount exploration bonus",
    "ImaginedVectorEnv": "model cut_reward autoreset_mode",
    "ImaginedVectorEnv.reset": "seed options",
    "LinearSchedule": "fraction",
    "LinearSchedule.__call__": "steps",
    "MBPO": "learn elite_members disagreement_quantile angles",
    "PETS": "reward termination learn episode_steps refit_every planner random_episode_steps "
    "random_hold",
    "PETS.controller": "model",
    "PETS.run": "data",
    "PrioritizedSweeping": "learning_rate discount exploration threshold",
    "RolloutLengthSchedule.__call__": "steps",
    "SAC": "hidden activation",
    "SAC.act": "deterministic",
    "SAC.learn": "callback",
    "SAC.observe": "reward",
    "SAC.observe_imagined": "replace",
    "SAC.save": "path replay",
    "collect": "steps policy seed episode_steps",
    "collect at random": "steps hold",
    "envs.mazes.Maze": "layout changed_layout render_mode",
    "envs.mazes.Maze.step": "action",
    "mbpo_paper": "task",
    "pets_cpu": "reward termination episode_steps refit_every angles",
    "pets_paper": "reward termination task angles",
}
