"""mbrl-lib searches for good plans: its optimisers on returns written in torch.

The version on PyPI asks for old packages, but its optimisers run with `gymnasium>=1.1`,
`hydra-core>=1.3` and `omegaconf>=2.3` installed after it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from mbrl.planning import CEMOptimizer, ICEMOptimizer

from bench.case import Prepared
from bench.peers.torch import as_float
from bench.peers.torch_quality import returns_of
from bench.quality.measuring import Task
from bench.quality.problems import Problem
from bench.quality.settings import OF_ICEM, WHITE, CrossEntropy, Family
from bench.workloads import FloatArray


class OptimizerSearch:
    """A `Searcher` with one of the package's optimisers.

    Args:
        problem: to plan for.
        make: makes the optimiser, after each reset anew.
    """

    def __init__(self, problem: Problem, make: Callable[[], Any]) -> None:
        self.make, self.returns = make, returns_of(problem)
        self.shape = (problem.horizon, problem.action_dim)
        self.reset(0)

    def reset(self, seed: int) -> None:
        """As `Searcher.reset`."""
        torch.manual_seed(seed)
        self.optimizer = self.make()
        self.mean = torch.zeros(self.shape)

    @torch.inference_mode()
    def plan(self, state: FloatArray) -> FloatArray:
        """As `Searcher.plan`."""
        start = as_float(state)
        plan = self.optimizer.optimize(
            lambda actions: self.returns(start, actions.transpose(0, 1)), x0=self.mean
        )
        # As the package's TrajectoryOptimizer: the last action is 0.
        self.mean = torch.cat([plan[1:], torch.zeros_like(plan[:1])])
        return np.asarray(plan.numpy())


def of_package(families: Sequence[Family[CrossEntropy]]) -> list[Family[CrossEntropy]]:
    """Returns the families that the package can search: it begins with half of the half range."""
    return [family for family in families if family.rungs[0].initial_std == 0.5]


def common(problem: Problem, setting: CrossEntropy) -> dict[str, Any]:
    """Returns the arguments that both optimisers have."""
    bounds = np.tile(problem.half_range, (problem.horizon, 1))
    return {
        "num_iterations": setting.iterations,
        "elite_ratio": setting.elites / setting.candidates,
        "population_size": setting.candidates,
        "lower_bound": (-bounds).tolist(),
        "upper_bound": bounds.tolist(),
        "alpha": setting.smoothing,
        "device": torch.device("cpu"),
        "return_mean_elites": True,
    }


def cem(task: Task, threads: int) -> Prepared:
    """Its cross-entropy method, drawn from a Gaussian that is cut off, as in PETS."""
    torch.set_num_threads(threads)

    def searcher(setting: CrossEntropy) -> OptimizerSearch:
        return OptimizerSearch(task.problem, lambda: CEMOptimizer(**common(task.problem, setting)))

    return task.prepared(searcher, of_package(WHITE), "mean of the elites, float32, inference mode")


def icem(task: Task, threads: int) -> Prepared:
    """Its iCEM; three tenths of the elites are kept, and populations shrink by 1.25."""
    torch.set_num_threads(threads)

    def searcher(setting: CrossEntropy) -> OptimizerSearch:
        arguments = common(task.problem, setting) | {"return_mean_elites": False}
        return OptimizerSearch(
            task.problem,
            lambda: ICEMOptimizer(
                **arguments,
                population_decay_factor=1.25,
                colored_noise_exponent=setting.noise_exponent,
                keep_elite_frac=0.3,
            ),
        )

    return task.prepared(searcher, of_package(OF_ICEM), "best sequence, float32, inference mode")
