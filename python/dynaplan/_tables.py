"""Tables of numbers as plain text, no wider than the terminal whatever the numbers are."""

from __future__ import annotations

import math
import re
import shutil
import textwrap
from collections.abc import Sequence

_WIDTHS = (60, 120)  # a terminal that says nothing, or an absurdity, counts as one of 80 columns
_MAX_NAME = 20
_MAX_FIXED = 1e6


def line_width() -> int:
    """Returns how many columns the terminal has, from 60 to 120."""
    low, high = _WIDTHS
    return min(high, max(low, shutil.get_terminal_size((80, 24)).columns))


def number(value: float, digits: int = 4) -> str:
    """Returns a number with so many significant digits: at most `digits` + 7 characters."""
    return f"{value + 0.0:.{digits}g}"  # no minus at zero


def fixed(value: float, decimals: int) -> str:
    """Returns a number with so many decimals, or as `number` where it would be long."""
    return f"{value + 0.0:.{decimals}f}" if abs(value) < _MAX_FIXED else number(value)


def percent(share: float, decimals: int = 1) -> str:
    """Returns a share in percent; "-" of one that is not known."""
    return "-" if math.isnan(share) else f"{fixed(100.0 * share, decimals)}%"


def name(text: str, length: int = _MAX_NAME) -> str:
    """Returns a name on one line, cut where it is long."""
    text = re.sub(r"\s", " ", text)
    return text if len(text) <= length else text[: length - 3] + "..."


def paragraph(text: str, indent: str = "") -> list[str]:
    """Returns a sentence as lines, those after the first indented."""
    width = line_width()
    return textwrap.wrap(text, width, subsequent_indent=indent, break_on_hyphens=False)


def lines(rows: Sequence[Sequence[str]], least: int = 0) -> list[str]:
    """Returns rows of cells as lines, the first cells to the left, the others to the right.

    Columns that do not fit in the terminal follow below, beside the first ones again.

    Args:
        rows: as many cells each.
        least: characters of the narrowest columns but the first, with the space before.
    """
    head, *columns = ([*column] for column in zip(*rows, strict=True))
    heads = [name(text, line_width() // 3) for text in head]
    first = max(map(len, heads))
    blocks: list[list[str]] = []
    for column in columns:
        width = max(least, 2 + max(map(len, column)))
        cells = [f"{cell:>{width}}" for cell in column]
        if not blocks or len(blocks[-1][0]) + width > line_width():
            blocks.append([f"{text:<{first}}" for text in heads])
        blocks[-1] = [line + cell for line, cell in zip(blocks[-1], cells, strict=True)]
    return [line.rstrip() for block in blocks for line in block]
