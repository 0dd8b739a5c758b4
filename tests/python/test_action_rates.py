"""Limits of rates and accelerations: the best plan within them is found, not merely a plan."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynaplan as dp
from reference.systems import exact_linear_model

DT = 0.05
PLANNERS = {
    "cem": dp.CEM,
    "icem": dp.ICEM,
    "mppi": dp.MPPI,
    "random shooting": dp.RandomShooting,
}
UP = dp.rewards.linear([1.0])


@pytest.fixture(scope="module")
def speed():
    """x' = x + dt v: the action is the speed."""
    return exact_linear_model([[1.0]], [[DT]])


def _plan(planner, model, rate, box=(0.0, 1.0), **arguments):
    given_ = {"previous_action": [0.0], "seed": 0} | arguments
    limits = dp.Limits(action_rate=None if rate is None else [rate])
    limits = given_.pop("limits", limits)
    return planner.plan(
        model, UP, [0.0], action_space=([box[0]], [box[1]]), limits=limits, **given_
    )


def _travelled(actions):
    """The return of actions on `speed` from 0."""
    return float(DT * np.cumsum(actions).sum())


@pytest.mark.parametrize("planner", PLANNERS)
@pytest.mark.parametrize("horizon", [20, 40, 80])
@pytest.mark.parametrize("share", [0.1, 0.05, 0.025, 0.01])
@pytest.mark.parametrize("box", [(0.0, 1.0), (-1.0, 1.0), (-3.0, 0.5)])
def test_a_planner_climbs_as_the_rate_allows(planner, horizon, share, box, speed):
    rate = share * (box[1] - box[0])
    best = _travelled(np.minimum(rate * np.arange(1, horizon + 1), box[1]))
    plan = _plan(PLANNERS[planner](horizon=horizon, clip=None), speed, rate, box)
    assert 0.98 * best <= plan.value <= best * (1 + 1e-5)


@pytest.mark.parametrize("planner", PLANNERS)
@pytest.mark.parametrize("iterations", [1, 2, 5])
def test_a_plan_is_never_worth_less_than_its_warm_start(planner, iterations, speed):
    ramp = 0.01 * np.arange(1, 41)
    refits = {} if planner == "random shooting" else {"iterations": iterations}
    plan = _plan(
        PLANNERS[planner](horizon=40, clip=None, **refits), speed, 0.01, warm_start=ramp[:, None]
    )
    assert plan.value >= _travelled(ramp) * (1 - 1e-5)


@pytest.mark.parametrize("planner", ["cem", "icem", "mppi"])
def test_more_iterations_make_no_plan_worse(planner, speed):
    values = [
        _plan(PLANNERS[planner](horizon=40, clip=None, iterations=n), speed, 0.01).value
        for n in (1, 2, 5, 20)
    ]
    assert (np.diff(values) >= -1e-4 * values[0]).all(), values


@pytest.mark.parametrize("planner", PLANNERS)
def test_a_plan_with_two_actions_keeps_each_to_its_own_rate(planner):
    model = exact_linear_model(np.eye(2), DT * np.eye(2))
    rates = np.array([0.02, 0.2])
    plan = PLANNERS[planner](horizon=30, clip=None).plan(
        model,
        dp.rewards.linear([1.0, -1.0]),
        [0.0, 0.0],
        action_space=([-1.0, -1.0], [1.0, 1.0]),
        limits=dp.Limits(action_rate=rates),
        previous_action=[0.0, 0.0],
        seed=0,
    )
    steps = np.arange(1, 31)
    best = _travelled(np.minimum(0.02 * steps, 1.0)) + _travelled(np.minimum(0.2 * steps, 1.0))
    assert 0.97 * best <= plan.value <= best * (1 + 1e-5)


GOAL = 3.0
LARGEST_CHANGE = 0.5 * DT  # of the speed in a step: half a metre per second, squared


def _drives(act, steps=120):
    """The cost of a drive from rest to the goal, where `act` is given place, speed and step."""
    place, speed, cost = 0.0, 0.0, 0.0
    for step in range(steps):
        action = float(act(place, speed, step))
        assert abs(action - speed) <= LARGEST_CHANGE * (1 + 1e-9)
        place, speed = place + DT * action, action
        cost += (place - GOAL) ** 2
    return cost, place


