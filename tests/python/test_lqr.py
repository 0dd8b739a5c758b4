"""LQR: values of other solvers and closed forms, the planner, errors that say what is wrong."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

import dynaplan as dp
from reference.systems import exact_linear_model, scalar_model

DOUBLE_INTEGRATOR = np.array([[1.0, 1.0], [0.0, 1.0]]), np.array([[0.0], [1.0]])
WIDE = (np.full(1, -100.0), np.full(1, 100.0))


def cart_pole():
    """Gymnasium's CartPole at the upright, with a continuous force and Euler steps of 0.02 s."""
    gravity, mass, pole, length, dt = 9.8, 1.1, 0.05, 0.5, 0.02  # pole: its mass times length
    turning = length * (4.0 / 3.0 - 0.1 / mass)
    rates = np.zeros((4, 4))
    rates[0, 1] = rates[2, 3] = 1.0
    rates[3, 2] = gravity / turning
    rates[1, 2] = -pole / mass * rates[3, 2]
    force = np.array([0.0, 1.0 / mass + pole / (mass**2 * turning), 0.0, -1.0 / (mass * turning)])
    return np.eye(4) + dt * rates, dt * force[:, None]


# Gains and values by scipy.linalg.solve_discrete_are, or where stated by hand.
CASES = {
    # P = (1.21 + sqrt(1.21^2 + 4)) / 2
    "scalar": ([[1.1]], [[1.0]], [1.0], [1.0], [[0.703427928856]], 1.773770721741),
    "stable scalar": ([[0.5]], [[1.0]], [1.0], [1.0], [[0.265564437075]], 1.132782218537),
    "double integrator": (
        *DOUBLE_INTEGRATOR,
        [1.0, 1.0],
        [1.0],
        [[0.422082440385, 1.243928853904]],
        2.947122966707 + 4.613134260996,
    ),
    "slow double integrator": (
        [[1.0, 0.1], [0.0, 1.0]],
        [[0.005], [0.1]],
        [1.0, 1.0],
        [0.1],
        [[2.58570089666, 3.443435917845]],
        13.317224441131 + 4.603514023781,
    ),
    "pendulum upright": (
        [[1.0375, 0.05], [0.75, 1.0]],
        [[0.0075], [0.15]],
        [1.0, 0.1],
        [0.001],
        [[19.693216546763, 5.262500081365]],
        None,
    ),
    "cart pole": (
        *cart_pole(),
        [1.0, 1.0, 1.0, 1.0],
        [0.01],
        [[-7.883047155652, -13.579606521859, -85.446470204579, -23.45732709108]],
        1056.06200673734,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_an_endless_horizon_has_the_known_gains(name):
    a, b, q, r, gain, trace = CASES[name]
    found = dp.lqr(a, b, q, r)
    np.testing.assert_allclose(found.K, gain, rtol=1e-11)
    if trace is not None:
        assert np.trace(found.P) == pytest.approx(trace, rel=1e-11)
    np.testing.assert_array_equal(found.P, found.P.T)


def residual(a, b, q, r, p):
    """What P lacks to solve the equation, relative to its size, computed in long double."""
    a, b, q, r, p = (np.asarray(matrix, np.longdouble) for matrix in (a, b, q, r, p))
    gain = np.linalg.solve((r + b.T @ p @ b).astype(float), (b.T @ p @ a).astype(float))
    lacking = a.T @ p @ a - a.T @ p @ b @ gain + q - p
    return float(np.abs(lacking).max() / np.abs(p).max())


def scipys_cases():
    """The benchmark collection DAREX (Benner, Laub & Mehrmann 1995) as SciPy's tests hold it.

    Read, not imported: the module wants a configuration of pytest of its own.
    """
    tests = pytest.importorskip("scipy.linalg").__path__[0] + "/tests/test_solvers.py"
    if not Path(tests).exists():
        pytest.skip("SciPy was installed without its tests")
    for node in ast.walk(ast.parse(Path(tests).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef) and node.name == "TestSolveDiscreteAre":
            return eval(ast.unparse(node.body[0].value), {"np": np})
    raise AssertionError("SciPy keeps its cases elsewhere now")


def test_scipys_own_cases_are_solved_as_scipy_solves_them():
    linalg = pytest.importorskip("scipy.linalg")
    cases = scipys_cases()
    real = [case[:4] for case in cases if not any(np.iscomplexobj(part) for part in case[:4])]
    assert len(real) >= 15
    for case in real:
        a, b, q, r = (np.asarray(matrix, float) for matrix in case)
        theirs, ours = linalg.solve_discrete_are(a, b, q, r), dp.lqr(a, b, q, r).P
        # The better their residual, the closer: the equation amplifies it by its condition.
        error = np.abs(ours - theirs).max() / np.abs(theirs).max()
        assert error < 1e-9 or residual(a, b, q, r, ours) < 0.1 * residual(a, b, q, r, theirs)
        assert residual(a, b, q, r, ours) < 1e-14


def test_a_mixed_cost_and_a_discount_are_those_of_scipy():
    linalg = pytest.importorskip("scipy.linalg")
    generator = np.random.default_rng(1)
    for size, actions in ((2, 1), (4, 2), (6, 6)):
        a, b = generator.normal(size=(size, size)), generator.normal(size=(size, actions))
        root = generator.normal(size=(size + actions, size + actions))
        whole = root @ root.T
        q, r, n = whole[:size, :size], whole[size:, size:], whole[:size, size:]
        for discount in (1.0, 0.7):
            scaled = np.sqrt(discount)
            expected = linalg.solve_discrete_are(scaled * a, scaled * b, q, r, s=n)
            found = dp.lqr(a, b, q, r, N=n, discount=discount)
            np.testing.assert_allclose(
                found.P, expected, rtol=1e-9, atol=1e-9 * abs(expected).max()
            )


def test_growing_modes_that_cost_nothing_are_stabilised_all_the_same():
    # P = (a^2 - 1) r / b^2 is the stabilising solution; P = 0 solves the equation too.
    found = dp.lqr([[1.5]], [[2.0]], [[0.0]], [[3.0]])
    assert found.P[0, 0] == pytest.approx((1.5**2 - 1.0) * 3.0 / 4.0, rel=1e-12)
    assert abs(1.5 - 2.0 * found.K[0, 0]) == pytest.approx(1 / 1.5, rel=1e-12)


def test_singular_matrices_are_no_obstacle_where_r_and_what_follows_is_regular():
    zero = np.zeros((2, 2))
    found = dp.lqr(zero, np.eye(2), [1.0, 2.0], [1.0, 1.0])
    np.testing.assert_allclose(found.P, np.diag([1.0, 2.0]))
    np.testing.assert_allclose(found.K, zero)
    dead_beat = dp.lqr(*DOUBLE_INTEGRATOR, [1.0, 0.0], [0.0])  # free actions: two steps to rest
    np.testing.assert_allclose(dead_beat.K, [[1.0, 2.0]], rtol=1e-12)
    np.testing.assert_allclose(dead_beat.P, [[2.0, 1.0], [1.0, 1.0]], rtol=1e-12)


def test_a_finite_horizon_is_the_best_of_all_sequences():
    """The whole problem as one least-squares problem in all actions at once."""
    generator = np.random.default_rng(2)
    a, b = generator.normal(size=(3, 3)) / 2, generator.normal(size=(3, 2))
    root = generator.normal(size=(5, 5))
    whole = root @ root.T
    q, r, n, final = whole[:3, :3], whole[3:, 3:], whole[:3, 3:], np.diag([1.0, 2.0, 3.0])
    c, state_target, action_target = (generator.normal(size=k) for k in (3, 3, 2))
    horizon, discount, start = 4, 0.9, generator.normal(size=3)
    steps = dp.lqr(
        a,
        b,
        q,
        r,
        N=n,
        c=c,
        state_target=state_target,
        action_target=action_target,
        horizon=horizon,
        Q_final=final,
        discount=discount,
    )
    assert [part.shape[0] for part in steps] == [4, 4, 5, 5]

    def cost(actions):
        state, total = start, 0.0
        for t, action in enumerate(actions.reshape(horizon, 2)):
            x, u = state - state_target, action - action_target
            total += discount**t * (x @ q @ x + u @ r @ u + 2 * x @ n @ u)
            state = a @ state + b @ action + c
        x = state - state_target
        return total + discount**horizon * (x @ final @ x)

    # A quadratic by its values: exact second differences, as it has no third.
    zero, unit = np.zeros(8), np.eye(8)
    hessian = np.array([[cost(i + j) - cost(i) - cost(j) + cost(zero) for j in unit] for i in unit])
    gradient = np.array([0.5 * (cost(i) - cost(-i)) for i in unit])
    best = np.linalg.solve(hessian, -gradient).reshape(horizon, 2)
    state = start
    for t in range(horizon):
        action = steps.k[t] - steps.K[t] @ state
        np.testing.assert_allclose(action, best[t], rtol=1e-9, atol=1e-9)
        state = a @ state + b @ action + c


def test_an_endless_horizon_with_targets_is_the_limit_of_long_ones():
    a, b = DOUBLE_INTEGRATOR
    for discount in (1.0, 0.9):
        settings = {
            "c": [0.1, -0.2],
            "state_target": [1.0, 0.5],
            "action_target": [0.3],
            "discount": discount,
        }
        infinite_horizon = dp.lqr(a, b, [1.0, 1.0], [1.0], **settings)
        long = dp.lqr(a, b, [1.0, 1.0], [1.0], horizon=200, **settings)
        np.testing.assert_allclose(long.K[0], infinite_horizon.K, rtol=1e-12)
        np.testing.assert_allclose(long.k[0], infinite_horizon.k, rtol=1e-12)
        np.testing.assert_allclose(long.p[0], infinite_horizon.p, rtol=1e-11)


def test_a_finite_horizon_too_wants_each_action_to_have_a_best():
    with pytest.raises(dp.NumericalError, match="positive definite"):
        dp.lqr([[0.5]], [[0.0]], [1.0], [0.0], horizon=3)
    assert dp.lqr([[1.2]], [[0.0]], [1.0], [1.0], horizon=3).K.shape == (3, 1, 1)


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"A": [[1.0, 2.0]]}, dp.ShapeError, r"A: got shape \(1, 2\), must be \(1, 1\)"),
        ({"A": [1.0]}, dp.ShapeError, r"A: got shape \(1,\), must be \(S, S\)"),
        ({"A": 1.0}, dp.ShapeError, r"A: got shape \(\), must be \(S, S\)"),
        ({"B": 1.0}, dp.ShapeError, r"B: got shape \(\), must be \(S, A\)"),
        ({"B": [1.0]}, dp.ShapeError, r"B: got shape \(1,\), must be \(S, A\)"),
        ({"N": 1.0}, dp.ShapeError, r"N: got shape \(\), must be \(S, A\)"),
        ({"A": np.eye(2), "B": np.eye(2)}, dp.ShapeError, r"Q: got shape \(1,\), must be \(2, 2\)"),
        (
            {"A": np.eye(2), "B": np.eye(2), "Q": 1.0, "R": 1.0},
            dp.ShapeError,
            r"Q: got shape \(\), must be \(2, 2\) or \(2,\)",
        ),
        ({"B": [[1.0, 1.0]], "R": 1.0}, dp.ShapeError, r"R: got shape \(\), must be \(2, 2\)"),
        ({"R": np.ones((1, 1, 1))}, dp.ShapeError, r"R: got shape \(1, 1, 1\), must be \(1, 1\)"),
        ({"discount": "x"}, dp.ArgumentError, "discount: got 'x', must be a number"),
        (
            {"horizon": 3, "Q_final": np.ones((1, 1, 1))},
            dp.ShapeError,
            r"Q_final: got shape \(1, 1, 1\), must be \(1, 1\) or \(1,\)",
        ),
        ({"B": [[1.0], [1.0]]}, dp.ShapeError, r"B: got shape \(2, 1\)"),
        ({"Q": [1.0, 1.0]}, dp.ShapeError, r"Q: got shape \(2,\), must be \(1, 1\) or \(1,\)"),
        ({"R": [[1.0, 1.0], [0.0, 1.0]]}, dp.ShapeError, "R: got shape"),
        ({"A": [[np.nan]]}, dp.ArgumentError, "A: row 0 is nan, must be finite"),
        ({"N": [[1.0, 1.0]]}, dp.ShapeError, "N: got shape"),
        ({"c": [1.0, 2.0]}, dp.ShapeError, "c: got shape"),
        ({"state_target": [1.0, 2.0]}, dp.ShapeError, "state_target: got shape"),
        ({"action_target": [1.0, 2.0]}, dp.ShapeError, "action_target: got shape"),
        ({"discount": 1.5}, dp.ArgumentError, "discount: got 1.5"),
        ({"horizon": 0}, dp.ArgumentError, "horizon: got 0"),
        ({"Q_final": [1.0]}, dp.ArgumentError, "Q_final: got one"),
        ({"horizon": 3, "Q_final": [1.0, 1.0]}, dp.ShapeError, "Q_final: got shape"),
        ({"A": np.zeros((0, 0)), "B": np.zeros((0, 1))}, dp.ShapeError, r"A: got shape \(0, 0\)"),
    ],
)
def test_bad_matrices_are_refused_by_name(changed, error, message):
    arguments = {"A": [[1.0]], "B": [[1.0]], "Q": [1.0], "R": [1.0]} | changed
    with pytest.raises(error, match=message):
        dp.lqr(**arguments)


