"""What a linear model is made of."""

from __future__ import annotations

from typing import Any

from dynaplan import _core, _texts
from dynaplan.models.linear.angle_inputs import AngleInputs
from dynaplan.models.linear.features import is_function
from dynaplan.models.linear.function_fit import FunctionFit

__all__ = ["require_parts"]


def require_parts(fit: Any, features: Any, settings: Any, angle_inputs: Any) -> None:
    """Refuses what a model cannot be made of.

    Raises:
        TypeError: one is of another kind.
    """
    if not isinstance(fit, _core.LinearGaussianFit | FunctionFit):
        raise TypeError(f"fit: got {_texts.shown(fit)}; use LinearGaussian.fit(data)")
    if is_function(features) != isinstance(fit, FunctionFit):
        raise TypeError(f"features: got {_texts.shown(features)}, must be those of the fit")
    if not isinstance(settings, tuple) or len(settings) != 4:
        raise TypeError(f"settings: got {_texts.shown(settings)}, must be four")
    if not isinstance(angle_inputs, AngleInputs):
        raise TypeError(f"angle_inputs: got {_texts.shown(angle_inputs)}, must be those of a fit")
