"""What differences between models are more than chance: units, draws and the rule of the choice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynaplan.rollouts.choice import chosen_of
from dynaplan.rollouts.paired_errors import ModelErrors, drawn_units, units_of


@given(sizes=st.lists(st.integers(1, 60), min_size=1, max_size=90), steps=st.integers(1, 50))
def test_units_are_groups_or_pieces_of_them_and_long_enough(sizes, steps):
    ids = np.repeat(np.arange(len(sizes)) * 3 - 5, sizes)
    units = units_of(ids, steps)
    found = np.bincount(units)
    assert (found > 0).all()
    assert len(found) <= 64
    assert (np.diff(units) >= 0).all()  # pieces follow each other
    if len(sizes) >= 5:
        for size in np.split(units, np.cumsum(sizes)[:-1]):
            assert len(set(size)) == 1  # no group is cut
        return
    for group, size in zip(np.split(units, np.cumsum(sizes)[:-1]), sizes, strict=True):
        lengths = np.unique(group, return_counts=True)[1]
        assert lengths.min() >= min(steps, size)
        assert lengths.max() - lengths.min() <= 1
    assert len(found) <= 16 + len(sizes)


def test_units_of_groups_whose_rows_are_apart():
    ids = np.array([7, 7, 3, 3, 7, 7, 3, 3])
    np.testing.assert_array_equal(units_of(ids, 2), [0, 0, 2, 2, 1, 1, 3, 3])


def errors_of(*squares):
    """One start in each unit, one step ahead; the change is 1."""
    size = np.sqrt(np.array(squares, float))[:, None]
    change = np.ones_like(size)
    return ModelErrors.of(size, change, np.ones(size.shape, bool), np.arange(len(size)))


def test_the_error_is_the_mean_of_the_ratios_of_the_units_by_their_starts():
    # Three starts in two units; the last reaches one step only.
    size = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 0.0]])
    change = np.array([[4.0, 3.0], [2.0, 6.0], [10.0, 0.0]])
    reached = np.array([[True, True], [True, True], [True, False]])
    found = ModelErrors.of(size, change, reached, np.array([0, 0, 1]))
    first, second = (1.0 + 9.0) / (16.0 + 4.0), (4.0 + 16.0) / (9.0 + 36.0)
    assert found.error == pytest.approx(np.sqrt(((2.0 * first + 0.25) / 3.0 + second) / 2.0))
    # Of the second unit alone nothing is known of the second step.
    assert found.square(np.array([[0.0, 3.0]]))[0] == pytest.approx(0.25)
    assert found.square(np.array([[2.0, 1.0]]))[0] == pytest.approx(
        ((4.0 * first + 0.25) / 5.0 + second) / 2.0
    )


def test_a_unit_counts_as_2_at_most_and_beyond_100_spreads_a_model_runs_away():
    size = np.array([[0.5], [1.2], [np.inf], [101.0]])
    found = ModelErrors.of(size, np.ones((4, 1)), np.ones((4, 1), bool), np.arange(4))
    assert found.error == pytest.approx(np.sqrt((0.25 + 1.44 + 2.0 + 2.0) / 4.0))
    assert found.run_away == 0.5


def test_a_system_at_rest_has_no_error_for_rounding():
    size = np.array([[1e-12], [0.0], [1e-3]])
    found = ModelErrors.of(size, np.zeros((3, 1)), np.ones((3, 1), bool), np.arange(3))
    np.testing.assert_allclose(found.sums[:, 0], [1e-12, 0.0, 2.0])


def choice_of(models, baselines=None):
    units = np.arange(len(next(iter(models.values()))))
    baselines = baselines or {"still": [1.9] * len(units)}
    return chosen_of(
        {name: errors_of(*squares) for name, squares in models.items()},
        {name: errors_of(*squares) for name, squares in baselines.items()},
        list(models),
        drawn_units(units, 0),
    )


def test_a_model_that_is_worse_in_every_unit_is_never_taken_for_being_simple():
    found = choice_of({"simple": (0.51, 1.01), "best": (0.5, 1.0)})
    assert (found.chosen, found.as_good) == ("best", {"simple": 0.0, "best": 1.0})
    assert choice_of({"simple": (1.3, 0.9), "best": (1.0, 1.0)}).chosen == "simple"


def test_the_chance_of_being_as_good_is_that_of_all_draws_of_two_units():
    # Both units, twice the first, twice the second: 1/2, 1/4, 1/4; as good only in the last.
    found = choice_of({"simple": (1.3, 0.9), "best": (1.0, 1.0)})
    assert found.as_good["simple"] == pytest.approx(0.25, abs=0.05)


def test_nothing_is_taken_that_is_not_better_than_every_baseline():
    models = {"simple": (0.9, 0.9, 0.9), "best": (0.5, 0.5, 0.5)}
    assert choice_of(models, {"still": (1.0, 1.0, 1.0)}).chosen == "best"
    other = choice_of(models, {"still": (1.0, 1.0, 1.0), "mean": (0.4, 0.6, 0.5)})
    assert (other.chosen, other.best) == (None, "best")
    assert "than the prediction 'mean' (error 0.707; the best, best, has 0.707)" in other.reason


def test_where_the_simplest_owes_to_chance_the_best_is_tried_against_the_baselines():
    # Better than the best in one of three units, and worse than the baseline in another.
    models = {"simple": (1.8, 0.1, 0.9), "best": (0.8, 0.8, 0.8)}
    found = choice_of(models, {"still": (1.0, 1.0, 1.0)})
    assert found.as_good["simple"] > 0.1
    assert found.chosen == "best"


def test_errors_of_rounding_are_all_the_same():
    assert choice_of({"simple": (1e-14, 1e-14), "best": (1e-28, 1e-28)}).chosen == "simple"


def test_of_a_single_unit_there_are_no_draws():
    draws = drawn_units(np.zeros(5, int), 0)
    assert draws.drawn is None
    assert draws.interval(errors_of(1.0)) is None
    found = choice_of({"simple": (1.2,), "best": (1.0,)}, {"still": (1.5,)})
    assert found.chosen == "simple"
    assert "the simplest within 10 % of the smallest error, which is that of best" in found.reason
    assert choice_of({"simple": (1.22,), "best": (1.0,)}, {"still": (1.5,)}).chosen == "best"
    assert choice_of({"best": (1.0,)}, {"still": (1.2,)}).chosen is None
