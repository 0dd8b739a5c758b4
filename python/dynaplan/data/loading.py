"""Reads the files that `Transitions.save` writes."""

from __future__ import annotations

import math
import os

from dynaplan import files
from dynaplan.data import rows
from dynaplan.data.columns import Columns
from dynaplan.data.files import read_arrays
from dynaplan.data.transitions import ARRAYS, Transitions
from dynaplan.errors import ModelFileError

__all__ = ["load_transitions"]


def load_transitions(path: str | os.PathLike[str]) -> Transitions:
    """Reads a file that `Transitions.save` wrote; nothing in the file is run.

    Args:
        path: name of the file.

    Raises:
        ModelFileError: the file is damaged, or is not a file of transitions.
        OSError: the file does not exist or cannot be read.
    """
    optional = (*rows.CUT_IDS, *Columns.__slots__)
    names = (*ARRAYS, *Columns.__slots__)
    arrays = read_arrays(files.path_of(path), names, optional=optional)
    known = {name: arrays.pop(name) for name in Columns.__slots__ if name in arrays}
    cuts = {name: arrays.pop(name) for name in rows.CUT_IDS if name in arrays}
    try:
        dims = [math.prod(arrays[name].shape[1:]) for name in ("states", "actions")]
        # Whether they follow each other was said when they were made.
        data = Transitions(**arrays, gaps="ignore", **Columns.kept(known, *dims))
        rows.check_cuts(cuts, data.episodes)
        return Transitions._of(data._arrays() | cuts, data._columns)
    except (TypeError, ValueError) as error:
        raise ModelFileError(f"{os.fspath(path)}: not usable as transitions: {error}") from error
