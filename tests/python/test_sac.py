"""Soft actor-critic: its updates against PyTorch, its loop on small tasks, and what it refuses."""

from __future__ import annotations

import os
import signal
import threading

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynaplan as dp
from reference.agent_tasks import Follow, agent, transitions


def numbers_of(one):
    return {name: values.tobytes() for name, values in one._core.numbers().items()}


@pytest.mark.parametrize(
    ("hidden", "activation", "batch", "fixed"),
    [
        ((32, 24), "relu", 256, None),
        ((20,), "silu", 17, None),
        ((9, 30), "tanh", 65, 0.3),
        ((), "relu", 1, None),
    ],
)
def test_updates_agree_with_pytorch(hidden, activation, batch, fixed):
    pytest.importorskip("torch")
    from reference.sac import Twin

    one = agent(hidden=hidden, activation=activation, batch_size=batch, temperature=fixed, tau=0.1)
    one.observe(*transitions(500))
    one.observe_imagined(*transitions(300, seed=1))
    logarithm = one._core.counters()[0]
    wanted = {"learning_rate": 3e-4, "discount": 0.99, "target_entropy": -2.0, "tau": 0.1}
    twin = Twin(
        one._core.numbers(),
        logarithm,
        states=3,
        actions=2,
        hidden=hidden,
        activation=activation,
        settings=wanted,
    )
    for _ in range(3):
        losses = twin.update(one._core.next_batch())
        if fixed is not None:
            twin.logarithm.data[...] = logarithm
        report = one.update()
        ours = (report.critic_loss, report.actor_loss, report.entropy)
        np.testing.assert_allclose(ours, losses, rtol=1e-5, atol=1e-5)
        mine = one._core.numbers()
        for name, values in twin.numbers().items():
            np.testing.assert_allclose(mine[name], values, rtol=0, atol=1e-5, err_msg=name)
    assert one.temperature == pytest.approx(np.exp(twin.logarithm.item()), rel=1e-6)


def test_a_step_of_adam_is_large_enough_for_the_comparison_to_see():
    one = agent()
    one.observe(*transitions(500))
    before = one._core.numbers()
    one.update()
    after = one._core.numbers()
    # The first steps are the learning rate, 30 times the tolerance above.
    for name in ("actor", "critic_0", "critic_1"):
        assert np.abs(after[name] - before[name]).max() == pytest.approx(3e-4, rel=1e-2)


@pytest.mark.parametrize("threads", [2, 4])
def test_the_bits_do_not_depend_on_the_threads(threads):
    states = np.random.default_rng(3).normal(size=(300, 3))
    results = []
    for count in (1, threads):
        one = agent(threads=count, batch_size=200, hidden=(40, 40))
        one.observe(*transitions(1000))
        one.observe_imagined(*transitions(1000, seed=1))
        report = one.update(10)
        results.append((numbers_of(one), report, one.act(states).tobytes()))
    assert results[0] == results[1]


