"""ONNX Runtime rolls out networks: the whole horizon as one graph, or one step of it."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from bench.case import Prepared
from bench.network_workload import ACTIONS, STATES, NetworkRollouts
from bench.workloads import FloatArray


class GraphBuilder:
    """Nodes of a graph, each named by its only output."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, kind: str, *inputs: str, **attributes: int) -> str:
        """Adds a node; returns the name of its result."""
        name = f"{kind}{len(self.nodes)}"
        node = helper.make_node(kind, list(inputs), [name])
        node.attribute.extend(helper.make_attribute(*item) for item in attributes.items())
        self.nodes.append(node)
        return name

    def constant(self, name: str, values: FloatArray) -> str:
        """Adds an array; returns its name."""
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def step(self, state: str, action: str, layers: int) -> str:
        """Adds one step of the network whose constants are w0, b0, ...; returns the next state."""
        x = self.add("Concat", state, action, axis=1)
        for layer in range(layers):
            x = self.add("Gemm", x, f"w{layer}", f"b{layer}")
            if layer + 1 < layers:
                x = self.add("Mul", x, self.add("Sigmoid", x))
        return self.add("Add", state, x)


def session_of(
    builder: GraphBuilder, inputs: dict[str, tuple[int, ...]], output: str, threads: int
) -> onnxruntime.InferenceSession:
    """Returns a session of a graph with all optimisations, float32."""
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in inputs.items()
    ]
    result = helper.make_tensor_value_info(output, TensorProto.FLOAT, None)
    graph = helper.make_graph(builder.nodes, "rollout", values, [result], builder.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def with_layers(inputs: NetworkRollouts) -> GraphBuilder:
    """Returns a builder that holds the weights."""
    builder = GraphBuilder()
    for layer, (weights, biases) in enumerate(inputs.layers()):
        builder.constant(f"w{layer}", weights[0])
        builder.constant(f"b{layer}", biases[0])
    return builder


def returns(inputs: NetworkRollouts, threads: int) -> Prepared:
    """All steps in one graph, actions as one input a step."""
    builder = with_layers(inputs)
    axes = builder.constant("axes", np.array([1], dtype=np.int64))
    horizon = inputs.actions.shape[1]
    feeds = {f"u{t}": np.ascontiguousarray(inputs.actions[:, t]) for t in range(horizon)}
    feeds["s"] = inputs.states
    state, total = "s", ""
    for t in range(horizon):
        state = builder.step(state, f"u{t}", len(inputs.hidden) + 1)
        square = builder.add("Mul", state, state)
        cost = builder.add("ReduceSum", square, axes, keepdims=0)
        total = builder.add("Add", total, cost) if total else cost
    shapes = {name: values.shape for name, values in feeds.items()}
    session = session_of(builder, shapes, builder.add("Neg", total), threads)
    return Prepared(lambda: session.run(None, feeds)[0], note="horizon unrolled in one graph")


def step(inputs: NetworkRollouts, threads: int) -> Prepared:
    """One state through a session."""
    builder = with_layers(inputs)
    output = builder.step("s", "u", len(inputs.hidden) + 1)
    session = session_of(builder, {"s": (1, STATES), "u": (1, ACTIONS)}, output, threads)
    feeds = {"s": inputs.states[:1], "u": inputs.actions[:1, 0]}
    return Prepared(lambda: session.run(None, feeds)[0], note="float32")
