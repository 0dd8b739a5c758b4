"""Reads a multilayer perceptron out of an ONNX graph; imported only when one is asked for.

The graph is run once on symbols (`onnx_symbols.py`) instead of numbers: each operator turns
values into another, or is refused.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper

from dynaplan import _disk, files
from dynaplan.errors import ArgumentError, Error, ModelFileError
from dynaplan.models.formats.onnx_symbols import (
    Columns,
    Layers,
    NextState,
    Outputs,
    Sigmoid,
    folded,
    is_plain,
)
from dynaplan.models.networks.arrays import NetworkUnits

__all__ = ["ImportedNetwork", "read"]

Float64 = NDArray[np.float64]
_FLOATS = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16)
# Graphs that join a value with itself double it at each node.
_MAX_COLUMNS = 1 << 20


@dataclass(frozen=True, eq=False)
class ImportedNetwork:
    """A network: weights (outputs, inputs) and biases of its layers, and what stands around them.

    `units` is None where the graph does not add the state.
    """

    layers: Layers
    activation: str
    units: NetworkUnits | None


_Value = Any  # a symbol, or an array that is a constant


def read(model: onnx.ModelProto | str | os.PathLike[str]) -> ImportedNetwork:
    """Returns the network in a model, or in a file that holds one.

    Raises:
        ArgumentError: the graph is not a multilayer perceptron.
        ModelFileError: the file is no ONNX model.
    """
    if isinstance(model, onnx.ModelProto):
        return _imported(model)
    with _disk.opened(files.path_of(model, "model")) as file:
        content = file.read()
    try:
        parsed = onnx.load_model_from_string(content)
    except Exception as error:  # protobuf's own classes differ from version to version
        raise ModelFileError(f"{os.fspath(model)}: no ONNX model: {error}") from error
    try:
        return _imported(parsed)
    except Error as error:
        raise ModelFileError(f"{os.fspath(model)}: {error}") from error


def _imported(model: onnx.ModelProto) -> ImportedNetwork:
    graph = model.graph
    values: dict[str, _Value] = {}
    for tensor in graph.initializer:
        values[tensor.name] = _array(tensor)
    inputs = [value for value in graph.input if value.name not in values]
    if len(inputs) != 1:
        raise ArgumentError(f"graph: has {len(inputs)} inputs, must have one")
    columns = _input_columns(inputs[0])
    values[inputs[0].name] = columns
    for node in graph.node:
        try:
            values[node.output[0]] = _run(node, values)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise ArgumentError(f"graph: {node.op_type} node {node.name!r}: {error}") from error
    try:
        outputs = [values[output.name] for output in graph.output]
    except KeyError as error:
        raise ArgumentError(f"graph: no node computes the output {error}") from error
    if not outputs:
        raise ArgumentError("graph: has no output")
    return _network(outputs, columns)


def _input_columns(value: Any) -> Columns:
    dims = value.type.tensor_type.shape.dim
    count = dims[-1].dim_value if dims else 0
    if len(dims) != 2 or not 0 < count <= _MAX_COLUMNS:
        raise ArgumentError(f"graph: input {value.name!r} must have the shape (N, a fixed number)")
    return Columns(tuple(("", i) for i in range(count)), np.ones(count), np.zeros(count))


def _array(tensor: Any) -> NDArray[Any]:
    if tensor.data_type not in (*_FLOATS, TensorProto.INT64):
        raise ArgumentError(f"graph: the weights {tensor.name!r} are neither floats nor int64")
    if tensor.data_location == TensorProto.EXTERNAL:
        raise ArgumentError(f"graph: the weights {tensor.name!r} are in another file")
    try:
        array: NDArray[Any] = numpy_helper.to_array(tensor)
    except Exception as error:  # of a damaged tensor, anything
        raise ArgumentError(f"graph: the weights {tensor.name!r} are damaged: {error}") from error
    if tensor.data_type in _FLOATS:
        array = array.astype(np.float64)
        if not np.isfinite(array).all():
            raise ArgumentError(f"graph: the weights {tensor.name!r} are not all finite")
    return array


def _run(node: Any, values: dict[str, _Value]) -> _Value:
    """Returns what one node computes."""
    if node.domain not in ("", "ai.onnx") or node.op_type not in _OPERATORS:
        raise ArgumentError(f"not known, must be one of {', '.join(_OPERATORS)}")
    attributes = {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}
    arguments = [values[name] if name else None for name in node.input]
    return _OPERATORS[node.op_type](arguments, attributes)


def _constant(arguments: list[_Value], attributes: dict[str, Any]) -> NDArray[Any]:
    return _array(attributes["value"])


def _identity(arguments: list[_Value], attributes: dict[str, Any]) -> _Value:
    return arguments[0]


def _gather(arguments: list[_Value], attributes: dict[str, Any]) -> _Value:
    value, rows = arguments
    if attributes.get("axis", 0) not in (1, -1) or rows.ndim != 1:
        raise ArgumentError("must pick a list of columns")
    return value.picked(rows)


def _slice(arguments: list[_Value], attributes: dict[str, Any]) -> _Value:
    value, (start, end) = arguments[0], (int(item.item()) for item in arguments[1:3])
    axes, steps = [*arguments[3:], None, None][:2]
    if axes is None or axes.item() not in (1, -1) or (steps is not None and steps.item() != 1):
        raise ArgumentError("must slice the columns, in steps of 1")
    count = len(value.shift)
    return value.picked(np.arange(count)[start:end])


def _concat(arguments: list[_Value], attributes: dict[str, Any]) -> Columns:
    if attributes["axis"] not in (1, -1) or not all(isinstance(a, Columns) for a in arguments):
        raise ArgumentError("must join columns of the input")
    if sum(len(value.what) for value in arguments) > _MAX_COLUMNS:
        raise ArgumentError(f"joins more than {_MAX_COLUMNS} columns")
    return Columns(
        sum((value.what for value in arguments), ()),
        np.concatenate([value.scale for value in arguments]),
        np.concatenate([value.shift for value in arguments]),
    )


def _angle_function(name: str) -> Callable[..., Columns]:
    def run(arguments: list[_Value], attributes: dict[str, Any]) -> Columns:
        if not is_plain(arguments[0]):
            raise ArgumentError("must be of columns of the input")
        columns: Columns = arguments[0]
        return replace(columns, what=tuple((name, i) for _, i in columns.what))

    return run


def _activation(name: str) -> Callable[..., Outputs]:
    def run(arguments: list[_Value], attributes: dict[str, Any]) -> Outputs:
        return _activated(arguments[0], name)

    return run


def _activated(value: _Value, name: str) -> Outputs:
    if not isinstance(value, Outputs) or value.activated:
        raise ArgumentError("must stand behind a layer")
    if value.activation not in (None, name):
        raise ArgumentError(f"{name} after {value.activation}: must be the same everywhere")
    return replace(folded(value), activation=name, activated=True)


def _sigmoid(arguments: list[_Value], attributes: dict[str, Any]) -> Sigmoid:
    if not isinstance(arguments[0], Outputs):
        raise ArgumentError("must stand behind a layer")
    return Sigmoid(arguments[0])


def _gemm(arguments: list[_Value], attributes: dict[str, Any]) -> Outputs:
    value, matrix, biases = [*arguments, None][:3]
    if attributes.get("transA", 0) or not isinstance(matrix, np.ndarray) or matrix.ndim != 2:
        raise ArgumentError("must multiply by a constant matrix from the right")
    weights = (matrix if attributes.get("transB", 0) else matrix.T) * attributes.get("alpha", 1.0)
    added = np.zeros(len(weights)) if biases is None else attributes.get("beta", 1.0) * biases
    return _layer(value, weights, np.broadcast_to(np.squeeze(added), (len(weights),)))


def _matmul(arguments: list[_Value], attributes: dict[str, Any]) -> Outputs:
    return _gemm(arguments, {})


def _layer(value: _Value, weights: Float64, biases: Float64) -> Outputs:
    count = len(biases)
    one, zero = np.ones(count), np.zeros(count)
    if isinstance(value, Columns):
        layers: Layers = ((weights, biases),)
        made = Outputs(value, layers, None, False, one, zero)
        inputs = len(value.what)
    elif isinstance(value, Outputs) and value.activated and value.rows is None:
        layers = (*value.layers, (weights, biases))
        made = replace(value, layers=layers, activated=False, scale=one, shift=zero)
        inputs = len(value.layers[-1][1])
    else:
        raise ArgumentError("must stand behind the inputs or an activation")
    if weights.shape[1] != inputs:
        raise ArgumentError(f"has {weights.shape[1]} columns for {inputs} inputs")
    return made


def _arithmetic(operator: str) -> Callable[..., _Value]:
    def run(arguments: list[_Value], attributes: dict[str, Any]) -> _Value:
        left, right = arguments
        if isinstance(left, np.ndarray) and operator in ("Add", "Mul"):
            left, right = right, left
        if operator == "Mul" and (gated := _gated(left, right)):
            return gated
        if operator == "Add" and (total := _added(left, right)):
            return total
        is_linear = isinstance(left, Columns) or (
            isinstance(left, Outputs) and not left.activated and left.rows is None
        )
        if not is_linear or not isinstance(right, np.ndarray):
            raise ArgumentError("must be of inputs or outputs and a constant")
        numbers = np.broadcast_to(np.squeeze(right).astype(np.float64), left.shift.shape)
        return _shifted(left, operator, numbers)

    return run


def _shifted(value: Columns | Outputs, operator: str, numbers: Float64) -> _Value:
    if operator == "Add" and isinstance(value, Outputs) and _has_no_bias(value):
        layers = (*value.layers[:-1], (value.layers[-1][0], np.array(numbers)))
        return replace(value, layers=layers)
    if operator in ("Add", "Sub"):
        return replace(value, shift=value.shift + (numbers if operator == "Add" else -numbers))
    if operator == "Div":
        numbers = 1.0 / numbers
    return replace(value, scale=value.scale * numbers, shift=value.shift * numbers)


def _has_no_bias(value: Outputs) -> bool:
    is_bare = bool((value.scale == 1.0).all() and (value.shift == 0.0).all())
    return is_bare and not value.layers[-1][1].any()


def _gated(left: _Value, right: _Value) -> Outputs | None:
    """X * Sigmoid(x) in either order, None for anything else."""
    for value, gate in ((left, right), (right, left)):
        if isinstance(gate, Sigmoid) and gate.of is value:
            return _activated(value, "silu")
    return None


def _added(left: _Value, right: _Value) -> NextState | None:
    """The first columns of the input plus outputs in either order, None for anything else."""
    for states, change in ((left, right), (right, left)):
        if isinstance(change, Outputs) and not change.activated and is_plain(states):
            picked = range(len(change.shift)) if change.rows is None else change.rows
            first = tuple(("", i) for i in range(len(picked)))
            if states.what != first or tuple(picked) != tuple(range(len(picked))):
                raise ArgumentError("must add the first outputs to the first columns of the input")
            return NextState(change)
    return None


_OPERATORS: dict[str, Callable[[list[_Value], dict[str, Any]], _Value]] = {
    "Add": _arithmetic("Add"),
    "Concat": _concat,
    "Constant": _constant,
    "Cos": _angle_function("Cos"),
    "Div": _arithmetic("Div"),
    "Gather": _gather,
    "Gemm": _gemm,
    "Identity": _identity,
    "MatMul": _matmul,
    "Mul": _arithmetic("Mul"),
    "Relu": _activation("relu"),
    "Sigmoid": _sigmoid,
    "Sin": _angle_function("Sin"),
    "Slice": _slice,
    "Sub": _arithmetic("Sub"),
    "Tanh": _activation("tanh"),
}


def _network(outputs: list[_Value], columns: Columns) -> ImportedNetwork:
    """Makes a network of the values of the graph's outputs."""
    first = outputs[0]
    value = first.change if isinstance(first, NextState) else first
    if not isinstance(value, Outputs) or value.activated:
        raise ArgumentError("graph: its first output must be that of a linear layer")
    activation = value.activation or "silu"  # without a hidden layer, any is right
    if not isinstance(first, NextState):
        if len(outputs) != 1 or not is_plain(value.inputs) or value.inputs.what != columns.what:
            raise ArgumentError("graph: one that does not add the state must be a bare network")
        return ImportedNetwork(folded(value).layers, activation, None)
    state_dim = len(value.shift) if value.rows is None else len(value.rows)
    rewards = len(outputs) == 2
    if rewards and not _is_row(outputs[1], value, state_dim):
        raise ArgumentError("graph: its second output must be the one behind the states'")
    if len(outputs) > 2 or len(value.shift) != state_dim + rewards:
        raise ArgumentError("graph: must give the next state, and the reward or nothing else")
    return ImportedNetwork(
        value.layers, activation, _units(value, state_dim, rewards, len(columns.what))
    )


