"""`diagnose` finds what was planted in logs, says nothing of clean ones, and prints well."""

from __future__ import annotations

import copy
import pickle
import re
import warnings
from collections import Counter
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import dynaplan as dp
from clean_logs import EXCITATIONS, SYSTEMS, clean_log, settings_of
from dynaplan.reports.doctor.findings import KINDS
from planted_faults import FAULTS, planted

SPLIT = ("leakage", "outside_range")


def seeds_of(kind: str) -> Any:
    """Two seeds for each kind, of two systems, other ones for each kind."""
    first = list(FAULTS).index(kind)
    return [(SYSTEMS[(first + seed) % 4], seed) for seed in (0, 1)]


@pytest.mark.parametrize("kind", FAULTS)
def test_a_planted_fault_is_found_with_evidence_and_a_cure(kind: str) -> None:
    for system, seed in seeds_of(kind):
        data, more = planted(kind, system, seed)
        found = dp.diagnose(data, **more)
        assert kind in found.kinds, (system, seed)
        for finding in found:
            assert finding.kind in KINDS
            assert finding.severity in {"error", "warning", "note"}
            assert re.search(r"\d", finding.evidence), finding.evidence
            assert finding.evidence.endswith(".")
            assert finding.cure[0].isupper()
            assert finding.cure.endswith(".")
            assert finding.columns or finding.rows.size or finding.kind in {"few_rows", "rewards"}


def test_every_kind_is_planted() -> None:
    assert tuple(FAULTS) == KINDS


def alarms(system: str, seed: int, **settings: Any) -> list[str]:
    """What is said of a clean log, as a whole and as a split."""
    data = clean_log(system, seed, **{**settings_of(seed), **settings}).transitions()
    train, held_out = data.split(0.25, seed=seed)
    whole = dp.diagnose(data, time=0.02 * np.arange(len(data)))
    split = dp.diagnose(train, held_out)
    return [*whole.kinds, *(kind for kind in split.kinds if kind in SPLIT)]


@pytest.mark.parametrize("system", SYSTEMS)
def test_nothing_is_said_of_clean_logs(system: str) -> None:
    # 20 logs in all; of the rates see the long test below.
    assert [alarms(system, seed) for seed in range(5)] == [[]] * 5


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.filterwarnings("ignore::dynaplan.SuspectDataWarning")
def test_19_of_20_faults_of_each_kind_are_found_in_each_system() -> None:
    rates = {}
    for kind in FAULTS:
        for system in SYSTEMS:
            hits = 0
            for seed in range(20):
                data, more = planted(kind, system, seed)
                hits += kind in dp.diagnose(data, **more).kinds
            rates[kind, system] = hits / 20
    print()
    for kind in FAULTS:
        print(f"{kind:20}", *(f"{system} {rates[kind, system]:4.0%}" for system in SYSTEMS))
    assert min(rates.values()) >= 0.95


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_at_most_one_clean_log_in_20_raises_an_alarm() -> None:
    rates: dict[tuple[str, int], float] = {}
    kinds: Counter[str] = Counter()
    for system in SYSTEMS:
        for count in (300, 600, 2000, 20_000):
            seeds = range(20 if count < 20_000 else 10)
            raised = []
            for seed in seeds:
                raised.append(alarms(system, seed, count=count))
                kinds.update(raised[-1])
            rates[system, count] = sum(map(bool, raised)) / len(seeds)
    print()
    for (system, count), rate in rates.items():
        print(f"{system:10} {count:6} rows: {rate:4.0%}")
    print(dict(kinds))
    assert np.mean(list(rates.values())) <= 0.05
    assert len(EXCITATIONS) * 2 <= 20  # each, wide and narrow, was seen in each system


# --- the environments of Gymnasium


@pytest.mark.parametrize("name", ["Pendulum-v1", "MountainCarContinuous-v0", "CartPole-v1"])
def test_what_is_collected_from_environments_is_clean(name: str) -> None:
    for seed in range(2):
        data = dp.collect(gym.make(name), steps=600, seed=seed, episode_steps=100)
        found = [one for one in dp.diagnose(data) if one.kind != "rewards"]
        assert found == [], (seed, [str(one) for one in found])


