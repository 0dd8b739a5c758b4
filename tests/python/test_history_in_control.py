"""Controllers of models with a history: they keep what was observed and done before themselves."""

from __future__ import annotations

import copy
import pickle

import gymnasium
import numpy as np
import pytest

import dynaplan as dp
from reference.pushed_mass import BOX, PLACE, STEP, A, B, places, pushed


@pytest.fixture(scope="module")
def model() -> dp.LinearGaussian:
    return dp.LinearGaussian.fit(places().with_history(states=1, actions=1))


def controller(model, **more) -> dp.MPC:
    settings = {"action_space": BOX, "seed": 0, "trust": "ignore", **more}
    return dp.MPC(model, PLACE, dp.ILQR(horizon=25), **settings)


def driven(mpc: dp.MPC, state, steps: int = 80, late: int = 0, *, whole: bool = False):
    """The states and the sum of squared places of a closed loop."""
    state, path, cost, sent = np.array(state, float), [], 0.0, [0.0] * late
    for _ in range(steps):
        sent.append(float(mpc.act(state if whole else state[:1])[0]))
        state = pushed(state, sent[len(sent) - 1 - late])
        path.append(state)
        cost += state[0] ** 2
    return np.array(path), cost


@pytest.mark.parametrize("start", [[1.0, 0.0], [-0.5, 0.3]])
def test_a_mass_without_a_speedometer_is_held_as_well_as_with_one(model, start) -> None:
    known = dp.LinearModel(A, B)
    reward = dp.rewards.quadratic([1.0, 0.0])
    full = dp.MPC(known, reward, dp.ILQR(horizon=25), action_space=BOX, seed=0)
    _, wanted = driven(full, start, whole=True)
    path, cost = driven(controller(model), start)
    assert np.abs(path[-10:, 0]).max() < 0.01
    assert cost < (1.02 if start[1] == 0.0 else 1.1) * wanted


