"""The hostile values: drawn for an argument, and made from their expressions.

The tables hold one Python expression a line, so that what is shown of a trial makes the value
again. In them `v` is the valid value that is replaced and `a` the same as an array of floats, and
`x` is what a function is given first. The words behind a `#` are tags, which say what a value is:
with `huge` a call may honestly need more time and memory than there is, and the others are wrong
where a number is due (see `wrong_kind`).
"""

from __future__ import annotations

import operator
import os
from array import array
from decimal import Decimal
from fractions import Fraction
from functools import cache, partial
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Box, Discrete, MultiBinary
from numpy.lib.stride_tricks import as_strided

import dynaplan as dp
import public_objects
from attack import calls_of_agents, calls_of_models, hostile_objects
from attack.table_of_arrays import ARRAYS, FUNCTIONS
from attack.table_of_parts import PARTS
from attack.table_of_values import NAMES, OBJECTS, SCALARS

# The file of the code of hostile functions in a traceback.
FILE = "<hostile>"


class Hostile(NamedTuple):
    """A hostile value, as the expression that makes it."""

    text: str
    tags: frozenset[str]

    def value(self, valid: Any) -> Any:
        """Makes the value that takes the place of a valid one."""
        return eval(_compiled(self.text), {**_NAMES, "v": valid, "a": _array(valid)})


def _parsed(table: str) -> list[Hostile]:
    lines = (line.partition(" # ") for line in table.strip().splitlines())
    return [Hostile(text.strip(), frozenset(tags.split())) for text, _, tags in lines]


GROUPS = {
    "scalars": _parsed(SCALARS),
    "objects": _parsed(OBJECTS),
    "names": _parsed(NAMES),
    "parts": _parsed(PARTS),
    "arrays": _parsed(ARRAYS),
    "functions": _parsed(FUNCTIONS),
}
# How often each group takes the place of a valid value, in tenths, by what that value is.
SHARES = {
    "name": {"names": 7, "objects": 2, "scalars": 1},
    "function": {"functions": 6, "objects": 2, "scalars": 1, "parts": 1},
    "array": {"arrays": 6, "scalars": 2, "objects": 2},
    "number": {"scalars": 7, "objects": 2, "arrays": 1},
    "text": {"scalars": 6, "objects": 4},
    "part": {"parts": 7, "objects": 1, "scalars": 1, "functions": 1},
    "none": {"scalars": 2, "objects": 2, "arrays": 3, "parts": 1, "functions": 2},
}
_FUNCTIONS = {"reward", "termination", "policy", "terminal_value", "learn", "progress", "function"}
_FUNCTIONS |= {"callback", "episode_steps", "refit_every"}


def kind_of(argument: str, valid: Any) -> str:
    """What a valid value is: the key of its shares."""
    if argument in {"path", "csv"}:
        return "name"
    if valid is None:
        return "none"
    if argument in _FUNCTIONS:
        return "function"
    if isinstance(valid, str):
        return "text"
    if isinstance(valid, bool | int | float):
        return "number"
    return "array" if _is_array(valid) else "part"


def drawn(rng: np.random.Generator, argument: str, valid: Any) -> Hostile:
    """Draws a hostile value for an argument."""
    shares = SHARES[kind_of(argument, valid)]
    groups = [group for group, share in shares.items() for _ in range(share)]
    values = GROUPS[groups[int(rng.integers(len(groups)))]]
    return values[int(rng.integers(len(values)))]


def is_harmful(row: str, argument: str, value: Any) -> bool:
    """Whether a value would do harm by what it means: an absolute path, or an address."""
    if isinstance(value, str | bytes | os.PathLike):
        try:
            return os.path.isabs(os.fspath(value))
        except (TypeError, hostile_objects.Fault):
            return False
    if argument == "function" and "ompiled" in row:
        try:
            operator.index(value)
        except (TypeError, hostile_objects.Fault):
            return False
        return True
    return False


def wrong_kind(tags: frozenset[str], argument: str, valid: Any) -> str | None:
    """The tag of a value that should have been refused in the place of a valid one, if any."""
    wrong = {"number": {"text", "masked", "complex", "time", "nan", "none", "bool", "object"}}
    wrong["array"] = {"text", "masked", "complex", "time", "none"}
    wrong["function"] = {"text", "masked", "complex", "time", "none"}
    found = tags & wrong.get(kind_of(argument, valid), set())
    if isinstance(valid, int):
        found |= tags & {"fraction"}
    if isinstance(valid, bool):
        found -= {"bool"}
    return min(found, default=None)


@cache
def _compiled(text: str) -> CodeType:
    return compile(text, FILE, "eval")


def _is_array(valid: Any) -> bool:
    """Whether a value is an array of numbers, or lists of numbers."""
    if isinstance(valid, list | tuple):
        of_numbers = all(isinstance(one, bool | int | float) or _is_array(one) for one in valid)
        return of_numbers and len({np.shape(one) for one in valid}) <= 1
    return isinstance(valid, np.ndarray) and valid.dtype.kind in "biuf"


def _array(valid: Any) -> Any:
    """The valid value as an array of floats; another one where it is none."""
    is_usable = _is_array(valid) or isinstance(valid, bool | int | float)
    return np.array(valid, np.float64) if is_usable else np.array([0.5, 0.25])


def print_nothing(*_: Any) -> None:
    """What a good function may do: nothing."""


_NAMES: dict[str, Any] = {
    **{name: value for name, value in vars(public_objects).items() if callable(value)},
    **{name: value for name, value in vars(calls_of_models).items() if callable(value)},
    **{name: value for name, value in vars(hostile_objects).items() if callable(value)},
    "small_maze": calls_of_agents.small_maze,
    "print_nothing": print_nothing,
    "dp": dp,
    "np": np,
    "nan": np.nan,
    "inf": np.inf,
    **{one.__name__: one for one in (array, Decimal, Fraction, Path, partial, as_strided)},
    **{one.__name__: one for one in (Box, Discrete, MultiBinary)},
}
