"""What a model has data of, which plans leave it, and that a controller tells."""

from __future__ import annotations

import copy
import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynaplan as dp
import trust_cases
from trust_cases import SHORT, Doubtful, controller, counting, integrator, transitions


def act(mpc, state, times) -> None:
    for _ in range(times):
        mpc.act(state)


@pytest.fixture(name="ensemble", scope="module")
def fixture_ensemble() -> dp.Ensemble:
    return trust_cases.ensemble()


# What an ensemble remembers


def test_an_ensemble_remembers_how_far_its_members_disagree_on_its_data():
    train, held_out = transitions(200, 0.3, seed=0), transitions(50, 0.3, seed=1)
    model = dp.Ensemble.fit(train, **SHORT, held_out=held_out)
    limits = [dp.DisagreementLimit.calibrated(model, part).limit for part in (train, held_out)]
    assert model.observed_disagreement == max(limits)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert twin.observed_disagreement == model.observed_disagreement


def test_networks_that_cannot_disagree_remember_none():
    train = transitions(50, 0.3, seed=0)
    for kind in (dp.MLP, dp.GaussianMLP):
        assert kind.fit(train, **SHORT).observed_disagreement is None
    assert dp.Ensemble.fit(train, **SHORT, members=1).observed_disagreement is None


# What a plan says


def test_the_steps_on_known_ground_are_those_within_the_range_of_the_data():
    trust = controller(counting(), trust="ignore").plan([0.0]).trust
    steps = np.arange(10)
    np.testing.assert_array_equal(trust.known, steps <= 4)
    np.testing.assert_allclose(trust.state_excess[:, 0], np.maximum(steps - 4.0, 0.0) / 4.0)
    assert not trust.action_excess.any()
    assert (trust.share, trust.first_unknown_step, trust.measured) == (0.5, 5, True)
    assert trust.disagreement is None
    assert repr(trust) == "Trust(5 of 10 steps on known ground)"
    assert str(trust).splitlines() == [
        "trust: 5 of 10 steps on known ground, left at step 5",
        "  state 0: outside the range of the data by 0 ranges now, by 1.25 at most",
    ]


def test_a_plan_that_stays_has_little_to_say():
    plan = controller(counting(), horizon=4).plan([0.0])
    assert (plan.trust.share, plan.trust.first_unknown_step) == (1.0, None)
    assert str(plan).endswith("\ntrust: 4 of 4 steps on known ground")


@pytest.mark.parametrize(("start", "outside"), [(4.39, []), (4.41, [0]), (-0.39, []), (-0.41, [0])])
def test_a_tenth_of_the_range_beyond_it_is_known_ground(start, outside):
    trust = controller(counting(), horizon=1, trust="ignore").plan([start]).trust
    assert trust.states_outside.tolist() == outside
    assert trust.known.tolist() == [not outside]


@given(st.integers(-8, 8), st.floats(-1e3, 1e3), st.floats(-9.0, 13.0))
@settings(max_examples=30, deadline=None)
def test_trust_depends_on_neither_origin_nor_units(power, origin, start):
    unit = 10.0**power

    def step(states, actions):
        return states + unit

    low, high = [origin * unit, -1.0], [(origin + 4.0) * unit, 1.0]
    moved = dp.FunctionModel(step, 1, 1, observed=(low, high))
    mine = controller(counting(), trust="ignore").plan([start]).trust
    theirs = controller(moved, trust="ignore").plan([(origin + start) * unit]).trust
    np.testing.assert_allclose(theirs.state_excess, mine.state_excess, atol=1e-9)


def test_what_never_varied_in_the_data_is_known_at_its_value_alone():
    def step(states, actions):
        return states + np.array([1.0, 1e-9])  # the second is predicted to stay, but for rounding

    for value in (0.0, 2.0):
        observed = ([0.0, value, -1.0], [4.0, value, 1.0])
        mpc = controller(dp.FunctionModel(step, 2, 1, observed=observed), 3, trust="ignore")
        assert mpc.plan([0.0, value]).trust.share == 1.0
        trust = mpc.plan([0.0, value + 0.1]).trust
        assert np.isinf(trust.state_excess[:, 1]).all()
        assert trust.states_outside.tolist() == [1]
        assert trust.share == 0.0


def test_an_action_that_never_varied_in_the_data_is_not_to_be_planned_with():
    model = counting(([0.0, 0.5], [4.0, 0.5]))
    with pytest.warns(
        dp.UntrustedPlanWarning, match=r"action\[0\] is up to inf ranges outside along it"
    ):
        controller(model, 3).act([0.0])
    held = controller(model, 3, low=0.5, high=0.5)
    held.act([0.0])
    assert held.last_plan.trust.share == 1.0


def test_a_whole_turn_of_an_angle_leads_back_to_known_ground():
    data = transitions(60, 0.3, seed=0)
    turning = dp.MLP.fit(data, **SHORT, angles=[0])
    straight = dp.MLP.fit(data, **SHORT)
    for turns in (-2, 1):
        start = [2.0 * np.pi * turns + 0.1]
        assert not len(controller(turning, 1).plan(start).trust.states_outside)
        assert len(controller(straight, 1, trust="ignore").plan(start).trust.states_outside)
    trust = controller(turning, 1, trust="ignore").plan([3.0 - 4.0 * np.pi]).trust
    width = np.ptp(data.states)
    excess = (3.0 - data.states.max()) / width
    np.testing.assert_allclose(trust.state_excess, [[excess]], rtol=1e-6)


