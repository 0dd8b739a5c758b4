"""The parts of a `GaussianProcess`'s file: what it was fitted to, and its kernels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynaplan import _core, files
from dynaplan.data.angles import Angles
from dynaplan.data.known_states import NO_KNOWN_STATES, KnownStates
from dynaplan.errors import ModelFileError
from dynaplan.models.calibrated import band_arrays, band_factors_in
from dynaplan.models.linear.angle_inputs import AngleInputs

__all__ = ["arrays_of", "from_parts", "parts"]

Arrays = Mapping[str, NDArray[Any]]

# The arguments of `_core.GaussianProcess.from_arrays`.
_NAMES = ("inputs", "changes", "inverse_length_scales", "signal_std", "noise_std")
_DATA = {"rows": int, "state_dim": int, "action_dim": int}


def arrays_of(fit: _core.GaussianProcess) -> dict[str, NDArray[np.float64]]:
    """Returns the numbers that make a fit again."""
    return {name: getattr(fit, name) for name in _NAMES}


def parts(
    numbers: Arrays,
    calibration: NDArray[np.float64] | None,
    band_factors: Mapping[str, NDArray[np.float64]],
    angle_inputs: AngleInputs,
) -> tuple[Arrays, dict[str, Any]]:
    """Returns the arrays and the header, from the numbers of an uncalibrated fit."""
    arrays = {**numbers, **band_arrays(band_factors)}
    if calibration is not None:
        arrays["calibration"] = calibration
    rows, state_dim = numbers["changes"].shape
    inputs = numbers["inputs"].shape[1]
    data: dict[str, Any] = {
        "rows": int(rows),
        "state_dim": int(state_dim),
        "action_dim": int(inputs - state_dim - angle_inputs.cosines),
    }
    if angle_inputs.angles:
        arrays |= {"angle_low": angle_inputs.low, "angle_high": angle_inputs.high}
        data["angles"] = angle_inputs.angles.to_lists()
    if angle_inputs.known:
        data["known"] = angle_inputs.known.to_lists()
    return arrays, {"training_data": data}


def from_parts(arrays: Arrays, header: dict[str, Any]) -> tuple[Any, ...]:
    """Returns the numbers of the fit, calibration, band factors, angles and known states, checked.

    Raises:
        ModelFileError: something is missing, out of range or does not fit the rest.
    """
    top = files.fields(header, "header", {"training_data": dict})
    optional = {name: list for name in ("angles", "known") if name in top["training_data"]}
    data = files.fields(top["training_data"], "training_data", {**_DATA, **optional})
    if min(data[name] for name in _DATA) < 1:
        raise ModelFileError("training_data: rows, state_dim and action_dim must be at least 1")
    rows, state_dim = data["rows"], data["state_dim"]
    angles = Angles.of_lists(data.get("angles", []), state_dim)
    known = NO_KNOWN_STATES
    if "known" in data:
        known = KnownStates.of_lists(data["known"], state_dim, data["action_dim"])
    inputs = state_dim + len(angles) + data["action_dim"]
    wanted: dict[str, tuple[str, tuple[int, ...]]] = {
        "inputs": ("float64", (rows, inputs)),
        "changes": ("float64", (rows, state_dim)),
        "inverse_length_scales": ("float64", (state_dim, inputs)),
        "signal_std": ("float64", (state_dim,)),
        "noise_std": ("float64", (state_dim,)),
    }
    if "calibration" in arrays:  # it may be missing
        wanted["calibration"] = ("float64", (state_dim,))
    if angles:
        wanted |= dict.fromkeys(("angle_low", "angle_high"), ("float64", (len(angles),)))
    band_factors = band_factors_in(arrays, wanted)
    files.named_arrays(arrays, wanted)
    if angles and (arrays["angle_low"] > arrays["angle_high"]).any():
        raise ModelFileError("array 'angle_low': must not be above 'angle_high'")
    numbers = {name: arrays[name] for name in _NAMES}
    return numbers, arrays.get("calibration"), band_factors, angles, known
