"""Where no plan keeps the limits: the one that violates them least, and what a controller sends."""

from __future__ import annotations

import copy
import warnings

import numpy as np
import pytest

import dynaplan as dp
from reference.systems import exact_linear_model

STEP = 0.01
SPACE = ([-10.0], [10.0])
OUTSIDE = dp.Limits(state_high=[3.0])
PLANNERS = {
    "cem": dp.CEM(horizon=10, clip=None),
    "cem, mean": dp.CEM(horizon=10, clip=None, result="mean"),
    "icem": dp.ICEM(horizon=10, candidates=200, clip=None),
    "mppi": dp.MPPI(horizon=10, clip=None),
    "random shooting": dp.RandomShooting(horizon=3, candidates=20000, clip=None),
    "categorical": dp.CategoricalCEM(
        horizon=10, actions=[[-10.0], [-5.0], [0.0], [5.0], [10.0]], clip=None
    ),
}
UP = {
    "built-in": dp.rewards.linear([1.0]),
    "with a penalty": dp.rewards.linear([1.0]) + dp.rewards.excess([10.0], high=[3.0]),
    "Python": lambda states, actions, next_states: next_states[:, 0],
}


@pytest.fixture(scope="module")
def model():
    """x' = x + a / 100: from 3.2 it takes two full steps back to 3."""
    return exact_linear_model([[1.0]], [[STEP]])


@pytest.mark.parametrize("planner", PLANNERS)
@pytest.mark.parametrize("reward", UP)
@pytest.mark.parametrize("outside", [3.2, 3.15, 13.0])
def test_from_outside_it_goes_straight_back(planner, reward, outside, model):
    plan = PLANNERS[planner].plan(
        model, UP[reward], [outside], action_space=SPACE, limits=OUTSIDE, seed=0
    )
    assert plan.status == "no_finite_candidate"
    assert plan.stats.rejected == plan.stats.candidates
    assert plan.actions[0, 0] <= -9.0


@pytest.mark.parametrize("planner", PLANNERS)
def test_an_allowed_candidate_comes_before_all_others(planner, model):
    # From 3.05 one step of more than 5 back is allowed, all others are not; staying out pays.
    reward = dp.rewards.linear([1e6])
    plan = PLANNERS[planner].plan(model, reward, [3.05], action_space=SPACE, limits=OUTSIDE, seed=0)
    assert plan.status != "no_finite_candidate"
    assert (plan.states[1:] <= 3.0 + 1e-6).all()


def test_units_of_the_states_do_not_matter():
    # Two limits are passed; the same system in other units has the same plan.
    def plan(units):
        units = np.asarray(units)
        model = exact_linear_model(np.eye(2), np.diag(0.1 * units))
        return dp.CEM(horizon=6, clip=None).plan(
            model,
            dp.rewards.linear([0.0, 0.0]),
            units * [2.0, 3.0],
            action_space=([-1.0, -1.0], [1.0, 1.0]),
            limits=dp.Limits(state_high=units),
            seed=0,
        )

    reference = plan([1.0, 1.0])
    assert (reference.actions[0] <= -0.7).all()
    np.testing.assert_allclose(plan([1.0, 1024.0]).actions, reference.actions, atol=1e-6)


def test_the_disagreement_exceeded_latest_comes_first():
    generator = np.random.default_rng(0)
    states, actions = generator.uniform(-1, 1, (2, 200, 1))
    data = dp.Transitions(states, actions, states + 0.2 * actions)
    ensemble = dp.Ensemble.fit(data, members=3, hidden=(8,), epochs=20, seed=0)
    limit = dp.DisagreementLimit(1e-12)
    plan = dp.CEM(horizon=4, disagreement_limit=limit).plan(
        ensemble, dp.rewards.linear([1.0]), [0.0], action_space=([-1.0], [1.0]), seed=0
    )
    assert plan.status == "no_finite_candidate"
    assert plan.stats.rejected == plan.stats.candidates
    assert np.isfinite(plan.actions).all()


def _controller(model, **arguments):
    given = {"previous_actions": [[2.0]], "seed": 0, "limits": OUTSIDE, "trust": "ignore"}
    given |= arguments
    return dp.MPC(model, UP["built-in"], PLANNERS["cem"], action_space=SPACE, **given)


def _sent(mpc, place, steps):
    sent = []
    for _ in range(steps):
        sent.append(float(mpc.act([place])[0]))
        place += STEP * sent[-1]
    return sent, place


def test_a_controller_comes_back_and_warns_once(model):
    mpc = _controller(model)
    with pytest.warns(dp.FailedPlanWarning, match="none of the 2500 candidates .* allowed") as seen:
        sent, place = _sent(mpc, 3.25, 10)
    assert len(seen) == 1
    assert seen[0].filename == __file__
    np.testing.assert_allclose(sent[:2], -10.0, atol=0.5)
    assert 2.8 <= place <= 3.0
    mpc.reset()
    with pytest.warns(dp.FailedPlanWarning):
        mpc.act([3.25])


