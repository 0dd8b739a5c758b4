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
from dynaplan.models.networks.arrays import NetworkArrays

__all__ = ["Graph", "model_of"]

# What each activation is in operators of set 17, which every run time of the last years has.
_ACTIVATIONS: dict[str, Sequence[str]] = {"silu": ("Sigmoid", "Mul"), "tanh": ("Tanh",)}
_ACTIVATIONS |= {"relu": ("Relu",)}
_OPERATOR_SET, _IR_VERSION = 17, 8


class Graph:
    """Nodes and constants as they are added; a value is the name of what computes it."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, name: str, values: ArrayLike, dtype: type[Any] = np.float32) -> str:
        """Adds a constant."""
        self.constants.append(numpy_helper.from_array(np.array(values, dtype, order="C"), name))
        return name

    def node(self, operator: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        """Adds an operator on values."""
        self.nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def layers(
        self, layers: Sequence[tuple[ArrayLike, ArrayLike]], activation: str, value: str
    ) -> str:
        """Adds a network, of weights (outputs, inputs) and biases (outputs,)."""
        if activation not in _ACTIVATIONS:
            raise ArgumentError(f"activation: {activation!r} has no operators in ONNX here")
        for layer, (weights, biases) in enumerate(layers):
            constants = [
                self.constant(f"weights.{layer}", weights),
                self.constant(f"biases.{layer}", biases),
            ]
            value = self.node("Gemm", [value, *constants], f"layer_{layer}", transB=1)
            if layer + 1 == len(layers):
                break
            before = value
            for operator in _ACTIVATIONS[activation]:
                inputs = [before, value] if operator == "Mul" else [value]
                value = self.node(operator, inputs, f"{operator.lower()}_{layer}")
        return value

    def model(self, name: str, inputs: dict[str, int], outputs: dict[str, int]) -> onnx.ModelProto:
        """Returns the finished model; inputs and outputs are (N, columns) float32."""
        described = [
            [
                helper.make_tensor_value_info(value, TensorProto.FLOAT, ["N", columns])
                for value, columns in side.items()
            ]
            for side in (inputs, outputs)
        ]
        return helper.make_model(
            helper.make_graph(self.nodes, name, *described, self.constants),
            producer_name="dynaplan",
            producer_version=__version__,
            ir_version=_IR_VERSION,
            opset_imports=[helper.make_opsetid("", _OPERATOR_SET)],
        )


def model_of(network: NetworkArrays) -> onnx.ModelProto:
    """Returns the model of a single network that predicts no variance."""
    graph, state_dim = Graph(), network.state_dim
    states = graph.constant("state_columns", range(state_dim), np.int64)
    states = graph.node("Gather", ["state_action", states], "states", axis=1)
    value = _encoded(graph, network)
    value = graph.node("Sub", [value, graph.constant("input_mean", network.input_mean)], "centred")
    scale = graph.constant("input_scale", network.input_scale)
    value = graph.node("Div", [value, scale], "standardised")
    layers = zip(network.weights, network.biases, strict=True)
    value = graph.layers([(w[0], b[0]) for w, b in layers], network.activation, value)
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
    inputs = {"state_action": state_dim + network.action_dim}
    return graph.model("dynaplan_network", inputs, outputs)


def _encoded(graph: Graph, network: NetworkArrays) -> str:
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
