"""Constraints: their values, and plans that keep them whichever way they are given."""

from __future__ import annotations

import copy
import math
import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dynaplan as dp
from reference.paths import nearest

MOVE = np.kron([[1.0, 0.1], [0.0, 1.0]], np.eye(2))
PUSH = np.kron([[0.005], [0.1]], np.eye(2))
MASS = dp.LinearModel(MOVE, PUSH)  # a mass in the plane: places, speeds, pushes; 0.1 s a step
START = [-2.0, 0.1, 0.0, 0.0]
HOME = dp.rewards.quadratic([1.0, 1.0, 0.1, 0.1]) + dp.rewards.action_cost([0.01, 0.01])
SPACE = ([-6.0, -6.0], [6.0, 6.0])
CENTRE, RADIUS = np.array([-1.0, 0.0]), 0.5
SAMPLING = {
    "cem": dp.CEM(horizon=15, candidates=400),
    "icem": dp.ICEM(horizon=15, candidates=200),
    "mppi": dp.MPPI(horizon=15, candidates=600, knots=5, iterations=4),
    "random shooting": dp.RandomShooting(horizon=15, candidates=4000),
}
ILQR = dp.ILQR(horizon=25, clip=None)
numbers = st.floats(-3.0, 3.0)
points = st.lists(st.tuples(numbers, numbers), min_size=1, max_size=5)


def clearance_of(states, actions, next_states):
    """The same as the built-in disc, of batches."""
    return RADIUS - np.hypot(*(next_states[:, :2] - CENTRE).T)


def compiled():
    """The same as a function of a block, by its address, as a C compiler gives one."""

    def clearance(*arguments):
        next_state, stride, lanes, values = arguments[2], arguments[3], arguments[4], arguments[7]
        for k in range(lanes):
            x, y = next_state[k] - CENTRE[0], next_state[stride + k] - CENTRE[1]
            values[k] = RADIUS - math.sqrt(x * x + y * y)

    function = dp.signatures.REWARD_FLOAT64.ctypes(clearance)
    return dp.rewards.compiled(function, state_dim=4, action_dim=2, dtype=np.float64)


def built_in():
    return dp.constraints.outside_disc(RADIUS, indices=[0, 1], centre=CENTRE)


DOORS = {
    "built-in": built_in,
    "Python": lambda: clearance_of,
    "compiled": compiled,
}


def at(term, *where):
    """The values of a term of the next state at some points of the plane."""
    rows = np.zeros((len(where), 4))
    rows[:, :2] = where
    return term(rows, np.zeros((len(where), 2)), rows)


def plan_of(planner, constraints, start=START, **arguments):
    limits = dp.Limits(constraints=constraints)
    return planner.plan(MASS, HOME, start, action_space=SPACE, limits=limits, seed=0, **arguments)


# Values.


@given(points=points, centre=st.tuples(numbers, numbers), radius=st.floats(0.0, 3.0))
def test_a_disc_is_a_distance(points, centre, radius):
    distances = np.hypot(*(np.array(points) - centre).T)
    outside = dp.constraints.outside_disc(radius, indices=[0, 1], centre=centre, margin=0.25)
    inside = dp.constraints.inside_disc(radius, indices=[0, 1], centre=centre, margin=0.25)
    np.testing.assert_allclose(at(outside, *points), radius + 0.25 - distances, atol=1e-12)
    np.testing.assert_allclose(at(inside, *points), distances + 0.25 - radius, atol=1e-12)


@given(points=points, low=st.tuples(numbers, numbers), sizes=st.tuples(*[st.floats(0, 3)] * 2))
def test_a_box_is_a_distance_from_its_nearest_point_or_side(points, low, sizes):
    low = np.array(low)
    high = low + sizes
    expected = []
    for point in np.array(points):
        away = np.linalg.norm(point - np.clip(point, low, high))
        depth = min((point - low).min(), (high - point).min())
        expected.append(-away if away else depth)
    outside = dp.constraints.outside_box(low, high, indices=[0, 1], margin=0.5)
    np.testing.assert_allclose(at(outside, *points), np.add(expected, 0.5), atol=1e-12)
    inside = dp.constraints.inside_box(low, high, indices=[0, 1], margin=0.5)
    beyond = np.maximum(low - points, points - high)
    for i, term in enumerate(inside):
        np.testing.assert_allclose(at(term, *points), beyond[:, i] + 0.5, atol=1e-12)


