"""What a finding of `diagnose` says: its rows, columns and evidence, and a cure that works."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import dynaplan as dp
from clean_logs import SYSTEMS, clean_log
from dynaplan import errors


def test_a_shift_is_told_by_its_rows_and_cured_by_its_cut() -> None:
    log = clean_log("oscillator", 0, count=300, length=300)
    late = dp.Transitions(log.states[:-3], log.actions[3:], log.next_states[:-3])
    late = dp.Transitions(*_arrays(late), episodes=np.zeros(297, int))
    finding = dp.diagnose(late).findings[0]
    assert (finding.kind, finding.severity) == ("shifted_actions", "error")
    assert finding.evidence.startswith("action 0 explains the changes of the states 3 rows later:")
    assert "states[3:], actions[:-3], next_states[3:]" in finding.cure
    assert "MPC(delay_steps=3)" in finding.cure
    states, actions, next_states = _arrays(late)
    cured = dp.Transitions(states[3:], actions[:-3], next_states[3:], episodes=np.zeros(294, int))
    assert dp.diagnose(cured).kinds == ()


def test_only_the_action_that_is_late_is_named() -> None:
    log = clean_log("linear", 0, count=2000, length=100, actions=3)
    log.actions[:-2, 1] = log.actions[2:, 1].copy()
    kept = np.arange(2000) % 100 < 98
    finding = dp.diagnose(log.rows(kept).transitions()).findings[0]
    assert finding.kind == "shifted_actions"
    assert finding.columns == (("actions", 1),)
    assert "2 rows later" in finding.evidence


@pytest.mark.parametrize(("period", "name"), [(2 * np.pi, "(2 pi)"), (360.0, "(360)"), (24.0, "")])
def test_the_period_of_a_wrapped_angle_is_estimated(period: float, name: str) -> None:
    log = clean_log("linear", 0, length=300)
    turns = np.cumsum(0.03 + 0.01 * np.sin(np.arange(len(log.states) + 1) / 9.0))
    angle = period * (turns % 1.0 - 0.5)
    log.episodes[:] = 0
    log.next_states[:-1] = log.states[1:]
    data = log.with_state(angle[:-1], angle[1:]).transitions()
    finding = next(one for one in dp.diagnose(data) if one.kind == "wrapped_angle")
    found = float(re.findall(r"period of ([\d.]+)", finding.evidence)[0])
    assert found == pytest.approx(period, rel=0.005)
    assert finding.evidence.endswith(f"{name}, wrapped.") or not name
    np.testing.assert_array_equal(finding.rows, np.flatnonzero(np.diff(angle) < -0.5 * period))


@pytest.mark.parametrize("period", [2 * np.pi, np.pi, 360.0, 180.0, 24.0])
@pytest.mark.parametrize("low", [-0.5, 0.0, -0.25, 0.1])
def test_the_cure_of_a_wrapped_angle_is_taken_as_it_is_printed(period: float, low: float) -> None:
    log = clean_log("linear", 0, length=300)
    turns = np.cumsum(0.03 + 0.01 * np.sin(np.arange(len(log.states) + 1) / 9.0))
    angle = period * (turns % 1.0 + low)
    log.episodes[:] = 0
    log.next_states[:-1] = log.states[1:]
    log = log.with_state(angle[:-1], angle[1:])
    cure = next(one.cure for one in dp.diagnose(log.transitions()) if one.kind == "wrapped_angle")
    printed = re.search(r"Transitions\(angles=(.*?)\), so", cure)
    assert printed is not None
    cured = log.transitions(angles=eval(printed[1], {"np": np}))  # as a user would
    assert cured.angles.period[0] == pytest.approx(period, rel=0.005)
    assert "wrapped_angle" not in dp.diagnose(cured).kinds


def test_a_wild_value_of_a_named_column_is_told_by_its_place() -> None:
    log = clean_log("linear", 0)
    log.actions[250, 1] = 1e5
    names = [f"the state of number {number}" for number in range(log.states.shape[1])]
    with pytest.warns(errors.SuspectDataWarning):
        data = log.transitions(state_names=names)
    wild = next(one for one in dp.diagnose(data) if one.kind == "wild_values")
    assert wild.columns == (("actions", 1),)


def test_rows_of_a_finding_are_those_planted() -> None:
    log = clean_log("linear", 0)
    log.states[250, 2] = 1e5
    with pytest.warns(errors.SuspectDataWarning):
        wild = dp.diagnose(log.transitions())
    assert [one.rows.tolist() for one in wild if one.kind == "wild_values"] == [[250]]
    twice = clean_log("linear", 0).rows(np.sort([*range(600), 5, 99, 400, 401]))
    found = dp.diagnose(twice.transitions(gaps="ignore"))
    rows = next(one.rows for one in found if one.kind == "duplicate_rows")
    np.testing.assert_array_equal(rows, [6, 101, 403, 405])


def test_lost_steps_are_found_where_rows_were_lost() -> None:
    log = clean_log("pendulum", 0, count=1000)
    lost = np.flatnonzero(np.arange(1000) % 100 == 50)
    kept = np.delete(np.arange(1000), lost)
    log = log.rows(kept)
    inside = log.episodes[1:] == log.episodes[:-1]
    log.next_states[:-1][inside] = log.states[1:][inside]
    finding = dp.diagnose(log.transitions()).findings[0]
    assert finding.kind == "lost_steps"
    assert set(finding.rows) <= set(np.searchsorted(kept, lost) - 1)
    steps = float(re.findall(r"as far as ([\d.]+) of them", finding.evidence)[0])
    assert steps == pytest.approx(2.0, abs=0.5)  # of speeds that change from step to step


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_log_in_one_piece_is_cut_at_its_resets(system: str) -> None:
    log = clean_log(system, 5, spread=1.0 if system == "pendulum" else 8.0, length=30)
    log.next_states[:-1] = log.states[1:]
    finding = dp.diagnose(log.transitions(episodes=None)).findings[0]
    assert finding.kind == "seams"
    resets = np.arange(29, 599, 30)
    assert set(finding.rows) <= set(resets)
    assert len(finding.rows) >= 0.8 * len(resets)  # others lead no further than a step
    data = log.transitions(episodes=None)
    cured = data[np.delete(np.arange(len(data)), finding.rows)]
    assert "seams" not in dp.diagnose(cured).kinds


def _arrays(data: dp.Transitions) -> tuple[Any, Any, Any]:
    return data.states, data.actions, data.next_states
