"""Actions that act late, as a NumPy twin: what acts, and the system with all that is under way."""

from __future__ import annotations

import math

import numpy as np

A = np.array([[1.0, 0.1], [-0.05, 0.97]])
B = np.array([[0.02, 0.0], [0.1, 0.06]])
Q, R = np.array([1.0, 0.2]), np.array([0.05, 0.1])  # of states and actions
DELAYS = [[3, 1], 2.4, [0, 1.5], [1.25, 1.0], 0.6]


def each(delay):
    return np.broadcast_to(np.asarray(delay, float), 2)


def acting(sent, step, delay):
    """What acts in a step, of actions (T, 2) that were sent from step 0 on."""
    result = np.zeros(2)
    for i, late in enumerate(each(delay)):
        whole = math.floor(late)
        part = late - whole
        result[i] = (1.0 - part) * sent[step - whole][i]
        if part:
            result[i] += part * sent[step - whole - 1][i]
    return result


def written_out(delay, a=A, b=B):
    """The system of (s, all actions sent that may yet act, the oldest first), and how long."""
    steps = max(math.ceil(late) for late in each(delay))
    size = 2 + 2 * steps
    whole, enters = np.zeros((size, size)), np.zeros((size, 2))
    whole[:2, :2] = a
    for step in range(steps + 1):  # what was sent that long ago
        for i in range(2):
            pulse = np.zeros((steps + 1, 2))
            pulse[steps - step, i] = 1.0
            column = b @ acting(pulse, steps, delay)
            if step:
                whole[:2, size - 2 * step + i] = column
            else:
                enters[:2, i] = column
    if steps:
        whole[2:-2, 4:] = np.eye(size - 4)
        enters[-2:] = np.eye(2)
    return whole, enters, steps
