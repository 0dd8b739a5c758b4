"""Actions that act late, each by its own steps or parts of them: beside systems written out."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

import dynaplan as dp
from dynaplan.control.timed_plan import Sender, Sight
from dynaplan.control.timed_planner import TimedPlanner
from reference.late_actions import DELAYS, A, B, Q, R, acting, each, written_out

BOX = ([-2.0, -2.0], [2.0, 2.0])
MODEL = dp.LinearModel(A, B)
REWARD = dp.rewards.quadratic(Q) + dp.rewards.action_cost(R)
SMALL = {"horizon": 8, "candidates": 40}
PLANNERS = {
    "cem": dp.CEM(**SMALL, elites=5, iterations=3),
    "cem, mean": dp.CEM(**SMALL, elites=5, iterations=3, result="mean"),
    "icem": dp.ICEM(**SMALL, elites=5),
    "mppi": dp.MPPI(**SMALL, effective_samples=5.0),
    "random shooting": dp.RandomShooting(**SMALL),
    "categorical": dp.CategoricalCEM(**SMALL, elites=5, actions=np.eye(2)),
    "gradient": dp.GradientPlanner(horizon=8, candidates=8, iterations=30),
    "ilqr": dp.ILQR(horizon=8),
    "ilqr from cem": dp.ILQR(horizon=8, start=dp.CEM(candidates=30, elites=5, iterations=2)),
    "lqr": dp.LQR(horizon=8),
}


def controller(delay, planner="ilqr", **parts):
    settings_ = {"action_space": BOX, "seed": 0} | parts
    reward = settings_.pop("reward", REWARD)
    model = settings_.pop("model", MODEL)
    return dp.MPC(model, reward, PLANNERS[planner], delay_steps=delay, **settings_)


@pytest.mark.parametrize("delay", DELAYS)
@pytest.mark.parametrize("box", [2.0, 0.3])
def test_a_plan_is_that_of_the_system_written_out(delay, box):
    whole, enters, steps = written_out(delay)
    ahead, horizon = math.floor(each(delay).min()), 15
    generator = np.random.default_rng(0)
    sent, state = generator.uniform(-0.3, 0.3, size=(steps, 2)), np.array([2.0, -1.0])
    space = (np.full(2, -box), np.full(2, box))
    # Written out, costs of states count from now on; those that no action changes are constant.
    weights = np.zeros(len(whole))
    weights[:2] = Q
    start = np.concatenate([state, sent.ravel()])
    reward = dp.rewards.scheduled(dp.rewards.quadratic(weights), [0.0] * ahead + [1.0])
    later = [1.0] * horizon + [0.0] * (ahead + 1)
    # Each action costs from when its plan's step counts; none is sent in the last steps.
    reward = reward + dp.rewards.scheduled(dp.rewards.action_cost(R), later)
    high = np.full((horizon + 1, 2), box)
    high[horizon:] = 0.0
    explicit = dp.ILQR(horizon=horizon + ahead, clip=None).plan(
        dp.LinearModel(whole, enters),
        reward,
        start,
        action_space=space,
        limits=dp.Limits(action_low=-high, action_high=high),
    )
    mpc = dp.MPC(
        MODEL,
        REWARD,
        dp.ILQR(horizon=horizon, clip=None),
        action_space=space,
        delay_steps=delay,
        previous_actions=sent,
        seed=0,
    )
    plan = mpc.plan(state)
    np.testing.assert_allclose(plan.actions, explicit.actions[:horizon], atol=2e-6)
    np.testing.assert_allclose(plan.states, explicit.states[ahead:, :2], atol=2e-6)
    assert plan.status == "converged"


@pytest.mark.parametrize("planner", PLANNERS)
@pytest.mark.parametrize("delay", DELAYS)
@pytest.mark.parametrize("reward", ["built-in", "Python"])
def test_every_planner_predicts_what_acts(planner, delay, reward):
    def pay(states, actions, next_states):
        return -(next_states**2 @ Q) - actions**2 @ R

    if planner == "lqr" and reward == "Python":
        pytest.skip("LQR takes built-in rewards alone")
    steps = max(math.ceil(late) for late in each(delay))
    ahead = math.floor(each(delay).min())
    sent = np.random.default_rng(0).uniform(-1.0, 1.0, size=(steps, 2))
    mpc = controller(
        delay,
        planner,
        reward=REWARD if reward == "built-in" else pay,
        previous_actions=sent,
        policy=lambda states: -0.3 * states,
    )
    state = np.array([1.0, -0.5])
    plan = mpc.plan(state)
    whole = [*sent, *plan.actions]
    states = [state]
    for step in range(ahead + 8):
        states.append(A @ states[-1] + B @ acting(whole, steps + step, delay))
    np.testing.assert_allclose(plan.states, states[ahead:], atol=2e-6)
    paid = pay(plan.states[:-1], plan.actions, plan.states[1:]).sum()
    assert plan.value == pytest.approx(paid, rel=1e-4)
    assert plan.stats.rejected == 0


@pytest.mark.parametrize("planner", ["cem", "mppi", "ilqr"])
@pytest.mark.parametrize("delay", [[3, 1], 1.4])
def test_limits_ends_and_values_look_at_the_systems_own_states(planner, delay):
    high = [np.inf, 0.2]
    parts = {
        "limits": dp.Limits(
            state_high=high,
            action_rate=[0.5, 0.5],
            constraints=[
                dp.constraints.half_plane([1.0, 0.0], 5.0),
                lambda states, actions, next_states: next_states[:, 0] - 5.0,
            ],
        ),
        "terminal_value": lambda states: -(states**2 @ Q),
    }
    mpc = controller(delay, planner, reward=dp.rewards.quadratic(Q, target=[3.0, 0.0]), **parts)
    state, sent = np.array([0.0, 0.0]), [np.zeros(2)] * 4
    for _ in range(6):
        sent.append(mpc.act(state))
        state = A @ state + B @ acting(sent, len(sent) - 1, delay)
        plan = mpc.last_plan
        assert plan.status != "no_finite_candidate"
        assert (plan.states[1:] <= np.array(high) + 1e-6).all()
        assert mpc.explain().rewards.shape == (1, 8)
        assert mpc.explain().constraints.shape == (2, 8)
    end = dp.terminations.outside([-np.inf, -np.inf], [0.5, np.inf])
    if planner == "ilqr":
        return
    ended = controller(delay, planner, termination=end).plan([0.0, 0.0])
    assert np.isfinite(ended.value)


def test_a_network_and_a_function_are_delayed_as_a_linear_model_is():
    generator = np.random.default_rng(0)
    states, actions = generator.normal(size=(2, 60, 2))
    ensemble = dp.Ensemble.fit(
        dp.Transitions(states, actions, states @ A.T + actions @ B.T),
        hidden=(8,),
        epochs=2,
        seed=0,
    )
    function = dp.FunctionModel(lambda s, a: s @ A.T + a @ B.T, state_dim=2, action_dim=2)
    for model in (ensemble, function):
        for planner in ("cem", "ilqr"):
            mpc = controller([1.5, 3], planner, model=model, trust="ignore")
            plan = mpc.plan([0.5, 0.0])
            whole, state = [*np.zeros((3, 2)), *plan.actions], np.array([0.5, 0.0])
            for step in range(9):
                acts = acting(whole, 3 + step, [1.5, 3])
                state = model.predict(state, acts).mean.reshape(2)
                if step:
                    np.testing.assert_allclose(plan.states[step], state, atol=1e-4)
    sampled = dp.CEM(**SMALL, elites=5, propagation="ts1", particles=4)
    mpc = dp.MPC(ensemble, REWARD, sampled, action_space=BOX, delay_steps=[2, 0.5], seed=0)
    assert np.isfinite(mpc.plan([0.5, 0.0]).value)


@pytest.mark.parametrize("planner", PLANNERS)
@pytest.mark.parametrize("steps", [0, 2])
def test_equal_whole_delays_are_one_to_the_bit(planner, steps):
    def run(delay):
        mpc, state, sent = controller(delay, planner), np.array([1.0, 0.5]), []
        for _ in range(4):
            sent.append(mpc.act(state))
            state = A @ state + B @ sent[-1]
        assert mpc.delay_steps == steps
        assert isinstance(mpc.delay_steps, int)
        return np.array(sent), mpc.last_plan.states

    expected = run(steps)
    for delay in ([steps, steps], float(steps), np.array([steps, steps])):
        for one, other in zip(run(delay), expected, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("planner", ["cem", "icem", "ilqr"])
def test_several_systems_are_controlled_as_each_alone(planner):
    states = np.random.default_rng(0).normal(size=(3, 2))
    together = controller([2, 0.5], planner)
    alone = [controller([2, 0.5], planner, seed=n) for n in range(3)]
    for _ in range(4):
        actions = together.act(states)
        for n, mpc in enumerate(alone):
            np.testing.assert_array_equal(mpc.act(states[n]), actions[n])
        states = states @ A.T + actions @ B.T


@pytest.mark.parametrize("parts", [{}, {"replan_every": 3}])
def test_what_was_sent_is_kept_by_copies_and_given_by_resets(parts):
    mpc = controller([2.5, 1], **parts)
    state = np.array([1.0, 0.0])
    sent = [np.zeros(2)] * 3
    for _ in range(4):
        sent.append(mpc.act(state))
        state = A @ state + B @ acting(sent, len(sent) - 1, [2.5, 1])
    copy = pickle.loads(pickle.dumps(mpc))
    np.testing.assert_array_equal(copy.act(state), mpc.act(state))
    new = controller([2.5, 1])
    with pytest.raises(dp.ShapeError, match="previous_actions: got 2 actions, must be at least"):
        new.reset(previous_actions=sent[-2:])
    new.reset(previous_actions=sent[-3:])
    late = controller([2.5, 1], previous_actions=sent[-4:])
    np.testing.assert_array_equal(new.act(state), late.act(state))


def test_a_threads_plan_begins_where_the_system_is_then():
    delay = [2.5, 1]
    mpc = controller(delay, "cem")
    planner, sender = TimedPlanner(mpc, 3.0, 1.0), Sender(np.zeros((1, 2)))
    sent, states, expected = [np.zeros(2)] * 4, [np.array([0.5, -0.5])], {}
    for now in range(24):
        sight = Sight(states[-1][None], float(now))
        if now % 3 == 0:
            assert planner.plan(sight, float(now))
            expected[round(planner.plans[0].begins) + 1] = mpc.last_plan.states[0]
        sender.send(planner.plans, now + 0.5, sight, mpc._prepared)
        sent.append(sender.last[0])
        states.append(A @ states[-1] + B @ acting(sent, len(sent) - 1, delay))
    for step, state in expected.items():
        if step < len(states):
            np.testing.assert_allclose(states[step], state, atol=1e-9)


def test_a_held_action_is_predicted_as_it_acts():
    limits = dp.Limits(state_high=[-9.0, -9.0])
    mpc = controller([2, 0.5], "cem", limits=limits, on_failure=lambda plan: [1.0, 1.0])
    with pytest.warns(dp.FailedPlanWarning):
        mpc.act([0.0, 0.0])
    plan, whole, state = mpc.last_plan, [*np.zeros((2, 2)), *np.ones((8, 2))], np.zeros(2)
    for step in range(8):
        state = A @ state + B @ acting(whole, 2 + step, [2, 0.5])
        np.testing.assert_allclose(plan.states[step + 1], state, atol=1e-12)


@pytest.mark.parametrize(
    ("delay", "error", "message"),
    [
        (-0.5, dp.ArgumentError, r"^delay_steps: got -0\.5, must be at least 0"),
        ([1.0, np.nan], dp.ArgumentError, "^delay_steps: got nan, must be at least 0"),
        (1e9, dp.ArgumentError, "^delay_steps: got .*, must be at most 10000"),
        ([0, 101], dp.ArgumentError, "^delay_steps: got .*, must be at most 100 steps apart"),
        ([1], dp.ShapeError, "^delay_steps: got shape"),
        ([[1, 2]], dp.ShapeError, "^delay_steps: got shape"),
        ("2", dp.ArgumentError, "^delay_steps: got '2', must be a number"),
        (["a", "b"], TypeError, "^delay_steps: got dtype"),
    ],
)
def test_other_delays_are_refused_by_name(delay, error, message):
    with pytest.raises(error, match=message):
        controller(delay)


def test_a_part_of_a_choice_acts_not():
    space = pytest.importorskip("gymnasium").spaces.Discrete(2)
    for delay in (1.5, [2, 1]):
        with pytest.raises(dp.ArgumentError, match=r"^delay_steps: got .*, must be one whole"):
            controller(delay, "categorical", action_space=space)