def test_an_asymmetric_cost_is_refused():
    with pytest.raises(dp.ArgumentError, match="Q: must be a symmetric"):
        dp.lqr(np.eye(2), np.eye(2), [[1.0, 1.0], [0.0, 1.0]], np.eye(2))


def test_the_planner_finds_the_riccati_plan_and_its_gains():
    model = exact_linear_model(*DOUBLE_INTEGRATOR, constant=[0.1, 0.0])
    state_target, start = np.array([1.0, 0.0]), np.array([-1.0, 0.5])
    reward = dp.rewards.quadratic([1.0, 0.5], state_target, of="state")
    reward = reward + dp.rewards.action_cost([0.3])
    plan = dp.LQR(horizon=12, discount=0.95).plan(model, reward, start, action_space=WIDE)
    exact = dp.lqr(
        *DOUBLE_INTEGRATOR,
        [1.0, 0.5],
        [0.3],
        c=[0.1, 0.0],
        state_target=state_target,
        horizon=12,
        Q_final=[0.0, 0.0],
        discount=0.95,
    )
    np.testing.assert_allclose(plan.gains, -exact.K, rtol=1e-9, atol=1e-10)
    for t in range(12):
        best = exact.k[t] - exact.K[t] @ plan.states[t]
        np.testing.assert_allclose(plan.actions[t], best, rtol=1e-9, atol=1e-10)
    assert plan.status == "converged"
    assert plan.stats.iterations == 0  # the search starts from the regulator


