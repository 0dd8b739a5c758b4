"""Rewards of a path, beside NumPy, and drives along one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dynaplan as dp
from reference.paths import nearest

BEND = [[0.0, 0.0], [4.0, 0.0], [7.0, 4.0]]  # 4 + 5 long
numbers = st.floats(-3.0, 3.0)
points = st.lists(st.tuples(numbers, numbers), min_size=1, max_size=5)


@given(path=points, point=st.tuples(numbers, numbers))
def test_the_error_is_the_squared_distance(path, point):
    term = dp.rewards.path_error(1.5, indices=[0, 1], path=path)
    expected = -1.5 * nearest(path, point)[0] ** 2
    np.testing.assert_allclose(term([point], [[0.0]], [point]), [expected], atol=1e-9)


@pytest.mark.parametrize(
    ("before", "after", "gained"),
    [
        ((1.0, 0.3), (2.5, -0.3), 1.5),
        ((3.0, 0.0), (4.0 + 0.6, 0.8), 2.0),  # round the bend
        ((9.0, 9.0), (8.0, 9.0), 0.0),  # beyond the end
        ((-5.0, 1.0), (1.0, 1.0), 1.0),  # from before the beginning
        ((2.0, 0.0), (1.0, 0.0), -1.0),
    ],
)
def test_progress_is_the_length_between_the_nearest_points(before, after, gained):
    term = dp.rewards.path_progress(2.0, indices=[1, 0], path=np.flip(BEND, axis=1))
    np.testing.assert_allclose(term([before], [[0.0]], [after]), [2.0 * gained], atol=1e-12)
    lengths = [nearest(BEND, point)[1] for point in (before, after)]
    assert lengths[1] - lengths[0] == pytest.approx(gained)


@pytest.mark.parametrize(
    "planner", [dp.ICEM(horizon=20, candidates=100), dp.ILQR(horizon=20, clip=None)]
)
def test_a_mass_is_driven_along_a_path(planner):
    move = np.kron([[1.0, 0.1], [0.0, 1.0]], np.eye(2))
    push = np.kron([[0.005], [0.1]], np.eye(2))
    reward = (
        dp.rewards.path_progress(1.0, indices=[0, 1], path=BEND)
        + dp.rewards.path_error(5.0, indices=[0, 1], path=BEND)
        + dp.rewards.quadratic([0.0, 0.0, 0.02, 0.02])
        + dp.rewards.action_cost([0.001, 0.001])
    )
    model = dp.LinearModel(move, push)
    mpc = dp.MPC(model, reward, planner, action_space=([-5.0] * 2, [5.0] * 2), seed=0)
    state, errors = np.array([0.0, 0.2, 0.0, 0.0]), []
    for _ in range(60):
        state = move @ state + push @ mpc.act(state)
        errors.append(nearest(BEND, state[:2])[0])
    assert nearest(BEND, state[:2])[1] > 8.0
    assert max(errors[10:]) < 0.3


def test_nothing_is_as_near_as_a_state_that_is_not_finite():
    term = dp.rewards.path_error(1.0, indices=[0, 1], path=BEND)
    rows = [[np.nan, 0.0], [np.inf, 0.0], [1e200, 0.0]]
    assert not np.isfinite(term(rows, [[0.0]] * 3, rows)).any()
    tube = dp.constraints.inside_tube(1.0, indices=[0, 1], path=BEND)
    assert not (tube(rows, [[0.0]] * 3, rows) <= 0.0).any()
