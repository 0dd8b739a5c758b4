"""Settings that are tried: for each kind of planner, families of rungs that cost more and more.

A family is one way to search; its rungs differ in the number of candidates alone. Families are
the same for all problems, and cover what the packages and papers recommend. What is written by hand
has the coloured noise of iCEM besides, since that is what helps most.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

import numpy as np

from bench.workloads import FloatArray

CANDIDATES = (32, 64, 128, 256, 512, 1024, 2048)


class Setting(Protocol):
    """What a searcher is made of."""

    @property
    def work(self) -> float:
        """Candidates that are rolled out: what orders families by cost before they are timed."""

    def __str__(self) -> str: ...


Kind = TypeVar("Kind", bound=Setting)


@dataclass(frozen=True)
class Family(Generic[Kind]):
    """Rungs in ascending order of cost."""

    rungs: tuple[Kind, ...]


@dataclass(frozen=True)
class CrossEntropy:
    """Settings of a cross-entropy search, with the names of `dp.CEM` and `dp.ICEM`."""

    candidates: int
    iterations: int
    elite_share: float = 0.1
    noise_exponent: float = 0.0
    smoothing: float = 0.1
    initial_std: float = 0.5
    min_std: float = 0.0

    @property
    def elites(self) -> int:
        """Number of elites, at least 4."""
        return max(4, round(self.elite_share * self.candidates))

    @property
    def work(self) -> float:
        """As `Setting.work`."""
        return self.candidates * self.iterations

    def colour(self, horizon: int) -> FloatArray:
        """Returns what makes white noise (H, ...) coloured: (H, H), float32, rows of length 1.

        The power of noise of frequency f is f to the minus `noise_exponent`, that of frequency 0 as
        that of the lowest above it (Timmer & Koenig 1995).
        """
        frequency = np.fft.rfftfreq(horizon)
        frequency[0] = frequency[1]
        amplitude = frequency ** (-self.noise_exponent / 2.0)
        matrix = np.fft.irfft(amplitude[:, None] * np.fft.rfft(np.eye(horizon), axis=0), horizon, 0)
        matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
        return np.asarray(matrix, dtype=np.float32)

    def __str__(self) -> str:
        noise = f", noise {self.noise_exponent:g}" if self.noise_exponent else ""
        spread = "" if self.initial_std == 0.5 else f", std {self.initial_std:g}"
        return f"{self.iterations} x {self.candidates}, elites {self.elites}{noise}{spread}"


@dataclass(frozen=True)
class PathIntegral:
    """Settings of MPPI; without a temperature, ours chooses it from the returns."""

    candidates: int
    iterations: int
    temperature: float | None = None
    std: float = 0.5
    std_decay: float = 1.0
    knots: int = 0

    @property
    def work(self) -> float:
        """As `Setting.work`."""
        return self.candidates * self.iterations

    def __str__(self) -> str:
        heat = "" if self.temperature is None else f", temperature {self.temperature:g}"
        decay = "" if self.std_decay == 1.0 else f", decay {self.std_decay:g}"
        knots = f", {self.knots} knots" if self.knots else ""
        return f"{self.iterations} x {self.candidates}, std {self.std:g}{decay}{heat}{knots}"


Budget = TypeVar("Budget", CrossEntropy, PathIntegral)


def growing(first: Budget, candidates: tuple[int, ...] = CANDIDATES) -> Family[Budget]:
    """Returns a family of more and more candidates."""
    return Family(tuple(replace(first, candidates=count) for count in candidates))


def coloured(
    *iterations: int, of: tuple[int, ...] = CANDIDATES
) -> tuple[Family[CrossEntropy], ...]:
    """Returns families with noise that is similar in neighbouring steps."""
    return tuple(
        growing(CrossEntropy(0, count, noise_exponent=exponent, initial_std=std), of)
        for exponent in (2.0, 3.0)
        for std in (0.5, 1.0)
        for count in iterations
    )


WHITE = (
    *(growing(CrossEntropy(0, iterations)) for iterations in (5, 10, 20, 40)),
    growing(CrossEntropy(0, 20, elite_share=0.05), CANDIDATES[2:]),
    growing(CrossEntropy(0, 20, initial_std=1.0)),
)
WRITTEN_BY_HAND = WHITE + coloured(5, 15)
# torch and JAX compile each number of candidates anew, for seconds.
COMPILED_CANDIDATES = (128, 512, 2048)
COMPILED = (
    *(growing(CrossEntropy(0, count), COMPILED_CANDIDATES) for count in (5, 10, 20, 40)),
    *coloured(5, 15, of=COMPILED_CANDIDATES),
)
OF_ICEM = (
    *(growing(CrossEntropy(0, iterations)) for iterations in (10, 30)),
    *coloured(3, 10, 30),
)
PATH_INTEGRAL = tuple(
    growing(PathIntegral(0, iterations, std=std, std_decay=decay, knots=knots))
    for knots in (0, 8)
    for std in (0.5, 1.0)
    for iterations, decay in ((5, 0.7), (10, 0.8), (20, 0.9), (40, 0.95))
)
# The package leaves temperature and noise to the user and has no decay.
PATH_INTEGRAL_OF_PACKAGES = tuple(
    growing(PathIntegral(0, iterations, temperature, std))
    for temperature in (1.0, 0.1, 0.01)
    for std in (1.0, 0.5, 0.2)
    for iterations in (10, 40)
)
