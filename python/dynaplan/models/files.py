"""`load`: the class for each kind of model file."""

from __future__ import annotations

import os
from typing import TypeAlias

from dynaplan import files
from dynaplan.errors import ModelFileError
from dynaplan.models.linear.linear_gaussian import LinearGaussian
from dynaplan.models.networks.ensemble import Ensemble
from dynaplan.models.networks.gaussian_mlp import GaussianMLP
from dynaplan.models.networks.mlp import MLP

__all__ = ["load"]

AnyModel: TypeAlias = LinearGaussian | MLP | GaussianMLP | Ensemble

# A kind is the name of its class. A new model is one more entry.
KINDS: dict[str, type[AnyModel]] = {
    cls.__name__: cls for cls in (LinearGaussian, MLP, GaussianMLP, Ensemble)
}


def load(path: str | os.PathLike[str]) -> AnyModel:
    """Reads a model that its `save` wrote; nothing in the file is run.

    The model predicts the same as the one that was saved, to the bit, on the same instruction set.
    A file that is not exactly what `save` writes is refused, before memory beyond its own size is
    used.

    Args:
        path: name of the file.

    Returns:
        A model of the class that was saved.

    Raises:
        ModelFileError: the file is truncated, altered, holds no model, or is from a later version;
            the message names the file and what is wrong.
        OSError: the file does not exist or cannot be read.

    Example:
        >>> data = dp.Transitions([[0.], [1.], [.5], [-1.], [2.]],
        ...                       [[1.], [0.], [-1.], [1.], [-.5]],
        ...                       [[1.], [.5], [-.75], [.5], [.5]])
        >>> dp.LinearGaussian.fit(data).save("model.safetensors")
        >>> dp.load("model.safetensors")
        LinearGaussian(Identity(), state_dim=1, action_dim=1, rows=5, rank=3 of 3)
    """
    kind, arrays, header = files.read_model_file(path)
    if kind not in KINDS:
        raise ModelFileError(
            f"{os.fspath(path)}: a model of kind {kind!a:.60}, must be one of {', '.join(KINDS)}"
        )
    try:
        return KINDS[kind]._from_file_parts(arrays, header)
    except (ArithmeticError, TypeError, ValueError) as error:
        raise ModelFileError(f"{os.fspath(path)}: not usable as {kind}: {error}") from error
