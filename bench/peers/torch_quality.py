"""PyTorch searches for good plans: the cross-entropy method by hand, eager or compiled."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch

from bench.case import Prepared
from bench.peers.torch import LinearOperands, as_float, improved, linear_plan_returns
from bench.quality.matrix_problems import LearnedEnsemble, Linear
from bench.quality.measuring import Task
from bench.quality.problems import Problem
from bench.quality.settings import COMPILED, WRITTEN_BY_HAND, CrossEntropy
from bench.workloads import FloatArray, PlanBudget

Returns = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def constants_of(problem: Problem) -> tuple[torch.Tensor, ...]:
    """Returns a problem's constants in float32."""
    return tuple(as_float(array) for array in problem.constants)


def ensemble_change(
    constants: tuple[torch.Tensor, ...], states: torch.Tensor, actions: torch.Tensor
) -> torch.Tensor:
    """Returns the mean change (N, S) over the members, by batched products with their biases."""
    x = torch.cat([states, actions], dim=1).expand(len(constants[0]), -1, -1)
    *hidden, weights, biases = constants
    for layer in range(0, len(hidden), 2):
        x = torch.nn.functional.silu(torch.baddbmm(hidden[layer + 1], x, hidden[layer]))
    return torch.baddbmm(biases, x, weights).mean(dim=0)


def step_of(problem: Problem) -> Returns:
    """Returns the step of states (N, S) and actions (N, A), which are clamped to their range."""
    constants, bounds = constants_of(problem), as_float(problem.half_range)

    def step(states: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        clamped = actions.clamp(-bounds, bounds)
        if isinstance(problem, LearnedEnsemble):
            return states + ensemble_change(constants, states, clamped)
        if isinstance(problem, Linear):
            A, B, c, _, _ = constants
            return torch.addmm(torch.addmm(c, clamped, B), states, A)
        moved: torch.Tensor = problem.step(torch, constants, states, clamped)
        return moved

    return step


def cost_of(problem: Problem) -> Returns:
    """Returns the cost of next states (..., S) and actions (..., A), which are clamped."""
    constants, bounds = constants_of(problem), as_float(problem.half_range)
    return lambda states, actions: (
        -problem.reward(torch, constants, states, actions.clamp(-bounds, bounds))
    )


def returns_of(problem: Problem) -> Returns:
    """Returns what gives (N,) returns of a start (S,) and time-major actions (H, N, A)."""
    constants = constants_of(problem)
    if isinstance(problem, Linear):
        A, B, c, W, R = constants
        step = torch.cat([A, B])
        return lambda start, actions: linear_plan_returns(
            actions, LinearOperands(start, step, c, W, R)
        )
    if isinstance(problem, LearnedEnsemble):

        def returns(start: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
            states, passed = start.expand(actions.shape[1], -1), []
            for now in actions:
                states = states + ensemble_change(constants, states, now)
                passed.append(states)
            rewards: torch.Tensor = problem.reward(torch, constants, torch.stack(passed), actions)
            return rewards.sum(dim=0)

        return returns
    return lambda start, actions: problem.returns(torch, constants, start, actions)


class CrossEntropySearch:
    """A `Searcher`; its plan is the last mean.

    Args:
        problem: to plan for.
        setting: of the search.
        iteration: from start, mean, std and noise to the next mean and std.
    """

    def __init__(
        self, problem: Problem, setting: CrossEntropy, iteration: Callable[..., Any]
    ) -> None:
        self.setting, self.iteration = setting, iteration
        self.shape = (problem.horizon, problem.action_dim)
        self.bounds = as_float(problem.half_range)
        self.colour = None
        if setting.noise_exponent:
            self.colour = as_float(setting.colour(problem.horizon))
        self.reset(0)

    def reset(self, seed: int) -> None:
        """As `Searcher.reset`."""
        torch.manual_seed(seed)
        self.mean = torch.zeros(self.shape)

    @torch.inference_mode()
    def plan(self, state: FloatArray) -> FloatArray:
        """As `Searcher.plan`."""
        setting, (horizon, actions) = self.setting, self.shape
        start, mean = as_float(state), self.mean
        std = (setting.initial_std * self.bounds).repeat(horizon, 1)
        for _ in range(setting.iterations):
            noise = torch.randn(horizon, setting.candidates, actions)
            if self.colour is not None:
                noise = torch.mm(self.colour, noise.view(horizon, -1)).view(noise.shape)
            mean, std = self.iteration(start, mean, std, noise)
        self.mean = torch.cat([mean[1:], mean[-1:]])
        return np.asarray(mean.numpy())


def iteration_of(problem: Problem, elites: int, smoothing: float) -> Callable[..., Any]:
    """Returns one iteration of a search."""
    returns, bounds = returns_of(problem), as_float(problem.half_range)
    budget = PlanBudget(elites=elites, smoothing=smoothing)

    def iteration(
        start: torch.Tensor, mean: torch.Tensor, std: torch.Tensor, noise: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        actions = torch.addcmul(mean[:, None], std[:, None], noise).clamp(-bounds, bounds)
        return improved(mean, std, actions, returns(start, actions), budget)

    return iteration


def cem(task: Task, threads: int) -> Prepared:
    """Eager."""
    torch.set_num_threads(threads)

    def searcher(setting: CrossEntropy) -> CrossEntropySearch:
        iteration = iteration_of(task.problem, setting.elites, setting.smoothing)
        return CrossEntropySearch(task.problem, setting, iteration)

    return task.prepared(searcher, WRITTEN_BY_HAND, "float32, inference mode")


def cem_compiled(task: Task, threads: int) -> Prepared:
    """Each iteration compiled, the horizon unrolled; once for each number of candidates."""
    torch.set_num_threads(threads)

    @cache
    def iteration(_candidates: int, elites: int, smoothing: float) -> Callable[..., Any]:
        return torch.compile(
            iteration_of(task.problem, elites, smoothing), fullgraph=True, dynamic=False
        )

    def searcher(setting: CrossEntropy) -> CrossEntropySearch:
        compiled = iteration(setting.candidates, setting.elites, setting.smoothing)
        return CrossEntropySearch(task.problem, setting, compiled)

    note = "float32, iterations compiled, horizon unrolled, inference mode"
    return task.prepared(searcher, COMPILED, note)
