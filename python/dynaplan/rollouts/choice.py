"""Which of several models to take: the simplest that is not distinguishably worse than the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dynaplan import _tables
from dynaplan.rollouts.paired_errors import Draws, ModelErrors

__all__ = ["Choice", "chosen_of"]

_CHANCE = 0.1  # of being as good as a better one, so as to be taken for being simpler
_NEARLY = 1.1  # times the best error, where nothing says what is chance


class Choice(NamedTuple):
    """Which model to take, and why.

    Attributes:
        best: the one with the smallest error, or None.
        chosen: the one to take, or None where no model is worth it.
        as_good: for each model the share of the draws in which it is at least as good as the best.
        reason: a sentence or two.
    """

    best: str | None
    chosen: str | None
    as_good: dict[str, float]
    reason: str


def chosen_of(
    models: Mapping[str, ModelErrors],
    baselines: Mapping[str, ModelErrors],
    simplicity: Sequence[str],
    draws: Draws,
) -> Choice:
    """Chooses by the errors over all steps.

    Args:
        models: those that could be evaluated.
        baselines: predictions without a model.
        simplicity: the names of the models, the simplest first.
        draws: of the units of the held-out data.
    """
    if not models:
        return Choice(None, None, {}, "none: no model could be evaluated")
    best = min(simplicity, key=lambda name: models[name].error)
    as_good = {name: draws.as_good(errors, models[best]) for name, errors in models.items()}
    able = [name for name in simplicity if _is_as_good(name, best, models, as_good, draws)]
    chosen = able[0]
    if not _beats(models[chosen], baselines, draws):
        # The simplest one may owe that it is not worse than the best to a wide spread.
        chosen = best
    if not _beats(models[chosen], baselines, draws):
        return Choice(best, None, as_good, _no_better(best, models[best], baselines))
    is_simplest = chosen == simplicity[0]
    return Choice(
        best, chosen, as_good, _why(chosen, best, as_good, draws, is_simplest=is_simplest)
    )


def _is_as_good(
    name: str,
    best: str,
    models: Mapping[str, ModelErrors],
    as_good: Mapping[str, float],
    draws: Draws,
) -> bool:
    """Returns whether a model is not distinguishably worse than the best, and no more dangerous."""
    if name == best:
        return True
    if models[name].run_away > models[best].run_away:
        return False
    if draws.drawn is None:
        return models[name].error <= _NEARLY * models[best].error
    return as_good[name] >= _CHANCE


def _beats(model: ModelErrors, baselines: Mapping[str, ModelErrors], draws: Draws) -> bool:
    if draws.drawn is None:
        return all(_NEARLY * model.error < one.error for one in baselines.values())
    return all(draws.as_good(one, model) < _CHANCE for one in baselines.values())


def _no_better(best: str, errors: ModelErrors, baselines: Mapping[str, ModelErrors]) -> str:
    idle = min(baselines, key=lambda name: baselines[name].error)
    return (
        f"none: no model is distinguishably better than the prediction {idle!r} "
        f"(error {_tables.number(baselines[idle].error, 3)}; the best, {best}, has "
        f"{_tables.number(errors.error, 3)}). There is nothing to learn that far ahead, or the "
        "data are too few to show it"
    )


def _why(
    chosen: str, best: str, as_good: Mapping[str, float], draws: Draws, *, is_simplest: bool
) -> str:
    if len(as_good) == 1:
        return f"{chosen}: the only model that could be evaluated, and better than without one"
    if chosen == best:
        simpler = "it is the simplest" if is_simplest else "no simpler one is as good"
        return f"{chosen}: the smallest error, and {simpler}"
    if draws.drawn is None:
        return (
            f"{chosen}: the simplest within 10 % of the smallest error, which is that of {best}; "
            "the held-out data are too few to say what is chance"
        )
    return (
        f"{chosen}: the simplest that is not distinguishably worse than {best}, which has the "
        f"smallest error: it is at least as good in {as_good[chosen]:.0%} of the draws of the "
        "held-out data"
    )
