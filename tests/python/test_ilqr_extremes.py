"""Models that explode, rewards that are nan: every action is finite and within the bounds."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dynaplan as dp

STATES, ACTIONS = 2, 2
exponents = st.integers(-12, 12) | st.sampled_from([-300, -150, 80, 150, 300])


def model_of(degree, seed, exponent):
    """A polynomial with coefficients of about 10^exponent; in float64 a few steps overflow it."""
    generator = np.random.default_rng(seed)
    states = generator.normal(size=(80, STATES))
    actions = generator.normal(size=(80, ACTIONS))
    inputs = np.hstack([states, actions])
    following = inputs @ generator.normal(size=(STATES + ACTIONS, STATES))
    if degree > 1:
        following = following + 0.3 * (inputs**degree) @ generator.normal(size=(4, STATES))
    data = dp.Transitions(states, actions, following * 10.0 ** min(exponent, 150))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dp.LinearGaussian.fit(data, features=dp.Polynomial(degree))


def term_of(kind, weight):
    rewards = dp.rewards
    terms = {
        "quadratic": rewards.quadratic([1.0, 0.5], [weight, 0.0]) + rewards.action_cost([1.0, 0.1]),
        "convex": -weight * rewards.quadratic([1.0, 1.0]),
        "changes": rewards.action_change_cost([weight, 1.0]) + rewards.distance(1.0, indices=[0]),
        "product": weight * rewards.tolerance(0, margin=1.0) * rewards.linear([1.0, weight]),
        "angle": rewards.angle(weight, cos=0, sin=1) + rewards.change(1, weight=weight),
        "jumps": rewards.inside([-1.0, -1.0], [1.0, 1.0], bonus=weight)
        + rewards.linear([0.0, 1.0]),
    }
    return terms[kind]


def function_of(kind, weight):
    def reward(obs, act, next_obs):
        with np.errstate(all="ignore"):
            paid = -weight * (next_obs**2).sum(axis=1) - (act**2).sum(axis=1)
            bad = {
                "nan beyond": np.where(next_obs[:, 0] > 0.3, np.nan, paid),
                "infinite beyond": np.where(next_obs[:, 0] > 0.3, np.inf, paid),
                "nan here and there": np.where(np.sin(1e5 * act[:, 0]) > 0.5, np.nan, paid),
                "all nan": np.full(len(obs), np.nan),
                "overflowing": weight * np.exp(1e3 * next_obs[:, 0]),
                "noise": paid + np.sin(1e9 * next_obs[:, 1]),
            }
            return bad[kind]

    return reward


terms = st.builds(
    term_of,
    st.sampled_from(["quadratic", "convex", "changes", "product", "angle", "jumps"]),
    st.integers(-8, 100).map(lambda exponent: 10.0**exponent),
)
functions = st.builds(
    function_of,
    st.sampled_from(
        ["nan beyond", "infinite beyond", "nan here and there", "all nan", "overflowing", "noise"]
    ),
    st.sampled_from([1.0, 1e-8, 1e8, 1e200]),
)
cases = st.fixed_dictionaries(
    {
        "degree": st.integers(1, 3),
        "seed": st.integers(0, 50),
        "exponent": exponents,
        "reward": terms | functions,
        "clip": st.sampled_from([None, 2.0, 1e-3, 1e6]),
        "width": st.sampled_from([0.0, 1e-9, 1.0, 1e9, 1e300]),
        "start": st.sampled_from([0.0, 1.0, -1e9, 1e160, 1e308]),
        "horizon": st.integers(1, 8),
        "previous": st.sampled_from([None, 0.0, 1e9]),
        "ends": st.booleans(),
    }
)


def plan_and_check(case):
    model = model_of(case["degree"], case["seed"], case["exponent"])
    low = np.array([-1.0, 0.0]) * case["width"]
    high = np.array([1.0, 0.5]) * case["width"]
    planner = dp.ILQR(horizon=case["horizon"], clip=case["clip"], iterations=20)
    before = None if case["previous"] is None else np.full(ACTIONS, case["previous"])
    plan = planner.plan(
        model,
        case["reward"],
        np.full(STATES, case["start"]),
        action_space=(low, high),
        previous_action=before,
        termination=dp.terminations.outside([-5.0, -5.0], [5.0, 5.0]) if case["ends"] else None,
    )
    assert np.isfinite(plan.actions).all()
    assert (low <= plan.actions).all()
    assert (plan.actions <= high).all()
    assert np.isfinite(plan.gains).all()
    assert (plan.status == "no_finite_candidate") == (not np.isfinite(plan.value))
    assert plan.stats.non_finite <= plan.stats.candidates
    if plan.status == "no_finite_candidate":
        return
    # No start that is a candidate is worth more.
    for action in (0.5 * low + 0.5 * high, np.clip(0.0, low, high)):
        worth = dp.returns(
            model,
            case["reward"],
            np.full(STATES, case["start"]),
            np.tile(action, (1, case["horizon"], 1)),
            clip=case["clip"],
            previous_action=before,
            termination=dp.terminations.outside([-5.0, -5.0], [5.0, 5.0]) if case["ends"] else None,
        )[0]
        assert not np.isfinite(worth) or worth <= plan.value + 1e-9 * abs(plan.value)


SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=SLOW)
@given(case=cases)
def test_actions_are_finite_and_within_the_bounds_whatever_happens(case):
    plan_and_check(case)


@pytest.mark.long
@pytest.mark.timeout(1200)
@settings(max_examples=10_000, deadline=None, suppress_health_check=SLOW)
@given(case=cases)
def test_so_they_are_in_ten_thousand_cases(case):
    plan_and_check(case)
