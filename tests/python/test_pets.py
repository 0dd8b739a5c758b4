"""`PETS`: how learning and control alternate, and that a pendulum is swung up."""

from __future__ import annotations

from types import SimpleNamespace

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box

import dynaplan as dp

REWARD = dp.rewards.quadratic([1.0, 0.1], of="state")
SMALL = dp.CEM(horizon=4, candidates=20, elites=4, iterations=2)


class Slider(gymnasium.Env):
    """A mass on a rail, pushed; an episode ends after `length` steps."""

    observation_space = Box(-np.inf, np.inf, (2,), np.float64)
    action_space = Box(-1.0, 1.0, (1,), np.float64)

    def __init__(self, length=10):
        self.length = length
        self.resets = []
        self.steps = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.resets.append(seed)
        self.left = self.length
        self.state = self.np_random.uniform(-1.0, 1.0, 2)
        return self.state, {}

    def step(self, action):
        self.steps += 1
        self.left -= 1
        position, speed = self.state
        reward = -(position**2) - 0.1 * speed**2
        self.state = np.array([position + 0.1 * speed, 0.9 * speed + action[0]])
        return self.state, reward, False, self.left == 0, {}


class Fits:
    """A learner that remembers what it was asked."""

    def __init__(self):
        self.rows, self.previous, self.models = [], [], []

    def __call__(self, data, previous):
        self.rows.append(len(data))
        self.previous.append(previous)
        self.models.append(dp.LinearGaussian.fit(data))
        return self.models[-1]


def loop(env, learn, **settings):
    return dp.PETS(env, learn=learn, **{"reward": REWARD, "planner": SMALL, "seed": 0} | settings)


def test_it_learns_at_the_end_of_each_episode_and_makes_exactly_the_steps():
    env, learn = Slider(length=10), Fits()
    iterations = list(loop(env, learn, random_steps=20, random_episode_steps=5).run(45))
    assert [it.steps for it in iterations] == [20, 30, 40, 45]
    assert [it.episode for it in iterations] == [0, 1, 2, 3]
    assert [it.episode_steps for it in iterations] == [20, 10, 10, 5]
    assert env.steps == 45
    assert learn.rows == [20, 30, 40, 45]
    assert learn.previous == [None, *learn.models[:-1]]
    assert [it.model for it in iterations] == learn.models
    for it in iterations:
        assert len(it.data) == it.steps
        assert 0.0 <= it.learning_seconds <= it.seconds
    assert len(iterations[0].data.episode_slices) == 4
    assert len(iterations[-1].data.episode_slices) == 7
    assert np.isnan(iterations[0].episode_return)
    for it in iterations[1:]:
        rewards = it.data.rewards[it.steps - it.episode_steps :]
        assert it.episode_return == pytest.approx(rewards.sum())


def test_only_the_first_reset_is_seeded():
    env = Slider()
    list(loop(env, Fits(), random_steps=20, random_episode_steps=None, seed=7).run(45))
    assert env.resets == [7, None, None, None, None]


def test_it_learns_every_so_many_steps_where_asked():
    learn = Fits()
    iterations = list(loop(Slider(10), learn, random_steps=12, refit_every=4).run(35))
    # Every four steps, across the end of the first episode, and at last from everything.
    assert learn.rows == [12, 16, 20, 24, 28, 32, 35]
    assert [it.steps for it in iterations] == [12, 22, 32, 35]
    places = [learn.models.index(it.model) for it in iterations]
    assert [learn.rows[place] for place in places] == [12, 20, 32, 35]


def test_controlled_episodes_are_cut_where_asked():
    env = Slider(length=10)
    iterations = list(loop(env, Fits(), random_steps=20, episode_steps=6).run(40))
    assert [it.episode_steps for it in iterations] == [20, 6, 6, 6, 2]
    assert len(env.resets) == 2 + 4  # the random beginning sees two episodes of its own
    assert len(iterations[-1].data.episode_slices) == 2 + 4
    *_, last = loop(Slider(length=5), Fits(), random_steps=20, episode_steps=6).run(30)
    assert last.episode_steps == 5  # the environment's own end comes first


def test_episodes_and_pauses_may_grow_with_the_steps():
    learn, asked = Fits(), []

    def pause(steps):
        asked.append(steps)
        return steps // 4

    longest = dp.LinearSchedule(4, 0.25)
    iterations = list(
        loop(Slider(100), learn, random_steps=20, episode_steps=longest, refit_every=pause).run(50)
    )
    assert [it.steps for it in iterations] == [20, 25, 31, 38, 47, 50]
    assert learn.rows == [20, 25, 31, 38, 47, 50]
    assert set(asked) == {20, 25, 31, 38, 47}
    with pytest.raises(dp.ArgumentError, match=r"refit_every\(20\): got 0, must be at least 1"):
        list(loop(Slider(), Fits(), random_steps=20, refit_every=lambda steps: 0).run(50))
    with pytest.raises(dp.ArgumentError, match=r"episode_steps\(20\): got 0"):
        list(loop(Slider(), Fits(), random_steps=20, episode_steps=lambda steps: 0).run(50))
    with pytest.raises(dp.ArgumentError, match="minimum: got 0"):
        dp.LinearSchedule(0, 0.5)
    with pytest.raises(dp.ArgumentError, match="fraction: got -1"):
        dp.LinearSchedule(1, -1.0)
    with pytest.raises(dp.ArgumentError, match="fraction: got 'a', must be a number"):
        dp.LinearSchedule(1, "a")


