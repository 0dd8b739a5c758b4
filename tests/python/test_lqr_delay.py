"""Regulators of delayed actions: the augmented system by SciPy, by recursion, by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynaplan as dp

linalg = pytest.importorskip("scipy.linalg")


def random_problem(seed, states=3, actions=2):
    """A, B and the weights of x and u together, [Q N; N' R]."""
    generator = np.random.default_rng(seed)
    a = generator.normal(size=(states, states))
    a *= generator.uniform(0.3, 1.2) / np.abs(np.linalg.eigvals(a)).max()
    root = generator.normal(size=(states + actions, states + actions))
    costs = root @ root.T + 0.1 * np.eye(states + actions)
    return a, generator.normal(size=(states, actions)), costs


def augmented(a, b, delay):
    """The system of (s, the actions under way), the oldest of which acts next."""
    states, actions = b.shape
    size = states + delay * actions
    whole, enters = np.zeros((size, size)), np.zeros((size, actions))
    whole[:states, :states] = a
    whole[:states, states : states + actions] = b
    whole[states:-actions, states + actions :] = np.eye((delay - 1) * actions)
    enters[-actions:] = np.eye(actions)
    return whole, enters


def rollout(found, problem, state, under_way, steps):
    """The discounted cost of so many steps under a regulator of an infinite horizon."""
    a, b, costs, c, targets, discount = problem
    total, weight, sent = 0.0, 1.0, list(under_way)
    for _ in range(steps):
        action = found.act(state, previous_actions=sent)
        acting, *sent = [*sent, action]
        both = np.concatenate([state, acting]) - targets
        total += weight * both @ costs @ both
        state = a @ state + b @ acting + c
        weight *= discount
    return total


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10**6), delay=st.integers(1, 5))
def test_it_is_the_regulator_of_the_augmented_system(seed, delay):
    a, b, costs = random_problem(seed)
    q, r = costs[:3, :3], costs[3:, 3:]
    whole, enters = augmented(a, b, delay)
    weights = np.zeros_like(whole)
    weights[:3, :3] = q
    value = linalg.solve_discrete_are(whole, enters, weights, r)
    gain = np.linalg.solve(r + enters.T @ value @ enters, enters.T @ value @ whole)
    found = dp.lqr(a, b, q, r, delay_steps=delay)
    np.testing.assert_allclose(found.K, gain, rtol=1e-7, atol=1e-7 * np.abs(gain).max())
    # SciPy's actions cost when they are sent, so that those under way have cost it already.
    value += linalg.block_diag(np.zeros((3, 3)), *[r] * delay)
    np.testing.assert_allclose(found.P, value, rtol=1e-7, atol=1e-7 * np.abs(value).max())
    np.testing.assert_array_equal(found.P, found.P.T)
    assert not found.k.any()
    assert not found.p.any()


