"""Presets hold the published numbers, each written down here once more with its place."""

from __future__ import annotations

import inspect
import itertools
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

import dynaplan as dp
from reference.systems import scalar_model


def diffusion_decays() -> list[float]:
    """How the width of the noise falls from step to step of model-based diffusion."""
    kept, widths = 1.0, []
    for i in range(100):
        kept *= 1.0 - (1e-4 + (1e-2 - 1e-4) * i / 99)
        widths.append((1.0 - kept) ** 0.5)
    return [after / before for before, after in itertools.pairwise(widths[:0:-1])]


# kchua/handful-of-trials: config/cartpole.py, config/default.py, optimizers/cem.py, MPC.py. The
# first width there is the variance (high - low)^2 / 16, half of half the width; epsilon is of it.
PETS = {
    "horizon": 25,
    "candidates": 400,
    "elites": 40,
    "iterations": 5,
    "smoothing": 0.1,
    "initial_std": 0.5,
    "min_std": 0.0,
    "noise_exponent": 0.0,
    "knots": 0,
    "smoothing_window": 1,
    "result": "mean",
    "truncated": True,
    "tolerance": 0.03162277660168379,
    "propagation": "tsinf",
    "particles": 20,
}
# facebookresearch/mbrl-lib: conf/algorithm/planet.yaml, conf/action_optimizer/cem.yaml.
PLANET = {
    "horizon": 12,
    "candidates": 1000,
    "elites": 100,
    "iterations": 10,
    "smoothing": 0.0,
    "initial_std": 1.0,
    "min_std": 0.0,
    "noise_exponent": 0.0,
    "knots": 0,
    "smoothing_window": 1,
    "result": "mean",
    "truncated": False,
    "tolerance": 0.0,
    "propagation": "mean",
    "particles": 1,
}
# martius-lab/iCEM: icem/settings/defaults/i-cem-blitz.json.
BLITZ = {
    "horizon": 30,
    "candidates": 40,
    "elites": 10,
    "iterations": 3,
    "smoothing": 0.1,
    "initial_std": 0.5,
    "min_std": 0.0,
    "noise_exponent": 3.0,
    "knots": 0,
    "smoothing_window": 1,
    "population_decay": 1.25,
    "reuse_fraction": 0.3,
    "propagation": "mean",
    "particles": 1,
}
# UM-ARM-Lab/pytorch_mppi 0.9.1: src/pytorch_mppi/mppi.py; it has no default width of the noise.
PYTORCH_MPPI = {
    "horizon": 15,
    "candidates": 100,
    "iterations": 1,
    "initial_std": 0.5,
    "std_decay": 1.0,
    "temperature": 1.0,
    "effective_samples": 10.0,  # not heeded where a temperature is given
    "control_cost": 1.0,
    "control_target": 0.0,
    "standardise": False,
    "noise_exponent": 0.0,
    "knots": 0,
    "smoothing_window": 1,
    "propagation": "mean",
    "particles": 1,
}
# LeCAR-Lab/model-based-diffusion: mbd/planners/mbd_planner.py.
DIFFUSION = {
    "horizon": 50,
    "candidates": 2048,
    "iterations": 99,
    "initial_std": pytest.approx(0.6305, abs=1e-4),
    "std_decay": pytest.approx(diffusion_decays(), rel=1e-12),
    "temperature": 0.1,
    "standardise": True,
    "effective_samples": 10.0,  # not heeded where a temperature is given
    "control_cost": 0.0,
    "control_target": None,
    "noise_exponent": 0.0,
    "knots": 0,
    "smoothing_window": 1,
    "propagation": "mean",
    "particles": 1,
}
# Of every preset: nobody clips states, discounts, or minds the spread of the particles.
SHARED = {
    "risk": dp.risk.Mean(),
    "disagreement_limit": None,
    "discount": 1.0,
    "clip": None,
    "threads": 1,
}
PRESETS: dict[Any, dict[str, Any]] = {
    dp.cem_pets: PETS,
    dp.cem_planet: PLANET,
    dp.icem_blitz: BLITZ,
    dp.mppi_diffusion: DIFFUSION,
    dp.mppi_pytorch: PYTORCH_MPPI,
}


@pytest.mark.parametrize(("preset", "published"), PRESETS.items(), ids=lambda p: str(p)[:24])
def test_every_number_is_the_published_one(preset: Any, published: dict[str, Any]) -> None:
    planner = preset()
    wanted = published | SHARED
    # A setting that a planner gets later is to be thought about here, so none may be missing.
    assert {field.name for field in fields(planner)} == set(wanted)
    for name, value in wanted.items():
        assert getattr(planner, name) == value, name


def test_a_preset_is_changed_by_replace_alone() -> None:
    for preset in PRESETS:
        assert not inspect.signature(preset).parameters
        assert replace(preset(), horizon=7).horizon == 7


def test_the_package_that_is_copied_has_these_defaults() -> None:
    package = pytest.importorskip("pytorch_mppi")
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(package.MPPI.__init__).parameters.items()
    }
    ours = dp.mppi_pytorch()
    assert (defaults["num_samples"], defaults["horizon"]) == (ours.candidates, ours.horizon)
    assert defaults["lambda_"] == ours.temperature
    assert defaults["noise_sigma"] is inspect.Parameter.empty


def test_a_blitz_plan_draws_97_sequences() -> None:
    plan = dp.icem_blitz().plan(
        scalar_model(), dp.rewards.quadratic([1.0]), [1.0], action_space=([-1.0], [1.0]), seed=0
    )
    assert plan.stats.candidates - 2 * len(plan.kept_sequences) == 40 + 32 + 25


@pytest.mark.parametrize(
    "preset", [dp.cem_planet, dp.icem_blitz, dp.mppi_diffusion, dp.mppi_pytorch]
)
def test_it_plans(preset: Any) -> None:
    # Two steps from 1 to the target 0 of s' = 0.5 s + a: -0.5 now, then 0.
    planner = replace(preset(), horizon=2)
    plan = planner.plan(
        scalar_model(), dp.rewards.quadratic([50.0]), [1.0], action_space=([-1.0], [1.0]), seed=0
    )
    np.testing.assert_allclose(plan.actions[0], -0.5, atol=0.2)


def test_pets_plans_with_an_ensemble() -> None:
    random = np.random.default_rng(0)
    states, actions = random.normal(size=(60, 1)), random.uniform(-1.0, 1.0, (60, 1))
    data = dp.Transitions(states, actions, 0.5 * states + actions)
    ensemble = dp.Ensemble.fit(data, members=5, hidden=(16,), epochs=300, seed=0)
    planner = replace(dp.cem_pets(), horizon=2)
    plan = planner.plan(
        ensemble, dp.rewards.quadratic([1.0]), [1.0], action_space=([-1.0], [1.0]), seed=0
    )
    np.testing.assert_allclose(plan.actions[0], -0.5, atol=0.2)
