"""Files of transitions: an uncompressed `.npz` with named arrays, without pickled objects."""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynaplan import _archives, _disk, files
from dynaplan.errors import ModelFileError

__all__ = ["read_arrays", "write_arrays"]

_KIND = "dynaplan.Transitions"
_VERSION = 1
_MARKS = ("kind", "version")
# The head of an array as NumPy writes it: its own reader evaluates the text of any head, and takes
# memory for the shape that stands there. Objects, which would be pickled, are none of the types.
_HEAD = re.compile(
    rb"\x93NUMPY\x01\x00..\{"
    rb"'descr': '(?P<type>[<>|](?:f8|i4|i8|b1|U[1-9]\d{0,2}))', "
    rb"'fortran_order': (?P<columns_first>True|False), "
    rb"'shape': \((?P<shape>(?:\d{1,19}(?:, \d{1,19}|,))?)\), \} *\n",
    re.DOTALL,
)


def write_arrays(path: str | os.PathLike[str], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Writes the arrays of transitions; the file appears complete or not at all.

    Raises:
        OSError: the folder does not exist or cannot be written to.
    """
    with _disk.replacing(files.path_of(path)) as file:
        # Every name is there, so that a lost one shows: no rewards are an empty array.
        named: dict[str, Any] = {"rewards": np.empty(0), **arrays}
        np.savez(file, kind=_KIND, version=_VERSION, **named)


def read_arrays(
    path: Path, names: Sequence[str], *, optional: Sequence[str] = ()
) -> dict[str, Any]:
    """Returns the arrays of a file of transitions by name, checked to be one and whole.

    Args:
        path: of the file.
        names: of all arrays that may be there.
        optional: those of them that need not be.

    Raises:
        ModelFileError: the file is damaged, or is not a file of transitions.
        OSError: the file does not exist or cannot be read.
    """
    try:
        with _disk.opened(path) as file:
            members = _archives.members(file)
            _check_marks(members)
            there = [name for name in names if name not in optional or f"{name}.npy" in members]
            return _arrays(members, there)
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {error}") from error


def _check_marks(members: Mapping[str, _archives.Member]) -> None:
    """Checks that an archive says that it holds transitions, of this version of the format."""
    kind, version = (_value(members, name) for name in _MARKS)
    if kind != _KIND:
        raise ModelFileError(f"holds {kind!a:.60}, must hold {_KIND!r}")
    if type(version) is not int or version != _VERSION:
        raise ModelFileError(
            f"got version {version!a:.60} of the format, must be {_VERSION}; "
            "read it with the version of dynaplan that wrote it"
        )


def _value(members: Mapping[str, _archives.Member], name: str) -> object:
    array = _array(members, name)
    if array.size != 1:
        raise ModelFileError(f"array {name!r}: must be one value, got shape {array.shape}")
    return array.item()


def _arrays(members: Mapping[str, _archives.Member], names: Sequence[str]) -> dict[str, Any]:
    if extra := members.keys() - {f"{name}.npy" for name in (*_MARKS, *names)}:
        raise ModelFileError(f"its part {min(extra)!a:.60} does not belong to transitions")
    arrays: dict[str, Any] = {name: _array(members, name) for name in names}
    if not arrays["rewards"].size:
        arrays["rewards"] = None
    return arrays


def _array(members: Mapping[str, _archives.Member], name: str) -> NDArray[Any]:
    """Returns an array, which lies in the memory that its member was read to."""
    if f"{name}.npy" not in members:
        raise ModelFileError(f"damaged, or no transitions: array {name!r} is missing")
    content = members[f"{name}.npy"].read()
    head = _HEAD.match(content)
    if head is None:
        raise ModelFileError(f"array {name!r}: is of objects, or not as NumPy writes arrays")
    shape = [int(number) for number in head["shape"].split(b",") if number]
    kind, data = np.dtype(head["type"].decode()), memoryview(content)[head.end() :]
    if math.prod(shape) * kind.itemsize != len(data) or max(shape, default=0) > len(content):
        raise ModelFileError(f"array {name!r}: {len(data)} bytes do not fit its shape {shape}")
    array = np.frombuffer(data, kind)
    # NumPy takes it for granted that these are right.
    if kind.kind == "b" and (array.view(np.uint8) > 1).any():
        raise ModelFileError(f"array {name!r}: must be true or false")
    if kind.kind == "U" and (array.view(f"{kind.str[0]}u4") > sys.maxunicode).any():
        raise ModelFileError(f"array {name!r}: must be text")
    return array.reshape(shape, order="F" if head["columns_first"] == b"True" else "C")
