"""Beside others in one process: another user of OpenMP, and forks from inside callbacks."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

HEAD = """
import multiprocessing
import numpy as np
import dynaplan as dp

rng = np.random.default_rng(0)
s, a = rng.normal(size=(20_000, 4)), rng.uniform(-1, 1, size=(20_000, 1))
data = dp.Transitions(s[:200], a[:200], 0.9 * s[:200] + 0.1 * a[:200])
model = dp.Ensemble.fit(data, members=5, hidden=(16, 16), epochs=1, seed=0, threads=2)
alone = model.predict(s, a).mean
"""

TORCH = """
import torch

x = torch.randn(256, 256)
for threads in (2, 4, 3):
    torch.set_num_threads(threads)
    (x @ x).sum()
    assert (model.predict(s, a, threads=threads).mean == alone).all()
"""


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")
@pytest.mark.parametrize("first", ["torch", "dynaplan"])
def test_torch_may_use_openmp_too(run_python, first: str) -> None:
    run_python(("import torch\n" if first == "torch" else "") + HEAD + TORCH)


INTEL = Path(sys.prefix, "lib", "libiomp5.so")
LOADED = f"import ctypes\nctypes.CDLL({str(INTEL)!r}, mode=ctypes.RTLD_GLOBAL)\n"
ALIKE = """
for threads in (2, 4, 3):
    assert (model.predict(s, a, threads=threads).mean == alone).all()
"""


@pytest.mark.skipif(not INTEL.exists(), reason="intel-openmp is not installed")
@pytest.mark.parametrize("first", ["intel", "dynaplan"])
def test_the_openmp_of_intel_may_be_there_too(run_python, first: str) -> None:
    # Its names are those of the runtime that dynaplan is linked to, as far as it has them.
    run_python(LOADED + HEAD + ALIKE if first == "intel" else HEAD + LOADED + ALIKE)


FORKS = """
forked = []

def child(queue):
    queue.put(model.predict(s, a, threads=2).mean)

def fork():
    if forked:
        return
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=child, args=(queue,))
    process.start()
    forked.append((queue.get(timeout=30) == alone).all())
    process.join(30)
    forked.append(process.exitcode == 0)

def reward(states, actions, next_states):
    fork()
    return -(next_states**2).sum(axis=1)

def step(states, actions):
    fork()
    return 0.9 * states

term, box = dp.rewards.quadratic([1.0] * 4), ([-1.0], [1.0])
planner = dp.CEM(horizon=5, candidates=512, iterations=1, threads=2)
"""
CALLS = {
    "reward": "planner.plan(model, reward, s[0], action_space=box, seed=0)",
    "model": "planner.plan(dp.FunctionModel(step, 4, 1), term, s[0], action_space=box, seed=0)",
    "progress": "dp.MLP.fit(data, hidden=(4,), epochs=2, seed=0, progress=lambda *_: fork())",
}


@pytest.mark.parametrize("callback", CALLS)
def test_a_callback_may_fork(run_python, callback: str) -> None:
    run_python(HEAD + FORKS + CALLS[callback] + "\nassert forked == [True, True], forked\n")
