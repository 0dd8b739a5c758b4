"""`with_jacobians`: predictions with their derivatives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _core, _texts
from dynaplan.models.interface import Model, require_model

__all__ = ["Jacobians", "with_jacobians"]

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Jacobians:
    """Mean next states and how they change with states and actions: `s' + F ds + G da`.

    Attributes:
        next_states: (N, S) mean predictions, in the states' units.
        state: (N, S, S) derivative of next state d with respect to state i at [n, d, i]; F.
        action: (N, S, A) derivative of next state d with respect to action j at [n, d, j]; G.
    """

    next_states: Float64
    state: Float64
    action: Float64

    def __repr__(self) -> str:
        return _texts.object_text(self)


def with_jacobians(
    model: Model, states: ArrayLike, actions: ArrayLike, *, threads: int = 1
) -> Jacobians:
    """Predicts mean next states together with their exact derivatives.

    The derivatives are the chain rule's, not differences: of a polynomial term by term, of a
    network by reverse accumulation, of an ensemble the mean over its members. Only those of a
    `FunctionModel` or a `CompiledModel`, whose formulas are not known, are central differences.

    Args:
        model: any model whose dynamics are compiled.
        states: (N, S), or one state (S,).
        actions: (N, A), or one action (A,).
        threads: threads to use. Default 1.

    Returns:
        Arrays with N first; N is 1 for a single state.

    Raises:
        ShapeError: an array has the wrong shape.
        ArgumentError: a state or an action is not finite.
        TypeError: `model` is no model.

    Source: Griewank & Walther 2008, Evaluating Derivatives, ch. 3 (reverse mode).

    Example:
        >>> import numpy as np
        >>> import dynaplan as dp
        >>> states = np.array([[0.0], [1.0], [2.0], [3.0]])
        >>> data = dp.Transitions(states, 0.1 * states**2, 0.5 * states)
        >>> model = dp.LinearGaussian.fit(data)
        >>> model.with_jacobians([1.0], [0.1]).state.round(3)
        array([[[0.5]]])
    """
    require_model(model)
    state_rows = _arrays.rows("states", states, model.state_dim)
    action_rows = _arrays.rows("actions", actions, model.action_dim)
    count = _arrays.count("threads", threads)
    return Jacobians(*_core.jacobians(model.dynamics, state_rows, action_rows, count))
