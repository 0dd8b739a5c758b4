"""`LearnedTermination`: agrees with the rule behind a log, and is a term as all others are."""

from __future__ import annotations

import copy
import pickle
import re
from functools import cache
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import dynaplan as dp
from dynaplan import _core

Learned = dp.terminations.LearnedTermination
RULE = dp.terminations.outside(
    [-2.4, -np.inf, -0.2095, -np.inf], [2.4, np.inf, 0.2095, np.inf]
)  # of CartPole-v1


def pushed(states: Any, actions: Any) -> Any:
    """One step of Gymnasium's cart-pole under a force of up to 10 N."""
    x, speed, angle, rate = np.asarray(states).T
    force = 10.0 * np.asarray(actions)[:, 0]
    sin, cos = np.sin(angle), np.cos(angle)
    along = (force + 0.05 * rate**2 * sin) / 1.1
    turning = (9.8 * sin - cos * along) / (0.5 * (4.0 / 3.0 - 0.1 * cos**2 / 1.1))
    cart = along - 0.05 * turning * cos / 1.1
    step = 0.02
    return np.stack(
        [x + step * speed, speed + step * cart, angle + step * rate, rate + step * turning], axis=1
    )


def visited(rows: int, seed: int) -> dp.Transitions:
    """Episodes from anywhere on the track, to their ends, under a force that is drawn anew."""
    generator = np.random.default_rng(seed)
    parts: list[list[Any]] = []
    while len(parts) < rows:
        state = generator.uniform(-1.0, 1.0, 4) * [2.4, 1.5, 0.2, 1.0]
        episode, ended = parts[-1][4] + 1 if parts else 0, False
        while not ended and len(parts) < rows:
            action = generator.uniform(-1.0, 1.0, 1)
            following = pushed([state], [action])[0]
            ended = bool(RULE([state], [action], [following])[0])
            parts.append([state, action, following, ended, episode])
            state = following
    states, actions, next_states, ends, episodes = map(np.array, zip(*parts, strict=True))
    return dp.Transitions(states, actions, next_states, terminations=ends, episodes=episodes)


@cache
def log() -> dp.Transitions:
    return visited(2000, seed=0)


@cache
def learned() -> Learned:
    return Learned.fit(log(), seed=0)


def agreement(termination: Learned, data: dp.Transitions) -> float:
    """The share of the rows on which a termination says what the log says."""
    said = termination(data.states, data.actions, data.next_states)
    return float((said == data.terminations).mean())


def test_it_agrees_with_the_rule_on_states_that_are_visited_afresh() -> None:
    fresh = visited(5000, seed=1)
    assert 30 < log().terminations.sum() < 400
    # Of these states 6 % lie within 0.01 rad of the border: they begin anywhere, also at an end.
    assert agreement(learned(), fresh) >= 0.98
    said = learned()(fresh.states, fresh.actions, fresh.next_states)
    assert said[fresh.terminations].mean() > 0.8
    assert fresh.terminations[said].mean() > 0.8


def test_what_it_says_of_itself_is_what_fresh_episodes_show() -> None:
    fresh, one = visited(10000, seed=2), learned()
    said = one(fresh.states, fresh.actions, fresh.next_states)
    ends = int(log().terminations.sum())
    assert (one.rows, one.ends) == (2000, ends)
    assert one.found <= min(one.ends, one.flagged)
    assert one.recall == one.found / ends
    # Three deviations of a share of so many ends, and that four fifths of the log know less.
    reach = 3.0 * np.sqrt(0.1 * 0.9 / ends) + 0.05
    assert one.recall == pytest.approx(said[fresh.terminations].mean(), abs=reach)
    assert one.precision == pytest.approx(fresh.terminations[said].mean(), abs=reach)


def test_held_out_episodes_are_not_learned_from() -> None:
    # Ends at random: whoever has seen a row could know it, nobody else can.
    generator = np.random.default_rng(0)
    states, ends = generator.normal(size=(300, 6)), generator.random(300) < 0.3
    data = dp.Transitions(states, states[:, :1], states, terminations=ends)
    one = Learned.fit(data, hidden=(32, 32), epochs=400, seed=0)
    seen = one(data.states, data.actions, data.next_states)
    assert seen[ends].mean() > 0.8
    assert one.recall < 0.6


