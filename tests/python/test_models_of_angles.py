"""Models of systems with angles: what they learn, predict and plan with, across a whole turn."""

import copy
import pickle

import numpy as np
import pytest

import dynaplan as dp
from dynaplan.control.timed_plan import TimedPlan
from dynaplan.data.angles import Angles
from dynaplan.rollouts.rollout import state_limits

PI = np.pi
WRAP = Angles.of([0], 1).wrapped
SHORT = {"hidden": (8,), "epochs": 3, "seed": 0}
FITS = {
    "MLP": lambda data, **s: dp.MLP.fit(data, **{**SHORT, **s}),
    "GaussianMLP": lambda data, **s: dp.GaussianMLP.fit(data, **{**SHORT, **s}),
    "Ensemble": lambda data, **s: dp.Ensemble.fit(data, members=2, **{**SHORT, **s}),
    "process": lambda data: dp.GaussianProcess.fit(data, seed=0),
    "linear": lambda data: dp.LinearGaussian.fit(data, features=dp.Identity()),
    "polynomial": lambda data: dp.LinearGaussian.fit(data, features=dp.Polynomial(2)),
    "huber": lambda data: dp.LinearGaussian.fit(data, features=dp.Polynomial(2), loss="huber"),
    "absolute": lambda data: dp.LinearGaussian.fit(
        data, features=dp.Polynomial(2), target="absolute"
    ),
}
pytestmark = pytest.mark.filterwarnings("ignore::dynaplan.RankDeficientWarning")


def wheel(count=60, speed=0.3, turn=2.0 * PI, low=-PI):
    """A wheel that turns by the same angle at every step, in a unit with so many to a turn."""
    path = low + np.remainder(speed * np.arange(count + 1.0)[:, None] - low, turn)
    actions = np.random.default_rng(0).normal(size=(count, 1))
    return dp.Transitions(path[:-1], actions, path[1:], angles={0: (low, low + turn)})


def pendulum(states, actions):
    """A pendulum in angle and speed: g = 10, one kilogram and one metre, steps of 0.05 s."""
    angle, speed = states.T
    speed = speed + 0.05 * (15.0 * np.sin(angle) + 3.0 * actions[:, 0])
    return np.column_stack([angle + 0.05 * speed, speed])


