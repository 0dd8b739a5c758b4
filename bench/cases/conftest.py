"""`pytest bench/cases`: times one case in this process, for a developer at work.

Thin on purpose: no alternation, no limits, no checks; BLAS threads are what the environment says.
Figures for the record come from `python -m bench`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bench.case import Case


def combinations(case: Case) -> Iterator[tuple[str, str, int]]:
    """Yields variant, label and threads; of peers only the highest thread count.

    JAX is pinned to a core for one thread, which would hold for the whole pytest process.
    """
    for variant in case.variants:
        for one in case.implementations:
            if one.role != "limit" and variant.wants(one):
                counts = variant.threads_of(one)
                for threads in counts if one.role == "ours" else counts[-1:]:
                    yield variant.name, one.label, threads


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Makes one test of each combination of the module's CASE."""
    if "measure" in metafunc.fixturenames:
        chosen = list(combinations(metafunc.module.CASE))
        names = [f"{variant} - {label} - {threads} thr" for variant, label, threads in chosen]
        metafunc.parametrize("measure", chosen, ids=names, indirect=True)


@pytest.fixture
def measure(request: pytest.FixtureRequest, benchmark: Any) -> Callable[[], None]:
    """Returns what times the combination; skips where a package is not installed."""
    case: Case = request.module.CASE
    variant, label, threads = request.param
    inputs = case.inputs(**case.variant(variant).parameters)
    try:
        prepared = case.implementation(label).prepare(inputs, threads)
    except ImportError as error:
        pytest.skip(f"not installed: {error}")

    def run() -> None:
        if prepared.reports == "wall":
            benchmark(prepared.run)
        else:
            result = benchmark.pedantic(prepared.run, rounds=1)
            benchmark.extra_info[prepared.reports] = result

    return run
