"""Every argument of a plan means the same to every planner, whatever kind of part it meets.

The box holds one action, 1, so that all planners have the same plan, and its value is known.
"""

from __future__ import annotations

import inspect
from functools import cache

import numpy as np
import pytest

import dynaplan as dp
from reference.systems import exact_linear_model

HORIZON = 3
ONLY = ([1.0], [1.0])  # s' = s + a: from 0 to 1, 2 and 3
PLANNERS = {
    "cem": dp.CEM(horizon=HORIZON, candidates=20, elites=5, clip=None),
    "cem, mean": dp.CEM(horizon=HORIZON, candidates=20, elites=5, clip=None, result="mean"),
    "icem": dp.ICEM(horizon=HORIZON, clip=None),
    "mppi": dp.MPPI(horizon=HORIZON, clip=None),
    "random shooting": dp.RandomShooting(horizon=HORIZON, candidates=20, clip=None),
    "categorical": dp.CategoricalCEM(horizon=HORIZON, actions=[[1.0]], clip=None),
    "gradient": dp.GradientPlanner(horizon=HORIZON, clip=None),
    "ilqr": dp.ILQR(horizon=HORIZON, clip=None),
    "ilqr from cem": dp.ILQR(horizon=HORIZON, clip=None, start=dp.CEM(candidates=20, elites=5)),
    "lqr": dp.LQR(horizon=HORIZON),
}


def _compiled_reward():
    def reward(*arguments):
        action, next_state, lanes = arguments[1], arguments[2], arguments[4]
        reward_of = arguments[7]
        for k in range(lanes):
            reward_of[k] = next_state[k] - 0.5 * action[k] ** 2

    function = dp.signatures.REWARD_FLOAT64.ctypes(reward)
    return dp.rewards.compiled(function, state_dim=1, action_dim=1, dtype=np.float64)


def _compiled_termination():
    def ends(*arguments):
        next_state, lanes, ended = arguments[2], arguments[4], arguments[7]
        for k in range(lanes):
            ended[k] = next_state[k] > 1.5

    function = dp.signatures.TERMINATION_FLOAT64.ctypes(ends)
    return dp.terminations.compiled(function, state_dim=1, action_dim=1, dtype=np.float64)


@cache
def _learned_termination():
    # 0, 1, 2 and 3 are the states that plans visit.
    states = np.linspace(-1.0, 4.0, 201)[:, np.newaxis]
    data = dp.Transitions(
        states, states, states, terminations=states[:, 0] > 1.5, episodes=np.arange(201)
    )
    return dp.terminations.LearnedTermination.fit(data, seed=0)


# The next state, 1 + 2 + 3 in all, less half of the squared action; the end after two steps.
REWARDS = {
    "built-in": lambda: dp.rewards.linear([1.0]) + dp.rewards.action_cost([0.5]),
    "Python": lambda: lambda s, actions, n: n[:, 0] - 0.5 * actions[:, 0] ** 2,
    "compiled": _compiled_reward,
}
TERMINATIONS = {
    "none": lambda: None,
    "built-in": lambda: dp.terminations.outside([-np.inf], [1.5]),
    "learned": _learned_termination,
    "Python": lambda: lambda states, actions, next_states: next_states[:, 0] > 1.5,
    "compiled": _compiled_termination,
}


def _terminal_value(states):
    return 10.0 * states[:, 0]


@pytest.fixture(scope="module")
def model():
    return exact_linear_model([[1.0]], [[1.0]])


def _refusal(planner, reward, arguments):
    """What a planner cannot do, by the argument that its message names."""
    if planner == "lqr":
        if reward != "built-in":
            return "reward"
        for name in ("termination", "terminal_value"):
            if arguments.get(name) is not None:
                return name
    return None


def _plan(planner, model, reward, **arguments):
    given = {"seed": 0} | arguments
    return PLANNERS[planner].plan(model, REWARDS[reward](), [0.0], action_space=ONLY, **given)


@pytest.mark.parametrize("planner", PLANNERS)
@pytest.mark.parametrize("reward", REWARDS)
@pytest.mark.parametrize("termination", TERMINATIONS)
@pytest.mark.parametrize("terminal_value", [None, _terminal_value])
def test_the_value_of_a_plan_counts_all_that_is_given(
    planner, reward, termination, terminal_value, model
):
    arguments = {
        "termination": TERMINATIONS[termination](),
        "terminal_value": terminal_value,
    }
    refused = _refusal(planner, reward, arguments)
    if refused is not None:
        with pytest.raises(dp.ArgumentError, match=refused):
            _plan(planner, model, reward, **arguments)
        return
    plan = _plan(planner, model, reward, **arguments)
    ends = termination != "none"
    expected = 2.0 if ends else 4.5 + (30.0 if terminal_value else 0.0)
    assert plan.value == pytest.approx(expected, rel=1e-5)
    np.testing.assert_array_equal(plan.actions, 1.0)