def test_endless_planning_applies_the_endless_gain_at_any_horizon():
    model = exact_linear_model(*DOUBLE_INTEGRATOR)
    reward = dp.rewards.quadratic([1.0, 1.0], of="state") + dp.rewards.action_cost([1.0])
    for horizon in (1, 7):
        planner = dp.LQR(horizon=horizon, infinite_horizon=True)
        plan = planner.plan(model, reward, [1.0, -2.0], action_space=WIDE)
        gain = np.array([[0.422082440385, 1.243928853904]])
        np.testing.assert_allclose(plan.gains, np.tile(-gain, (horizon, 1, 1)), rtol=1e-9)
        np.testing.assert_allclose(plan.actions[0], -gain @ [1.0, -2.0], rtol=1e-9)
        rollout = dp.returns(model, reward, [1.0, -2.0], plan.actions[None])
        assert plan.value == pytest.approx(rollout[0], rel=1e-12)


def test_a_price_on_changes_is_planned_for_exactly():
    """The state with the last action below it is the plain problem of twice the size."""
    a, b = DOUBLE_INTEGRATOR
    model = exact_linear_model(a, b)
    change = 2.0
    reward = dp.rewards.quadratic([1.0, 0.2], of="state") + dp.rewards.action_cost([0.1])
    reward = reward + dp.rewards.action_change_cost([change])
    whole = (
        np.block([[a, np.zeros((2, 1))], [np.zeros((1, 3))]]),
        np.vstack([b, [[1.0]]]),
        [1.0, 0.2, change],
        [0.1 + change],
    )
    mixed = np.array([[0.0], [0.0], [-change]])
    start, previous = np.array([1.0, 0.5]), 0.7
    for infinite_horizon in (False, True):
        exact = dp.lqr(
            *whole, N=mixed, **({} if infinite_horizon else {"horizon": 9, "Q_final": [0.0] * 3})
        )
        first = exact.K if infinite_horizon else exact.K[0]
        plan = dp.LQR(horizon=9, infinite_horizon=infinite_horizon).plan(
            model, reward, start, action_space=WIDE, previous_action=[previous]
        )
        best = -first @ np.array([*start, previous])
        np.testing.assert_allclose(plan.actions[0], best, rtol=1e-9)
        np.testing.assert_allclose(plan.gains[0], -first[:, :2], rtol=1e-9)


