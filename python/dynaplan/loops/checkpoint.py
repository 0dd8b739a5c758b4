"""Checkpoints of a loop: one file with the agent, the model, the data and where the loop is."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dynaplan import files
from dynaplan.errors import ModelFileError

__all__ = ["opened", "write"]

_KIND = "dynaplan.Dyna"
_VERSION = 1
_HEADER = {"kind": str, "version": int, "state": dict}
_PARTS = ("agent", "model", "data")
# What the loop has to know of itself is ten numbers.
_MAX_HEADER_BYTES = 1 << 16


def write(
    path: str | os.PathLike[str],
    state: Mapping[str, Any],
    parts: Mapping[str, Callable[[Path], None]],
) -> None:
    """Writes a checkpoint; the file appears complete or not at all.

    Args:
        path: name of the file.
        state: what the loop must know besides, as JSON has it.
        parts: functions that write "agent", "model" and "data" to the path they are given.

    Raises:
        OSError: the folder does not exist or cannot be written to.
    """
    header = {"kind": _KIND, "version": _VERSION, "state": dict(state)}
    with (
        TemporaryDirectory() as folder,
        files.replacing(path) as file,
        zipfile.ZipFile(file, "w") as archive,  # stored, as the parts hardly shrink
    ):
        archive.writestr("loop.json", json.dumps(header, allow_nan=False))
        for name, save in parts.items():
            part = Path(folder) / name
            save(part)
            archive.write(part, name)


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[tuple[dict[str, Any], dict[str, Path]]]:
    """Opens a checkpoint that `write` wrote.

    Yields:
        What the loop must know, and the parts as files that are there until the end of the `with`.

    Raises:
        ModelFileError: the file is damaged, or no checkpoint.
        OSError: the file does not exist or cannot be read.
    """
    shown = os.fspath(path)
    with Path(path).open("rb") as file, TemporaryDirectory() as folder:
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


def _contents(archive: zipfile.ZipFile) -> tuple[dict[str, Any], list[str]]:
    entries = archive.infolist()
    # What is stored plainly cannot grow beyond the size of the file.
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise ModelFileError("its entries are compressed, must be stored")
    names = [entry.filename for entry in entries]
    known = {"loop.json", *_PARTS}
    if len(set(names)) != len(names) or not {"loop.json", "agent"} <= set(names) <= known:
        raise ModelFileError(f"holds {', '.join(map(repr, names))[:200]}, must be a checkpoint")
    if archive.getinfo("loop.json").file_size > _MAX_HEADER_BYTES:
        raise ModelFileError("its header is too long")
    header = files.fields(
        json.loads(archive.read("loop.json")),
        "header",
        {"kind": str, "version": int, "state": dict},
    )
    if header["kind"] != _KIND or header["version"] != _VERSION:
        raise ModelFileError(
            f"holds {header['kind']:.50} of version {header['version']}, must be {_KIND} of "
            f"{_VERSION}"
        )
    return header["state"], [name for name in names if name != "loop.json"]
