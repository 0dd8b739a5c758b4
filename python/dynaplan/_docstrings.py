"""Descriptions of arguments that several callables share: written once, shown by `help` of each."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["shares_arguments"]

_Target = TypeVar("_Target", bound=Callable[..., Any])
_SECTION = re.compile(
    r"^(?P<heading>Args|Attributes):\n(?P<entries>(?:    .*\n|\n(?=    ))+)", re.MULTILINE
)
_ENTRY = re.compile(r"^    (?P<name>\w+): .*\n(?:     .*\n)*", re.MULTILINE)


def shares_arguments(*sources: object) -> Callable[[_Target], _Target]:
    """Completes the arguments of a docstring, or the attributes of a dataclass, from others.

    What the docstring describes itself stays; what it leaves out is taken from the first source
    that describes it; all in the order of the signature.

    Args:
        sources: classes or functions with docstrings in Google's style.
    """

    def complete(target: _Target) -> _Target:
        if target.__doc__ is None:  # with `python -OO`
            return target
        known: dict[str, str] = {}
        for source in (*reversed(sources), target):
            known |= _entries(_text(source))
        names = inspect.signature(target).parameters
        entries = "".join(known[name] for name in names if name in known)
        text = _text(target)
        target.__doc__ = _SECTION.sub(lambda found: f"{found[1]}:\n{entries}", text, count=1)
        return target

    return complete


def _text(documented: object) -> str:
    return inspect.cleandoc(documented.__doc__ or "") + "\n"


def _entries(docstring: str) -> dict[str, str]:
    """Returns the descriptions of arguments, with their names, by name."""
    section = _SECTION.search(docstring)
    if section is None:
        return {}
    return {entry["name"]: entry[0] for entry in _ENTRY.finditer(section["entries"])}