def test_bounds_are_planned_with_not_clipped_to():
    model = exact_linear_model(*DOUBLE_INTEGRATOR)
    reward = dp.rewards.quadratic([1.0, 1.0]) + dp.rewards.action_cost([0.1])
    box, start = ([-0.5], [0.5]), np.array([8.0, 0.0])
    plan = dp.LQR(horizon=15).plan(model, reward, start, action_space=box)
    assert np.abs(plan.actions).max() == 0.5
    free = dp.LQR(horizon=15).plan(model, reward, start, action_space=WIDE)
    state, total = start, 0.0
    for t in range(15):
        action = np.clip(free.actions[t] + free.gains[t] @ (state - free.states[t]), -0.5, 0.5)
        following = model.predict(state, action).mean[0]
        total += reward(state[None], action[None], following[None])[0]
        state = following
    assert plan.value > total + 1.0


def test_what_is_not_linear_quadratic_is_refused_by_name():
    linear, quadratic = scalar_model(), dp.rewards.quadratic([1.0])
    generator = np.random.default_rng(0)
    data = dp.Transitions(*generator.normal(size=(3, 20, 1)))
    polynomial = dp.LinearGaussian.fit(data, features=dp.Polynomial(2))
    cases = [
        (polynomial, quadratic, None, "model: LQR needs linear"),
        (linear, dp.rewards.angle(1.0, index=0), None, "reward: LQR needs terms"),
        (linear, dp.rewards.action_cost([1.0], low=[-0.5], high=[0.5]), None, "within the bounds"),
        (linear, lambda obs, act, next_obs: -(act[:, 0] ** 2), None, "built-in terms"),
        (linear, quadratic, dp.terminations.outside([-1.0], [1.0]), "no termination"),
    ]
    for model, reward, termination, message in cases:
        with pytest.raises(dp.ArgumentError, match=message):
            dp.LQR().plan(
                model, reward, [0.0], action_space=([-1.0], [1.0]), termination=termination
            )
    with pytest.raises(dp.NumericalError, match="positive definite"):
        dp.LQR().plan(linear, -1.0 * quadratic, [0.0], action_space=([-1.0], [1.0]))


@pytest.mark.parametrize("start", [1e-300, 1e10, 1e200, -1e308])
@pytest.mark.parametrize("growth", [1.0, 1e3, 1e100])
def test_extreme_systems_give_finite_actions_within_the_bounds(start, growth):
    model = exact_linear_model([[growth]], [[1.0]])
    reward = dp.rewards.quadratic([1.0]) + dp.rewards.action_cost([1e-3])
    try:
        plan = dp.LQR(horizon=10).plan(model, reward, [start], action_space=([-1.0], [2.0]))
    except dp.NumericalError:
        return
    assert np.isfinite(plan.actions).all()
    assert plan.actions.min() >= -1.0
    assert plan.actions.max() <= 2.0
    assert np.isfinite(plan.gains).all()
