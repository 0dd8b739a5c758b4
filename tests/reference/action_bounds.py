"""Random bounds of two actions by step, and whether actions keep to them."""

from __future__ import annotations

import numpy as np

BOX = ([-1.0, -3.0], [1.0, 2.0])


def random_bounds(generator, rows, box=BOX):
    """Lowest and highest actions (rows, A) within the box; some of them are equal."""
    low, high = np.sort(generator.uniform(*box, size=(2, rows, len(box[0]))), axis=0)
    is_fixed = generator.random(low.shape) < 0.2
    return low, np.where(is_fixed, low, high)


def require_within(actions, low, high, first=0):
    steps = np.minimum(np.arange(first, first + len(actions)), len(low) - 1)
    assert (actions >= low[steps]).all()
    assert (actions <= high[steps]).all()
