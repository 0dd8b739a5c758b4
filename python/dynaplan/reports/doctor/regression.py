"""Least squares judged on rows that were not fitted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["LeastSquares", "features", "unexplained"]

Float64 = NDArray[np.float64]
Columns = NDArray[np.intp]

_BLOCKS, _FOLDS = 20, 5  # stretches of rows, as many as a t-test needs
_MAX_PRODUCTS = 60
_ROWS_PER_COLUMN = 10  # so that what is fitted to noise adds a tenth to errors, and no more
_MIN = 1e-12  # of the mean eigenvalue: directions below it are rounding


def features(states: Float64, others: int, *, products: bool) -> Float64 | None:
    """Returns (M, P): ones, the states, and maybe their products; None if the rows are too few.

    Args:
        states: (M, S) in deviations.
        others: how many columns will stand beside them.
        products: whether to have those of two states.
    """
    count, dim = states.shape
    parts = [np.ones((count, 1)), states]
    first, second = np.triu_indices(dim)
    columns = 1 + dim + others + len(first) * products
    if columns > count // _ROWS_PER_COLUMN or (products and len(first) > _MAX_PRODUCTS):
        return None
    if products:
        found = states[:, first] * states[:, second]
        scale = found.std(axis=0)
        parts.append((found - found.mean(axis=0)) / np.where(scale > 0.0, scale, 1.0))
    return np.hstack(parts)


def unexplained(inputs: Float64, values: Float64) -> float:
    """Returns the share of the deviation that is left of values (M,) predicted from others."""
    spread = float(values.std())
    if spread == 0.0:
        return 1.0
    fit = LeastSquares(inputs, (values[:, None] - values.mean()) / spread)
    return float(np.sqrt(fit.squares(np.arange(inputs.shape[1]))[0]))


class LeastSquares:
    """Regressions of the same targets on choices of the same columns.

    The rows are cut into stretches, and the targets of each predicted from those of the others,
    four of five. Neighbours in time are thus mostly on one side.

    Args:
        inputs: (M, P), of the size of 1.
        targets: (M, T).
    """

    def __init__(self, inputs: Float64, targets: Float64) -> None:
        self.inputs, self.targets = inputs, targets
        blocks = min(_BLOCKS, len(inputs))
        self.blocks = np.arange(len(inputs)) * blocks // len(inputs)
        self._folds = [np.flatnonzero(self.blocks % _FOLDS == fold) for fold in range(_FOLDS)]
        self._grams = [inputs[fold].T @ inputs[fold] for fold in self._folds]
        self._moments = [inputs[fold].T @ targets[fold] for fold in self._folds]

    def errors(self, columns: Columns) -> Float64:
        """Returns (M, T) what each row is off, as predicted from rows of other stretches."""
        errors = np.empty_like(self.targets)
        for fold, rows in enumerate(self._folds):
            inputs = self.inputs[np.ix_(rows, columns)]
            errors[rows] = self.targets[rows] - inputs @ self._coefficients(fold, columns)
        return errors

    def squares(self, columns: Columns) -> Float64:
        """Returns (T,) the mean square of the errors, in a fraction of the time.

        Rounding leaves some 1e-14 of the targets' own mean square.
        """
        total = np.zeros(self.targets.shape[1])
        for fold, rows in enumerate(self._folds):
            found = self._coefficients(fold, columns)
            gram, moments = self._grams[fold][np.ix_(columns, columns)], self._moments[fold]
            total += (self.targets[rows] ** 2).sum(axis=0)
            total -= (found * (2.0 * moments[columns] - gram @ found)).sum(axis=0)
        return np.maximum(total, 0.0) / len(self.targets)

    def block_means(self, values: Float64) -> Float64:
        """Returns (blocks,) means of values (M,) of the rows."""
        return np.bincount(self.blocks, values) / np.bincount(self.blocks)

    def _coefficients(self, fold: int, columns: Columns) -> Float64:
        """Returns (columns, T) of a fit to all but the rows of a fold."""
        chosen = np.ix_(columns, columns)
        gram = sum(own[chosen] for other, own in enumerate(self._grams) if other != fold)
        moments = sum(own[columns] for other, own in enumerate(self._moments) if other != fold)
        least = _MIN * np.trace(gram) / len(columns)
        damped = gram + max(least, np.finfo(np.float64).tiny) * np.eye(len(columns))
        found = np.linalg.solve(damped, moments)
        return np.asarray(found + np.linalg.solve(damped, moments - gram @ found))
