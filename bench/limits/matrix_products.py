"""What a good BLAS reaches here: large float32 matrix products by NumPy and by torch."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from typing import Any

import numpy as np

MATRIX_SIZE = 2048
REPEATS = 3


def best_rate(multiply: Callable[[], Any]) -> Callable[[], float]:
    """Returns a function that gives the best FLOP/s of a few products."""

    def run() -> float:
        times = []
        for _ in range(REPEATS):
            start = time.perf_counter()
            multiply()
            times.append(time.perf_counter() - start)
        return 2.0 * MATRIX_SIZE**3 / min(times)

    return run


def operand(seed: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Returns a square matrix of normals."""
    generator = np.random.default_rng(seed)
    return generator.standard_normal((MATRIX_SIZE, MATRIX_SIZE), dtype=np.float32)


def numpy_product() -> Callable[[], float]:
    """NumPy's BLAS; its threads come from the environment."""
    left, right = operand(1), operand(2)
    out = np.empty_like(left)
    return best_rate(lambda: np.matmul(left, right, out=out))


def torch_product(threads: int) -> Callable[[], float]:
    """Torch's BLAS; ImportError where torch is not installed."""
    torch = importlib.import_module("torch")
    torch.set_num_threads(threads)
    left, right = torch.from_numpy(operand(1)), torch.from_numpy(operand(2))
    out = torch.empty_like(left)
    return best_rate(lambda: torch.mm(left, right, out=out))
