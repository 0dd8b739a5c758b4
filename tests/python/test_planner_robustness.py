"""Whatever model, reward, box and state it is given, a planner's actions are finite and in the box.

Models explode (to infinity in float32 at the first step, or later), rewards are nan, infinite or
huge at random places, boxes are lopsided, tiny, huge, closed or not to be told in float32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import dynaplan as dp

Array = NDArray[np.float64]
STATES, ACTIONS = 2, 2
LARGEST = float(np.finfo(np.float64).max)


def linear_model(gain: float, of_action: float) -> dp.LinearGaussian:
    """s' = gain R s + of_action a, R a rotation by 1 radian."""
    random = np.random.default_rng(0)
    states, actions = random.normal(size=(40, STATES)), random.normal(size=(40, ACTIONS))
    turn = np.array([[np.cos(1.0), -np.sin(1.0)], [np.sin(1.0), np.cos(1.0)]])
    following = gain * (states @ turn.T) + of_action * actions
    return dp.LinearGaussian.fit(dp.Transitions(states, actions, following), target="absolute")


def cubic_model(gain: float) -> dp.LinearGaussian:
    """s' = gain (s0^3 - s1^2 a0, s1 s0 + a1): finite for few steps only."""
    random = np.random.default_rng(0)
    states, actions = random.normal(size=(200, STATES)), random.normal(size=(200, ACTIONS))
    first = states[:, 0] ** 3 - states[:, 1] ** 2 * actions[:, 0]
    second = states[:, 0] * states[:, 1] + actions[:, 1]
    following = gain * np.stack([first, second], axis=1)
    data = dp.Transitions(states, actions, following)
    return dp.LinearGaussian.fit(data, features=dp.Polynomial(3), target="absolute")


def networks(scale: float) -> dp.Ensemble:
    """Networks that have seen changes of this size, and are extrapolated by all states beyond."""
    random = np.random.default_rng(0)
    states, actions = random.normal(size=(60, STATES)), random.normal(size=(60, ACTIONS))
    data = dp.Transitions(states, actions, states + scale * np.abs(states) * actions)
    return dp.Ensemble.fit(data, members=2, hidden=(8,), activation="relu", epochs=3, seed=0)


MODELS: dict[str, Callable[[], Any]] = {
    "calm": lambda: linear_model(0.9, 1.0),
    "unstable": lambda: linear_model(-30.0, 1.0),
    "exploding": lambda: linear_model(1e12, 1e-3),
    "beyond float32 in two steps": lambda: linear_model(1e37, 1e37),
    "beyond float32 at once": lambda: linear_model(1e150, 1.0),
    "cubic": lambda: cubic_model(1.0),
    "cubic, exploding": lambda: cubic_model(1e15),
    "networks": lambda: networks(1.0),
    "networks, exploding": lambda: networks(1e15),
}
_MADE: dict[str, Any] = {}


def model_named(name: str) -> Any:
    """The model, fitted once."""
    if name not in _MADE:
        _MADE[name] = MODELS[name]()
    return _MADE[name]


class WildReward:
    """-|s'|^2, with some rows replaced by values that no reward should have."""

    def __init__(self, values: tuple[float, ...], share: float, seed: int) -> None:
        self.values = values
        self.share = share
        self.random = np.random.default_rng(seed)

    def __call__(self, obs: Array, act: Array, next_obs: Array) -> Array:
        with np.errstate(all="ignore"):
            total = -np.square(next_obs).sum(axis=1)
        wild = self.random.random(len(total)) < self.share
        total[wild] = self.random.choice(self.values, wild.sum())
        return total

    def __repr__(self) -> str:
        return f"WildReward({self.values}, {self.share})"


def huge_reward(weight: float) -> Any:
    """Compiled terms whose sum may be infinity minus infinity."""
    good, bad = np.array([weight, 0.0]), np.array([0.0, weight])
    return (
        dp.rewards.linear(good)
        + -1.0 * dp.rewards.linear(bad)
        + dp.rewards.quadratic([weight, 1.0])
        + dp.rewards.action_cost([1.0, weight])
    )


