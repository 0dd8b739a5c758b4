"""The kinds of models that `select` tries where none are given, of sizes that suit the data."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import comb
from typing import Any, TypeAlias

from dynaplan.data.transitions import Transitions
from dynaplan.models.gaussian_process.gaussian_process import GaussianProcess
from dynaplan.models.interface import Model
from dynaplan.models.linear.features import Identity, Polynomial
from dynaplan.models.linear.linear_gaussian import LinearGaussian
from dynaplan.models.networks.ensemble import Ensemble
from dynaplan.models.networks.gaussian_mlp import GaussianMLP
from dynaplan.models.networks.mlp import MLP

__all__ = ["DataLearner", "default_learners"]

DataLearner: TypeAlias = Callable[[Transitions], Model]

_POLYNOMIALS = {"quadratic": 2, "cubic": 3}
_ROWS_PER_COLUMN = 2  # for fewer, a polynomial runs through the rows and goes astray between them
_MAX_COLUMNS = 600  # a step of a wider one takes longer than that of a network
_MIN_ROWS = 50  # of which a network holds out five
_SMALL, _LARGE = 300, 3000  # rows
_MAX_PROCESS_ROWS = 1000  # of which a step costs as much as that of a wide network
_KERNEL_ROWS = 200  # from which its kernels are found, in a tenth of the time of 400
# Mini-batches of 32 rows, and of 256: what 400 epochs of 1,600 and of 3,200 rows have.
_MAX_UPDATES = {32: 20_000, 256: 5_000}


def default_learners(
    data: Transitions, rows: int, seed: int, threads: int
) -> tuple[dict[str, DataLearner], dict[str, str]]:
    """Returns learners by name, the simplest first, and why others are left out.

    Args:
        data: all data.
        rows: rows that each learner gets, at least.
        seed: of the Gaussian process and the networks.
        threads: threads to use.
    """
    learners: dict[str, DataLearner] = {"linear": partial(_linear, Identity(), threads)}
    left_out: dict[str, str] = {}
    # Of an angle a polynomial has the sine and the cosine.
    inputs = data.state_dim + len(data.angles) + data.action_dim
    for name, degree in _POLYNOMIALS.items():
        columns = comb(inputs + degree, degree)
        if columns * _ROWS_PER_COLUMN > rows:
            left_out[name] = f"{columns} columns are too many for {rows} rows"
        elif columns > _MAX_COLUMNS:
            left_out[name] = f"{columns} columns are more than {_MAX_COLUMNS}"
        else:
            learners[name] = partial(_linear, Polynomial(degree), threads)
    if len(data) > _MAX_PROCESS_ROWS:
        left_out["GaussianProcess"] = f"{len(data)} rows are more than {_MAX_PROCESS_ROWS}"
    else:
        learners["GaussianProcess"] = partial(_process, seed, threads)
    kinds: dict[str, Any] = {"MLP": MLP, "GaussianMLP": GaussianMLP, "Ensemble": Ensemble}
    for name, kind in kinds.items():
        if rows < _MIN_ROWS:
            left_out[name] = f"{rows} rows are too few for a network"
        else:
            learners[name] = partial(_network, kind, seed, threads)
    return learners, left_out


def _linear(features: Identity | Polynomial, threads: int, data: Transitions) -> Model:
    return LinearGaussian.fit(data, features=features, threads=threads)


def _process(seed: int, threads: int, data: Transitions) -> Model:
    rows = _KERNEL_ROWS
    return GaussianProcess.fit(data, hyperparameter_rows=rows, seed=seed, threads=threads)


def _network(kind: Any, seed: int, threads: int, data: Transitions) -> Model:
    rows = len(data)
    units = 32 if rows < _SMALL else 64 if rows < _LARGE else 128
    batch_size = 32 if rows < _LARGE else 256
    epochs = min(400, max(20, _MAX_UPDATES[batch_size] * batch_size // rows))
    model: Model = kind.fit(
        data,
        hidden=(units, units),
        batch_size=batch_size,
        epochs=epochs,
        seed=seed,
        threads=threads,
    )
    return model
