"""`load`: reads any file that this package writes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from dynaplan import _archives, _arrays, _disk, files
from dynaplan.agents.sac import files as sac_files
from dynaplan.agents.sac.sac import SAC
from dynaplan.agents.tabular.dyna_q import DynaQ
from dynaplan.agents.tabular.dyna_q_plus import DynaQPlus
from dynaplan.agents.tabular.interface import TabularAgent
from dynaplan.agents.tabular.prioritized_sweeping import PrioritizedSweeping
from dynaplan.data.loading import load_transitions
from dynaplan.errors import ArgumentError, ModelFileError
from dynaplan.loops import checkpoints
from dynaplan.models.files import KINDS, model_from_parts
from dynaplan.terminations.learned import LearnedTermination

if TYPE_CHECKING:
    from gymnasium import Env

__all__ = ["load"]

# A kind is the name of its class.
_TABULAR: dict[str, type[TabularAgent]] = {
    cls.__name__: cls for cls in (DynaQ, DynaQPlus, PrioritizedSweeping)
}


def load(
    path: str | os.PathLike[str], env: Env[Any, Any] | None = None, *, threads: int = 1
) -> Any:
    """Reads a model, an agent, a termination or transitions that their `save` wrote; runs nothing.

    What is loaded behaves as what was saved, to the bit, on the same instruction set: a model
    predicts the same, an agent continues to learn as if it had never stopped. A file that is not
    exactly what `save` writes is refused, whoever made it, before memory beyond its own size is
    taken. Checkpoints of `Dyna` and `MBPO` are read by their `restore`, since the settings of the
    loop are not in the file.

    Args:
        path: name of the file.
        env: of an agent: a `SAC` needs one only to learn in, an agent with tables always; with the
            spaces it had. None for all else.
        threads: of a `SAC`, as in its constructor; nothing else has threads of its own.

    Returns:
        An object of the class that was saved.

    Raises:
        ModelFileError: the file is truncated, altered, holds nothing of the kind, or is from a
            later version; the message names the file and what is wrong.
        ShapeError, TypeError: `env` has other spaces than the agent.
        ArgumentError: likewise, or there must be an environment, or must not.
        OSError: the file does not exist or cannot be read.

    Example:
        >>> data = dp.Transitions([[0.], [1.], [.5], [-1.], [2.]],
        ...                       [[1.], [0.], [-1.], [1.], [-.5]],
        ...                       [[1.], [.5], [-.75], [.5], [.5]])
        >>> dp.LinearGaussian.fit(data).save("model.safetensors")
        >>> dp.load("model.safetensors")
        LinearGaussian(Identity(), state_dim=1, action_dim=1, rows=5, rank=3 of 3)
    """
    _arrays.count("threads", threads, 1)
    with _disk.opened(files.path_of(path)) as file:
        beginning = file.read(_archives.FIRST_BYTES)
    name = os.fspath(path)
    if _archives.first_name(beginning) is not None:
        if checkpoints.is_checkpoint(beginning):
            raise ModelFileError(
                f"{name}: the checkpoint of a loop, whose settings are not in the file; make the "
                "loop with its settings, such as dp.MBPO(env, ...), and call its restore(path)"
            )
        _require_no_env(env, name, "transitions")
        return load_transitions(path)
    kind, arrays, header = files.read_model_file(path)
    if kind in KINDS:
        _require_no_env(env, name, "a model")
        return model_from_parts(name, kind, arrays, header)
    if kind == LearnedTermination.__name__:
        _require_no_env(env, name, "a termination")
        return LearnedTermination._from_file(name, arrays, header)
    if kind == sac_files.KIND:
        return SAC._from_file(sac_files.from_parts(name, arrays, header, threads), env, threads)
    if kind in _TABULAR:
        if env is None:
            raise ArgumentError(f"env: got None, must be the environment of the {kind} in {name}")
        return _TABULAR[kind]._from_file(name, arrays, header, env)
    known = ", ".join([*KINDS, LearnedTermination.__name__, sac_files.KIND, *_TABULAR])
    raise ModelFileError(f"{name}: of kind {kind!a:.60}, must be one of {known}")


def _require_no_env(env: Env[Any, Any] | None, name: str, what: str) -> None:
    if env is not None:
        raise ArgumentError(f"env: got an environment, must be None as {name} holds {what}")