def test_the_evaluation_is_of_the_model_that_had_not_seen_the_episode():
    learn = Fits()
    first, second = loop(Slider(), learn, random_steps=20).run(30)
    assert first.evaluation is None
    unseen = second.data[20:]
    expected = dp.evaluate(learn.models[0], unseen, SMALL.horizon, reference=second.data)
    np.testing.assert_array_equal(second.evaluation.error_median, expected.error_median)
    assert len(second.evaluation.steps) == SMALL.horizon
    *_, last = loop(Slider(), learn, random_steps=20, evaluation_horizon=0).run(30)
    assert last.evaluation is None


def test_nothing_happens_before_it_is_asked_for():
    env, learn = Slider(), Fits()
    iterations = loop(env, learn, random_steps=20).run(40)
    assert env.steps == 0
    next(iterations)
    assert (env.steps, learn.rows) == (20, [20])
    next(iterations)
    assert (env.steps, learn.rows) == (30, [20, 30])


def test_steps_may_end_within_the_random_beginning():
    (only,) = loop(Slider(), Fits(), random_steps=20).run(8)
    assert (only.steps, only.episode) == (8, 0)


def test_earlier_data_take_the_place_of_the_random_beginning():
    *_, last = loop(Slider(), Fits(), random_steps=20).run(30)
    env, learn = Slider(), Fits()
    iterations = list(loop(env, learn).run(10, data=last.data))
    assert [it.steps for it in iterations] == [30, 40]
    assert env.steps == 10  # the earlier ones are not made again
    assert learn.rows == [30, 40]


def test_a_second_run_makes_as_many_more_steps():
    env, learn = Slider(), Fits()
    pets = loop(env, learn, random_steps=20)
    list(pets.run(25))
    again = list(pets.run(15))
    assert [(it.steps, it.episode) for it in again] == [(35, 2), (40, 3)]
    assert env.steps == pets.steps == 40
    assert pets.learn(7) is pets
    assert (pets.steps, learn.rows[-1]) == (47, 47)
    assert learn.previous[-1] is learn.models[-2]
    assert len(set(env.resets)) == 2  # a seed for the first reset, None for all others


def test_earlier_data_are_refused_once_there_are_own_ones():
    pets = loop(Slider(), Fits(), random_steps=20)
    *_, last = pets.run(25)
    with pytest.raises(dp.ArgumentError, match="data: the loop has 25 steps of its own already"):
        pets.run(5, data=last.data)


def test_an_iteration_tells_how_its_episode_ended():
    iterations = list(loop(Slider(10), Fits(), random_steps=20).run(35))
    assert [(it.finished, it.terminated) for it in iterations] == [
        (False, False),
        (True, False),  # a time limit
        (False, False),  # the steps ended
    ]


def test_the_same_seed_gives_the_same_data():
    def data_of(seed):
        return [it.data for it in loop(Slider(), Fits(), random_steps=20, seed=seed).run(40)]

    assert data_of(3) == data_of(3)
    assert data_of(3)[-1] != data_of(4)[-1]


def test_an_interrupted_learner_ends_the_run_with_its_model():
    class Interrupted:
        def __init__(self, model):
            self.model = model
            self.history = SimpleNamespace(interrupted=True)

        def __getattr__(self, name):
            return getattr(self.model, name)

    learn = Fits()

    def learn_twice(data, previous):
        model = learn(data, previous)
        return model if len(learn.rows) < 3 else Interrupted(model)

    *_, last = loop(Slider(), learn_twice, random_steps=20).run(90)
    assert last.steps == 40
    assert last.model.history.interrupted
    learn.rows.clear()
    *_, last = loop(Slider(), learn_twice, random_steps=20, refit_every=4).run(90)
    assert (last.steps, last.episode_steps) == (28, 8)


