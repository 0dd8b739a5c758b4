"""The parts of a `LinearGaussian`'s file: the triangular factor of its data, and its settings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynaplan import files
from dynaplan.data.angles import Angles
from dynaplan.data.known_states import NO_KNOWN_STATES, KnownStates
from dynaplan.errors import ModelFileError
from dynaplan.models.calibrated import band_arrays, band_factors_in
from dynaplan.models.linear.angle_inputs import AngleInputs
from dynaplan.models.linear.features import Identity, Polynomial
from dynaplan.models.linear.settings import Features, Settings

__all__ = ["from_parts", "parts"]

Arrays = Mapping[str, NDArray[Any]]


_SETTINGS = {"features": str, "degree": int, "target": str, "intercept": bool, "ridge": float}
_DATA = {"rows": float, "state_dim": int, "action_dim": int, "float32_exact": bool}


def parts(  # noqa: PLR0917  # those of a model, in its order
    state: tuple[Any, ...],
    features: Features,
    settings: Settings,
    calibration: NDArray[np.float64] | None,
    band_factors: Mapping[str, NDArray[np.float64]],
    angle_inputs: AngleInputs,
) -> tuple[Arrays, dict[str, Any]]:
    """Returns the arrays and the header, from the state of an uncalibrated `LinearGaussianFit`."""
    if not isinstance(features, Identity | Polynomial):
        raise ModelFileError("features: a function, which no file can hold; pickle the model")
    state_dim, factor, rows, low, high, float32_exact = state
    target, intercept, ridge, threshold = settings
    arrays = {"factor": factor, "observed_low": low, "observed_high": high}
    arrays |= band_arrays(band_factors)
    if calibration is not None:
        arrays["calibration"] = calibration
    of_states: dict[str, Any] = {}
    if angle_inputs.angles:
        arrays |= {"angle_low": angle_inputs.low, "angle_high": angle_inputs.high}
        of_states["angles"] = angle_inputs.angles.to_lists()
    if angle_inputs.known:
        of_states["known"] = angle_inputs.known.to_lists()
    return arrays, {
        "settings": {
            "features": type(features).__name__,
            "degree": features.degree,
            "target": target,
            "intercept": bool(intercept),
            "ridge": float(ridge),
            **({"threshold": float(threshold)} if threshold else {}),
        },
        "training_data": {
            "rows": float(rows),
            "state_dim": int(state_dim),
            "action_dim": len(low) - int(state_dim) - angle_inputs.cosines,
            "float32_exact": bool(float32_exact),
            **of_states,
        },
    }


def from_parts(arrays: Arrays, header: dict[str, Any]) -> tuple[Any, ...]:
    """Returns the parts that `parts` takes, all checked.

    Raises:
        ModelFileError: something is missing, out of range or does not fit the rest.
    """
    top = files.fields(header, "header", {"settings": dict, "training_data": dict})
    # Files of dense fits have none, nor have those of older versions.
    sparse = {"threshold": float} if "threshold" in top["settings"] else {}
    settings = files.fields(top["settings"], "settings", {**_SETTINGS, **sparse})
    optional = {name: list for name in ("angles", "known") if name in top["training_data"]}
    data = files.fields(top["training_data"], "training_data", {**_DATA, **optional})
    state_dim = data["state_dim"]
    if state_dim < 1 or data["action_dim"] < 1:
        raise ModelFileError("training_data: state_dim and action_dim must be at least 1")
    if not data["rows"] > 0.0:
        raise ModelFileError(f"training_data: rows must be above 0, got {data['rows']}")
    if settings["ridge"] < 0.0:
        raise ModelFileError(f"settings: ridge must not be negative, got {settings['ridge']}")
    threshold = settings.get("threshold", 0.0)
    if not 0.0 <= threshold < 1.0:
        raise ModelFileError(f"settings: threshold must be in [0, 1), got {threshold}")
    features = _features(settings["features"], settings["degree"])
    shifts = NO_KNOWN_STATES
    if "known" in data:
        shifts = KnownStates.of_lists(data["known"], state_dim, data["action_dim"])
    angles = Angles.of_lists(data.get("angles", []), state_dim)
    seen = AngleInputs.unseen(features, angles, shifts)
    inputs = state_dim + data["action_dim"] + seen.cosines
    columns = _columns(arrays)
    # In this order: a large degree takes time to count the features of, and memory to make them.
    fits = max(settings["degree"], inputs) <= columns
    if not fits or columns != (
        _count(inputs, settings["degree"]) + settings["intercept"] + state_dim
    ):
        raise ModelFileError(
            f"array 'factor': {columns} columns do not fit {inputs} inputs, degree "
            f"{settings['degree']}, intercept {settings['intercept']} and {state_dim} states"
        )
    wanted: dict[str, tuple[str, tuple[int, ...]]] = {
        "factor": ("float64", (columns, columns)),
        "observed_low": ("float64", (inputs,)),
        "observed_high": ("float64", (inputs,)),
    }
    if "calibration" in arrays:  # it may be missing
        wanted["calibration"] = ("float64", (state_dim,))
    if seen.angles:
        wanted |= dict.fromkeys(("angle_low", "angle_high"), ("float64", (len(seen.angles),)))
    band_factors = band_factors_in(arrays, wanted)
    files.named_arrays(arrays, wanted)
    _check_values(arrays)
    state = (
        state_dim,
        arrays["factor"],
        data["rows"],
        arrays["observed_low"],
        arrays["observed_high"],
        data["float32_exact"],
    )
    kept = (settings["target"], settings["intercept"], settings["ridge"], threshold)
    if seen.angles:
        seen = replace(seen, low=arrays["angle_low"], high=arrays["angle_high"])
    return state, features, kept, arrays.get("calibration"), band_factors, seen


def _count(inputs: int, degree: int) -> int:
    """Returns how many monomials there are, without the constant, as `Polynomial` has it."""
    return math.comb(inputs + degree, degree) - 1


def _features(name: str, degree: int) -> Identity | Polynomial:
    if name == "Identity" and degree == 1:
        return Identity()
    if name == "Polynomial":
        return Polynomial(degree)
    raise ModelFileError(f"settings: features {name!a:.60} of degree {degree} are not known")


def _columns(arrays: Arrays) -> int:
    factor = arrays.get("factor")
    if factor is None or factor.ndim != 2 or factor.shape[0] != factor.shape[1]:
        raise ModelFileError("array 'factor': must be there and square")
    return int(factor.shape[0])


def _check_values(arrays: Arrays) -> None:
    if np.tril(arrays["factor"], -1).any():
        raise ModelFileError("array 'factor': must be 0 below the diagonal")
    for name in ("observed", "angle"):
        if f"{name}_low" in arrays and (arrays[f"{name}_low"] > arrays[f"{name}_high"]).any():
            raise ModelFileError(f"array '{name}_low': must not be above '{name}_high'")
