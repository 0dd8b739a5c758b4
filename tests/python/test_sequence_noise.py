"""Noise along the horizon: the same settings, of the same meaning, for every planner that draws."""

from __future__ import annotations

import inspect
from functools import partial

import numpy as np
import pytest
from scipy.special import ndtri

import dynaplan as dp
from dynaplan.planners.noise import GaussianNoise, SequenceNoise
from reference import noise as twin

HORIZON, COUNT = 15, 20_000
LOW, HIGH = np.array([-1.0, 0.0]), np.array([1.0, 8.0])
WIDTH = 0.05  # so that no draw comes near the bounds
# A correlation of so many samples is this near, five standard deviations.
NEAR = 5.0 / np.sqrt(COUNT)
GAUSSIAN = {
    "CEM": partial(dp.CEM, initial_std=WIDTH),
    "ICEM": partial(dp.ICEM, initial_std=WIDTH, elites=50, reuse_fraction=0.0),
    "MPPI": partial(dp.MPPI, initial_std=WIDTH),
}
ALL = GAUSSIAN | {"RandomShooting": dp.RandomShooting}
COMBINED = [
    {"noise_exponent": 0.0},
    {"noise_exponent": 2.0},
    {"noise_exponent": 0.0, "knots": 4},
    {"noise_exponent": 1.0, "knots": 1},
    {"noise_exponent": 0.0, "smoothing_window": 7},
    {"noise_exponent": 2.0, "knots": 6},
    {"noise_exponent": 1.0, "smoothing_window": 5},
    {"noise_exponent": 0.0, "knots": 5, "smoothing_window": 5},
    {"noise_exponent": 1.5, "knots": 8, "smoothing_window": 9},
]


def model() -> dp.LinearModel:
    return dp.LinearModel(np.eye(1), np.zeros((1, 2)))


def candidates(planner: dp.Planner, **given) -> np.ndarray:
    """Returns the actions (N, H, A) of each iteration's candidates."""
    seen = []

    def reward(obs, act, next_obs):
        seen.append(act.reshape(-1, planner.horizon, act.shape[1]).copy())
        return -np.square(act).sum(axis=1)

    given = {"action_space": (LOW, HIGH), "seed": 3} | given
    planner.plan(model(), reward, [0.0], **given)
    return [batch for batch in seen if len(batch) >= planner.candidates]


def drawn(name: str, **settings) -> np.ndarray:
    """Returns the noise (N, H, A) of a planner's first candidates, as standard normals."""
    once = {} if name == "RandomShooting" else {"iterations": 1}
    planner = ALL[name](horizon=HORIZON, candidates=COUNT, **once, **settings)
    actions = candidates(planner)[0][1:-1]  # the first or the last is the mean itself
    if name == "RandomShooting":
        return ndtri((actions - LOW) / (HIGH - LOW))
    return (actions - 0.5 * (LOW + HIGH)) / (0.5 * WIDTH * (HIGH - LOW))


def exponents_of(settings) -> tuple[float, float]:
    exponent = settings["noise_exponent"]
    return exponent if isinstance(exponent, tuple) else (exponent, exponent)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    "settings", [*COMBINED, {"noise_exponent": (0.0, 3.0), "knots": 7}], ids=str
)
def test_noise_has_unit_variance_and_the_covariance_of_its_definition(name, settings):
    noise = drawn(name, **settings)
    shape = settings.get("knots", 0), settings.get("smoothing_window", 1)
    for action, exponent in enumerate(exponents_of(settings)):
        expected = twin.covariance(HORIZON, exponent, *shape)
        np.testing.assert_allclose(np.diag(expected), 1.0, rtol=1e-12)
        found = noise[:, :, action].T @ noise[:, :, action] / len(noise)
        np.testing.assert_allclose(found, expected, atol=1.5 * NEAR)
    across = noise[:, :, 0].T @ noise[:, :, 1] / len(noise)
    assert np.abs(across).max() < NEAR
    assert np.abs(noise.mean(axis=0)).max() < NEAR


