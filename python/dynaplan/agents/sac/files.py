"""What a file of a soft actor-critic holds, and what of it is checked."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from dynaplan import _core, files
from dynaplan.agents.sac.settings import SACSettings
from dynaplan.errors import ModelFileError

__all__ = ["KIND", "AgentDescription", "from_parts", "layers_of", "parts", "read", "write"]

KIND = "SAC"

Arrays = Mapping[str, NDArray[Any]]
Layers = list[tuple[NDArray[Any], NDArray[Any]]]

_HEADER = {"state_dim": int, "action_dim": int, "settings": dict, "counters": dict, "replay": dict}
_COUNTERS = {"steps": int, "updates": int, "draws": int}
_STORE = {"size": int, "next": int}
# Of the settings in a file; the temperature may also be null.
_SETTINGS = {
    name: list if get_origin(kind) is tuple else kind
    for name, kind in get_type_hints(SACSettings).items()
    if name != "temperature"
}
# Of each network: itself and Adam's moments; the critics' target networks.
_ACTOR = ("", ".first_moment", ".second_moment")
_CRITIC = (*_ACTOR, ".target")
_STORES = ("real", "imagined")


@dataclass(frozen=True)
class AgentDescription:
    """What an agent is, but for the numbers of its networks and its replay."""

    state_dim: int
    bounds: tuple[NDArray[np.float64], NDArray[np.float64]]
    settings: SACSettings
    steps: int

    def sizes(self) -> dict[str, list[int]]:
        """Returns the inputs, hidden units and outputs of each network."""
        states, actions = self.state_dim, len(self.bounds[0])
        hidden = list(self.settings.hidden)
        critic = [states + actions, *hidden, 1]
        return {"actor": [states, *hidden, 2 * actions], "critic_0": critic, "critic_1": critic}

    def columns(self) -> dict[str, int]:
        """Returns the columns of each part of a transition, in the order of the core."""
        states, actions = self.state_dim, len(self.bounds[0])
        return {
            "states": states,
            "actions": actions,
            "rewards": 1,
            "terminated": 1,
            "next_states": states,
        }


@dataclass(frozen=True)
class _Counters:
    """How far an agent is, and where the next transition of each store goes."""

    updates: int
    draws: int
    next: dict[str, int]


def layers_of(flat: NDArray[Any], sizes: Sequence[int]) -> Layers:
    """Cuts the numbers of a network into weights (outputs, inputs) and biases (outputs,)."""
    layers: Layers = []
    at = 0
    for inputs, outputs in pairwise(sizes):
        end = at + inputs * outputs
        layers.append((flat[at:end].reshape(outputs, inputs), flat[end : end + outputs]))
        at = end + outputs
    return layers


def write(
    path: str | os.PathLike[str], core: _core.Sac, agent: AgentDescription, replay: bool
) -> None:
    """Writes an agent; the transitions only with `replay`."""
    files.write_model_file(path, KIND, *parts(core, agent, replay))


def read(path: str | os.PathLike[str], threads: int) -> tuple[AgentDescription, _core.Sac]:
    """Reads what `write` wrote.

    Raises:
        ModelFileError: the file is damaged, altered, or holds no agent.
    """
    kind, arrays, header = files.read_model_file(path)
    name = os.fspath(path)
    if kind != KIND:
        raise ModelFileError(f"{name}: of kind {kind!a:.60}, must be {KIND}")
    return from_parts(name, arrays, header, threads)


def from_parts(
    name: str, arrays: Arrays, header: dict[str, Any], threads: int
) -> tuple[AgentDescription, _core.Sac]:
    """Makes the agent of a file; memory is taken only for arrays that are in the file.

    Raises:
        ModelFileError: the parts do not make an agent.
    """
    try:
        agent, counters = _checked(arrays, header)
        core = agent.settings.core(agent.state_dim, agent.bounds, threads)
        _restore(core, arrays, counters)
    except (ArithmeticError, MemoryError, TypeError, ValueError) as error:
        raise ModelFileError(f"{name}: not usable as {KIND}: {error}") from error
    return agent, core


def parts(core: _core.Sac, agent: AgentDescription, replay: bool) -> tuple[Arrays, dict[str, Any]]:
    """Returns the arrays and the header of a file."""
    arrays: dict[str, NDArray[Any]] = {
        "action_low": agent.bounds[0],
        "action_high": agent.bounds[1],
    }
    numbers, sizes = core.numbers(), agent.sizes()
    for name, flat in numbers.items():
        layers = layers_of(flat, sizes[name.partition(".")[0]])
        for layer, (weights, biases) in enumerate(layers):
            arrays[f"{name}.weights.{layer}"] = weights
            arrays[f"{name}.biases.{layer}"] = biases
    *temperature, updates, draws = core.counters()
    arrays["temperature"] = np.array(temperature)
    stores: dict[str, Any] = {}
    for store in _STORES if replay else ():
        rows, following = core.transitions(store == "imagined")
        stores[store] = {"size": len(rows), "next": following}
        splits = np.cumsum(list(agent.columns().values()))[:-1]
        for name, part in zip(agent.columns(), np.split(rows, splits, axis=1), strict=True):
            arrays[f"{store}.{name}"] = part
    settings = {**asdict(agent.settings), "hidden": list(agent.settings.hidden)}
    for name, kind in _SETTINGS.items():
        if kind is float:
            settings[name] = float(settings[name])
    return arrays, {
        "state_dim": agent.state_dim,
        "action_dim": len(agent.bounds[0]),
        "settings": settings,
        "counters": {"steps": agent.steps, "updates": updates, "draws": draws},
        "replay": stores,
    }


def _checked(arrays: Arrays, header: dict[str, Any]) -> tuple[AgentDescription, _Counters]:
    """Returns what the header describes, once the arrays are known to be those it needs.

    Raises:
        ModelFileError: a field or an array is missing, too many, or of another type or shape.
    """
    top = files.fields(header, "header", _HEADER)
    state_dim, action_dim = top["state_dim"], top["action_dim"]
    if state_dim < 1 or action_dim < 1:
        raise ModelFileError(f"header: {state_dim} states and {action_dim} actions, must be >= 1")
    settings = _settings(top["settings"])
    counters = files.fields(top["counters"], "counters", _COUNTERS)
    if min(counters.values()) < 0 or counters["draws"] >= 2**64:
        raise ModelFileError("counters: must be from 0 to 2**64 - 1")
    if set(top["replay"]) not in (set(), set(_STORES)):
        raise ModelFileError("replay: must be of both stores, or of none")
    replay = {name: files.fields(value, name, _STORE) for name, value in top["replay"].items()}
    bounds = _bounds(arrays, action_dim)
    agent = AgentDescription(state_dim, bounds, settings, counters["steps"])
    files.named_arrays(arrays, _wanted(agent, replay))
    for store in replay:
        if not np.isin(arrays[f"{store}.terminated"], (0.0, 1.0)).all():
            raise ModelFileError(f"array '{store}.terminated': must be 0 or 1")
        if (np.abs(arrays[f"{store}.actions"]) > 1.001).any():
            raise ModelFileError(f"array '{store}.actions': must be from -1 to 1")
    for name in (n for n in arrays if ".second_moment." in n):
        if (arrays[name] < 0.0).any():
            raise ModelFileError(f"array {name!r}: must not be negative")
    if arrays["temperature"][2] < 0.0:
        raise ModelFileError("array 'temperature': its second moment must not be negative")
    following = {store: fields["next"] for store, fields in replay.items()}
    return agent, _Counters(counters["updates"], counters["draws"], following)


def _restore(core: _core.Sac, arrays: Arrays, counters: _Counters) -> None:
    """Puts the numbers of a checked file into an agent of its settings."""
    names = [f"actor{part}" for part in _ACTOR]
    names += [f"critic_{k}{part}" for k in (0, 1) for part in _CRITIC]
    flat: dict[str, NDArray[Any]] = {}
    for name in names:
        parts: list[NDArray[Any]] = []
        while f"{name}.weights.{len(parts) // 2}" in arrays:
            layer = len(parts) // 2
            parts += [arrays[f"{name}.weights.{layer}"].ravel(), arrays[f"{name}.biases.{layer}"]]
        flat[name] = np.concatenate(parts)
    core.set_numbers(flat)
    for store, following in counters.next.items():
        columns = ("states", "actions", "rewards", "terminated", "next_states")
        rows = np.concatenate([arrays[f"{store}.{name}"] for name in columns], axis=1)
        core.set_transitions(store == "imagined", np.ascontiguousarray(rows), following)
    logarithm, first, second = map(float, arrays["temperature"])
    core.set_counters(logarithm, first, second, counters.updates, counters.draws)


def _bounds(arrays: Arrays, action_dim: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the box of actions; `named_arrays` checks the rest once the sizes are known."""
    low, high = (arrays.get(name, np.empty(0)) for name in ("action_low", "action_high"))
    if low.shape != (action_dim,) or high.shape != (action_dim,):
        raise ModelFileError(
            f"arrays 'action_low' and 'action_high': got shapes {low.shape} and {high.shape}, must "
            f"be of {action_dim} actions"
        )
    return low, high


