"""Values as error messages and the `repr` of objects show them: short, on one line."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

_MAX_LENGTH = 60
_MAX_ENTRIES = 6
_MAX_BITS = 128


def shown(value: object) -> str:
    """Returns a value as a message shows it: as Python prints it where that is short."""
    if isinstance(value, np.ndarray):
        kind = "a masked array" if isinstance(value, np.ma.MaskedArray) else "an array"
        return f"{kind} of shape {value.shape}"
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, type):
        return f"the class {value.__name__}"
    plain = value is None or isinstance(value, str | bytes | int | float | complex | list | tuple)
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        return f"an integer of {value.bit_length()} bits"  # Python may refuse to print it
    text = _printed(value) if plain else ""
    short = 0 < len(text) <= _MAX_LENGTH and "\n" not in text and " at 0x" not in text
    return text if short else type(value).__name__


def _printed(value: object) -> str:
    """Returns what Python prints; nothing where that is long, or fails as of endless lists."""
    if isinstance(value, str | bytes | list | tuple) and len(value) > _MAX_LENGTH:
        return ""
    try:
        return repr(value)
    except Exception:
        return ""


def brief(value: Any) -> str:
    """Returns a part of an object as its `repr` shows it: a few numbers, else their shape."""
    if isinstance(value, bool | np.bool_ | str):
        return repr(value)
    if isinstance(value, np.ndarray | np.generic | int | float | list | tuple):
        array = _numbers(value)
        if array is not None:
            return _array_text(array)
    text = getattr(value, "__name__", None) or _printed(value)
    short = 0 < len(text) <= _MAX_LENGTH and " at 0x" not in text
    return text if short else type(value).__name__


def call_text(name: str, *values: Any, **settings: Any) -> str:
    """Returns the call that makes an object, in brief; settings that are None are left out."""
    named = (f"{key}={brief(value)}" for key, value in settings.items() if value is not None)
    return f"{name}({', '.join([*map(brief, values), *named])})"


def object_text(owner: object, *names: str) -> str:
    """Returns the class of an object with its attributes in brief, without those that are None.

    Args:
        owner: the object.
        names: the attributes to show. Default: the fields of a dataclass.
    """
    if not names and is_dataclass(owner):
        names = tuple(field.name for field in fields(owner))
    return call_text(type(owner).__name__, **{name: getattr(owner, name) for name in names})


def settings_text(owner: Any, *always: str) -> str:
    """Returns the class of a dataclass with those settings that are not the defaults.

    Args:
        owner: the object.
        always: settings that are shown in any case.
    """
    changed = []
    for field in fields(owner):
        value = getattr(owner, field.name)
        is_default = not isinstance(value, np.ndarray) and bool(value == field.default)
        if not is_default or field.name in always:
            text = repr(value) if isinstance(value, int | float) else brief(value)
            changed.append(f"{field.name}={text}")
    return f"{type(owner).__name__}({', '.join(changed)})"


def _numbers(value: Any) -> np.ndarray[Any, Any] | None:
    try:
        array = np.asarray(value)
    except ValueError:  # a ragged list
        return None
    return array if array.dtype.kind in "biuf" else None


def _array_text(array: np.ndarray[Any, Any]) -> str:
    if array.ndim == 0:
        return f"{array.item() + 0.0:g}" if array.dtype.kind == "f" else str(array.item())
    if array.shape == (0,):
        return "[]"
    if array.size > _MAX_ENTRIES or not array.size:
        return f"<{'x'.join(map(str, array.shape))}>"
    return f"[{', '.join(_array_text(part) for part in array)}]"
