"""Limits of this machine, measured in the same run as the cases: arithmetic, memory, sgemm.

The C++ source beside this file is compiled once per process with the system compiler for the
very CPU it runs on, so the limit does not depend on the flags dynaplan was built with.
"""

from __future__ import annotations

import ctypes
import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.case import Prepared
from bench.limits.matrix_products import numpy_product, torch_product

SOURCE = Path(__file__).with_name("limits.cpp")
COMPILE_FLAGS = (
    "-O3",
    "-march=native",
    "-std=c++17",
    "-ffp-contract=fast",
    "-shared",
    "-fPIC",
    "-pthread",
)
MEASURE_SECONDS = 0.05  # a register-only loop is steady after a few milliseconds
MEMORY_BYTES = 512 << 20  # far beyond any last-level cache (32 to 64 MiB on the machines seen)
FRESH_BYTES = 64 << 20  # about the size of the trajectories a rollout returns (56 MB)
REPEATS = 3  # the best of them counts


class NoCompilerError(ImportError):
    """No C++ compiler on this machine: the limits in registers and memory are left out."""


def compiler() -> str:
    """Returns the system's C++ compiler, `$CXX` first."""
    for name in (os.environ.get("CXX", ""), "c++", "g++", "clang++"):
        if name and shutil.which(name):
            return name
    raise NoCompilerError("no C++ compiler found (looked for $CXX, c++, g++, clang++)")


@functools.cache
def library() -> ctypes.CDLL:
    """Compiles and loads `limits.cpp`; the file is removed as soon as it is mapped."""
    with tempfile.TemporaryDirectory(prefix="limits-") as folder:
        target = Path(folder) / "liblimits.so"
        command = [compiler(), *COMPILE_FLAGS, str(SOURCE), "-o", str(target)]
        subprocess.run(command, check=True, capture_output=True, text=True)
        loaded = ctypes.CDLL(str(target))
    for name in ("fma_float32", "fma_float64"):
        getattr(loaded, name).argtypes = (ctypes.c_int, ctypes.c_double)
        getattr(loaded, name).restype = ctypes.c_double
    for name in ("memory_read", "memory_write", "fresh_write"):
        getattr(loaded, name).argtypes = (ctypes.c_int, ctypes.c_size_t, ctypes.c_int)
        getattr(loaded, name).restype = ctypes.c_double
    return loaded


def measured(run: Callable[[], float], note: str) -> Prepared:
    """Returns a limit as the runner takes it: a rate a call."""
    run()
    return Prepared(run, reports="rate", note=note)


def fma_float32(_inputs: object, threads: int) -> Prepared:
    """Fused multiply-adds in registers, float32, FLOP/s."""
    return measured(lambda: float(library().fma_float32(threads, MEASURE_SECONDS)), "registers")


def fma_float64(_inputs: object, threads: int) -> Prepared:
    """Fused multiply-adds in registers, float64, FLOP/s."""
    return measured(lambda: float(library().fma_float64(threads, MEASURE_SECONDS)), "registers")


def memory_read(_inputs: object, threads: int) -> Prepared:
    """Reading main memory once, bytes/s."""
    return measured(lambda: float(library().memory_read(threads, MEMORY_BYTES, REPEATS)), "512 MiB")


def memory_write(_inputs: object, threads: int) -> Prepared:
    """Streaming stores to main memory, bytes/s."""
    return measured(
        lambda: float(library().memory_write(threads, MEMORY_BYTES, REPEATS)), "512 MiB"
    )


def fresh_write(_inputs: object, threads: int) -> Prepared:
    """First write to newly mapped pages, bytes/s."""
    return measured(lambda: float(library().fresh_write(threads, FRESH_BYTES, REPEATS)), "64 MiB")


def sgemm_numpy(_inputs: object, _threads: int) -> Prepared:
    """A product of 2048 x 2048 float32 matrices by NumPy, FLOP/s."""
    return measured(numpy_product(), "2048^3")


def sgemm_torch(_inputs: object, threads: int) -> Prepared:
    """A product of 2048 x 2048 float32 matrices by torch, FLOP/s."""
    return measured(torch_product(threads), "2048^3")
