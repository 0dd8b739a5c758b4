"""Error of least squares on ill-conditioned data, beside a solution in extended precision."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from bench import workloads
from bench.case import Case, Implementation, Prepared, Target, Variant
from bench.measurements import Results

DATA_SETS = 10  # rounding errors scatter; ten data sets make their median comparable
ROWS = 2000
ILL = "condition 1e+06"


def extended_solution(inputs: workloads.Regression) -> workloads.FloatArray:
    """Returns [A B c] by Gram-Schmidt with a second pass in 64-bit-mantissa arithmetic.

    Its error is about condition x 1e-19, a thousandth of what float64 can reach.
    """
    if np.finfo(np.longdouble).eps > 1e-18:
        raise RuntimeError(
            "np.longdouble is no wider than float64 here: no reference to compare with"
        )
    ones = np.ones((len(inputs.states), 1))
    basis = np.hstack([inputs.states, inputs.actions, ones]).astype(np.longdouble)
    targets = inputs.next_states.astype(np.longdouble)
    columns = basis.shape[1]
    factor = np.zeros((columns, columns), dtype=np.longdouble)
    for j in range(columns):
        for _ in range(2):
            shares = basis[:, :j].T @ basis[:, j]
            basis[:, j] -= basis[:, :j] @ shares
            factor[:j, j] += shares
        factor[j, j] = np.sqrt(basis[:, j] @ basis[:, j])
        basis[:, j] /= factor[j, j]
    solution = basis.T @ targets
    for i in reversed(range(columns)):
        solution[i] = (solution[i] - factor[i, i + 1 :] @ solution[i + 1 :]) / factor[i, i]
    return np.asarray(solution.T)


def data_sets(condition: float) -> list[workloads.Regression]:
    """Returns the data sets of one condition number, noise 1e-3."""
    return [workloads.regression(ROWS, 1e-3, condition, seed=100 + i) for i in range(DATA_SETS)]


def errors_of(module: str, function: str, inputs: list[workloads.Regression]) -> Prepared:
    """Returns the errors that one implementation makes over all data sets."""
    prepare = getattr(importlib.import_module(module), function)

    def run() -> dict[str, Any]:
        errors = [
            workloads.relative_error(prepare(one, 1).answered(), extended_solution(one))
            for one in inputs
        ]
        return {"median error": float(np.median(errors)), "worst error": float(np.max(errors))}

    return Prepared(run, reports="facts")


def ours(inputs: list[workloads.Regression], _threads: int) -> Prepared:
    """`LinearGaussian.fit`."""
    return errors_of("bench.ours", "least_squares", inputs)


def numpy_lstsq(inputs: list[workloads.Regression], _threads: int) -> Prepared:
    """`numpy.linalg.lstsq`."""
    return errors_of("bench.peers.numpy", "least_squares", inputs)


def numpy_normal_equations(inputs: list[workloads.Regression], _threads: int) -> Prepared:
    """NumPy's `solve(X'X, X'Y)`."""
    return errors_of("bench.peers.numpy", "normal_equations", inputs)


def scipy_lstsq(inputs: list[workloads.Regression], _threads: int) -> Prepared:
    """`scipy.linalg.lstsq`, gelsy."""
    return errors_of("bench.peers.scipy", "least_squares", inputs)


def torch_normal_equations(inputs: list[workloads.Regression], _threads: int) -> Prepared:
    """Torch's Cholesky solution of the normal equations."""
    return errors_of("bench.peers.torch", "normal_equations", inputs)


def error_beside_lstsq(results: Results) -> float:
    """Returns the median error of ours over that of numpy.linalg.lstsq."""
    name = "median error"
    return results.fact(ILL, "dynaplan", name) / results.fact(ILL, "numpy lstsq", name)


CASE = Case(
    name="least_squares_accuracy",
    summary=(
        "Largest error of a coefficient over the largest coefficient, beside a solution in extended"
        f" precision: 2,000 rows, 24 features, intercept, 17 targets, noise 1e-3, {DATA_SETS} data"
        " sets."
    ),
    inputs=data_sets,
    variants=tuple(
        Variant(f"condition {condition:.0e}", {"condition": condition})
        for condition in (1e1, 1e3, 1e6)
    ),
    implementations=(
        Implementation(
            "dynaplan", "bench.cases.bench_least_squares_accuracy", "ours", (1,), "ours"
        ),
        *(
            Implementation(
                function.replace("_", " "),
                "bench.cases.bench_least_squares_accuracy",
                function,
                (1,),
            )
            for function in (
                "numpy_lstsq",
                "numpy_normal_equations",
                "scipy_lstsq",
                "torch_normal_equations",
            )
        ),
    ),
    targets=(
        Target(
            "condition 1e6: median error over that of numpy.linalg.lstsq",
            error_beside_lstsq,
            "<=",
            1.0,
            "x",
        ),
    ),
)


def bench_least_squares_accuracy(measure: Callable[[], None]) -> None:
    """Face for `pytest bench/cases`."""
    measure()
