"""Discrete actions: numbers where users see them, one-hot rows in data, models and plans."""

from __future__ import annotations

import copy
import pickle

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st

import dynaplan as dp
from dynaplan._discrete import numbering_of

STATES, NEXT = [[0.0], [1.0], [0.5]], [[1.0], [0.5], [2.0]]
# What each of three pushes does to the state of a line.
PUSHES = np.array([-0.2, 0.0, 0.2])


class Line(gymnasium.Env):
    """A point on a line that three actions push; the reward is its closeness to 0."""

    def __init__(self, action_space=None):
        self.observation_space = spaces.Box(-10.0, 10.0, (1,), np.float64)
        self.action_space = spaces.Discrete(3, start=5) if action_space is None else action_space
        self.taken = []

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place = self.np_random.uniform(-2.0, 2.0)
        return np.array([self.place]), {}

    def step(self, action):
        assert self.action_space.contains(action)
        self.taken.append(action)
        self.place += PUSHES[action - self.action_space.start]
        return np.array([self.place]), -abs(self.place), False, False, {}


@pytest.fixture
def model():
    data = dp.collect(Line(), 200, seed=0)
    return dp.MLP.fit(data, hidden=(), epochs=200, seed=0)


# --- numbers of a log


@given(
    first=st.sampled_from([0, 1, -7, 2**62, -(2**63)]),
    count=st.integers(1, 6),
    places=st.lists(st.integers(0, 5), min_size=1, max_size=9),
)
def test_one_hot_rows_hold_what_the_numbers_said(first, count, places):
    numbering = numbering_of("actions", spaces.Discrete(count, start=first))
    numbers = np.array([first + place % count for place in places], np.int64)
    rows = numbering.one_hot("actions", numbers)
    np.testing.assert_array_equal(rows, np.eye(count)[[place % count for place in places]])
    np.testing.assert_array_equal(numbering.numbers(rows), numbers)
    assert numbering.numbers(rows[0]) == numbers[0]


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, np.uint64, list])
def test_a_log_of_numbers_becomes_one_hot_rows(dtype):
    numbers = [0, 2, 1] if dtype is list else np.array([0, 2, 1], dtype)
    data = dp.Transitions(STATES, numbers, NEXT, discrete_actions=3)
    np.testing.assert_array_equal(data.actions, np.eye(3)[[0, 2, 1]])
    assert data == dp.Transitions(STATES, np.eye(3)[[0, 2, 1]], NEXT)
    assert not data.actions.flags.writeable
    assert pickle.loads(pickle.dumps(data)) == data


def test_a_log_may_number_from_elsewhere():
    space = spaces.Discrete(4, start=-1)
    data = dp.Transitions(STATES, [-1, 2, 0], NEXT, discrete_actions=space)
    np.testing.assert_array_equal(data.actions, np.eye(4)[[0, 3, 1]])


def test_rows_that_are_not_finite_leave_with_their_actions():
    states = [[0.0], [np.nan], [0.5]]
    data = dp.Transitions(states, [0, 2, 1], NEXT, discrete_actions=3, drop_nonfinite=True)
    np.testing.assert_array_equal(data.actions, np.eye(3)[[0, 1]])


@pytest.mark.parametrize(
    ("actions", "count", "error", "message"),
    [
        ([0, 3, 1], 3, dp.ArgumentError, "actions: row 1 is 3, must be .* from 0 to 2"),
        ([0, 1, -1], 3, dp.ArgumentError, "actions: row 2 is -1, must be .* from 0 to 2"),
        (np.array([2**63, 0, 0], np.uint64), 3, dp.ArgumentError, "actions: row 0 is 9223"),
        ([0, 2, 1], spaces.Discrete(2, start=1), dp.ArgumentError, "row 0 is 0, .* from 1 to 2"),
        ([0.0, 1.0, 2.0], 3, TypeError, r"actions: got dtype float64, must be integers.*astype"),
        ([0.5, 1.0, 2.0], 3, TypeError, "actions: got dtype float64, must be integers"),
        ([True, False, True], 2, TypeError, "actions: got dtype bool, must be integers"),
        ([0, 1, np.nan], 3, TypeError, "actions: got dtype float64, must be integers"),
        ([[0], [1], [2]], 3, dp.ShapeError, r"actions: got shape \(3, 1\), .*np\.ravel\(actions\)"),
        (np.eye(3), 3, dp.ShapeError, r"actions: got shape \(3, 3\), must be \(3,\)"),
        ([0, 1], 3, dp.ShapeError, r"actions: got shape \(2,\), must be \(3,\)"),
        (np.ma.array([0, 1, 2], mask=[0, 1, 0]), 3, TypeError, "actions: got a masked array"),
        ([0, 0, 0], 0, dp.ArgumentError, "discrete_actions: got 0, must be at least 1"),
        ([0, 0, 0], 2.0, dp.ArgumentError, "discrete_actions: got 2.0, must be an integer"),
        ([0, 0, 0], True, dp.ArgumentError, "discrete_actions: got True, must be an integer"),
        ([0, 0, 0], "3", dp.ArgumentError, "discrete_actions: got '3', must be an integer"),
        ([0, 0, 0], 2**40, dp.ArgumentError, "discrete_actions: got 1099511627776"),
        ([0, 0, 0], 5000, dp.ArgumentError, "discrete_actions: got 5000 .* at most 4096"),
        ([0, 1, 2], None, dp.ShapeError, "numbers of actions pass discrete_actions="),
    ],
)
def test_what_is_no_number_of_an_action_is_refused(actions, count, error, message):
    with pytest.raises(error, match=message):
        dp.Transitions(STATES, actions, NEXT, discrete_actions=count)


