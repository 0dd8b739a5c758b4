"""Everything public that can be called with arguments, and what is left out with its reason."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator
from functools import cache
from typing import Any, get_origin

import dynaplan as dp
from dynaplan.envs import mazes

RECORD = "a record that functions return; whoever makes one by hand puts in what they like"
TORCH = "needs PyTorch, which no environment of the tests has"
INTERFACE = "an interface: its methods are called on the classes that have them"

RECORDS = """
    AgentEpisode Bands ComparedModel Comparison DelayEstimate Diagnosis DynaIteration Episode
    Evaluation Explanation Finding Imagined Iteration Jacobians Plan PlanStats Prediction Regulator
    Selection TrainingHistory Trial Trust Tuning UpdateStatistics
"""
INTERFACES = """
    Agent.act Agent.observe Agent.update Model.predict Model.sample Planner Planner.plan
"""
# Names as below, and parameters as "name(parameter)".
EXEMPT = {
    **dict.fromkeys(RECORDS.split(), RECORD),
    **dict.fromkeys(INTERFACES.split(), INTERFACE),
    "MLP.calibrated": "it predicts no noise, so that every call is refused",
    "MLP.from_torch": TORCH,
    "Dyna.run(tensorboard)": "needs tensorboardX; a folder that it makes itself",
    "MBPO.run(tensorboard)": "needs tensorboardX; a folder that it makes itself",
}
# Those that take an argument of the user's.
OPERATORS = ("__add__", "__call__", "__getitem__", "__mul__", "__radd__", "__rmul__")


def objects() -> Iterator[tuple[str, Any]]:
    """Each public function and class by its name."""
    for name in dp.__all__:
        value = getattr(dp, name)
        if inspect.ismodule(value):
            yield from ((f"{name}.{inner}", getattr(value, inner)) for inner in value.__all__)
        else:
            yield name, value
    yield "Maze", mazes.Maze


def _methods(name: str, cls: type) -> Iterator[tuple[str, Any]]:
    for member in dir(cls):
        homes = [base for base in cls.__mro__ if member in vars(base)]
        is_ours = bool(homes) and homes[0].__module__.startswith("dynaplan")
        is_method = isinstance(getattr(cls, member), types.FunctionType | types.MethodType)
        if is_ours and is_method and (not member.startswith("_") or member in OPERATORS):
            yield f"{name}.{member}", getattr(cls, member)


def parameters(function: Any) -> list[str]:
    """The names of all parameters but `self`."""
    found = inspect.signature(function).parameters.values()
    starred = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
    return [one.name for one in found if one.name != "self" and one.kind not in starred]


@cache
def _callables() -> dict[str, Any]:
    """Each public function, class and method; no aliases of types and no errors."""
    found: dict[str, Any] = {}
    for name, value in objects():
        is_alias = isinstance(value, types.UnionType) or get_origin(value) is not None
        is_error = inspect.isclass(value) and issubclass(value, Exception)
        if is_alias or is_error or not (inspect.isclass(value) or inspect.isroutine(value)):
            continue
        found[name] = value
        if inspect.isclass(value):
            found.update(_methods(name, value))
    return found


def public_callables() -> dict[str, list[str]]:
    """The parameters of each public function, class and method that has any."""
    found = {name: parameters(function) for name, function in _callables().items()}
    return {name: names for name, names in found.items() if names}


@cache
def optional() -> set[str]:
    """The parameters that may be None by their annotation, as "name(parameter)"."""
    return {
        f"{name}({parameter.name})"
        for name, function in _callables().items()
        for parameter in inspect.signature(function).parameters.values()
        if "None" in str(parameter.annotation)
    }