def test_a_controller_holds_raises_or_asks(model):
    with pytest.warns(dp.FailedPlanWarning):
        assert _sent(_controller(model, on_failure="hold"), 3.2, 3)[0] == [2.0, 2.0, 2.0]
    with pytest.raises(dp.NumericalError, match="on_failure"):
        _controller(model, on_failure="raise").act([3.2])
    seen = []

    def brake(plan):
        seen.append(plan)
        return [-70.0]  # set on the bound

    with pytest.warns(dp.FailedPlanWarning):
        assert _sent(_controller(model, on_failure=brake), 3.2, 2)[0] == [-10.0, -10.0]
    assert seen[0].status == "no_finite_candidate"


def test_a_refused_step_changes_nothing(model):
    mpc = _controller(model, on_failure="raise")
    other = copy.deepcopy(mpc)
    with pytest.raises(dp.NumericalError):
        mpc.act([3.2])
    np.testing.assert_array_equal(mpc.act([2.0]), other.act([2.0]))


def test_a_model_that_predicts_nan_is_told():
    model = dp.FunctionModel(lambda states, actions: np.full_like(states, np.nan), 1, 1)
    mpc = _controller(model, limits=None)
    with pytest.warns(dp.FailedPlanWarning, match="none of the 2500 candidates .* finite return"):
        assert np.isfinite(mpc.act([0.0])).all()


def test_where_a_plan_is_allowed_nobody_is_warned(model):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _sent(_controller(model), 2.0, 5)


@pytest.mark.parametrize(
    ("on_failure", "error", "message"),
    [
        ("stop", dp.ArgumentError, "on_failure: got 'stop'"),
        (3, TypeError, "on_failure: got 3"),
        (None, TypeError, "on_failure: got None"),
        (lambda plan: [np.nan], dp.ArgumentError, "on_failure: returned"),
        (lambda plan: [1.0, 2.0], dp.ShapeError, "on_failure: returned shape"),
        (lambda plan: "down", TypeError, "on_failure: returned"),
    ],
)
@pytest.mark.filterwarnings("ignore::dynaplan.FailedPlanWarning")
def test_what_cannot_be_sent_is_refused_by_name(on_failure, error, message, model):
    with pytest.raises(error, match=message):
        _controller(model, on_failure=on_failure).act([3.2])


@pytest.mark.parametrize("replan_every", [1, 3])
def test_a_refusal_for_one_of_several_systems_changes_none(replan_every, model):
    mpc = _controller(model, on_failure="raise", replan_every=replan_every)
    other = copy.deepcopy(mpc)
    for _ in range(replan_every):
        np.testing.assert_array_equal(mpc.act([[2.0], [2.5]]), other.act([[2.0], [2.5]]))
    with pytest.raises(dp.NumericalError):
        mpc.act([[2.0], [3.3]])
    for _ in range(2 * replan_every):
        np.testing.assert_array_equal(mpc.act([[2.0], [2.5]]), other.act([[2.0], [2.5]]))


def test_what_is_sent_instead_keeps_rates_and_is_told_whole(model):
    limits = dp.Limits(state_high=[3.0], action_rate=[1.0], action_acceleration=[0.6])
    mpc = _controller(model, limits=limits, on_failure=lambda plan: [-10.0])
    with pytest.warns(dp.FailedPlanWarning):
        sent, _ = _sent(mpc, 3.3, 4)
    np.testing.assert_allclose(sent, [1.4, 0.4, -0.6, -1.6], atol=1e-12)
    plan = mpc.last_plan
    np.testing.assert_allclose(np.diff(plan.actions[:4, 0]), -1.0)
    np.testing.assert_allclose(np.diff(plan.states[:, 0]), STEP * plan.actions[:, 0], atol=1e-6)
    assert plan.value == -np.inf


def test_a_mean_that_is_allowed_is_no_failure():
    model = exact_linear_model([[1.0]], [[1.0]])
    plan = dp.CEM(horizon=3, candidates=20, elites=4, iterations=3, clip=None).plan(
        model,
        UP["built-in"],
        [0.5],
        action_space=([-1.0], [1.0]),
        limits=dp.Limits(state_low=[-0.02], state_high=[0.02]),
        seed=0,
    )
    assert np.isfinite(plan.value)
    assert plan.status == "iterations"
    assert (np.abs(plan.states[1:]) <= 0.02).all()


def test_what_is_sent_instead_slows_down_in_time_for_a_bound(model):
    limits = dp.Limits(state_high=[3.0], action_acceleration=[0.5])
    mpc = _controller(model, limits=limits, on_failure=lambda plan: [-70.0])
    with pytest.warns(dp.FailedPlanWarning):
        sent, _ = _sent(mpc, 9.0, 25)
    changes = np.diff(np.concatenate([[2.0, 2.0], sent]), 2)
    assert np.abs(changes).max() <= 0.5 + 1e-12
    assert min(sent) == -10.0