def test_probabilities_are_as_frequent_as_ends() -> None:
    # An end has the probability 1 / (1 + e^(3 - 2 s)), which is rare, and shown more often.
    generator = np.random.default_rng(0)
    states = generator.normal(size=(6000, 1))
    chance = 1.0 / (1.0 + np.exp(3.0 - 2.0 * states[:, 0]))
    ends = generator.random(6000) < chance
    data = dp.Transitions(states, states, states, terminations=ends)
    one = Learned.fit(data, hidden=(), epochs=60, seed=0)
    assert np.abs(one.probability(states) - chance).mean() < 0.02
    assert one.probability([0.0]).shape == (1,)
    low, high = (Learned.fit(data, hidden=(), epochs=60, threshold=p, seed=0) for p in (0.2, 0.8))
    for limit, other in ((0.2, low), (0.8, high)):
        said = other(states, states, states)
        assert (said == (other.probability(states) > limit)).mean() > 0.999
    assert low.recall > one.recall > high.recall
    assert low.precision < one.precision < high.precision


def test_units_and_offsets_do_not_matter() -> None:
    data = log()
    unit, offset = np.array([1e3, 1e-4, 57.3, 1.0]), np.array([1e6, 3.0, 0.0, -50.0])
    moved = dp.Transitions(
        data.states * unit + offset,
        data.actions,
        data.next_states * unit + offset,
        terminations=data.terminations,
        episodes=data.episodes,
        gaps="ignore",
    )
    other, fresh = Learned.fit(moved, seed=0), visited(1000, seed=3)
    here = learned()(fresh.states, fresh.actions, fresh.next_states)
    there = other(fresh.states, fresh.actions, fresh.next_states * unit + offset)
    assert (here == there).mean() > 0.995


def test_angles_are_seen_as_sines_and_cosines() -> None:
    generator = np.random.default_rng(0)
    states = generator.uniform(-180.0, 180.0, size=(800, 1))
    ends = np.abs(states[:, 0]) > 150.0  # on both sides of the seam
    data = dp.Transitions(
        states, states, states, terminations=ends, angles={0: (-180.0, 180.0)}, gaps="ignore"
    )
    one = Learned.fit(data, seed=0)
    assert one.angles == (0,)
    degrees = np.array([[0.0], [100.0], [-100.0], [165.0], [180.0], [-180.0], [-165.0], [525.0]])
    assert one(degrees, degrees, degrees).tolist() == [False] * 3 + [True] * 5
    radians = Learned.fit(
        dp.Transitions(states, states, np.radians(states), terminations=ends, gaps="ignore"),
        angles=[0],
        seed=0,
    )
    assert (radians.probability(np.radians(states)) - one.probability(states)).max() < 0.01


@pytest.mark.parametrize("threads", [2, 6, 50])
def test_the_same_bits_for_any_threads(threads: int) -> None:
    one, other = (Learned.fit(log()[:300], epochs=5, seed=3, threads=n) for n in (1, threads))
    states = log().next_states
    assert (one.probability(states) == other.probability(states)).all()
    assert repr(one) == repr(other)
    different = Learned.fit(log()[:300], epochs=5, seed=4)
    assert (one.probability(states) != different.probability(states)).any()


def test_it_travels(tmp_path: Path) -> None:
    one, states = learned(), visited(300, seed=5).next_states
    one.save(tmp_path / "end")
    copies = [dp.load(tmp_path / "end"), pickle.loads(pickle.dumps(one)), copy.deepcopy(one)]
    for again in [*copies, copy.copy(one)]:
        assert type(again) is Learned
        assert (again.probability(states) == one.probability(states)).all()
        assert (again(states, states[:, :1], states) == one(states, states[:, :1], states)).all()
        assert repr(again) == repr(one)
    copies[0].save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "end").read_bytes()
    with pytest.raises(dp.ArgumentError, match="env: got an environment"):
        dp.load(tmp_path / "end", gym.make("CartPole-v1"))


