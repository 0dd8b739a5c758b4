"""The page on the choice of a model: its table is what the script makes, of true numbers."""

from __future__ import annotations

import re

import numpy as np
import pytest
from bench import choosing_a_model as script

import dynaplan as dp


def page_rows():
    text = script.PAGE.read_text(encoding="utf-8").partition(script.BEGIN)[2]
    lines = text.partition(script.END)[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_page_has_a_row_for_each_system_and_what_was_chosen_is_bold():
    head, _, *rows = page_rows()
    assert head == ["system", "rows", *script.KINDS, "chosen"]
    assert [row[0] for row in rows] == [system.name for system in script.SYSTEMS]
    for row, system in zip(rows, script.SYSTEMS, strict=True):
        assert row[1] == f"{system.episodes * system.rows:,}"
        bold = [kind for kind, cell in zip(script.KINDS, row[2:-1], strict=True) if "**" in cell]
        assert bold == ([] if row[-1] == "none" else [row[-1]])
        for cell in row[2:-1]:
            assert re.fullmatch(r"-|runs away|(\*\*)?\d[\d.e-]*(\*\*)?", cell)


def test_the_error_of_a_free_run_is_that_of_a_plain_loop():
    system = script.SYSTEMS[0]
    model = dp.LinearGaussian.fit(system.record(4, 30, 0))
    fresh = system.record(3, 20, 1)
    squares = []
    for episode in fresh.episode_slices:
        state = fresh.states[episode.start]
        for row in range(episode.start, episode.stop):
            state = model.predict(state, fresh.actions[row]).mean[0]
            squares.append(((state - fresh.next_states[row]) / fresh.states.std(axis=0)) ** 2)
    assert script.free_run_error(model, fresh) == pytest.approx(np.sqrt(np.mean(squares)))
    away = dp.FunctionModel(lambda s, a: 1e3 * s, 2, 1)
    assert script.free_run_error(away, fresh) > 1e50


def test_a_row_of_the_table():
    row = script.Row("a", 1200, {"linear": 0.1234, "quadratic": np.inf, "MLP": 0.002}, "MLP")
    line = script.table([row]).splitlines()[-1]
    assert line == "| a | 1,200 | 0.12 | runs away | - | - | **0.002** | - | - | MLP |"


@pytest.mark.long
@pytest.mark.parametrize("system", script.SYSTEMS, ids=lambda system: system.name)
def test_what_is_chosen_is_near_to_the_best_on_fresh_episodes(system):
    row = script.measured(system)
    if system.name == "random walk":
        assert row.chosen is None
        return
    # Over four other seeds of all systems the largest factor was below 2, mostly 1.
    assert row.errors[row.chosen] < 2.0 * min(row.errors.values())
