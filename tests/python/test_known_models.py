"""Systems that are known: matrices, equations in continuous time, regulators of them."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynaplan as dp
from reference.systems import exact_linear_model

signal = pytest.importorskip("scipy.signal")
integrate = pytest.importorskip("scipy.integrate")

A, B, C = np.array([[0.9, 0.2], [-0.1, 0.7]]), np.array([[0.0], [0.5]]), np.array([0.1, -0.2])
NOISE = np.array([[4e-4, 1e-4], [1e-4, 9e-4]])
BOX = ([-1.0], [1.0])
REWARD = dp.rewards.quadratic([1.0, 0.1], [0.5, 0.0]) + dp.rewards.action_cost([0.1])


@pytest.fixture(scope="module")
def known():
    return dp.LinearModel(A, B, C, noise=NOISE)


def test_it_predicts_what_the_matrices_say(known):
    generator = np.random.default_rng(0)
    states, actions = generator.normal(size=(200, 2)), generator.normal(size=(200, 1))
    mean, aleatoric, epistemic = known.predict(states, actions)
    np.testing.assert_allclose(mean, states @ A.T + actions @ B.T + C, rtol=1e-13, atol=1e-15)
    np.testing.assert_array_equal(aleatoric, np.tile(np.diag(NOISE), (200, 1)))
    assert not epistemic.any()
    jacobians = known.with_jacobians(states, actions)
    np.testing.assert_array_equal(jacobians.state, np.tile(A, (200, 1, 1)))
    np.testing.assert_array_equal(jacobians.action, np.tile(B, (200, 1, 1)))


@pytest.mark.parametrize(
    "noise",
    [NOISE, [4.0, 0.0], [[1.0, 2.0], [2.0, 4.0]], [[1e-12, 1e-4], [1e-4, 1e6]], [0.0, 0.0]],
)
def test_its_noise_has_the_covariance_given(noise):
    model = dp.LinearModel(A, B, noise=noise)
    covariance = np.diag(noise) if np.ndim(noise) == 1 else np.array(noise)
    np.testing.assert_array_equal(model.noise_covariance, covariance)
    drawn = model.sample(np.zeros((200_000, 2)), np.zeros((200_000, 1)), seed=1)
    scale = np.sqrt(np.diag(covariance))
    found = np.cov(drawn.T)
    # Of 200,000 draws, a correlation is known to 0.0022; 4 of these.
    np.testing.assert_array_less(np.abs(found - covariance), 0.01 * scale[:, None] * scale + 1e-300)
    np.testing.assert_array_equal(
        drawn, model.sample(np.zeros((200_000, 2)), np.zeros((200_000, 1)), seed=1, threads=2)
    )


@pytest.mark.parametrize(
    "planner", [dp.CEM(clip=None), dp.ICEM(clip=None), dp.MPPI(clip=None), dp.LQR(), dp.ILQR()]
)
def test_planners_take_it_like_a_fitted_model(planner, known):
    fitted = exact_linear_model(A, B, C)
    plans = [
        planner.plan(model, REWARD, [0.0, 0.0], action_space=BOX, seed=0)
        for model in (known, fitted)
    ]
    assert plans[0].value == pytest.approx(plans[1].value, rel=1e-4)


def test_evaluate_and_controllers_take_it(known):
    generator = np.random.default_rng(0)
    states, actions = generator.normal(size=(50, 2)), generator.normal(size=(50, 1))
    data = dp.Transitions(states, actions, known.sample(states, actions, seed=0))
    assert dp.evaluate(known, data, 1) is not None
    mpc = dp.MPC(known, REWARD, dp.LQR(horizon=10), action_space=BOX, seed=0)
    assert np.isfinite(mpc.act([0.0, 0.0])).all()


def test_copies_and_files_are_the_same_model(known, tmp_path):
    bounded = dp.LinearModel(A, B, noise=NOISE, observed=([-1, -np.inf, -2], [1, np.inf, 2]))
    for model in (known, bounded):
        model.save(tmp_path / "model.safetensors")
        for other in (dp.load(tmp_path / "model.safetensors"), pickle.loads(pickle.dumps(model))):
            for name in ("A", "B", "c", "noise_covariance", "observed_low", "observed_high"):
                np.testing.assert_array_equal(getattr(other, name), getattr(model, name))
            step = [one.sample([[1.0, 2.0]], [[0.5]], seed=0) for one in (other, model)]
            np.testing.assert_array_equal(*step)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([[1.0, 0.0]], B), dp.ShapeError, r"A: got shape \(1, 2\), must be square"),
        (([1.0], B), dp.ShapeError, r"A: got shape \(1,\), must be a matrix"),
        ((A, [[1.0]]), dp.ShapeError, "B: got 1 rows, must be 2 as of A"),
        ((A, B, [1.0]), dp.ShapeError, "c"),
        ((A * np.nan, B), dp.ArgumentError, r"(?s)A: got .*must be finite"),
        ((A, B, [np.inf, 0.0]), dp.ArgumentError, "c: got .*must be finite"),
    ],
)
def test_matrices_that_do_not_fit_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        dp.LinearModel(*arguments)


@pytest.mark.parametrize(
    ("noise", "message"),
    [
        ([1.0, -1.0], "variances"),
        ([[1.0, 0.5], [0.1, 1.0]], "symmetric"),
        ([[1.0, 1.5], [1.5, 1.0]], "exceeds"),
        ([[0.0, 0.1], [0.1, 1.0]], "exceeds"),
        ([np.nan, 1.0], "finite"),
    ],
)
def test_what_is_no_covariance_is_refused(noise, message):
    with pytest.raises(dp.ArgumentError, match=f"noise: .*{message}"):
        dp.LinearModel(A, B, noise=noise)


def test_a_covariance_may_be_negative_in_a_direction_that_no_pair_shows():
    noise = np.full((3, 3), -0.9) + 1.9 * np.eye(3)
    with pytest.raises(dp.ArgumentError, match="noise: must be a covariance"):
        dp.LinearModel(np.eye(3), np.eye(3), noise=noise)


METHODS = {"zoh": "zoh", "tustin": "bilinear", "euler": "euler"}


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    sizes=st.tuples(st.integers(1, 6), st.integers(1, 3)),
    dt=st.floats(1e-3, 2.0),
    method=st.sampled_from(sorted(METHODS)),
)
def test_matrices_are_discretised_as_scipy_does(seed, sizes, dt, method):
    generator = np.random.default_rng(seed)
    a, b = generator.normal(size=(sizes[0],) * 2), generator.normal(size=sizes)
    model = dp.discretise((a, b), dt, method=method)
    outputs = np.eye(sizes[0]), np.zeros(sizes)
    expected = signal.cont2discrete((a, b, *outputs), dt, METHODS[method])
    scale = max(1.0, np.abs(expected[0]).max(), np.abs(expected[1]).max())
    np.testing.assert_allclose(model.A, expected[0], atol=1e-11 * scale, rtol=1e-9)
    np.testing.assert_allclose(model.B, expected[1], atol=1e-11 * scale, rtol=1e-9)


@pytest.mark.parametrize("method", ["zoh", "tustin", "euler", "rk4"])
def test_the_constant_acts_like_an_action_that_is_always_sent(method):
    with_constant = dp.discretise((A, B, C), 0.3, method=method, substeps=2)
    with_action = dp.discretise((A, np.column_stack([B, C])), 0.3, method=method, substeps=2)
    np.testing.assert_allclose(with_constant.c, with_action.B[:, 1], rtol=1e-13)
    np.testing.assert_allclose(with_constant.B[:, 0], with_action.B[:, 0], rtol=1e-13)


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("tustin", 2), ("rk4", 4)])
def test_each_method_converges_with_its_order(method, order):
    exact = dp.discretise((A, B), 0.5)
    errors = [
        np.abs(dp.discretise((A, B), 0.5, method=method, substeps=n).A - exact.A).max()
        for n in (8, 16)
    ]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.15)
    whole = dp.discretise((A, B), 0.5, substeps=7)
    np.testing.assert_allclose(whole.A, exact.A, rtol=1e-12)


def pendulum(states, actions):
    angle, speed = states.T
    return np.stack([speed, 9.81 * np.sin(angle) - 0.1 * speed + actions[:, 0]], axis=1)


def test_a_function_is_integrated_as_scipy_does():
    step = dp.discretise(pendulum, 0.1, substeps=50)
    generator = np.random.default_rng(0)
    states, actions = generator.normal(size=(5, 2)), generator.normal(size=(5, 1))
    expected = [
        integrate.solve_ivp(
            lambda t, s, a=action: pendulum(s[None], a[None])[0],
            (0.0, 0.1),
            state,
            rtol=1e-12,
            atol=1e-12,
        ).y[:, -1]
        for state, action in zip(states, actions, strict=True)
    ]
    np.testing.assert_allclose(step(states, actions), expected, rtol=1e-8)
    model = dp.FunctionModel(step, 2, 1)
    np.testing.assert_array_equal(model.predict(states, actions).mean, step(states, actions))
    again = pickle.loads(pickle.dumps(step))
    np.testing.assert_array_equal(again(states, actions), step(states, actions))
    euler = dp.discretise(pendulum, 0.1, method="euler")
    np.testing.assert_allclose(
        euler(states, actions), states + 0.1 * pendulum(states, actions), rtol=1e-14
    )


def test_a_linear_system_is_the_same_given_either_way():
    matrices = dp.discretise((A, B, C), 0.2, method="rk4", substeps=3)
    step = dp.discretise(lambda s, a: s @ A.T + a @ B.T + C, 0.2, substeps=3)
    states, actions = np.ones((4, 2)), np.full((4, 1), -0.5)
    np.testing.assert_allclose(
        matrices.predict(states, actions).mean, step(states, actions), rtol=1e-13
    )


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (((A, B), 0.0), dp.ArgumentError, "dt: got 0.0, must be finite and above 0"),
        (((A, B), np.nan), dp.ArgumentError, "dt"),
        (((A, B), 0.1, "rk5"), dp.ArgumentError, "method: got 'rk5', must be one of 'zoh'"),
        ((pendulum, 0.1, "zoh"), dp.ArgumentError, "method: got 'zoh', must be one of 'rk4'"),
        (((A,), 0.1), dp.ShapeError, "system: got 1 matrices"),
        (((A, B[:1]), 0.1), dp.ShapeError, "B: got 1 rows"),
        ((3.0, 0.1), TypeError, "system"),
        ((([[800.0]], [[1.0]]), 1.0), dp.NumericalError, "overflows"),
        ((([[2.0]], [[1.0]]), 1.0, "tustin"), dp.NumericalError, "'tustin' has no step"),
    ],
)
def test_what_cannot_be_discretised_is_refused(arguments, error, message):
    system, dt, *method = arguments
    with pytest.raises(error, match=message):
        dp.discretise(system, dt, **({"method": method[0]} if method else {}))


def test_a_function_of_another_shape_is_named():
    step = dp.discretise(lambda states, actions: states[:, :1], 0.1)
    with pytest.raises(dp.ShapeError, match="system: returned"):
        step(np.zeros((3, 2)), np.zeros((3, 1)))


def test_a_regulator_acts():
    infinite = dp.lqr(A, B, np.eye(2), [1.0], c=C, state_target=[1.0, 0.0])
    states = np.array([[0.5, 0.1], [-1.0, 2.0]])
    expected = [infinite.k - infinite.K @ state for state in states]
    np.testing.assert_allclose(infinite.act(states), expected, rtol=1e-14)
    np.testing.assert_array_equal(infinite.act(states[0]), infinite.act(states)[0])
    np.testing.assert_array_equal(infinite.act(states[0], 7), infinite.act(states[0]))
    finite = dp.lqr(A, B, np.eye(2), [1.0], horizon=5)
    np.testing.assert_allclose(
        finite.act(states[1], 4), finite.k[4] - finite.K[4] @ states[1], rtol=1e-14
    )
    for state, step, error, message in [
        ([1.0], 0, dp.ShapeError, "state: got shape"),
        ([np.nan, 0.0], 0, dp.ArgumentError, "state"),
        ([0.0, 0.0], 5, dp.ArgumentError, "step: got 5, must be below the horizon, 5"),
        ([0.0, 0.0], -1, dp.ArgumentError, "step"),
    ]:
        with pytest.raises(error, match=message):
            finite.act(state, step)
