"""Changes to bytes of any kind, to JSON, to arrays, and to safetensors files.

A change takes a random generator, a good file and another one, and returns the changed file. What
is changed within a structure is signed anew, so that no checksum hides what stands behind it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from model_files import joined, signed, split

Random = np.random.Generator

# Values at which parsers and sizes go wrong.
NUMBERS = [0, 1, -1, 2, 3, 7, 8, 64, 255, 2**20, 2**31, 2**32, 2**53, 2**63, 2**64, 10**19, 10**30]
VALUES = [*NUMBERS, 0.5, -0.0, 1e308, 5e-324, True, None, "", "F32", "F64", "I64", "\u00fc", [], {}]
DOUBLES = [0.0, -0.0, 1.0, -1.0, 1e300, -1e300, 1e-300, 5e-324, 1e154, np.nan, np.inf, -np.inf]
# Whole numbers that tables and counts are near of.
WHOLES = [2.0, 3.0, 7.0, 54.0, 55.0, 216.0, 1e6, 2.0**31, 2.0**53, 2.0**63]

Change = Callable[[Random, bytes, bytes], bytes]


def choice(random: Random, items: list[Any]) -> Any:
    return items[int(random.integers(len(items)))]


def truncate(random: Random, content: bytes, other: bytes) -> bytes:
    return content[: int(random.integers(len(content) + 1))]


def extend(random: Random, content: bytes, other: bytes) -> bytes:
    return content + choice(random, [b"\0", b"{}", other, random.bytes(64)])


def flip_bits(random: Random, content: bytes, other: bytes) -> bytes:
    changed = bytearray(content)
    # Half of the time within the header, which is what parsers read.
    end = 8 + int.from_bytes(content[:8], "little") if random.random() < 0.5 else len(content)
    for _ in range(int(random.integers(1, 9))):
        changed[int(random.integers(min(end, len(content))))] ^= 1 << int(random.integers(8))
    return bytes(changed)


def splice(random: Random, content: bytes, other: bytes) -> bytes:
    begin, end = sorted(int(place) for place in random.integers(len(content), size=2))
    start = int(random.integers(len(other)))
    return content[:begin] + other[start : start + end - begin] + content[end:]


def change_length(random: Random, content: bytes, other: bytes) -> bytes:
    length = int.from_bytes(content[:8], "little") + int(random.integers(-16, 17))
    length = choice(random, [length, *NUMBERS, int(random.integers(2**62))])
    return (length % 2**64).to_bytes(8, "little") + content[8:]


def change_numbers(random: Random, content: bytes, other: bytes) -> bytes:
    header, data = split(content)
    changed = bytearray(data)
    for _ in range(int(random.integers(1, 5))):
        place = 4 * int(random.integers(len(data) // 4 - 1))
        changed[place : place + 8] = np.float64(choice(random, DOUBLES)).tobytes()
    return joined(header, bytes(changed))


def changed_array(random: Random, array: Any, other: Any) -> Any:
    """One array with another shape, type or value; `other` is one of the same file."""
    rows = np.atleast_1d(array)
    changed: Any = array.copy()
    kind = int(random.integers(8))
    if kind == 0:
        changed = choice(random, [other, array.astype(np.float32), array.astype(np.float64)])
    elif kind == 1:
        changed = rows[: int(random.integers(len(rows) + 1))]
    elif kind == 2:
        changed = np.concatenate([rows, rows])
    elif kind == 3:
        changed = choice(random, [array.T, array.ravel(), array[None], array.reshape(-1, 1)])
    elif kind == 4:
        changed = np.full_like(array, choice(random, DOUBLES + WHOLES))
    else:
        for _ in range(int(random.integers(1, 4)) if array.size else 0):
            place = int(random.integers(array.size))
            changed.flat[place] = choice(random, [*DOUBLES, *WHOLES, -changed.flat[place]])
    return changed


def change_array(random: Random, content: bytes, other: bytes) -> bytes:
    """Changes one array, and the header so that it fits; or drops one, or adds one."""
    header, data = split(content)
    metadata = header.pop("__metadata__")
    arrays = {
        name: np.frombuffer(
            data[slice(*entry["data_offsets"])], {"F32": "<f4", "F64": "<f8"}[entry["dtype"]]
        ).reshape(entry["shape"])
        for name, entry in header.items()
    }
    name, second = choice(random, list(arrays)), choice(random, list(arrays))
    kind = int(random.integers(10))
    if kind == 0:
        del arrays[name]
    elif kind == 1:
        arrays[name + "x"] = arrays[name]
    elif kind == 2:
        arrays[name], arrays[second] = arrays[second], arrays[name]
    else:
        with np.errstate(all="ignore"):
            arrays[name] = changed_array(random, arrays[name], arrays[second])
    header, parts, place = {"__metadata__": metadata}, [], 0
    for name in sorted(arrays):
        array = arrays[name]
        parts.append(array.tobytes())
        header[name] = {
            "dtype": f"F{8 * array.itemsize}",
            "shape": list(array.shape),
            "data_offsets": [place, place + array.nbytes],
        }
        place += array.nbytes
    return joined(header, b"".join(parts))


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container with every key in it, at any depth."""
    keys = list(value) if isinstance(value, dict) else range(len(value))
    found = [(value, key) for key in keys]
    for key in keys:
        if isinstance(value[key], (dict, list)):
            found += places(value[key])
    return found