def test_the_controller_is_the_one_of_the_loop():
    env = Slider()
    pets = loop(env, Fits(), random_steps=20)
    *_, last = pets.run(30)
    action = pets.controller(last.model).act([1.0, 0.0])
    by_hand = dp.MPC(last.model, REWARD, SMALL, action_space=env.action_space, seed=0)
    np.testing.assert_array_equal(action, by_hand.act([1.0, 0.0]))
    assert action[0] < 0.0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"random_steps": 0}, "random_steps: got 0, must be at least 1"),
        ({"refit_every": 0}, "refit_every: got 0"),
        ({"episode_steps": 0}, "episode_steps: got 0"),
        ({"evaluation_horizon": -1}, "evaluation_horizon: got -1"),
        ({"seed": -1}, "seed"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(dp.ArgumentError, match=message):
        loop(Slider(), Fits(), **settings)


def test_steps_are_checked_before_anything_runs():
    with pytest.raises(dp.ArgumentError, match="steps: got 0"):
        loop(Slider(), Fits()).run(0)


def test_what_is_no_environment_is_refused():
    with pytest.raises(TypeError, match=r"must be an environment: gymnasium\.make"):
        loop("Pendulum-v1", Fits())


def test_a_pendulum_is_swung_up_within_200_steps():
    env = gymnasium.make("Pendulum-v1")
    pets = dp.PETS(
        env,
        learn=lambda data, previous: dp.LinearGaussian.fit(data, features=dp.Polynomial(2)),
        reward=dp.rewards.for_env(env),
        planner=dp.CEM(candidates=150, elites=15, iterations=4),
        seed=0,
    )
    *_, last = pets.run(200)
    mpc, returns = pets.controller(last.model), []
    for seed in range(3):
        state, _ = env.reset(seed=9000 + seed)
        mpc.reset()
        total = 0.0
        for _ in range(200):
            state, reward, *_ = env.step(mpc.act(state).astype(np.float32))
            total += float(reward)
        returns.append(total)
    # The true model reaches about -140 on average, random actions -1200.
    assert np.mean(returns) > -300.0


def test_the_reward_can_be_learned_too():
    env = Slider()
    pets = dp.PETS(
        env,
        learn=lambda data, previous: dp.Ensemble.fit(
            data, members=2, hidden=(16,), rewards=True, epochs=60, seed=0
        ),
        planner=dp.CEM(
            horizon=4, candidates=50, elites=5, iterations=3, propagation="tsinf", particles=2
        ),
        random_steps=150,
        seed=0,
    )
    *_, last = pets.run(200)
    action = pets.controller(last.model).act([1.0, 0.0])
    assert action[0] < 0.0  # towards the middle, which pays more


def test_the_settings_for_a_cpu_go_on_from_the_model_before():
    env = Slider()
    pets = dp.pets_cpu(env, reward=REWARD, horizon=3, random_steps=30, seed=5, threads=2)
    first, second = pets.run(40)
    assert first.model.architecture.hidden == (64, 64)
    assert first.model.architecture.members == 5 == pets.settings.planner.particles
    again = first.model
    for learning_rate, epochs in ((3e-3, 400), (1e-3, 150), (3e-4, 100)):
        again = dp.Ensemble.fit(
            second.data,
            initial=again,
            learning_rate=learning_rate,
            epochs=epochs,
            held_out=0.0,
            bootstrap=False,
            seed=5,
        )
    states, actions = np.ones((1, 2)), np.ones((1, 1))
    np.testing.assert_array_equal(
        again.predict(states, actions).mean, second.model.predict(states, actions).mean
    )
    learned = dp.pets_cpu(env, random_steps=30, horizon=3)
    (only,) = learned.run(30)
    assert only.model.architecture.rewards


def test_the_settings_for_a_cpu_bound_the_gradient_steps_of_a_fit():
    rows = np.random.default_rng(0).normal(size=(3200, 2))
    data = dp.Transitions(rows, rows[:, :1], rows)
    learn = dp.pets_cpu(Slider(), reward=REWARD, seed=0, threads=2).settings.learn
    epochs = [len(learn(data[:rows], None).history.training) for rows in (64, 1600, 3200)]
    assert epochs == [100, 14, 7]  # of the last stage: 700 steps, or the least


# The table of the paper's `config/*.py`.
@pytest.mark.parametrize(
    ("task", "hidden", "candidates", "horizon", "random_steps"),
    [
        ("cartpole", (500, 500, 500), 400, 25, 200),
        ("halfcheetah", (200, 200, 200, 200), 500, 30, 1000),
        ("pusher", (200, 200, 200), 500, 25, 150),
        ("reacher", (200, 200, 200, 200), 400, 25, 150),
    ],
)
def test_the_settings_of_the_paper(task, hidden, candidates, horizon, random_steps):
    pets = dp.pets_paper(Slider(), task, reward=REWARD, seed=0)
    planner = pets.settings.planner
    assert (planner.candidates, planner.horizon) == (candidates, horizon)
    assert planner.elites == candidates / 10
    assert (planner.particles, planner.propagation, planner.iterations) == (20, "tsinf", 5)
    assert (planner.result, planner.clip, planner.min_std) == ("mean", None, 0.0)
    assert pets.settings.random_steps == random_steps
    rows = np.random.default_rng(0).normal(size=(40, 2))
    model = pets.settings.learn(dp.Transitions(rows, rows[:, :1], rows), None)
    assert model.architecture.hidden == hidden
    assert len(model.history.training) == 5  # epochs


def test_a_task_that_the_paper_does_not_have_is_refused():
    with pytest.raises(dp.ArgumentError, match='task: got \'ant\', must be "cartpole", "half'):
        dp.pets_paper(Slider(), "ant", reward=REWARD)
