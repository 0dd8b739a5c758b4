"""Warnings that point at the line of the user's program, however deep they arise."""

from __future__ import annotations

import sys
import warnings

_OURS = __name__.partition(".")[0]


def warn(text: str, category: type[Warning]) -> None:
    """Warns at the innermost caller that is not part of this package."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and _is_ours(frame.f_globals.get("__name__")):
        level, frame = level + 1, frame.f_back
    warnings.warn(text, category, stacklevel=level)


def _is_ours(module: object) -> bool:
    return isinstance(module, str) and module.partition(".")[0] == _OURS