def test_plans_begin_at_what_was_observed_and_sent() -> None:
    data = places().with_history(states=2, actions=3)
    model = dp.LinearGaussian.fit(data, ridge=1e-3)
    reward = dp.rewards.quadratic([1.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    mpc = dp.MPC(model, reward, dp.LQR(horizon=5), action_space=BOX, trust="ignore")
    seen, sent = [], []
    for place in (0.3, 0.1, -0.2, -0.3, 0.5):
        sent.append(float(mpc.act([place])[0]))
        seen.append(place)
        before = [seen[max(len(seen) - 1 - lag, 0)] for lag in range(3)]
        done = [sent[len(sent) - 2 - lag] if len(sent) > 1 + lag else 0.0 for lag in range(3)]
        assert np.array_equal(mpc.last_plan.states[0], [*before, *done])


def test_several_systems_have_a_past_each(model) -> None:
    both, alone = controller(model), [controller(model, seed=0), controller(model, seed=1)]
    for observed in ([[1.0], [-0.5]], [[0.9], [-0.4]], [[0.7], [-0.2]]):
        actions = both.act(observed)
        wanted = [mpc.act(one) for mpc, one in zip(alone, observed, strict=True)]
        assert np.array_equal(actions, wanted)
        starts = [plan.states[0] for plan in both.last_plans]
        assert np.array_equal(starts, [mpc.last_plan.states[0] for mpc in alone])


def test_what_was_really_sent_is_what_counts(model) -> None:
    mpc = controller(model)
    mpc.act([1.0])
    mpc.act([0.9], previous_action=[0.25])
    assert np.array_equal(mpc.last_plan.states[0], [0.9, 1.0, 0.25])


def test_a_past_can_be_handed_over_and_is_forgotten(model) -> None:
    mpc = controller(model, previous_actions=[[0.4], [0.5]])
    mpc.act([1.0])
    assert np.array_equal(mpc.last_plan.states[0], [1.0, 1.0, 0.5])
    mpc.reset(previous_observations=[[3.0], [2.0]], previous_actions=[[0.1]])
    mpc.act([1.0])
    assert np.array_equal(mpc.last_plan.states[0], [1.0, 2.0, 0.1])
    mpc.reset()
    mpc.act([1.0])
    assert np.array_equal(mpc.last_plan.states[0], [1.0, 1.0, 0.5])
    mpc.reset(previous_observations=[[[2.0]], [[3.0]]])
    mpc.act([[1.0], [1.0]])
    assert [plan.states[0, 1] for plan in mpc.last_plans] == [2.0, 3.0]


def test_copies_go_on_alike_and_apart(model) -> None:
    mpc = controller(model)
    mpc.act([1.0])
    others = [pickle.loads(pickle.dumps(mpc)), copy.copy(mpc), copy.deepcopy(mpc)]
    wanted = [mpc.act([0.9]), mpc.act([0.7])]
    for other in others:
        assert np.array_equal([other.act([0.9]), other.act([0.7])], wanted)
    mpc.reset()
    assert np.array_equal(mpc.act([1.0]), controller(model).act([1.0]))


def test_a_plan_that_is_not_sent_leaves_no_past(model) -> None:
    mpc = controller(model)
    mpc.act([1.0])
    mpc.plan([0.5])
    plan = mpc.plan([0.9])
    assert np.array_equal(plan.states[0, :2], [0.9, 1.0])
    mpc.advance()
    after = mpc.plan([0.8])
    assert np.array_equal(after.states[0], [0.8, 0.9, plan.actions[0, 0]])
    with pytest.raises(dp.ArgumentError, match="steps: got 2, must be 1"):
        mpc.advance(2)


@pytest.mark.parametrize("wrong", [[np.nan], [[1.0], [np.inf]]])
def test_a_first_observation_that_is_refused_leaves_no_past(model, wrong) -> None:
    mpc = controller(model)
    with pytest.raises(dp.ArgumentError, match=r"state: .* must be finite"):
        mpc.act(wrong)
    mpc.reset()
    with pytest.raises(dp.ArgumentError, match="state"):
        mpc.act([np.nan])
    mpc.act([1.0])
    assert np.array_equal(mpc.last_plan.states[0], [1.0, 1.0, 0.0])
    far = controller(model, trust="refuse")
    with pytest.raises(dp.UntrustedStateError):
        far.act([1e6])
    far.act([0.1])
    assert np.array_equal(far.last_plan.states[0], [0.1, 0.1, 0.0])


def test_a_plan_before_the_first_step_leaves_no_past(model) -> None:
    mpc = controller(model)
    mpc.plan([5.0])
    mpc.act([1.0])
    assert np.array_equal(mpc.last_plan.states[0], [1.0, 1.0, 0.0])


@pytest.mark.parametrize("every", [1, 3])
def test_after_a_call_that_raised_a_past_must_be_handed_over(model, every) -> None:
    mpc = controller(model, replan_every=every)
    sent = mpc.act([1.0])
    with pytest.raises(dp.ArgumentError, match=r"state: .* must be finite"):
        mpc.act([np.nan])
    for go_on in (mpc.act, mpc.plan):
        with pytest.raises(dp.ArgumentError, match="history has a gap; call reset"):
            go_on([0.8])
    with pytest.raises(dp.ArgumentError, match="steps"):
        mpc.advance()
    mpc.reset(previous_observations=[[1.0], [0.9]], previous_actions=[sent, [0.25]])
    mpc.act([0.8])
    assert np.array_equal(mpc.last_plan.states[0], [0.8, 0.9, 0.25])
    far = controller(model, trust="refuse")
    far.act([0.1])
    with pytest.raises(dp.UntrustedStateError):
        far.act([1e6])
    with pytest.raises(dp.ArgumentError, match="history has a gap; call reset"):
        far.act([0.1])
    far.reset()
    far.act([0.1])


def test_each_step_must_have_been_observed(model) -> None:
    mpc = controller(model)
    mpc.plan([1.0])
    mpc.advance()
    with pytest.raises(dp.ArgumentError, match="nothing was observed since"):
        mpc.advance()
    mpc.act([0.9])
    with pytest.raises(dp.ArgumentError, match="nothing was observed since"):
        mpc.advance()
    mpc.act([0.8])
    assert np.array_equal(mpc.last_plan.states[0, :2], [0.8, 0.9])


def test_a_past_of_other_systems_is_refused_each_time(model) -> None:
    mpc = controller(model)
    mpc.reset(previous_observations=np.full((3, 1, 1), 5.0))
    for _ in range(2):
        with pytest.raises(dp.ShapeError, match="previous_observations: got 3 systems, must be 2"):
            mpc.act([[1.0], [1.0]])
    mpc.act(np.ones((3, 1)))
    assert [plan.states[0, 1] for plan in mpc.last_plans] == [5.0] * 3


def test_between_plans_the_past_goes_on(model) -> None:
    mpc = controller(model, replan_every=3)
    sent = [float(mpc.act([place])[0]) for place in (1.0, 0.9, 0.8, 0.7)]
    assert np.array_equal(mpc.last_plan.states[0], [0.7, 0.8, sent[2]])


@pytest.mark.parametrize("late", [1, 3, 1.5])
def test_lags_are_of_actions_as_they_act(model, late) -> None:
    # The model knows no delay: what acted in the step before was sent `late` steps earlier.
    mpc = controller(model, delay_steps=late)
    whole, share = int(late), late - int(late)
    sent, seen = [0.0] * 8, []
    for place in (0.5, 0.45, 0.4, 0.3, 0.2):
        seen.append(place)
        before = seen[-2] if len(seen) > 1 else place
        # Acted in the last step: the newest of the actions sent, so many steps before.
        last = len(sent) - 1
        acted = (1.0 - share) * sent[last - whole] + share * sent[last - whole - 1]
        under_way = [
            (1.0 - share) * sent[last - whole + 1 + k] + share * sent[last - whole + k]
            for k in range(whole)
        ]
        start = np.array([place, before, acted])
        wanted = dp.rollout(model, start, np.reshape(under_way, (1, -1, 1)), dtype=np.float64)
        sent.append(float(mpc.act([place])[0]))
        assert np.allclose(mpc.last_plan.states[0], wanted[0, -1], atol=1e-6)


def test_a_late_plant_is_held_without_a_speedometer(model) -> None:
    path, _ = driven(controller(model, delay_steps=3), [1.0, 0.0], 120, late=3)
    assert np.abs(path[-10:, 0]).max() < 0.02


def test_a_history_of_actions_holds_a_late_plant_without_delay_steps() -> None:
    rng = np.random.default_rng(0)
    state, actions = np.zeros(2), rng.uniform(-1.0, 1.0, size=(400, 1))
    path = [state]
    for row in range(400):
        state = pushed(state, actions[row - 2, 0] if row > 1 else 0.0)
        path.append(state)
    seen = np.array(path)
    data = dp.Transitions(seen[:-1], actions, seen[1:], episodes=np.zeros(400, int))
    model = dp.LinearGaussian.fit(data.with_history(actions=2))
    reward = dp.rewards.quadratic([1.0, 0.1, 0.0, 0.0])
    mpc = dp.MPC(model, reward, dp.ILQR(horizon=30), action_space=BOX, trust="ignore", seed=0)
    held, _ = driven(mpc, [1.0, 0.0], 120, late=2, whole=True)
    assert np.abs(held[-10:, 0]).max() < 0.02


def test_limits_and_samplers_go_with_a_history(model) -> None:
    limits = dp.Limits(action_rate=[0.3], state_low=[-0.05, -np.inf, -np.inf])
    planner = dp.CEM(horizon=20, candidates=200)
    mpc = dp.MPC(model, PLACE, planner, action_space=BOX, limits=limits, seed=0, trust="ignore")
    state, sent = np.array([0.6, 0.0]), [0.0]
    for _ in range(60):
        sent.append(float(mpc.act(state[:1])[0]))
        state = pushed(state, sent[-1])
        assert state[0] > -0.06
    assert np.abs(np.diff(sent)).max() <= 0.3 + 1e-9
    assert abs(state[0]) < 0.1


def test_discrete_actions_are_remembered_as_rows() -> None:
    rng = np.random.default_rng(0)
    numbers = rng.integers(3, size=300)
    pushes = numbers - 1.0
    speed = np.cumsum(STEP * pushes)
    place = np.concatenate([[0.0], np.cumsum(STEP * speed)])[:, None]
    data = dp.Transitions(place[:-1], numbers, place[1:], discrete_actions=3)
    seen = data.with_history(states=1, actions=1)
    model = dp.LinearGaussian.fit(seen, ridge=1e-6)
    reward = dp.rewards.quadratic([1.0, 0.0, 0.0, 0.0, 0.0])
    mpc = dp.MPC(
        model,
        reward,
        dp.CategoricalCEM(horizon=5),
        action_space=gymnasium.spaces.Discrete(3),
        seed=0,
        trust="ignore",
    )
    first = mpc.act([0.5])
    mpc.act([0.4])
    assert np.allclose(mpc.last_plan.states[0], [0.4, 0.5, *np.eye(3)[first]], atol=1e-7)


def test_what_does_not_fit_a_history_is_refused(model) -> None:
    mpc = controller(model)
    with pytest.raises(dp.ShapeError, match=r"state: got shape \(3,\), must be \(1,\)"):
        mpc.act([1.0, 1.0, 0.0])
    with pytest.raises(dp.ArgumentError, match="state"):
        mpc.act([np.nan])
    with pytest.raises(dp.ShapeError, match="previous_observations"):
        mpc.reset(previous_observations=[[1.0, 2.0]])
    with pytest.raises(dp.ArgumentError, match=r"previous_observations: got .* finite"):
        mpc.reset(previous_observations=[[np.inf]])
    data = places()
    plain = dp.LinearModel(np.eye(3), np.ones((3, 1)))
    with pytest.raises(dp.ArgumentError, match="model: got a history of None"):
        mpc.change(model=plain)
    mpc.change(model=dp.LinearGaussian.fit(data.with_history(states=1, actions=1), ridge=0.1))
    only_actions = dp.LinearGaussian.fit(data.with_history(actions=2), ridge=0.1)
    other = controller(only_actions)
    with pytest.raises(dp.ArgumentError, match="previous_observations: got some"):
        other.reset(previous_observations=[[1.0]])
    with pytest.raises(dp.ArgumentError, match="mpc: its model has a history"):
        dp.PlannerThread(mpc, period=0.1)