def _is_row(found: _Value, value: Outputs, row: int) -> bool:
    """Whether it is one row of the same outputs."""
    is_same = isinstance(found, Outputs) and all(
        getattr(found, name) is getattr(value, name) for name in ("layers", "scale", "shift")
    )
    return is_same and found.rows == (row,)


def _units(value: Outputs, state_dim: int, rewards: bool, columns: int) -> NetworkUnits:
    """Reads inputs and outputs as dynaplan orders and scales them."""
    angles = [i for function, i in value.inputs.what[:state_dim] if function == "Sin"]
    wanted = [("Sin" if i in angles else "", i) for i in range(state_dim)]
    wanted += [("Cos", i) for i in angles] + [("", i) for i in range(state_dim, columns)]
    if list(value.inputs.what) != wanted:
        raise ArgumentError(
            "graph: its first layer must see the states (sines of angles), the cosines, the actions"
        )
    if not (value.inputs.scale > 0.0).all() or not (value.scale > 0.0).all():
        raise ArgumentError("graph: it must scale inputs and outputs by numbers above 0")
    return NetworkUnits(
        angles=angles,
        rewards=rewards,
        input_mean=-value.inputs.shift / value.inputs.scale,
        input_scale=1.0 / value.inputs.scale,
        target_mean=value.shift,
        target_scale=value.scale,
    )
