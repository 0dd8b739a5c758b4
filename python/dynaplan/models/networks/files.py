"""The parts of a network model's file: the networks, and how they were trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynaplan import files
from dynaplan.data.angles import Angles
from dynaplan.data.known_states import NO_KNOWN_STATES, KnownStates
from dynaplan.errors import ModelFileError
from dynaplan.models.calibrated import band_arrays, band_factors_in
from dynaplan.models.networks.arrays import NetworkArrays
from dynaplan.models.networks.training import (
    Fitted,
    TrainingHistory,
    TrainingSettings,
    usual_loss,
)

__all__ = ["checked_header", "model_from_parts", "model_parts", "network_from_parts"]
__all__ += ["network_parts", "wanted_arrays"]

Arrays = Mapping[str, NDArray[Any]]
# Of each array: its dtype and its shape.
Wanted = dict[str, tuple[str, tuple[int, ...]]]

# JSON types of the fields' types as the dataclasses write them; all other fields are arrays.
_JSON_TYPES: dict[object, type] = {
    "int": int,
    "float": float,
    "float | None": float,
    "float | tuple[float, ...]": float,
    "bool": bool,
    "str": str,
    "Sequence[int]": list,
}


def _json_fields(kind: type[Any]) -> dict[str, type]:
    """Returns name and JSON type of a dataclass's fields, in their order; arrays are left out."""
    return {f.name: _JSON_TYPES[f.type] for f in fields(kind) if f.type in _JSON_TYPES}


_FIELDS = {**_json_fields(NetworkArrays), "members": int}
_SETTINGS = _json_fields(TrainingSettings)
_HEADER = {"network": dict, "settings": dict, "training_data": dict, "history": dict}
_HISTORY = {"epochs": int, "best_epoch": list, "interrupted": bool}
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
    values = {name: getattr(network, name) for name in _FIELDS}
    header = {
        name: [int(value) for value in values[name]] if kind is list else kind(values[name])
        for name, kind in _FIELDS.items()
    }
    if network.periods:
        header["periods"] = [float(period) for period in network.periods]
    return arrays, header


