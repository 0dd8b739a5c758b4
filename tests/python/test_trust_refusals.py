"""Plans that are kept to where the model has data, and those that are cut short."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest

import dynaplan as dp
import trust_cases
from trust_cases import Doubtful, controller, counting, integrator


@pytest.fixture(name="ensemble", scope="module")
def fixture_ensemble() -> dp.Ensemble:
    return trust_cases.ensemble()


# "refuse"


def test_a_state_outside_the_data_is_refused_by_name_and_changes_nothing(ensemble):
    mpc = controller(ensemble, trust="refuse")
    told = r"^state: state\[0\] is 3, in the data -0.29\d+ to 0.29\d+ \(4.5 ranges outside\); "
    for call in (mpc.act, mpc.plan):
        with pytest.raises(dp.UntrustedStateError, match=told):
            call([3.0])
    assert mpc.last_plan is None
    np.testing.assert_array_equal(mpc.act([0.1]), controller(ensemble, trust="refuse").act([0.1]))
    several = controller(integrator(), trust="refuse")
    with pytest.raises(dp.UntrustedStateError, match=r"^state of system 1: state\[0\] is 9, in"):
        several.act([[1.0], [9.0]])
    assert several.act([[1.0], [2.0]]).shape == (2, 1)


def test_a_state_that_is_not_finite_is_refused_as_ever():
    mpc = controller(integrator(), trust="refuse")
    with pytest.raises(dp.ArgumentError, match=r"^state"):
        mpc.act([np.nan])


def test_a_refusal_names_what_never_varied():
    fixed = dp.FunctionModel(lambda s, a: s, 2, 1, observed=([0.0, 2.0, -1.0], [4.0, 2.0, 1.0]))
    with pytest.raises(dp.UntrustedStateError, match=r"state\[1\] is 3, in the data always 2;"):
        controller(fixed, trust="refuse").act([0.0, 3.0])


PLANNERS = {
    "CEM": dp.CEM(horizon=8, candidates=100, iterations=3),
    "ICEM": dp.ICEM(horizon=8),
    "MPPI": dp.MPPI(horizon=8, candidates=100),
    "RandomShooting": dp.RandomShooting(horizon=8, candidates=200),
    "GradientPlanner": dp.GradientPlanner(horizon=8, iterations=200),
    "ILQR": dp.ILQR(horizon=8),
    "ILQR after ICEM": dp.ILQR(horizon=8, start=dp.ICEM()),
}


@pytest.mark.parametrize("name", PLANNERS)
@pytest.mark.parametrize("target", [-9.0, 9.0])
def test_refusing_plans_stay_on_known_ground_though_the_goal_does_not(name, target):
    free, held = (
        controller(
            integrator(), low=-3.0, high=3.0, target=target, planner=PLANNERS[name], trust=trust
        )
        for trust in ("ignore", "refuse")
    )
    assert not free.plan([2.0]).trust.known.all()
    state = np.array([2.0])
    for _ in range(6):
        state = state + held.act(state)
        plan = held.last_plan
        assert plan.trust.known.all(), str(plan)
        assert np.abs(plan.actions).max() <= 1.2 + 1e-6
    assert (state[0] - 2.0) * np.sign(target) > 1.0


def test_refusing_keeps_an_ensemble_where_its_members_agree(ensemble):
    mpc = controller(ensemble, target=3.0, trust="refuse")
    state = np.array([0.0])
    for _ in range(15):
        state = ensemble.predict(state, mpc.act(state)).mean[0]
        assert mpc.last_plan.trust.known.all()
    assert 0.2 < state[0] < 0.37
    assert mpc.last_plan.stats.rejected > 0


def test_a_limit_of_the_planners_own_stays_where_it_is_stricter(ensemble):
    strict = dp.DisagreementLimit(1e-9)
    planner = dp.CEM(horizon=3, candidates=20, elites=4, disagreement_limit=strict)
    mpc = controller(ensemble, planner=planner, trust="refuse", on_failure="raise")
    with pytest.raises(dp.NumericalError, match="exceed the limits"):
        mpc.act([0.0])


def test_where_every_plan_leaves_known_ground_on_failure_says_what_is_sent():
    raising = controller(counting(), trust="refuse", on_failure="raise")
    with pytest.raises(dp.NumericalError, match="none of the 240 candidates of a plan is allowed"):
        raising.act([0.0])
    with pytest.warns(dp.FailedPlanWarning):
        assert controller(counting(), trust="refuse", on_failure="hold").act([0.0]) == 0.0

    def brake(plan):
        return [-3.0]  # beyond the actions of the data, which does not matter in an emergency

    braking = controller(counting(), low=-3.0, high=3.0, trust="refuse", on_failure=brake)
    with pytest.warns(dp.FailedPlanWarning):
        assert braking.act([0.0]) == -3.0


def test_choices_that_were_never_made_are_left_out():
    generator = np.random.default_rng(0)
    states, choices = generator.normal(size=(60, 1)), np.eye(3)[generator.integers(0, 2, 60)]
    data = dp.Transitions(states, choices, states + choices @ [[0.1], [-0.1], [9.0]])
    with pytest.warns(dp.RankDeficientWarning):
        model = dp.LinearGaussian.fit(data)
    given = {"action_space": gymnasium.spaces.Discrete(3), "seed": 0}
    planner, reward = dp.CategoricalCEM(horizon=3, actions=3), dp.rewards.quadratic([1.0])
    with pytest.warns(dp.UntrustedPlanWarning, match=r"action\[2\] is up to inf ranges outside"):
        assert dp.MPC(model, reward, planner, **given).act([0.0]) == 2  # thought to do nothing
    held = dp.MPC(model, reward, planner, trust="refuse", **given)
    assert {held.act([state]) for state in (-1.0, 0.0, 1.0)} == {0, 1}
    never = dp.CategoricalCEM(horizon=3, actions=[[0.0, 0.0, 1.0]])
    with pytest.raises(dp.ArgumentError, match="actions: got none from"):
        dp.MPC(model, reward, never, trust="refuse", **given)


def test_a_plan_by_derivatives_that_leaves_agreement_falls_under_on_failure(ensemble):
    mpc = controller(
        Doubtful(ensemble), planner=dp.ILQR(horizon=4), trust="refuse", on_failure="raise"
    )
    with pytest.raises(dp.NumericalError, match=r"^0 of the plan's 4 steps are on known ground"):
        mpc.act([0.1])


def test_limits_without_anything_in_common_with_the_data_are_refused():
    with pytest.raises(dp.ArgumentError, match=r"^action_space: got \[5\.\] to \[6\.\], must have"):
        controller(integrator(), low=5.0, high=6.0, trust="refuse")
    far = dp.Limits(state_low=[7.0], state_high=[8.0])
    with pytest.raises(dp.ArgumentError, match=r"^limits: got \[7\.\] to \[8\.\], must have some"):
        controller(integrator(), limits=far, trust="refuse")
    near = dp.Limits(state_low=[2.0], state_high=[8.0])
    mpc = controller(integrator(), limits=near, target=-9.0, trust="refuse")
    assert 2.0 <= mpc.plan([3.0]).states.min() < 2.5


# "shorten", and the trusted horizon


def test_shorten_cuts_plans_to_the_trusted_horizon():
    mpc = controller(integrator(), trust="shorten", trusted_horizon=3)
    mpc.act([1.0])
    assert len(mpc.last_plan.actions) == mpc.planner.horizon == 3
    mpc.change(planner=dp.ICEM(horizon=20))
    mpc.act([1.0])
    assert len(mpc.last_plan.actions) == 3
    mpc.change(planner=dp.ICEM(horizon=2))
    mpc.act([1.0])
    assert len(mpc.last_plan.actions) == 2
    assert mpc.last_plan.trust.trusted_horizon == 3
    with pytest.warns(dp.UntrustedPlanWarning, match=r"state\[0\] is 9"):
        mpc.act([9.0])


def test_steps_beyond_the_trusted_horizon_are_not_on_known_ground():
    mpc = controller(integrator(), trusted_horizon=5)
    mpc.act([1.0])
    trust = mpc.last_plan.trust
    np.testing.assert_array_equal(trust.known, np.arange(10) < 5)
    assert str(trust).endswith("trusted horizon: 5 steps")
    with pytest.warns(dp.UntrustedPlanWarning, match="^4 of the plan's 10 steps"):
        controller(integrator(), trusted_horizon=4).act([1.0])
    with pytest.raises(
        dp.ArgumentError, match=r"planner\.horizon: got 10, must be at most trusted_h"
    ):
        controller(integrator(), trusted_horizon=4, trust="refuse")


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"trust": "perhaps"}, dp.ArgumentError, "trust: got 'perhaps', must be"),
        ({"trust": None}, dp.ArgumentError, "trust: got None"),
        ({"trust": "shorten"}, dp.ArgumentError, "trusted_horizon: got None, must be at least 1"),
        (
            {"trust": "shorten", "trusted_horizon": 0},
            dp.ArgumentError,
            "trusted_horizon: got 0, must be at least 1 where",
        ),
        ({"trusted_horizon": -1}, dp.ArgumentError, "trusted_horizon: got -1, must be at least 0"),
        ({"trusted_horizon": 2.5}, dp.ArgumentError, "trusted_horizon: got 2.5"),
    ],
)
def test_what_says_nothing_about_trust_is_refused_by_name(given, error, message):
    with pytest.raises(error, match=message):
        controller(integrator(), **given)


def test_a_model_of_ones_own_says_how_far_its_members_disagree(ensemble):
    with pytest.raises(dp.ArgumentError, match=r"model\.observed_disagreement: got 0.0, must be"):
        controller(Doubtful(ensemble, 0.0))
    with pytest.raises(dp.ArgumentError, match=r"model\.observed_disagreement: got 'much'"):
        controller(Doubtful(ensemble, "much"))
    assert controller(Doubtful(ensemble, 9.0)).plan([0.0]).trust.disagreement_limit == 9.0