def _settings(stored: dict[str, Any]) -> SACSettings:
    fixed = type(None) if stored.get("temperature", 0.0) is None else float
    settings = files.fields(stored, "settings", {**_SETTINGS, "temperature": fixed})
    if any(type(units) is not int for units in settings["hidden"]):
        raise ModelFileError("settings: 'hidden' must be whole numbers")
    if any(units < 1 for units in settings["hidden"]):
        raise ModelFileError("settings: 'hidden' must be numbers of at least 1")
    if not 0 <= settings["seed"] < 2**64:
        raise ModelFileError("settings: 'seed' must be from 0 to 2**64 - 1")
    return SACSettings(**{**settings, "hidden": tuple(settings["hidden"])})


def _wanted(
    agent: AgentDescription, replay: dict[str, dict[str, Any]]
) -> dict[str, tuple[str, tuple[int, ...]]]:
    wanted: dict[str, tuple[str, tuple[int, ...]]] = {"temperature": ("float64", (3,))}
    for end in ("low", "high"):
        wanted[f"action_{end}"] = ("float64", agent.bounds[0].shape)
    for network, sizes in agent.sizes().items():
        for part in _ACTOR if network == "actor" else _CRITIC:
            for layer, (inputs, outputs) in enumerate(pairwise(sizes)):
                wanted[f"{network}{part}.weights.{layer}"] = ("float32", (outputs, inputs))
                wanted[f"{network}{part}.biases.{layer}"] = ("float32", (outputs,))
    for store, fields in replay.items():
        for name, columns in agent.columns().items():
            wanted[f"{store}.{name}"] = ("float32", (fields["size"], columns))
    return wanted
