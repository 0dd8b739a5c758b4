"""Networks as ONNX graphs; imported only when one is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike
from onnx import TensorProto, helper, numpy_helper

from dynaplan._version import __version__
from dynaplan.errors import ArgumentError
from dynaplan.models.network_arrays import NetworkArrays

__all__ = ["model_of"]

# What each activation is in operators of set 17, which every run time of the last years has.
_ACTIVATIONS: dict[str, Sequence[str]] = {"silu": ("Sigmoid", "Mul"), "tanh": ("Tanh",)}
_ACTIVATIONS |= {"relu": ("Relu",)}
_OPERATOR_SET, _IR_VERSION = 17, 8


class _Graph:
    """Nodes and constants as they are added; a value is the name of what computes it."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, name: str, values: ArrayLike, dtype: type[Any] = np.float32) -> str:
        self.constants.append(numpy_helper.from_array(np.array(values, dtype, order="C"), name))
        return name

    def node(self, operator: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name


def model_of(network: NetworkArrays) -> onnx.ModelProto:
    """Returns the model of a single network that predicts no variance."""
    if network.activation not in _ACTIVATIONS:
        raise ArgumentError(f"activation: {network.activation!r} has no operators in ONNX here")
    graph, state_dim = _Graph(), network.state_dim
    states = graph.constant("state_columns", range(state_dim), np.int64)
    states = graph.node("Gather", ["state_action", states], "states", axis=1)
    value = _encoded(graph, network)
    value = graph.node("Sub", [value, graph.constant("input_mean", network.input_mean)], "centred")
    scale = graph.constant("input_scale", network.input_scale)
    value = _layers(graph, network, graph.node("Div", [value, scale], "standardised"))
    scale = graph.constant("target_scale", network.target_scale)
    value = graph.node("Mul", [value, scale], "scaled_targets")
    mean = graph.constant("target_mean", network.target_mean)
    value = graph.node("Add", [value, mean], "targets")
    outputs = {"next_state": state_dim}
    if network.rewards:
        outputs["reward"] = 1
        column = graph.constant("reward_column", [state_dim], np.int64)
        graph.node("Gather", [value, column], "reward", axis=1)
        value = graph.node("Gather", [value, "state_columns"], "change", axis=1)
    graph.node("Add", [states, value], "next_state")
    made = helper.make_graph(
        graph.nodes,
        "dynaplan_network",
        [_described("state_action", state_dim + network.action_dim)],
        [_described(name, columns) for name, columns in outputs.items()],
        graph.constants,
    )
    return helper.make_model(
        made,
        producer_name="dynaplan",
        producer_version=__version__,
        ir_version=_IR_VERSION,
        opset_imports=[helper.make_opsetid("", _OPERATOR_SET)],
    )


def _described(name: str, columns: int) -> Any:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", columns])


def _encoded(graph: _Graph, network: NetworkArrays) -> str:
    """Adds what the first layer sees: sines in place of the angles, cosines before the actions."""
    angles, state_dim = list(network.angles), network.state_dim
    if not angles:
        return "state_action"
    columns = state_dim + network.action_dim
    picked = graph.constant("angle_columns", angles, np.int64)
    picked = graph.node("Gather", ["state_action", picked], "angles", axis=1)
    sines, cosines = (graph.node(kind, [picked], kind.lower()) for kind in ("Sin", "Cos"))
    everything = graph.node("Concat", ["state_action", sines, cosines], "everything", axis=1)
    sine_of = {angle: columns + k for k, angle in enumerate(angles)}
    order = [sine_of.get(state, state) for state in range(state_dim)]
    order += [columns + len(angles) + k for k in range(len(angles))]
    order += range(state_dim, columns)
    order_name = graph.constant("input_columns", order, np.int64)
    return graph.node("Gather", [everything, order_name], "inputs", axis=1)


def _layers(graph: _Graph, network: NetworkArrays, value: str) -> str:
    for layer, (weights, biases) in enumerate(zip(network.weights, network.biases, strict=True)):
        constants = [
            graph.constant(f"weights.{layer}", weights[0]),
            graph.constant(f"biases.{layer}", biases[0]),
        ]
        value = graph.node("Gemm", [value, *constants], f"layer_{layer}", transB=1)
        if layer == len(network.hidden):
            break
        before = value
        for operator in _ACTIVATIONS[network.activation]:
            inputs = [before, value] if operator == "Mul" else [value]
            value = graph.node(operator, inputs, f"{operator.lower()}_{layer}")
    return value