@given(points=points, path=points, radius=st.floats(0.0, 3.0))
def test_a_tube_is_a_distance_from_the_nearest_of_its_lines(points, path, radius):
    expected = [nearest(path, point)[0] - radius for point in points]
    tube = dp.constraints.inside_tube(radius, indices=[0, 1], path=path)
    np.testing.assert_allclose(at(tube, *points), expected, atol=1e-9)


def test_a_half_plane_is_a_sum_below_a_bound():
    term = dp.constraints.half_plane([1.0, 2.0, 0.0, 0.0], 3.0, margin=0.5)
    np.testing.assert_allclose(at(term, (1.0, 1.0), (0.0, 0.0)), [0.5, -2.5])


def test_another_vehicle_is_kept_clear_of():
    # It is part of the state, and the disc is around a point ahead of it.
    term = dp.constraints.outside_disc(1.0, indices=[0], to=[1], centre=[2.0])
    rows = np.array([[5.0, 1.0], [5.0, 2.5]])
    np.testing.assert_allclose(term(rows, rows, rows), [-1.0, 0.5])


def test_a_shape_that_moves_has_a_place_at_each_step():
    centres = [[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]]
    disc = dp.constraints.outside_disc(1.0, indices=[0, 1], centre=centres)
    box = dp.constraints.outside_box(centres, np.add(centres, 1.0), indices=[0, 1])
    rows = np.tile([2.0, 0.0], (4, 1))
    steps = {"steps": [0, 1, 2, 7]}
    np.testing.assert_allclose(disc(rows, rows, rows, **steps), [-1.0, 0.0, 1.0, 1.0])
    np.testing.assert_allclose(box(rows, rows, rows, **steps), [-1.0, 0.0, 0.0, 0.0])


# Plans.


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("planner", SAMPLING)
def test_sampling_planners_go_round(planner, door):
    free = SAMPLING[planner].plan(MASS, HOME, START, action_space=SPACE, seed=0)
    assert at(built_in(), *free.states[1:, :2]).max() > 0.05  # else there is nothing to keep
    plan = plan_of(SAMPLING[planner], DOORS[door]())
    assert plan.status != "no_finite_candidate"
    assert plan.stats.rejected > 0
    assert at(built_in(), *plan.states[1:, :2]).max() <= 1e-6
    assert plan.value < free.value


@pytest.mark.parametrize("planner", SAMPLING)
def test_every_door_leads_to_the_same_plan(planner):
    plans = [plan_of(SAMPLING[planner], door()) for door in DOORS.values()]
    for plan in plans[1:]:
        np.testing.assert_allclose(plan.actions, plans[0].actions, atol=1e-4)


@pytest.mark.parametrize("planner", SAMPLING)
@pytest.mark.parametrize("door", DOORS)
def test_from_inside_the_shortest_way_leads_out(planner, door):
    inside = [-0.8, 0.0, 0.0, 0.0]  # 0.3 from the border ahead, 0.7 behind
    speed = dp.LinearModel(np.eye(4), np.vstack([0.1 * np.eye(2), np.zeros((2, 2))]))
    plan = SAMPLING[planner].plan(
        speed,
        dp.rewards.linear([-1.0, 0.0, 0.0, 0.0]),  # back would pay
        inside,
        action_space=([-1.0, -1.0], [1.0, 1.0]),
        limits=dp.Limits(constraints=DOORS[door]()),
        seed=0,
    )
    assert plan.status == "no_finite_candidate"
    assert plan.actions[:2, 0].mean() > 0.5


@pytest.mark.parametrize("door", DOORS)
def test_ilqr_goes_round_by_every_door(door):
    plan = plan_of(ILQR, DOORS[door]())
    best = plan_of(ILQR, built_in())
    assert plan.status == "converged"
    assert at(built_in(), *plan.states[1:, :2]).max() <= 0.0
    assert plan.value == pytest.approx(best.value, rel=1e-6)
    np.testing.assert_allclose(plan.actions, best.actions, atol=1e-3)