REWARDS = st.one_of(
    st.builds(
        WildReward,
        st.lists(
            st.sampled_from([np.nan, np.inf, -np.inf, 1e308, -1e308, 1e39, -1e39, 0.0]),
            min_size=1,
            max_size=3,
        ).map(tuple),
        st.sampled_from([0.001, 0.05, 0.5, 1.0]),
        st.integers(0, 1000),
    ),
    st.sampled_from([1.0, 1e20, 1e38]).map(huge_reward),
)

EDGE = st.one_of(
    st.floats(-3.0, 3.0),
    st.floats(-LARGEST / 4, LARGEST / 4),
    st.sampled_from([0.0, 0.1, -0.1, 1e-45, -1e-310, 16777217.0, 3.5e38, -3.5e38, 1e30, 1 / 3]),
)
# Low and high of each action: lopsided, next to each other, the same.
SIDE = st.one_of(
    st.tuples(EDGE, EDGE).map(sorted),
    EDGE.map(lambda edge: [edge, edge]),
    EDGE.map(lambda edge: [edge, float(np.nextafter(edge, np.inf))]),
    EDGE.map(lambda edge: [edge, edge + abs(edge) * 1e-9]),
)
BOXES = st.tuples(SIDE, SIDE).map(lambda sides: np.array(sides, np.float64).T)
NUMBERS = st.one_of(
    st.floats(-5.0, 5.0), st.floats(allow_nan=False, allow_infinity=False), st.just(3.3e38)
)
WARM_STARTS = st.one_of(st.none(), st.lists(NUMBERS, min_size=8, max_size=8))
SPREAD = {
    "clip": st.sampled_from([None, 1.0, 2.0]),
    "discount": st.sampled_from([1.0, 0.9, 1e-3]),
    "horizon": st.just(4),
}
PARTICLES = st.sampled_from([("mean", 1), ("sample", 3)])
COUNTS = st.integers(1, 40)
NOISE = {
    "noise_exponent": st.sampled_from([0.0, 2.0, 50.0, (0.0, 3.0)]),
    "knots": st.sampled_from([0, 1, 3]),
    "smoothing_window": st.sampled_from([1, 5]),
}


@st.composite
def cem(draw: st.DrawFn) -> dp.CEM:
    candidates = draw(COUNTS)
    propagation, particles = draw(PARTICLES)
    initial_std = draw(st.sampled_from([0.5, 1e-6, 1e6]))
    truncated = draw(st.booleans())
    return dp.CEM(
        candidates=candidates,
        elites=draw(st.integers(1, candidates)),
        iterations=draw(st.integers(1, 3)),
        smoothing=draw(st.sampled_from([0.0, 0.1, 0.9])),
        initial_std=initial_std,
        min_std=draw(st.sampled_from([0.0, 0.05, 1.0])) * initial_std,
        result=draw(st.sampled_from(["best", "mean"])),
        truncated=truncated,
        tolerance=draw(st.sampled_from([0.0, 0.4])),
        propagation=propagation,
        particles=particles,
        **{name: draw(values) for name, values in (SPREAD | ({} if truncated else NOISE)).items()},
    )


@st.composite
def icem(draw: st.DrawFn) -> dp.ICEM:
    candidates = draw(COUNTS)
    propagation, particles = draw(PARTICLES)
    return dp.ICEM(
        candidates=candidates,
        elites=draw(st.integers(1, candidates)),
        iterations=draw(st.integers(1, 3)),
        smoothing=draw(st.sampled_from([0.0, 0.1, 0.9])),
        initial_std=draw(st.sampled_from([0.5, 1e-6, 1e6])),
        population_decay=draw(st.sampled_from([1.0, 1.25, 10.0])),
        reuse_fraction=draw(st.sampled_from([0.0, 0.3, 1.0])),
        propagation=propagation,
        particles=particles,
        **{name: draw(values) for name, values in (SPREAD | NOISE).items()},
    )


