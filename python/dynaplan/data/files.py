"""Files of transitions: an uncompressed `.npz` with named arrays, without pickled objects."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynaplan import _disk, files
from dynaplan.errors import ModelFileError

__all__ = ["read_arrays", "write_arrays"]

_KIND = "dynaplan.Transitions"
_VERSION = 1


def write_arrays(path: str | os.PathLike[str], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Writes the arrays of transitions; the file appears complete or not at all.

    Raises:
        OSError: the folder does not exist or cannot be written to.
    """
    with _disk.replacing(files.path_of(path)) as file:
        # Every name is there, so that a lost one shows: no rewards are an empty array.
        named: dict[str, Any] = {"rewards": np.empty(0), **arrays}
        np.savez(file, kind=_KIND, version=_VERSION, **named)


def read_arrays(path: Path, names: Sequence[str]) -> dict[str, Any]:
    """Returns the arrays of a file of transitions by name, checked to be one and whole.

    Raises:
        ModelFileError: the file is damaged, or is not a file of transitions.
        OSError: the file does not exist or cannot be read.
    """
    with _disk.opened(path) as file:
        # A damaged file raises almost anything in the zip and header parsers, hence `Exception`;
        # only parsing happens here.
        try:
            with zipfile.ZipFile(file) as archive:
                # Entries that are stored plainly cannot grow beyond the size of the file.
                if any(e.compress_type != zipfile.ZIP_STORED for e in archive.infolist()):
                    raise ValueError("its entries are compressed")
            file.seek(0)
            with np.load(file, allow_pickle=False) as stored:
                kind, version = str(stored["kind"]), int(stored["version"])
                known = kind == _KIND and version == _VERSION
                if known and set(stored.files) != {"kind", "version", *names}:
                    raise ValueError(f"it holds {', '.join(stored.files)}")
                arrays = {name: stored[name] for name in names if known}
        except Exception as error:
            raise ModelFileError(f"{path}: damaged, or no file of transitions: {error}") from error
    if kind != _KIND:
        raise ModelFileError(f"{path}: holds {kind:.50}, must hold {_KIND}")
    if version != _VERSION:
        raise ModelFileError(
            f"{path}: got version {version} of the format, must be {_VERSION}; "
            "read it with the version of dynaplan that wrote it"
        )
    if not arrays["rewards"].size:
        arrays["rewards"] = None
    return arrays
