"""Ctrl-C ends a fit at once, whatever decomposition it is in."""

from __future__ import annotations

# 1,140 features of 700 rows: some tenths of a second in one decomposition, which asks nobody.
CODE = """
import os, signal, sys, threading, time
import numpy as np
import dynaplan as dp

generator = np.random.default_rng(0)
states, actions = generator.normal(size=(700, 12)), generator.normal(size=(700, 5))
data = dp.Transitions(states, actions, 0.9 * states, episodes=np.arange(700))
cubic = dp.Polynomial(3)

def fit():
    return dp.LinearGaussian.fit(data, features=cubic)

begin = time.perf_counter()
expected = fit()
whole = time.perf_counter() - begin
sent = None

def send():
    global sent
    sent = time.perf_counter()
    os.kill(os.getpid(), signal.SIGINT)

for share in SHARES:
    references = sys.getrefcount(data.states)
    timer = threading.Timer(share * whole, send)
    timer.start()
    try:
        fit()
    except KeyboardInterrupt:
        late = time.perf_counter() - sent
        assert late < LATEST, (share, late)
    else:
        raise AssertionError("it was not interrupted")
    timer.join()
    if AFTERWARDS:
        np.testing.assert_array_equal(fit().coefficients, expected.coefficients)
        time.sleep(2.0 * whole)  # what was left to itself has ended, and holds nothing
        assert sys.getrefcount(data.states) == references
"""


def test_a_fit_is_interrupted_within_a_tenth_of_a_second(run_python):
    code = CODE.replace("SHARES", "(0.1, 0.3, 0.5, 0.7)").replace("AFTERWARDS", "True")
    run_python(code.replace("LATEST", "0.1"))


def test_a_process_may_end_while_an_interrupted_fit_is_still_at_work(run_python):
    code = CODE.replace("SHARES", "(0.3,)").replace("AFTERWARDS", "False")
    run_python(code.replace("LATEST", "1.0"))