def swings(count=400, seed=0):
    """Episodes of 20 steps of the pendulum, its angle from -pi to pi."""
    rng = np.random.default_rng(seed)
    wrap = Angles.of([0], 2).wrapped
    states = np.empty((count, 2))
    actions, after = rng.uniform(-2.0, 2.0, (count, 1)), np.empty((count, 2))
    for t in range(count):
        fresh = np.array([rng.uniform(-PI, PI), rng.uniform(-6.0, 6.0)])
        states[t] = fresh if t % 20 == 0 else after[t - 1]
        after[t] = wrap(pendulum(states[t : t + 1], actions[t : t + 1]))[0]
    return dp.Transitions(states, actions, after, episodes=np.arange(count) // 20, angles=[0])


# --- the wheel


@pytest.mark.parametrize("name", FITS)
def test_a_wheel_is_learned_and_followed_over_many_turns(name, tmp_path):
    data = wheel()
    model = FITS[name](data)
    check = dp.evaluate(model, data, horizon=30)
    assert check.one_step_rmse[0] < 1e-6
    assert check.rmse.max() < 1e-5
    assert check.trusted_horizon == 30
    assert model.angles == data.angles
    path = tmp_path / "model.safetensors"
    model.save(path)
    for again in (dp.load(path), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert again.angles == data.angles
        same = again.predict(data.states, data.actions), model.predict(data.states, data.actions)
        assert np.array_equal(same[0].mean, same[1].mean)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", FITS)
def test_predicted_angles_are_those_of_the_system(name, dtype):
    model = FITS[name](wheel())
    actions = np.zeros((1, 100, 1), dtype)
    expected = WRAP(0.3 * np.arange(101.0)[:, None])[:, 0]
    path = dp.rollout(model, [0.0], actions)[0, :, 0]
    assert np.abs(path).max() <= np.float32(PI)
    assert np.allclose(path, expected, atol=1e-6 if dtype == np.float64 else 2e-4)
    reward = dp.returns(model, lambda s, a, n: n[:, 0], [0.0], actions)
    assert reward[0] == pytest.approx(expected[1:].sum(), abs=0.05)
    made = dp.imagine(
        model, [[3.0]], lambda s: np.zeros((len(s), 1)), 10, reward=lambda s, a, n: n[:, 0]
    )
    assert made.transitions().angles == model.angles
    assert np.allclose(
        made.next_states[:, 0], WRAP(3.0 + 0.3 * np.arange(1.0, 11.0)[:, None])[:, 0], atol=0.01
    )
    assert np.allclose(model.predict([3.0], [0.0]).mean, 3.3 - 2.0 * PI)
    assert np.abs(model.sample(np.full((50, 1), 3.1), np.zeros((50, 1)), seed=0)).max() <= PI


@pytest.mark.parametrize("name", FITS)
def test_angles_need_no_unit(name):
    radians = FITS[name](wheel())
    degrees = FITS[name](wheel(speed=np.degrees(0.3), turn=360.0, low=0.0))
    path = dp.rollout(degrees, [350.0], np.zeros((1, 40, 1)))[0, :, 0]
    assert path.min() >= 0.0
    assert path.max() <= 360.0
    expected = dp.rollout(radians, np.radians([350.0]), np.zeros((1, 40, 1)))[0, :, 0]
    apart = Angles({0: 360.0}).short_way((path - np.degrees(expected))[:, None])
    assert np.abs(apart).max() < 1e-3


def test_an_angle_that_counts_turns_on_goes_on():
    path = 0.3 * np.arange(61.0)[:, None]
    data = dp.Transitions(path[:-1], np.zeros((60, 1)), path[1:], angles={0: 2.0 * PI})
    for name in ("MLP", "polynomial"):
        model = FITS[name](data)
        ahead = dp.rollout(model, [0.0], np.zeros((1, 100, 1)))[0, -1, 0]
        assert ahead == pytest.approx(30.0, abs=1e-4)
        assert dp.evaluate(model, data, horizon=30).trusted_horizon == 30


def test_angles_said_to_a_fit_alone_count_on_and_are_measured_the_short_way():
    data = wheel()
    plain = dp.Transitions(data.states, data.actions, data.next_states, episodes=data.episodes)
    model = dp.MLP.fit(plain, **SHORT, angles=[0])
    assert model.angles == {0: 2.0 * PI}
    assert dp.rollout(model, [0.0], np.zeros((1, 100, 1)))[0, -1, 0] == pytest.approx(
        30.0, abs=1e-3
    )
    check = dp.evaluate(model, plain, horizon=30)
    assert (check.trusted_horizon, check.rmse.max() < 1e-5) == (30, True)


def test_angles_that_a_fit_is_told_must_be_those_of_the_data():
    data = swings(40)
    assert dp.MLP.fit(data, **SHORT, angles=[0]).angles == data.angles
    with pytest.raises(
        dp.ArgumentError, match=r"^angles: got \[1\], must be those of the data, \[0\]"
    ):
        dp.MLP.fit(data, **SHORT, angles=[1])
    plain = dp.Transitions(data.states, data.actions, data.next_states, episodes=data.episodes)
    with pytest.raises(dp.ArgumentError, match=r"^held_out: got Angles\(\{\}\), must be Angles"):
        dp.MLP.fit(data, **SHORT, held_out=plain)
    model = dp.LinearGaussian.fit(data)
    with pytest.raises(dp.ArgumentError, match=r"^data: got Angles\(\{1: .*, must be Angles"):
        model.updated(dp.Transitions(data.states, data.actions, data.next_states, angles={1: 20.0}))
    with pytest.raises(dp.ArgumentError, match=r"^other: has Angles"):
        model.merged(dp.LinearGaussian.fit(plain))


# --- the pendulum


def test_a_pendulum_is_a_polynomial_in_sine_and_cosine():
    model = dp.LinearGaussian.fit(swings(), features=dp.Polynomial(2))
    held_out = swings(seed=1)
    check = dp.evaluate(model, held_out, horizon=20)
    assert check.one_step_rmse.max() < 1e-9
    assert check.trusted_horizon == 20
    # Inputs: sine in the angle's place, speed, cosine, torque.
    assert model.exponents.shape[1] == 4
    assert np.allclose(model.A, [[0.0375, 0.05], [0.75, 1.0]], atol=1e-9)
    assert np.allclose(model.B[:, 0], [0.0075, 0.15], atol=1e-9)
    assert (model.state_dim, model.action_dim) == (2, 1)
    assert model.observed_low.shape == (3,)


def test_derivatives_are_those_of_the_pendulum_on_both_sides_of_the_cut():
    model = dp.LinearGaussian.fit(swings(), features=dp.Polynomial(2))
    known = dp.FunctionModel(pendulum, 2, 1, angles=[0])
    inside = dp.FunctionModel(
        lambda s, a: Angles.of([0], 2).wrapped(pendulum(s, a)), 2, 1, angles=[0]
    )
    for angle in (0.3, PI - 1e-7, -PI + 1e-7):
        found = model.with_jacobians([angle, 0.0], [0.0])
        slope = 0.05 * 15.0 * np.cos(angle)
        exact = [[1.0 + 0.05 * slope, 0.05], [slope, 1.0]]
        assert np.allclose(found.state[0], exact, atol=1e-8)
        assert np.allclose(found.action[0], [[0.0075], [0.15]], atol=1e-8)
        assert np.abs(found.next_states).max() <= PI
        for other in (known, inside):
            assert np.allclose(other.with_jacobians([angle, 0.0], [0.0]).state[0], exact, atol=1e-6)


@pytest.mark.parametrize("degree", [1, 2])
def test_data_that_come_in_parts_make_the_same_model(degree):
    data, features = swings(), dp.Polynomial(degree)
    whole = dp.LinearGaussian.fit(data, features=features)
    first, second = data[:150], data[150:]
    parts = [dp.LinearGaussian.fit(part, features=features) for part in (first, second)]
    recursive = dp.RecursiveLeastSquares(2, 1, features=features, angles=[0])
    for row in zip(data.states, data.actions, data.next_states, strict=True):
        recursive.update(*row)
    again = pickle.loads(pickle.dumps(recursive))
    found = [parts[0].updated(second), parts[0].merged(parts[1]), recursive.model(), again.model()]
    for model in found:
        assert model.angles == data.angles
        mean = model.predict(data.states, data.actions).mean
        expected = whole.predict(data.states, data.actions).mean
        assert np.allclose(data.angles.short_way(mean - expected), 0.0, atol=1e-9)
        assert np.allclose(model.observed_low[1:], whole.observed_low[1:])
    going_on = dp.RecursiveLeastSquares.from_model(parts[0])
    going_on.update(second.states[0], second.actions[0], second.next_states[0])
    assert going_on.model().angles == data.angles


def test_a_network_of_angles_in_degrees_has_the_derivatives_of_its_differences():
    data, turn = swings(), np.array([180.0 / PI, 1.0])
    degrees = dp.Transitions(
        data.states * turn, data.actions, data.next_states * turn, angles={0: (-180.0, 180.0)}
    )
    model = dp.MLP.fit(degrees, hidden=(16,), activation="tanh", epochs=20, seed=0)
    state, action = np.array([170.0, 0.5]), np.array([0.3])
    found = model.with_jacobians(state, action).state[0]
    for column in (0, 1):
        move = np.eye(2)[column] * 1e-2
        ends = [model.predict(state + s * move, action).mean[0] for s in (1, -1)]
        assert np.allclose(found[:, column], (ends[0] - ends[1]) / 2e-2, atol=1e-3)


# --- what surrounds a model


def noisy():
    """A wheel at rest where its range ends, pushed about by noise."""
    rng = np.random.default_rng(5)
    states = WRAP(PI + 0.2 * rng.normal(size=(600, 1)))
    after = WRAP(states + 0.1 * rng.normal(size=(600, 1)))
    return dp.Transitions(states, rng.normal(size=(600, 1)), after, angles=[0])


@pytest.mark.parametrize("propagation", ["sample", "moment"])
def test_bands_about_the_end_of_a_range_are_as_wide_as_anywhere(propagation):
    data = noisy()
    model = dp.LinearGaussian.fit(data)
    band = dp.bands(model, [3.1], np.zeros((1, 5, 1)), propagation=propagation, seed=0)
    width = (band.high - band.low)[0, :, 0]
    assert (width > 0.15).all()
    assert (width < 1.5).all()
    assert np.abs(band.middle).max() <= PI
    check = dp.evaluate(model, data, horizon=1, propagation=propagation)
    assert check.band_coverage[0] == pytest.approx(0.9, abs=0.05)
    held = dp.calibrate_bands(model, data, 1, propagation=propagation)
    assert held.band_factors[propagation][0, 0] == pytest.approx(1.0, abs=0.25)
    assert held.angles == data.angles
    assert model.calibrated(data).calibration[0] == pytest.approx(1.0, abs=0.15)


def test_learned_limits_are_no_wall_for_angles():
    data = swings()
    for model in (
        dp.LinearGaussian.fit(data, features=dp.Polynomial(2)),
        dp.MLP.fit(data, **SHORT),
    ):
        low, high = state_limits(model, 2.0)
        assert (low[0], high[0]) == (-np.inf, np.inf)
        assert np.isfinite([low[1], high[1]]).all()
    turned = dp.rollout(FITS["polynomial"](wheel()), [0.0], np.zeros((1, 30, 1)), clip=0.1)
    assert len(np.unique(turned.round(6))) > 20


def test_an_imagined_environment_turns_on_at_the_end_of_its_space():
    gymnasium = pytest.importorskip("gymnasium")
    box = gymnasium.spaces.Box(np.float32(-PI), np.float32(PI), (1,), np.float32)
    envs = dp.ImaginedVectorEnv(
        FITS["MLP"](wheel()),
        2,
        [[0.0]],
        action_space=([-1.0], [1.0]),
        observation_space=box,
        reward=lambda s, a, n: n[:, 0],
    )
    envs.reset(seed=0)
    for step in range(1, 31):
        seen, rewards, *_ = envs.step(np.zeros((2, 1)))
        expected = WRAP(np.array([[0.3 * step]]))[0, 0]
        assert np.allclose(seen[:, 0], expected, atol=1e-3)
        assert np.allclose(rewards, expected, atol=1e-3)
        assert box.contains(seen[0])


@pytest.mark.parametrize("planner", [dp.ILQR(horizon=40), dp.CEM(horizon=15, candidates=64)])
def test_a_plan_does_not_hang_on_where_the_angle_is_cut(planner):
    def upright(states, actions, next_states):
        return np.cos(next_states[:, 0]) - 0.01 * next_states[:, 1] ** 2

    plans = [
        planner.plan(
            dp.FunctionModel(pendulum, 2, 1, angles=angles),
            upright,
            [PI - 0.1, 1.0],
            action_space=([-2.0], [2.0]),
            seed=0,
        )
        for angles in ([0], {0: 2.0 * PI})
    ]
    wrapped, counting = (plan.states for plan in plans)
    assert np.abs(wrapped[:, 0]).max() <= PI
    assert np.abs(counting[:, 0]).max() > PI
    assert plans[0].value == pytest.approx(plans[1].value, rel=1e-6)
    assert np.allclose(Angles({0: 2.0 * PI}).short_way(wrapped - counting), 0.0, atol=1e-5)


def test_plans_are_followed_across_the_end_of_a_range():
    # From just before the end to just behind it: a step of 0.2, not of a whole turn less that.
    known = dp.LinearModel([[1.0]], [[0.1]], angles=[0])

    def cost(states, actions, next_states):
        return -(Angles({0: 2.0 * PI}).short_way(next_states + 3.0)[:, 0] ** 2)

    mpc = dp.MPC(known, cost, dp.ILQR(horizon=10), action_space=([-1.0], [1.0]), replan_every=3)
    state = np.array([3.1])
    for _ in range(20):
        state = known.predict(state, mpc.act(state)).mean[0]
    assert abs(Angles({0: 2.0 * PI}).short_way(np.array([[state[0] + 3.0]]))[0, 0]) < 1e-3


def test_between_two_steps_a_plan_expects_the_short_way():
    path = np.array([[[3.0], [-3.0], [-2.9]]])
    plan = TimedPlan(0.0, 0.0, 1.0, np.zeros((1, 2, 1)), path, None)
    assert plan.expected(0.5, Angles.of([0], 1))[0, 0] == pytest.approx(PI)


def test_a_filter_follows_an_angle_across_the_end_of_its_range():
    wheel_model = dp.LinearModel([[1.0, 0.1], [0.0, 1.0]], [[0.0], [0.1]], angles=[0])
    place = dp.KalmanFilter(
        wheel_model, [[2.0, 0.0]], observation_noise=[1e-4], mean=[0.0, 3.0], covariance=[0.1, 0.1]
    )
    for step in range(60):
        truth = WRAP(np.array([[0.3 * step]]))[0, 0]
        found = place.update([2.0 * truth])
        apart = Angles({0: 2.0 * PI}).short_way(np.array([[found[0] - truth]]))[0, 0]
        assert abs(apart) < 0.02
        assert abs(found[0]) <= PI
        place.predict([0.0])


@pytest.mark.parametrize("make", [dp.LinearModel, dp.FunctionModel])
def test_known_models_keep_their_angles(make, tmp_path):
    if make is dp.LinearModel:
        model = dp.LinearModel([[1.0]], [[1.0]], angles={0: (0.0, 360.0)})
        model.save(tmp_path / "m")
        models = [model, dp.load(tmp_path / "m"), pickle.loads(pickle.dumps(model))]
    else:
        model = dp.FunctionModel(np.add, 1, 1, angles={0: (0.0, 360.0)})
        models = [model, copy.deepcopy(model), pickle.loads(pickle.dumps(model))]
    for one in models:
        assert one.angles == {0: (0.0, 360.0)}
        assert one.predict([350.0], [20.0]).mean[0, 0] == pytest.approx(10.0)
        assert dp.rollout(one, [350.0], np.full((1, 3, 1), -200.0))[0, :, 0].tolist() == [
            350,
            150,
            310,
            110,
        ]


def test_equations_in_continuous_time_have_angles_too():
    def spin(state, action):
        angle, speed = state
        return speed, 0.0 * angle + action[0]

    made = [
        dp.discretise(spin, 0.1, state_dim=2, action_dim=1, angles=[0]),
        dp.discretise(([[0.0, 1.0], [0.0, 0.0]], [[0.0], [1.0]]), 0.1, angles=[0]),
    ]
    for model in made:
        assert model.angles == {0: (-PI, PI)}
        assert np.allclose(model.predict([3.1, 1.0], [0.0]).mean, [[3.2 - 2.0 * PI, 1.0]])
    with pytest.raises(dp.ArgumentError, match=r"^angles: got \[0\], must be left out"):
        dp.discretise(lambda s, a: s, 0.1, angles=[0])


def test_trust_does_not_hang_on_where_the_angle_is_cut():
    data = noisy()
    model = dp.GaussianMLP.fit(data, **SHORT)
    low, high = model.observed_low[0], model.observed_high[0]
    assert 2.0 < low < PI < high < 4.5
    for features in (dp.Identity(), dp.Polynomial(2)):
        fitted = dp.LinearGaussian.fit(data, features=features)
        assert (fitted.observed_low[0], fitted.observed_high[0]) == pytest.approx((low, high))
