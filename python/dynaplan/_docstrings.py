"""Descriptions of arguments that several callables share: written once, shown by `help` of each."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["shares_arguments"]

_SECTION = re.compile(r"^Args:\n((?: {4}.*(?:\n|\Z))+)", re.MULTILINE)
_ENTRY = re.compile(r"^ {4}(\w+):.*(?:\n|\Z)(?: {8}.*(?:\n|\Z))*", re.MULTILINE)
_Target = TypeVar("_Target", bound=Callable[..., Any])


def shares_arguments(*sources: object) -> Callable[[_Target], _Target]:
    """Returns a decorator that describes in a docstring the parameters which it leaves out.

    Args:
        sources: functions or classes whose Google-style docstrings describe them; the first that
            describes a parameter is used.
    """
    shared: dict[str, str] = {}
    for source in reversed(sources):
        shared |= _entries(inspect.cleandoc(source.__doc__ or ""))

    def complete(target: _Target) -> _Target:
        if target.__doc__ is not None:  # as it is under `python -OO`
            text = inspect.cleandoc(target.__doc__)
            section = _SECTION.search(text)
            assert section is not None
            entries = {**shared, **_entries(text)}
            names = [name for name in inspect.signature(target).parameters if name in entries]
            described = "\n".join(entries[name] for name in names)
            target.__doc__ = text[: section.start(1)] + described + "\n" + text[section.end() :]
        return target

    return complete


def _entries(docstring: str) -> dict[str, str]:
    """Returns the entry of each argument in the section `Args:`."""
    section = _SECTION.search(docstring)
    found = _ENTRY.finditer(section[1]) if section else ()
    return {entry[1]: entry[0].rstrip() for entry in found}
