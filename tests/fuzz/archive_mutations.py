"""Changes to zip files: to their bytes, to what they say of their members, and to the members."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import Any

import numpy as np
from mutations import (
    ANY_BYTES,
    DOUBLES,
    NUMBERS,
    WHOLES,
    Change,
    Random,
    changed_array,
    changed_by,
    choice,
    edit_json_text,
    model_file,
)

# Offsets of what a head, an entry of the directory and the end say, each with its length.
SIZES = [18, 22]
HEAD = [(4, 2), (6, 2), (8, 2), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2)]
ENTRY = [(8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2), (32, 2), (42, 4)]
END = [(8, 2), (10, 2), (12, 4), (16, 4), (20, 2)]
STRUCTURES = {b"PK\x03\x04": HEAD, b"PK\x01\x02": ENTRY, b"PK\x05\x06": END}


def members_of(content: bytes) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


def archive_of(members: list[tuple[str, bytes]], compression: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def change_field(random: Random, content: bytes, other: bytes) -> bytes:
    """Changes what the archive says of itself: sizes, places, checksums, flags."""
    signature = choice(random, list(STRUCTURES))
    starts, at = [], content.find(signature)
    while at >= 0:
        starts.append(at)
        at = content.find(signature, at + 1)
    changed = bytearray(content)
    start, (offset, length) = choice(random, starts), choice(random, STRUCTURES[signature])
    old = int.from_bytes(changed[start + offset : start + offset + length], "little")
    new = choice(random, [*NUMBERS, len(content), old + 1, old - 1]) % 256**length
    places = [offset]
    if signature == b"PK\x03\x04" and offset in SIZES:
        places = choice(random, [places, SIZES])  # half of the time both, so that they agree
    for place in places:
        changed[start + place : start + place + length] = new.to_bytes(length, "little")
    return bytes(changed)


def change_wide_field(random: Random, content: bytes, other: bytes) -> bytes:
    """Changes a 64-bit size, as members have that `numpy.savez` writes."""
    mark = struct.pack("<2H", 1, 16)
    at, places = content.find(mark), []
    while at >= 0:
        places.append(at + 4)
        at = content.find(mark, at + 1)
    place = choice(random, places)
    size = (choice(random, [*NUMBERS, len(content)]) % 2**64).to_bytes(8, "little")
    both = choice(random, [size + size, size + content[place + 8 : place + 16]])
    return content[:place] + both + content[place + 16 :]


def change_members(random: Random, content: bytes, other: bytes) -> bytes:
    """Drops, repeats, renames, exchanges or compresses members; adds one of another file."""
    members = members_of(content)
    place, second = (int(random.integers(len(members))) for _ in range(2))
    kind = int(random.integers(6))
    if kind == 0:
        del members[place]
    elif kind == 1:
        members[place] = choice(random, ["x", "../x", "agent", "x" * 60_000]), members[place][1]
    elif kind == 2:
        members[place] = members[place][0], members[second][1]
    elif kind == 3:
        return archive_of(members, choice(random, [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2]))
    elif kind == 4:
        members.insert(place, choice(random, [("x", other), ("loop.json", b"{}")]))
    else:
        members[place] = members[place][0], other
    return archive_of(members)


def one_member(random: Random, content: bytes, other: bytes, changes: dict[str, Any]) -> bytes:
    """Changes one member that `changes` has a change for, by the end of its name."""
    members = members_of(content)
    able = [i for i, (name, _) in enumerate(members) if any(map(name.endswith, changes))]
    place = choice(random, able)
    name, old = members[place]
    change = next(change for end, change in changes.items() if name.endswith(end))
    members[place] = name, change(random, old, choice(random, [other, *(m for _, m in members)]))
    return archive_of(members)


def edit_array_text(random: Random, content: bytes, other: bytes) -> bytes:
    """Changes the text at the head of an array in NumPy's format."""
    text = content[10 : content.index(b"\n", 10)].rstrip()
    begin, end = sorted(int(place) for place in random.integers(len(text), size=2))
    pieces = [b"", b"[" * 5000, b"9" * 400, b"|O", b"<f4", b"-", b"1e9", b"0L", b"(1, 2)", b"\\N"]
    place = choice(random, [begin, end])
    text = text[:begin] + choice(random, [text[begin:end], *pieces]) + text[place:] + b"\n"
    return (
        content[:8] + len(text).to_bytes(2, "little") + text + content[content.index(b"\n") + 1 :]
    )


def change_numpy_array(random: Random, content: bytes, other: bytes) -> bytes:
    """Writes another array with NumPy: of other numbers, another shape, another type."""
    array = np.load(io.BytesIO(content))
    if random.random() < 0.3:
        kinds = ["<f4", "<i8", "<u8", "<c16", "|b1", "<U3", "S5", ">f8", "<M8[s]", "V3"]
        array = np.zeros(array.shape, choice(random, kinds))
    elif array.dtype.kind == "f":
        array = changed_array(random, array, array.T)
    elif array.dtype.kind in "bi":
        value = choice(random, [value for value in DOUBLES + WHOLES if abs(value) < 1e18])
        array = changed_array(random, array, np.full_like(array, value))
    else:
        array = np.array(choice(random, ["", "dynaplan.Dyna", "\ud800", "x" * 999, 1, [1, 2]]))
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def change_array_bytes(random: Random, content: bytes, other: bytes) -> bytes:
    return changed_by(random, ANY_BYTES, content, other)


NUMPY: list[Change] = [change_array_bytes, edit_array_text, change_numpy_array, change_numpy_array]
ARCHIVE: list[Change] = [*ANY_BYTES, change_field, change_wide_field, change_members]


def change_numpy_member(random: Random, content: bytes, other: bytes) -> bytes:
    return one_member(random, content, other, {".npy": choice(random, NUMPY)})


def transitions_file(random: Random, content: bytes, other: bytes) -> bytes:
    """A changed file of transitions."""
    return changed_by(random, [*ARCHIVE, *[change_numpy_member] * 7], content, other)


def change_part(random: Random, content: bytes, other: bytes) -> bytes:
    """Changes the agent, the model, the data or the state in a checkpoint."""
    changes = {
        "agent": model_file,
        "model": model_file,
        "data": transitions_file,
        "loop.json": edit_json_text,
    }
    return one_member(random, content, other, changes)


def checkpoint_file(random: Random, content: bytes, other: bytes) -> bytes:
    """A changed checkpoint."""
    changes = [change for change in ARCHIVE if change is not change_wide_field]
    return changed_by(random, [*changes, *[change_part] * 12], content, other)
