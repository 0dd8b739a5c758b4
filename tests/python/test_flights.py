"""Measured data: flights of a quadrotor, where the file is given by DYNAPLAN_FLIGHTS."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest

import dynaplan as dp

STATES = ["omegax", "omegay", "omegaz", "pitch", "roll", "yaw", "linax", "linay", "linaz"]
ACTIONS = ["m1pwm", "m2pwm", "m3pwm", "m4pwm"]


@pytest.fixture(scope="module")
def columns():
    """3,812 transitions of 160 flights as they were logged; angles in degrees."""
    path = os.environ.get("DYNAPLAN_FLIGHTS")
    if not path:
        pytest.skip("DYNAPLAN_FLIGHTS does not name crazyflie_flights.csv")
    with Path(path).open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    table = np.array(rows, float)

    def columns(names):
        return table[:, [header.index(name) for name in names]]

    path = columns(STATES), columns(ACTIONS), columns([f"next_{name}" for name in STATES])
    return path, columns(["flight"])[:, 0].astype(int)


@pytest.fixture(scope="module")
def flights(columns):
    """The same, cut where packets were lost."""
    path, numbers = columns
    return dp.Transitions(*path, episodes=numbers, gaps="split")


def test_lost_packets_are_told_and_no_row_is_called_wild(columns, flights):
    path, numbers = columns
    with pytest.warns(dp.SuspectDataWarning) as told:
        data = dp.Transitions(*path, episodes=numbers)
    assert [str(one.message)[:31] for one in told] == ["next_states: 129 of 3652 rows d"]
    assert len(set(data.segments)) == len(flights.episode_slices) == 160 + 129
    np.testing.assert_array_equal(flights.groups, numbers)
    for seed in range(20):
        train, held_out = flights.split(0.2, seed=seed)
        assert not set(train.groups) & set(held_out.groups)


def test_the_doctor_finds_gaps_and_the_steps_that_took_two_periods(columns):
    path, numbers = columns
    with pytest.warns(dp.SuspectDataWarning):
        data = dp.Transitions(*path, episodes=numbers)
    found = {one.kind: one for one in dp.diagnose(data)}
    assert list(found) == ["lost_steps", "gaps"]
    assert found["gaps"].evidence.startswith("129 of 3652 rows do not end")
    assert found["lost_steps"].evidence.endswith("go as far as 2 of them in the median.")


def standardised_error(model, data, scale):
    error = (model.predict(data.states, data.actions).mean - data.next_states) / scale
    return np.sqrt((error**2).mean(axis=0)).mean()


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10))
def test_bands_cover_what_they_say_and_networks_beat_least_squares(flights, seed):
    train, test = flights.split(0.2, seed=seed)
    fitted, held_out = train.split(0.12, seed=100 + seed)
    model = dp.Ensemble.fit(fitted, held_out=held_out, seed=seed, threads=2)
    scale = (train.next_states - train.states).std(axis=0)
    linear = dp.LinearGaussian.fit(train)
    assert standardised_error(model, test, scale) < 0.97 * standardised_error(linear, test, scale)
    prediction = model.predict(test.states, test.actions)
    band = 1.6449 * np.sqrt(prediction.aleatoric + prediction.epistemic)
    inside = np.abs(test.next_states - prediction.mean) <= band
    assert 0.87 <= inside.mean() <= 0.93
