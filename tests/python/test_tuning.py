"""Tuning: the choice fits the period as measured, and is the best of those that do."""

from __future__ import annotations

import numpy as np
import pytest

import dynaplan as dp
from reference.systems import scalar_model

ARGUMENTS = {"action_space": ([-1.0], [1.0]), "states": [[1.0], [-0.5]], "time_limit": 0.2}
COST = dp.rewards.quadratic([1.0]) + dp.rewards.action_cost([0.1])


def test_the_choice_fits_the_period_and_is_the_best_that_does():
    found = dp.tune(0.02, scalar_model(1.1), COST, horizons=(3, 10), iterations=(1, 3), **ARGUMENTS)
    assert [(t.planner.horizon, t.planner.iterations) for t in found.trials] == [
        (3, 1),
        (3, 3),
        (10, 1),
        (10, 3),
    ]
    fitting = [trial for trial in found.trials if not np.isnan(trial.value)]
    assert fitting
    assert all(trial.slowest <= 0.7 * 0.02 for trial in fitting)
    best = max(fitting, key=lambda trial: trial.value)
    assert found.planner is best.planner
    assert "<- chosen" in str(found)
    assert str(found).count("\n") == 5


@pytest.mark.parametrize("planner", [dp.CEM(), dp.MPPI(), dp.RandomShooting()])
def test_other_planners_are_sized_too(planner):
    found = dp.tune(
        0.05, scalar_model(), COST, planner=planner, horizons=(4,), iterations=(2,), **ARGUMENTS
    )
    assert type(found.planner) is type(planner)
    assert found.planner.horizon == 4


def test_a_longer_period_has_room_for_more_candidates():
    sizes = [
        dp.tune(
            period, scalar_model(), COST, horizons=(20,), iterations=(3,), **ARGUMENTS
        ).planner.candidates
        for period in (0.002, 0.02)
    ]
    assert sizes[1] > 2 * sizes[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"period": 0.0}, "period: got 0.0"),
        ({"period": 1e-7}, "period: got 1e-07, must be longer"),
        ({"share": 1.5}, "share: got 1.5"),
        ({"time_limit": -1.0}, "time_limit: got -1.0"),
        ({"horizons": ()}, "horizons"),
        ({"states": [[np.nan]]}, "state"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments, message):
    call = {"period": 0.01, "horizons": (3,), "iterations": (1,)} | ARGUMENTS | arguments
    with pytest.raises(dp.ArgumentError, match=message):
        dp.tune(call.pop("period"), scalar_model(), COST, **call)
