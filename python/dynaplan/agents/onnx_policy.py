"""Policies as ONNX graphs; imported only when one is asked for."""

from __future__ import annotations

import onnx

from dynaplan.agents.policy import Policy
from dynaplan.models.formats.onnx_networks import Graph

__all__ = ["model_of"]


def model_of(policy: Policy) -> onnx.ModelProto:
    """Returns the model of a policy."""
    graph = Graph()
    value = graph.layers(policy.layers, policy.activation, "state")
    value = graph.node("Tanh", [value], "squashed")
    value = graph.node(
        "Mul", [value, graph.constant("half_range", policy.half_range)], "scaled_action"
    )
    graph.node("Add", [value, graph.constant("centre", policy.centre)], "action")
    states, actions = policy.layers[0][0].shape[1], len(policy.centre)
    return graph.model("dynaplan_policy", {"state": states}, {"action": actions})
