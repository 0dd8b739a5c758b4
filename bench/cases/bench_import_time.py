"""Time of `import dynaplan` after `import numpy`, as a share of that of `import numpy` itself."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable

from bench.case import Case, Implementation, Prepared, Target, Variant, Work
from bench.measurements import Results

MAIN = "after numpy"
PROGRAM = """
import time
{before}
start = time.perf_counter()
import {package}
print(time.perf_counter() - start)
"""


def importing(package: str, before: str = "import numpy") -> Prepared:
    """Returns what starts an interpreter and reads from it the seconds of one import."""
    if importlib.util.find_spec(package) is None:
        raise ImportError(f"no module named {package}")
    command = [sys.executable, "-c", PROGRAM.format(package=package, before=before)]

    def run() -> float:
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    return Prepared(run, reports="seconds", note=f"import {package}, file cache warm")


def dynaplan(_inputs: object, _threads: int) -> Prepared:
    """`import dynaplan`."""
    return importing("dynaplan")


def numpy(_inputs: object, _threads: int) -> Prepared:
    """`import numpy` itself."""
    return importing("numpy", before="")


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


def share_of_numpy(results: Results) -> float:
    """The median of ours over that of `import numpy`."""
    return results.fastest(MAIN, "ours").median / results.fastest(MAIN, labels=("numpy",)).median


MODULE = "bench.cases.bench_import_time"

CASE = Case(
    name="import_time",
    summary=(
        "Time of `import dynaplan` after `import numpy` in a fresh interpreter, beside that of"
        " `import numpy` itself and of others after it."
    ),
    inputs=lambda: None,
    variants=(Variant(MAIN, work=Work(1, "import")),),
    implementations=(
        Implementation("dynaplan", MODULE, "dynaplan", (1,), "ours"),
        *(
            Implementation(name, MODULE, name, (1,), "beside")
            for name in ("numpy", "gymnasium", "numba", "torch", "jax")
        ),
    ),
    targets=(
        Target(
            "after `import numpy`, over the time of `import numpy`, medians",
            share_of_numpy,
            "<=",
            0.3,
        ),
    ),
    seconds=1.0,
    least_calls=3,
)


def bench_import_time(measure: Callable[[], None]) -> None:
    """Face for `pytest bench/cases`."""
    measure()
