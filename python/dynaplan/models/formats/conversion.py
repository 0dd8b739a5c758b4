"""Networks from and to other libraries: PyTorch modules and ONNX graphs.

The libraries are extras (`pip install "dynaplan[torch]"`, `"dynaplan[onnx]"`), imported by these
functions alone.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dynaplan import _texts
from dynaplan.errors import ArgumentError
from dynaplan.models.networks.arrays import NetworkArrays, NetworkUnits

if TYPE_CHECKING:
    import onnx
    import torch

__all__ = ["from_onnx", "from_torch", "to_onnx", "to_torch"]


def from_torch(module: torch.nn.Module, units: NetworkUnits | None = None) -> NetworkArrays:
    """Returns the network of a PyTorch module: see `MLP.from_torch`."""
    from dynaplan.models.formats import torch_networks  # noqa: PLC0415  # an extra

    _require_units(units)
    if isinstance(module, torch_networks.NextState):
        units = _own_units(units, torch_networks.units_of(module))
        module = module.network
    linear, activation = torch_networks.linear_layers(module)
    layers = [torch_networks.numbers_of(layer) for layer in linear]
    return NetworkArrays.of_layers(layers, activation, units or NetworkUnits())


def to_torch(network: NetworkArrays) -> torch.nn.Module:
    """Returns a PyTorch module of a single network: see `NetworkModel.to_torch`."""
    from dynaplan.models.formats import torch_networks  # noqa: PLC0415  # an extra

    _require_radians(network)
    return torch_networks.NextState(network.means())


def from_onnx(
    model: onnx.ModelProto | str | os.PathLike[str], units: NetworkUnits | None = None
) -> NetworkArrays:
    """Returns the network of an ONNX graph: see `MLP.from_onnx`."""
    from dynaplan.models.formats import onnx_reader  # noqa: PLC0415  # an extra

    _require_units(units)
    network = onnx_reader.read(model)
    if network.units is not None:
        units = _own_units(units, network.units)
    return NetworkArrays.of_layers(network.layers, network.activation, units or NetworkUnits())


def to_onnx(network: NetworkArrays) -> onnx.ModelProto:
    """Returns an ONNX model of a single network: see `NetworkModel.to_onnx`."""
    from dynaplan.models.formats import onnx_networks  # noqa: PLC0415  # an extra

    _require_radians(network)
    return onnx_networks.model_of(network.means())


def _require_radians(network: NetworkArrays) -> None:
    if network.periods:
        got = _texts.brief(network.periods)
        raise ArgumentError(f"network: has angles of period {got}, must be in radians to convert")


def _require_units(units: NetworkUnits | None) -> None:
    if not isinstance(units, NetworkUnits | None):
        raise TypeError(f"units: got {_texts.shown(units)}, must be NetworkUnits or None")


def _own_units(given: NetworkUnits | None, own: NetworkUnits) -> NetworkUnits:
    if given is not None:
        raise ArgumentError("units: the network has its own, must be left out")
    return own
