"""`rewards.for_env` and `terminations.for_env`: what the environments themselves pay and end."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest

import dynaplan as dp

WITH_X = {"exclude_current_positions_from_observation": False}
# Settings, largest error of the reward (float32 observations; `site` lags one substep), and
# whether random actions end episodes.
GYMNASIUM = {
    "Pendulum-v1": ({}, 4e-6, False),
    "MountainCarContinuous-v0": ({}, 1e-6, False),
    "CartPole-v1": ({}, 0.0, True),
    "Acrobot-v1": ({}, 0.0, False),
    "InvertedPendulum-v5": ({}, 0.0, True),
    "InvertedDoublePendulum-v5": ({}, 0.03, True),
    "Reacher-v5": ({}, 1e-7, False),
    "Pusher-v5": ({}, 1e-6, False),
    "HalfCheetah-v5": (WITH_X, 1e-6, False),
    "Hopper-v5": (WITH_X, 1e-6, True),
    "Walker2d-v5": (WITH_X, 1e-6, True),
    "Swimmer-v5": (WITH_X, 1e-6, False),
}
WALKING = ("HalfCheetah-v5", "Hopper-v5", "Walker2d-v5", "Swimmer-v5")
CONTROL = {
    "cartpole-balance": 1e-12,
    "cartpole-swingup": 1e-12,
    "cartpole-balance_sparse": 0.0,
    "cartpole-swingup_sparse": 0.0,
    "pendulum-swingup": 0.0,
    "reacher-easy": 0.0,
    "reacher-hard": 0.0,
}


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    """MuJoCo writes its warnings to a file in the folder it is run in."""
    monkeypatch.chdir(tmp_path)


def make(name, **settings):
    if not name.startswith(("Pendulum", "MountainCar", "CartPole", "Acrobot")):
        pytest.importorskip("mujoco")
    return gymnasium.make(name, **settings)


def ends_of(termination, data):
    if termination is None:
        return np.zeros(len(data), bool)
    return termination(data.states, data.actions, data.next_states)


@pytest.mark.parametrize("name", GYMNASIUM)
def test_it_pays_and_ends_as_the_environment_does(name):
    settings, tolerance, ends = GYMNASIUM[name]
    with make(name, **settings) as env:
        data = dp.collect(env, 600, seed=1, episode_steps=60)
        paid = dp.rewards.for_env(env)(data.states, data.actions, data.next_states)
        ended = ends_of(dp.terminations.for_env(env), data)
    np.testing.assert_allclose(paid, data.rewards, rtol=0, atol=tolerance)
    np.testing.assert_array_equal(ended, data.terminations)
    assert data.terminations.any() == ends


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("HalfCheetah-v5", {"frame_skip": 2, "ctrl_cost_weight": 0.5}),
        ("Hopper-v5", {"healthy_reward": 3.0, "healthy_z_range": (1.2, 1.3)}),
        ("Hopper-v5", {"healthy_state_range": (-1.0, 0.1)}),
        ("Hopper-v5", {"terminate_when_unhealthy": False}),
        ("Walker2d-v5", {"healthy_angle_range": (-0.1, 0.2), "forward_reward_weight": 2.0}),
        ("Swimmer-v5", {"ctrl_cost_weight": 0.3}),
    ],
)
def test_what_the_environment_was_made_with_counts(name, settings):
    with make(name, **WITH_X, **settings) as env:
        data = dp.collect(env, 300, seed=2)
        paid = dp.rewards.for_env(env)(data.states, data.actions, data.next_states)
        ended = ends_of(dp.terminations.for_env(env), data)
    np.testing.assert_allclose(paid, data.rewards, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(ended, data.terminations)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("Reacher-v5", {"reward_dist_weight": 3.0, "reward_control_weight": 0.1}),
        ("Pusher-v5", {"reward_near_weight": 2.0, "reward_dist_weight": 0.5}),
        ("InvertedDoublePendulum-v5", {"healthy_reward": 1.0}),
    ],
)
def test_weights_of_arms_count(name, settings):
    with make(name, **settings) as env:
        data = dp.collect(env, 100, seed=3)
        paid = dp.rewards.for_env(env)(data.states, data.actions, data.next_states)
    np.testing.assert_allclose(paid, data.rewards, rtol=0, atol=0.03 if "Double" in name else 1e-6)


@pytest.mark.parametrize("name", WALKING)
def test_a_reward_of_distance_asks_for_the_position(name):
    with make(name) as env:
        with pytest.raises(
            dp.ArgumentError,
            match=f"{name} rewards the distance .* "
            "exclude_current_positions_from_observation=False",
        ):
            dp.rewards.for_env(env)
        # Without the position the ends are known all the same.
        data = dp.collect(env, 200, seed=4)
        ended = ends_of(dp.terminations.for_env(env), data)
    np.testing.assert_array_equal(ended, data.terminations)
    with pytest.raises(dp.ArgumentError, match="rewards the distance"):
        dp.rewards.for_env(name)


def test_the_goal_of_the_mountain_car_pays_and_ends():
    # Bang-bang control along the velocity reaches the flag in some hundred steps.
    env = gymnasium.make("MountainCarContinuous-v0")
    push = lambda observation: [1.0 if observation[1] >= 0.0 else -1.0]  # noqa: E731
    data = dp.collect(env, 300, policy=push, seed=0, episode_steps=None)
    assert data.terminations.any()
    step = data.states, data.actions, data.next_states
    np.testing.assert_allclose(dp.rewards.for_env(env)(*step), data.rewards, atol=1e-6)
    np.testing.assert_array_equal(dp.terminations.for_env(env)(*step), data.terminations)


def test_the_goal_of_the_acrobot_pays_and_ends():
    # A torque along the second joint's velocity swings the tip up in about a hundred steps.
    env = gymnasium.make("Acrobot-v1")
    push = lambda observation: 2 if observation[5] > 0.0 else 0  # noqa: E731
    data = dp.collect(env, 400, policy=push, seed=0, episode_steps=None)
    assert np.count_nonzero(data.terminations) >= 3
    step = data.states, data.actions, data.next_states
    np.testing.assert_array_equal(dp.rewards.for_env(env)(*step), data.rewards)
    np.testing.assert_array_equal(dp.terminations.for_env(env)(*step), data.terminations)


def test_the_goal_of_the_acrobot_is_beyond_a_height_of_one():
    # cos1, sin1, cos2, sin2: hangs, stands, and the first link up, the second a little around level
    levels = [[1, 0, 1, 0], [-1, 0, 1, 0], [-1, 0, 0.01, 1], [-1, 0, -0.01, 1], [0, 1, 0, -1]]
    states = np.array([[*angles, 0.0, 0.0] for angles in levels])
    step = states, np.eye(3)[[0] * 5], states
    up = [False, True, True, False, False]
    np.testing.assert_array_equal(dp.terminations.for_env("Acrobot-v1")(*step), up)
    np.testing.assert_array_equal(dp.rewards.for_env("Acrobot-v1")(*step), np.array(up) - 1.0)


def test_a_cart_pole_may_pay_for_falling_alone():
    with gymnasium.make("CartPole-v1", sutton_barto_reward=True) as env:
        data = dp.collect(env, 200, seed=0)
        paid = dp.rewards.for_env(env)(data.states, data.actions, data.next_states)
    np.testing.assert_array_equal(paid, data.rewards)
    np.testing.assert_array_equal(paid, -1.0 * data.terminations)
    assert data.terminations.any()


@pytest.mark.parametrize(
    ("next_state", "ended"),
    [
        ([2.399, 9.0, 0.0, 9.0], False),
        ([2.401, 0.0, 0.0, 0.0], True),
        ([-2.401, 0.0, 0.0, 0.0], True),
        ([0.0, 9.0, 0.2094, 9.0], False),  # 12 degrees are 0.20944
        ([0.0, 0.0, 0.2095, 0.0], True),
        ([0.0, 0.0, -0.2095, 0.0], True),
    ],
)
def test_a_cart_pole_ends_beyond_its_limits(next_state, ended):
    step = [[0.0] * 4], [[1.0, 0.0]], [next_state]
    assert dp.terminations.for_env("CartPole-v1")(*step) == [ended]


def control_steps(name, steps=400):
    """Random steps of a dm_control task: states, actions, next states, rewards."""
    suite = pytest.importorskip("dm_control.suite")
    domain, task = name.split("-", 1)
    env = suite.load(domain, task, task_kwargs={"random": 0})
    spec, rng = env.action_spec(), np.random.default_rng(0)
    flat = lambda step: np.concatenate([np.ravel(v) for v in step.observation.values()])  # noqa: E731
    rows = []
    for index in range(steps):
        if index % 40 == 0:
            step = env.reset()
        before, action = flat(step), rng.uniform(spec.minimum, spec.maximum)
        step = env.step(action)
        rows.append((before, action, flat(step), step.reward))
    return [np.array(column) for column in zip(*rows, strict=True)]


@pytest.mark.parametrize("name", CONTROL)
@pytest.mark.filterwarnings("ignore")  # dm_control's own
def test_it_pays_as_dm_control_does(name):
    *steps, paid = control_steps(name)
    got = dp.rewards.for_env(f"dm_control/{name}-v0")(*steps)
    np.testing.assert_allclose(got, paid, rtol=0, atol=CONTROL[name])
    assert dp.terminations.for_env(f"dm_control/{name}") is None


@pytest.mark.parametrize(
    ("terms", "states", "expected"),
    [
        # upright, at rest in the middle: everything pays
        ("dm_control/cartpole-swingup_sparse", [0.0, 0.999, 0.0, 0.0, 0.0], 1.0),
        ("dm_control/cartpole-swingup_sparse", [0.3, 0.999, 0.0, 0.0, 0.0], 0.0),
        ("dm_control/pendulum-swingup", [0.9903, 0.0, 3.0], 1.0),  # cos 8 deg = 0.99027
        ("dm_control/pendulum-swingup", [0.9902, 0.0, 3.0], 0.0),
        ("dm_control/reacher-easy", [0.0, 0.0, 0.03, -0.05, 9.0, 9.0], 1.0),  # .0583 <= .06
        ("dm_control/reacher-easy", [0.0, 0.0, 0.04, -0.05, 9.0, 9.0], 0.0),
        ("dm_control/reacher-hard", [0.0, 0.0, 0.02, -0.014, 9.0, 9.0], 1.0),  # .0244 <= .025
        ("dm_control/reacher-hard", [0.0, 0.0, 0.03, 0.0, 9.0, 9.0], 0.0),
    ],
)
def test_bonuses_that_random_steps_may_miss(terms, states, expected):
    reward = dp.rewards.for_env(terms)
    assert reward([np.zeros_like(states)], [[0.0]], [states]) == expected


@pytest.mark.parametrize("name", ["gaussian", "quadratic"])
def test_a_tolerance_is_that_of_dm_control(name):
    theirs = pytest.importorskip("dm_control.utils.rewards")
    x = np.linspace(-4.0, 4.0, 200)
    ours = dp.rewards.tolerance(
        0, low=-0.5, high=1.0, margin=1.7, value_at_margin=0.2, falloff=name
    )
    expected = theirs.tolerance(
        x, bounds=(-0.5, 1.0), margin=1.7, sigmoid=name, value_at_margin=0.2
    )
    rows = x[:, np.newaxis]
    np.testing.assert_allclose(ours(rows, rows, rows), expected, rtol=1e-12)


def test_what_is_not_known_says_so():
    with pytest.raises(dp.ArgumentError, match=r"the reward of Ant-v5 is not known .*Reacher-v5"):
        dp.rewards.for_env("Ant-v5")
    with pytest.raises(dp.ArgumentError, match=r"dm_control/cheetah-run is not known"):
        dp.rewards.for_env("dm_control/cheetah-run-v0")
    with pytest.raises(dp.ArgumentError, match="when Ant-v5 ends is not known"):
        dp.terminations.for_env("Ant-v5")
    with pytest.raises(TypeError, match="env: got dict, must be a Gymnasium environment or its id"):
        dp.rewards.for_env({})


def test_a_wrapper_that_changes_the_problem_is_refused():
    env = gymnasium.make("Pendulum-v1")
    scaled = gymnasium.wrappers.RescaleAction(env, np.float32(-1.0), np.float32(1.0))
    with pytest.raises(dp.ArgumentError, match="its wrapper RescaleAction changes"):
        dp.rewards.for_env(scaled)
    with pytest.raises(dp.ArgumentError, match="its wrapper RescaleAction changes"):
        dp.terminations.for_env(scaled)
    flat = gymnasium.wrappers.FlattenObservation(gymnasium.wrappers.TimeAwareObservation(env))
    with pytest.raises(dp.ArgumentError, match="its wrapper TimeAwareObservation changes"):
        dp.rewards.for_env(flat)
    dp.rewards.for_env(gymnasium.wrappers.FlattenObservation(env))


def test_another_robot_is_refused():
    with (
        make("Hopper-v5", xml_file="hopper.xml", **WITH_X) as env,
        pytest.raises(dp.ArgumentError, match=r"made with xml_file='hopper\.xml'"),
    ):
        dp.rewards.for_env(env)
