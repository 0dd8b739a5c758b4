"""Archives: the zip files of checkpoints and of transitions, whose members are stored as they are.

`zipfile` writes them. They are read here, from the first byte on and for what `zipfile` writes
alone: it reads much more, makes objects of a directory of any length, takes memory for the sizes
that a member claims, and raises almost anything where a file is damaged.
"""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass
from typing import BinaryIO

from dynaplan.errors import ModelFileError

__all__ = ["FIRST_BYTES", "Member", "first_name", "members"]

# Enough of a file to ask for its `first_name`.
FIRST_BYTES = 64
_MAX_MEMBERS = 16
# Signature, version, flags, method, time, date, CRC, size as stored, size, lengths of what follows.
_HEAD = struct.Struct("<4s5H3L2H")
_HEAD_SIGNATURE = b"PK\x03\x04"
# Where a head has no room for sizes, or `zipfile` did not know before that it would have: mark,
# length, size, size as stored.
_SIZES = struct.Struct("<2H2Q")
_NO_ROOM = 2**32 - 1
_DIRECTORY_SIGNATURE = b"PK\x01\x02"
# Signature, two disks, members here and in all, the directory's size and place, a comment's length.
_END = struct.Struct("<4s4H2LH")
_END_SIGNATURE = b"PK\x05\x06"


@dataclass(frozen=True)
class Member:
    """One member of an archive; the file is as long as its size says.

    Attributes:
        name: in ASCII.
        size: in bytes.
    """

    name: str
    size: int
    _start: int
    _checksum: int
    _file: BinaryIO

    def read(self) -> bytes:
        """Returns the content.

        Raises:
            ModelFileError: the checksum is wrong.
        """
        self._file.seek(self._start)
        content = self._file.read(self.size)
        if zlib.crc32(content) != self._checksum:
            raise ModelFileError(f"damaged: the checksum of {self.name!a} is wrong")
        return content


def first_name(beginning: bytes) -> str | None:
    """Returns the name of the first member of what may be an archive, from its first bytes."""
    if len(beginning) < _HEAD.size or not beginning.startswith(_HEAD_SIGNATURE):
        return None
    length = _HEAD.unpack_from(beginning)[-2]
    return beginning[_HEAD.size : _HEAD.size + length].decode("ascii", "replace")


def members(file: BinaryIO) -> dict[str, Member]:
    """Returns the members of an archive, by name, in their order; nothing of them is read yet.

    Raises:
        ModelFileError: the file is truncated, or no archive as `zipfile` writes them.
    """
    size = os.fstat(file.fileno()).st_size
    found: dict[str, Member] = {}
    at = 0
    while member := _member_at(file, at, size):
        if member.name in found or len(found) == _MAX_MEMBERS:
            raise ModelFileError(f"not a dynaplan file: {member.name!a:.60} is one part too many")
        found[member.name] = member
        at = member._start + member.size
    _check_end(file, at, size, len(found))
    return found


def _member_at(file: BinaryIO, at: int, size: int) -> Member | None:
    """Returns the member that begins at this byte, or None where the directory begins."""
    file.seek(at)
    head = file.read(_HEAD.size)
    if head.startswith(_DIRECTORY_SIGNATURE):
        return None
    if len(head) < _HEAD.size or not head.startswith(_HEAD_SIGNATURE):
        raise ModelFileError(f"not a dynaplan file, or damaged: byte {at} begins no part of it")
    _, _, flags, method, _, _, checksum, stored, length, name_length, more = _HEAD.unpack(head)
    name = file.read(name_length).decode("ascii", "replace")
    if flags or method:
        raise ModelFileError(
            f"not a dynaplan file, or damaged: its part {name!a:.60} is compressed or encrypted"
        )
    if more:
        sizes = file.read(_SIZES.size)
        if more != _SIZES.size or len(sizes) < more or sizes[:4] != b"\x01\x00\x10\x00":
            raise ModelFileError(
                f"not a dynaplan file, or damaged: the header of {name!a:.60} is not known"
            )
        if (stored, length) == (_NO_ROOM, _NO_ROOM):
            _, _, length, stored = _SIZES.unpack(sizes)
    start = at + _HEAD.size + name_length + more
    if stored != length or start + length > size:
        raise ModelFileError(f"truncated, or damaged: {name!a:.60} would take {length} bytes")
    return Member(name, length, start, checksum, file)


def _check_end(file: BinaryIO, directory: int, size: int, count: int) -> None:
    """Checks that nothing was cut off behind the members; what stands there is not needed."""
    file.seek(max(directory, size - _END.size))
    end = file.read(_END.size)
    if len(end) < _END.size or not end.startswith(_END_SIGNATURE):
        raise ModelFileError("truncated: its end is missing")
    if _END.unpack(end)[4] != count:
        raise ModelFileError(f"damaged: its end does not know of {count} parts")