def test_a_python_reward_and_a_constraint_by_derivatives():
    def cost(states, actions, next_states):
        return -(next_states**2 @ [1.0, 1.0, 0.1, 0.1]) - 0.01 * (actions**2).sum(axis=1)

    limits = dp.Limits(constraints=clearance_of)
    plan = ILQR.plan(MASS, cost, START, action_space=SPACE, limits=limits)
    assert plan.status == "converged"
    assert plan.value == pytest.approx(plan_of(ILQR, built_in()).value, rel=1e-5)


@pytest.mark.parametrize("shape", ["box", "tube", "half plane", "lane"])
def test_every_shape_is_kept(shape):
    c = dp.constraints
    constraints = {
        "box": c.outside_box([-1.3, -0.3], [-0.8, 0.4], indices=[0, 1], margin=0.1),
        "tube": c.inside_tube(0.2, indices=[0, 1], path=[[-2, 0], [-1.2, 0.7], [0, 0.1]]),
        "half plane": c.half_plane([0.0, 0.0, 1.0, 0.0], 1.2),
        "lane": c.inside_box([-1.0, -0.3], [1.0, 0.3], indices=[2, 3]),
    }[shape]
    terms = constraints if isinstance(constraints, tuple) else (constraints,)
    sampling = dp.ICEM(horizon=25, candidates=300, iterations=6)
    # Into the edges of a box derivatives lead nowhere: a start shows the way.
    exact = replace(ILQR, start=sampling) if shape == "box" else ILQR
    plans = [plan_of(planner, constraints) for planner in (sampling, exact)]
    for plan in plans:
        assert plan.status != "no_finite_candidate"
        for term in terms:
            assert term(plan.states[:-1], plan.actions, plan.states[1:]).max() <= 1e-6
    assert plans[1].status == "converged" or shape == "box"
    assert plans[1].value >= plans[0].value - 1e-6 * abs(plans[0].value)


def test_a_moving_obstacle_is_passed_behind():
    # It crosses the way; where it has been, the way is free.
    centres = np.column_stack([np.full(25, -1.0), np.linspace(-1.5, 3.0, 25)])
    term = dp.constraints.outside_disc(0.6, indices=[0, 1], centre=centres)
    for planner in (dp.ICEM(horizon=25, candidates=300), ILQR):
        plan = plan_of(planner, term)
        gaps = np.hypot(*(plan.states[1:, :2] - centres).T)
        assert gaps.min() >= 0.6 - 1e-6

    def moving(states, actions, next_states, step):
        return 0.6 - np.hypot(*(next_states[:, :2] - centres[step]).T)

    same = plan_of(ILQR, moving)
    assert same.value == pytest.approx(plan.value, rel=1e-5)


def test_actions_are_constrained_too():
    # A friction circle: both pushes together are bounded.
    def circle(states, actions, next_states):
        return np.hypot(*actions.T) - 3.0

    for planner in (SAMPLING["icem"], ILQR):
        plan = plan_of(planner, circle)
        assert np.hypot(*plan.actions.T).max() <= 3.0 + 1e-6
    assert np.hypot(*plan.actions.T).max() == pytest.approx(3.0, rel=1e-4)  # it binds


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_units_do_not_matter(unit):
    move = np.diag([unit, unit, unit, unit])
    model = dp.LinearModel(MOVE, move @ PUSH)
    weights = np.array([1.0, 1.0, 0.1, 0.1]) / unit**2
    reward = dp.rewards.quadratic(weights) + dp.rewards.action_cost([0.01, 0.01])
    term = dp.constraints.outside_disc(unit * RADIUS, indices=[0, 1], centre=unit * CENTRE)
    limits = dp.Limits(constraints=[term])
    for planner in (SAMPLING["cem"], ILQR):
        start = unit * np.array(START)
        plan = planner.plan(model, reward, start, action_space=SPACE, limits=limits, seed=0)
        assert plan.value == pytest.approx(plan_of(planner, built_in()).value, rel=1e-3)


