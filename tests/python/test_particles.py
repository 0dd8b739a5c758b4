"""Particles and what their returns come to, against closed forms of a linear-Gaussian system."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

import dynaplan as dp
from reference.systems import linear_system, scalar_model

BOX = ([-1.0], [1.0])
DRAWN = ("sample", "ts1", "tsinf", "moment")


@pytest.fixture(scope="module")
def noisy():
    """s' = 0.8 s + a + noise of standard deviation 0.3, as fitted."""
    generator = np.random.default_rng(0)
    states, actions = generator.normal(size=(2, 4000, 1))
    next_states = 0.8 * states + actions + 0.3 * generator.normal(size=states.shape)
    return dp.LinearGaussian.fit(dp.Transitions(states, actions, next_states))


def moments(model, start, horizon):
    """Means and variances of the states of `noisy` after 1 ... horizon steps, no action."""
    gain, variance = model.A[0, 0], model.noise_covariance[0, 0]
    mean, spread, means, variances = start, 0.0, [], []
    for _ in range(horizon):
        mean, spread = gain * mean + model.c[0], gain**2 * spread + variance
        means.append(mean)
        variances.append(spread)
    return np.array(means), np.array(variances)


def return_moments(model, start, horizon):
    """Mean and variance of the sum of the states after each step."""
    gain, variance = model.A[0, 0], model.noise_covariance[0, 0]
    reach = np.array([(1 - gain**k) / (1 - gain) for k in range(horizon, 0, -1)])
    return moments(model, start, horizon)[0].sum(), variance * (reach**2).sum()


def state_itself(obs, act, next_obs):
    return next_obs[:, 0]


@pytest.mark.parametrize("propagation", DRAWN)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_mean_return_counts_the_variance_of_the_states(noisy, propagation, dtype):
    # The reward -s'^2 is worth -(mean^2 + variance) at each step.
    count = 4000
    got = dp.returns(
        noisy,
        dp.rewards.quadratic([1.0]),
        [1.0],
        np.zeros((3, 5, 1), dtype),
        propagation=propagation,
        particles=count,
        seed=0,
    )
    means, variances = moments(noisy, 1.0, 5)
    assert got.dtype == dtype
    np.testing.assert_allclose(got, -(means**2 + variances).sum(), rtol=0.08)


@pytest.mark.parametrize("fraction", [0.05, 0.25, 1.0])
def test_the_cvar_of_a_gaussian_return(noisy, fraction):
    mean, variance = return_moments(noisy, 1.0, 6)
    got = dp.returns(
        noisy,
        state_itself,
        [1.0],
        np.zeros((1, 6, 1)),
        propagation="sample",
        particles=40000,
        risk=dp.risk.CVaR(fraction),
        seed=2,
    )
    normal = NormalDist()
    tail = 0.0 if fraction == 1.0 else normal.pdf(normal.inv_cdf(fraction)) / fraction
    assert got[0] == pytest.approx(mean - np.sqrt(variance) * tail, abs=0.06)


@pytest.mark.parametrize("propagation", DRAWN)
def test_returns_are_those_of_the_trajectories(propagation):
    model = dp.LinearGaussian.fit(linear_system(80, noise=0.4))
    actions = np.random.default_rng(1).normal(size=(37, 4, 2))
    drawn = {"propagation": propagation, "particles": 10, "seed": 3}
    paths = dp.rollout(model, np.ones(3), actions, **drawn)
    assert paths.shape == (37, 10, 5, 3)
    assert (paths[:, :, 0] == 1.0).all()
    totals = np.sort(-(paths[:, :, 1:] ** 2).sum(axis=(2, 3)), axis=1)
    term = dp.rewards.quadratic([1.0, 1.0, 1.0])
    expected = {
        dp.risk.Mean(): totals.mean(axis=1),
        dp.risk.Worst(): totals[:, 0],
        dp.risk.CVaR(0.01): totals[:, 0],
        dp.risk.CVaR(0.25): (totals[:, 0] + totals[:, 1] + 0.5 * totals[:, 2]) / 2.5,
    }
    for risk, values in expected.items():
        for reward in (term, lambda obs, act, next_obs: -(next_obs**2).sum(axis=1)):
            got = dp.returns(model, reward, np.ones(3), actions, risk=risk, **drawn)
            np.testing.assert_allclose(got, values, rtol=1e-12)


@pytest.mark.parametrize("propagation", DRAWN)
def test_threads_and_the_other_candidates_change_nothing(noisy, propagation):
    actions = np.random.default_rng(0).normal(size=(150, 6, 1))
    drawn = {"propagation": propagation, "particles": 7, "seed": 9}
    one = dp.rollout(noisy, [0.0], actions, **drawn)
    for threads in (2, 4):
        np.testing.assert_array_equal(
            dp.rollout(noisy, [0.0], actions, threads=threads, **drawn), one
        )
    few = dp.rollout(noisy, [0.0], actions[:3], **drawn)
    np.testing.assert_array_equal(few, one[:3])
    ends = one[:, :, -1, 0]
    assert len(np.unique(ends)) == ends.size