@pytest.mark.parametrize("name", ALL)
def test_the_power_of_coloured_noise_falls_as_its_exponent_says(name):
    noise = drawn(name, noise_exponent=(1.0, 2.5))
    power = np.square(np.abs(np.fft.rfft(noise, axis=1))).mean(axis=0)
    waves = np.arange(1, HORIZON // 2 + 1)
    for action, exponent in enumerate((1.0, 2.5)):
        slope = np.polyfit(np.log(waves), np.log(power[waves, action]), 1)[0]
        assert slope == pytest.approx(-exponent, abs=0.03)
        assert power[0, action] == pytest.approx(power[1, action], rel=0.05)


@pytest.mark.parametrize("name", ALL)
def test_knots_and_smoothing_make_neighbouring_steps_alike(name):
    def alike(noise):
        return (noise[:, 1:] * noise[:, :-1]).mean()

    # Half way between two knots it is their sum over sqrt(2).
    knots = drawn(name, noise_exponent=0.0, knots=(HORIZON + 1) // 2)
    assert alike(knots) == pytest.approx(1.0 / np.sqrt(2.0), abs=NEAR)
    # The weights (-3, 12, 17, 12, -3) / 35 against themselves, one step on.
    weights = np.array([-3.0, 12.0, 17.0, 12.0, -3.0])
    expected = (weights[1:] * weights[:-1]).sum() / (weights**2).sum()
    smoothed = drawn(name, noise_exponent=0.0, smoothing_window=5)[:, 2:-2]
    assert alike(smoothed) == pytest.approx(expected, abs=NEAR)


def test_random_actions_stay_uniform_whatever_the_noise():
    planner = dp.RandomShooting(horizon=4, candidates=COUNT, noise_exponent=2.0)
    shares = np.sort((candidates(planner)[0] - LOW) / (HIGH - LOW), axis=0)
    even = (np.arange(COUNT) + 0.5)[:, None, None] / COUNT
    # Kolmogorov & Smirnov: above this once in 10^6.
    assert np.abs(shares - even).max() < 2.7 / np.sqrt(COUNT)


@pytest.mark.parametrize("given", COMBINED, ids=str)
def test_cem_and_icem_draw_the_same_but_for_the_mean(given):
    settings = {"horizon": 9, "candidates": 40, "elites": 10, "iterations": 3, "min_std": 0.01}
    start = np.full((9, 2), 0.5)
    ours = candidates(dp.CEM(**settings, **given), warm_start=start)
    theirs = candidates(
        dp.ICEM(**settings, **given, population_decay=1.0, reuse_fraction=0.0), warm_start=start
    )
    np.testing.assert_array_equal(ours[0], theirs[0])
    np.testing.assert_array_equal(ours[0][0], start)
    assert (ours[1][0] != theirs[1][0]).any()  # the mean here, a draw there
    # The same Gaussian was refitted, since the first candidates are the same.
    np.testing.assert_array_equal(ours[1][1:], theirs[1][1:])


def test_cem_and_mppi_draw_the_same_first_candidates():
    settings = {"horizon": 9, "candidates": 40, "iterations": 1, "noise_exponent": 2.0, "knots": 4}
    ours, theirs = dp.CEM(elites=10, **settings), dp.MPPI(**settings)
    np.testing.assert_array_equal(candidates(ours)[0], candidates(theirs)[0])


@pytest.mark.parametrize("settings", COMBINED, ids=str)
def test_with_no_reward_the_whole_control_cost_leads_to_its_target(settings):
    """Weighted by it, noise about the plan is noise about the target: an importance ratio."""
    shape = (
        settings["noise_exponent"],
        settings.get("knots", 0),
        settings.get("smoothing_window", 1),
    )
    white = 0.5 * np.random.default_rng(1).normal(size=(2, shape[1] or 8))
    target, std = np.array([0.3, -0.2]), 0.9
    start = target + std * twin.along(white, 8, *shape).T
    planner = dp.MPPI(
        horizon=8,
        candidates=200_000,
        iterations=1,
        initial_std=0.1,
        temperature=3.0,
        control_cost=1.0,
        control_target=target,
        **settings,
    )
    nothing = 0.0 * dp.rewards.quadratic([1.0])
    space = ([-9.0, -9.0], [9.0, 9.0])
    plan = planner.plan(model(), nothing, [0.0], action_space=space, warm_start=start, seed=0)
    assert np.abs(start - target).max() > 0.3
    np.testing.assert_allclose(plan.actions, np.tile(target, (8, 1)), atol=0.05)


@pytest.mark.parametrize("kind", [dp.CEM, dp.MPPI, dp.RandomShooting])
def test_noise_that_lasts_finds_a_push_that_white_noise_shakes_off(kind):
    """A double integrator that must go far, with few candidates."""
    system = dp.LinearModel(np.array([[1.0, 0.1], [0.0, 1.0]]), np.array([[0.0], [0.1]]))
    reward = dp.rewards.quadratic([1.0, 0.0], target=[5.0, 0.0])
    few = {"horizon": 30, "candidates": 40}
    if kind is not dp.RandomShooting:
        few["iterations"] = 3
    if kind is dp.CEM:
        few["elites"] = 10
    lasting = [{"noise_exponent": 2.0}, {"knots": 4}, {"noise_exponent": 2.0, "knots": 6}]

    def worth(**noise):
        planner = kind(**few, **noise, clip=None)
        plans = [
            planner.plan(system, reward, [0.0, 0.0], action_space=([-1.0], [1.0]), seed=seed)
            for seed in range(20)
        ]
        return np.mean([plan.value for plan in plans])

    white = worth()
    for noise in lasting:
        assert worth(**noise) > white + 1.0


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("settings", COMBINED[1:], ids=str)
@pytest.mark.parametrize(
    "limits",
    [dp.Limits(action_rate=[0.1, 2.0]), dp.Limits(action_acceleration=[0.05, 0.5])],
    ids=["rate", "acceleration"],
)
def test_limited_actions_keep_their_limits_and_reach_the_bounds(name, settings, limits):
    planner = ALL[name](horizon=12, candidates=200, **settings)
    batch = candidates(planner, limits=limits, previous_action=[0.0, 4.0])[0]
    actions = np.concatenate([np.tile([0.0, 4.0], (len(batch), 1, 1)), batch], axis=1)
    changes = np.diff(actions, axis=1)
    if limits.action_rate is not None:
        assert (np.abs(changes) <= limits.action_rate * (1.0 + 1e-6)).all()
        assert (np.abs(changes).max(axis=(0, 1)) > 0.2 * limits.action_rate).all()
    else:
        bends = np.diff(changes, axis=1)
        assert (np.abs(bends) <= limits.action_acceleration * (1.0 + 1e-4) + 1e-5).all()
    assert np.std(batch[:, -1], axis=0).min() > 0.01


@pytest.mark.parametrize("kind", [dp.CEM, dp.ICEM, dp.MPPI, dp.RandomShooting])
def test_the_settings_are_the_same_and_are_described_once(kind):
    shared = SequenceNoise if kind is dp.RandomShooting else GaussianNoise
    assert issubclass(kind, shared)
    for base in (SequenceNoise, shared):
        for name in inspect.get_annotations(base):
            described = inspect.getdoc(base).split(f"    {name}: ")[1].split("\n    ")[0]
            assert inspect.getdoc(kind).count(f"    {name}: {described}") == 1


@pytest.mark.parametrize("kind", [dp.CEM, dp.ICEM, dp.MPPI, dp.RandomShooting])
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"noise_exponent": -1.0}, r"noise_exponent: got -1\.0, must be finite and at least 0"),
        ({"noise_exponent": np.nan}, "noise_exponent: got nan"),
        ({"noise_exponent": np.inf}, "noise_exponent: got inf"),
        ({"noise_exponent": "white"}, "noise_exponent: got 'white'"),
        ({"noise_exponent": (1.0, -1.0)}, r"noise_exponent: entry 1 is -1.*, must be finite"),
        ({"noise_exponent": ()}, "noise_exponent: got shape"),
        ({"noise_exponent": [[1.0]]}, "noise_exponent: got shape"),
        ({"knots": 31, "horizon": 30}, "knots: got 31, must be from 0 to the horizon"),
        ({"knots": -1}, "knots: got -1"),
        ({"knots": 2.5}, "knots: got 2.5"),
        ({"smoothing_window": 4}, "smoothing_window: got 4, must be odd and at least 5"),
        (
            {"smoothing_window": 3},
            "smoothing_window: got 3, .*as a parabola goes through any three",
        ),
        ({"smoothing_window": -5}, "smoothing_window: got -5"),
        ({"smoothing_window": 7, "horizon": 3}, "smoothing_window: got 7, .* twice the horizon"),
        ({"smoothing_window": 10**9 + 1}, "smoothing_window: got 1000000001, must be less than"),
    ],
)
def test_settings_that_make_no_noise_are_refused(kind, settings, message):
    with pytest.raises((dp.ArgumentError, dp.ShapeError), match=message):
        kind(**settings)


@pytest.mark.parametrize("kind", [dp.CEM, dp.ICEM, dp.MPPI, dp.RandomShooting])
@pytest.mark.parametrize("exponents", [(0.0, 0.0, 0.0), (1.0, 2.0, 3.0)])
def test_exponents_of_other_actions_are_refused(kind, exponents):
    message = "noise_exponent: got 3 numbers, must be one for all actions, or one for each of the 2"
    with pytest.raises(dp.ShapeError, match=message):
        candidates(kind(noise_exponent=exponents))


@pytest.mark.parametrize(
    "settings", [{"noise_exponent": 2.0}, {"knots": 3}, {"smoothing_window": 5}]
)
def test_only_white_noise_is_cut_off_by_drawing_again(settings):
    with pytest.raises(
        dp.ArgumentError, match=r"truncated: got .*must be False with noise_exponent"
    ):
        dp.CEM(truncated=True, **settings)
    dp.CEM(truncated=True, noise_exponent=(0.0, 0.0))
