"""Particles of an ensemble of networks against the NumPy twin of its members."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

import dynaplan as dp
from dynaplan import _core
from reference.network_twin import Float64, Networks


@dataclass
class Ensemble:
    """What rollouts and planners ask of a model, around networks of random weights."""

    networks: Networks
    dynamics: _core.Dynamics = field(init=False)

    def __post_init__(self) -> None:
        self.dynamics = self.networks.compiled().dynamics()
        self.state_dim = self.networks.state_dim
        self.action_dim = self.networks.action_dim
        self.observed_low = np.full(self.state_dim + self.action_dim, -3.0)
        self.observed_high = -self.observed_low


NETWORKS = Networks(probabilistic=False, rewards=True, members=3)
WEIGHTS = np.array([1.0, 0.5, 0.2])
TERM = dp.rewards.quadratic(WEIGHTS)


@pytest.fixture(scope="module")
def model() -> Ensemble:
    return Ensemble(NETWORKS)


@pytest.fixture(scope="module")
def actions() -> Float64:
    return np.random.default_rng(0).normal(size=(70, 4, 2))


def followed(member: int, actions: Float64) -> tuple[Float64, Float64]:
    """Trajectories (N, H + 1, S) of one member from 0, and the rewards (N, H) it predicts."""
    states, rewards = [np.zeros((len(actions), 3))], []
    for t in range(actions.shape[1]):
        mean, _ = NETWORKS.member(member, states[-1], actions[:, t])
        states.append(mean[:, :3])
        rewards.append(mean[:, 3])
    return np.stack(states, axis=1), np.stack(rewards, axis=1)


def test_a_particle_follows_its_member_for_its_whole_life(model, actions) -> None:
    got = dp.rollout(model, np.zeros(3), actions, propagation="tsinf", particles=6, seed=0)
    for particle in range(6):
        np.testing.assert_allclose(got[:, particle], followed(particle // 2, actions)[0], atol=1e-9)


def test_ts1_shares_the_members_out_evenly_at_each_step(model, actions) -> None:
    path = dp.rollout(model, np.zeros(3), actions, propagation="ts1", particles=6, seed=0)
    drawn = np.empty((4, 6), int)
    for t in range(4):
        for particle in range(6):
            ends = [NETWORKS.member(m, path[:, particle, t], actions[:, t])[0] for m in range(3)]
            apart = [np.abs(end[:, :3] - path[:, particle, t + 1]).max() for end in ends]
            drawn[t, particle] = np.argmin(apart)
            assert min(apart) < 1e-9
    assert (np.sort(drawn, axis=1) == [0, 0, 1, 1, 2, 2]).all()
    assert len({tuple(row) for row in drawn}) > 1


def test_the_epistemic_penalty_is_the_deviation_between_the_members(model, actions) -> None:
    returns = np.stack([-(followed(m, actions)[0][:, 1:] ** 2 @ WEIGHTS).sum(1) for m in range(3)])
    for reward in (TERM, lambda obs, act, next_obs: -(next_obs**2 @ WEIGHTS)):
        got = dp.returns(
            model,
            reward,
            np.zeros(3),
            actions,
            propagation="tsinf",
            particles=6,
            risk=dp.risk.EpistemicPenalty(1.5),
        )
        expected = returns.mean(axis=0) - 1.5 * returns.std(axis=0)
        np.testing.assert_allclose(got, expected, rtol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_predicted_reward_is_paid(model, actions, dtype) -> None:
    predicted = np.mean([followed(m, actions)[1].sum(axis=1) for m in range(3)], axis=0)
    tolerance = 1e-4 if dtype == np.float32 else 1e-9
    for reward, expected in (
        (dp.rewards.predicted(), predicted),
        (
            dp.rewards.predicted() + dp.rewards.action_cost([1.0, 1.0]),
            predicted - (actions**2).sum(axis=(1, 2)),
        ),
    ):
        got = dp.returns(
            model,
            reward,
            np.zeros(3),
            actions.astype(dtype),
            propagation="tsinf",
            particles=3,
        )
        np.testing.assert_allclose(got, expected, atol=tolerance)


def calibration(rows: int = 400) -> dp.Transitions:
    generator = np.random.default_rng(3)
    states, actions = generator.normal(size=(rows, 3)), generator.normal(size=(rows, 2))
    return dp.Transitions(states, actions, states)


def test_a_disagreement_limit_is_calibrated_on_data(model) -> None:
    data = calibration()
    expected = NETWORKS.disagreement(data.states, data.actions)
    for quantile in (0.5, 0.99):
        ground = dp.DisagreementLimit.calibrated(model, data, quantile=quantile)
        assert ground.limit == pytest.approx(np.quantile(expected, quantile), rel=1e-9)
        assert ground.on_exceeding == "reject"
    np.testing.assert_array_equal(
        *(_core.disagreement(model.dynamics, data.states, data.actions, n) for n in (1, 2))
    )


def left_at(limit: float, member: int, actions: Float64) -> Float64:
    """(N,): the first step of unknown ground on the way of one member, or H."""
    states = followed(member, actions)[0]
    apart = [NETWORKS.disagreement(states[:, t], actions[:, t]) for t in range(4)]
    unknown = np.stack([*apart, np.full(len(actions), np.inf)], axis=1) > limit
    return unknown.argmax(axis=1)


@pytest.mark.parametrize("reward", [TERM, lambda o, a, n: -(n**2 @ WEIGHTS)])
def test_exceeding_the_disagreement_limit_rejects_or_stops(model, actions, reward) -> None:
    limit = dp.DisagreementLimit.calibrated(model, calibration(), quantile=0.8).limit
    steps = np.stack([left_at(limit, m, actions) for m in range(3)])
    assert 0.1 < (steps == 4).all(axis=0).mean() < 0.9
    each = np.stack([-(followed(m, actions)[0][:, 1:] ** 2 @ WEIGHTS) for m in range(3)])
    counted = np.where(np.arange(4) < steps[:, :, None], each, 0.0).sum(axis=2).mean(axis=0)
    expected = {
        "stop": counted,
        "reject": np.where((steps == 4).all(axis=0), counted, -np.inf),
    }
    for on_exceeding, values in expected.items():
        got = dp.returns(
            model,
            reward,
            np.zeros(3),
            actions,
            propagation="tsinf",
            particles=3,
            disagreement_limit=dp.DisagreementLimit(limit, on_exceeding),
        )
        np.testing.assert_allclose(got, values, rtol=1e-9)
    paths = dp.rollout(
        model,
        np.zeros(3),
        actions,
        propagation="tsinf",
        particles=3,
        disagreement_limit=dp.DisagreementLimit(limit),
    )
    for member in range(3):
        for n in np.flatnonzero(steps[member] < 4):
            stay = steps[member, n]
            np.testing.assert_array_equal(
                paths[n, member, stay:], np.tile(paths[n, member, stay], (5 - stay, 1))
            )


@pytest.mark.parametrize("reward", [TERM, lambda o, a, n: -(n**2 @ WEIGHTS)])
def test_a_plan_keeps_within_the_disagreement_limit(model, reward) -> None:
    ground = dp.DisagreementLimit.calibrated(model, calibration(), quantile=0.5)
    planner = dp.CEM(
        horizon=3,
        candidates=200,
        elites=20,
        propagation="tsinf",
        particles=3,
        disagreement_limit=ground,
        clip=None,
    )
    space = (np.full(2, -2.0), np.full(2, 2.0))
    plan = planner.plan(model, reward, np.zeros(3), action_space=space, seed=0)
    assert plan.stats.rejected > 0
    assert plan.stats.non_finite == 0
    assert plan.status == "iterations"
    value = dp.returns(
        model,
        reward,
        np.zeros(3),
        plan.actions[None],
        propagation="tsinf",
        particles=3,
        disagreement_limit=ground,
    )
    assert plan.value == pytest.approx(value[0], rel=1e-3)
    hopeless = dp.DisagreementLimit(0.0)
    none = dp.RandomShooting(horizon=3, candidates=50, disagreement_limit=hopeless, clip=None).plan(
        model, reward, np.zeros(3), action_space=space, seed=0
    )
    assert none.status == "no_finite_candidate"
    assert (none.stats.rejected, none.stats.non_finite) == (50, 0)


RISKS = [dp.risk.Mean(), dp.risk.Worst(), dp.risk.CVaR(0.5), dp.risk.EpistemicPenalty(0.5)]


@pytest.mark.parametrize("candidates", [7, 40, 70])
@pytest.mark.parametrize("risk", RISKS, ids=repr)
def test_threads_that_share_the_particles_change_nothing(model, candidates, risk):
    def plan(threads: int) -> dp.Plan:
        planner = dp.ICEM(
            horizon=6,
            candidates=candidates,
            elites=4,
            iterations=3,
            propagation="tsinf",
            particles=6,
            risk=risk,
            threads=threads,
        )
        return planner.plan(model, TERM, np.ones(3), action_space=(-np.ones(2), np.ones(2)), seed=3)

    alone = plan(1)
    for threads in (2, 3, 5):
        shared = plan(threads)
        np.testing.assert_array_equal(shared.actions, alone.actions)
        assert shared.value == alone.value


@pytest.mark.parametrize("time_limit", [1e-9, 1e-4, 1e-3])
def test_a_plan_of_shared_particles_has_a_candidate_however_little_time_there_is(model, time_limit):
    planner = dp.CEM(
        horizon=30, iterations=50, propagation="tsinf", particles=6, threads=2, clip=None
    )
    for seed in range(20):
        plan = planner.plan(
            model,
            TERM,
            np.ones(3),
            action_space=(-np.ones(2), np.ones(2)),
            seed=seed,
            time_limit=time_limit,
        )
        assert plan.status == "time_limit"
        assert np.isfinite(plan.value)
