"""Five transitions recover a linear system exactly; a small error compounds.

Run: python examples/worked_example.py
"""

from __future__ import annotations

import numpy as np

import dynaplan as dp


def recover_the_system() -> None:
    """Fits s' = 0.5 s + 1 a to five transitions that follow it."""
    states = [[0.0], [1.0], [0.5], [-1.0], [2.0]]
    actions = [[1.0], [0.0], [-1.0], [1.0], [-0.5]]
    next_states = [[1.0], [0.5], [-0.75], [0.5], [0.5]]
    model = dp.LinearGaussian.fit(dp.Transitions(states, actions, next_states))
    print("five transitions of s' = 0.5 s + 1 a:")
    print(f"  A = {model.A[0, 0]:.12g}, B = {model.B[0, 0]:.12g}")


def show_compounding_errors() -> None:
    """Rolls out a model that has learned 1.05 where the true factor is 1.1."""
    states = np.array([[1.0], [2.0], [-1.0], [0.0]])
    actions = np.array([[1.0], [0.0], [1.0], [1.0]])
    model = dp.LinearGaussian.fit(dp.Transitions(states, actions, 1.05 * states + actions))
    predicted = dp.rollout(model, [1.0], np.zeros((1, 10, 1)))[0, :, 0]
    true = 1.1 ** np.arange(11)
    print("truth s' = 1.1 s, model s' = 1.05 s, from s = 1:")
    print("   steps    true   model   error  relative")
    for k in (1, 2, 3, 4, 5, 10):
        error = abs(predicted[k] - true[k])
        print(f"  {k:>6}{true[k]:>8.4f}{predicted[k]:>8.4f}{error:>8.4f}{error / true[k]:>10.1%}")


if __name__ == "__main__":
    recover_the_system()
    show_compounding_errors()
