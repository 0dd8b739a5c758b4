"""What a planner's settings are to the code that plans by them."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from dataclasses import fields
from functools import cache
from typing import Any, TypeAlias, TypeVar, cast

from dynaplan import _core, _spaces, _texts
from dynaplan._docstrings import shares_arguments
from dynaplan.errors import ArgumentError
from dynaplan.rewards.terms import Reward
from dynaplan.rollouts.disagreement import DisagreementLimit
from dynaplan.rollouts.risk import Risk
from dynaplan.rollouts.rollout import MEAN, Propagation

__all__ = ["CoreSettings", "PlannerSettings"]
__all__ += ["require_planner", "search_settings", "shared_settings_last"]

CoreSettings: TypeAlias = _core.SamplingPlanner | _core.GradientPlanner

_Class = TypeVar("_Class", bound=type[Any])


class PlannerSettings(ABC):
    """What a prepared planner reads; the values here are those of a planner without such a setting.

    Such a planner goes by the mean prediction of one particle, however far the members disagree.
    """

    horizon: int
    candidates: int = 1
    propagation: Propagation = "mean"
    particles: int = 1
    risk: Risk = MEAN
    disagreement_limit: DisagreementLimit | None = None
    discount: float
    clip: float | None = None
    threads: int

    @abstractmethod
    def _settings(self) -> CoreSettings:
        """Returns the settings as the core reads them; the core checks their ranges."""

    def _first_planner(self) -> PlannerSettings | None:
        """Returns the planner whose plan this one improves, if any."""
        return None

    def _between(self, low: Any, high: Any) -> PlannerSettings:  # no choices here
        """Returns the planner with those of its choices of actions that lie between (A,) bounds."""
        return self

    def _for_space(self, action_space: Any) -> PlannerSettings:
        """Returns the settings with which to choose from these actions.

        Raises:
            ArgumentError: this planner cannot choose from them.
        """
        if _spaces.is_discrete(action_space):
            raise ArgumentError(
                f"action_space: got {_texts.shown(action_space)}, must be a Box or a pair (low, "
                f"high) for {type(self).__name__}, which draws from a continuous range; "
                "CategoricalCEM() chooses among discrete actions"
            )
        return self

    def _check_reward(self, reward: Reward) -> None:  # noqa: B027  # most planners take any
        """Refuses a reward that this planner cannot plan for."""


def require_planner(planner: Any) -> None:
    """Refuses what is no planner.

    Raises:
        TypeError: it is none, or a class of planners.
    """
    if not isinstance(planner, PlannerSettings):
        got = _texts.shown(planner)
        raise TypeError(f"planner: got {got}, must be a planner, such as CEM(horizon=20)")


def search_settings(planner: PlannerSettings, *without: str) -> dict[str, Any]:
    """Returns the settings of the search itself by name, without those of the rollouts.

    Of one number for all, or one for each, it makes a tuple, of None an empty one.
    """
    settings = {}
    for name, is_one_or_each in _search_names(type(planner), without):
        value = getattr(planner, name)
        if is_one_or_each and not isinstance(value, tuple):
            value = () if value is None else (value,)
        settings[name] = value
    return settings


@cache
def _search_names(kind: type[PlannerSettings], without: tuple[str, ...]) -> list[tuple[str, bool]]:
    """Returns the names, and which of them are one number for all, or one for each."""
    rollouts = inspect.get_annotations(PlannerSettings).keys() - {"horizon", "candidates"}
    return [
        (field.name, str(field.type).startswith("float | Sequence[float]"))
        for field in fields(cast(Any, kind))
        if field.name not in rollouts and field.name not in without
    ]


def shared_settings_last(cls: _Class) -> _Class:
    """Completes a planner's dataclass: its docstring describes the settings of its bases too.

    A dataclass lists the fields of its bases first. All are keyword-only, so that the order is for
    readers alone: here a planner's own settings come first.
    """
    names = [name for base in cls.__mro__ for name in inspect.get_annotations(base)]
    fields_by_name = cls.__dataclass_fields__
    cls.__dataclass_fields__ = dict(sorted(fields_by_name.items(), key=lambda f: names.index(f[0])))
    signature = inspect.signature(cls.__init__)
    first, *parameters = signature.parameters.values()
    parameters.sort(key=lambda parameter: names.index(parameter.name))
    cls.__init__.__signature__ = signature.replace(parameters=[first, *parameters])
    return shares_arguments(*cls.__mro__[1:])(cls)
