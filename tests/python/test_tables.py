"""What is printed keeps to the terminal and to four digits, whatever the numbers are."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

import dynaplan as dp
from dynaplan import _tables
from dynaplan.control.tuning import Trial
from dynaplan.planners.plan import PlanStats
from dynaplan.reports import tables
from dynaplan.reports.episode import ComparedEpisode
from dynaplan.rollouts.trust import Trust

WIDTHS = (60, 80, 120)
STRANGE = np.array([1e300, -1.23456789e-300, -9.87654321e100, np.nan, np.inf, -np.inf, 0.0])


@pytest.fixture(params=WIDTHS)
def width(request, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(request.param))
    return request.param


def assert_fits(text, width):
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    assert not re.search(r"\d{8,}", text)  # %.4g, or a count
    assert lines == [line.rstrip() for line in lines]


def strange(*shape):
    return np.resize(STRANGE, shape)


def evaluation(states=9, **changes):
    rng = np.random.default_rng(0)
    s, a = rng.normal(size=(60, states)), rng.normal(size=(60, 1))
    data = dp.Transitions(s, a, 0.5 * s + a)
    return replace(dp.evaluate(dp.LinearGaussian.fit(data), data, 1), **changes)


def strange_evaluation():
    steps = np.arange(1, 1001)
    return evaluation(
        one_step_rmse=strange(9),
        spread=np.abs(strange(9)),
        noise_floor=np.full(9, 1.23456789e-100),
        steps=steps,
        starts=steps[::-1],
        error_median=strange(1000),
        error_90=strange(1000),
        baseline_median=strange(1000),
        ratio=strange(1000),
        rmse=strange(1000, 9),
        state_ratio=strange(1000, 9),
        band_coverage=np.full(1000, 0.123456789),
        coverage_uncalibrated={level: np.full(9, np.nan) for level in (0.5, 0.9, 0.95)},
        trusted_horizon=3,
    )


def test_numbers_have_four_digits_and_no_more_than_eleven_characters():
    texts = [_tables.number(value) for value in STRANGE]
    assert texts == ["1e+300", "-1.235e-300", "-9.877e+100", "nan", "inf", "-inf", "0"]
    assert _tables.number(-0.0) == "0"
    assert _tables.fixed(-1234.56, 1) == "-1234.6"
    assert [_tables.fixed(value, 1) for value in STRANGE[:2]] == ["1e+300", "-0.0"]
    assert [_tables.percent(value) for value in (0.5, np.nan, 1e9)] == ["50.0%", "-", "1e+11%"]


def test_columns_that_do_not_fit_follow_below(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    rows = [["", *(f"{i}" * 18 for i in range(5))], ["row", "a", "b", "c", "d", "e"]]
    first, second, third, fourth, *rest = _tables.lines(rows)
    assert first.split() == ["0" * 18, "1" * 18]
    assert second.split() == ["row", "a", "b"]
    assert (third.split()[0], fourth.split()) == ("2" * 18, ["row", "c", "d"])
    assert [line.split() for line in rest] == [["4" * 18], ["row", "e"]]


@pytest.mark.parametrize(("columns", "found"), [("20", 60), ("100", 100), ("9999", 120)])
def test_the_width_is_that_of_the_terminal_within_reason(monkeypatch, columns, found):
    monkeypatch.setenv("COLUMNS", columns)
    assert _tables.line_width() == found


def test_an_evaluation(width):
    text = str(strange_evaluation())
    assert_fits(text, width)
    for state in range(9):
        assert f"state {state}" in text


def test_a_plan(width):
    stats = PlanStats(iterations=2**40, candidates=2**60, non_finite=2**60, rejected=0, seconds=1e9)
    values = {"actions": strange(8, 3), "states": strange(9, 7), "value": -1.23456789e100}
    plan = dp.Plan(**values, status="no_finite_candidate", stats=stats, kept_sequences=strange(1))
    text = str(plan)
    assert max(map(len, text.splitlines())) <= width
    assert "-9.877e+100" in text


def test_an_explanation(width):
    names = ("short", "a name of a reward that somebody thought to be short enough", "new\nline")
    explanation = dp.Explanation(
        terms=names,
        rewards=strange(3, 40),
        action_limits=np.ones((40, 2), np.int8),
        rate_limits=np.ones((40, 2), np.int8),
        states_outside=np.ones((40, 2), bool),
        constraints=strange(1, 40),
        disagreement=np.abs(strange(40)),
        spread=strange(40, 2),
    )
    text = str(explanation)
    assert_fits(text, width)
    assert "a name of a rew" in text
    assert "new line" in text


def test_a_tuning(width):
    planner = dp.CEM(horizon=10_000, candidates=99_999)
    trials = [Trial(planner, 1.23456789e-7, 1e9, value) for value in STRANGE]
    text = str(dp.Tuning(planner, tuple(trials), period=1.23456789e-5, share=0.8))
    assert_fits(text, width)
    assert text.count("too slow") == 1


def test_a_trust(width):
    trust = Trust(
        known=np.zeros(12, bool),
        state_excess=np.full((12, 30), 1.23456789e100),
        action_excess=np.full((12, 2), np.inf),
        disagreement=np.full(12, 1.23456789e-100),
        disagreement_limit=1.23456789e200,
        trusted_horizon=10**6,
        measured=True,
    )
    assert_fits(str(trust), width)


def printed(width, *what):
    console = Console(file=io.StringIO(), width=width, highlight=False)
    for one in what:
        console.print(one)
    return console.file.getvalue()


def test_the_tables_of_the_commands(width):
    check = strange_evaluation()
    rewards = np.array([-1.23456789e100, 1e-9])
    path = np.zeros((3, 1))
    episode = ComparedEpisode(
        seed=2**64 - 1,
        states=path,
        actions=path[1:],
        rewards=rewards,
        decision_seconds=np.array([1e-9, 1e9]),
        random_return=np.nan,
    )
    parts = [
        tables.check_table(check),
        tables.return_table([episode, episode]),
        tables.time_line([episode]),
        tables.one_step_line(check),
        tables.trust_line(check),
        *tables.remark_lines(check),
    ]
    text = printed(width, *parts)
    assert max(map(len, text.splitlines())) <= width
    # But for the seed, which is what reproduces the episode.
    assert not re.search(r"\d{8,}", text.replace(str(2**64 - 1), ""))


class Stub:
    """A record of a loop."""

    def __init__(self, **values):
        self.__dict__.update(values)


def test_the_lines_of_the_loops_stand_below_their_headings(width):
    shared = {"steps": 1_000_000, "finished": True, "seconds": 1.23456789e5}
    pets = [
        Stub(
            **shared,
            episode=1234,
            episode_steps=1000,
            episode_return=value,
            evaluation=Stub(trusted_horizon=100),
            learning_seconds=1e5,
        )
        for value in STRANGE[:3]
    ]
    dyna = [
        Stub(
            **shared,
            episode_return=value,
            model_error=np.clip(abs(value), 1e-9, 1e30),
            length=100,
            updates=Stub(updates=10**6),
            updating_seconds=1.0,
        )
        for value in STRANGE[:3]
    ]
    for heading, lines in (
        (tables.PETS_HEADING, map(tables.pets_line, pets)),
        (tables.DYNA_HEADING, (tables.dyna_line([one]) for one in dyna)),
    ):
        assert len(heading) <= 60
        for line in lines:
            assert printed(width, line).count("\n") == 1
            assert re.search(r"1e\+300|-0\.0|-9\.9e\+100", line)


# --- what an evaluation remarks


def straight(rows=120, states=1):
    rng = np.random.default_rng(0)
    s, a = rng.normal(size=(rows, states)), rng.normal(size=(rows, 1))
    path = [s[0]]
    for action in a:
        path.append(0.8 * path[-1] + action)
    path = np.array(path)
    return dp.Transitions(path[:-1], a, path[1:], episodes=np.arange(rows) // (rows // 4))


def flat(text):
    return " ".join(str(text).split())


def test_a_model_that_runs_away_is_said_to():
    model = dp.FunctionModel(lambda s, a: 10.0 * s + 0.1, state_dim=1, action_dim=1)
    check = dp.evaluate(model, straight(), 30)
    after = int(np.argmax(check.error_median > 100.0))
    assert f"runs away after step {after} (beyond 100 times the spread" in flat(check)
    assert after in range(1, 4)
    assert_fits(str(check), 80)


def test_a_few_starts_that_run_away_are_said_to():
    model = dp.FunctionModel(
        lambda s, a: np.where(np.abs(s) > 2.5, 10.0 * s, 0.8 * s + a), state_dim=1, action_dim=1
    )
    check = dp.evaluate(model, straight(4000), 5)
    assert "one start in ten runs away after step" in flat(check)


def test_a_state_that_is_worse_than_its_mean_is_named():
    data = straight(states=3)
    model = dp.FunctionModel(
        lambda s, a: (0.8 * s + a) * [1.0, -4.0, 1.0], state_dim=3, action_dim=1
    )
    check = dp.evaluate(model, data, 1)
    [remark] = re.findall(r"state \d: predicted worse .*\)", flat(check))
    assert remark.startswith("state 1: predicted worse than by its mean from step 1 on (rmse ")


def test_a_model_without_bands_has_none():
    data = straight()
    check = dp.evaluate(dp.MLP.fit(data, hidden=(4,), epochs=1, seed=0), data, 3)
    for shares in check.coverage.values():
        assert np.isnan(shares).all()
    assert re.search(r"in  90% band +-$", str(check), re.M)
    bands = dp.evaluate(dp.LinearGaussian.fit(data), data, 3)
    assert re.search(r"in  90% band +[\d.]+%$", str(bands), re.M)


def test_noise_that_dominates_is_said_to():
    rng = np.random.default_rng(0)
    turn = np.linspace(0.0, 6.0, 401)
    path = np.stack([np.sin(turn), np.cos(turn)], axis=1)
    seen = path + 0.05 * rng.normal(size=path.shape)
    data = dp.Transitions(seen[:-1], np.zeros((400, 1)), seen[1:])
    model = dp.FunctionModel(lambda s, a: s, state_dim=2, action_dim=1)
    text = flat(dp.evaluate(model, data, 50))
    assert "state 0: mostly noise of its sensor in one step (0.0" in text
    assert "noise floor" in text
    assert "no more changes than the noise of the sensors" in text
    clean = straight()
    plain = str(dp.evaluate(dp.LinearGaussian.fit(clean), clean, 3))
    assert "noise" not in plain
