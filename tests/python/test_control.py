from __future__ import annotations

import threading

import gymnasium as gym
import numpy as np
import pytest

import dynaplan as dp
from reference.systems import scalar_model

BOX = ([-1.0], [1.0])


def controller(**settings):
    planner = dp.CEM(horizon=5, candidates=64, elites=8, iterations=3)
    return dp.MPC(
        scalar_model(), dp.rewards.quadratic([1.0]), planner, action_space=BOX, **settings
    )


def test_it_steers_a_linear_system_as_lqr_would():
    # s' = 0.5 s + a with cost s^2 + a^2: the optimal gain is 0.265564437075 (Riccati).
    planner = dp.CEM(horizon=15, iterations=30, min_std=0.001, result="mean", clip=None)
    reward = dp.rewards.quadratic([1.0]) + dp.rewards.action_cost([1.0])
    mpc = dp.MPC(scalar_model(), reward, planner, action_space=([-4.0], [4.0]), seed=0)
    for state in (1.0, -2.0, 3.0):
        mpc.reset()
        assert mpc.act([state])[0] == pytest.approx(-0.265564437075 * state, abs=0.01)


def test_a_seed_gives_the_same_actions_and_reset_starts_over():
    states = np.random.default_rng(0).normal(size=(6, 1))
    mpc = controller(seed=3)
    first = [mpc.act(state)[0] for state in states]
    mpc.reset()
    assert [mpc.act(state)[0] for state in states] == first
    assert [controller(seed=3).act(states[0])[0]] == first[:1]
    # From 1 the best action is -0.5: neither what a search begins with nor a bound.
    assert controller(seed=4).act([1.0])[0] != controller(seed=3).act([1.0])[0]
    assert controller().act([1.0])[0] != controller().act([1.0])[0]


def test_the_warm_start_is_the_last_plan_shifted():
    mpc = controller(seed=0)
    assert mpc.last_plan is None
    mpc.act([1.0])
    plan = mpc.last_plan
    expected = np.concatenate([plan.actions[1:], plan.actions[-1:]])
    # One candidate is the warm start itself, unrefined.
    single = dp.CEM(horizon=5, candidates=1, elites=1, iterations=1)
    follower = dp.MPC(scalar_model(), dp.rewards.quadratic([1.0]), single, action_space=BOX, seed=0)
    follower.plan([0.3])
    follower._systems[0].memory.warm_start = expected
    follower.act([0.3])
    np.testing.assert_allclose(follower.last_plan.actions, expected, atol=1e-7)


def test_the_action_returned_is_the_callers_own():
    mpc = controller(seed=0)
    action = mpc.act([1.0])
    action[:] = 99.0
    assert mpc.last_plan.actions[0, 0] != 99.0


def test_bad_states_leave_the_controller_usable():
    mpc = controller(seed=0)
    for bad in ([np.nan], [1.0, 2.0], "x", [None]):
        with pytest.raises((dp.Error, TypeError)):
            mpc.act(bad)
    assert np.isfinite(mpc.act([1.0])).all()


def test_two_threads_on_one_controller_never_crash_or_mix():
    mpc = controller(seed=0)
    failures = []

    def work():
        for _ in range(200):
            try:
                assert np.isfinite(mpc.act([1.0])).all()
            except dp.ArgumentError as error:
                assert "another thread" in str(error)  # noqa: PT017  # either outcome is right
            except Exception as error:
                failures.append(error)

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not failures


def swing_up(seed: int) -> float:
    env = gym.make("Pendulum-v1")
    data = dp.collect(env, steps=200, seed=seed)
    model = dp.LinearGaussian.fit(data, features=dp.Polynomial(2))
    mpc = dp.MPC(model, dp.rewards.for_env(env), dp.CEM(), action_space=env.action_space, seed=seed)
    state, _ = env.reset(seed=1000 + seed)
    total = 0.0
    for _ in range(200):
        state, reward, *_ = env.step(mpc.act(state).astype(np.float32))
        total += float(reward)
    return total


def test_two_hundred_transitions_swing_the_pendulum_up():
    # Random torques earn about -1200; 100 seeds are run in bench.
    returns = [swing_up(seed) for seed in range(5)]
    assert min(returns) >= -450
    assert np.mean(returns) >= -220


@pytest.mark.long
def test_twenty_five_seeds_swing_the_pendulum_up():
    returns = [swing_up(seed) for seed in range(25)]
    assert min(returns) >= -450
    assert np.mean(returns) >= -180