def wanted_arrays(header: Mapping[str, Any]) -> Wanted:
    """Returns the arrays that a file with this checked header must have."""
    members, targets = header["members"], header["state_dim"] + header["rewards"]
    sizes = [
        header["state_dim"] + len(header["angles"]) + header["action_dim"],
        *header["hidden"],
        targets * (1 + header["probabilistic"]),
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
    if header["probabilistic"]:
        wanted |= dict.fromkeys(_BOUNDS, ("float32", (members, targets)))
    return wanted


def checked_header(header: object) -> dict[str, Any]:
    """Returns the object that `network_parts` wrote, its fields and their types checked.

    Raises:
        ModelFileError: a field is missing, too many, or has a value that none can have.
    """
    periods = {"periods": list} if isinstance(header, dict) and "periods" in header else {}
    checked = files.fields(header, "network", {**_FIELDS, **periods})
    for name in ("angles", "hidden"):
        if any(type(value) is not int for value in checked[name]):
            raise ModelFileError(f"network: {name!r} must be whole numbers")
    if any(type(value) is not float for value in checked.get("periods", ())):
        raise ModelFileError("network: 'periods' must be numbers")
    for name in ("state_dim", "action_dim", "members"):
        if checked[name] < 1:
            raise ModelFileError(f"network: {name!r} must be at least 1, got {checked[name]}")
    if any(units < 1 for units in checked["hidden"]):
        raise ModelFileError("network: 'hidden' must be numbers of at least 1")
    return checked


def network_from_parts(arrays: Arrays, header: Mapping[str, Any]) -> NetworkArrays:
    """Restores the networks.

    Args:
        arrays: of the file, checked by `files.named_arrays` against `wanted_arrays(header)`.
        header: what `checked_header` returned.

    Raises:
        ModelFileError: a scale is not above 0, or an angle is none of the states.
    """
    for name in ("input_scale", "target_scale"):
        if not (arrays[name] > 0.0).all():
            raise ModelFileError(f"array {name!r}: must be above 0")
    angles = header["angles"]
    if angles != sorted({angle for angle in angles if 0 <= angle < header["state_dim"]}):
        raise ModelFileError("network: 'angles' must be indices of states, ascending")
    if len(header.get("periods", angles)) != len(angles):
        raise ModelFileError("network: 'periods' must be one of each angle")
    layers = range(len(header["hidden"]) + 1)
    parts: dict[str, Any] = {name: header[name] for name in _FIELDS if name != "members"}
    parts["periods"] = header.get("periods", ())
    parts |= {name: arrays[name] for name in _SCALING}
    parts |= {name: arrays.get(name) for name in _BOUNDS}
    return NetworkArrays(
        **parts,
        weights=[arrays[f"weights.{layer}"] for layer in layers],
        biases=[arrays[f"biases.{layer}"] for layer in layers],
    )


def model_parts(fitted: Fitted) -> tuple[Arrays, dict[str, Any]]:
    """Returns the arrays and the header of a whole model."""
    arrays, network = network_parts(NetworkArrays.of(fitted.parameters))
    history = fitted.history
    low, high = fitted.observed
    return {
        **arrays,
        "observed_low": low,
        "observed_high": high,
        "history.training": _with_mask(history.training),
        "history.held_out": _with_mask(history.held_out),
        **({} if fitted.calibration is None else {"calibration": fitted.calibration}),
        **band_arrays(fitted.band_factors or {}),
    }, {
        "network": network,
        "settings": asdict(fitted.settings),
        "training_data": _training_data(fitted),
        "history": {
            "epochs": len(history.training),
            "best_epoch": history.best_epoch.tolist(),
            "interrupted": bool(history.interrupted),
        },
    }


def model_from_parts(kind: str, arrays: Arrays, header: dict[str, Any]) -> Fitted:
    """Returns the parts of a model of this kind, all checked.

    Raises:
        Error: something is missing, out of range or does not fit the rest.
    """
    top = files.fields(header, "header", _HEADER)
    network = checked_header(top["network"])
    if kind != "Ensemble" and (network["members"], network["probabilistic"]) != (1, kind != "MLP"):
        raise ModelFileError(
            f"network: got {network['members']} members, probabilistic "
            f"{network['probabilistic']}, must be those of {kind}"
        )
    settings = _settings(kind, top["settings"], len(network["hidden"]) + 1)
    dims = network["state_dim"], network["action_dim"]
    data = _checked_data(top["training_data"], *dims)
    history = files.fields(top["history"], "history", _HISTORY)
    losses = ("float64", (2, history["epochs"], network["members"]))
    observed = ("float64", (network["state_dim"] + network["action_dim"],))
    wanted = wanted_arrays(network)
    wanted |= {"history.training": losses, "history.held_out": losses}
    wanted |= {"observed_low": observed, "observed_high": observed}
    if "calibration" in arrays:  # it may be missing
        wanted["calibration"] = ("float64", (network["state_dim"],))
    band_factors = band_factors_in(arrays, wanted)
    files.named_arrays(arrays, wanted)
    if (arrays["observed_low"] > arrays["observed_high"]).any():
        raise ModelFileError("array 'observed_low': must not be above 'observed_high'")
    return Fitted(
        network_from_parts(arrays, network).parameters(),
        settings,
        _history(arrays, history, network["members"]),
        data["rows"],
        (arrays["observed_low"], arrays["observed_high"]),
        data.get("observed_disagreement"),
        arrays.get("calibration"),
        band_factors,
        angles=data.get("angles"),
        known=data.get("known", NO_KNOWN_STATES),
    )


def _training_data(fitted: Fitted) -> dict[str, Any]:
    data: dict[str, Any] = {"rows": int(fitted.rows)}
    if fitted.observed_disagreement is not None:
        data["observed_disagreement"] = float(fitted.observed_disagreement)
    if fitted.angles is not None and fitted.angles.has_ranges:
        data["angles"] = fitted.angles.to_lists()
    if fitted.known:
        data["known"] = fitted.known.to_lists()
    return data


def _checked_data(header: dict[str, Any], state_dim: int, action_dim: int) -> dict[str, Any]:
    """Returns what `_training_data` wrote; files of older versions know of less."""
    optional = {"observed_disagreement": float, "angles": list, "known": list}
    present = {name: kind for name, kind in optional.items() if name in header}
    data = files.fields(header, "training_data", {"rows": int, **present})
    if "angles" in data:
        data["angles"] = Angles.of_lists(data["angles"], state_dim)
    if "known" in data:
        data["known"] = KnownStates.of_lists(data["known"], state_dim, action_dim)
    if data["rows"] < 0:
        raise ModelFileError(f"training_data: rows must not be negative, got {data['rows']}")
    if data.get("observed_disagreement", 1.0) <= 0.0:
        raise ModelFileError(
            "training_data: observed_disagreement must be above 0, got "
            f"{data['observed_disagreement']}"
        )
    return data


def _settings(kind: str, header: dict[str, Any], layers: int) -> TrainingSettings:
    held_out = type(None) if header.get("held_out", 0.0) is None else float
    by_layer = isinstance(header.get("weight_decay"), list)
    kinds = {"held_out": held_out, "weight_decay": list if by_layer else float}
    usual = usual_loss(kind)
    header = {"loss": usual, **header}  # which files of older versions lack
    settings = files.fields(header, "settings", {**_SETTINGS, **kinds})
    if settings["loss"] not in {usual, "huber"}:
        raise ModelFileError(f"settings: 'loss' must be {usual!r} or 'huber'")
    if by_layer:
        decays = settings["weight_decay"]
        if len(decays) not in (1, layers) or any(type(decay) is not float for decay in decays):
            raise ModelFileError("settings: 'weight_decay' must be a number, or one for each layer")
        settings["weight_decay"] = tuple(decays)
    return TrainingSettings(**settings)


def _history(arrays: Arrays, header: dict[str, Any], members: int) -> TrainingHistory:
    best = header["best_epoch"]
    is_epoch = [type(epoch) is int and -1 <= epoch < header["epochs"] for epoch in best]
    if len(best) != members or not all(is_epoch):
        raise ModelFileError("history: 'best_epoch' must be an epoch or -1 of each member")
    return TrainingHistory(
        _without_mask(arrays["history.training"]),
        _without_mask(arrays["history.held_out"]),
        np.array(best, np.intp),
        header["interrupted"],
    )


def _with_mask(losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the losses with 0 for nan, and where they are known: files hold finite numbers."""
    known = ~np.isnan(losses)
    return np.stack([np.where(known, losses, 0.0), known.astype(np.float64)])


def _without_mask(stored: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(stored[1] != 0.0, stored[0], np.nan)
