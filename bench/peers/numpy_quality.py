"""NumPy searches for good plans: a cross-entropy method by hand, float32, SFC64 normals."""

from __future__ import annotations

import numpy as np

from bench.case import Prepared
from bench.quality.measuring import Task
from bench.quality.problems import Problem
from bench.quality.settings import WRITTEN_BY_HAND, CrossEntropy
from bench.workloads import FloatArray


class CrossEntropySearch:
    """A `Searcher`; its plan is the last mean."""

    def __init__(self, problem: Problem, setting: CrossEntropy) -> None:
        self.problem, self.setting = problem, setting
        self.constants = tuple(array.astype(np.float32) for array in problem.constants)
        self.half_range = problem.half_range.astype(np.float32)
        self.noise = np.empty(
            (problem.horizon, setting.candidates, problem.action_dim), dtype=np.float32
        )
        self.colour = setting.colour(problem.horizon) if setting.noise_exponent else None
        self.reset(0)

    def reset(self, seed: int) -> None:
        """As `Searcher.reset`."""
        self.generator = np.random.Generator(np.random.SFC64(seed))
        self.mean = np.zeros((self.problem.horizon, self.problem.action_dim), dtype=np.float32)

    def plan(self, state: FloatArray) -> FloatArray:
        """As `Searcher.plan`."""
        setting, keep = self.setting, np.float32(self.setting.smoothing)
        start = state.astype(np.float32)
        mean = self.mean
        std = np.full_like(mean, setting.initial_std) * self.half_range
        for _ in range(setting.iterations):
            self.generator.standard_normal(dtype=np.float32, out=self.noise)
            noise = self.noise
            if self.colour is not None:
                noise = (self.colour @ noise.reshape(len(noise), -1)).reshape(noise.shape)
            actions = mean[:, None] + std[:, None] * noise
            np.clip(actions, -self.half_range, self.half_range, out=actions)
            returns = self.problem.returns(np, self.constants, start, actions)
            elites = actions[:, np.argpartition(-returns, setting.elites)[: setting.elites]]
            mean = keep * mean + (1 - keep) * elites.mean(axis=1)
            std = keep * std + (1 - keep) * elites.std(axis=1)
        self.mean = np.concatenate([mean[1:], mean[-1:]])
        return mean


def cem(task: Task, threads: int) -> Prepared:
    """The cross-entropy method; BLAS has as many threads as the environment says."""
    return task.prepared(
        lambda setting: CrossEntropySearch(task.problem, setting), WRITTEN_BY_HAND, "float32"
    )
