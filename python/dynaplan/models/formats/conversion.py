"""Networks from and to other libraries: PyTorch modules and ONNX graphs.

The libraries are extras (`pip install "dynaplan[torch]"`, `"dynaplan[onnx]"`), imported by these
functions alone.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dynaplan.errors import ArgumentError
from dynaplan.models.networks.arrays import NetworkArrays, NetworkUnits

if TYPE_CHECKING:
    import onnx
    import torch

__all__ = ["from_onnx", "from_torch", "to_onnx", "to_torch"]


def from_torch(module: torch.nn.Module, units: NetworkUnits | None = None) -> NetworkArrays:
    """Takes the weights of a PyTorch network.

    Args:
        module: a `torch.nn.Sequential` of Linear layers with SiLU, Tanh or ReLU between them, the
            same everywhere, whose outputs are the change of the state; or what `to_torch` made.
            Weights are rounded to float32.
        units: of the inputs and outputs of a Sequential; what `to_torch` made has its own. Default:
            those of `NetworkUnits()`, no scaling.

    Returns:
        One network that predicts no variance.

    Raises:
        ArgumentError, ShapeError: the module has other parts, or `units` do not fit it.
        ImportError: PyTorch is not installed.
    """
    from dynaplan.models.formats import torch_networks  # noqa: PLC0415  # an extra

    if isinstance(module, torch_networks.NextState):
        units = _own_units(units, torch_networks.units_of(module))
        module = module.network
    linear, activation = torch_networks.linear_layers(module)
    layers = [torch_networks.numbers_of(layer) for layer in linear]
    return NetworkArrays.of_layers(layers, activation, units or NetworkUnits())


def to_torch(network: NetworkArrays) -> torch.nn.Module:
    """Makes a PyTorch module that gives the next state from [state, action] (N, S + A).

    In the data's own units, standardisation included; with rewards it returns (next state, reward).
    Its attribute `network` is the bare `torch.nn.Sequential`. float32, gradients on.

    Args:
        network: a single one; of one that predicts variances the means are taken.

    Raises:
        ArgumentError: there are several networks.
        ImportError: PyTorch is not installed.
    """
    from dynaplan.models.formats import torch_networks  # noqa: PLC0415  # an extra

    return torch_networks.NextState(network.means())


def from_onnx(
    model: onnx.ModelProto | str | os.PathLike[str], units: NetworkUnits | None = None
) -> NetworkArrays:
    """Takes the weights of an ONNX graph that is a multilayer perceptron.

    Known are Gemm, MatMul and Add; Relu, Tanh, and x * Sigmoid(x) for SiLU; before them the sines
    and cosines of angles, and shifts and scales by constants; after them shifts and scales, and the
    addition of the state. A graph that adds the state gives the next state and says all of itself;
    any other is taken for a bare network that gives the change of the state in `units`.

    Args:
        model: the model, or the name of its file; weights in files beside it are not read.
        units: of the inputs and outputs of a bare network. Default: those of `NetworkUnits()`.

    Returns:
        One network that predicts no variance. Weights are rounded to float32.

    Raises:
        ArgumentError, ShapeError: the graph does anything else, or `units` do not fit it.
        ModelFileError: the file is no ONNX model.
        ImportError: onnx is not installed.
    """
    from dynaplan.models.formats import onnx_reader  # noqa: PLC0415  # an extra

    found = onnx_reader.read(model)
    if found.units is not None:
        units = _own_units(units, found.units)
    return NetworkArrays.of_layers(found.layers, found.activation, units or NetworkUnits())


def to_onnx(network: NetworkArrays) -> onnx.ModelProto:
    """Makes an ONNX model that gives `next_state` (N, S) from `state_action` (N, S + A).

    In the data's own units, standardisation included; with rewards it also gives `reward` (N, 1).
    float32, operator set 17. `onnx.save(model, path)` writes it.

    Args:
        network: a single one; of one that predicts variances the means are taken.

    Raises:
        ArgumentError: there are several networks.
        ImportError: onnx is not installed.
    """
    from dynaplan.models.formats import onnx_networks  # noqa: PLC0415  # an extra

    return onnx_networks.model_of(network.means())


def _own_units(given: NetworkUnits | None, own: NetworkUnits) -> NetworkUnits:
    if given is not None:
        raise ArgumentError("units: the network has its own, must be left out")
    return own