def test_discrete_actions_are_one_choice() -> None:
    data = dp.collect(gym.make("CartPole-v1"), steps=600, seed=0)
    found = dp.diagnose(data)
    assert found.kinds == ("rewards",)  # 1 in every step
    assert dict(found.passed_over)["closed_loop"] == "actions are discrete"
    late = dp.Transitions(
        data.states[:-1], data.actions[1:], data.next_states[:-1], episodes=data.episodes[:-1]
    )
    kept = late.episodes[:-1] == late.episodes[1:]
    finding = next(one for one in dp.diagnose(late[:-1][kept]) if one.kind == "shifted_actions")
    assert finding.columns == (("actions", 0), ("actions", 1))
    assert "1 row later" in finding.evidence


# --- what it does not depend on


@pytest.mark.parametrize("kind", [kind for kind in FAULTS if kind not in (*SPLIT, "units")])
def test_findings_depend_on_no_unit_and_no_offset(kind: str) -> None:
    data, more = planted(kind, "oscillator", 1)
    unit = 2.0**-30  # by which nothing is rounded
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dp.SuspectDataWarning)
        same = dp.Transitions(
            unit * data.states,
            data.actions * unit,
            unit * data.next_states,
            data.rewards,
            data.terminations,
            data.episodes,
        )
        assert dp.diagnose(same, **more).kinds == dp.diagnose(data, **more).kinds
        assert str(dp.diagnose(data, **more)) == str(dp.diagnose(data, **more))


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_clean_log_far_from_the_origin_is_clean(system: str) -> None:
    for offset, unit in ((1e9, 1.0), (-1e-6, 1e-9), (0.0, 1e200), (0.0, 1e-200)):
        log = clean_log(system, 0)
        log.states, log.next_states = (
            unit * values + offset for values in (log.states, log.next_states)
        )
        assert dp.diagnose(log.transitions()).kinds in {(), ("units",)}


@pytest.mark.parametrize("degrees", [1.0, 3.0])
@pytest.mark.parametrize("states", [1, 2, 5])
def test_heavy_tails_of_the_process_are_no_fault(states: int, degrees: float) -> None:
    for seed in range(3):
        rng = np.random.default_rng(seed)
        path, actions = np.zeros((801, states)), rng.normal(size=(800, 1))
        for row in range(800):
            noise = 0.1 * rng.standard_t(degrees, states)
            path[row + 1] = 0.9 * path[row] + 0.3 * actions[row] + noise
        assert dp.diagnose(dp.Transitions(path[:-1], actions, path[1:])).kinds == ()


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("dither", [0.03, 0.1, 0.3, 1.0])
def test_feedback_with_noise_is_no_shift(seed: int, dither: float) -> None:
    rng = np.random.default_rng(seed)
    transition, effect = np.array([[1.0, 0.1], [-0.2, 0.95]]), np.array([0.0, 0.1])
    state, path, actions = np.zeros(2), [], []
    for _ in range(1500):
        action = -state @ [2.0, 3.0] + dither * rng.normal()
        path.append(state)
        actions.append([action])
        state = transition @ state + effect * action + 0.02 * rng.normal(size=2)
    data = dp.Transitions(path, actions, [*path[1:], state], episodes=np.zeros(1500, int))
    assert "shifted_actions" not in dp.diagnose(data).kinds


def test_a_counter_is_no_rounded_sensor() -> None:
    log = clean_log("linear", 0, length=600)
    log.episodes[:] = 0
    log.next_states[:-1] = log.states[1:]
    count = np.arange(len(log.states) + 1.0)
    assert dp.diagnose(log.with_state(count[:-1], count[1:]).transitions()).kinds == (
        "time_column",
    )


def test_states_that_are_choices_settings_or_levels_by_nature_are_no_fault() -> None:
    log = clean_log("oscillator", 0, length=100)
    rng = np.random.default_rng(0)
    goal = rng.normal(size=6)[log.episodes]
    assert dp.diagnose(log.with_state(goal, goal).transitions()).kinds == ()
    touches = [(values[:, 0] > 0.0).astype(float) for values in (log.states, log.next_states)]
    assert dp.diagnose(log.with_state(*touches).transitions()).kinds == ()
    drift = np.cumsum(1.0 + 0.05 * rng.normal(size=601))
    assert dp.diagnose(log.with_state(drift[:-1], drift[1:]).transitions()).kinds == ()
    cells = rng.integers(0, 5, (601, 2)).astype(float)
    assert dp.diagnose(dp.Transitions(cells[:-1], log.actions, cells[1:])).kinds == ()


