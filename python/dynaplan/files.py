"""Model files: one safetensors file with named arrays and a small JSON header.

This module knows the format and no model: `models/files.py` maps a kind to its class. What is
checked here holds for every kind; each model checks its own names, shapes and settings.

The `safetensors` package lays the arrays out and takes them apart; it is imported when a file is
written or read, so that importing dynaplan stays quick. The checks here are those it
does not make: it takes the last of two equal keys, any type and any value, and has no checksum.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynaplan import _disk, _texts
from dynaplan._version import __version__
from dynaplan.errors import ArgumentError, ModelFileError

__all__ = [
    "fields",
    "json_object",
    "named_arrays",
    "path_of",
    "read_model_file",
    "write_model_file",
]

Arrays = Mapping[str, NDArray[Any]]

FORMAT = 1
# The only entry of safetensors' own metadata: a second one would come out in random order, and the
# same model would not give the same bytes.
_METADATA_KEY = "dynaplan"
_DOCUMENT_FIELDS = {"format": int, "sha256": str, "dynaplan": str, "kind": str, "header": dict}
_NO_CHECKSUM = "0" * 64
# The header of an ensemble of ten deep networks takes 10 kB; a parser should not meet much more.
_MAX_HEADER_BYTES = 1 << 20
_MAX_DIMENSIONS = 8
_ITEM_BYTES = {"F32": 4, "F64": 8}


def path_of(path: str | os.PathLike[str], name: str = "path") -> Path:
    """Returns the path of a file; `name` is that of the argument.

    Raises:
        TypeError: it is no path.
        ArgumentError: it is none that a file can have.
    """
    try:
        text = os.fspath(path)
        os.fsencode(text)
    except Exception:  # of the object's own conversion, or of characters that no name has
        text = None
    if not isinstance(text, str):
        raise TypeError(f"{name}: got {_texts.shown(path)}, must be the name of a file")
    if not text or "\0" in text:
        raise ArgumentError(f"{name}: got {_texts.shown(text)}, must be the name of a file")
    return Path(text)


def write_model_file(
    path: str | os.PathLike[str], kind: str, arrays: Arrays, header: Mapping[str, Any]
) -> None:
    """Writes a model file; what `read_model_file` would refuse is not written.

    Args:
        path: name of the file, used as it is; an existing file is replaced at the end.
        kind: what the arrays make: the name of the model's class.
        arrays: float32 or float64, finite, of at most 8 dimensions.
        header: settings and the like, as JSON has them: dicts, lists, strings, finite numbers.

    Raises:
        ModelFileError: an array or the header holds what a model file cannot.
        OSError: the folder does not exist or cannot be written to.
    """
    try:
        content = _encoded(kind, arrays, header)
        _decoded(content)
    except ModelFileError as error:
        raise ModelFileError(f"{os.fspath(path)}: cannot be written: {error}") from error
    with _disk.replacing(path_of(path)) as file:
        file.write(content)


def read_model_file(
    path: str | os.PathLike[str],
) -> tuple[str, dict[str, NDArray[Any]], dict[str, Any]]:
    """Reads a model file; nothing in it is run, and nothing larger than the file is allocated.

    Returns:
        The kind, the arrays (C-contiguous, owned) and the header, as they were written. They are
        what any program may have put there: names, shapes and settings are not checked.

    Raises:
        ModelFileError: the file is truncated, altered, or no model file of this version.
        OSError: the file does not exist or cannot be read.
    """
    try:
        with _disk.opened(path_of(path)) as file:
            size = os.fstat(file.fileno()).st_size
            _header_end(file.read(8), size)  # a large file of something else is not read whole
            file.seek(0)
            content = file.read(size)
        return _decoded(content)
    except ModelFileError as error:
        raise ModelFileError(f"{os.fspath(path)}: {error}") from error


def named_arrays(arrays: Arrays, wanted: Mapping[str, tuple[str, tuple[int, ...]]]) -> None:
    """Checks that a file has exactly the wanted arrays, by name: dtype and shape.

    Raises:
        ModelFileError: an array is missing, too many, or has another dtype or shape.
    """
    if missing := [name for name in wanted if name not in arrays]:
        raise ModelFileError(f"array {missing[0]!r} is missing")
    if extra := [name for name in arrays if name not in wanted]:
        raise ModelFileError(f"array {_shown(extra[0])} does not belong to this kind of model")
    for name, (dtype, shape) in wanted.items():
        array = arrays[name]
        if array.dtype != dtype or array.shape != shape:
            raise ModelFileError(
                f"array {name!r}: got {array.dtype} of shape {array.shape}, "
                f"must be {dtype} of shape {shape}"
            )


def fields(value: object, name: str, wanted: Mapping[str, type]) -> dict[str, Any]:
    """Returns a JSON object that has exactly the wanted fields, each of its type.

    A whole number is accepted as a float and converted; true and false are no numbers.

    Raises:
        ModelFileError: it is no object, or a field is missing, too many or of another type.
    """
    if not isinstance(value, dict):
        raise ModelFileError(f"{name}: got {_shown(value)}, must be a JSON object")
    if missing := [key for key in wanted if key not in value]:
        raise ModelFileError(f"{name}: {missing[0]!r} is missing")
    if extra := [key for key in value if key not in wanted]:
        raise ModelFileError(f"{name}: {_shown(extra[0])} is not known")
    checked: dict[str, Any] = {}
    for key, kind in wanted.items():
        entry = value[key]
        if kind is float and type(entry) is int:
            entry = float(entry)
        if type(entry) is not kind:
            raise ModelFileError(f"{name}: {key!r} must be of type {kind.__name__}")
        checked[key] = entry
    return checked


def json_object(what: str, text: bytes) -> dict[str, Any]:
    """Parses JSON strictly: unique keys, finite and short numbers, bounded nesting.

    Args:
        what: it is, for messages.
        text: in UTF-8.

    Raises:
        ModelFileError: it is not such JSON, or no object.
    """
    try:
        value = json.loads(
            text.decode("utf-8", "strict"),
            object_pairs_hook=_unique,
            parse_int=_short_int,
            parse_float=_finite_float,
            parse_constant=_finite_float,
        )
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{what} is no valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise ModelFileError(f"{what} must be a JSON object")
    return value


def _encoded(kind: str, arrays: Arrays, header: Mapping[str, Any]) -> bytes:
    """Returns the bytes of a model file, with the checksum of all others in their midst."""
    from safetensors import SafetensorError  # noqa: PLC0415  # not needed to import dynaplan
    from safetensors.numpy import save  # noqa: PLC0415

    document = {
        "format": FORMAT,
        "sha256": _NO_CHECKSUM,
        "dynaplan": __version__,
        "kind": kind,
        "header": header,
    }
    # Sorted, in the machine's own byte order and contiguous: `save` copies memory as it lies.
    laid_out = {
        name: np.require(array, array.dtype.newbyteorder("="), ["C", "A"])
        for name, array in sorted(arrays.items())
    }
    try:
        content = save(laid_out, {_METADATA_KEY: json.dumps(document)})
    except (SafetensorError, TypeError, ValueError) as error:
        raise ModelFileError(str(error)) from error
    start = _checksum_start(content, _NO_CHECKSUM)
    checksum = _checksum(content, start).encode()
    return b"".join([content[:start], checksum, content[start + len(checksum) :]])


def _decoded(content: bytes) -> tuple[str, dict[str, NDArray[Any]], dict[str, Any]]:
    """Takes a file apart; the order of the checks is from the outside in."""
    end = _header_end(content[:8], len(content))
    entries = json_object("the header of the file", content[8:end])
    document = _document(entries.pop("__metadata__", None))
    start = _checksum_start(content, document["sha256"])
    if _checksum(content, start) != document["sha256"]:
        raise ModelFileError("the checksum is wrong: the file was damaged or altered")
    for name, entry in entries.items():
        _check_entry(name, entry, len(content) - end)
    return document["kind"], _arrays_of(content), document["header"]


def _header_end(first: bytes, size: int) -> int:
    """Returns where the header ends, from the first eight bytes and the size of a file."""
    if len(first) < 8:
        raise ModelFileError(f"not a dynaplan file, or truncated: it has {size} bytes")
    length = int.from_bytes(first, "little")
    if length > _MAX_HEADER_BYTES:
        # In a file of any other kind the length is eight bytes of something else.
        raise ModelFileError("not a dynaplan file, or its first bytes are damaged")
    if 8 + length > size:
        raise ModelFileError(f"truncated: its header ends at byte {8 + length} of {size}")
    return 8 + length


def _document(metadata: object) -> dict[str, Any]:
    """Returns dynaplan's own part of the header, checked to be of this version of the format."""
    text = metadata.get(_METADATA_KEY) if isinstance(metadata, dict) else None
    if not isinstance(text, str):
        raise ModelFileError("a safetensors file, but none that dynaplan wrote")
    if metadata != {_METADATA_KEY: text}:
        raise ModelFileError(f"its metadata hold more than {_METADATA_KEY!r}")
    document = json_object("the dynaplan header", text.encode("utf-8", "surrogatepass"))
    version, writer = document.get("format"), document.get("dynaplan")
    if type(version) is int and version != FORMAT:
        raise ModelFileError(
            f"got version {version} of the format, must be {FORMAT}; read it with dynaplan "
            f"{_shown(writer)}, which wrote it"
        )
    return fields(document, "the dynaplan header", _DOCUMENT_FIELDS)


