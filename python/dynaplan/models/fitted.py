"""`FittedModel`: what fitted models share: files, and exact derivatives."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from numpy.typing import ArrayLike, NDArray

from dynaplan import files
from dynaplan.models.interface import Model
from dynaplan.models.jacobians import Jacobians, with_jacobians

__all__ = ["FittedModel"]


class FittedModel(ABC):
    """A model that can be written to a file and restored from it; abstract."""

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

    def with_jacobians(
        self: Model, states: ArrayLike, actions: ArrayLike, *, threads: int = 1
    ) -> Jacobians:
        """Predicts mean next states with their exact derivatives: see `dp.with_jacobians`.

        Args:
            states: (N, S), or one state (S,).
            actions: (N, A), or one action (A,).
            threads: threads to use.

        Returns:
            Arrays with N first: next states (N, S), derivatives (N, S, S) and (N, S, A).
        """
        return with_jacobians(self, states, actions, threads=threads)

    @abstractmethod
    def _file_parts(self) -> tuple[Mapping[str, NDArray[Any]], dict[str, Any]]:
        """Returns the arrays and the header that `_from_file_parts` takes."""

    @classmethod
    @abstractmethod
    def _from_file_parts(
        cls, arrays: Mapping[str, NDArray[Any]], header: dict[str, Any]
    ) -> FittedModel:
        """Restores the model; checks all parts, since a file may hold anything.

        Raises:
            Error, ValueError, TypeError: the parts do not make a model.
        """
