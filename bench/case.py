"""The words of a benchmark: case, variant, implementation, what it returns, check, target."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bench.measurements import MissingRowError, Results, Row

Role = Literal["ours", "peer", "beside", "limit"]
Reports = Literal["wall", "seconds", "rate", "facts"]


@dataclass(frozen=True)
class Prepared:
    """One implementation, ready to be called again and again.

    Attributes:
        run: one unit of timed work; set-up, compilation and allocation of inputs are done before.
        answer: what is compared with the reference; by default the result of `run`.
        reports: what a turn records: the `wall` time of each call, the `seconds` or the `rate`
            (per second) the call returns, or the named `facts` it returns (one call a turn).
        within: `within(seconds)`, called instead of `run` for facts that are found in about so
            much time as a turn has.
        note: settings of this implementation that a reader must know.
    """

    run: Callable[[], Any]
    answer: Callable[[], Any] | None = None
    reports: Reports = "wall"
    note: str = ""
    within: Callable[[float], dict[str, Any]] | None = None

    def answered(self) -> Any:
        """Returns the answer to be checked."""
        return self.run() if self.answer is None else self.answer()


@dataclass(frozen=True)
class Implementation:
    """A way to do a case's work, imported only inside its own worker.

    Attributes:
        label: name of the row in the table.
        module: module to import; an ImportError there means "skipped", with its message.
        function: `function(inputs, threads) -> Prepared` in that module.
        threads: thread counts to run with, each in a worker process of its own.
        role: `ours`; `peer` counts for "best peer"; `beside` is only shown; `limit` is a limit of
            the machine.
    """

    label: str
    module: str
    function: str
    threads: tuple[int, ...] = (1, 2)
    role: Role = "peer"

    def prepare(self, inputs: Any, threads: int) -> Prepared:
        """Imports the module and prepares the work; ImportError where it is not installed."""
        prepared = getattr(importlib.import_module(self.module), self.function)(inputs, threads)
        if not isinstance(prepared, Prepared):
            raise TypeError(
                f"{self.module}.{self.function}: expected a Prepared, got {type(prepared)}"
            )
        return prepared

    def environment(self, threads: int) -> dict[str, str]:
        """Returns the environment variables set for the worker, before any library is loaded.

        Threads are bound to cores for ours only: each worker is a process of its own, so this
        cannot disturb a peer. Peers use large pages for large arrays, which NumPy does by
        itself (and so ours); fresh trajectory arrays of torch and JAX took less time with them.
        """
        count = str(threads)
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
        chosen = dict.fromkeys(names, count)
        if self.role == "ours" and threads > 1:
            chosen |= {"OMP_PROC_BIND": "close", "OMP_PLACES": "cores"}
        if self.role == "peer":
            chosen |= {"THP_MEM_ALLOC_ENABLE": "1", "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
        return chosen


@dataclass(frozen=True)
class Work:
    """What one call does.

    Attributes:
        count: units of useful work in a call.
        unit: name of the unit, such as "sample-step".
        bounds: least amounts by machine limit, such as `{"fma_float32": flops}`: no
            implementation can be faster than the largest of amount / rate.
    """

    count: float = 1.0
    unit: str = "call"
    bounds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Variant:
    """One size of a case.

    Attributes:
        only: implementations to run, all if empty.
        threads: thread counts to run, each implementation's own if empty.
    """

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    work: Work = field(default_factory=Work)
    only: tuple[str, ...] = ()
    threads: tuple[int, ...] = ()

    def threads_of(self, implementation: Implementation) -> tuple[int, ...]:
        """Returns the thread counts to run an implementation with."""
        return self.threads or implementation.threads

    def wants(self, implementation: Implementation) -> bool:
        """Tells whether this implementation takes part; limits do where the bound needs them."""
        if not self.only or implementation.label in self.only:
            return True
        return implementation.role == "limit" and implementation.label in self.work.bounds


@dataclass(frozen=True)
class Check:
    """A figure about each answer: an error against a reference, or how good a plan is.

    Attributes:
        name: heading of the table's column.
        figure: `figure(inputs, answer) -> float`.
        agrees: whether the figure shows agreement; None where answers are not comparable (plans
            drawn at random) and the figure is for the reader to judge.
    """

    name: str
    figure: Callable[[Any, Any], float]
    agrees: Callable[[float], bool] | None = None


@dataclass(frozen=True)
class Target:
    """What we promised to reach, and how it is read off the results.

    Attributes:
        text: the promise in words.
        value: reads the figure off the results; MissingRowError means "not measured".
        sense: how the figure must stand to the bound.
        bound: the promised figure.
        unit: unit of both.
    """

    text: str
    value: Callable[[Results], float]
    sense: Literal["<=", ">="]
    bound: float
    unit: str = ""

    def met(self, figure: float) -> bool:
        """Tells whether a measured figure keeps the promise."""
        return figure <= self.bound if self.sense == "<=" else figure >= self.bound


@dataclass(frozen=True)
class Case:
    """A workload, who does it, what is checked and what is promised.

    Attributes:
        name: as in `bench/cases/bench_<name>.py`.
        summary: what is timed, dtype, and what is left out of the timing.
        inputs: `inputs(**variant.parameters)`, the same numbers in every process.
        seconds: time budget of one turn (one implementation in one round).
        least_calls: calls in a turn, however long they take.
    """

    name: str
    summary: str
    inputs: Callable[..., Any]
    variants: tuple[Variant, ...]
    implementations: tuple[Implementation, ...]
    check: Check | None = None
    targets: tuple[Target, ...] = ()
    seconds: float = 0.5
    least_calls: int = 2

    def variant(self, name: str) -> Variant:
        """Returns the variant of this name."""
        return next(variant for variant in self.variants if variant.name == name)

    def implementation(self, label: str) -> Implementation:
        """Returns the implementation of this label."""
        return next(one for one in self.implementations if one.label == label)


def results_of(case: Case, rows: dict[str, list[Row]]) -> Results:
    """Returns the rows that were measured for a case, with its bounds."""
    return Results(rows, {variant.name: variant.work.bounds for variant in case.variants})


def targets_of(case: Case, results: Results) -> list[dict[str, Any]]:
    """Returns each promise with its figure and whether it was kept (None: not measured)."""
    outcomes = []
    for target in case.targets:
        try:
            figure: float | None = target.value(results)
        except MissingRowError:
            figure = None
        outcomes.append(
            {
                "text": target.text,
                "sense": target.sense,
                "bound": target.bound,
                "unit": target.unit,
                "figure": figure,
                "met": None if figure is None else target.met(figure),
            }
        )
    return outcomes


def limits(*names: str, threads: tuple[int, ...] = (1, 2)) -> tuple[Implementation, ...]:
    """Returns rows for machine limits measured in the same rounds, by name in `bench.limits`."""
    return tuple(Implementation(name, "bench.limits", name, threads, "limit") for name in names)
