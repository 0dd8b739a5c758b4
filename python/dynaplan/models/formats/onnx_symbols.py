"""What the values of an ONNX graph are to its reader: symbols of what they hold.

A value is `Columns`, elementwise functions of the graph's input, or `Outputs`, what the layers so
far give, or the `NextState`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dynaplan.errors import ArgumentError

__all__ = ["Columns", "Layers", "NextState", "Outputs", "Sigmoid", "folded", "is_plain"]

Float64 = NDArray[np.float64]
# Weights (outputs, inputs) and biases (outputs,) of each layer.
Layers = tuple[tuple[Float64, Float64], ...]


@dataclass(frozen=True, eq=False)
class Columns:
    """scale * f(x_i) + shift for each column; `what` holds (f, i), f one of "", "Sin", "Cos"."""

    what: tuple[tuple[str, int], ...]
    scale: Float64
    shift: Float64

    def picked(self, rows: NDArray[np.int64]) -> Columns:
        """Returns the columns of these indices, which may count from the end."""
        what = tuple(self.what[row] for row in rows)
        return Columns(what, self.scale[rows], self.shift[rows])


@dataclass(frozen=True, eq=False)
class Outputs:
    """What layers give: scale * y + shift, and of that `rows`; `activated` tells what of y."""

    inputs: Columns
    layers: Layers
    activation: str | None
    activated: bool
    scale: Float64
    shift: Float64
    rows: tuple[int, ...] | None = None  # None: all, in their order

    def picked(self, rows: NDArray[np.int64]) -> Outputs:
        """Returns the outputs of these indices, which may count from the end."""
        if self.activated or self.rows is not None:
            raise ArgumentError("must pick from the outputs of a linear layer, once")
        return replace(self, rows=tuple(np.arange(len(self.shift))[rows].tolist()))


@dataclass(frozen=True, eq=False)
class Sigmoid:
    """Of outputs: times these, it is SiLU."""

    of: Outputs


@dataclass(frozen=True, eq=False)
class NextState:
    """The state plus outputs."""

    change: Outputs


def is_plain(value: object) -> bool:
    """Whether it is columns of the input as they are."""
    return (
        isinstance(value, Columns)
        and all(function == "" for function, _ in value.what)
        and bool((value.scale == 1.0).all() and (value.shift == 0.0).all())
    )


def folded(value: Outputs) -> Outputs:
    """Moves what was picked, scaled and shifted into the last layer itself."""
    weights, biases = value.layers[-1]
    weights, biases = weights * value.scale[:, np.newaxis], biases * value.scale + value.shift
    if value.rows is not None:
        weights, biases = weights[list(value.rows)], biases[list(value.rows)]
    count = len(biases)
    layers = (*value.layers[:-1], (weights, biases))
    return replace(value, layers=layers, scale=np.ones(count), shift=np.zeros(count), rows=None)
