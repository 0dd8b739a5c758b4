"""Terms whose weight depends on the step of the horizon."""

from __future__ import annotations

from numpy.typing import ArrayLike

from dynaplan import _arrays, _texts
from dynaplan._recipes import CoreCall
from dynaplan.rewards.terms import Term

__all__ = ["scheduled", "terminal"]


def scheduled(term: Term, weights: ArrayLike) -> Term:
    """Weights a term step by step: `weights[t]` times the term at step t of the horizon.

    Where the weight is 0 the term is not computed. Targets that vary are an argument of the term
    itself, as in `quadratic(weights, target)` with `target` (H, S).

    Args:
        term: any term, or a sum of them.
        weights: (H,), the last one for all later steps.

    Raises:
        TypeError: `term` is a function; let it take the step as its parameter `step`.
        ArgumentError: a weight is not finite.

    Example:
        >>> late = dp.rewards.scheduled(dp.rewards.quadratic([1.0]), [0.0, 1.0, 2.0])
        >>> late([[0]] * 3, [[0]] * 3, [[3.0]] * 3, steps=[0, 1, 2])
        array([  0.,  -9., -18.])
    """
    reward = CoreCall("scheduled_reward", _checked(term), _arrays.vector("weights", weights))
    text = f"scheduled({term!r}, {_texts.brief(weights)})"
    return Term(reward, f"scheduled {term.name}", text=text)


def terminal(term: Term) -> Term:
    """Counts a term at the last step of the horizon alone: a terminal reward.

    It is discounted like any reward of that step; a trajectory that terminates earlier does not
    receive it.

    Args:
        term: any term, or a sum of them.

    Raises:
        TypeError: `term` is a function.

    Example:
        >>> arrive = dp.rewards.terminal(dp.rewards.quadratic([10.0]))
        >>> arrive([[0]] * 2, [[0]] * 2, [[1.0]] * 2, steps=[3, 4], horizon=5)
        array([  0., -10.])
    """
    reward = CoreCall("terminal_reward", _checked(term))
    return Term(reward, f"terminal {term.name}", text=f"terminal({term!r})")


def _checked(term: Term) -> Term:
    if not isinstance(term, Term):
        raise TypeError(
            f"term: got {_texts.shown(term)}, must be a term; a function receives the step in a "
            "parameter named `step`"
        )
    return term
