"""Rewards that differ from step to step: targets, weights, terms of the end, functions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynaplan as dp
from dynaplan import rewards
from reference.systems import linear_system

HORIZON = 6
BOX = ([-1.0, -1.0], [1.0, 1.0])


@pytest.fixture(scope="module")
def model():
    return dp.LinearGaussian.fit(linear_system(100))


def as_function(term, horizon=HORIZON):
    """The same reward behind a Python function, which plans by whole trajectories."""
    return lambda obs, act, next_obs, step: term(obs, act, next_obs, steps=step, horizon=horizon)


def by_hand(model, states, actions, of_step, discount=1.0):
    """Sums `of_step(t, states, actions, next_states)` along the trajectories in float64."""
    path = dp.rollout(model, states, actions)
    horizon = actions.shape[1]
    return sum(
        discount**t * of_step(t, path[:, t], actions[:, t], path[:, t + 1]) for t in range(horizon)
    )


GENERATOR = np.random.default_rng(0)
TARGETS = GENERATOR.normal(size=(4, 3))  # fewer rows than steps: the last one holds
DENSE = np.eye(3) + 0.3


def row(t):
    return TARGETS[min(t, 3)]


def quadratic_form(x, weights):
    return -np.einsum("ni,ij,nj->n", x, weights, x)


def wrapped(angle):
    return np.remainder(angle + np.pi, 2 * np.pi) - np.pi


CASES = {
    "quadratic": (
        rewards.quadratic([1.0, 0.5, 0.0], TARGETS),
        lambda t, s, a, n: quadratic_form(n - row(t), np.diag([1.0, 0.5, 0.0])),
    ),
    "dense quadratic of the state": (
        rewards.quadratic(DENSE, TARGETS, of="state"),
        lambda t, s, a, n: quadratic_form(s - row(t), DENSE),
    ),
    "angle": (
        rewards.angle(2.0, index=1, target=4.0 * TARGETS[:, 0]),
        lambda t, s, a, n: -2.0 * wrapped(n[:, 1] - 4.0 * row(t)[0]) ** 2,
    ),
    "direction": (
        rewards.angle(2.0, cos=0, sin=2, target=TARGETS[:, 1]),
        lambda t, s, a, n: -2.0 * wrapped(np.arctan2(n[:, 2], n[:, 0]) - row(t)[1]) ** 2,
    ),
    "distance": (
        rewards.distance(0.7, indices=[0, 2], target=TARGETS[:, :2]),
        lambda t, s, a, n: -0.7 * np.linalg.norm(n[:, [0, 2]] - row(t)[:2], axis=1),
    ),
    "within": (
        rewards.within(1.0, indices=[0, 2], target=TARGETS[:, :2], bonus=3.0),
        lambda t, s, a, n: 3.0 * (np.linalg.norm(n[:, [0, 2]] - row(t)[:2], axis=1) <= 1.0),
    ),
    "action": (
        rewards.action_cost([1.0, 2.0], target=TARGETS[:, :2]),
        lambda t, s, a, n: quadratic_form(a - row(t)[:2], np.diag([1.0, 2.0])),
    ),
    "constant action": (
        rewards.action_cost(np.eye(2), target=[0.5, -0.5], low=[-0.2] * 2, high=[0.2] * 2),
        lambda t, s, a, n: quadratic_form(np.clip(a, -0.2, 0.2) - [0.5, -0.5], np.eye(2)),
    ),
    "scheduled": (
        rewards.scheduled(rewards.linear([1.0, 0.0, 2.0]), [0.0, 1.0, -2.0]),
        lambda t, s, a, n: [0.0, 1.0, -2.0, -2.0, -2.0, -2.0][t] * (n[:, 0] + 2.0 * n[:, 2]),
    ),
    "terminal": (
        rewards.quadratic([1.0] * 3) + rewards.terminal(5.0 * rewards.quadratic([1.0] * 3)),
        lambda t, s, a, n: -(n**2).sum(axis=1) * (6.0 if t == HORIZON - 1 else 1.0),
    ),
    "scheduled and varying": (
        rewards.scheduled(rewards.quadratic([1.0] * 3, TARGETS), [1.0, 2.0])
        * rewards.tolerance(0, margin=3.0),
        lambda t, s, a, n: (
            (1.0 if t == 0 else 2.0)
            * quadratic_form(n - row(t), np.eye(3))
            * 0.1 ** ((n[:, 0] / 3.0) ** 2)
        ),
    ),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CASES)
def test_returns_are_the_formula_step_by_step(name, dtype, model):
    term, of_step = CASES[name]
    actions = np.random.default_rng(1).uniform(-1, 1, size=(70, HORIZON, 2))
    states = np.random.default_rng(2).normal(size=(70, 3))
    expected = by_hand(model, states, actions, of_step, discount=0.9)
    rtol = 2e-4 if dtype == np.float32 else 1e-10
    for threads in (1, 2, 4):
        got = dp.returns(model, term, states, actions, discount=0.9, dtype=dtype, threads=threads)
        np.testing.assert_allclose(got, expected, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("name", CASES)
def test_a_python_termination_or_function_gives_the_same_numbers(name, model):
    term, _ = CASES[name]
    actions = np.random.default_rng(1).uniform(-1, 1, size=(70, HORIZON, 2))
    arguments = (np.array([0.5, 0.0, -0.5]), actions)
    never = dp.terminations.outside([-1e9] * 3, [1e9] * 3)
    fused = dp.returns(model, term, *arguments, discount=0.9)
    beside = dp.returns(
        model,
        term,
        *arguments,
        discount=0.9,
        termination=lambda *step: never(*step),  # noqa: PLW0108
    )
    as_python = dp.returns(model, as_function(term), *arguments, discount=0.9)
    np.testing.assert_allclose(beside, fused, rtol=1e-11)
    np.testing.assert_allclose(as_python, fused, rtol=1e-11)


def test_rows_in_any_order_are_scored_at_their_own_step():
    term = CASES["dense quadratic of the state"][0] + rewards.terminal(rewards.linear([1.0] * 3))
    generator = np.random.default_rng(3)
    states, next_states = generator.normal(size=(2, 500, 3))
    actions = generator.normal(size=(500, 2))
    steps = generator.integers(0, HORIZON, size=500)
    got = term(states, actions, next_states, steps=steps, horizon=HORIZON)
    for n in (0, 1, 250, 499):
        one = term(states[[n]], actions[[n]], next_states[[n]], steps=steps[[n]], horizon=HORIZON)
        assert got[n] == one[0]
        apart = states[n] - row(steps[n])
        last = next_states[n].sum() if steps[n] == HORIZON - 1 else 0.0
        assert got[n] == pytest.approx(-apart @ DENSE @ apart + last, rel=1e-12)


def test_a_varying_target_beats_a_constant_one_at_tracking():
    # s' = s + a: the best plan steps from target to target.
    states, actions = np.random.default_rng(0).normal(size=(2, 40, 1))
    model = dp.LinearGaussian.fit(dp.Transitions(states, actions, states + actions))
    targets = np.sin(0.7 * np.arange(1, 9))[:, None]
    plan = dp.CEM(horizon=8, iterations=20, clip=None).plan(
        model, rewards.quadratic([1.0], targets), [0.0], action_space=([-2.0], [2.0]), seed=0
    )
    np.testing.assert_allclose(plan.states[1:], targets, atol=0.02)


@pytest.mark.parametrize("threads", [1, 2])
def test_an_expensive_linear_quadratic_problem_keeps_its_varying_terms(threads):
    # Large enough for other coordinates, in which only terms that do not vary can be put.
    generator = np.random.default_rng(4)
    states, actions = generator.normal(size=(200, 12)), generator.normal(size=(200, 2))
    gain = generator.normal(size=(12, 12)) / 5
    model = dp.LinearGaussian.fit(dp.Transitions(states, actions, states @ gain + actions[:, :1]))
    targets = generator.normal(size=(10, 12))
    sequences = generator.uniform(-1, 1, size=(6000, 10, 2))
    constant = rewards.quadratic(np.eye(12), targets[0])
    for term in (
        rewards.quadratic(np.eye(12), targets),
        constant + rewards.quadratic(np.eye(12), targets),
        constant + rewards.terminal(constant),
        rewards.scheduled(constant, np.arange(10.0)),
        constant + rewards.action_cost([1.0, 1.0], target=targets[:, :2]),
    ):
        got = dp.returns(model, term, states[0], sequences, threads=threads)
        path = dp.rollout(model, states[0], sequences)
        expected = sum(
            term(
                path[:, t],
                sequences[:, t],
                path[:, t + 1],
                steps=np.full(6000, t),
                horizon=10,
            )
            for t in range(10)
        )
        np.testing.assert_allclose(got, expected, rtol=1e-9)
        plan = dp.CEM(horizon=10, threads=threads).plan(
            model, term, states[0], action_space=BOX, seed=0
        )
        value = dp.returns(model, term, states[0], plan.actions[None])[0]
        assert plan.value == pytest.approx(value, rel=1e-4)


def test_what_lacks_or_does_not_fit_is_said():
    varying = rewards.quadratic([1.0], [[0.0], [1.0]])
    one = [[0.0]]
    with pytest.raises(dp.ArgumentError, match="steps: got none, must be the step of each row"):
        varying(one, one, one)
    with pytest.raises(dp.ArgumentError, match="horizon: got none"):
        rewards.terminal(varying)(one, one, one, steps=[0])
    with pytest.raises(dp.ArgumentError, match="steps: got -1"):
        varying(one, one, one, steps=[-1])
    with pytest.raises(dp.ArgumentError, match="steps: got dtype float64"):
        varying(one, one, one, steps=[0.0])
    with pytest.raises(dp.ShapeError, match="steps"):
        varying(one, one, one, steps=[0, 1])
    with pytest.raises(TypeError, match="a parameter named `step`"):
        rewards.terminal(lambda s, a, n: n[:, 0])
    with pytest.raises(TypeError, match="must be a term"):
        rewards.scheduled(None, [1.0])
    with pytest.raises(dp.ArgumentError, match="weights: entry 0 is nan"):
        rewards.scheduled(varying, [np.nan])
    with pytest.raises(dp.ShapeError, match="weights"):
        rewards.scheduled(varying, [])
    with pytest.raises(dp.ShapeError, match="target"):
        rewards.quadratic([1.0, 1.0], np.zeros((5, 3)))
    with pytest.raises(dp.ShapeError, match=r"target: got shape \(1, 2, 1\)"):
        rewards.quadratic([1.0], np.zeros((1, 2, 1)))
    with pytest.raises(dp.ShapeError, match=r"target: got shape \(0, 1\)"):
        rewards.quadratic([1.0], np.zeros((0, 1)))
    with pytest.raises(dp.ArgumentError, match="target: row 1 is inf"):
        rewards.angle(1.0, index=0, target=[0.0, np.inf])
    # What does not vary needs no steps, and is not disturbed by them.
    constant = rewards.quadratic([1.0])
    assert constant(one, one, [[2.0]], steps=[3])[0] == constant(one, one, [[2.0]])[0] == -4.0


def test_functions_are_told_the_step_if_they_ask(model):
    seen = []

    def reward(obs, act, next_obs, *, step):
        seen.append(step)
        return -((next_obs - TARGETS[np.minimum(step, 3)]) ** 2).sum(axis=1)

    class Late:
        def __call__(self, obs, act, next_obs, step):
            return step >= 3

    actions = np.random.default_rng(1).uniform(-1, 1, size=(5, HORIZON, 2))
    got = dp.returns(model, reward, np.zeros(3), actions, termination=Late())
    assert seen[0].tolist() == list(range(HORIZON)) * 5
    expected = by_hand(
        model,
        np.zeros((5, 3)),
        actions[:, :4],
        lambda t, s, a, n: -((n - row(t)) ** 2).sum(axis=1),
    )
    np.testing.assert_allclose(got, expected, rtol=1e-12)
    path = dp.rollout(model, np.zeros(3), actions, termination=Late())
    assert (path[:, 4:] == path[:, 4:5]).all()
    assert (path[:, 4] != path[:, 3]).any()
    plan = dp.CEM(horizon=HORIZON).plan(model, reward, np.zeros(3), action_space=BOX, seed=0)
    same = dp.CEM(horizon=HORIZON).plan(
        model, rewards.quadratic([1.0] * 3, TARGETS), np.zeros(3), action_space=BOX, seed=0
    )
    assert plan.value == pytest.approx(same.value, rel=1e-3)


@given(
    rows=st.integers(1, 9),
    horizon=st.integers(1, 9),
    count=st.integers(1, 80),
    seed=st.integers(0, 9),
)
@settings(max_examples=25, deadline=None)
def test_a_schedule_is_a_sum_of_one_term_a_step(rows, horizon, count, seed):
    model = dp.LinearGaussian.fit(linear_system(60))
    generator = np.random.default_rng(seed)
    weights = generator.normal(size=rows)
    actions = generator.uniform(-1, 1, size=(count, horizon, 2))
    term = rewards.linear([1.0, -1.0, 0.5])
    got = dp.returns(model, rewards.scheduled(term, weights), np.ones(3), actions)
    path = dp.rollout(model, np.ones(3), actions)
    held = np.concatenate([weights, np.full(max(0, horizon - rows), weights[-1])])[:horizon]
    expected = (path[:, 1:] @ [1.0, -1.0, 0.5]) @ held
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9)
