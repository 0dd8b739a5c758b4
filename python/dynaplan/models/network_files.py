"""What a file of a network model holds of the networks themselves."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from numpy.typing import NDArray

from dynaplan import io
from dynaplan.errors import ModelFileError
from dynaplan.models.network_arrays import NetworkArrays

__all__ = ["checked_header", "network_from_parts", "network_parts", "wanted_arrays"]

Arrays = Mapping[str, NDArray[Any]]
# Of each array: its dtype and its shape.
Wanted = dict[str, tuple[str, tuple[int, ...]]]

_FIELDS = {
    "state_dim": int,
    "action_dim": int,
    "angles": list,
    "hidden": list,
    "activation": str,
    "probabilistic": bool,
    "rewards": bool,
    "members": int,
}
_SCALING = ("input_mean", "input_scale", "target_mean", "target_scale")
_BOUNDS = ("log_variance_low", "log_variance_high")


def network_parts(network: NetworkArrays) -> tuple[Arrays, dict[str, Any]]:
    """Returns the arrays of a file, and the JSON object that gives their sizes a meaning."""
    arrays: dict[str, NDArray[Any]] = {name: getattr(network, name) for name in _SCALING}
    for layer, (weights, biases) in enumerate(zip(network.weights, network.biases, strict=True)):
        arrays[f"weights.{layer}"] = weights
        arrays[f"biases.{layer}"] = biases
    if network.probabilistic:
        arrays |= {name: getattr(network, name) for name in _BOUNDS}
    return arrays, {
        "state_dim": int(network.state_dim),
        "action_dim": int(network.action_dim),
        "angles": [int(angle) for angle in network.angles],
        "hidden": [int(units) for units in network.hidden],
        "activation": str(network.activation),
        "probabilistic": bool(network.probabilistic),
        "rewards": bool(network.rewards),
        "members": network.members,
    }


def wanted_arrays(said: Mapping[str, Any]) -> Wanted:
    """Returns the arrays that a file with this object must have; `said` is checked already."""
    members, targets = said["members"], said["state_dim"] + said["rewards"]
    sizes = [
        said["state_dim"] + len(said["angles"]) + said["action_dim"],
        *said["hidden"],
        targets * (1 + said["probabilistic"]),
    ]
    wanted: Wanted = {
        "input_mean": ("float64", (sizes[0],)),
        "input_scale": ("float64", (sizes[0],)),
        "target_mean": ("float64", (targets,)),
        "target_scale": ("float64", (targets,)),
    }
    for layer, (inputs, outputs) in enumerate(pairwise(sizes)):
        wanted[f"weights.{layer}"] = ("float32", (members, outputs, inputs))
        wanted[f"biases.{layer}"] = ("float32", (members, outputs))
    if said["probabilistic"]:
        wanted |= dict.fromkeys(_BOUNDS, ("float32", (members, targets)))
    return wanted


def checked_header(header: object) -> dict[str, Any]:
    """Returns the object that `network_parts` wrote, its fields and their types checked.

    Raises:
        ModelFileError: a field is missing, too many, or has a value that none can have.
    """
    said = io.fields(header, "network", _FIELDS)
    for name in ("angles", "hidden"):
        if any(type(value) is not int for value in said[name]):
            raise ModelFileError(f"network: {name!r} must be whole numbers")
    for name in ("state_dim", "action_dim", "members"):
        if said[name] < 1:
            raise ModelFileError(f"network: {name!r} must be at least 1, got {said[name]}")
    if any(units < 1 for units in said["hidden"]):
        raise ModelFileError("network: 'hidden' must be numbers of at least 1")
    return said


def network_from_parts(arrays: Arrays, said: Mapping[str, Any]) -> NetworkArrays:
    """Makes the networks again.

    Args:
        arrays: of the file, checked by `io.named_arrays` against `wanted_arrays(said)`.
        said: what `checked_header` returned.

    Raises:
        ModelFileError: a scale is not above 0, or an angle is none of the states.
    """
    for name in ("input_scale", "target_scale"):
        if not (arrays[name] > 0.0).all():
            raise ModelFileError(f"array {name!r}: must be above 0")
    angles = said["angles"]
    if angles != sorted({angle for angle in angles if 0 <= angle < said["state_dim"]}):
        raise ModelFileError("network: 'angles' must be indices of states, ascending")
    layers = range(len(said["hidden"]) + 1)
    parts: dict[str, Any] = {name: said[name] for name in _FIELDS if name != "members"}
    parts |= {name: arrays[name] for name in _SCALING}
    parts |= {name: arrays.get(name) for name in _BOUNDS}
    return NetworkArrays(
        **parts,
        weights=[arrays[f"weights.{layer}"] for layer in layers],
        biases=[arrays[f"biases.{layer}"] for layer in layers],
    )
