"""The pendulum planned with costs and dynamics that users write, in each way there is."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from ctypes import CDLL
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import dynaplan as dp
from bench import workloads
from bench.case import Prepared
from bench.ours import learned_pendulum, observation, planner_of
from bench.workloads import FloatArray, PendulumPlanning

DIMS: dict[str, Any] = {"state_dim": 3, "action_dim": 1}
SOURCE = """
#include <dynaplan_functions.h>
#include <math.h>

void with_angle(const float *state, const float *action, const float *next_state, int64_t stride, int64_t lanes,
                int64_t step, void *user_data, float *reward) {
  for (int64_t k = 0; k < lanes; ++k) {
    const float angle = atan2f(state[stride + k], state[k]), speed = state[2 * stride + k], torque = action[k];
    reward[k] = -(angle * angle + 0.1f * speed * speed + 0.001f * torque * torque);
  }
}

void quadratic(const float *state, const float *action, const float *next_state, int64_t stride, int64_t lanes,
               int64_t step, void *user_data, float *reward) {
  for (int64_t k = 0; k < lanes; ++k) {
    const float away = 1.0f - state[k], side = state[stride + k], speed = state[2 * stride + k], torque = action[k];
    reward[k] = -(away * away + side * side + 0.1f * speed * speed + 0.001f * torque * torque);
  }
}
"""  # noqa: E501  # C keeps its own lines


@dataclass(frozen=True)
class CustomPlanning:
    """One plan of the pendulum and how its cost measures the way to upright."""

    planning: PendulumPlanning
    cost: str = "quadratic"


def custom_planning(cost: str) -> CustomPlanning:
    """Returns the plan of the pendulum cases with one of the costs."""
    return CustomPlanning(workloads.pendulum_planning(), cost)


def prepared(
    inputs: CustomPlanning, threads: int, reward: Any, model: Any = None, note: str = ""
) -> Prepared:
    """Returns a plan to time; the answer are returns of sequences that are the same for all."""
    learned, _, space = learned_pendulum()
    model = learned if model is None else model
    planner, state = planner_of(inputs.planning.budget, threads), observation(inputs.planning)
    memory = dp.MPC(model, reward, planner, action_space=space, seed=0)

    def plan() -> None:
        memory.reset()
        memory.act(state)

    return Prepared(plan, lambda: returns_of(model, reward, state, np.float32), note=note)


def returns_of(model: Any, reward: Any, state: FloatArray, dtype: Any) -> FloatArray:
    """Returns (200,) returns of fixed torques over 30 steps."""
    actions = np.random.default_rng(23).uniform(-2.0, 2.0, size=(200, 30, 1))
    return np.asarray(dp.returns(model, reward, state, actions, dtype=dtype))


def error_of(inputs: CustomPlanning, answer: FloatArray) -> float:
    """Returns the largest relative difference from the built-in terms in float64."""
    model = known_pendulum() if inputs.cost == "dynamics" else learned_pendulum()[0]
    state = observation(inputs.planning)
    return workloads.relative_error(answer, returns_of(model, terms_of(inputs), state, np.float64))


def terms_of(inputs: CustomPlanning) -> Any:
    """Returns the cost as built-in terms, all of the state before the step."""
    speed = dp.rewards.quadratic([0.0, 0.0, 0.1], of="state")
    torque = dp.rewards.action_cost([0.001])
    if inputs.cost == "quadratic":
        return dp.rewards.quadratic([1.0, 1.0, 0.1], [1.0, 0.0, 0.0], of="state") + torque
    return dp.rewards.angle(1.0, cos=0, sin=1, of="state") + speed + torque


def built_in(inputs: CustomPlanning, threads: int) -> Prepared:
    """The cost as built-in terms."""
    return prepared(inputs, threads, terms_of(inputs))


def numpy_function(inputs: CustomPlanning, threads: int) -> Prepared:
    """The cost as a NumPy function of whole batches."""

    def with_angle(states: FloatArray, actions: FloatArray, next_states: FloatArray) -> FloatArray:
        angle = np.arctan2(states[:, 1], states[:, 0])
        return -(angle**2 + 0.1 * states[:, 2] ** 2 + 0.001 * actions[:, 0] ** 2)

    def quadratic(states: FloatArray, actions: FloatArray, next_states: FloatArray) -> FloatArray:
        away = 1.0 - states[:, 0]
        of_state = away**2 + states[:, 1] ** 2 + 0.1 * states[:, 2] ** 2
        return np.asarray(-(of_state + 0.001 * actions[:, 0] ** 2))

    return prepared(inputs, threads, quadratic if inputs.cost == "quadratic" else with_angle)


def scalar_cost(inputs: CustomPlanning) -> Callable[..., Any]:
    """Returns the cost of one step."""

    def with_angle(state: Any, action: Any, next_state: Any) -> Any:
        angle = np.arctan2(state[1], state[0])
        return -(angle**2 + 0.1 * state[2] ** 2 + 0.001 * action[0] ** 2)

    def quadratic(state: Any, action: Any, next_state: Any) -> Any:
        away = 1.0 - state[0]
        return -(away**2 + state[1] ** 2 + 0.1 * state[2] ** 2 + 0.001 * action[0] ** 2)

    return quadratic if inputs.cost == "quadratic" else with_angle


def numba_scalar(inputs: CustomPlanning, threads: int) -> Prepared:
    """The cost of one step, compiled by numba with the loop over the lanes."""
    import numba  # noqa: F401

    return prepared(inputs, threads, dp.rewards.from_numba(scalar_cost(inputs), **DIMS))


def numba_scalar_float32(inputs: CustomPlanning, threads: int) -> Prepared:
    """The same on float32 arrays, as the planner has them."""
    import numba  # noqa: F401

    reward = dp.rewards.from_numba(scalar_cost(inputs), dtype=np.float32, **DIMS)
    return prepared(inputs, threads, reward)


def numba_cfunc(inputs: CustomPlanning, threads: int) -> Prepared:
    """The cost of a block, by numba's `@cfunc`."""
    import numba

    compile_block = numba.cfunc(dp.signatures.REWARD_FLOAT32.numba)
    f = np.float32

    @compile_block
    def with_angle(state, action, next_state, stride, lanes, step, user_data, reward):  # type: ignore[no-untyped-def]  # noqa: PLR0917
        for k in range(lanes):
            angle = np.arctan2(state[stride + k], state[k])
            speed, torque = state[2 * stride + k], action[k]
            reward[k] = -(angle * angle + f(0.1) * speed * speed + f(0.001) * torque * torque)

    @compile_block
    def quadratic(state, action, next_state, stride, lanes, step, user_data, reward):  # type: ignore[no-untyped-def]  # noqa: PLR0917
        for k in range(lanes):
            away, side = f(1.0) - state[k], state[stride + k]
            speed, torque = state[2 * stride + k], action[k]
            of_state = away * away + side * side + f(0.1) * speed * speed
            reward[k] = -(of_state + f(0.001) * torque * torque)

    function = quadratic if inputs.cost == "quadratic" else with_angle
    return prepared(inputs, threads, dp.rewards.compiled(function, **DIMS))


