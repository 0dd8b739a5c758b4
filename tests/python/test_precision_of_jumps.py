"""Where a reward jumps, or an episode ends, is where it is, wherever the origin."""

from __future__ import annotations

import numpy as np
import pytest

import dynaplan as dp

A, B = np.array([[1.0, 0.1], [0.0, 1.0]]), np.array([[0.005], [0.1]])
CART = dp.LinearModel(A, B)  # place and speed; a force
BESIDE = dp.LinearModel([[1, 0.1, 0], [0, 1, 0], [0, 0, 1]], [[0.005], [0.1], [0]])  # and a goal
BOX = ([-3.0], [3.0])
COST = 1e-3
EFFORT = dp.rewards.action_cost([COST])
HORIZON = 20
LOW, HIGH = 1.0, 1.4  # of the goal, from the origin on
PLANNERS = {
    "cem": dp.CEM(horizon=HORIZON, clip=None),
    "icem": dp.ICEM(horizon=HORIZON, candidates=200, elites=20, clip=None),
    "mppi": dp.MPPI(horizon=HORIZON, clip=None),
    "random shooting": dp.RandomShooting(horizon=HORIZON, candidates=500, clip=None),
    "categorical": dp.CategoricalCEM(horizon=HORIZON, actions=[[-3.0], [0.0], [3.0]], clip=None),
}


def goal(origin):
    return dp.rewards.inside([origin + LOW, -np.inf], [origin + HIGH, np.inf])


def reach(origin):
    return dp.terminations.inside([origin + LOW, -np.inf], [origin + HIGH, np.inf])


def middle(origin):
    return origin + 0.5 * (LOW + HIGH)


def in_python(term):
    def function(states, actions, next_states):
        return term(states, actions, next_states)

    return function


REWARDS = {
    "inside": goal,
    "within": lambda origin: dp.rewards.within(0.2, indices=[0], target=[middle(origin)]),
    "within, moving": lambda origin: dp.rewards.within(
        0.2, indices=[0], target=np.full((HORIZON, 1), middle(origin))
    ),
    "product": lambda origin: goal(origin) * dp.rewards.inside([-np.inf, -9.0], [np.inf, 9.0]),
    "scheduled": lambda origin: dp.rewards.scheduled(goal(origin), [1.0]),
}


def earned(actions, *, ends=False):
    """The true return, from the origin."""
    state, total = np.zeros(2), 0.0
    for action in actions:
        state = A @ state + B @ action
        is_inside = LOW <= state[0] <= HIGH
        total += (0.0 if ends else float(is_inside)) - COST * float(action @ action)
        if ends and is_inside:
            return total + 1.0
    return total


def plan_at(planner, origin, reward, model=CART, **arguments):
    start = [origin, 0.0] if model.state_dim == 2 else [origin, 0.0, middle(origin)]
    return PLANNERS[planner].plan(model, reward, start, action_space=BOX, seed=0, **arguments)


@pytest.mark.parametrize("origin", [1e4, 1e6, -1e9])
@pytest.mark.parametrize("planner", PLANNERS)
@pytest.mark.parametrize("by", ["term", "Python"])
def test_a_goal_is_where_it_is(planner, by, origin):
    def plan(place):
        reward = goal(place) + EFFORT
        return plan_at(planner, place, reward if by == "term" else in_python(reward))

    here, there = plan(0.0), plan(origin)
    # A step sooner or later at the goal is the search's luck.
    assert earned(there.actions) == pytest.approx(earned(here.actions), abs=1.1)
    assert there.value == pytest.approx(earned(there.actions), abs=1e-3)


@pytest.mark.parametrize("origin", [1e6, -1e9])
@pytest.mark.parametrize("kind", REWARDS)
def test_so_is_what_else_jumps_there(kind, origin):
    plan = plan_at("cem", origin, REWARDS[kind](origin) + EFFORT)
    assert plan.value == pytest.approx(earned(plan.actions), abs=1e-3)
    assert plan.value > 6.9


@pytest.mark.parametrize("origin", [1e6, -1e9])
def test_so_is_another_entry(origin):
    reward = dp.rewards.within(0.2, indices=[0], to=[2]) + EFFORT
    plan = plan_at("cem", origin, reward, BESIDE)
    assert plan.value == pytest.approx(earned(plan.actions), abs=1e-3)
    assert plan.value > 6.9