def test_float32_is_no_fault() -> None:
    for system in SYSTEMS:
        log = clean_log(system, 3)
        log.states, log.actions, log.next_states = (
            values.astype(np.float32) for values in (log.states, log.actions, log.next_states)
        )
        assert dp.diagnose(log.transitions()).kinds == ()


# --- few rows, odd rows


@pytest.mark.parametrize("count", [1, 2, 3, 5, 10, 40, 100])
def test_any_number_of_rows_is_looked_at(count: int) -> None:
    rng = np.random.default_rng(count)
    for states, actions in ((1, 1), (3, 2), (17, 6)):
        data = dp.Transitions(
            rng.normal(size=(count, states)),
            rng.normal(size=(count, actions)),
            rng.normal(size=(count, states)),
        )
        assert set(dp.diagnose(data, data).kinds) <= {"few_rows", "leakage"}
        still = dp.Transitions(*(np.ones((count, width)) for width in (states, actions, states)))
        assert "leakage" not in dp.diagnose(still).kinds


def test_shuffled_rows_are_episodes_of_one_row_each() -> None:
    log = clean_log("pendulum", 0)
    order = np.random.default_rng(0).permutation(len(log.states))
    shuffled = log.rows(order)
    data = dp.Transitions(shuffled.states, shuffled.actions, shuffled.next_states)
    found = dp.diagnose(data)
    assert found.kinds == ()
    assert dict(found.passed_over)["shifted_actions"] == "too few rows that follow each other"


def test_numbers_at_the_ends_of_float64_are_looked_at() -> None:
    largest = np.finfo(np.float64).max
    for size in (largest, 5e-324, 1e300):
        rng = np.random.default_rng(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dp.SuspectDataWarning)
            data = dp.Transitions(*(size * rng.uniform(-1, 1, (200, 2)) for _ in range(3)))
            dp.diagnose(data, data)


@pytest.mark.long
def test_five_million_rows_take_seconds() -> None:
    rng = np.random.default_rng(0)
    states = rng.normal(size=(5_000_001, 3)).cumsum(axis=0)
    data = dp.Transitions(states[:-1], rng.normal(size=(5_000_000, 1)), states[1:])
    assert isinstance(dp.diagnose(data), dp.Diagnosis)


def test_it_prints_within_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    data, more = planted("shifted_actions", "linear", 1)
    for width in (60, 80, 120):
        monkeypatch.setenv("COLUMNS", str(width))
        for found in (dp.diagnose(data, **more), dp.diagnose(clean_log("linear", 0).transitions())):
            assert max(map(len, str(found).splitlines())) <= width
    clean = dp.diagnose(clean_log("linear", 0).transitions())
    assert str(clean).startswith("nothing found in 600 rows of 6 episodes (4 states, 2 actions)")
    assert "looked for: few_rows, gaps" in str(clean)
    assert "(no held_out given)" in re.sub(r"\s+", " ", str(clean))
    assert (len(clean), list(clean), bool(clean)) == (0, [], False)
    found = dp.diagnose(data, **more)
    assert repr(found) == "Diagnosis(1 errors, 0 warnings, 0 notes)"
    assert repr(found.findings[0]).startswith("Finding('shifted_actions', 'error', actions 0, 1")
    for same in (pickle.loads(pickle.dumps(found)), copy.deepcopy(found)):
        assert str(same) == str(found)


# --- refusals


def test_wrong_arguments_are_refused_by_name() -> None:
    data = clean_log("linear", 0).transitions()
    other = clean_log("oscillator", 0).transitions()
    with pytest.raises(TypeError, match="data: got 'x', must be Transitions"):
        dp.diagnose("x")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="held_out: got 3, must be Transitions"):
        dp.diagnose(data, 3)  # type: ignore[arg-type]
    with pytest.raises(dp.ShapeError, match="held_out: state_dim is 2, must be 4 as in data"):
        dp.diagnose(data, other)
    with pytest.raises(dp.ShapeError, match=r"time: got shape \(3,\), must be \(600,\)"):
        dp.diagnose(data, time=[1, 2, 3])
    when = np.arange(600.0)
    when[7] = np.nan
    with pytest.raises(dp.ArgumentError, match="time: row 7 is nan, must be finite"):
        dp.diagnose(data, time=when)
