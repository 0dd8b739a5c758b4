"""Plans with one cost written in four ways, and shows the time of each: NumPy, numba (2x), C.

Ways whose tool is missing (numba, a C compiler) are skipped with a message.

Run: python examples/compiled_cost.py
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import dynaplan as dp

try:
    import numba
except ImportError:
    numba = None

Array = NDArray[np.float64]
DIMS = {"state_dim": 2, "action_dim": 1}
C_SOURCE = """
#include <dynaplan_functions.h>
#include <math.h>

void cost(const float *state, const float *action, const float *next_state, int64_t stride,
          int64_t lanes, int64_t step, void *user_data, float *reward) {
  const double *target = user_data;
  for (int64_t k = 0; k < lanes; ++k)
    reward[k] = -fabsf(next_state[k] - (float)target[0]) - 0.01f * action[k] * action[k];
}
"""


def on_batches(target: Array) -> Callable[[Array, Array, Array], Array]:
    """The cost for NumPy: called once per planner iteration, with all candidates and steps."""

    def cost(obs: Array, act: Array, next_obs: Array) -> Array:
        return -np.abs(next_obs[:, 0] - target[0]) - 0.01 * act[:, 0] ** 2

    return cost


def scalar_by_numba(target: Array) -> dp.rewards.Term:
    """The cost of one step; numba compiles it together with the loop over the trajectories."""

    def cost(state: Any, action: Any, next_state: Any, data: Any) -> Any:
        return -abs(next_state[0] - data[0]) - 0.01 * action[0] ** 2

    return dp.rewards.from_numba(cost, data=target, **DIMS)


def block_by_numba(target: Array) -> dp.rewards.Term:
    """The cost of a block of trajectories, by numba's `@cfunc`."""

    @numba.cfunc(dp.signatures.REWARD_FLOAT32.numba)
    def cost(state, action, next_state, stride, lanes, step, user_data, reward):  # noqa: PLR0917
        goal = np.float32(numba.carray(user_data, 1, np.float64)[0])
        for k in range(lanes):
            effort = np.float32(0.01) * action[k] * action[k]
            reward[k] = -abs(next_state[k] - goal) - effort

    return dp.rewards.compiled(cost, user_data=target, **DIMS)


def block_in_c(target: Array) -> dp.rewards.Term:
    """The cost of a block of trajectories, in C."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "cost.c").write_text(C_SOURCE)
        command = ["cc", "-O3", "-shared", "-fPIC", "-I", dp.get_include()]
        subprocess.run([*command, "-o", "cost.so", "cost.c", "-lm"], cwd=folder, check=True)
        library = ctypes.CDLL(str(Path(folder) / "cost.so"))
    function = dp.signatures.REWARD_FLOAT32.ctypes(("cost", library))
    return dp.rewards.compiled(function, user_data=target, **DIMS)


def ways(target: Array) -> Iterator[tuple[str, Any]]:
    """Yields each way with its name; None where its tool is missing."""
    yield "NumPy function", on_batches(target)
    yield "numba, one step", scalar_by_numba(target) if numba else None
    yield "numba, a block", block_by_numba(target) if numba else None
    yield "C, a block", block_in_c(target) if shutil.which("cc") else None


def main() -> None:
    rng = np.random.default_rng(0)
    states, actions = rng.normal(size=(100, 2)), rng.uniform(-1.0, 1.0, size=(100, 1))
    next_states = states @ [[1.0, 0.0], [0.1, 0.95]] + actions * [0.0, 0.1]  # position, speed
    model = dp.LinearGaussian.fit(dp.Transitions(states, actions, next_states))
    planner = dp.CEM(horizon=20)
    for name, reward in ways(target := np.array([0.0])):
        if reward is None:
            print(f"{name:16} skipped: its tool is not installed")
            continue
        target[0] = 0.5  # the data of compiled functions may change between plans
        mpc = dp.MPC(model, reward, planner, action_space=([-1.0], [1.0]), seed=0)
        path, milliseconds = [np.zeros(2)], []
        for _ in range(60):
            action = mpc.act(path[-1])
            path.append(path[-1] @ [[1.0, 0.0], [0.1, 0.95]] + action * [0.0, 0.1])
            milliseconds.append(1e3 * mpc.last_plan.stats.seconds)
        print(f"{name:16} {np.median(milliseconds):6.2f} ms a plan, ends at {path[-1][0]:.3f}")


if __name__ == "__main__":
    main()
