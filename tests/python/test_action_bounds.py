"""Bounds of actions by step: kept to the last bit by every planner, also from plan to plan."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynaplan as dp
from dynaplan.planners.action_bounds import ActionBounds
from reference.action_bounds import BOX, random_bounds, require_within
from reference.quadratic_program import LinearPlant

H = 8
SMALL = {"horizon": H, "candidates": 30}
PLANNERS = {
    "cem": dp.CEM(**SMALL, elites=5, iterations=3),
    "cem, mean": dp.CEM(**SMALL, elites=5, iterations=3, result="mean"),
    "cem, truncated": dp.CEM(**SMALL, elites=5, iterations=3, truncated=True),
    "icem": dp.ICEM(**SMALL, elites=5),
    "mppi": dp.MPPI(**SMALL, effective_samples=5.0),
    "mppi, knots": dp.MPPI(**SMALL, effective_samples=5.0, knots=3, smoothing_window=5),
    "random shooting": dp.RandomShooting(**SMALL),
    "gradient": dp.GradientPlanner(horizon=H, candidates=8, iterations=30),
    "ilqr": dp.ILQR(horizon=H),
    "ilqr from cem": dp.ILQR(horizon=H, start=dp.CEM(candidates=30, elites=5, iterations=2)),
    "lqr": dp.LQR(horizon=H),
}
DERIVATIVES = ("ilqr", "ilqr from cem", "lqr")
MODEL = dp.LinearModel([[1.0, 0.1], [0.0, 0.9]], [[0.1, 0.0], [0.3, 0.2]])
REWARD = dp.rewards.quadratic([1.0, 0.3], target=[5.0, 0.0]) + dp.rewards.action_cost([0.1, 0.1])


@given(
    planner=st.sampled_from(sorted(PLANNERS)),
    seed=st.integers(0, 10**6),
    rows=st.integers(1, 2 * H),
    changes=st.sampled_from(["free", "rate", "acceleration", "both"]),
    is_given=st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_no_action_is_outside_the_bounds_of_its_step(planner, seed, rows, changes, is_given):
    if changes in ("acceleration", "both") and planner in DERIVATIVES:
        changes = "rate"
    generator = np.random.default_rng(seed)
    low, high = random_bounds(generator, rows)
    rate = generator.uniform(0.0, 1.0, 2) if changes in ("rate", "both") else None
    acceleration = generator.uniform(0.0, 0.5, 2) if changes in ("acceleration", "both") else None
    arguments = {}
    if is_given:
        arguments = {
            "warm_start": generator.normal(size=(H, 2)),
            "kept_sequences": generator.normal(size=(3, H - 2, 2)),
            "previous_action": generator.normal(size=2),
            "policy": lambda states: 9.0 * np.sin(states),
        }
    plan = PLANNERS[planner].plan(
        MODEL,
        REWARD,
        generator.normal(size=2),
        action_space=BOX,
        limits=dp.Limits(
            action_low=low, action_high=high, action_rate=rate, action_acceleration=acceleration
        ),
        seed=seed,
        **arguments,
    )
    require_within(plan.actions, low, high)
    for sequence in plan.kept_sequences:
        require_within(sequence, low, high)
    assert np.isfinite(plan.value)


@pytest.mark.parametrize("planner", ["ilqr", "lqr"])
@pytest.mark.parametrize("has_rate", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_derivatives_find_what_the_quadratic_program_finds(planner, has_rate, seed):
    plant, horizon = LinearPlant.random(seed, 1.1), 15
    m = plant.b.shape[1]
    far = np.full(m, 1e6)
    free = dp.LQR(horizon=horizon).plan(
        plant.model(), plant.reward(), plant.start, action_space=(-far, far)
    )
    generator = np.random.default_rng(seed)
    bound = 2.0 * np.abs(free.actions).max(axis=0)
    low, high = random_bounds(generator, horizon, (-bound, bound))
    rate = None
    if has_rate:  # that can be kept
        rate = np.abs(np.diff(low, axis=0, prepend=0.0)).max(axis=0) + 0.01
    best = plant.best_return(horizon, high, low=low, rate=rate)
    assert best is not None
    planners = {"ilqr": dp.ILQR(horizon=horizon, clip=None), "lqr": dp.LQR(horizon=horizon)}
    plan = planners[planner].plan(
        plant.model(),
        plant.reward(),
        plant.start,
        action_space=(-bound, bound),
        limits=dp.Limits(action_low=low, action_high=high, action_rate=rate),
        previous_action=np.zeros(m),
    )
    # Where rates and bounds meet at once, one plan in fourteen stalls a little before the best.
    assert plan.value == pytest.approx(best, rel=2e-3 if has_rate else 1e-7)
    assert has_rate or plan.status == "converged"
    require_within(plan.actions, low, high)


# s' = s + a, and the farther the better: every action is as large as it may be.
UP = dp.rewards.linear([1.0])
SUM = dp.LinearModel([[1.0]], [[1.0]])
CLIMBERS = {
    "cem": dp.CEM(horizon=20, iterations=40, clip=None),
    "icem": dp.ICEM(horizon=20, candidates=200, iterations=20, clip=None),
    "mppi": dp.MPPI(horizon=20, iterations=40, std_decay=0.95, clip=None),
    "ilqr": dp.ILQR(horizon=20, clip=None),
}


def climbed(actions):
    return float(np.cumsum(actions).sum())


@pytest.mark.parametrize("planner", CLIMBERS)
@pytest.mark.parametrize("rate", [None, 0.1])
def test_a_limit_that_comes_into_force_is_met_in_time(planner, rate):
    high = np.ones(20)
    high[10:14] = 0.2  # for some steps
    high[17:] = 0.0  # and then off
    best = high.copy()
    for t in range(18, -1, -1) if rate else ():
        best[t] = min(best[t], best[t + 1] + rate)
    for t in range(20) if rate else ():
        best[t] = min(best[t], (best[t - 1] if t else 0.0) + rate)
    plan = CLIMBERS[planner].plan(
        SUM,
        UP,
        [0.0],
        action_space=([0.0], [1.0]),
        limits=dp.Limits(action_high=high[:, None], action_rate=None if rate is None else [rate]),
        previous_action=[0.0],
        seed=0,
    )
    assert 0.97 * climbed(best) <= plan.value <= climbed(best) * (1 + 1e-6)
    if rate:
        before = np.concatenate([[0.0], plan.actions[:-1, 0]])
        assert (plan.actions[:, 0] >= before - rate).all()
        assert (plan.actions[:, 0] <= before + rate).all()
    if planner == "ilqr":
        np.testing.assert_allclose(plan.actions[:, 0], best, rtol=0.0, atol=1e-9)


@pytest.mark.parametrize("planner", ["cem", "icem", "mppi"])
def test_actions_slow_down_in_time_for_a_limit_by_their_acceleration(planner):
    high = np.ones((20, 1))
    high[12:] = 0.1
    plan = CLIMBERS[planner].plan(
        SUM,
        UP,
        [0.0],
        action_space=([-1.0], [1.0]),
        limits=dp.Limits(action_high=high, action_acceleration=[0.05]),
        previous_action=[0.0],
        seed=0,
    )
    changes = np.diff(np.concatenate([[0.0, 0.0], plan.actions[:, 0]]), n=2)
    assert (np.abs(changes) <= 0.05 + 1e-6).all()
    require_within(plan.actions, np.full((20, 1), -1.0), high)


@pytest.mark.parametrize("planner", ["cem", "icem", "mppi"])
@pytest.mark.parametrize("low", [0.5, 1e6])  # of which float32 knows the first alone
def test_a_narrow_bound_is_searched_as_finely_as_a_wide_one(planner, low):
    # A third of the way up; widths of the box would set every draw on one of the two bounds.
    high = low + 3e-4
    planners = {
        "cem": dp.CEM(horizon=1, iterations=10),
        "icem": dp.ICEM(horizon=1, iterations=10),
        "mppi": dp.MPPI(horizon=1, iterations=10, effective_samples=5.0),
    }
    plan = planners[planner].plan(
        SUM,
        dp.rewards.quadratic([1.0], target=[low + (high - low) / 3.0]),
        [0.0],
        action_space=([0.0], [2.0 * low]),
        limits=dp.Limits(action_low=[[low], [0.0]], action_high=[[high], [2.0 * low]]),
        seed=0,
    )
    assert (plan.actions[0, 0] - low) / (high - low) == pytest.approx(1 / 3, abs=0.05)


# Choices.


def test_actions_that_a_step_rules_out_are_never_chosen():
    high = np.ones((6, 3))
    high[1] = [0.0, 1.0, 0.0]
    high[2:4, 2] = 0.0
    low = np.zeros((6, 3))
    low[5, 0] = 1.0
    model = dp.LinearModel([[1.0]], [[-1.0, 0.0, 1.0]])
    limits = dp.Limits(action_low=low, action_high=high)
    space = pytest.importorskip("gymnasium").spaces.Discrete(3)
    mpc = dp.MPC(
        model,
        UP,
        dp.CategoricalCEM(horizon=4, candidates=40, elites=5),
        action_space=space,
        limits=limits,
        policy=lambda states: np.full(len(states), 2),
        seed=0,
    )
    assert [mpc.act([0.0]) for _ in range(8)] == [2, 1, 1, 1, 2, 0, 0, 0]
    mpc.change(limits=dp.Limits(action_high=[[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]))
    with pytest.raises(dp.ArgumentError, match="bounds without any of the actions at step 1"):
        mpc.act([0.0])


@given(seed=st.integers(0, 10**6), is_mode=st.booleans(), is_given=st.booleans())
@settings(max_examples=60, deadline=None)
def test_choices_of_a_box_are_within_the_bounds_of_their_step(seed, is_mode, is_given):
    generator = np.random.default_rng(seed)
    choices = generator.uniform(*BOX, size=(7, 2))
    low, high = np.tile(BOX[0], (H, 1)), np.tile(BOX[1], (H, 1))
    for t in range(H):  # around one of them
        middle = choices[generator.integers(7)]
        low[t] = np.maximum(low[t], middle - generator.uniform(0.0, 1.5, 2))
        high[t] = np.minimum(high[t], middle + generator.uniform(0.0, 1.5, 2))
    given_ = {}
    if is_given:
        given_ = {"warm_start": generator.normal(size=(H, 2))}
        given_["kept_sequences"] = generator.normal(size=(2, H, 2))
    plan = dp.CategoricalCEM(
        actions=choices,
        horizon=H,
        candidates=20,
        elites=4,
        iterations=2,
        result="mode" if is_mode else "best",
    ).plan(
        MODEL,
        REWARD,
        [0.0, 0.0],
        action_space=BOX,
        limits=dp.Limits(action_low=low, action_high=high),
        seed=seed,
        **given_,
    )
    require_within(plan.actions, low, high)
    assert all((choices == action).all(axis=1).any() for action in plan.actions)
    states = dp.rollout(MODEL, [0.0, 0.0], plan.actions[None])[0]
    np.testing.assert_allclose(plan.states, states, atol=1e-5)


# What is refused, and what is the same.


@pytest.mark.parametrize(
    ("bounds", "error", "message"),
    [
        ({"action_low": [np.nan, 0.0]}, dp.ArgumentError, r"^action_low: got .*, must not be nan"),
        ({"action_high": np.zeros((0, 2))}, dp.ShapeError, "^action_high: got shape"),
        ({"action_high": np.zeros((2, 2, 2))}, dp.ShapeError, "^action_high: got shape"),
        ({"action_high": [0.0]}, dp.ShapeError, r"limits\.action_high: got shape \(1, 1\)"),
        (
            {"action_low": [[-1.0, -3.0], [-1.5, 0.0]]},
            dp.ArgumentError,
            r"limits\.action_low: got -1\.5 at step 1 for action 0, must be at least "
            r"action_space\.low = -1\.0",
        ),
        (
            {"action_high": [[1.0, 2.5]]},
            dp.ArgumentError,
            r"limits\.action_high: got 2\.5 at step 0 for action 1, must be at most "
            r"action_space\.high = 2\.0",
        ),
        (
            {"action_low": [0.5, 0.0], "action_high": [[1.0, 1.0], [0.25, 1.0]]},
            dp.ArgumentError,
            r"limits\.action_low: got 0\.5 at step 1 for action 0, must be at most action_high",
        ),
    ],
)
def test_bounds_that_are_none_are_refused(bounds, error, message):
    with pytest.raises(error, match=message):
        dp.MPC(MODEL, REWARD, action_space=BOX, limits=dp.Limits(**bounds))


@pytest.mark.parametrize("planner", PLANNERS)
def test_the_box_given_as_bounds_changes_nothing(planner):
    arguments = {"action_space": BOX, "seed": 0}
    whole = PLANNERS[planner].plan(MODEL, REWARD, [0.5, 0.0], **arguments)
    for limits in (
        dp.Limits(action_low=BOX[0]),
        dp.Limits(action_low=np.full((3, 2), -np.inf), action_high=[np.inf, 2.0]),
    ):
        plan = PLANNERS[planner].plan(MODEL, REWARD, [0.5, 0.0], limits=limits, **arguments)
        np.testing.assert_array_equal(plan.actions, whole.actions)
        assert plan.value == whole.value


@given(seed=st.integers(0, 10**6), rows=st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_from_actions_that_are_left_later_bounds_are_reached_at_the_rate(seed, rows):
    generator = np.random.default_rng(seed)
    low, high = random_bounds(generator, rows)
    rate = generator.uniform(0.0, 2.0, 2)
    left = ActionBounds(low, high).ahead_of(rate)
    assert (left.low >= low).all()
    assert (left.high <= high).all()
    assert (left.low <= left.high).all()
    for row in range(rows - 1):
        for action in (left.low[row], left.high[row], 0.5 * left.low[row] + 0.5 * left.high[row]):
            nearest = np.clip(action, left.low[row + 1], left.high[row + 1])
            reached = np.clip(nearest, action - rate, action + rate) == nearest
            # Or no action of this step reaches the bounds of the next.
            apart = (low[row] > left.high[row + 1] + rate) | (high[row] < left.low[row + 1] - rate)
            assert (reached | apart).all()
