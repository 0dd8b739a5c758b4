"""Open-loop errors by plain loops: a start, an action, a prediction at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

import dynaplan as dp

Array = NDArray[np.float64]


def open_loop_errors(
    predict: Callable[[Array, Array], Array], data: dp.Transitions, horizon: int
) -> dict[tuple[int, int], Array]:
    """Predicted less actual states (S,) by start row and number of steps, within each segment.

    Args:
        predict: from a state (S,) and an action (A,) to the next state (S,).
        data: what is predicted.
        horizon: the largest number of steps.
    """
    errors = {}
    for start in range(len(data)):
        state = data.states[start]
        for step in range(1, horizon + 1):
            row = start + step - 1
            if row >= len(data) or data.segments[row] != data.segments[start]:
                break
            state = predict(state, data.actions[row])
            errors[start, step] = state - data.next_states[row]
    return errors


def predictor(model: dp.Model) -> Callable[[Array, Array], Array]:
    """The mean prediction of a model, one row at a time."""
    return lambda state, action: model.predict(state, action).mean[0]


def of_step(errors: dict[tuple[int, int], Array], step: int) -> Array:
    """The errors (n, S) after so many steps, by their starts."""
    return np.array([error for (_, k), error in errors.items() if k == step])
