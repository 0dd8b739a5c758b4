"""What is still to come where plans end, and candidates that a policy brings."""

from __future__ import annotations

import numpy as np
import pytest

import dynaplan as dp
from reference.systems import scalar_model

# s' = 1.1 s + a at a cost of s^2 + a^2: Riccati's P = 1.773770721741, gain 0.703427928856.
P, GAIN = 1.773770721741, 0.703427928856
SPACE = ([-4.0], [4.0])
COST = dp.rewards.quadratic([1.0], of="state") + dp.rewards.action_cost([1.0])


def cost(obs, act, next_obs):
    return -(obs[:, 0] ** 2) - act[:, 0] ** 2


@pytest.fixture(scope="module")
def model():
    return scalar_model(1.1)


@pytest.mark.parametrize("reward", [COST, cost])
def test_one_step_and_the_optimal_value_are_the_infinite_horizon(model, reward):
    planner = dp.CEM(horizon=1, iterations=20, min_std=1e-4, clip=None)
    calls = []

    def value(states):
        calls.append(states.shape)
        return -P * states[:, 0] ** 2

    plan = planner.plan(model, reward, [2.0], action_space=SPACE, terminal_value=value, seed=0)
    assert plan.actions[0, 0] == pytest.approx(-2.0 * GAIN, abs=1e-3)
    assert plan.value == pytest.approx(-P * 4.0, rel=1e-5)
    assert calls[0] == (500, 1)
    assert len(calls) <= 20 + 3  # once an iteration, and for the mean and the plan


@pytest.mark.parametrize("reward", [COST, cost])
def test_it_is_discounted_and_counts_only_where_the_episode_goes_on(model, reward):
    planner = dp.RandomShooting(horizon=3, candidates=50, discount=0.9, clip=None)
    arguments = {"action_space": ([0.0], [0.0]), "seed": 0}  # the only plan is to do nothing

    def value(states):
        return np.where(np.abs(states[:, 0]) > 1.2, np.nan, 10.0)

    free = planner.plan(model, reward, [0.5], **arguments)
    with_value = planner.plan(model, reward, [0.5], terminal_value=value, **arguments)
    assert with_value.value == pytest.approx(free.value + 0.9**3 * 10.0, rel=1e-6)
    # From 1 the second step passes 1.2, where the episode ends and its value is nan.
    for termination in (
        dp.terminations.outside([-1.2], [1.2]),
        lambda obs, act, next_obs: np.abs(next_obs[:, 0]) > 1.2,
    ):
        ended = planner.plan(model, reward, [1.0], termination=termination, **arguments)
        valued = planner.plan(
            model, reward, [1.0], termination=termination, terminal_value=value, **arguments
        )
        assert valued.value == pytest.approx(ended.value, rel=1e-6)
        assert valued.stats.non_finite == 0


def test_particles_are_valued_one_by_one_before_risk(model):
    generator = np.random.default_rng(0)
    s, a = generator.normal(size=(100, 1)), generator.normal(size=(100, 1))
    noisy = dp.LinearGaussian.fit(
        dp.Transitions(s, a, s + a + 0.5 * generator.normal(size=(100, 1)))
    )
    planner = dp.RandomShooting(
        horizon=1,
        candidates=3,
        propagation="sample",
        particles=400,
        risk=dp.risk.Worst(),
        clip=None,
    )
    plan = planner.plan(
        noisy,
        dp.rewards.linear([0.0]),
        [0.0],
        action_space=([0.0], [0.0]),
        terminal_value=lambda states: states[:, 0],
        seed=1,
    )
    # The least of 400 normals of standard deviation 0.5 lies 2.2 to 5 of them below the mean.
    assert -2.6 < plan.value < -1.1


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (
            lambda states: np.zeros((len(states), 1)),
            dp.ShapeError,
            r"terminal_value: returned shape",
        ),
        (lambda states: ["x"] * len(states), TypeError, "terminal_value"),
        (3.0, TypeError, "terminal_value: got 3.0"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_by_name(model, value, error, message):
    with pytest.raises(error, match=message):
        dp.CEM(horizon=2).plan(model, COST, [1.0], action_space=SPACE, terminal_value=value)


def test_a_nan_value_never_wins(model):
    def value(states):
        return np.where(states[:, 0] > 0.0, np.nan, 0.0)

    plan = dp.CEM(horizon=1, clip=None).plan(
        model, dp.rewards.linear([1.0]), [0.0], action_space=SPACE, terminal_value=value, seed=0
    )
    assert plan.stats.non_finite > 100
    assert -0.1 < plan.states[1, 0] <= 0.0


PLANNERS = {
    "cem": dp.CEM(horizon=5, candidates=2, elites=1, iterations=1, clip=None),
    "icem": dp.ICEM(horizon=5, candidates=2, elites=1, iterations=1, clip=None),
    "random shooting": dp.RandomShooting(horizon=5, candidates=2, clip=None),
}


@pytest.mark.parametrize("planner", PLANNERS)
def test_a_policys_sequence_is_tried_and_taken_if_it_is_the_best(planner, model):
    plan = PLANNERS[planner].plan(
        model, COST, [2.0], action_space=SPACE, policy=lambda s: -GAIN * s, seed=0
    )
    expected = 2.0 * (1.1 - GAIN) ** np.arange(5) * -GAIN
    np.testing.assert_allclose(plan.actions[:, 0], expected, rtol=1e-5)


def test_several_sequences_of_a_policy_that_draws():
    generator = np.random.default_rng(0)
    sizes = []

    def policy(states):
        sizes.append(len(states))
        return generator.normal(size=(len(states), 1))

    plan = dp.ICEM(horizon=3).plan(
        scalar_model(), COST, [1.0], action_space=SPACE, policy=policy, policy_candidates=7, seed=0
    )
    assert sizes == [7, 7, 7]
    assert plan.stats.candidates == 40 + 32 + 25 + 7 + 3 + 3


def test_elites_and_a_policy_go_together(model):
    mpc = dp.MPC(
        model, COST, dp.ICEM(horizon=4), action_space=SPACE, policy=lambda s: -GAIN * s, seed=0
    )
    state = 2.0
    for _ in range(6):
        state = 1.1 * state + mpc.act([state])[0]
    assert abs(state) < 0.05
    assert mpc.last_plan.stats.candidates == 97 + 3 + 1 + 3 + 3


def test_a_policy_of_the_wrong_shape_is_refused_by_name(model):
    with pytest.raises(dp.ShapeError, match="policy: returned shape"):
        dp.CEM(horizon=2).plan(model, COST, [1.0], action_space=SPACE, policy=lambda s: 1.0)