@settings(deadline=None, max_examples=20)
@given(
    seed=st.integers(0, 10**6),
    delay=st.integers(1, 4),
    horizon=st.integers(1, 6),
    discount=st.sampled_from([1.0, 0.8]),
)
def test_a_finite_horizon_is_the_augmented_recursion(seed, delay, horizon, discount):
    a, b, costs = random_problem(seed)
    generator = np.random.default_rng(seed)
    c, targets, final = generator.normal(size=3), generator.normal(size=5), np.diag([1.0, 2.0, 3.0])
    whole, enters = augmented(a, b, delay)
    push = np.concatenate([c, np.zeros(len(whole) - 3)])
    weights = np.zeros_like(whole)
    weights[:5, :5] = costs
    slope_now = -weights[:, :5] @ targets
    # After the horizon the actions under way act; then comes the final cost.
    value, slope = np.zeros_like(whole), np.zeros(len(whole))
    value[:3, :3] = final
    slope[:3] = -final @ targets[:3]
    drains = whole.copy()
    for _ in range(delay):
        slope = slope_now + discount * drains.T @ (value @ push + slope)
        value = weights + discount * drains.T @ value @ drains
    steps = []
    for _ in range(horizon):
        inside = enters.T @ value @ enters
        gain = np.linalg.solve(inside, enters.T @ value @ whole)
        offset = -np.linalg.solve(inside, enters.T @ (value @ push + slope))
        steps.insert(0, (gain, offset))
        closed, drift = whole - enters @ gain, push + enters @ offset
        slope = slope_now + discount * closed.T @ (value @ drift + slope)
        value = weights + discount * closed.T @ value @ closed
    found = dp.lqr(
        a,
        b,
        costs[:3, :3],
        costs[3:, 3:],
        N=costs[:3, 3:],
        c=c,
        state_target=targets[:3],
        action_target=targets[3:],
        horizon=horizon,
        Q_final=final,
        discount=discount,
        delay_steps=delay,
    )
    assert found.K.shape == (horizon, 2, len(whole))
    assert found.P.shape == (horizon + 1, len(whole), len(whole))
    for step, (gain, offset) in enumerate(steps):
        np.testing.assert_allclose(found.K[step], gain, rtol=1e-7, atol=1e-7 * np.abs(gain).max())
        np.testing.assert_allclose(found.k[step], offset, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(found.P[0], value, rtol=1e-7, atol=1e-7 * np.abs(value).max())
    np.testing.assert_allclose(found.p[0], slope, rtol=1e-7, atol=1e-7 * np.abs(slope).max())


def test_what_it_costs_is_what_the_value_says():
    a, b, costs = random_problem(3)
    c, targets, discount = np.array([0.1, -0.2, 0.3]), np.array([1.0, 0.0, -1.0, 0.5, 0.0]), 0.9
    found = dp.lqr(
        a,
        b,
        costs[:3, :3],
        costs[3:, 3:],
        N=costs[:3, 3:],
        c=c,
        state_target=targets[:3],
        action_target=targets[3:],
        discount=discount,
        delay_steps=3,
    )
    problem = a, b, costs, c, targets, discount
    generator = np.random.default_rng(0)
    starts = [(generator.normal(size=3), generator.normal(size=(3, 2))) for _ in range(4)]

    def value(state, under_way):
        z = np.concatenate([state, under_way.ravel()])
        return z @ found.P @ z + 2.0 * found.p @ z

    # The value is known up to a constant, so that differences are compared.
    paid = [rollout(found, problem, *start, steps=400) for start in starts]
    told = [value(*start) for start in starts]
    np.testing.assert_allclose(np.diff(paid), np.diff(told), rtol=1e-9)


def test_an_unstable_plant_stays_upright_only_with_the_delay_counted_on():
    model = dp.discretise(([[0.0, 1.0], [9.81, 0.0]], [[0.0], [1.0]]), 0.05)
    delay, peaks = 6, {}
    for counted in (True, False):
        regulator = dp.lqr(
            model.A, model.B, [1.0, 0.1], [0.01], delay_steps=delay if counted else 0
        )
        state, under_way, largest = np.array([0.1, 0.0]), [np.zeros(1)] * delay, []
        for _ in range(100):
            given = {"previous_actions": under_way} if counted else {}
            acting, *under_way = [*under_way, regulator.act(state, **given)]
            state = model.predict(state, acting).mean[0]
            largest.append(abs(state[0]))
        peaks[counted] = largest
    assert max(peaks[True]) < 0.3
    assert peaks[True][-1] < 1e-3
    assert peaks[False][-1] > 10.0


def test_several_states_have_their_own_actions_under_way():
    a, b, costs = random_problem(1)
    found = dp.lqr(a, b, costs[:3, :3], costs[3:, 3:], delay_steps=2)
    generator = np.random.default_rng(0)
    states, sent = generator.normal(size=(4, 3)), generator.normal(size=(4, 2, 2))
    together = found.act(states, previous_actions=sent)
    apart = [found.act(s, previous_actions=q) for s, q in zip(states, sent, strict=True)]
    np.testing.assert_allclose(together, apart, rtol=1e-13)
    whole = np.hstack([states, sent.reshape(4, 4)])
    np.testing.assert_array_equal(found.act(whole), together)
    undelayed = dp.lqr(a, b, costs[:3, :3], costs[3:, 3:])
    none = dp.lqr(a, b, costs[:3, :3], costs[3:, 3:], delay_steps=0)
    np.testing.assert_array_equal(none.K, undelayed.K)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"state": [0.0]}, r"state: got shape \(1,\), must be \(3,\).*previous_actions"),
        ({"state": [0.0], "previous_actions": [[0.0]]}, "state, previous_actions: got 1 and 1 x 1"),
        ({"state": [0.0], "previous_actions": [0.0, 0.0]}, r"previous_actions: got shape \(2,\)"),
        ({"state": [[0.0]], "previous_actions": [[0.0], [0.0]]}, "previous_actions: got shape"),
        ({"state": [0.0], "previous_actions": [[0.0, 0.0]]}, "previous_actions: got shape"),
    ],
)
def test_actions_under_way_that_do_not_fit_are_refused(given, message):
    late = dp.lqr([[1.1]], [[1.0]], [1.0], [1.0], delay_steps=2)
    with pytest.raises(dp.ShapeError, match=message):
        late.act(**given)


@pytest.mark.parametrize(
    ("delay", "error", "message"),
    [
        (-1, dp.ArgumentError, "delay_steps: got -1, must be at least 0"),
        (101, dp.ArgumentError, "delay_steps: got 101, must be at most 100"),
        (np.nan, dp.ArgumentError, "delay_steps: got nan, must be at least 0"),
        (99, dp.NumericalError, "delay_steps: .*overflow"),
    ],
)
def test_delays_that_no_regulator_has_are_refused(delay, error, message):
    with pytest.raises(error, match=message):
        dp.lqr([[3e3]], [[1.0]], [1.0], [1.0], delay_steps=delay)
    late = dp.lqr([[3.0]], [[1.0]], [1.0], [1.0], delay_steps=1)
    with pytest.raises(dp.ArgumentError, match=r"previous_actions: got .*finite"):
        late.act([0.0], previous_actions=[[np.nan]])
