"""How a part of the compiled core was made, so that it can be made again: for other processes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np

from dynaplan import _core, _texts

__all__ = ["CoreCall", "Recipe", "Unportable", "part_of_recipe"]

_Part = TypeVar("_Part")


class Recipe(Protocol):
    """Makes a part of the core, such as a reward; pickled in its place."""

    def make(self) -> Any:
        """Returns the part."""


@dataclass(frozen=True, slots=True, init=False)
class CoreCall:
    """The call of a function of the core.

    Args:
        function: its name.
        arguments: what it is given; arrays are copied, and objects that have a recipe of their own,
            also those in a list, are given as the parts that they hold.
    """

    function: str
    arguments: tuple[Any, ...]

    def __init__(self, function: str, *arguments: Any) -> None:
        copies = (one.copy() if isinstance(one, np.ndarray) else one for one in arguments)
        object.__setattr__(self, "function", function)
        object.__setattr__(self, "arguments", tuple(copies))

    def make(self) -> Any:
        """Returns what the function returns."""
        return getattr(_core, self.function)(*map(_part, self.arguments))


@dataclass(frozen=True, slots=True)
class Unportable:
    """A part that only this process can have; refuses to be pickled.

    Args:
        part: the part of the core.
        name: what the user knows it as.
    """

    part: Any
    name: str

    def make(self) -> Any:
        """Returns the part itself."""
        return self.part

    def __reduce__(self) -> Any:
        raise TypeError(
            f"{self.name}: cannot be pickled: a compiled function is an address in this process; "
            "make it anew in the other one, or with from_numba, which compiles it there"
        )


def part_of_recipe(recipe: Recipe, kind: type[_Part], makers: str) -> _Part:
    """Returns the part that a recipe makes.

    Args:
        recipe: the recipe.
        kind: of what it must make.
        makers: where the functions are that have such recipes.

    Raises:
        TypeError: it is no recipe, or of something else.
    """
    part = recipe.make() if hasattr(recipe, "make") else None
    if not isinstance(part, kind):
        got = _texts.shown(recipe)
        raise TypeError(f"recipe: got {got}, must be made by a function of {makers}")
    return part


def _part(argument: Any) -> Any:
    if isinstance(argument, list):
        return [_part(one) for one in argument]
    return argument._core_part() if hasattr(argument, "_core_part") else argument
