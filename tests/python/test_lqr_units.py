"""LQR and iLQR in any units of states, actions and costs; modes no action reaches that decay."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynaplan as dp
from reference.systems import exact_linear_model

DOUBLE_INTEGRATOR = np.array([[1.0, 1.0], [0.0, 1.0]]), np.array([[0.0], [1.0]])
WIDE = (np.full(1, -100.0), np.full(1, 100.0))
NARROW = (np.full(1, -1.0), np.full(1, 1.0))


def problem(seed):
    """A, B, Q, R of four states, of which one costs nothing, and two actions."""
    generator = np.random.default_rng(seed)
    a, b = generator.normal(size=(4, 4)), generator.normal(size=(4, 2))
    root, other = generator.normal(size=(3, 3)), generator.normal(size=(2, 2))
    q = np.zeros((4, 4))
    q[:3, :3] = root @ root.T
    return a, b, q, other @ other.T + 0.1 * np.eye(2)


@given(seed=st.integers(0, 9), exponent=st.integers(-1000, 1000))
@settings(deadline=None)
def test_a_common_factor_of_all_costs_changes_no_bit_of_the_gains(seed, exponent):
    a, b, q, r = problem(seed)
    factor = 2.0**exponent
    for horizon in (None, 5):
        expected = dp.lqr(a, b, q, r, horizon=horizon)
        found = dp.lqr(a, b, factor * q, factor * r, horizon=horizon)
        np.testing.assert_allclose(found.K, expected.K, rtol=1e-10)
        np.testing.assert_allclose(found.P / factor, expected.P, rtol=1e-10, atol=1e-12)
        if horizon is not None or abs(exponent) < 5:
            np.testing.assert_array_equal(found.K, expected.K)


@pytest.mark.parametrize("scale", [1e-307, 1e-200, 1e-100, 1e100, 1e200, 1e306])
def test_costs_of_any_size_have_scipys_gains(scale):
    linalg = pytest.importorskip("scipy.linalg")
    a, b = DOUBLE_INTEGRATOR
    p = linalg.solve_discrete_are(a, b, np.eye(2), np.eye(1))
    expected = np.linalg.solve(1.0 + b.T @ p @ b, b.T @ p @ a)
    found = dp.lqr(a, b, [scale, scale], [scale], state_target=[0.5, 0.0])
    np.testing.assert_allclose(found.K, expected, rtol=1e-12)
    np.testing.assert_allclose(found.k, expected @ [0.5, 0.0], rtol=1e-12)
    np.testing.assert_allclose(found.P / scale, p, rtol=1e-12)
    long = dp.lqr(a, b, [scale, scale], [scale], horizon=80)
    np.testing.assert_allclose(long.K[0], expected, rtol=1e-12)


exponents = st.integers(-450, 450)


@given(
    seed=st.integers(0, 9),
    of_states=st.lists(exponents, min_size=4, max_size=4),
    of_actions=st.lists(exponents, min_size=2, max_size=2),
    horizon=st.sampled_from([None, 6]),
)
@settings(deadline=None)
def test_each_state_and_action_may_have_units_of_its_own(seed, of_states, of_actions, horizon):
    """With x = D y and u = E v: K becomes E^-1 K D, P becomes D P D."""
    a, b, q, r = problem(seed)
    c, target = np.arange(4.0), np.array([1.0, -1.0, 0.5, 0.0])
    expected = dp.lqr(a, b, q, r, c=c, state_target=target, horizon=horizon, discount=0.9)
    d, e = 2.0 ** np.array(of_states), 2.0 ** np.array(of_actions)
    scaled = {"A": a / d[:, None] * d, "B": b / d[:, None] * e, "Q": q * d * d[:, None]}
    settings = {"c": c / d, "state_target": target / d, "horizon": horizon, "discount": 0.9}
    found = dp.lqr(**scaled, R=r * e * e[:, None], **settings)
    with np.errstate(over="ignore", under="ignore"):
        pairs = [
            (found.K / d * e[:, None], expected.K),
            (found.k * e, expected.k),
            (found.P / d / d[:, None], expected.P),
            (found.p / d, expected.p),
        ]
    for ours, theirs in pairs:
        np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-9 * np.abs(theirs).max())


def test_actions_that_differ_by_fifteen_digits_are_not_taken_for_free_ones():
    a = 0.5 * np.eye(2)
    expected = dp.lqr([[0.5]], [[1.0]], [1.0], [1.0])
    for unit in (1e-15, 1e-8, 1e8, 1e150):
        found = dp.lqr(a, np.diag([1.0, unit]), [1.0, 1.0], [1.0, unit**2])
        np.testing.assert_allclose(found.K[0, 0], expected.K[0, 0], rtol=1e-13)
        np.testing.assert_allclose(found.K[1, 1] * unit, expected.K[0, 0], rtol=1e-13)


def test_rounding_in_place_of_zeros_is_not_taken_for_units():
    a, b = DOUBLE_INTEGRATOR
    noise = 1e-17 * np.random.default_rng(0).normal(size=(4, 5))
    whole = np.zeros((4, 4))
    whole[:2, :2], whole[2:, 2:] = a, [[0.9, 0.1], [0.0, 0.5]]
    inputs = np.vstack([b, np.zeros((2, 1))])
    found = dp.lqr(whole + noise[:, :4], inputs + noise[:, 4:], np.ones(4), [1.0])
    expected = dp.lqr(a, b, [1.0, 1.0], [1.0]).K
    np.testing.assert_allclose(found.K, np.hstack([expected, [[0.0, 0.0]]]), atol=1e-14)


@pytest.mark.parametrize("scale", [1e-250, 1e-160, 1e160, 1e250])
def test_an_asymmetric_cost_is_refused_whatever_its_size(scale):
    with pytest.raises(dp.ArgumentError, match="Q: must be a symmetric"):
        dp.lqr(np.eye(2), np.eye(2), scale * np.array([[1.0, 1.0], [0.0, 1.0]]), np.eye(2))


def test_a_cost_to_come_beyond_float64_is_an_error():
    with pytest.raises(dp.NumericalError, match="overflow"):
        dp.lqr([[1e100]], [[0.0]], [1.0], [1.0], horizon=5)
    with pytest.raises(dp.NumericalError, match="overflow"):
        dp.lqr([[1.5]], [[1e-180]], [1.0], [1.0])  # P = (1.5^2 - 1) 1e360 or more


@pytest.mark.parametrize("lost", [1e-3, 1e-6, 1e-9, 1e-10, 1e-12])
@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("discount", [1.0, 0.5])
def test_a_mode_that_no_action_reaches_may_decay_as_slowly_as_it_likes(lost, sign, discount):
    """By itself it costs q / (1 - discount lambda^2)."""
    mode = sign * (1.0 - lost) / np.sqrt(discount)
    b = np.array([[0.0], [1.0]])
    found = dp.lqr(np.diag([mode, 1.2]), b, [3.0, 1.0], [1.0], discount=discount)
    alone = dp.lqr([[1.2]], [[1.0]], [1.0], [1.0], discount=discount)
    np.testing.assert_allclose(found.K, [[0.0, alone.K[0, 0]]], rtol=1e-12, atol=1e-15)
    decay = 1.0 - discount * mode**2
    assert found.P[0, 0] == pytest.approx(3.0 / decay, rel=max(1e-12, 1e-15 / lost))


@pytest.mark.parametrize("modes", [[1.0 - 1e-10], [1.0 - 1e-10, 0.5], [0.999999, 1.0 - 1e-10]])
@pytest.mark.parametrize("seed", range(5))
def test_nor_need_such_modes_be_states_by_themselves(modes, seed):
    """Turned coordinates; the gains on what is not reached, by the linear equation they solve."""
    generator = np.random.default_rng(seed)
    reached, rest = 2, len(modes)
    a_c, a_cu = generator.normal(size=(2, 2)), generator.normal(size=(2, rest))
    a_u, b_c = np.diag(modes), generator.normal(size=(2, 1))
    turn = np.linalg.qr(generator.normal(size=(reached + rest, reached + rest)))[0]
    a = turn @ np.block([[a_c, a_cu], [np.zeros((rest, 2)), a_u]]) @ turn.T
    b = turn @ np.vstack([b_c, np.zeros((rest, 1))])
    small = dp.lqr(a_c, b_c, [1.0, 1.0], [1.0])
    after = a_c - b_c @ small.K
    # X = after' (P a_cu + X a_u): one linear system in the entries of X, row by row.
    system = np.eye(2 * rest) - np.kron(after.T, a_u.T)
    x = np.linalg.solve(system, (after.T @ small.P @ a_cu).ravel()).reshape(2, rest)
    gain = np.linalg.solve(1.0 + b_c.T @ small.P @ b_c, b_c.T @ (small.P @ a_cu + x @ a_u))
    found = dp.lqr(a, b, np.ones(reached + rest), [1.0])
    np.testing.assert_allclose(found.K @ turn, np.hstack([small.K, gain]), rtol=1e-9, atol=1e-10)
    loop = np.abs(np.linalg.eigvals(a - b @ found.K))
    assert loop.max() == pytest.approx(max(modes), abs=1e-12)


def test_a_chain_of_equal_slow_filters_is_solved_in_its_own_coordinates():
    """Four poles at 0.99: as eigenvalues they are known to three digits, so those do not count."""
    chain = 0.99 * np.eye(4) + np.diag(np.full(3, 0.01), -1)
    a = np.block([[np.array([[1.1]]), np.array([[0.0, 0.0, 0.0, 1.0]])], [np.zeros((4, 1)), chain]])
    b = np.eye(5)[:, :1]
    found = dp.lqr(a, b, np.ones(5), [1.0])
    small = dp.lqr([[1.1]], [[1.0]], [1.0], [1.0])
    after = 1.1 - small.K[0, 0]
    x = np.linalg.solve(np.eye(4) - after * chain.T, after * small.P[0, 0] * np.eye(4)[3])
    gain = (small.P[0, 0] * np.eye(4)[3] + x @ chain) / (1.0 + small.P[0, 0])
    np.testing.assert_allclose(found.K, [[small.K[0, 0], *gain]], rtol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_a_mode_that_does_not_decay_at_all_is_refused_in_any_coordinates(seed):
    generator = np.random.default_rng(seed)
    turn = np.linalg.qr(generator.normal(size=(3, 3)))[0]
    b = np.array([[1.0], [0.5], [0.0]])
    cases = [(1.0, "or too slowly for float64 to tell"), (1.01, "1.01 does not decay")]
    for rest, message in cases:
        a = np.diag([1.2, 0.5, rest])
        a[:2, 2] = 1.0
        with pytest.raises(dp.NumericalError, match=message):
            dp.lqr(turn @ a @ turn.T, turn @ b, np.ones(3), [1.0])


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e-100, 1e-15, 1e-10, 1e100, 1e200, 1e300])
def test_plans_are_the_same_whatever_the_unit_of_the_reward(scale):
    """With bounds that hold, and with a model and a reward that take iterations."""
    linear = exact_linear_model(*DOUBLE_INTEGRATOR)
    generator = np.random.default_rng(0)
    states, actions = generator.normal(size=(200, 2)), generator.normal(size=(200, 1))
    following = states @ [[1.0, 0.3], [0.1, 1.0]] + actions * [0.0, 0.2]
    following[:, 1] -= 0.05 * states[:, 0] ** 3
    data = dp.Transitions(states, actions, following)
    curved = dp.LinearGaussian.fit(data, features=dp.Polynomial(3))

    def convex(unit):
        return dp.rewards.quadratic([unit, unit], of="state") + dp.rewards.action_cost([unit])

    def wavy(unit):
        return dp.rewards.angle(unit, index=0) + dp.rewards.action_cost([0.01 * unit])

    cases = [
        (dp.LQR(horizon=5, infinite_horizon=True), linear, convex, WIDE),
        (dp.LQR(horizon=8, infinite_horizon=True), linear, convex, NARROW),
        (dp.LQR(horizon=8), linear, convex, NARROW),
        (dp.ILQR(horizon=8), linear, convex, NARROW),
        (dp.ILQR(horizon=15), curved, convex, NARROW),
        (dp.ILQR(horizon=15), curved, wavy, NARROW),
    ]
    for planner, model, reward, bounds in cases:
        expected = planner.plan(model, reward(1.0), [1.0, -2.0], action_space=bounds)
        plan = planner.plan(model, reward(scale), [1.0, -2.0], action_space=bounds)
        np.testing.assert_allclose(plan.actions, expected.actions, rtol=1e-6, atol=1e-8)
        assert plan.value / scale == pytest.approx(expected.value, rel=1e-10)
        assert plan.stats.iterations == expected.stats.iterations
