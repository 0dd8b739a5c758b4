"""Ctrl-C ends a plan in the midst of an iteration, and the controller plans on afterwards."""

from __future__ import annotations

import pytest

# The ensemble has one iteration, of 8e13 multiplications, the linear model 10,000 and more of them:
# minutes on any processor, where the child has one. So an interrupt that is seen at the end of an
# iteration, or of the search, fails.
CODE = """
import os, signal, threading
import numpy as np
import dynaplan as dp

rng = np.random.default_rng(0)
s, a = rng.normal(size=(200, 6)), rng.normal(size=(200, 2))
data = dp.Transitions(s, a, 0.9 * s + 0.1 * rng.normal(size=(200, 6)))
reward = dp.rewards.quadratic(np.ones(6))
cases = {
    "ensemble": (
        lambda: dp.Ensemble.fit(data, members=5, hidden=(400,) * 4, epochs=1, seed=0),
        dict(candidates=250_000, elites=50, propagation="ts1", particles=20, iterations=1),
    ),
    "linear": (
        lambda: dp.LinearGaussian.fit(data),
        dict(candidates=20_000, elites=50, iterations=1_000_000),
    ),
}
make, settings = cases[CASE]
planner = dp.CEM(horizon=30, threads=THREADS, **settings)
mpc = dp.MPC(make(), reward, planner, action_space=(-np.ones(2), np.ones(2)), seed=0)
timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
timer.start()
try:
    mpc.act(np.zeros(6))
except KeyboardInterrupt:
    pass
else:
    raise AssertionError("it was not interrupted")
timer.join()
mpc.change(planner=dp.CEM(horizon=3, candidates=20, elites=2))
assert np.isfinite(mpc.act(np.zeros(6))).all()
"""


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("case", ["ensemble", "linear"])
def test_a_plan_is_interrupted_in_the_midst_of_an_iteration(run_python, case, threads):
    run_python(CODE.replace("CASE]", f"{case!r}]").replace("THREADS", str(threads)))