def _checksum_start(content: bytes, shown: str) -> int:
    """Returns where the checksum is; it occurs once, or it could not cover all other bytes."""
    end = _header_end(content[:8], len(content))
    digits = shown.encode("utf-8", "surrogatepass")
    if len(digits) != len(_NO_CHECKSUM) or content.count(digits, 8, end) != 1:
        raise ModelFileError("the checksum is not one of 64 hexadecimal digits that occur once")
    return content.index(digits, 8, end)


def _checksum(content: bytes, start: int) -> str:
    """Returns the SHA-256 of the file with zeros in place of the checksum itself."""
    digest = hashlib.sha256(content[:start])
    digest.update(_NO_CHECKSUM.encode())
    digest.update(memoryview(content)[start + len(_NO_CHECKSUM) :])
    return digest.hexdigest()


def _check_entry(name: str, entry: object, data_bytes: int) -> None:
    """Checks the header's entry of one array, before any memory is allocated for it."""
    where = f"array {_shown(name)}"
    entry = fields(entry, where, {"dtype": str, "shape": list, "data_offsets": list})
    if entry["dtype"] not in _ITEM_BYTES:
        raise ModelFileError(f"{where}: got type {_shown(entry['dtype'])}, must be F32 or F64")
    if len(entry["shape"]) > _MAX_DIMENSIONS or len(entry["data_offsets"]) != 2:
        raise ModelFileError(f"{where}: too many dimensions, or not two offsets")
    for number in (*entry["shape"], *entry["data_offsets"]):
        if type(number) is not int or not 0 <= number <= data_bytes:
            raise ModelFileError(
                f"{where}: got size {_shown(number)}, must be a whole number from 0 to the "
                f"{data_bytes} bytes of data"
            )
    begin, end = entry["data_offsets"]
    if end - begin != math.prod(entry["shape"]) * _ITEM_BYTES[entry["dtype"]]:
        raise ModelFileError(f"{where}: {end - begin} bytes do not fit its shape {entry['shape']}")


