"""The program that simulates beside other packages: its table, its lags, its free runs."""

from __future__ import annotations

import re

import numpy as np
import pytest
from bench import simulation_error as script

import dynaplan as dp


def test_the_page_has_a_row_for_each_system():
    text = script.PAGE.read_text(encoding="utf-8").partition(script.BEGIN)[2]
    lines = text.partition(script.END)[0].splitlines()
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    assert head == ["system", "dynaplan `select`", *script.METHODS, "SysIdentPy"]
    assert [row[0] for row in rows] == list(script.SYSTEMS)
    for row in rows:
        assert re.fullmatch(r"\d[\d.e-]*, \w+", row[1])
        assert all(re.fullmatch(r"runs away|\d[\d.e-]*", cell) for cell in row[2:])


@pytest.mark.parametrize("name", script.SYSTEMS)
def test_logs_are_bounded_and_depend_on_the_seed_alone(name):
    inputs, outputs = script.SYSTEMS[name](np.random.default_rng(0), 200)
    again = script.SYSTEMS[name](np.random.default_rng(0), 200)
    np.testing.assert_array_equal(outputs, again[1])
    assert inputs.shape == outputs.shape == (200,)
    assert 0.0 < outputs.std() < 10.0


def test_a_free_run_is_that_of_a_fit_to_the_same_lags():
    log, fresh = (script.wiener_hammerstein(np.random.default_rng(seed), 300) for seed in (0, 1))
    by_numpy = script.simulated(script.linear(*log), *fresh)

    def lags(inputs, outputs):
        states, actions = outputs[:-1, None], inputs[1:, None]
        data = dp.Transitions(states, actions, outputs[1:, None], episodes=np.zeros(299, int))
        return data.with_history(states=2, actions=2)

    model, data = dp.LinearGaussian.fit(lags(*log), intercept=True), lags(*fresh)
    path = dp.rollout(model, data.states[:1], data.actions[None])[0, 1:, 0]
    assert script.error_of(np.r_[fresh[1][:3], path], fresh[1]) == pytest.approx(by_numpy, rel=1e-6)


def test_settings_are_chosen_on_the_last_fifth():
    log = script.duffing(np.random.default_rng(0), 300)
    seen = []

    def maker(constant):
        def make(inputs, outputs):
            seen.append(len(inputs))
            return lambda lags: constant

        return make

    chosen = script.best_of([maker(1e3), maker(0.0)], *log)
    assert (seen, chosen(np.zeros(6))) == ([240, 240], 0.0)
