"""Least squares on actions that are held for many steps and are states too, as in lagged logs."""

from __future__ import annotations

import numpy as np
import pytest

import dynaplan as dp


def lagged(held: int, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A tank's level at two steps and the action before, which is held; next states are exact."""
    generator = np.random.default_rng(rows + held)
    action = np.repeat(generator.uniform(0.0, 3.2, rows // held + 2), held)[: rows + 2]
    level = np.ones(rows + 2)
    for t in range(rows + 1):
        level[t + 1] = level[t] + 0.1 * action[t] - 0.15 * np.sqrt(max(level[t], 0.0))
    states = np.column_stack([level[1:-1], level[:-2], action[:-2]])
    following = np.column_stack([level[2:], level[1:-1], action[1:-1]])
    return states, action[1:-1, None], following


# Levels so near to each other may be told to depend on each other.
@pytest.mark.filterwarnings("ignore::dynaplan.RankDeficientWarning")
@pytest.mark.parametrize("held", [10, 20, 40])
@pytest.mark.parametrize("rows", [600, 2000, 5000])
@pytest.mark.parametrize("degree", [1, 2])
def test_inputs_that_differ_at_few_rows_alone(held, rows, degree):
    # Among evenly spaced rows the action before may never differ from the action.
    states, actions, following = lagged(held, rows)
    data = dp.Transitions(states, actions, following, gaps="ignore")
    model = dp.LinearGaussian.fit(data, features=dp.Polynomial(degree))
    inputs = np.column_stack([states, actions, np.ones(rows)])
    if degree == 2:
        pairs = [inputs[:, i] * inputs[:, j] for i in range(5) for j in range(i, 5)]
        inputs = np.column_stack(pairs)
    fitted = inputs @ np.linalg.lstsq(inputs, following, rcond=None)[0]
    np.testing.assert_allclose(model.predict(states, actions).mean, fitted, atol=1e-8)