@pytest.mark.parametrize("planner", PLANNERS)
@pytest.mark.parametrize("reward", REWARDS)
@pytest.mark.parametrize("high", [2.5, 3.5])
def test_states_that_are_not_allowed_are_rejected(planner, reward, high, model):
    limits = dp.Limits(state_high=[high])
    if _refusal(planner, reward, {"limits": limits}) is not None:
        with pytest.raises(dp.ArgumentError, match=r"limits|reward"):
            _plan(planner, model, reward, limits=limits)
        return
    plan = _plan(planner, model, reward, limits=limits)
    assert (plan.status == "no_finite_candidate") == (high < 3.0)
    assert plan.value == (-np.inf if high < 3.0 else pytest.approx(4.5, rel=1e-5))


def _compiled_constraint(high):
    def excess(*arguments):
        next_state, lanes, values = arguments[2], arguments[4], arguments[7]
        for k in range(lanes):
            values[k] = next_state[k] - high

    function = dp.signatures.REWARD_FLOAT64.ctypes(excess)
    return dp.rewards.compiled(function, state_dim=1, action_dim=1, dtype=np.float64)


CONSTRAINTS = {
    "built-in": lambda high: dp.constraints.half_plane([1.0], high),
    "Python": lambda high: lambda states, actions, next_states: next_states[:, 0] - high,
    "compiled": _compiled_constraint,
}


@pytest.mark.parametrize("planner", PLANNERS)
@pytest.mark.parametrize("reward", REWARDS)
@pytest.mark.parametrize("constraint", CONSTRAINTS)
@pytest.mark.parametrize("high", [2.5, 3.5])
def test_constraints_are_kept(planner, reward, constraint, high, model):
    limits = dp.Limits(constraints=CONSTRAINTS[constraint](high))
    if _refusal(planner, reward, {"limits": limits}) is not None:
        with pytest.raises(dp.ArgumentError, match=r"limits|reward"):
            _plan(planner, model, reward, limits=limits)
        return
    plan = _plan(planner, model, reward, limits=limits)
    assert (plan.status == "no_finite_candidate") == (high < 3.0)
    assert plan.value == (-np.inf if high < 3.0 else pytest.approx(4.5, rel=1e-5))
    assert plan.stats.rejected == (plan.stats.candidates if high < 3.0 else 0)


@pytest.mark.parametrize("planner", PLANNERS)
@pytest.mark.parametrize("reward", REWARDS)
@pytest.mark.parametrize(
    "limits", [dp.Limits(action_rate=[2.0]), dp.Limits(action_acceleration=[2.0])]
)
def test_rates_are_kept_or_refused_whatever_the_reward(planner, reward, limits, model):
    arguments = {"limits": limits, "previous_action": [0.0], "previous_change": [0.0]}
    if planner == "categorical" or _refusal(planner, reward, arguments) is not None:
        with pytest.raises(dp.ArgumentError, match=r"limits\.action_|reward"):
            _plan(planner, model, reward, **arguments)
    else:
        assert _plan(planner, model, reward, **arguments).value == pytest.approx(4.5, rel=1e-5)


AVERAGES = ("cem, mean", "mppi")  # in which one candidate need not show
HILL = {  # one narrow place in a step from 0 is worth something
    "built-in": lambda: dp.rewards.inside([0.37], [0.371]),
    "Python": lambda: lambda s, a, n: ((n[:, 0] >= 0.37) & (n[:, 0] <= 0.371)).astype(float),
}


@pytest.mark.parametrize("planner", sorted(PLANNERS.keys() - {"lqr", "categorical", *AVERAGES}))
@pytest.mark.parametrize("reward", HILL)
@pytest.mark.parametrize("given", ["warm_start", "kept_sequences", "policy"])
def test_sequences_that_are_given_are_tried(planner, reward, given, model):
    sequence = np.array([[0.3705], [0.0], [0.0]])
    arguments = {
        "warm_start": {"warm_start": sequence},
        "kept_sequences": {"kept_sequences": np.stack([0.0 * sequence, sequence])},
        "policy": {"policy": lambda states: np.where(states < 0.1, 0.3705, 0.0)},
    }[given]
    plan = PLANNERS[planner].plan(
        model, HILL[reward](), [0.0], action_space=([-1.0], [1.0]), seed=0, **arguments
    )
    assert plan.value >= 1.0


@pytest.mark.parametrize("planner", PLANNERS)
def test_a_change_from_the_action_before_is_paid_for(planner, model):
    reward = REWARDS["built-in"]() + dp.rewards.action_change_cost([2.0])
    plans = [
        PLANNERS[planner].plan(model, reward, [0.0], action_space=ONLY, seed=0, **arguments)
        for arguments in ({"previous_action": [0.5]}, {})
    ]
    assert plans[0].value == pytest.approx(4.5 - 2.0 * 0.25, rel=1e-5)
    assert plans[1].value == pytest.approx(4.5, rel=1e-5)


def test_no_argument_is_left_out_of_these_tests():
    tested = {
        *("termination", "terminal_value", "limits", "previous_action", "previous_change"),
        *("warm_start", "kept_sequences", "policy"),
    }
    elsewhere = {  # the same to all rewards; see test_budget.py, test_planners.py, test_icem.py
        *("self", "model", "reward", "state", "action_space", "time_limit", "seed"),
        "policy_candidates",
    }
    assert inspect.signature(dp.Planner.plan).parameters.keys() == tested | elsewhere
