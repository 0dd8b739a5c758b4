"""Imagined transitions: what a model, a policy, rewards and ends make of real states."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import dynaplan as dp
from dynaplan import _core
from dynaplan.rollouts.imagination import chosen_members

Floats = NDArray[np.float64]

STATES, ACTIONS = 3, 2
A = np.array([[0.9, 0.1, 0.0], [0.0, 0.8, 0.2], [0.1, 0.0, 0.7]])
B = np.array([[0.5, 0.0], [0.0, 0.5], [0.3, -0.3]])
GAIN = np.array([[0.1, -0.2, 0.3], [0.2, 0.1, 0.0]])


class Plant(gym.Env[Any, Any]):
    """The spaces of an agent for three states and two actions; the bounds are no float32."""

    observation_space = gym.spaces.Box(-np.inf, np.inf, (STATES,), np.float64)
    action_space = gym.spaces.Box(np.array([-0.1, -0.7]), np.array([0.3, 0.1]), dtype=np.float64)

    def reset(self, **_: Any) -> tuple[Floats, dict[str, Any]]:
        return np.zeros(STATES), {}


def rows(count: int, seed: int) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, STATES)), rng.normal(size=(count, ACTIONS))


def linear_data(noise: float = 0.0) -> dp.Transitions:
    states, actions = rows(400, 0)
    after = states @ A.T + actions @ B.T
    after += noise * np.random.default_rng(9).normal(size=after.shape)
    rewards = states[:, 0] - actions[:, 1] ** 2
    return dp.Transitions(states, actions, after, rewards)


def policy(states: Floats) -> Floats:
    return states @ GAIN.T


@pytest.fixture(scope="module")
def exact() -> dp.LinearGaussian:
    return dp.LinearGaussian.fit(linear_data())


@pytest.fixture(scope="module")
def ensemble() -> dp.Ensemble:
    return dp.Ensemble.fit(
        linear_data(0.1),
        members=4,
        hidden=(16,),
        epochs=20,
        rewards=True,
        probabilistic=False,
        seed=1,
    )


@pytest.fixture(scope="module")
def agent() -> dp.SAC:
    return dp.SAC(Plant(), hidden=(16, 16), seed=3)


def members_say(model: dp.Ensemble, states: Floats, actions: Floats) -> Floats:
    """(N, K, S): the next state of each member, by rollouts in which particle k is member k."""
    count = model.architecture.members
    paths = dp.rollout(model, states, actions[:, None], propagation="tsinf", particles=count)
    return paths[:, :, 1]


def test_a_linear_system_goes_where_its_matrices_say(exact: dp.LinearGaussian) -> None:
    starts, _ = rows(150, 1)
    reward = dp.rewards.quadratic([1.0, 2.0, 3.0]) + dp.rewards.action_change_cost([1.0, 1.0])
    made = dp.imagine(exact, starts, policy, 4, reward=reward, seed=0)
    assert len(made) == 600
    assert made.lengths.tolist() == [4] * 150
    assert not made.cut.any()
    paths = made.states.reshape(150, 4, STATES)
    actions = made.actions.reshape(150, 4, ACTIONS)
    wanted = starts
    before = None
    for t in range(4):
        chosen = wanted @ GAIN.T
        after = wanted @ A.T + chosen @ B.T
        change = 0.0 if before is None else ((chosen - before) ** 2).sum(axis=1)
        np.testing.assert_allclose(paths[:, t], wanted, atol=1e-5)
        np.testing.assert_allclose(actions[:, t], chosen, atol=1e-5)
        paid = -(after**2) @ [1.0, 2.0, 3.0] - change
        np.testing.assert_allclose(made.rewards.reshape(150, 4)[:, t], paid, atol=1e-4)
        wanted, before = after, chosen
    np.testing.assert_array_equal(paths[:, 0], starts)
    after = made.next_states.reshape(150, 4, STATES)
    np.testing.assert_array_equal(after[:, :-1], paths[:, 1:])


def test_they_are_data_like_any_other(exact: dp.LinearGaussian) -> None:
    starts, _ = rows(5, 1)
    made = dp.imagine(exact, starts, policy, 3, reward=dp.rewards.quadratic([1.0] * 3), seed=0)
    data = made.transitions()
    assert [part.stop - part.start for part in data.episode_slices] == [3] * 5
    np.testing.assert_array_equal(data.rewards, made.rewards)
    assert repr(made) == "Imagined(15 rows from 5 starts, 0 cut)"


def test_the_noise_is_that_of_the_fit() -> None:
    stats = pytest.importorskip("scipy.stats")
    model = dp.LinearGaussian.fit(linear_data(0.5))
    starts = np.tile([[0.3, -0.2, 0.1]], (4000, 1))
    made = dp.imagine(model, starts, policy, reward=dp.rewards.quadratic([1.0] * 3), seed=2)
    says = model.predict(starts[0], policy(starts[:1])[0])
    apart = (made.next_states - says.mean) / np.sqrt(says.aleatoric + says.epistemic)
    for column in apart.T:
        assert stats.kstest(column, "norm").pvalue > 1e-3


def test_members_are_drawn_anew_for_each_rollout_and_step(ensemble: dp.Ensemble) -> None:
    starts, _ = rows(3000, 4)
    made = dp.imagine(ensemble, starts, policy, 2, elite_members=[1, 3], seed=0)
    said = members_say(ensemble, made.states, made.actions)
    apart = np.abs(said - made.next_states[:, None]).max(axis=2)
    chosen = apart.argmin(axis=1)
    assert apart.min(axis=1).max() < 1e-5
    assert set(chosen) == {1, 3}
    pairs = (chosen == 3).reshape(3000, 2)
    assert abs(pairs.mean() - 0.5) < 0.03  # 4.6 standard deviations
    assert abs(np.corrcoef(pairs.T)[0, 1]) < 0.08
    assert abs(np.corrcoef(pairs[1:, 0], pairs[:-1, 0])[0, 1]) < 0.08


def test_the_predicted_reward_is_that_of_the_member(ensemble: dp.Ensemble) -> None:
    starts, _ = rows(500, 4)
    made = dp.imagine(ensemble, starts, policy, elite_members=[2], seed=0)
    paid = made.states[:, 0] - made.actions[:, 1] ** 2
    assert np.corrcoef(made.rewards, paid)[0, 1] > 0.97
    known = dp.imagine(
        ensemble, starts, policy, elite_members=[2], reward=lambda s, a, n: s[:, 0], seed=0
    )
    np.testing.assert_array_equal(known.rewards, starts[:, 0])
    np.testing.assert_array_equal(known.next_states, made.next_states)


def test_elites_have_the_least_held_out_loss(ensemble: dp.Ensemble) -> None:
    history = ensemble.history
    losses = [history.held_out[best, k] for k, best in enumerate(history.best_epoch)]
    assert chosen_members(ensemble, 2) == sorted(np.argsort(losses)[:2].tolist())
    assert chosen_members(ensemble, None) == [0, 1, 2, 3]


def test_an_agents_actions_are_those_it_draws(exact: dp.LinearGaussian, agent: dp.SAC) -> None:
    stats = pytest.importorskip("scipy.stats")
    starts = np.tile([[0.5, -1.0, 2.0]], (3000, 1))
    reward = dp.rewards.quadratic([1.0] * 3)
    made = dp.imagine(exact, starts, agent, reward=reward, seed=7)
    drawn = agent.act(starts)
    for mine, its in zip(made.actions.T, drawn.T, strict=True):
        assert stats.ks_2samp(mine, its).pvalue > 1e-3
    np.testing.assert_allclose(
        made.next_states, starts @ A.T + made.actions @ B.T, atol=1e-4, rtol=1e-4
    )


def test_actions_stay_in_a_box_that_float32_does_not_have(exact: dp.LinearGaussian) -> None:
    agent = dp.SAC(Plant(), hidden=(8,), seed=1)
    starts = 1e4 * rows(500, 3)[0]  # where the tanh is 1
    made = dp.imagine(exact, starts, agent, reward=lambda s, a, n: s[:, 0], seed=0)
    assert (made.actions >= Plant.action_space.low).all()
    assert (made.actions <= Plant.action_space.high).all()
    agent.observe_imagined(
        made.states, made.actions, made.rewards, made.next_states, made.terminations
    )
    assert agent.replay_sizes == (0, 500)


def test_a_disagreement_limit_cuts_before_the_step_that_leaves_it(ensemble: dp.Ensemble) -> None:
    starts, _ = rows(400, 5)
    starts *= np.linspace(0.1, 8.0, 400)[:, None]  # ever further from the data
    free = dp.imagine(ensemble, starts, policy, 3, seed=0)
    first = np.ascontiguousarray(free.states.reshape(400, 3, STATES)[:, 0])
    known = _core.disagreement(ensemble.dynamics, first, policy(first), 1)
    limit = float(np.median(known))
    made = dp.imagine(
        ensemble, starts, policy, 3, disagreement_limit=dp.DisagreementLimit(limit), seed=0
    )
    close = np.isclose(known, limit, rtol=1e-3)
    np.testing.assert_array_equal((made.lengths == 0)[~close], (known > limit)[~close])
    kept = _core.disagreement(ensemble.dynamics, made.states, made.actions, 1)
    assert kept.max() <= limit * 1.001
    np.testing.assert_array_equal(made.cut, made.lengths < 3)
    assert len(made) == made.lengths.sum()
    assert not made.terminations.any()


@pytest.mark.parametrize("as_function", [False, True])
def test_nothing_follows_an_end(exact: dp.LinearGaussian, as_function: bool) -> None:
    starts, _ = rows(300, 6)
    term = dp.terminations.outside([-1.0, -np.inf, -np.inf], [1.0, np.inf, np.inf])
    end = (lambda s, a, n: np.abs(n[:, 0]) > 1.0) if as_function else term
    made = dp.imagine(
        exact, starts, policy, 5, reward=dp.rewards.quadratic([1.0] * 3), termination=end, seed=0
    )
    np.testing.assert_array_equal(made.terminations, np.abs(made.next_states[:, 0]) > 1.0)
    last = np.cumsum(made.lengths) - 1
    assert (
        made.terminations.sum()
        == (made.lengths < 5).sum() + made.terminations[last][made.lengths == 5].sum()
    )
    assert not made.cut.any()
    assert 0 < (made.lengths < 5).sum() < 300


def test_predictions_that_are_not_finite_are_cut() -> None:
    states = np.linspace(-2.0, 2.0, 60)[:, None]
    data = dp.Transitions(states, np.cos(7 * states), 3.0 * states**2)
    model = dp.LinearGaussian.fit(data, features=dp.Polynomial(2))
    made = dp.imagine(model, [[1e6], [0.01]], lambda s: 0.0 * s, 6, reward=lambda s, a, n: s[:, 0])
    assert made.cut.tolist() == [True, False]
    assert np.isfinite(made.next_states).all()
    clipped = dp.imagine(
        model, [[1e6], [0.01]], lambda s: 0.0 * s, 6, reward=lambda s, a, n: s[:, 0], clip=2.0
    )
    assert not clipped.cut.any()
    assert np.abs(clipped.next_states).max() <= 4.0


@pytest.mark.parametrize("count", [1, 63, 1000])
def test_threads_change_no_bit(ensemble: dp.Ensemble, agent: dp.SAC, count: int) -> None:
    starts, _ = rows(count, 8)
    one = dp.imagine(ensemble, starts, agent, 3, elite_members=2, seed=5)
    for threads in (2, 5):
        other = dp.imagine(ensemble, starts, agent, 3, elite_members=2, seed=5, threads=threads)
        np.testing.assert_array_equal(one.next_states, other.next_states)
        np.testing.assert_array_equal(one.actions, other.actions)
        np.testing.assert_array_equal(one.rewards, other.rewards)
    other = dp.imagine(ensemble, starts, agent, 3, elite_members=2, seed=6)
    assert not np.array_equal(one.actions, other.actions)


@settings(max_examples=30, deadline=None)
@given(
    count=st.integers(1, 130),
    length=st.integers(1, 6),
    reach=st.floats(0.1, 3.0),
    seed=st.integers(0, 2**64 - 1),
)
def test_rows_belong_to_their_starts(
    exact: dp.LinearGaussian, count: int, length: int, reach: float, seed: int
) -> None:
    starts, _ = rows(count, 2)
    made = dp.imagine(
        exact,
        starts,
        policy,
        length,
        reward=dp.rewards.quadratic([1.0] * 3),
        termination=dp.terminations.outside([-reach] * 3, [reach] * 3),
        seed=seed,
    )
    assert ((made.lengths >= 1) & (made.lengths <= length)).all()
    np.testing.assert_array_equal(made.starts, np.repeat(np.arange(count), made.lengths))
    firsts = np.cumsum(made.lengths) - made.lengths
    np.testing.assert_array_equal(made.states[firsts], starts)
    goes_on = np.setdiff1d(np.arange(len(made)), firsts)
    np.testing.assert_array_equal(made.states[goes_on], made.next_states[goes_on - 1])


def test_a_function_model_is_imagined_too() -> None:
    model = dp.FunctionModel(lambda s, a: s + a, state_dim=1, action_dim=1)
    made = dp.imagine(model, [[1.0], [2.0]], lambda s: -0.5 * s, 3, reward=lambda s, a, n: n[:, 0])
    np.testing.assert_allclose(made.next_states[:, 0], [0.5, 0.25, 0.125, 1.0, 0.5, 0.25])


def refuse(message: str, kind: type[Exception], **changed: Any) -> None:
    model = dp.LinearGaussian.fit(linear_data())
    given: dict[str, Any] = {
        "model": model,
        "starts": np.zeros((2, STATES)),
        "policy": policy,
        "reward": dp.rewards.quadratic([1.0] * 3),
    }
    with pytest.raises(kind, match=message):
        dp.imagine(**{**given, **changed})


def test_what_does_not_fit_is_refused(agent: dp.SAC) -> None:
    refuse("starts: got shape", dp.ShapeError, starts=np.zeros((2, 2)))
    refuse("starts: got 0 rows", dp.ShapeError, starts=np.zeros((0, STATES)))
    refuse("starts: row 1, column 2 is nan", dp.ArgumentError, starts=[[0, 0, 0], [0, 0, np.nan]])
    refuse("starts: row 0, column 0", dp.ArgumentError, starts=[1e300, 0.0, 0.0])
    refuse("length: got 0", dp.ArgumentError, length=0)
    refuse("length: got 1.5", dp.ArgumentError, length=1.5)
    refuse("threads: got 0", dp.ArgumentError, threads=0)
    refuse("policy: got 3", TypeError, policy=3)
    refuse("policy: returned shape", dp.ShapeError, policy=lambda s: np.zeros((5, 2)))
    refuse("policy: got an action of nan", dp.ArgumentError, policy=lambda s: np.nan * policy(s))
    refuse("reward: predicted by the model, but", dp.ArgumentError, reward=None)
    refuse("reward: got 4", TypeError, reward=4)
    refuse("reward: row 0 is inf", dp.ArgumentError, reward=lambda s, a, n: np.full(len(s), np.inf))
    refuse(
        "reward: got a function",
        dp.ArgumentError,
        reward=lambda s, a, n, step: s[:, 0],
    )
    at_the_end = dp.rewards.terminal(dp.rewards.quadratic([1.0] * 3))
    refuse("reward: changes from step to step", dp.ArgumentError, reward=at_the_end)
    refuse("termination: got 4", TypeError, termination=4)
    refuse("termination: returned dtype", TypeError, termination=lambda s, a, n: s[:, 0])
    refuse("elite_members: got 2", dp.ArgumentError, elite_members=2)
    refuse("elite_members: got member 1", dp.ArgumentError, elite_members=[1])
    refuse("elite_members: got none", dp.ArgumentError, elite_members=[])
    pendulum = dp.SAC(gym.make("Pendulum-v1"), hidden=(8,))
    refuse("policy: got one for 3 states and 1 action", dp.ShapeError, policy=pendulum)


def test_the_policys_own_error_comes_through(exact: dp.LinearGaussian) -> None:
    def fails(_: Floats) -> Floats:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        dp.imagine(exact, np.zeros((2, STATES)), fails, reward=lambda s, a, n: s[:, 0])


def test_the_core_wants_a_policy_or_actions(exact: dp.LinearGaussian) -> None:
    settings: dict[str, Any] = {
        "dynamics": exact.dynamics,
        "policy": None,
        "policy_function": None,
        "reward": None,
        "termination": None,
        "termination_function": None,
        "limits": None,
        "elite_members": [0],
        "disagreement_limit": None,
        "length": 2,
        "seed": 0,
        "threads": 1,
    }
    starts, _ = rows(5, 0)
    with pytest.raises(dp.ArgumentError, match="policy: got none, must be"):
        _core.imagine(starts=starts, **settings)
    with pytest.raises(dp.ShapeError, match="actions"):
        _core.imagine(starts=starts, actions=np.zeros((5, ACTIONS)), **settings)
    _, actions = rows(10, 1)
    before = np.full((5, ACTIONS), [0.0, np.nan])
    with pytest.raises(dp.ArgumentError, match="previous_actions: row 0, column 1 is nan"):
        _core.imagine(starts=starts, actions=actions, previous_actions=before, **settings)
    _, given, _, after, *_ = _core.imagine(starts=starts, actions=actions, **settings)
    np.testing.assert_array_equal(given, actions)
    once = starts @ A.T + actions[0::2] @ B.T
    np.testing.assert_allclose(after[1::2], once @ A.T + actions[1::2] @ B.T, atol=1e-5)