def test_a_huge_view_is_refused_before_it_becomes_rows():
    numbers = np.broadcast_to(np.int64(0), (10**12,))
    with pytest.raises(dp.ShapeError, match="actions: got shape"):
        dp.Transitions(STATES, numbers, NEXT, discrete_actions=4096)
    states = np.broadcast_to(0.0, (10**12, 1))
    with pytest.raises(dp.ShapeError, match="next_states: got shape"):
        dp.Transitions(states, numbers, NEXT, discrete_actions=4096)


# --- collecting


def test_collect_records_the_actions_that_the_environment_took():
    env = Line()
    data = dp.collect(env, 60, seed=3)
    assert data.action_dim == 3
    np.testing.assert_array_equal(data.actions, np.eye(3)[np.array(env.taken) - 5])
    moved = (data.next_states - data.states)[:, 0]
    np.testing.assert_allclose(moved, data.actions @ PUSHES, atol=1e-12)
    assert set(env.taken) == {5, 6, 7}
    assert all(type(number) is int for number in env.taken)
    assert data == dp.collect(Line(), 60, seed=3)


def test_random_actions_are_uniform_and_held():
    env = Line()
    dp.collect(env, 6000, seed=0, hold=(1, 1))
    counts = np.bincount(np.array(env.taken) - 5)
    # 2,000 each but for 3.5 standard deviations of a binomial.
    np.testing.assert_allclose(counts, 2000, atol=3.5 * np.sqrt(6000 * 2 / 9))
    env = Line()
    dp.collect(env, 600, seed=0, hold=(4, 4))
    assert (np.array(env.taken).reshape(-1, 4) == np.array(env.taken)[::4, None]).all()


@pytest.mark.parametrize("kind", [int, np.int64, np.array])
def test_a_policy_returns_numbers(kind):
    data = dp.collect(Line(), 4, policy=lambda _: kind(7), seed=0)
    np.testing.assert_array_equal(data.actions, np.eye(3)[[2] * 4])


@pytest.mark.parametrize(
    ("action", "error", "message"),
    [
        (4, dp.ArgumentError, "policy: got action 4, must be an integer from 5 to 7"),
        (8, dp.ArgumentError, "policy: got action 8, must be an integer from 5 to 7"),
        (6.0, dp.ArgumentError, r"policy: got 6\.0, must be an integer"),
        ([6], dp.ArgumentError, r"policy: got \[6\], must be an integer"),
        (np.eye(3)[1], dp.ArgumentError, "policy: got an array of shape .*must be an integer"),
        (True, dp.ArgumentError, "policy: got True, must be an integer"),
    ],
)
def test_another_action_is_refused(action, error, message):
    with pytest.raises(error, match=message):
        dp.collect(Line(), 1, policy=lambda _: action)


def test_a_space_of_too_many_actions_is_refused():
    with pytest.raises(dp.ArgumentError, match="its action_space: got 5000 actions"):
        dp.collect(Line(spaces.Discrete(5000)), 3)


# --- planning


def test_a_controller_needs_no_more_than_the_space(model):
    env = Line()
    mpc = dp.MPC(model, dp.rewards.quadratic([1.0]), action_space=env.action_space, seed=0)
    assert repr(mpc.planner) == repr(dp.CategoricalCEM())
    data = dp.collect(env, 25, policy=mpc.act, seed=1)
    # At most ten pushes from the rest; then no further from it than the model is wrong.
    assert abs(data.next_states[-1, 0]) < 0.15
    assert set(mpc.last_plan.actions.ravel()) <= {0.0, 1.0}


def test_a_box_has_the_usual_planner(model):
    box = ([0.0] * 3, [1.0] * 3)
    mpc = dp.MPC(model, dp.rewards.quadratic([1.0]), action_space=box, seed=0)
    assert repr(mpc.planner) == repr(dp.CEM())