def edit_json(random: Random, value: Any) -> None:
    """Changes one place of a JSON document: another value, another place's, a key less or more."""
    container, key = choice(random, places(value))
    kind = int(random.integers(7))
    if kind == 0:
        container[key] = choice(random, VALUES)
    elif kind > 4:  # right as far as its type goes
        same = [other for other in VALUES if type(other) is type(container[key])]
        container[key] = choice(random, same)
    elif kind == 1:
        other, other_key = choice(random, places(value))
        container[key] = json.loads(json.dumps(other[other_key]))
    elif kind == 2:
        del container[key]
    elif isinstance(container[key], int) and kind == 3:
        container[key] += int(random.integers(-2, 3))
    elif isinstance(container, dict):
        container[str(choice(random, VALUES))] = container[key]
    else:
        container.append(choice(random, VALUES))


def edit_header(random: Random, content: bytes, other: bytes) -> bytes:
    header, data = split(content)
    for _ in range(int(random.integers(1, 4))):
        edit_json(random, header)
        if not header:
            break
    return joined(header, data)


def edit_document(random: Random, content: bytes, other: bytes) -> bytes:
    header, data = split(content)
    document = json.loads(header["__metadata__"]["dynaplan"])
    for _ in range(int(random.integers(1, 4))):
        edit_json(random, document)
        if not document:
            break
    header["__metadata__"]["dynaplan"] = json.dumps(document)
    return joined(header, data)


def edited_text(random: Random, text: bytes) -> bytes:
    """Repeats or removes a piece of a text, or puts a piece of JSON in."""
    begin, end = sorted(int(place) for place in random.integers(len(text), size=2))
    piece = choice(random, [text[begin:end], b"", b"[" * 9999, b'"x":1,', b"1e999", b"9" * 5000])
    return text[:begin] + piece + text[choice(random, [begin, end]) :]


def edit_text(random: Random, content: bytes, other: bytes) -> bytes:
    header, data = split(content)
    return joined(edited_text(random, json.dumps(header).encode()), data)


def edit_json_text(random: Random, content: bytes, other: bytes) -> bytes:
    """Changes a file that is nothing but JSON."""
    if random.random() < 0.2:
        return edited_text(random, content)
    value = json.loads(content)
    for _ in range(int(random.integers(1, 4))):
        edit_json(random, value)
        if not value:
            break
    return json.dumps(value).encode()


ANY_BYTES: list[Change] = [truncate, extend, flip_bits, splice]
SAFETENSORS: list[Change] = [
    *ANY_BYTES,
    change_length,
    change_numbers,
    change_array,
    change_array,
    edit_header,
    edit_document,
    edit_document,
    edit_text,
]


def changed_by(random: Random, changes: list[Change], content: bytes, other: bytes) -> bytes:
    """A good file with one change, seldom two."""
    for _ in range(1 + int(random.random() < 0.25)):
        try:
            content = choice(random, changes)(random, content, other)
        except Exception:
            break  # parsers of others, on what the change before has left
    return content


def model_file(random: Random, content: bytes, other: bytes) -> bytes:
    """A changed safetensors file, signed anew in four of five cases."""
    content = changed_by(random, SAFETENSORS, content, other)
    return signed(content) if random.random() < 0.8 else content
