"""Regulators of actions each late by its own steps, whole or not, and a plant in closed loop."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynaplan as dp
from reference.late_actions import DELAYS, A, B, Q, R, each, written_out

linalg = pytest.importorskip("scipy.linalg")

PERIOD = 0.1  # seconds
DRIFT, PUSH = np.array([[0.0, 1.0], [2.0, -0.4]]), np.array([[0.3, 0.0], [1.0, 0.8]])


def transition(duration):
    """A and B of the plant over a part of a step in which its inputs are held."""
    both = np.zeros((4, 4))
    both[:2, :2], both[:2, 2:] = DRIFT, PUSH
    whole = linalg.expm(both * PERIOD * duration)
    return whole[:2, :2], whole[:2, 2:]


def cost_of(act, delay, steps=60):
    """The cost of the plant in continuous time, whose actions are held and act late exactly."""
    late = each(delay)
    sent = [np.zeros(2)] * (max(math.ceil(one) for one in late) + 1)
    state, total = np.array([0.5, 0.0]), 0.0
    for _ in range(steps):
        sent.append(act(state, sent))
        total += state @ (Q * state) + sent[-1] @ (R * sent[-1])
        # Each entry changes where its delay is over within the step.
        changes = sorted({0.0, 1.0, *(one - math.floor(one) for one in late)})
        for begin, end in pairwise(changes):
            middle = 0.5 * (begin + end)
            entries = [sent[math.floor(middle - one) - 1][i] for i, one in enumerate(late)]
            a, b = transition(end - begin)
            state = a @ state + b @ np.array(entries)
    return total


def exactly_written_out(delay):
    """The system of the plant, whose older and newer actions have input matrices of their own."""
    a, b = transition(1.0)
    whole, enters, steps = written_out(delay, a, b)
    for i, late in enumerate(each(delay)):
        part = late - math.floor(late)
        if part == 0.0:
            continue
        (_, older), (rest, newer) = transition(part), transition(1.0 - part)
        for step, column in ((math.floor(late), newer), (math.ceil(late), rest @ older)):
            if step:
                whole[:2, 2 + 2 * (steps - step) + i] = column[:, i]
            else:
                enters[:2, i] = column[:, i]
    return whole, enters, steps


@pytest.mark.parametrize("delay", [[3, 1], 2.4, [2.4, 0.5], [3, 0], 1.5])
def test_with_the_right_delay_it_controls_as_well_as_the_exact_system_does(delay):
    def cost(assumed):
        mpc = dp.MPC(
            dp.LinearModel(*transition(1.0)),
            dp.rewards.quadratic(Q, of="state") + dp.rewards.action_cost(R),
            dp.LQR(horizon=10, infinite_horizon=True),
            action_space=([-50.0, -50.0], [50.0, 50.0]),
            delay_steps=assumed,
            seed=0,
        )
        return cost_of(lambda state, sent: mpc.act(state), delay)

    whole, enters, steps = exactly_written_out(delay)
    weights = np.zeros_like(whole)
    weights[:2, :2] = np.diag(Q)
    best = dp.lqr(whole, enters, weights, R)
    exact = cost_of(
        lambda state, sent: best.act(np.concatenate([state, *sent[len(sent) - steps :]])), delay
    )
    assert cost(delay) <= 1.001 * exact
    assert cost(round(float(each(delay).max()))) > 1.015 * exact
    assert cost(0) > 1.2 * exact


@given(
    seed=st.integers(0, 10**6),
    delay=st.lists(st.floats(0.0, 4.0).map(lambda late: round(late, 1)), min_size=2, max_size=2),
)
@settings(max_examples=60, deadline=None)
def test_a_regulator_is_that_of_the_system_written_out(seed, delay):
    generator = np.random.default_rng(seed)
    a = generator.normal(size=(2, 2))
    a *= generator.uniform(0.3, 1.2) / np.abs(np.linalg.eigvals(a)).max()
    b, r = generator.normal(size=(2, 2)), np.diag(generator.uniform(0.2, 2.0, 2))
    whole, enters, steps = written_out(delay, a, b)
    weights = np.zeros_like(whole)
    weights[:2, :2] = np.eye(2)
    value = linalg.solve_discrete_are(whole, enters, weights, r)
    gain = np.linalg.solve(r + enters.T @ value @ enters, enters.T @ value @ whole)
    found = dp.lqr(a, b, np.eye(2), r, delay_steps=delay)
    np.testing.assert_allclose(found.K, gain, atol=1e-7 * max(1.0, np.abs(gain).max()))
    # SciPy's actions cost when they are sent, so that those that all entries have behind them did.
    ahead = math.floor(min(delay))
    if ahead:
        value[-2 * ahead :, -2 * ahead :] += linalg.block_diag(*[r] * ahead)
    np.testing.assert_allclose(found.P, value, atol=1e-7 * np.abs(value).max())
    sent = generator.normal(size=(steps, 2))
    state = generator.normal(size=2)
    action = found.act(state, previous_actions=sent) if steps else found.act(state)
    np.testing.assert_allclose(
        action,
        -gain @ np.concatenate([state, sent.ravel()]),
        atol=1e-6 * max(1, np.abs(gain).max()),
    )


@pytest.mark.parametrize("delay", DELAYS)
def test_a_regulator_of_a_finite_horizon_is_the_plan_of_lqr(delay):
    generator = np.random.default_rng(0)
    c, target = np.array([0.1, -0.2]), np.array([0.5, 0.0])
    steps = max(math.ceil(late) for late in each(delay))
    sent, state = generator.normal(size=(steps, 2)), np.array([1.0, -1.0])
    found = dp.lqr(
        A,
        B,
        Q,
        R,
        c=c,
        state_target=target,
        horizon=8,
        Q_final=np.zeros(2),
        discount=0.9,
        delay_steps=delay,
    )
    reward = dp.rewards.quadratic(Q, target, of="state") + dp.rewards.action_cost(R)
    mpc = dp.MPC(
        dp.LinearModel(A, B, c=c),
        reward,
        dp.LQR(horizon=8, discount=0.9),
        action_space=([-1e3, -1e3], [1e3, 1e3]),
        delay_steps=delay,
        previous_actions=sent,
    )
    np.testing.assert_allclose(
        found.act(state, previous_actions=sent), mpc.act(state), rtol=1e-6, atol=1e-8
    )


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("A", (2, 3)),
        ("B", (3, 2)),
        ("Q", (3, 3)),
        ("N", (2, 3)),
        ("c", (3,)),
        ("state_target", (3,)),
        ("Q_final", (2, 3)),
    ],
)
def test_matrices_that_do_not_fit_are_named(name, shape):
    arguments = {"A": A, "B": B, "Q": Q, "R": R, "horizon": 3, name: np.ones(shape)}
    with pytest.raises(dp.ShapeError, match=rf"^{name}: got "):
        dp.lqr(**arguments, delay_steps=[1.5, 0])
