"""Checks of the numbers and flags in a dataclass of settings, by the types that it declares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from dynaplan import _arrays

__all__ = ["checked_settings"]


def _optional_real(name: str, value: Any) -> float | None:
    return None if value is None else _arrays.real(name, value)


def _count_or_seed(name: str, value: Any) -> int:
    return _arrays.seed_number(value) if name == "seed" else _arrays.count(name, value)


def _one_or_each(name: str, values: Any) -> float | tuple[float, ...]:
    """Returns one number for all, or a tuple of one for each."""
    if isinstance(values, (int, float)) or not _arrays.any_array(name, values).ndim:
        return _arrays.real(name, values)
    return tuple(_arrays.vector(name, values).tolist())


def _optional_one_or_each(name: str, values: Any) -> float | tuple[float, ...] | None:
    return None if values is None else _one_or_each(name, values)


_CHECKS: dict[str, Callable[[str, Any], object]] = {
    "int": _count_or_seed,
    "float": _arrays.real,
    "float | None": _optional_real,
    "bool": _arrays.flag,
    "float | Sequence[float]": _one_or_each,
    "float | Sequence[float] | None": _optional_one_or_each,
}


def checked_settings(settings: Any) -> None:
    """Makes the numbers and flags of a new frozen dataclass Python's own; called once it is made.

    Its module must have `from __future__ import annotations`, which keeps types as written.

    Raises:
        ArgumentError: a value is of another type; the message names the setting.
    """
    for field in fields(settings):
        if check := _CHECKS.get(str(field.type)):
            value = check(field.name, getattr(settings, field.name))
            object.__setattr__(settings, field.name, value)