def test_a_moment_redraw_keeps_each_variance_and_forgets_what_ties_the_states():
    generator = np.random.default_rng(4)
    states, actions = generator.normal(size=(500, 2)), generator.normal(size=(500, 1))
    noise = generator.normal(size=(500, 1)) * [0.5, 0.5] + 0.05 * generator.normal(size=(500, 2))
    model = dp.LinearGaussian.fit(dp.Transitions(states, actions, 0.5 * states + noise))
    nothing = np.zeros((1, 3, 1))
    ends = {
        name: dp.rollout(model, np.zeros(2), nothing, propagation=name, particles=20000, seed=1)[
            0, :, -1
        ]
        for name in ("sample", "moment")
    }
    np.testing.assert_allclose(ends["moment"].var(axis=0), ends["sample"].var(axis=0), rtol=0.05)
    assert np.corrcoef(ends["sample"].T)[0, 1] > 0.9
    assert abs(np.corrcoef(ends["moment"].T)[0, 1]) < 0.03


def test_a_careful_planner_keeps_its_distance_from_a_cliff(noisy):
    def cliff(obs, act, next_obs):
        return np.where(next_obs[:, 0] > 1.0, -100.0, next_obs[:, 0])

    def reached(**settings):
        planner = dp.CEM(horizon=1, candidates=200, elites=20, iterations=8, clip=None, **settings)
        plan = planner.plan(noisy, cliff, [0.0], action_space=([-3.0], [3.0]), seed=0)
        return plan.states[-1, 0]

    sigma = np.sqrt(noisy.noise_covariance[0, 0])
    assert reached() == pytest.approx(1.0, abs=0.05)
    assert reached(propagation="sample", particles=200) < 1.0 - 1.5 * sigma
    # No particle of 200 falls over: at least some 2.5 standard deviations away.
    assert reached(propagation="sample", particles=200, risk=dp.risk.Worst()) < 1.0 - 2 * sigma


@pytest.mark.parametrize("planner", [dp.CEM, dp.RandomShooting])
@pytest.mark.parametrize("reward", [dp.rewards.quadratic([1.0]), lambda o, a, n: -(n[:, 0] ** 2)])
def test_plans_with_particles_are_the_same_for_any_number_of_threads(noisy, planner, reward):
    settings = {"horizon": 4, "candidates": 130, "propagation": "tsinf", "particles": 5}
    plans = [
        planner(threads=threads, risk=dp.risk.CVaR(0.4), **settings).plan(
            noisy, reward, [1.0], action_space=BOX, seed=3
        )
        for threads in (1, 2, 4)
    ]
    for plan in plans[1:]:
        np.testing.assert_array_equal(plan.actions, plans[0].actions)
        assert plan.value == plans[0].value
    assert plans[0].states.shape == (5, 1)
    # The states are the mean prediction, whatever is drawn for the value.
    again = dp.rollout(noisy, [1.0], plans[0].actions[None])[0]
    np.testing.assert_allclose(plans[0].states, again, atol=1e-6)


def test_a_controller_plans_with_particles(noisy):
    planner = dp.CEM(horizon=3, propagation="sample", particles=20)
    mpc = dp.MPC(noisy, dp.rewards.quadratic([1.0]), planner, action_space=BOX, seed=0)
    first = mpc.act([1.0])
    assert first[0] < -0.4
    mpc.reset()
    np.testing.assert_array_equal(mpc.act([1.0]), first)


def test_terminations_end_particles_one_by_one(noisy):
    actions = np.zeros((5, 8, 1))
    drawn = {"propagation": "sample", "particles": 30, "seed": 1}
    built_in = dp.terminations.outside([-0.4], [0.4])

    def function(obs, act, next_obs):
        return np.abs(next_obs[:, 0]) > 0.4

    paths = dp.rollout(noisy, [0.0], actions, termination=built_in, **drawn)
    np.testing.assert_array_equal(
        dp.rollout(noisy, [0.0], actions, termination=function, **drawn), paths
    )
    ended = np.abs(paths[:, :, 1:-1, 0]) > 0.4
    assert 0.3 < ended.any(axis=2).mean() < 1.0
    np.testing.assert_array_equal(paths[:, :, 2:, 0][ended], paths[:, :, 1:-1, 0][ended])
    one, two = (
        dp.returns(
            noisy, dp.rewards.quadratic([1.0]), [0.0], actions, termination=termination, **drawn
        )
        for termination in (built_in, function)
    )
    np.testing.assert_allclose(one, two, rtol=1e-12)


