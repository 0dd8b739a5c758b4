"""Checkpoints of a loop: one file with its agent, its model, its data and its state."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dynaplan import _archives, _disk, files
from dynaplan.errors import ModelFileError

__all__ = ["is_checkpoint", "opened", "write"]

_KIND = "dynaplan.Dyna"
_VERSION = 1
_HEADER_NAME = "loop.json"
_HEADER = {"kind": str, "version": int, "state": dict}
_PARTS = ("agent", "model", "data")
# The state of a loop is ten numbers.
_MAX_HEADER_BYTES = 1 << 16


def write(
    path: str | os.PathLike[str],
    state: Mapping[str, Any],
    parts: Mapping[str, Callable[[Path], None]],
) -> None:
    """Writes a checkpoint; the file appears complete or not at all.

    Args:
        path: name of the file.
        state: of the loop, as JSON has it.
        parts: functions that write "agent", "model" and "data" to the path they are given.

    Raises:
        OSError: the folder does not exist or cannot be written to.
    """
    header = {"kind": _KIND, "version": _VERSION, "state": dict(state)}
    target = files.path_of(path)
    with (
        _disk.replacing(target) as file,
        _disk.scratch_folder(target) as folder,
        zipfile.ZipFile(file, "w") as archive,  # stored, as the parts hardly shrink
    ):
        archive.writestr(_HEADER_NAME, json.dumps(header, allow_nan=False))
        for name, save in parts.items():
            part = folder / name
            save(part)
            archive.write(part, name)
            part.unlink()


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[tuple[dict[str, Any], dict[str, Path]]]:
    """Opens a checkpoint that `write` wrote.

    Yields:
        The state of the loop, and the parts as files that exist until the end of the `with`.

    Raises:
        ModelFileError: the file is damaged, or no checkpoint.
        OSError: the file does not exist or cannot be read.
    """
    source = files.path_of(path)
    with TemporaryDirectory() as name:
        folder = Path(name)
        try:
            with _disk.opened(source) as file:
                state, parts = _unpacked(_archives.members(file), folder)
            yield state, parts
        except ModelFileError as error:
            # Of a part, the message names a file that nobody knows.
            message = str(error).removeprefix(f"{folder}{os.sep}")
            raise ModelFileError(f"{source}: {message}") from error


def is_checkpoint(beginning: bytes) -> bool:
    """Returns whether a file with these `_archives.FIRST_BYTES` is one, be it damaged or whole."""
    return _archives.first_name(beginning) == _HEADER_NAME


def _unpacked(
    members: Mapping[str, _archives.Member], folder: Path
) -> tuple[dict[str, Any], dict[str, Path]]:
    """Returns the state of a loop, and the files that the parts were written to."""
    names = set(members)
    if not {_HEADER_NAME, "agent"} <= names <= {_HEADER_NAME, *_PARTS}:
        raise ModelFileError(f"holds {', '.join(map(ascii, members))[:200]}, must be a checkpoint")
    if members[_HEADER_NAME].size > _MAX_HEADER_BYTES:
        raise ModelFileError("its header is too long")
    text = members[_HEADER_NAME].read()
    header = files.fields(files.json_object("the header", text), "header", _HEADER)
    if header["kind"] != _KIND or header["version"] != _VERSION:
        raise ModelFileError(
            f"holds {header['kind']!a:.60} of version {header['version']}, must be {_KIND!r} of "
            f"{_VERSION}"
        )
    parts = {name: folder / name for name in members if name != _HEADER_NAME}
    for name, part in parts.items():
        part.write_bytes(members[name].read())
    return header["state"], parts
