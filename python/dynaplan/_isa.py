"""Chooses the compiled module for this processor and makes it known as `dynaplan._core`."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from types import ModuleType

from dynaplan.errors import IsaError

_PREFIX = "_core_"
_VARIABLE = "DYNAPLAN_ISA"


def _built_levels() -> list[str]:
    package = sys.modules["dynaplan"]
    names = (module.name for module in pkgutil.iter_modules(package.__path__))
    return sorted(name.removeprefix(_PREFIX) for name in names if name.startswith(_PREFIX))


def _runnable(levels: list[str], processor_level: int) -> list[str]:
    return [level for level in levels if level == "generic" or int(level[1:]) <= processor_level]


def choose_level(built: list[str], processor_level: int, requested: str | None) -> str:
    """Returns the level to import.

    Args:
        built: levels that this installation holds, such as `["v3", "v4"]`.
        processor_level: the processor's x86-64 level, 0 on other processors.
        requested: the value of `DYNAPLAN_ISA`, or None.

    Raises:
        IsaError: the requested level is not built or not in this processor, or none fits.
    """
    runnable = _runnable(built, processor_level)
    holds = ", ".join(built) or "none"
    if requested:
        if requested not in built:
            raise IsaError(f"{_VARIABLE}={requested} was requested, but this build holds {holds}")
        if requested not in runnable:
            raise IsaError(
                f"{_VARIABLE}={requested} was requested, but this processor has x86-64 level "
                f"v{processor_level} only; unset {_VARIABLE}"
            )
        return requested
    if not runnable:
        raise IsaError(
            f"no build for this processor (x86-64 level v{processor_level}); this build holds "
            f"{holds}; install from source here, or with -C cmake.define.DYNAPLAN_ISA=generic"
        )
    # "generic" sorts before "v2" ... "v4", so the last one is the fastest.
    return runnable[-1]


def load_core() -> ModuleType:
    """Imports the chosen compiled module; a module that fails to import raises."""
    select = importlib.import_module("dynaplan._select")
    level = choose_level(
        _built_levels(), select.processor_level(), os.environ.get(_VARIABLE) or None
    )
    core = importlib.import_module(f"dynaplan.{_PREFIX}{level}")
    sys.modules["dynaplan._core"] = core
    sys.modules["dynaplan"]._core = core  # type: ignore[attr-defined]
    if hasattr(os, "register_at_fork"):
        # libgomp's workers do not survive a fork, and a child that waits for them hangs.
        os.register_at_fork(before=core.pause_threads)
    return core


def build_info() -> dict[str, object]:
    """Tells how this installation was built and which instruction set it runs.

    Returns:
        `version`, `isa` (the level in use), `isa_available` (the levels built), `compiler`,
        `eigen` (version), `eigen_threads` (always 1: the core parallelises by itself), `openmp`,
        `vector_lanes_float32`, `fast_math` (always False).

    Example:
        >>> dp.build_info()["eigen_threads"]
        1
    """
    info: dict[str, object] = dict(sys.modules["dynaplan._core"].build_info())
    info["isa_available"] = _built_levels()
    return info