def test_the_actions_of_a_box_must_be_named(model):
    box = ([0.0] * 3, [1.0] * 3)
    with pytest.raises(dp.ArgumentError, match="actions: got None, must be the actions to choose"):
        dp.MPC(model, dp.rewards.quadratic([1.0]), dp.CategoricalCEM(), action_space=box)


def test_some_of_the_actions_of_a_space_can_be_left_out(model):
    planner = dp.CategoricalCEM(actions=np.eye(3)[[0, 1]])
    space = spaces.Discrete(3)
    mpc = dp.MPC(model, dp.rewards.linear([1.0]), planner, action_space=space, seed=0)
    assert {mpc.act([0.0]) for _ in range(5)} == {1}  # 2 is better, and not to be had


@pytest.mark.parametrize("rows", [[[0.5, 0.5, 0.0]], [[1.0, 1.0, 0.0]], [[0.0, 0.0, 0.0]]])
def test_mixtures_are_no_actions_of_a_space(model, rows):
    planner = dp.CategoricalCEM(actions=[[1.0, 0.0, 0.0], *rows])
    with pytest.raises(dp.ArgumentError, match=r"actions: row 1 is .*, must be one-hot"):
        dp.MPC(model, dp.rewards.linear([1.0]), planner, action_space=spaces.Discrete(3))


def test_a_space_of_another_size_is_refused(model):
    with pytest.raises(dp.ShapeError, match="action_space: got 2 actions, must be 3"):
        dp.MPC(model, dp.rewards.linear([1.0]), action_space=spaces.Discrete(2))


def test_what_was_sent_before_is_given_by_numbers(model):
    space = spaces.Discrete(3, start=5)
    reward = dp.rewards.action_change_cost(np.ones(3))  # best is what was sent last
    planner = dp.CategoricalCEM(horizon=3)
    mpc = dp.MPC(model, reward, planner, action_space=space, previous_actions=[5, 7], seed=0)
    assert mpc.act([0.0]) == 7
    assert mpc.act([0.0], previous_action=6) == 6
    mpc.reset(previous_actions=[5])
    assert mpc.act([0.0]) == 5
    mpc.reset(previous_actions=[[5], [6], [7]])
    np.testing.assert_array_equal(mpc.act(np.zeros((3, 1))), [5, 6, 7])
    np.testing.assert_array_equal(mpc.act(np.zeros((3, 1)), previous_action=[7, 5, 6]), [7, 5, 6])
    with pytest.raises(dp.ArgumentError, match=r"previous_action: row 1 is 4, must be .* 5 to 7"):
        mpc.act(np.zeros((3, 1)), previous_action=[7, 4, 6])
    with pytest.raises(dp.ArgumentError, match="previous_actions: row 0 is 0, must be"):
        mpc.reset(previous_actions=[0])
    with pytest.raises(TypeError, match="previous_actions: got dtype float64, must be integers"):
        dp.MPC(model, reward, action_space=space, previous_actions=np.eye(3))


def test_actions_under_way_are_numbers_too(model):
    # From 0 the two pushes under way lead to 0.4, from where the way back begins.
    reward, space = dp.rewards.quadratic([1.0]), spaces.Discrete(3)
    late = {"action_space": space, "delay_steps": 2, "seed": 0}
    assert dp.MPC(model, reward, previous_actions=[2, 2], **late).act([0.0]) == 0
    assert dp.MPC(model, reward, previous_actions=[0, 0], **late).act([0.0]) == 2
    with pytest.raises(dp.ArgumentError, match="previous_actions: got None, must be the 2 dis"):
        dp.MPC(model, reward, **late)


def test_a_policy_proposes_numbers(model):
    space, asked = spaces.Discrete(3, start=5), []

    def policy(states):
        asked.append(states.shape)
        return np.full(len(states), 7)

    few = dp.CategoricalCEM(candidates=1, elites=1, iterations=1, horizon=6)
    mpc = dp.MPC(model, dp.rewards.linear([1.0]), few, action_space=space, policy=policy, seed=0)
    assert mpc.act([0.0]) == 7
    assert asked == [(1, 1)] * 6
    np.testing.assert_array_equal(mpc.last_plan.actions, np.eye(3)[[2] * 6])
    mpc.change(policy=lambda states: np.zeros(len(states), np.int64))
    with pytest.raises(dp.ArgumentError, match=r"policy: row 0 is 0, must be .* 5 to 7"):
        mpc.act([0.0])


