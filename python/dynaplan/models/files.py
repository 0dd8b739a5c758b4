"""Which class of model is behind each kind of file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, TypeAlias

from numpy.typing import NDArray

from dynaplan import files
from dynaplan.errors import ModelFileError
from dynaplan.models.fitted import PRIOR_PREFIX
from dynaplan.models.gaussian_process.gaussian_process import GaussianProcess
from dynaplan.models.linear.linear_gaussian import LinearGaussian
from dynaplan.models.linear.linear_model import LinearModel
from dynaplan.models.networks.ensemble import Ensemble
from dynaplan.models.networks.gaussian_mlp import GaussianMLP
from dynaplan.models.networks.mlp import MLP

__all__ = ["KINDS", "load", "model_from_parts"]

AnyModel: TypeAlias = LinearGaussian | LinearModel | GaussianProcess | MLP | GaussianMLP | Ensemble

# A kind is the name of its class. A new model is one more entry.
KINDS: dict[str, type[AnyModel]] = {
    cls.__name__: cls
    for cls in (LinearGaussian, LinearModel, GaussianProcess, MLP, GaussianMLP, Ensemble)
}


def load(path: str | os.PathLike[str]) -> AnyModel:
    """Reads a model that its `save` wrote; `dynaplan.load` says more.

    Raises:
        ModelFileError: the file is truncated, altered, or holds no model.
        OSError: the file does not exist or cannot be read.
    """
    kind, arrays, header = files.read_model_file(path)
    if kind not in KINDS:
        raise ModelFileError(
            f"{os.fspath(path)}: a model of kind {kind!a:.60}, must be one of {', '.join(KINDS)}"
        )
    return model_from_parts(os.fspath(path), kind, arrays, header)


def model_from_parts(
    name: str, kind: str, arrays: Mapping[str, NDArray[Any]], header: dict[str, Any]
) -> AnyModel:
    """Makes the model that is in a file of one of `KINDS`.

    Args:
        name: of the file, for messages.
        kind: one of `KINDS`.
        arrays: those of the file.
        header: likewise.

    Raises:
        ModelFileError: they do not make a model.
    """
    try:
        return _model(kind, arrays, header)
    except (ArithmeticError, TypeError, ValueError) as error:
        raise ModelFileError(f"{name}: not usable as {kind}: {error}") from error


def _model(kind: str, arrays: Mapping[str, NDArray[Any]], header: dict[str, Any]) -> AnyModel:
    if kind not in KINDS:
        raise ModelFileError(f"prior: kind {kind!a:.60} must be one of {', '.join(KINDS)}")
    if "prior" not in header:
        return KINDS[kind]._from_file_parts(arrays, header)
    given = files.fields(header["prior"], "prior", {"kind": str, "header": dict})
    of_prior = {name for name in arrays if name.startswith(PRIOR_PREFIX)}
    own_arrays = {name: array for name, array in arrays.items() if name not in of_prior}
    own_header = {name: value for name, value in header.items() if name != "prior"}
    model = KINDS[kind]._from_file_parts(own_arrays, own_header)
    if isinstance(model, LinearModel):
        raise ModelFileError("prior: a LinearModel is all known, and has none")
    its_arrays = {name.removeprefix(PRIOR_PREFIX): arrays[name] for name in of_prior}
    return model._with_prior(_model(given["kind"], its_arrays, given["header"]))
