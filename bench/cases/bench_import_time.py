"""Time of `import dynaplan` beyond `import numpy`, in fresh interpreters."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable

from bench.case import Case, Implementation, Prepared, Target, Variant, Work

MAIN = "after numpy"
PROGRAM = """
import time
import numpy
start = time.perf_counter()
import {package}
print(time.perf_counter() - start)
"""


def importing(package: str) -> Prepared:
    """Returns what starts an interpreter and reads the seconds of one import from it."""
    if importlib.util.find_spec(package) is None:
        raise ImportError(f"no module named {package}")
    command = [sys.executable, "-c", PROGRAM.format(package=package)]

    def run() -> float:
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    return Prepared(run, reports="seconds", note=f"import {package}, file cache warm")


def dynaplan(_inputs: object, _threads: int) -> Prepared:
    """`import dynaplan`."""
    return importing("dynaplan")


def torch(_inputs: object, _threads: int) -> Prepared:
    """`import torch`."""
    return importing("torch")


def jax(_inputs: object, _threads: int) -> Prepared:
    """`import jax`."""
    return importing("jax")


def numba(_inputs: object, _threads: int) -> Prepared:
    """`import numba`."""
    return importing("numba")


def gymnasium(_inputs: object, _threads: int) -> Prepared:
    """`import gymnasium`."""
    return importing("gymnasium")


MODULE = "bench.cases.bench_import_time"

CASE = Case(
    name="import_time",
    summary="Time of `import dynaplan` after `import numpy` in a fresh interpreter, beside others.",
    inputs=lambda: None,
    variants=(Variant(MAIN, work=Work(1, "import")),),
    implementations=(
        Implementation("dynaplan", MODULE, "dynaplan", (1,), "ours"),
        *(
            Implementation(name, MODULE, name, (1,), "beside")
            for name in ("gymnasium", "numba", "torch", "jax")
        ),
    ),
    targets=(
        Target(
            "beyond `import numpy`, median",
            lambda results: 1e3 * results.fastest(MAIN, "ours").median,
            "<=",
            150.0,
            "ms",
        ),
    ),
    seconds=1.0,
    least_calls=3,
)


def bench_import_time(measure: Callable[[], None]) -> None:
    """Face for `pytest bench/cases`."""
    measure()