def test_a_rule_for_failures_returns_a_number(model):
    nothing = lambda s, a, n: np.full(len(s), np.nan)  # noqa: E731
    space = spaces.Discrete(3, start=5)
    mpc = dp.MPC(model, nothing, action_space=space, on_failure=lambda plan: 7, seed=0)
    with pytest.warns(dp.FailedPlanWarning):
        assert mpc.act([0.0]) == 7
    mpc = dp.MPC(model, nothing, action_space=space, on_failure=lambda plan: 1, seed=0)
    with (
        pytest.warns(dp.FailedPlanWarning),
        pytest.raises(dp.ArgumentError, match=r"on_failure: got 1, must be .* from 5 to 7"),
    ):
        mpc.act([0.0])


def test_the_action_sent_last_is_held_where_there_is_one(model):
    nothing = lambda s, a, n: np.full(len(s), np.nan)  # noqa: E731
    space = spaces.Discrete(3, start=5)
    mpc = dp.MPC(model, nothing, action_space=space, on_failure="hold", seed=0)
    with pytest.warns(dp.FailedPlanWarning):
        first = mpc.act([0.0])
    assert mpc.last_plan.actions.sum(axis=1).tolist() == [1.0] * 20  # actions, where none was sent
    assert mpc.act([0.0]) == first
    mpc.reset(previous_actions=[7])
    with pytest.warns(dp.FailedPlanWarning):
        assert mpc.act([0.0]) == 7


def test_a_copy_continues_alike(model):
    mpc = dp.MPC(model, dp.rewards.quadratic([1.0]), action_space=spaces.Discrete(3), seed=0)
    mpc.act([1.0])
    for twin in (copy.deepcopy(mpc), pickle.loads(pickle.dumps(mpc))):
        assert [copy.deepcopy(mpc).act([0.3])] == [twin.act([0.3])]
        assert repr(twin.planner) == repr(mpc.planner)


def test_a_running_controller_can_be_given_another_numbering(model):
    mpc = dp.MPC(model, dp.rewards.linear([1.0]), action_space=spaces.Discrete(3), seed=0)
    assert mpc.act([0.0]) == 2
    mpc.change(action_space=spaces.Discrete(3, start=-1))
    assert mpc.act([0.0]) == 1


def test_the_size_of_a_search_among_discrete_actions_is_tuned(model):
    found = dp.tune(
        0.05,
        model,
        dp.rewards.quadratic([1.0]),
        action_space=spaces.Discrete(3),
        states=[[1.0]],
        horizons=(8,),
        iterations=(2,),
        time_limit=0.2,
    )
    assert isinstance(found.planner, dp.CategoricalCEM)
    # It walks from 1 to 0 in five steps and stays there: 0.64 + 0.36 + 0.16 + 0.04, but for errors.
    assert found.trials[0].value == pytest.approx(-1.2, abs=0.3)


# --- learning while controlling


def learn(data, previous):
    return dp.LinearGaussian.fit(data)


def test_pets_learns_with_discrete_actions():
    env = Line()
    settings = {"learn": learn, "reward": dp.rewards.quadratic([1.0]), "seed": 0}
    pets = dp.PETS(env, **settings, random_steps=20, random_hold=(1, 2), episode_steps=15)
    *_, last = pets.run(80)
    assert last.data.action_dim == 3
    np.testing.assert_array_equal(last.data.actions, np.eye(3)[np.array(env.taken) - 5])
    assert isinstance(pets.settings.planner, dp.CategoricalCEM)
    # Within a push of the middle, where it came.
    assert abs(last.data.next_states[-1, 0]) < 0.2
    assert pets.controller(last.model).act([1.0]) == 5
    again = dp.PETS(Line(), **settings, episode_steps=15)
    assert [it.steps for it in again.run(15, data=last.data)] == [80, 95]
    with pytest.raises(dp.ShapeError, match=r"data: got \(1, 1\) .*must be \(1, 3\)"):
        dp.PETS(Line(), **settings).run(5, data=dp.Transitions(STATES, STATES, NEXT))


def test_pets_plans_for_what_comes_after_its_horizon():
    nothing = dp.rewards.linear([0.0])
    far = dp.PETS(
        Line(),
        learn=learn,
        reward=nothing,
        planner=dp.CategoricalCEM(horizon=5, clip=None),
        terminal_value=lambda states: states[:, 0],
        random_steps=20,
        random_hold=(1, 2),
        seed=0,
    )
    *_, last = far.run(30)
    np.testing.assert_array_equal(last.data.actions[-10:], np.eye(3)[[2] * 10])


def test_the_settings_for_a_cpu_search_among_discrete_actions():
    planner = dp.pets_cpu(Line(), reward=dp.rewards.quadratic([1.0])).settings.planner
    assert isinstance(planner, dp.CategoricalCEM)
    assert (planner.propagation, planner.particles, planner.candidates) == ("tsinf", 5, 100)
