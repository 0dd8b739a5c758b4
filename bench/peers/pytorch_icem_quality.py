"""pytorch-icem searches for good plans; see `pytorch_icem.py` on how it is built."""

from __future__ import annotations

import torch
from pytorch_icem.icem import iCEM

from bench.case import Prepared
from bench.peers.torch import as_float
from bench.peers.torch_quality import cost_of, step_of
from bench.quality.measuring import Task
from bench.quality.problems import Problem
from bench.quality.settings import OF_ICEM, CrossEntropy
from bench.workloads import FloatArray


class ColouredSearch:
    """A `Searcher`; its plan is the best sequence of the last iteration, as the package has it."""

    def __init__(self, problem: Problem, setting: CrossEntropy) -> None:
        bounds, cost = as_float(problem.half_range), cost_of(problem)
        self.controller = iCEM(
            step_of(problem),
            lambda states, actions: cost(states, actions).sum(dim=-1),
            nx=problem.starts("development").shape[1],
            nu=1,
            sigma=setting.initial_std,
            num_samples=setting.candidates,
            num_elites=setting.elites,
            horizon=problem.horizon,
            alpha=setting.smoothing,
            noise_beta=setting.noise_exponent,
            warmup_iters=setting.iterations,
            online_iters=setting.iterations,
        )
        self.controller.nu = problem.action_dim
        self.controller.sigma = setting.initial_std * bounds
        self.reset(0)

    def reset(self, seed: int) -> None:
        """As `Searcher.reset`."""
        torch.manual_seed(seed)
        self.controller.reset()
        self.begun = False

    @torch.inference_mode()
    def plan(self, state: FloatArray) -> FloatArray:
        """As `Searcher.plan`."""
        if self.begun:
            self.controller.shift()
        self.controller.command(as_float(state), shift_nominal_trajectory=False)
        self.begun = True
        actions: FloatArray = self.controller.kept_elites[0].numpy().copy()
        return actions


def icem(task: Task, threads: int) -> Prepared:
    """The package's iCEM with several colours of the noise."""
    torch.set_num_threads(threads)
    return task.prepared(
        lambda setting: ColouredSearch(task.problem, setting),
        OF_ICEM,
        "keeps half of the elites, float32, inference mode",
    )
