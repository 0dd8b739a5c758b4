"""pytorch-mppi searches for good plans: several `command` calls on one nominal sequence."""

from __future__ import annotations

import torch
from pytorch_mppi import MPPI

from bench.case import Prepared
from bench.peers.torch import as_float
from bench.peers.torch_quality import cost_of, step_of
from bench.quality.measuring import Task
from bench.quality.problems import Problem
from bench.quality.settings import PATH_INTEGRAL_OF_PACKAGES, PathIntegral
from bench.workloads import FloatArray


class PathIntegralSearch:
    """A `Searcher`; its plan is the nominal sequence after all commands."""

    def __init__(self, problem: Problem, setting: PathIntegral) -> None:
        self.iterations = setting.iterations
        bounds = as_float(problem.half_range)
        self.nothing = torch.zeros(problem.horizon, problem.action_dim)
        self.controller = MPPI(
            step_of(problem),
            cost_of(problem),
            nx=problem.starts("development").shape[1],
            noise_sigma=torch.diag((setting.std * bounds) ** 2),
            num_samples=setting.candidates,
            horizon=problem.horizon,
            lambda_=setting.temperature,
            u_min=-bounds,
            u_max=bounds,
            U_init=self.nothing.clone(),
        )
        self.reset(0)

    def reset(self, seed: int) -> None:
        """As `Searcher.reset`."""
        torch.manual_seed(seed)
        self.controller.U = self.nothing.clone()
        self.begun = False

    @torch.inference_mode()
    def plan(self, state: FloatArray) -> FloatArray:
        """As `Searcher.plan`."""
        start = as_float(state)
        for command in range(self.iterations):
            self.controller.command(start, shift_nominal_trajectory=self.begun and command == 0)
        self.begun = True
        actions: FloatArray = self.controller.U.numpy()
        return actions


def mppi(task: Task, threads: int) -> Prepared:
    """The package's MPPI, its own control cost, several temperatures and widths of the noise."""
    torch.set_num_threads(threads)
    return task.prepared(
        lambda setting: PathIntegralSearch(task.problem, setting),
        PATH_INTEGRAL_OF_PACKAGES,
        "float32, inference mode",
    )
