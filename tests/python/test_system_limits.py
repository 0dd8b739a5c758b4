"""What the system does not give, memory for absurd sizes and threads, ends in errors."""

from __future__ import annotations

import resource

import pytest

HEAD = """
import resource
LIMIT = 6 << 30
resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))
import gymnasium
import numpy as np
import dynaplan as dp

HUGE = 2**31 - 1
rng = np.random.default_rng(0)
s, a = rng.normal(size=(40, 1)), rng.normal(size=(40, 1))
data = dp.Transitions(s, a, 0.9 * s + 0.1 * a)
model, reward, box = dp.LinearGaussian.fit(data), dp.rewards.quadratic([1.0]), ([-1.0], [1.0])
still = dp.FunctionModel(lambda states, actions: states, 1, 4)
env = gymnasium.make("Pendulum-v1")

def plan(planner, model=model, actions=1):
    box = (-np.ones(actions), np.ones(actions))
    return planner.plan(model, reward, [0.0], action_space=box, seed=0)
"""

# Products of two to four sizes, each of them one that a C int holds.
CALLS = [
    "dp.returns(model, reward, [0.0], np.zeros((4, 5, 1)), propagation='sample', particles=HUGE)",
    "dp.returns(model, reward, [0.0], np.zeros((4, 5, 1)), propagation='sample', particles=2**62)",
    "dp.rollout(model, [0.0], np.zeros((4, 5, 1)), propagation='sample', particles=HUGE)",
    "plan(dp.CEM(horizon=HUGE, candidates=HUGE, elites=2))",
    "plan(dp.CEM(horizon=HUGE, candidates=HUGE, elites=2), still, 4)",
    "plan(dp.CEM(horizon=HUGE, candidates=2**30, elites=2), still, 4)",
    "plan(dp.CEM(horizon=3, candidates=8, elites=2, propagation='sample', particles=HUGE))",
    "plan(dp.ICEM(horizon=HUGE, candidates=HUGE, elites=2), still, 4)",
    "plan(dp.MPPI(horizon=HUGE, candidates=HUGE), still, 4)",
    "plan(dp.RandomShooting(horizon=HUGE, candidates=HUGE), still, 4)",
    "plan(dp.CategoricalCEM(actions=[[0.0], [1.0]], horizon=HUGE, candidates=HUGE))",
    "plan(dp.ILQR(horizon=HUGE))",
    "plan(dp.LQR(horizon=HUGE))",
    "dp.lqr(np.eye(2), np.eye(2), np.eye(2), np.eye(2), horizon=HUGE)",
    "dp.MLP.fit(data, hidden=(HUGE, HUGE), seed=0)",
    "dp.MLP.fit(data, hidden=(HUGE, 4, HUGE), seed=0)",
    "dp.Ensemble.fit(data, hidden=(2**20,), members=HUGE, seed=0)",
    "dp.SAC(env, hidden=(HUGE, HUGE), seed=0)",
    "dp.SAC(env, buffer_size=2**62, seed=0).observe(np.zeros(3), [0.0], 0.0, np.zeros(3), False)",
    "dp.imagine(model, [[0.0]], lambda states: states, HUGE, reward=reward, seed=0)",
    "dp.ImaginedVectorEnv(model, HUGE, [[0.0]], action_space=box, reward=reward, seed=0)",
    "dp.RecursiveLeastSquares(HUGE, HUGE)",
    "dp.LinearGaussian.fit(data, features=dp.Polynomial(HUGE))",
    "model.predict(np.zeros((4, 1)), np.zeros((4, 1)), threads=HUGE)",
]


def test_absurd_sizes_are_refused(run_python) -> None:
    attempts = "".join(
        f"""
try:
    {call}
except (dp.ArgumentError, MemoryError):
    pass
else:
    raise AssertionError({call!r})
"""
        for call in CALLS
    )
    after = "assert plan(dp.CEM(horizon=3, candidates=8, elites=2)).actions.shape == (3, 1)"
    run_python(HEAD + attempts + after)


# glibc reserves the stack of each thread from the address space: 300 do not fit into what is left.
THREADS = """
import resource
import numpy as np
import dynaplan as dp

rng = np.random.default_rng(0)
s, a = rng.normal(size=(100_000, 2)), rng.normal(size=(100_000, 1))
model = dp.LinearGaussian.fit(dp.Transitions(s[:50], a[:50], 0.9 * s[:50]))
alone = model.predict(s, a).mean
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
limit = used + 200 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
assert (model.predict(s, a, threads=300).mean == alone).all()
assert (model.predict(s, a, threads=2).mean == alone).all()
"""


def test_fewer_threads_than_asked_for_do_the_same(run_python) -> None:
    run_python(THREADS)


NO_THREADS = """
import resource
import threading
import numpy as np
import dynaplan as dp

resource.setrlimit(resource.RLIMIT_AS, (16 << 30, 16 << 30))
try:
    threading.Thread(target=print).start()
except RuntimeError:
    pass
else:
    raise SystemExit("a thread was started")
rng = np.random.default_rng(0)
s, a = rng.normal(size=(2000, 7)), rng.normal(size=(2000, 1))
data = dp.Transitions(s, a, 0.9 * s)
epochs = []
model = dp.MLP.fit(
    data, hidden=(4,), epochs=3, seed=0, held_out=0.0, progress=lambda *_: epochs.append(0)
)
assert len(epochs) == 3
assert (model.predict(s, a, threads=2).mean == model.predict(s, a).mean).all()
quartic = dp.LinearGaussian.fit(data, features=dp.Polynomial(4))
assert abs(quartic.predict(s, a).mean - 0.9 * s).max() < 1e-6
"""


def test_work_is_done_where_no_thread_starts(run_python) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
    huge = 64 << 30  # of each thread, more than the address space that is left
    if hard != resource.RLIM_INFINITY and hard < huge:
        pytest.skip("the limit of stacks cannot be raised")
    resource.setrlimit(resource.RLIMIT_STACK, (huge, hard))  # what a process begins with counts
    try:
        run_python(NO_THREADS, environment={"OPENBLAS_NUM_THREADS": "1"})
    finally:
        resource.setrlimit(resource.RLIMIT_STACK, (soft, hard))
