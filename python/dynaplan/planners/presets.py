"""Planners with published settings."""

from __future__ import annotations

import numpy as np

from dynaplan.planners.cem import CEM
from dynaplan.planners.icem import ICEM
from dynaplan.planners.mppi import MPPI

__all__ = ["cem_pets", "cem_planet", "icem_blitz", "mppi_diffusion", "mppi_pytorch"]


def cem_pets() -> CEM:
    """Returns the `CEM` of PETS, as its authors run it on cartpole and reacher.

    400 candidates, 40 elites, 5 iterations, 25 steps ahead, drawn from a Gaussian cut off at two
    standard deviations, stopped when it has converged; 20 particles, each with one member of an
    ensemble. 1.0 million model steps per plan: seconds on a CPU. For half-cheetah the authors
    have 500 candidates, 50 elites and 30 steps; for pusher 500, 50 and 25. Change any with
    `dataclasses.replace`.

    What differs: the authors stop at a variance of 0.001 in units of the action, ours at its root
    in half widths of the bounds, the same for bounds of -1 and 1; a warm start repeats the last
    action where theirs adds a zero; a candidate with a particle that is nan ranks last, where
    theirs pays 1e6 for that particle.

    Source: Chua et al. 2018, "Deep reinforcement learning in a handful of trials using
    probabilistic dynamics models", and github.com/kchua/handful-of-trials.

    Example:
        >>> from dataclasses import replace
        >>> cheetah = replace(dp.cem_pets(), candidates=500, elites=50, horizon=30)
        >>> cheetah.particles
        20
    """
    return CEM(
        horizon=25,
        candidates=400,
        elites=40,
        iterations=5,
        smoothing=0.1,
        initial_std=0.5,
        min_std=0.0,
        result="mean",
        truncated=True,
        tolerance=0.001**0.5,
        propagation="tsinf",
        particles=20,
        clip=None,
    )


def cem_planet() -> CEM:
    """Returns the `CEM` of PlaNet: 1,000 candidates, 100 elites, 10 iterations, 12 steps ahead.

    The initial standard deviation is 1 for bounds of -1 and 1, draws beyond the bounds are clipped
    to them, nothing of the old Gaussian is kept, and the mean is the plan.

    What differs: their variance is over the elites less one, ours over their number (half a percent
    of the standard deviation); PlaNet starts each search at zero, `MPC` at the last plan, which
    `MPC.reset` forgets.

    Source: Hafner et al. 2019, "Learning latent dynamics for planning from pixels"; settings as in
    github.com/facebookresearch/mbrl-lib.

    Example:
        >>> dp.cem_planet().horizon
        12
    """
    return CEM(
        horizon=12,
        candidates=1000,
        elites=100,
        iterations=10,
        smoothing=0.0,
        initial_std=1.0,
        min_std=0.0,
        result="mean",
        clip=None,
    )


def icem_blitz() -> ICEM:
    """Returns the `ICEM` that its authors run in real time ("i-cem-blitz").

    40, 32 and 25 candidates, 10 elites of which 3 are kept, 30 steps ahead, and noise whose power
    falls with the third power of the frequency. The authors set that exponent for each task: 0.25
    for half-cheetah, 2.0 for humanoid standup, 2.5 for door, 3.0 for fetch, 3.5 for relocate.

    What differs: elites that are kept are scored again; the last step of one that is shifted to the
    next plan is drawn from the first Gaussian of that plan; the result is the best sequence of all
    iterations, or the last mean if that is worth more, where theirs is the best of the last
    iteration.

    Source: Pinneri et al. 2020, "Sample-efficient cross-entropy method for real-time planning", and
    github.com/martius-lab/iCEM, `icem/settings/defaults/i-cem-blitz.json`.

    Example:
        >>> dp.icem_blitz().noise_exponent
        3.0
    """
    return ICEM(
        horizon=30,
        candidates=40,
        elites=10,
        iterations=3,
        smoothing=0.1,
        initial_std=0.5,
        min_std=0.0,
        noise_exponent=3.0,
        population_decay=1.25,
        reuse_fraction=0.3,
        clip=None,
    )


def mppi_pytorch() -> MPPI:
    """Returns `MPPI` as the package pytorch-mppi (0.9.1) has it by default.

    100 candidates, 15 steps ahead, one iteration, temperature 1, and the full control cost. The
    package has no default for the covariance of the noise; the standard deviation here is `MPPI`'s
    own, half of half the width of the bounds. `initial_std` is the root of the package's variance
    divided by half the width of the bounds.

    What differs: noise is independent in each action, so that a covariance off the diagonal cannot
    be given; a warm start repeats the last action where the package adds a zero; the first plan
    starts in the middle of the bounds, the package's at random; one candidate is the plan so far,
    without noise. `risk` takes the place of its `rollout_var_cost`; custom samplers have no
    counterpart.

    Source: Williams et al. 2017, "Information theoretic MPC for model-based reinforcement
    learning", and github.com/UM-ARM-Lab/pytorch_mppi.

    Example:
        >>> dp.mppi_pytorch().temperature
        1.0
    """
    return MPPI(
        horizon=15,
        candidates=100,
        iterations=1,
        initial_std=0.5,
        std_decay=1.0,
        temperature=1.0,
        control_cost=1.0,
        control_target=0.0,
        clip=None,
    )


def mppi_diffusion() -> MPPI:
    """Returns the `MPPI` that model-based diffusion is: noise that narrows in 99 iterations.

    Each of its steps backwards from noise is an average of 2,048 candidates about the plan so far,
    weighted by the returns in units of their standard deviation, at a temperature of 0.1. The width
    of the noise falls as that of 100 steps of diffusion with variances from 0.0001 to 0.01: from
    0.63 half widths of the bounds to 0.017. 50 steps ahead; some 10 million model steps a plan.

    What differs: a standard deviation of returns below 0.0001 counts as 1 there, one of 0 here;
    one candidate is the plan so far, without noise.

    Source: Pan, Yi, Shi & Qu 2024, "Model-based diffusion for trajectory optimization", and
    github.com/LeCAR-Lab/model-based-diffusion.

    Example:
        >>> dp.mppi_diffusion().iterations
        99
    """
    kept = np.cumprod(1.0 - np.linspace(1e-4, 1e-2, 100))  # of the plan's own variance
    widths = np.sqrt(1.0 - kept)[:0:-1]
    return MPPI(
        horizon=50,
        candidates=2048,
        iterations=99,
        initial_std=float(widths[0]),
        std_decay=tuple((widths[1:] / widths[:-1]).tolist()),
        temperature=0.1,
        standardise=True,
        clip=None,
    )