@st.composite
def mppi(draw: st.DrawFn) -> dp.MPPI:
    candidates = draw(COUNTS)
    propagation, particles = draw(PARTICLES)
    temperature = draw(st.sampled_from([None, 1.0, 1e-300, 1e-30, 1e30, 1e300]))
    return dp.MPPI(
        candidates=candidates,
        iterations=draw(st.integers(1, 3)),
        initial_std=draw(st.sampled_from([0.5, 1e-6, 1e6])),
        std_decay=draw(st.sampled_from([1.0, 0.7, 1e-20])),
        temperature=temperature,
        effective_samples=draw(st.floats(1.0, float(candidates))),
        control_cost=0.0 if temperature is None else draw(st.sampled_from([0.0, 1.0])),
        propagation=propagation,
        particles=particles,
        **{name: draw(values) for name, values in (SPREAD | NOISE).items()},
    )


@st.composite
def random_shooting(draw: st.DrawFn) -> dp.RandomShooting:
    propagation, particles = draw(PARTICLES)
    return dp.RandomShooting(
        candidates=draw(COUNTS),
        propagation=propagation,
        particles=particles,
        **{name: draw(values) for name, values in (SPREAD | NOISE).items()},
    )


PLANNERS = {"CEM": cem(), "ICEM": icem(), "MPPI": mppi(), "RandomShooting": random_shooting()}


def cases(planner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Everything a call of one planner can be given."""
    return st.fixed_dictionaries(
        {
            "planner": planner,
            "model": st.sampled_from(list(MODELS)),
            "reward": REWARDS,
            "box": BOXES,
            "states": st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=2),
            "warm_start": WARM_STARTS,
            "previous_action": st.one_of(st.none(), st.tuples(NUMBERS, NUMBERS)),
            "time_limit": st.sampled_from([None, None, 1e-9]),
        }
    )


def check(actions: Array, box: Array) -> None:
    """Each action is finite and within the box, to the last bit of float64."""
    assert np.isfinite(actions).all(), actions
    assert (actions >= box[0]).all(), (actions, box)
    assert (actions <= box[1]).all(), (actions, box)


def run(case: dict[str, Any]) -> None:
    """One plan from a given start, and two more as a controller makes them one after another."""
    model, box = model_named(case["model"]), case["box"]
    start = case["warm_start"]
    plan = case["planner"].plan(
        model,
        case["reward"],
        case["states"][0],
        action_space=tuple(box),
        warm_start=None if start is None else np.reshape(start, (4, ACTIONS)),
        previous_action=case["previous_action"],
        time_limit=case["time_limit"],
        seed=0,
    )
    check(plan.actions, box)
    check(plan.kept_sequences, box)
    mpc = dp.MPC(model, case["reward"], case["planner"], action_space=tuple(box), seed=0)
    for state in case["states"]:
        check(mpc.act(state, time_limit=case["time_limit"]), box)
        assert mpc.last_plan is not None
        check(mpc.last_plan.actions, box)


pytestmark = [
    pytest.mark.filterwarnings("ignore::dynaplan.FailedPlanWarning"),
    pytest.mark.filterwarnings("ignore::dynaplan.UntrustedPlanWarning"),
]
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


@pytest.mark.parametrize("name", PLANNERS)
def test_no_planner_returns_an_action_that_is_not_one(name: str) -> None:
    @settings(max_examples=200, deadline=None, suppress_health_check=SLOW)
    @given(case=cases(PLANNERS[name]))
    def any_case(case: dict[str, Any]) -> None:
        run(case)

    any_case()


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", PLANNERS)
def test_no_planner_returns_one_in_ten_thousand_cases(name: str) -> None:
    @settings(max_examples=10_000, deadline=None, suppress_health_check=SLOW)
    @given(case=cases(PLANNERS[name]))
    def any_case(case: dict[str, Any]) -> None:
        run(case)

    any_case()
