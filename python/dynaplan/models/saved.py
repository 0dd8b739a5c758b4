"""`SavedModel`: how a model is saved to a file."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from dynaplan import files

__all__ = ["SavedModel"]


class SavedModel(ABC):
    """A model that can be written to a file and restored from it."""

    __slots__ = ()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the model to `path`, a safetensors file that `dynaplan.load` reads.

        The file holds all that the model consists of, and no code. Loaded again it gives the same
        predictions, to the bit. It appears complete or not at all.

        Args:
            path: name of the file, used unchanged; an existing file is replaced.

        Raises:
            ModelFileError: the model holds a number that is not finite.
            OSError: the folder does not exist or cannot be written to.
        """
        arrays, header = self._file_parts()
        files.write_model_file(path, type(self).__name__, arrays, header)

    @abstractmethod
    def _file_parts(self) -> tuple[Mapping[str, NDArray[Any]], dict[str, Any]]:
        """Returns the arrays and the header that `_from_file_parts` takes."""

    @classmethod
    @abstractmethod
    def _from_file_parts(
        cls, arrays: Mapping[str, NDArray[Any]], header: dict[str, Any]
    ) -> SavedModel:
        """Restores the model; checks all parts, since a file may hold anything.

        Raises:
            Error, ValueError, TypeError: the parts do not make a model.
        """