def test_its_print_says_how_good_it_is() -> None:
    one = learned()
    shown = f"precision={one.precision:.3f}, recall={one.recall:.3f}"
    assert shown in repr(one)
    assert f"rows=2000, ends={one.ends}" in repr(one)
    assert len(repr(one)) < 200
    # Ends that nothing announces are not recognised: of no flagged row, no share is right.
    generator = np.random.default_rng(1)
    states, ends = generator.normal(size=(400, 1)), generator.random(400) < 0.02
    blind = Learned.fit(
        dp.Transitions(states, states, states, terminations=ends), hidden=(), epochs=20, seed=0
    )
    assert (blind.precision, blind.recall, blind.flagged) == (None, 0.0, 0)
    assert "precision=not known, recall=0.000" in repr(blind)


def test_it_runs_in_the_core_as_it_does_when_it_is_called() -> None:
    model, states = dp.FunctionModel(pushed, 4, 1), visited(200, seed=6).states
    actions = np.random.default_rng(0).uniform(-1.0, 1.0, size=(200, 30, 1))
    alive = dp.rewards.linear(np.zeros(4), offset=1.0)
    compiled = dp.returns(model, alive, states, actions, termination=learned())
    called = dp.returns(
        model, alive, states, actions, termination=lambda *step: learned()(*step[:3])
    )
    assert (compiled == called).mean() > 0.99  # but where the probability is half to rounding
    assert 0.2 < (compiled < 30.0).mean() < 1.0
    single = dp.returns(model, alive, states, actions, termination=learned(), dtype=np.float32)
    assert (compiled == single).mean() > 0.98


def test_a_state_that_is_nan_has_ended() -> None:
    states = np.zeros((4, 4))
    states[1:] = np.eye(4)[:3] * np.nan
    assert learned()(states, states[:, :1], states).tolist() == [False, True, True, True]


def balanced_steps(termination: Any, seed: int) -> int:
    """Steps that a controller keeps CartPole-v1 up, of 200, by its horizon's end and the rule."""
    with gym.make("CartPole-v1") as cart:
        mpc = dp.MPC(
            cart_model(),
            dp.rewards.for_env(cart),
            dp.CategoricalCEM(horizon=25, candidates=100, actions=np.eye(2)),
            action_space=cart.action_space,
            termination=termination,
            trust="ignore",
            seed=0,
        )
        state, _ = cart.reset(seed=seed)
        for step in range(200):
            state, _, fell, _, _ = cart.step(mpc.act(state))
            if fell:
                return step
    return 200


@cache
def cart_log() -> dp.Transitions:
    with gym.make("CartPole-v1") as cart:
        return dp.collect(cart, steps=2000, seed=0)


@cache
def cart_model() -> dp.LinearGaussian:
    return dp.LinearGaussian.fit(cart_log())


def test_plans_with_it_keep_the_pole_up_as_with_the_rule() -> None:
    one = Learned.fit(cart_log(), seed=0)
    with gym.make("CartPole-v1") as cart:
        fresh = dp.collect(cart, steps=2000, seed=1)
        rule = dp.terminations.for_env(cart)
    assert agreement(one, fresh) >= 0.99
    by_rule, by_learned, by_none = (
        np.mean([balanced_steps(termination, seed) for seed in range(5)])
        for termination in (rule, one, None)
    )
    assert by_none < 100
    assert by_rule > 150
    assert by_learned > 0.9 * by_rule


def test_imagination_and_its_environment_end_where_it_says() -> None:
    model = dp.FunctionModel(pushed, 4, 1)
    starts = log().states[:50]
    made = dp.imagine(
        model,
        starts,
        lambda states: np.sign(states[:, 2:3]),
        40,
        reward=dp.rewards.linear(np.zeros(4), offset=1.0),
        termination=learned(),
        seed=0,
    )
    said = learned()(made.states, made.actions, made.next_states)
    assert (made.terminations == said).mean() > 0.99
    assert made.terminations.any()
    envs = dp.ImaginedVectorEnv(
        model,
        8,
        starts,
        action_space=([-1.0], [1.0]),
        reward=dp.rewards.linear(np.zeros(4), offset=1.0),
        termination=learned(),
        seed=0,
    )
    envs.reset(seed=0)
    ended = [envs.step(np.ones((8, 1), np.float32))[2].any() for _ in range(60)]
    assert any(ended)


