"""Which wrapper of Gymnasium makes an environment usable whose spaces are not."""

from __future__ import annotations

from math import prod
from typing import Any

from dynaplan._discrete import MAX_ACTIONS

__all__ = ["cure_for_actions", "cure_for_observations", "cure_for_tables"]

_IMAGE_DIMS = (2, 3)  # (H, W) or (H, W, channels)
_WRAPPERS = "gymnasium.wrappers"


def cure_for_observations(space: Any) -> str:
    """Returns what to do about observations that are no 1-D Box."""
    from gymnasium import spaces  # noqa: PLC0415  # costs 0.3 s that an import must not

    if isinstance(space, spaces.Box) and space.dtype == "uint8" and len(space.shape) in _IMAGE_DIMS:
        return (
            f"models take a row of a few numbers: use, in this order, {_WRAPPERS}."
            "GrayscaleObservation, ResizeObservation, FrameStackObservation where one image shows "
            "no velocities, and FlattenObservation"
        )
    try:
        flat = spaces.flatten_space(space)
    except NotImplementedError:  # of a space that is not Gymnasium's
        flat = None
    if isinstance(flat, spaces.Box):
        return f"use {_WRAPPERS}.FlattenObservation(env)"
    return f"use {_WRAPPERS}.TransformObservation with a function of your own"


def cure_for_actions(space: Any) -> str:
    """Returns what to do about actions of neither a 1-D Box nor a Discrete."""
    from gymnasium import spaces  # noqa: PLC0415  # as above

    if isinstance(space, spaces.MultiDiscrete):
        place = "np.unravel_index(number, space.nvec.ravel())"
        action = f"np.reshape({place}, space.shape) + space.start"
        return _numbered(action, int(prod(space.nvec.ravel().tolist())))
    if isinstance(space, spaces.MultiBinary):
        bits = int(prod(space.shape))
        place = f"np.unravel_index(number, {bits} * (2,))"
        return _numbered(f"np.reshape(np.int8({place}), space.shape)", 2**bits)
    if _is_of_boxes(space):
        return (
            f"with space = env.action_space use {_WRAPPERS}.TransformAction(env, lambda row: "
            "gymnasium.spaces.unflatten(space, row), gymnasium.spaces.flatten_space(space))"
        )
    return (
        f"use {_WRAPPERS}.TransformAction with a 1-D Box or a Discrete, and a function from its "
        "actions to those of the environment"
    )


def cure_for_tables(name: str, space: Any) -> str:
    """Returns what to do about the space of that name where an agent with a table needs a Discrete.

    Empty where no wrapper does it alone, or Gymnasium is too old to have it.
    """
    from gymnasium import spaces, wrappers  # noqa: PLC0415  # as above

    kind = {"observation_space": "Observation", "action_space": "Action"}[name]
    if isinstance(space, spaces.Box) and hasattr(wrappers, f"Discretize{kind}"):
        return f"; use {_WRAPPERS}.Discretize{kind}(env, bins)"
    if kind == "Action" and isinstance(space, spaces.MultiDiscrete | spaces.MultiBinary):
        return f"; {cure_for_actions(space)}"
    return ""


def _numbered(action: str, count: int) -> str:
    """How to number the combinations of several discrete choices."""
    if count > MAX_ACTIONS:
        return (
            "it has too many combinations to be numbered; use "
            f"{_WRAPPERS}.TransformAction with a Discrete of at most {MAX_ACTIONS} of them"
        )
    return (
        f"with space = env.action_space use {_WRAPPERS}.TransformAction(env, lambda number: "
        f"{action}, gymnasium.spaces.Discrete({count}))"
    )


def _is_of_boxes(space: Any) -> bool:
    """Whether it is a Box, or Dict or Tuple of nothing but Boxes, however deep."""
    from gymnasium import spaces  # noqa: PLC0415  # as above

    if isinstance(space, spaces.Dict):
        return all(map(_is_of_boxes, space.spaces.values()))
    if isinstance(space, spaces.Tuple):
        return all(map(_is_of_boxes, space.spaces))
    return isinstance(space, spaces.Box)
