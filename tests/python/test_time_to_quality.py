"""The case `time_to_quality`: what it finds, what its values are of, and that all plan the same."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
from bench import ours_quality, runner
from bench.case import Variant
from bench.cases import bench_time_to_quality as case
from bench.measurements import Results, Row
from bench.quality import settings
from bench.quality.ladder import Ladder
from bench.quality.matrix_problems import PROBLEMS, Linear, problem
from bench.quality.measuring import Task
from bench.quality.problems import (
    CONTROLLED,
    DEVELOPMENT,
    EPISODE_STEPS,
    EPISODES,
    MEASURED,
    STARTS,
)
from bench.quality.settings import Family
from bench.quality.shares import Scale, stored
from hypothesis import given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

import dynaplan as dp

NAMES = [one.name for one in PROBLEMS]


@dataclass(frozen=True)
class Rung:
    """A setting that says what it would do."""

    seconds: float
    share: float
    work: float = 1.0

    def __str__(self):
        return f"rung of {self.seconds:g} s"


def climbed(*families, seconds=np.inf, clock=lambda: 0.0):
    ladder = Ladder(lambda rung: rung, lambda rung: ([rung.seconds] * 3, [rung.share]), clock)
    ladder.climb([Family(tuple(rungs)) for rungs in families], seconds)
    return ladder


def rising(*shares, seconds=1.0):
    """Rungs that take twice as long each."""
    return [Rung(seconds * 2**n, share, 2.0**n) for n, share in enumerate(shares)]


def test_the_fastest_rung_of_any_family_counts():
    cheap = rising(0.1, 0.3, 0.5, 0.7, 0.8, 0.95, 0.995)
    dear = [
        Rung(3 * rung.seconds, share, 3 * rung.work)
        for rung, share in zip(cheap, (0.3, 0.93, 0.97, 0.992, 1.0, 1.0, 1.0), strict=True)
    ]
    for families in ((cheap, dear), (dear, cheap)):
        facts = climbed(*families).facts()
        assert (facts["ms to 90%"], facts["settings, 90%"]) == (6000.0, "rung of 6 s")
        assert (facts["ms to 99%"], facts["settings, 99%"]) == (24000.0, "rung of 24 s")


@settings_of_hypothesis(max_examples=20)
@given(st.lists(st.lists(st.floats(0.0, 1.2), min_size=1, max_size=7), min_size=1, max_size=4))
def test_bisection_misses_nothing_where_more_is_better(families):
    families = [rising(*sorted(shares), seconds=1.3**n) for n, shares in enumerate(families)]
    ladder = climbed(*families)
    for share in (0.90, 0.99):
        reached = [rung.seconds for some in families for rung in some if rung.share >= share]
        assert ladder.least_seconds(share) == min(reached, default=np.inf)


def test_few_rungs_are_tried():
    ladder = climbed(rising(*[0.1] * 7), rising(*[0.1] * 7, seconds=1.5))
    assert len(ladder.trials) == 6
    # The dearer family is left where it takes longer than the other needed.
    ladder = climbed(rising(*[1.0] * 7), [Rung(50.0, 0.5, 200.0 + n) for n in range(7)])
    assert [trial.seconds for trial in ladder.trials] == [8.0, 2.0, 1.0, 50.0, 50.0, 50.0]


def test_what_is_not_reached_is_left_out_and_not_made_up():
    facts = climbed(rising(0.5, 0.93)).facts()
    assert "ms to 99%" not in facts
    assert facts["ms to 90%"] == 2000.0
    assert facts["best share, %"] == pytest.approx(93.0)
    assert facts["slowest rung, ms"] == 2000.0


def test_the_time_of_a_turn_ends_the_climb_and_is_said():
    seconds = iter(range(100))  # a second passes in each rung
    ladder = climbed([Rung(1.0, 0.1)] * 9, seconds=1.5, clock=lambda: next(seconds))
    assert len(ladder.trials) == 2
    assert ladder.facts()["rungs"] == "2, then out of time"


def test_a_default_is_compared_with_what_is_as_good():
    rungs = [Rung(0.5, 0.8, 1), Rung(1.0, 0.92, 2), Rung(4.0, 0.999, 3)]
    for default, factor in ((Rung(6.0, 0.991), 1.5), (Rung(6.0, 0.95), 6.0), (Rung(2.0, 0.7), 4.0)):
        ladder = Ladder(lambda rung: rung, lambda rung: ([rung.seconds], [rung.share]))
        trial = ladder.tried(default)
        ladder.climb([Family(tuple(rungs))], np.inf)
        assert ladder.facts_of_default(trial)["as it comes, x its frontier"] == factor
    alone = Ladder(lambda rung: rung, lambda rung: ([rung.seconds], [rung.share]))
    assert alone.facts_of_default(alone.tried(rungs[0]))["as it comes, x its frontier"] == 1.0


def test_no_two_rungs_of_a_planner_have_one_text():
    families = (
        settings.WRITTEN_BY_HAND,
        settings.COMPILED,
        settings.OF_ICEM,
        settings.PATH_INTEGRAL,
        settings.PATH_INTEGRAL_OF_PACKAGES,
    )
    for some in families:
        texts = [str(rung) for family in some for rung in family.rungs]
        assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("name", NAMES)
def test_a_judge_adds_up_the_steps(name):
    asked = problem(name)
    start = asked.starts(DEVELOPMENT)[0]
    plan = 2.0 * np.random.default_rng(0).normal(size=(asked.horizon, asked.action_dim))
    plan *= asked.half_range  # beyond the bounds, too
    state, total = start, 0.0
    for action in plan:
        state, reward = asked.stepped(state, action)
        total += reward
    assert asked.judged(start, plan[None])[0] == pytest.approx(total, rel=1e-12)
    kept = np.moveaxis(np.clip(plan, -asked.half_range, asked.half_range)[None], 1, 0)
    whole = asked.returns(np, asked.constants, start, kept)
    assert whole[0] == pytest.approx(total, rel=1e-12)


def random_plans(asked, count=20):
    drawn = np.random.default_rng(3).uniform(-1.0, 1.0, (count, asked.horizon, asked.action_dim))
    return drawn * asked.half_range


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("parts", [ours_quality.native_parts, ours_quality.function_parts])
def test_our_models_are_those_of_the_judge(name, parts):
    if name in {"pendulum", "cart-pole", "car"}:
        pytest.importorskip("numba")
    asked = problem(name)
    start, plans = asked.starts(DEVELOPMENT)[1], random_plans(asked)
    model, reward = parts(asked)
    returns = dp.returns(model, reward, start[None], plans)
    np.testing.assert_allclose(returns, asked.judged(start, plans), rtol=2e-5)


@pytest.mark.parametrize("name", NAMES)
def test_torch_computes_what_the_judge_does(name):
    torch = pytest.importorskip("torch")
    peer = pytest.importorskip("bench.peers.torch_quality")
    asked = problem(name)
    start, plans = asked.starts(DEVELOPMENT)[1], random_plans(asked)
    actions = peer.as_float(np.moveaxis(plans, 1, 0))
    expected = asked.judged(start, plans)
    returns = peer.returns_of(asked)(peer.as_float(start), actions)
    np.testing.assert_allclose(returns, expected, rtol=1e-4)
    # The same by the steps and costs that packages are asked, which clamp what is out of range.
    states, total = peer.as_float(start).expand(len(plans), -1), torch.zeros(len(plans))
    for now in peer.as_float(3.0 * np.moveaxis(plans, 1, 0)):
        states = peer.step_of(asked)(states, now)
        total -= peer.cost_of(asked)(states, now)
    np.testing.assert_allclose(total, asked.judged(start, 3.0 * plans), rtol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_jax_computes_what_the_judge_does(name):
    peer = pytest.importorskip("bench.peers.jax_quality")
    asked = problem(name)
    start, plans = asked.starts(DEVELOPMENT)[1], random_plans(asked)
    actions = peer.as_float(np.moveaxis(plans, 1, 0))
    returns = peer.returns_of(asked)(peer.as_float(start), actions)
    np.testing.assert_allclose(returns, asked.judged(start, plans), rtol=1e-4)


def test_settings_are_tried_on_other_starts_than_those_of_the_record():
    for name in NAMES:
        asked = problem(name)
        trials, record = (asked.starts(which) for which in (DEVELOPMENT, MEASURED))
        assert not set(map(tuple, trials)) & set(map(tuple, record))


@pytest.mark.parametrize("which", [MEASURED, DEVELOPMENT])
@pytest.mark.parametrize("name", NAMES)
def test_values_are_stored_for_every_start_and_better_than_nothing(name, which):
    asked = problem(name)
    wanted = {asked.horizon} | ({EPISODE_STEPS} if name in CONTROLLED else set())
    assert set(map(int, stored()[name][which])) == wanted
    for steps in wanted:
        scale = Scale.of(asked, which, steps)
        assert len(scale.best) == (STARTS if steps == asked.horizon else EPISODES)
        assert (scale.best > scale.nothing).all()
        assert scale.share(2, scale.nothing[2]) == 0.0
        assert scale.share(2, scale.best[2]) == 1.0


def test_the_best_linear_plans_are_those_of_lqr():
    asked = Linear()
    scale = Scale.of(asked, MEASURED, asked.horizon)
    space = (-asked.half_range, asked.half_range)
    for number, start in enumerate(asked.starts(MEASURED)):
        plan = dp.LQR().plan(*ours_quality.native_parts(asked), start, action_space=space)
        value = asked.judged(start, plan.actions[None])[0]
        assert scale.share(number, value) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("name", ["pendulum", "cart-pole", "car", "ensemble"])
def test_no_search_finds_better_than_the_best_known(name):
    task = Task(name, which=DEVELOPMENT)
    parts = ours_quality.native_parts(task.problem) if name == "ensemble" else None
    if parts is None:
        pytest.importorskip("numba")
        parts = ours_quality.native_parts(task.problem)
    planner = dp.ILQR(horizon=task.problem.horizon, start=dp.ICEM(candidates=100), clip=None)
    searcher = ours_quality.Controlled(task.problem, parts, planner)
    _, shares = task.plans(searcher)
    assert max(shares) < 1.0 + 1e-4
    assert np.mean(shares) > 0.6  # and the best known is not out of reach


def row(label, role, **facts):
    return Row(
        label, role, 1, reports="facts", facts={k.replace("_", " "): v for k, v in facts.items()}
    )


def speedup_of(*rows):
    return case.speedup("pendulum")(Results({"pendulum": list(rows)}, {"pendulum": {}}))


def test_the_best_of_ours_is_beside_the_best_peer():
    ours = [row("a", "ours", **{"ms to 99%": 2.0}), row("b", "ours", **{"ms to 99%": 4.0})]
    peers = [row("c", "peer", **{"ms to 99%": 30.0}), row("d", "peer", **{"slowest rung, ms": 9.0})]
    assert speedup_of(*ours, *peers) == 15.0
    assert speedup_of(*ours, peers[1]) == 4.5  # no peer gets there: longer than its slowest
    with pytest.raises(LookupError):
        speedup_of(*peers)
    with pytest.raises(LookupError):
        speedup_of(*ours)


def test_the_best_default_counts():
    rows = [
        row("a", "ours", **{"as it comes, %": 71.0}),
        row("b", "ours", **{"as it comes, %": 93.0}),
    ]
    figure = case.best_default("pendulum")
    assert figure(Results({"pendulum": rows}, {"pendulum": {}})) == 93.0
    with pytest.raises(LookupError):
        figure(Results({"pendulum": [row("c", "peer", rungs=3)]}, {"pendulum": {}}))


def test_a_variant_may_name_its_thread_counts():
    one = SimpleNamespace(label="a", role="peer", threads=(1, 2))
    made = SimpleNamespace(implementations=(one,))
    options = runner.Options()
    assert runner.wanted(made, Variant("all"), options) == [(one, 1), (one, 2)]
    assert runner.wanted(made, Variant("two", threads=(2,)), options) == [(one, 2)]


def test_the_runner_gives_a_turn_its_seconds_and_keeps_the_facts():
    options = runner.Options(rounds=1, seconds=0.0, labels=("dynaplan LQR", "numpy CEM"))
    rows = runner.run_variant(case.CASE, case.CASE.variant("linear"), options, lambda _: None)
    ours, peer = (next(one for one in rows if one.role == role) for role in ("ours", "peer"))
    assert ours.facts["as it comes, %"] == pytest.approx(100.0, abs=1e-3)
    assert ours.facts["settings, 99%"] == "as it comes"
    assert not peer.skipped
    assert "ms to 99%" not in peer.facts  # it had no time