def test_agents_imagine_with_it() -> None:
    with gym.make("InvertedPendulum-v5") as env:
        data = dp.collect(env, steps=300, seed=0)
        one = Learned.fit(data, epochs=20, seed=0)
        loop = dp.Dyna(
            env,
            dp.SAC(env, hidden=(8,), seed=0),
            lambda rows, _: dp.LinearGaussian.fit(rows),
            reward=lambda s, a, n: np.ones(len(s)),
            termination=one,
            updates_per_step=1,
            random_steps=50,
            refit_every=50,
            seed=0,
        )
        assert loop.learn(120) is not None


@pytest.mark.parametrize(
    ("ends", "message"),
    [
        (0, "data: 0 of 40 rows have terminations that are True, must be at least 5"),
        (4, "data: 4 of 40 rows have terminations that are True, must be at least 5"),
        (36, "data: 36 of 40 rows have terminations that are True, must be at least 5, and as"),
    ],
)
def test_too_few_ends_are_refused(ends: int, message: str) -> None:
    states = np.arange(40.0)[:, np.newaxis]
    data = dp.Transitions(states, states, states, terminations=np.arange(40) < ends, gaps="ignore")
    with pytest.raises(dp.ArgumentError, match=re.escape(message)):
        Learned.fit(data)


def test_ends_within_what_a_log_calls_an_episode_are_ends_of_their_own() -> None:
    data = log()
    as_one = dp.Transitions(
        data.states,
        data.actions,
        data.next_states,
        terminations=data.terminations,
        episodes=np.zeros(len(data), np.int64),
        gaps="ignore",
    )
    one = Learned.fit(as_one, seed=0)
    assert (one.rows, one.ends) == (len(data), int(data.terminations.sum()))
    assert one.recall > 0.5


@pytest.mark.parametrize("threshold", [0.0, 1.0, -0.1, np.nan])
def test_a_threshold_is_a_probability(threshold: float) -> None:
    with pytest.raises(dp.ArgumentError, match=r"threshold: got .*, must be above 0 and below 1"):
        Learned.fit(log(), threshold=threshold)


def test_states_of_another_size_are_refused() -> None:
    with pytest.raises(dp.ShapeError, match="termination: got a learned one for 4 states"):
        learned()([[0.0]], [[0.0]], [[0.0]])
    with pytest.raises(dp.ShapeError, match="next_states: "):
        learned().probability([0.0, 1.0])
    with pytest.raises(dp.ArgumentError, match="next_states: "):
        learned().probability([0.0, np.nan, 0.0, 0.0])
    with pytest.raises(TypeError, match=r"use LearnedTermination\.fit"):
        Learned(RULE)


def test_the_core_takes_networks_of_log_odds_alone() -> None:
    for kind in (dp.Ensemble, dp.MLP):
        model = kind.fit(log(), epochs=1, hidden=(4,))
        with pytest.raises(dp.ArgumentError, match="networks: must be of one action, and predict"):
            _core.learned_termination(model._trained, 0.5)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"threshold": 1.5}, "threshold"),
        ({"counts": {"rows": 5, "ends": 9, "flagged": 1, "found": 1}}, "counts"),
        ({"counts": {"rows": 5, "ends": 0, "flagged": 0, "found": 0}}, "counts"),
        ({"counts": {"rows": 9, "ends": 5, "flagged": 1, "found": 2}}, "counts"),
        ({"counts": {"rows": 9, "ends": 5, "flagged": 9, "found": 4}}, "counts"),
        ({"more": 1}, "more"),
    ],
)
def test_a_file_of_something_else_is_refused(
    tmp_path: Path, changed: dict[str, Any], message: str
) -> None:
    learned().save(tmp_path / "end")
    kind, arrays, header = dp.files.read_model_file(tmp_path / "end")
    dp.files.write_model_file(tmp_path / "end", kind, arrays, {**header, **changed})
    with pytest.raises(dp.ModelFileError, match=message):
        dp.load(tmp_path / "end")