@pytest.mark.parametrize("propagation", DRAWN)
def test_a_diverging_model_gives_no_finite_return_and_no_crash(propagation):
    model = scalar_model(1e6)
    for risk in (dp.risk.Mean(), dp.risk.Worst(), dp.risk.CVaR(0.3)):
        got = dp.returns(
            model,
            dp.rewards.quadratic([1.0]),
            [1e30],
            np.ones((20, 300, 1)),
            propagation=propagation,
            particles=6,
            risk=risk,
            seed=0,
        )
        assert not np.isfinite(got).any()


def test_out_takes_the_particles():
    model = scalar_model()
    out = np.empty((2, 3, 5, 1))
    got = dp.rollout(
        model, [1.0], np.zeros((2, 4, 1)), propagation="sample", particles=3, seed=0, out=out
    )
    assert got is out
    assert (out[:, :, 0] == 1.0).all()
    with pytest.raises(dp.ShapeError, match=r"out: got shape \(2, 3, 5, 1\)"):
        dp.rollout(model, [1.0], np.zeros((2, 4, 1)), out=out)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"particles": 0}, dp.ArgumentError, "particles: got 0"),
        ({"particles": 2.0}, dp.ArgumentError, "particles: got 2.0, must be an integer"),
        ({"particles": 5}, dp.ArgumentError, "must be 1 with propagation 'mean'"),
        ({"propagation": "moment"}, dp.ArgumentError, "at least 2 with propagation 'moment'"),
        ({"propagation": "some"}, dp.ArgumentError, "propagation: got 'some'"),
        ({"propagation": None}, dp.ArgumentError, "propagation: got None"),
        ({"risk": 0.1}, TypeError, "risk: got 0.1"),
        (
            {"risk": dp.risk.EpistemicPenalty(1.0), "propagation": "ts1", "particles": 4},
            dp.ArgumentError,
            "tsinf",
        ),
    ],
)
def test_settings_out_of_range_are_refused_at_once(settings, error, message):
    with pytest.raises(error, match=message):
        dp.CEM(**settings)
    with pytest.raises(error, match=message):
        dp.returns(
            scalar_model(), dp.rewards.quadratic([1.0]), [0.0], np.zeros((2, 3, 1)), **settings
        )


def test_risks_out_of_range_are_refused_at_once():
    for fraction in (0.0, 1.5, np.nan):
        with pytest.raises(dp.ArgumentError, match="fraction: got"):
            dp.risk.CVaR(fraction)
    for multiple in (-1.0, np.inf, np.nan):
        with pytest.raises(dp.ArgumentError, match="multiple: got"):
            dp.risk.EpistemicPenalty(multiple)


def test_what_only_an_ensemble_or_a_model_of_rewards_can_do_is_refused_of_others():
    model, actions = scalar_model(), np.zeros((2, 3, 1))
    with pytest.raises(dp.ArgumentError, match="needs an ensemble"):
        dp.returns(
            model,
            dp.rewards.quadratic([1.0]),
            [0.0],
            actions,
            propagation="tsinf",
            particles=4,
            risk=dp.risk.EpistemicPenalty(1.0),
        )
    with pytest.raises(dp.ArgumentError, match="predicts no rewards"):
        dp.returns(model, dp.rewards.predicted(), [0.0], actions)
    with pytest.raises(dp.ArgumentError, match="only a rollout can score it"):
        dp.rewards.predicted()([[0.0]], [[0.0]], [[0.0]])
    with pytest.raises(dp.ArgumentError, match="never disagree"):
        dp.DisagreementLimit.calibrated(model, linear_system(10, 1, 1))


def test_a_disagreement_limit_is_all_ground_for_a_model_of_one_member():
    model, actions = scalar_model(), np.ones((4, 3, 1))
    reward = dp.rewards.quadratic([1.0])
    for on_exceeding in ("reject", "stop"):
        ground = dp.DisagreementLimit(0.0, on_exceeding)
        for function in (reward, lambda o, a, n: -(n[:, 0] ** 2)):
            np.testing.assert_allclose(
                dp.returns(model, function, [1.0], actions, disagreement_limit=ground),
                dp.returns(model, reward, [1.0], actions),
                rtol=1e-12,
            )
    with pytest.raises(dp.ArgumentError, match="limit: got -1"):
        dp.DisagreementLimit(-1.0)
    with pytest.raises(dp.ArgumentError, match="limit: got nan"):
        dp.DisagreementLimit(np.nan)
    with pytest.raises(dp.ArgumentError, match="on_exceeding"):
        dp.DisagreementLimit(1.0, "fly")
    with pytest.raises(dp.ArgumentError, match="quantile"):
        dp.DisagreementLimit.calibrated(model, linear_system(10, 1, 1), quantile=2.0)
