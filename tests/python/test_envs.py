"""`collect`: what it records, what it seeds, and what it refuses."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete, MultiDiscrete

from dynaplan.data.collection import collect
from dynaplan.errors import ShapeError

PLANE = Box(-10.0, 10.0, (2,))
PUSH = Box(-1.0, 1.0, (1,))


class Counter(gymnasium.Env):
    """The observation counts episodes and steps; the reward is the first action."""

    def __init__(self, ends_after=3, truncates=False, observation_space=PLANE, action_space=PUSH):
        self.observation_space = observation_space
        self.action_space = action_space
        self.ends_after = ends_after
        self.truncates = truncates
        self.episodes = -1
        self.steps = 0
        self.seeds = []
        self.actions = []
        self.closed = False

    def observe(self):
        return np.array([self.episodes, self.steps], self.observation_space.dtype)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.seeds.append(seed)
        self.episodes += 1
        self.steps = 0
        return self.observe(), {}

    def step(self, action):
        self.actions.append(action)
        self.steps += 1
        over = self.steps == self.ends_after
        return self.observe(), action[0], over and not self.truncates, over and self.truncates, {}

    def close(self):
        self.closed = True


def test_every_step_is_recorded_with_the_true_last_observation():
    env = Counter(ends_after=3)
    data = collect(env, 7, seed=4)
    assert data.states.tolist() == [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2], [2, 0]]
    assert data.next_states.tolist() == [[0, 1], [0, 2], [0, 3], [1, 1], [1, 2], [1, 3], [2, 1]]
    assert data.terminations.tolist() == [False, False, True, False, False, True, False]
    assert data.episodes.tolist() == [0, 0, 0, 1, 1, 1, 2]
    np.testing.assert_array_equal(data.actions, env.actions)
    np.testing.assert_array_equal(data.rewards, data.actions[:, 0])
    assert env.seeds == [4, None, None]
    assert not env.closed


def test_a_time_limit_ends_the_episode_but_is_no_termination():
    data = collect(Counter(ends_after=2, truncates=True), 5)
    assert not data.terminations.any()
    assert data.episodes.tolist() == [0, 0, 1, 1, 2]


def test_no_reset_follows_the_last_step():
    env = Counter(ends_after=3)
    collect(env, 3)
    assert env.seeds == [None]


def test_random_actions_fill_the_bounds_and_are_held():
    low, high = np.array([-2.0, 0.0], np.float32), np.array([1.0, 5.0], np.float32)
    data = collect(Counter(10**6, action_space=Box(low, high)), 4000, seed=0, hold=(2, 4))
    assert (data.actions >= low).all()
    assert (data.actions <= high).all()
    # 1,300 uniform draws: the extremes miss the bounds by 1 % of the range with odds of 1e-6.
    np.testing.assert_allclose(data.actions.min(axis=0), low, atol=0.05)
    np.testing.assert_allclose(data.actions.max(axis=0), high, atol=0.05)
    changes = np.flatnonzero((np.diff(data.actions, axis=0) != 0).any(axis=1))
    assert set(np.diff(changes)) == {2, 3, 4}


def test_integer_boxes_get_integers():
    space = Box(np.array([-1]), np.array([2]), dtype=np.int64)
    env = Counter(action_space=space)
    assert set(collect(env, 200, seed=0).actions.ravel()) == {-1.0, 0.0, 1.0, 2.0}
    assert all(space.contains(action) for action in env.actions)


def test_the_seed_fixes_environment_and_actions():
    env = gymnasium.make("Pendulum-v1")
    first, again, other = (collect(env, 50, seed=seed) for seed in (7, 7, 8))
    assert first == again
    assert first.states[0].tolist() == env.reset(seed=7)[0].tolist()
    assert not np.array_equal(first.actions, other.actions)
    assert collect(env, 50) != collect(env, 50)
    state = env.action_space.np_random.bit_generator.state
    collect(env, 50)
    assert env.action_space.np_random.bit_generator.state == state


def test_actions_are_not_the_numbers_the_environment_draws():
    # Both start from the same seed: without care the first action repeats the first angle.
    env = gymnasium.make("Pendulum-v1")
    data = [collect(env, 1, seed=seed) for seed in range(200)]
    angles = [np.arctan2(d.states[0, 1], d.states[0, 0]) for d in data]
    torques = [d.actions[0, 0] for d in data]
    assert abs(np.corrcoef(angles, torques)[0, 1]) < 0.3  # 4 standard errors of 200 samples


def test_a_policy_sees_the_observation_and_its_action_is_recorded_as_sent():
    env = Counter(ends_after=3)
    data = collect(env, 6, policy=lambda observation: [observation[1] - 0.5])
    # 1.5 is beyond the bound of 1.
    assert data.actions.ravel().tolist() == [-0.5, 0.5, 1.0, -0.5, 0.5, 1.0]
    assert data.rewards.tolist() == data.actions.ravel().tolist()
    assert all(PUSH.contains(action) for action in env.actions)


def test_unbounded_actions_need_a_policy():
    env = Counter(action_space=Box(-1.0, np.inf, (1,)))
    with pytest.raises(ValueError, match=r"policy: the actions have no bounds .* pass a policy"):
        collect(env, 5)
    assert len(collect(env, 5, policy=lambda _: [100.0])) == 5


@pytest.mark.parametrize("action", [0.5, [0.1, 0.2], [[0.1]]])
def test_an_action_of_another_shape_is_refused(action):
    with pytest.raises(ShapeError, match=r"policy: got an action of .*, must be of shape \(1,\)"):
        collect(Counter(), 5, policy=lambda _: action)


def test_an_action_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match=r"policy: got action \[nan\], must be finite"):
        collect(Counter(), 5, policy=lambda _: [np.nan])


@pytest.mark.parametrize(
    ("env", "error", "message"),
    [
        (
            "Pendulum-v1",
            TypeError,
            r"env: got 'Pendulum-v1', must be an .*: gymnasium\.make",
        ),
        (3, TypeError, "env: got 3, must be a Gymnasium environment"),
        (
            Counter(action_space=MultiDiscrete([2])),
            TypeError,
            r"its action_space is .* be a Box or a Discrete; ",
        ),
        (
            Counter(observation_space=Discrete(2)),
            TypeError,
            "its observation_space is .* be a Box",
        ),
        (
            Counter(observation_space=Box(0, 1, (3, 2))),
            ShapeError,
            r"shape \(3, 2\), must",
        ),
        (Counter(action_space=Box(0, 1, ())), ShapeError, r"its action_space has shape \(\)"),
    ],
    ids=["id", "number", "multidiscrete", "discrete states", "image", "scalar"],
)
def test_what_is_no_suitable_environment_is_refused(env, error, message):
    with pytest.raises(error, match=message):
        collect(env, 5)


def test_vector_environments_are_refused():
    env = gymnasium.make_vec("Pendulum-v1", num_envs=2, vectorization_mode="sync")
    with pytest.raises(ShapeError, match=r"holds 2 environments at once, must be one"):
        collect(env, 5)
    env.close()


@pytest.mark.parametrize("steps", [0, -3])
def test_steps_must_be_positive(steps):
    with pytest.raises(ValueError, match=f"steps: got {steps}, must be at least 1"):
        collect(Counter(), steps)


@pytest.mark.parametrize("hold", [(0, 3), (4, 3)])
def test_hold_must_be_a_range(hold):
    with pytest.raises(ValueError, match=r"hold: got .*, must be \(shortest, longest\)"):
        collect(Counter(), 5, hold=hold)


def test_an_observation_that_is_not_finite_is_named():
    class Broken(Counter):
        def observe(self):
            return np.array([0.0, np.nan if self.steps == 2 else 0.0])

    with pytest.raises(ValueError, match=r"next_states: row 1, column 1 is nan"):
        collect(Broken(), 6)