def _arrays_of(content: bytes) -> dict[str, NDArray[Any]]:
    """Returns the arrays of a file whose header was checked; all must be finite."""
    from safetensors import SafetensorError  # noqa: PLC0415  # not needed to import dynaplan
    from safetensors.numpy import load  # noqa: PLC0415

    try:
        loaded = load(content)
    except (SafetensorError, ValueError) as error:
        raise ModelFileError(f"its arrays do not fill the file: {error}") from error
    for name, array in loaded.items():
        finite = np.isfinite(array)
        if not finite.all():
            place = tuple(map(int, np.unravel_index(int(finite.argmin()), array.shape)))
            raise ModelFileError(f"array {_shown(name)}: entry {place} is {array[place]}")
    return {name: np.require(array, None, ["C", "O"]) for name, array in loaded.items()}


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique: dict[str, Any] = {}
    for name, value in pairs:
        if name in unique:
            raise ValueError(f"key {_shown(name)} occurs twice")
        unique[name] = value
    return unique


def _short_int(digits: str) -> int:
    # 2**64 has 20 digits. Python's own limit is in the thousands, and absent before 3.10.7.
    if len(digits) > 20:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)


def _finite_float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"number {digits:.20} is not finite")
    return value


def _shown(value: object) -> str:
    """Shows a value of the file in a message: in ASCII, and not at length."""
    return ascii(value)[:60] if isinstance(value, (str, int, float)) else type(value).__name__
