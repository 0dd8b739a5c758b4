"""Delays of actions that data show: exact where they decide, and undecided where they do not."""

from __future__ import annotations

import numpy as np
import pytest

import dynaplan as dp


def late(delays: list[int], seed: int, *, rows: int = 400, noise: float = 0.1) -> dp.Transitions:
    """Two states, and an action for each delay."""
    rng = np.random.default_rng(seed)
    dynamics = np.array([[1.0, 0.1], [-0.2, 0.9]])
    pushes = rng.normal(size=(rows, len(delays)))
    gains = np.array([[0.0], [0.3]]) + 0.3 * rng.normal(size=(2, len(delays)))
    path = [np.zeros(2)]
    for row in range(rows):
        acting = [pushes[row - d, n] if row >= d else 0.0 for n, d in enumerate(delays)]
        path.append(dynamics @ path[-1] + gains @ acting + noise * rng.normal(size=2))
    states = np.array(path)
    return dp.Transitions(states[:-1], pushes, states[1:], episodes=np.zeros(rows, int))


@pytest.mark.parametrize("delay", range(6))
def test_delays_are_exact_under_noise(delay: int) -> None:
    found = [dp.estimate_delays(late([delay], seed)).delays for seed in range(20)]
    assert sum(one == (delay,) for one in found) >= 19
    assert all(one in {(delay,), (None,)} for one in found)


def test_each_action_has_its_own_delay() -> None:
    found = dp.estimate_delays(late([0, 3, 1], 1, rows=600))
    assert found.delays == (0, 3, 1)
    assert found.is_decided
    assert found.errors.shape == (3, 10)
    # All is known up to the delay, and less beyond.
    assert found.errors[1, :4].max() < 1.01
    assert found.errors[1, 4] > 1.2
    assert "action 1" in str(found)


def test_a_hidden_speed_needs_a_history() -> None:
    rng = np.random.default_rng(0)
    pushes, place, speed, path = rng.normal(size=500), 0.0, 0.0, [0.0]
    for row in range(500):
        push = pushes[row - 3] if row > 2 else 0.0
        place, speed = place + 0.1 * speed + 0.005 * push, speed + 0.1 * push
        path.append(place)
    seen = np.array(path)[:, None]
    data = dp.Transitions(seen[:-1], pushes[:, None], seen[1:], episodes=np.zeros(500, int))
    for actions in (0, 4):
        history = data.with_history(states=2, actions=actions)
        assert dp.estimate_delays(history).delays == (3,)


def test_actions_that_decide_nothing_are_undecided() -> None:
    data = late([2], 0)
    for actions, reason in (
        (np.ones((400, 1)), "never varies"),
        (np.sin(0.05 * np.arange(400.0))[:, None], "follow"),
        (np.random.default_rng(5).normal(size=(400, 1)), "no evident effect"),
    ):
        other = dp.Transitions(data.states, actions, data.next_states, episodes=np.zeros(400, int))
        found = dp.estimate_delays(other)
        assert found.delays == (None,)
        assert not found.is_decided
        assert reason in found.reasons[0]
        assert reason in str(found)


def test_feedback_alone_decides_nothing() -> None:
    rng = np.random.default_rng(0)
    state, rows = np.zeros(1), []
    for _ in range(300):
        action = -0.5 * state
        after = 0.9 * state + action + 0.1 * rng.normal(size=1)
        rows.append((state, action, after))
        state = after
    data = dp.Transitions(*map(np.array, zip(*rows, strict=True)))
    assert dp.estimate_delays(data).delays == (None,)


def test_discrete_actions_are_late_together() -> None:
    rng = np.random.default_rng(0)
    numbers, path = rng.integers(3, size=400), [0.0]
    for row in range(400):
        push = [-1.0, 0.0, 2.0][numbers[row - 2]] if row > 1 else 0.0
        path.append(0.9 * path[-1] + push + 0.1 * rng.normal())
    states = np.array(path)[:, None]
    data = dp.Transitions(states[:-1], numbers, states[1:], discrete_actions=3)
    assert dp.estimate_delays(data, 4).delays == (2, 2, 2)


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(dp.ArgumentError, match="data: got 32 rows that have 8"):
        dp.estimate_delays(late([1], 0)[:40])
    with pytest.raises(dp.ArgumentError, match="max_delay"):
        dp.estimate_delays(late([1], 0), 0)
    with pytest.raises(dp.ArgumentError, match="max_delay"):
        dp.estimate_delays(late([1], 0), 1001)
    with pytest.raises(TypeError, match="data"):
        dp.estimate_delays(np.zeros((3, 2)))
