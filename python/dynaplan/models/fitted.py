"""`FittedModel`: what fitted models share: files, and exact derivatives."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from numpy.typing import ArrayLike, NDArray

from dynaplan import files
from dynaplan.errors import ModelFileError
from dynaplan.models.interface import Model
from dynaplan.models.jacobians import Jacobians, with_jacobians

__all__ = ["PRIOR_PREFIX", "FittedModel"]

PRIOR_PREFIX = "prior."  # of the names of a prior's arrays


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
            ModelFileError: the model holds a number that is not finite, or its prior is a function,
                which no file can hold.
            OSError: the folder does not exist or cannot be written to.
        """
        arrays, header = self._parts_with_prior()
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

    def _parts_with_prior(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Returns all that the file holds: the parts of a prior too, each marked as its."""
        own_arrays, header = self._file_parts()
        arrays, prior = dict(own_arrays), getattr(self, "prior", None)
        if prior is None:
            return arrays, header
        if not isinstance(prior, FittedModel):
            raise ModelFileError(
                f"prior: a {type(prior).__name__} is a function, which no file can hold; pickle "
                "the model, or give a prior that can be saved, such as a LinearModel"
            )
        its_arrays, its_header = prior._parts_with_prior()
        arrays |= {PRIOR_PREFIX + name: array for name, array in its_arrays.items()}
        return arrays, {**header, "prior": {"kind": type(prior).__name__, "header": its_header}}

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
