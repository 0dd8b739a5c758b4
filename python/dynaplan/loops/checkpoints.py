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

from dynaplan import _disk, files
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
    shown = os.fspath(path)
    with _disk.opened(files.path_of(path)) as file, TemporaryDirectory() as folder:
        try:
            with zipfile.ZipFile(file) as archive:
                state, names = _contents(archive)
                parts = {name: Path(folder) / name for name in names}
                for name, part in parts.items():
                    part.write_bytes(archive.read(name))
        except ModelFileError as error:
            raise ModelFileError(f"{shown}: {error}") from None
        except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError) as error:
            raise ModelFileError(f"{shown}: damaged, or no checkpoint: {error}") from error
        yield state, parts


def is_checkpoint(path: str | os.PathLike[str]) -> bool:
    """Returns whether a file looks like a checkpoint; it may be damaged all the same."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _HEADER_NAME in archive.namelist()
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError):
        return False


def _contents(archive: zipfile.ZipFile) -> tuple[dict[str, Any], list[str]]:
    entries = archive.infolist()
    # What is stored plainly cannot grow beyond the size of the file.
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise ModelFileError("its entries are compressed, must be stored")
    names = [entry.filename for entry in entries]
    known = {_HEADER_NAME, *_PARTS}
    if len(set(names)) != len(names) or not {_HEADER_NAME, "agent"} <= set(names) <= known:
        raise ModelFileError(f"holds {', '.join(map(repr, names))[:200]}, must be a checkpoint")
    if archive.getinfo(_HEADER_NAME).file_size > _MAX_HEADER_BYTES:
        raise ModelFileError("its header is too long")
    header = files.fields(json.loads(archive.read(_HEADER_NAME)), "header", _HEADER)
    if header["kind"] != _KIND or header["version"] != _VERSION:
        raise ModelFileError(
            f"holds {header['kind']:.50} of version {header['version']}, must be {_KIND} of "
            f"{_VERSION}"
        )
    return header["state"], [name for name in names if name != _HEADER_NAME]