@pytest.mark.parametrize(
    "model",
    [integrator(observed=None), counting(None), counting(([0.0, 0.0], [0.0, 0.0]))],
    ids=["linear", "function", "untrained"],
)
def test_a_model_that_remembers_no_data_is_not_judged(model):
    mpc = controller(model)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mpc.act([1e6])
    trust = mpc.last_plan.trust
    assert (trust.measured, trust.share) == (False, 1.0)
    assert repr(trust) == "Trust(not measured)"
    assert str(trust) == "trust: not measured, as the model remembers no data"


def test_a_planner_without_a_controller_measures_nothing():
    plan = dp.CEM(horizon=3).plan(
        integrator(), dp.rewards.quadratic([1.0]), [9.0], action_space=([-1.0], [1.0]), seed=0
    )
    assert plan.trust is None


def test_the_disagreement_along_a_plan_is_that_of_its_explanation(ensemble):
    mpc = controller(ensemble)
    trust = mpc.plan([0.2]).trust
    np.testing.assert_array_equal(trust.disagreement, mpc.explain().disagreement)
    assert trust.disagreement_limit == ensemble.observed_disagreement
    assert trust.share >= 0.5
    assert "on the data" in str(trust)


def test_plans_go_to_other_processes_with_what_they_say(ensemble):
    for model in (counting(), ensemble):  # a lambda cannot
        mpc = controller(model, trust="ignore")
        plan = mpc.plan([2.0])
        twin = pickle.loads(pickle.dumps(plan)).trust
        np.testing.assert_array_equal(twin.known, plan.trust.known)
        np.testing.assert_array_equal(twin.state_excess, plan.trust.state_excess)
    twin = pickle.loads(pickle.dumps(mpc))
    np.testing.assert_array_equal(twin.last_plan.trust.known, mpc.last_plan.trust.known)


# "report"


def test_an_ensemble_asked_far_from_its_data_is_told_of_once(ensemble):
    mpc = controller(ensemble, planner=dp.ICEM(horizon=10))
    told = r"state\[0\] is 3, in the data -0.29\d+ to 0.29\d+ \(4.5 ranges outside\); 0 of the plan"
    with pytest.warns(dp.UntrustedPlanWarning, match=told) as seen:
        act(mpc, [3.0], times=2)
    assert len(seen) == 1
    assert seen[0].filename == __file__
    trust = mpc.last_plan.trust
    assert trust.share == 0.0
    assert trust.disagreement[0] > trust.disagreement_limit
    mpc.reset()
    with pytest.warns(dp.UntrustedPlanWarning, match="the members disagree by up to"):
        mpc.plan([3.0])


def test_one_system_of_several_is_enough_to_warn():
    mpc = controller(integrator())
    with pytest.warns(dp.UntrustedPlanWarning, match=r"state\[0\] is 9, in the data 0 to 4"):
        mpc.act([[1.0], [9.0], [2.0]])
    assert [plan.trust.known[0] for plan in mpc.last_plans] == [True, False, True]


def test_a_plan_warns_where_more_than_half_of_it_is_far_outside():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        controller(counting()).act([2.0])  # 2, 3, 4, 5, 6 of 10 steps
    told = r"^2 of the plan's 10 steps are on known ground; state\[0\] is up to 2 ranges outside"
    with pytest.warns(dp.UntrustedPlanWarning, match=told):
        controller(counting()).act([3.0])


def test_actions_beyond_those_of_the_data_are_told():
    mpc = controller(integrator(), high=9.0, target=90.0)
    with pytest.warns(
        dp.UntrustedPlanWarning, match=r"action\[0\] is up to [34][.\d]* ranges outside"
    ):
        mpc.act([1.0])


def test_plans_are_looked_along_at_the_first_and_at_some_of_those_after(ensemble):
    with pytest.warns(dp.UntrustedPlanWarning, match="^0 of the plan's 10 steps"):
        controller(Doubtful(ensemble)).act([0.0])
    mpc = controller(ensemble)
    mpc.act([0.0])
    mpc.change(model=Doubtful(ensemble))
    with pytest.warns(dp.UntrustedPlanWarning, match=r"^0 of the plan's 10 steps"):
        act(mpc, [0.0], times=8)


def test_ignore_is_silent_and_tells_whoever_asks():
    mpc = controller(integrator(), trust="ignore")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mpc.act([9.0])
    assert mpc.last_plan.trust.states_outside.tolist() == [0]


@pytest.mark.filterwarnings("ignore::dynaplan.UntrustedPlanWarning")
def test_what_is_reported_changes_no_plan(ensemble):
    controllers = [controller(ensemble, trust=trust) for trust in ("ignore", "report")]
    for state in (0.1, 3.0):
        mine, theirs = (mpc.act([state]) for mpc in controllers)
        np.testing.assert_array_equal(mine, theirs)
