"""The nearest point of a path of straight lines, line by line."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import ArrayLike


def nearest(path: ArrayLike, point: ArrayLike) -> tuple[float, float]:
    """Returns the distance from a path, and the path's length up to the nearest point."""
    points, where = np.asarray(path, float), np.asarray(point, float)
    if len(points) == 1:
        return float(np.linalg.norm(where - points[0])), 0.0
    found, before = [], 0.0
    for begin, end in itertools.pairwise(points):
        way = end - begin
        length = float(np.linalg.norm(way))
        share = float(np.clip((where - begin) @ way / max(length**2, 1e-300), 0.0, 1.0))
        gap = float(np.linalg.norm(where - begin - share * way))
        found.append((gap, before + share * length))
        before += length
    return min(found)