def test_closed_loops_are_as_good_as_the_regulator_that_knows_the_last_action(speed):
    # The same plant with the last speed as a state and its change as the action.
    known = exact_linear_model([[1.0, DT], [0.0, 1.0]], [[DT], [1.0]])
    reward = dp.rewards.quadratic([1.0], target=[GOAL])
    space = ([-LARGEST_CHANGE], [LARGEST_CHANGE])
    with_speed = dp.rewards.quadratic([1.0, 0.0], target=[GOAL, 0.0])
    regulator = dp.MPC(known, with_speed, dp.ILQR(horizon=80, clip=None), action_space=space)
    best, _ = _drives(lambda place, v, step: v + regulator.act([place, v])[0])
    for planner in (dp.CEM, dp.ICEM, dp.MPPI):
        mpc = dp.MPC(
            speed,
            reward,
            planner(horizon=80, clip=None),
            action_space=([-2.0], [2.0]),
            limits=dp.Limits(action_rate=[LARGEST_CHANGE]),
            seed=0,
        )
        cost, place = _drives(lambda place, v, step, mpc=mpc: mpc.act([place])[0])
        assert cost <= 1.02 * best, planner
        assert place == pytest.approx(GOAL, abs=0.1)


@pytest.mark.parametrize("planner", PLANNERS)
def test_an_acceleration_is_kept_and_used_up(planner, speed):
    # 0.01 more at each step up to the rate of 0.1, then less again, to stop at the bound of 1.
    limits = dp.Limits(action_rate=[0.1], action_acceleration=[0.01])
    plan = _plan(PLANNERS[planner](horizon=40, clip=None), speed, None, limits=limits)
    up = np.concatenate([np.arange(1, 11), np.arange(9, 0, -1)]) * 0.01  # adds up to 1
    best = _travelled(np.concatenate([np.cumsum(up), np.ones(21)]))
    assert 0.98 * best <= plan.value <= best * (1 + 1e-5)


@given(
    planner=st.sampled_from(sorted(PLANNERS)),
    limits=st.tuples(st.floats(0.01, 2.0), st.floats(0.005, 1.0)),
    before=st.tuples(st.floats(-1.0, 1.0), st.floats(-0.01, 0.01)),
    target=st.floats(-50.0, 50.0),
    seed=st.integers(0, 2**32),
)
@settings(max_examples=100, deadline=None)
def test_rates_and_accelerations_are_kept_together(planner, limits, before, target, seed):
    (rate, acceleration), (previous, change) = limits, before
    small = {} if planner == "icem" else {"candidates": 60}
    if planner == "cem":
        small["elites"] = 6
    before = np.clip(previous - change, -1.0, 1.0)
    plan = PLANNERS[planner](horizon=12, clip=None, **small).plan(
        exact_linear_model([[1.0]], [[DT]]),
        dp.rewards.quadratic([1.0], target=[target]),
        [0.0],
        action_space=([-1.0], [1.0]),
        limits=dp.Limits(action_rate=[rate], action_acceleration=[acceleration]),
        previous_action=[previous],
        previous_change=[previous - before],
        seed=seed,
    )
    sent = np.concatenate([[before, previous], plan.actions[:, 0]])
    assert (np.abs(plan.actions) <= 1.0).all()
    assert (np.abs(np.diff(sent[1:])) <= rate + 1e-12).all()
    # Where the change before cannot be stopped before the bound, the bound comes first.
    stoppable = _stops_within(previous - before, acceleration, 1.0 - abs(previous))
    if stoppable or np.sign(previous) != np.sign(previous - before):
        assert (np.abs(np.diff(sent, 2)) <= acceleration + 1e-9).all()


def _stops_within(change, deceleration, distance):
    """Whether a change of each step, slowed by so much at each, adds up to no more than that."""
    left = np.abs(change) - deceleration * np.arange(1, 1 + int(abs(change) / deceleration))
    return left[left > 0].sum() <= distance


@pytest.mark.parametrize("planner", PLANNERS)
def test_a_controller_keeps_an_acceleration_from_step_to_step(planner, speed):
    mpc = dp.MPC(
        speed,
        dp.rewards.quadratic([1.0], target=[1.0]),
        PLANNERS[planner](horizon=15, clip=None),
        action_space=([-1.0], [1.0]),
        limits=dp.Limits(action_rate=[0.2], action_acceleration=[0.05]),
        previous_actions=[[0.1], [0.2]],
        seed=0,
    )
    place, sent = 0.0, [0.1, 0.2]
    for _ in range(60):
        sent.append(float(mpc.act([place])[0]))
        place += DT * sent[-1]
    assert np.abs(np.diff(sent)).max() <= 0.2 + 1e-9
    assert np.abs(np.diff(sent, 2)).max() <= 0.05 + 1e-9
    assert abs(place - 1.0) < 0.2


@pytest.mark.parametrize("name", ["action_rate", "action_acceleration"])
def test_what_a_planner_cannot_keep_it_refuses(name, speed):
    planner = dp.CategoricalCEM(actions=[[0.0], [1.0]])
    with pytest.raises(dp.ArgumentError, match=name):
        _plan(planner, speed, None, limits=dp.Limits(**{name: [0.1]}))


@pytest.mark.parametrize("value", [[-1.0], [np.nan], "fast"])
def test_an_acceleration_out_of_range_is_refused(value):
    with pytest.raises((dp.ArgumentError, TypeError), match="action_acceleration"):
        dp.Limits(action_acceleration=value)