def test_a_controller_drives_round_and_explains_it():
    limits = dp.Limits(constraints=[built_in(), dp.constraints.half_plane([0, 0, 1, 0], 2.0)])
    mpc = dp.MPC(MASS, HOME, SAMPLING["icem"], action_space=SPACE, limits=limits, seed=0)
    state, path = np.array(START), []
    for _ in range(40):
        state = MOVE @ state + PUSH @ mpc.act(state)
        path.append(state)
    path = np.array(path)
    assert at(built_in(), *path[:, :2]).max() <= 1e-6
    assert path[:, 2].max() <= 2.0 + 1e-6
    assert np.abs(path[-1, :2]).max() < 0.2
    explanation = mpc.explain()
    assert explanation.constraints.shape == (2, 15)
    assert (explanation.constraints <= 1e-6).all()
    again = pickle.loads(pickle.dumps(mpc))
    np.testing.assert_array_equal(again.act(state), copy.deepcopy(mpc).act(state))


def test_several_threads_plan_the_same():
    plans = [
        plan_of(dp.CEM(horizon=15, candidates=400, threads=threads), built_in())
        for threads in (1, 2)
    ]
    np.testing.assert_array_equal(plans[0].actions, plans[1].actions)


# Refusals.


@pytest.mark.parametrize(
    ("constraints", "message"),
    [
        (3.0, r"constraints: got 3\.0, must be a term or a function"),
        ([built_in(), None], r"constraints\[1\]: got None"),
        ([built_in(), "disc"], r"constraints\[1\]: got 'disc'"),
        (dp.terminations.inside([0.0], [1.0]), "constraints: got the termination"),
    ],
)
def test_what_is_no_constraint_is_refused(constraints, message):
    with pytest.raises(TypeError, match=message):
        dp.Limits(constraints=constraints)


@pytest.mark.parametrize(
    ("constraint", "message"),
    [
        (dp.constraints.half_plane([1.0], 0.0), r"limits\.constraints\[0\]: .* must be"),
        (
            dp.constraints.outside_disc(1.0, indices=[0, 9]),
            r"limits\.constraints\[0\]: .*state 9|limits\.constraints\[0\]: .*9",
        ),
        (lambda s, a, n: n, r"limits\.constraints\[0\]: returned shape \(1, 4\), must be \(1,\)"),
        (lambda s, a, n: [None], r"limits\.constraints\[0\]: returned"),
    ],
)
@pytest.mark.parametrize("planner", [SAMPLING["cem"], ILQR])
def test_a_constraint_that_does_not_fit_is_refused_by_its_number(planner, constraint, message):
    with pytest.raises((dp.Error, TypeError), match=message):
        plan_of(planner, constraint)


@pytest.mark.parametrize("planner", [SAMPLING["cem"], ILQR])
def test_what_a_constraint_raises_comes_out(planner):
    def broken(states, actions, next_states):
        if len(states) > 1:
            raise ZeroDivisionError("here")
        return -np.ones(len(states))

    with pytest.raises(ZeroDivisionError, match="here"):
        plan_of(planner, broken)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda c: c.outside_disc(-1.0, indices=[0]), "radius: got -1"),
        (lambda c: c.outside_disc(1.0, indices=[0], margin=-1.0), "margin: got -1"),
        (lambda c: c.outside_disc(1.0, indices=[0], centre=[0.0, 1.0]), "centre: got shape"),
        (lambda c: c.inside_disc(np.nan, indices=[0]), "radius: got nan"),
        (lambda c: c.outside_box([1.0], [0.0], indices=[0]), "low: .* at most high"),
        (lambda c: c.outside_box([0.0, 1.0], [1.0, 2.0], indices=[0]), "low: got shape"),
        (lambda c: c.inside_box([0.0, 1.0], [1.0, 2.0], indices=[0]), "low: got shape"),
        (
            lambda c: c.inside_tube(1.0, indices=[0, 1], path=[[0.0, np.nan]]),
            "path: row 0, column 1",
        ),
        (lambda c: c.inside_tube(1.0, indices=[0], path=[[0.0, 1.0]]), "path: got shape"),
        (lambda c: c.inside_tube(1.0, indices=[], path=[[0.0]]), "indices: got none"),
        (lambda c: c.half_plane([1.0], np.inf), "bound: got inf"),
    ],
)
def test_a_shape_that_is_none_is_refused(make, message):
    with pytest.raises(dp.Error, match=message):
        make(dp.constraints)