def c_by_ctypes(inputs: CustomPlanning, threads: int) -> Prepared:
    """The cost of a block in C, compiled by the system's compiler for this processor."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise ImportError("no C compiler")
    folder = Path(tempfile.mkdtemp())
    (folder / "cost.c").write_text(SOURCE)
    flags = ["-O3", "-march=native", "-fno-math-errno", "-shared", "-fPIC"]
    command = [compiler, *flags, "-I", dp.get_include(), "-o", "cost.so", "cost.c", "-lm"]
    subprocess.run(command, cwd=folder, check=True)
    library = CDLL(str(folder / "cost.so"))
    shutil.rmtree(folder)
    name = "quadratic" if inputs.cost == "quadratic" else "with_angle"
    function = dp.signatures.REWARD_FLOAT32.ctypes((name, library))
    reward = dp.rewards.compiled(function, **DIMS)
    return prepared(inputs, threads, reward, note="cc -O3 -march=native")


def known_pendulum() -> dp.FunctionModel:
    """Returns Pendulum-v1's own equations as a NumPy function."""

    def step(states: FloatArray, actions: FloatArray) -> FloatArray:
        angle = np.arctan2(states[:, 1], states[:, 0])
        speed = states[:, 2] + 0.05 * (15.0 * states[:, 1] + 3.0 * actions[:, 0])
        speed = np.clip(speed, -8.0, 8.0)
        angle = angle + 0.05 * speed
        return np.stack([np.cos(angle), np.sin(angle), speed], axis=1)

    return dp.FunctionModel(step, **DIMS)


def numpy_dynamics(inputs: CustomPlanning, threads: int) -> Prepared:
    """The dynamics as a NumPy function of whole batches, the cost in built-in terms."""
    return prepared(inputs, threads, terms_of(inputs), known_pendulum())


def numba_dynamics(inputs: CustomPlanning, threads: int) -> Prepared:
    """The dynamics of one step, compiled by numba, the cost in built-in terms."""
    import numba  # noqa: F401

    def step(state: Any, action: Any, next_state: Any) -> None:
        speed = state[2] + 0.05 * (15.0 * state[1] + 3.0 * action[0])
        speed = min(max(speed, -8.0), 8.0)
        angle = np.arctan2(state[1], state[0]) + 0.05 * speed
        next_state[0] = np.cos(angle)
        next_state[1] = np.sin(angle)
        next_state[2] = speed

    model = dp.CompiledModel.from_numba(step, **DIMS)
    return prepared(inputs, threads, terms_of(inputs), model)