@pytest.mark.parametrize("origin", [1e6, -1e9])
@pytest.mark.parametrize("by", ["term", "Python"])
def test_an_episode_ends_where_it_does(by, origin):
    # The sooner the better, and the last step earns what the goal is worth.
    def plan(place):
        ends = reach(place)
        return plan_at(
            "cem",
            place,
            dp.rewards.linear([0.0, 0.0], offset=-1.0),
            termination=ends if by == "term" else in_python(ends),
        )

    here, there = plan(0.0), plan(origin)
    assert there.value == here.value > -HORIZON
    state, steps = np.zeros(2), 0
    for action in there.actions:
        state, steps = A @ state + B @ action, steps + 1
        if LOW <= state[0] <= HIGH:
            break
    assert there.value == -steps


@pytest.mark.parametrize("origin", [1e6, -1e9])
def test_so_is_a_goal_behind_a_queue_of_actions(origin):
    mpc = dp.MPC(
        CART,
        goal(origin) + EFFORT,
        PLANNERS["cem"],
        action_space=BOX,
        delay_steps=0.5,
        previous_actions=[[0.0]],
        seed=0,
    )
    mpc.act([origin, 0.0])
    sent = mpc.last_plan.actions
    state, total = np.zeros(2), 0.0
    for acting, action in zip(
        0.5 * sent + 0.5 * np.vstack([[[0.0]], sent[:-1]]), sent, strict=True
    ):
        state = A @ state + B @ acting
        total += float(LOW <= state[0] <= HIGH) - COST * float(action @ action)
    assert mpc.last_plan.value == pytest.approx(total, abs=1e-3)
    assert mpc.last_plan.value > 5.9


@pytest.mark.parametrize("origin", [1e6, -1e9])
def test_so_is_the_value_of_an_end(origin):
    def value(states):
        return ((states[:, 0] >= origin + LOW) & (states[:, 0] <= origin + HIGH)).astype(float)

    plan = plan_at("cem", origin, EFFORT, terminal_value=value)
    state = np.zeros(2)
    for action in plan.actions:
        state = A @ state + B @ action
    assert LOW <= state[0] <= HIGH
    assert plan.value > 0.9


@pytest.mark.parametrize("part", ["reward", "termination", "model"])
def test_so_is_a_compiled_function(part):
    pytest.importorskip("numba")
    origin, low, high = 1e6, 1e6 + LOW, 1e6 + HIGH

    def bonus(state, action, next_state):
        return 1.0 if low <= next_state[0] <= high else 0.0

    def ended(state, action, next_state):
        return low <= next_state[0] <= high

    def step(state, action, next_state):
        # Inside, a third entry counts; it alone is paid for.
        next_state[0] = state[0] + 0.1 * state[1] + 0.005 * action[0]
        next_state[1] = state[1] + 0.1 * action[0]
        next_state[2] = 1.0 if low <= next_state[0] <= high else 0.0

    dims = {"state_dim": 2, "action_dim": 1}
    if part == "reward":
        plan = plan_at("cem", origin, dp.rewards.from_numba(bonus, **dims) + EFFORT)
    elif part == "termination":
        ends = dp.terminations.from_numba(ended, **dims)
        paid = dp.rewards.linear([0.0, 0.0], offset=-1.0)
        here = plan_at("cem", 0.0, paid, termination=reach(0.0))
        assert plan_at("cem", origin, paid, termination=ends).value == here.value
        return
    else:
        model = dp.CompiledModel.from_numba(step, 3, 1)
        plan = plan_at("cem", origin, dp.rewards.linear([0.0, 0.0, 1.0]) + EFFORT, model)
    assert plan.value == pytest.approx(earned(plan.actions), abs=1e-3)
    assert plan.value > 6.9


def _calls(model, start, **arguments):
    rows = []

    def reward(states, actions, next_states):
        rows.append(len(states))
        return -(next_states[:, 0] ** 2)

    dp.CEM(horizon=HORIZON, clip=None).plan(
        model, reward, start, action_space=BOX, seed=0, **arguments
    )
    return sum(n > 10 * HORIZON for n in rows)


def test_where_float32_serves_a_plan_is_made_once():
    iterations = dp.CEM().iterations
    assert _calls(CART, [0.0, 0.0]) == iterations
    assert _calls(CART, [100.0, 0.0]) == iterations
    # What does not move has no place to miss.
    assert _calls(BESIDE, [0.0, 0.0, 1e6]) == iterations
    assert _calls(CART, [1e6, 0.0]) == 2 * iterations


def test_the_same_seed_gives_the_same_bits_there():
    plans = [plan_at("cem", 1e6, goal(1e6) + EFFORT) for _ in range(2)]
    np.testing.assert_array_equal(plans[0].actions, plans[1].actions)
    assert plans[0].value == plans[1].value