def test_the_seed_decides_everything():
    first, second, other = agent(seed=1), agent(seed=1), agent(seed=2)
    for one in (first, second, other):
        one.observe(*transitions(200))
        one.update(5)
    assert numbers_of(first) == numbers_of(second) != numbers_of(other)
    state = [0.1, 0.2, 0.3]
    drawn = [one.act(state).tolist() for one in (first, second, other)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert first.act(state).tolist() == second.act(state).tolist() != drawn[0]  # another draw
    assert first.explore().tolist() == second.explore().tolist() != first.explore().tolist()


def test_one_call_of_many_updates_is_many_calls_of_one():
    first, second = agent(), agent()
    for one in (first, second):
        one.observe(*transitions(200))
    together = first.update(6)
    apart = [second.update() for _ in range(6)]
    assert numbers_of(first) == numbers_of(second)
    assert together.critic_loss == pytest.approx(np.mean([each.critic_loss for each in apart]))
    assert (together.updates, first.updates, second.updates) == (6, 6, 6)


def test_actions_follow_the_policy_in_the_box():
    one = agent(actions=1, hidden=())
    states = np.zeros((20_000, 3))
    drawn = one.act(states)
    assert drawn.shape == (20_000, 1)
    assert drawn.min() >= -2.0
    assert drawn.max() <= 3.0
    # With state 0 and no hidden layer the outputs are the biases: mean and log standard deviation.
    mean, log_std = one._core.numbers()["actor"][-2:]
    unsquashed = np.arctanh((drawn[:, 0] - 0.5) / 2.5)
    assert unsquashed.mean() == pytest.approx(mean, abs=4 * np.exp(log_std) / np.sqrt(20_000))
    assert unsquashed.std() == pytest.approx(np.exp(log_std), rel=0.02)
    assert one.act(states[0], deterministic=True) == pytest.approx(0.5 + 2.5 * np.tanh(mean))


@settings(max_examples=30, deadline=None)
@given(rows=st.integers(0, 140), deterministic=st.booleans(), seed=st.integers(0, 2**64 - 1))
def test_a_batch_of_states_is_its_single_states(rows, deterministic, seed):
    one, other = agent(seed=seed), agent(seed=seed)
    states = np.random.default_rng(rows).normal(scale=1e3, size=(rows, 3))
    actions = one.act(states, deterministic)
    assert actions.shape == (rows, 2)
    assert ((actions >= -2.0) & (actions <= 3.0)).all()
    for row in range(0, rows, 37) if deterministic else range(min(rows, 1)):
        np.testing.assert_array_equal(actions[row], other.act(states[row], deterministic))


def test_exploration_is_uniform_in_the_box():
    one = agent(actions=3)
    drawn = np.array([one.explore() for _ in range(3000)])
    assert drawn.min() >= -2.0
    assert drawn.max() <= 3.0
    shares = np.array([np.histogram(column, 5, (-2.0, 3.0))[0] for column in drawn.T]) / 3000
    assert np.abs(shares - 0.2).max() < 5 * np.sqrt(0.16 / 3000)


def test_imagined_transitions_take_their_share_of_the_batch():
    one = agent(batch_size=100, real_ratio=0.25, imagined_buffer_size=60)
    real = transitions(50)
    one.observe(*real)
    assert one.replay_sizes == (50, 0)

    def real_share():
        rewards = one._core.next_batch()["rewards"][:, 0]
        return np.isin(rewards, np.float32(real[2])).mean()

    assert real_share() == 1.0
    one.observe_imagined(*transitions(40, seed=1))
    assert real_share() == 0.25
    one.observe_imagined(*transitions(40, seed=2))
    assert one.replay_sizes == (50, 60)
    one.observe_imagined(*transitions(10, seed=3), replace=True)
    assert one.replay_sizes == (50, 10)
    one.resize_imagined(4)
    assert one.replay_sizes == (50, 4)
    newest = one._core.transitions(True)[0][:, 5]
    np.testing.assert_array_equal(newest, np.float32(transitions(10, seed=3)[2][-4:]))
    before = one.steps
    assert one.update(2).updates == 2
    assert one.steps == before == 50


@pytest.mark.parametrize("terminates", [False, True])
def test_a_time_limit_is_no_end(terminates):
    env = Follow(terminates)
    one = dp.SAC(env, hidden=(8,), batch_size=8, learning_starts=15, seed=0)
    episodes = list(one.run(25))
    assert [(e.steps, e.episode, e.episode_steps) for e in episodes] == [
        (10, 1, 10),
        (20, 2, 10),
        (25, 3, 5),
    ]
    ended = one._core.transitions(False)[0][:, 3]
    assert ended.tolist() == [float(terminates and step % 10 == 9) for step in range(25)]
    assert [e.updates and e.updates.updates for e in episodes] == [None, 5, 5]
    assert one.updates == 10
    # The replay has the actions that were applied, scaled to [-1, 1].
    stored = one._core.transitions(False)[0][:, 1]
    np.testing.assert_allclose(-1.0 + 3.0 * stored, env.acted, atol=1e-6)


def test_updates_come_as_often_as_asked():
    one = dp.SAC(
        Follow(), hidden=(8,), batch_size=8, learning_starts=10, train_freq=4, gradient_steps=3
    )
    one.learn(30)
    assert one.updates == 3 * len([step for step in range(11, 31) if step % 4 == 0])


def test_learning_goes_on_where_it_ended_and_a_callback_can_end_it():
    one = dp.SAC(Follow(), hidden=(8,), batch_size=8, learning_starts=5, seed=0)
    seen = []
    assert one.learn(100, lambda episode: seen.append(episode.steps) or len(seen) < 3) is one
    assert seen == [10, 20, 30]
    one.learn(7)
    assert (one.steps, one.updates) == (37, 32)


def test_a_small_task_is_solved():
    # The action that pays most is -3 s; a policy that ignores the state pays -0.21 a step.
    one = dp.SAC(Follow(), hidden=(32, 32), learning_rate=3e-3, batch_size=64, discount=0.5, seed=1)
    one.learn(800)
    states = np.linspace(-0.55, 0.95, 31)[:, None]
    actions = one.act(states, deterministic=True)
    assert np.mean((actions / 3.0 + states) ** 2) < 0.01


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_pendulum_is_learned_in_5000_steps():
    env = gym.make("Pendulum-v1")
    one = dp.SAC(env, seed=0, hidden=(64, 64), learning_rate=1e-3).learn(5000)
    totals = []
    for episode in range(10):
        observation, over, total = env.reset(seed=1000 + episode)[0], False, 0.0
        while not over:
            action = one.act(observation, deterministic=True)
            observation, reward, terminated, truncated, _ = env.step(action.astype(np.float32))
            total, over = total + float(reward), terminated or truncated
        totals.append(total)
    assert np.mean(totals) >= -250.0, totals


def test_a_single_transition_is_taken_as_gymnasium_gives_it():
    one = agent()
    one.observe(np.zeros(3, np.float32), [1.0, 2.0], np.float64(0.5), [1, 2, 3], np.bool_(True))
    row = one._core.transitions(False)[0][0]
    np.testing.assert_allclose(row, [0, 0, 0, 0.2, 0.6, 0.5, 1, 1, 2, 3], rtol=1e-6)


def test_ctrl_c_leaves_an_agent_that_goes_on():
    one, other = agent(), agent()
    for each in (one, other):
        each.observe(*transitions(200))
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        one.update(10**9)
    made = one.updates
    assert made > 0
    other.update(made)
    assert numbers_of(one) == numbers_of(other)
    one.update(2)
    other.update(2)
    assert numbers_of(one) == numbers_of(other)


def test_two_threads_cannot_use_an_agent_at_once():
    one = agent()
    one.observe(*transitions(200))
    refused = []

    def insist(call):
        while not refused:
            try:
                call()
            except dp.ArgumentError as error:
                refused.append(str(error))

    worker = threading.Thread(target=insist, args=(lambda: one.update(20),))
    worker.start()
    insist(lambda: one.act([0.0, 0.0, 0.0]))
    worker.join()
    assert "in use by another thread" in refused[0]
    assert one.updates % 20 == 0  # whoever was refused changed nothing
    one.update()


def test_a_fork_after_updates_does_not_hang(run_python):
    code = """
import os, signal
import numpy as np, gymnasium as gym, dynaplan as dp
class Box(gym.Env):
    observation_space = gym.spaces.Box(-1.0, 1.0, (2,))
    action_space = gym.spaces.Box(-1.0, 1.0, (1,))
one = dp.SAC(Box(), hidden=(16,), seed=0, threads=2)
r = np.random.default_rng(0)
one.observe(r.normal(size=(99, 2)), r.uniform(-1, 1, (99, 1)), r.normal(size=99),
            r.normal(size=(99, 2)), r.random(99) < 0.1)
one.update(5)
child = os.fork()
if child == 0:
    signal.alarm(30)  # ends the child if it hangs
    one.update(5)
    os._exit(0)
_, status = os.waitpid(child, 0)
assert status == 0, f"the child ended with status {status} (14 = it hung)"
"""
    run_python(code, timeout=60.0)
