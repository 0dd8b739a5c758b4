"""`Term`, the built-in reward, and the terms that are quadratic costs."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _core, _texts
from dynaplan._recipes import CoreCall, Recipe, part_of_recipe
from dynaplan.errors import ArgumentError, ShapeError

Of = Literal["state", "next_state"]
_MAX_TEXT = 160
# Of (N, S) states, (N, A) actions, (N, S) next states, and (N,) steps if it has a parameter `step`.
RewardFunction: TypeAlias = Callable[..., ArrayLike]


class Term:
    """A built-in reward; immutable. Add terms with `+`; multiply and weight them with `*`.

    Calling it gives the reward of each row of a batch, so that it can be checked against logged
    data or a real environment.

    Args:
        recipe: how the compiled reward is made; the functions of this module have it.
        name: its row in `Explanation`.
        parts: the terms it is the sum of; none: itself.
        text: the call that makes it, in brief, as its `repr`. Default: its name.
    """

    __slots__ = ("__weakref__", "_parts", "_recipe", "_reward", "_text", "name")
    # An array times a term is no array of terms.
    __array_ufunc__ = None

    def __init__(
        self,
        recipe: Recipe,
        name: str = "term",
        parts: tuple[Term, ...] = (),
        *,
        text: str | None = None,
    ) -> None:
        self._recipe = recipe
        self._reward = part_of_recipe(recipe, _core.Reward, "dp.rewards")
        if not isinstance(parts, tuple) or not all(isinstance(part, Term) for part in parts):
            raise TypeError(f"parts: got {_texts.shown(parts)}, must be a tuple of terms")
        self._parts = parts
        self._text = name if text is None else text
        self.name = name

    def __repr__(self) -> str:
        if len(self._text) <= _MAX_TEXT:
            return self._text
        return f"{self._text[:_MAX_TEXT]} ..." + (f" ({len(self.parts)} terms)" * bool(self._parts))

    def _core_part(self) -> _core.Reward:
        return self._reward

    def __copy__(self) -> Term:
        return self  # immutable

    def __deepcopy__(self, memo: dict[int, Any]) -> Term:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), text=self._text), (self._recipe, self.name, self._parts)

    @property
    def parts(self) -> tuple[Term, ...]:
        """The terms that this one is the sum of; itself where it is no sum."""
        return self._parts or (self,)

    def __call__(
        self,
        states: ArrayLike,
        actions: ArrayLike,
        next_states: ArrayLike,
        previous_actions: ArrayLike | None = None,
        *,
        steps: ArrayLike | None = None,
        horizon: int | None = None,
    ) -> NDArray[np.float64]:
        """Returns the reward of each step.

        Args:
            states: (N, S).
            actions: (N, A).
            next_states: (N, S).
            previous_actions: (N, A) actions one step before, for `action_change_cost`; None:
                nothing changed.
            steps: (N,) the step of the horizon at which each row occurs, from 0, for terms that
                differ from step to step.
            horizon: number of steps, for terms of the last step.

        Returns:
            (N,).

        Raises:
            ShapeError: an array has the wrong shape, or the term does not fit it.
            ArgumentError: the term differs from step to step, and `steps` or `horizon` is missing.
        """
        previous = None
        if previous_actions is not None:
            previous = _arrays.step_rows("previous_actions", previous_actions)
        return self._reward.score(
            _arrays.step_rows("states", states),
            _arrays.step_rows("actions", actions),
            _arrays.step_rows("next_states", next_states),
            previous,
            None if steps is None else _arrays.step_numbers("steps", steps),
            0 if horizon is None else _arrays.count("horizon", horizon),
        )

    def __add__(self, other: Term) -> Term:
        if not isinstance(other, Term):
            return NotImplemented
        terms = self.parts + other.parts
        total = CoreCall("sum_reward", list(terms))
        return Term(total, "sum", terms, text=" + ".join(term._text for term in terms))

    def __radd__(self, other: object) -> Term:
        # What `sum` begins with.
        return self if isinstance(other, int) and other == 0 else NotImplemented

    def __mul__(self, other: Term | float) -> Term:
        if isinstance(other, Term):
            product = CoreCall("product_reward", [self, other], 1.0)
            text = f"{self._factor_text()} * {other._factor_text()}"
            return Term(product, f"{self.name} * {other.name}", text=text)
        if isinstance(other, numbers.Real) or (isinstance(other, np.ndarray) and not other.ndim):
            factor = _arrays.real("weight", other)
            weighted = CoreCall("product_reward", [self], factor)
            weight = f"{factor:g}"
            return Term(
                weighted, f"{weight} * {self.name}", text=f"{weight} * {self._factor_text()}"
            )
        return NotImplemented

    def _factor_text(self) -> str:
        return f"({self._text})" if self._parts else self._text

    __rmul__ = __mul__


Reward: TypeAlias = Term | RewardFunction


def _weight_matrix(weights: ArrayLike) -> NDArray[Any]:
    array = np.atleast_1d(_arrays.numbers("weights", weights))
    if array.ndim > 2 or not array.size:
        raise ShapeError(f"weights: got shape {array.shape}, must be (n,) or (n, n)")
    return np.diag(array) if array.ndim == 1 else array


def of_next(of: str) -> bool:
    """Returns whether a term looks at the state after the step."""
    return _arrays.choice("of", of, "state", "next_state") == "next_state"


def of_text(of: str) -> str | None:
    """Returns `of` as the text of a term shows it: only where it is not the default."""
    return None if isinstance(of, str) and of == "next_state" else of


def quadratic(
    weights: ArrayLike, target: ArrayLike | None = None, *, of: Of = "next_state"
) -> Term:
    """-(s - target)^T W (s - target): stay near a target state.

    Args:
        weights: (S,) one weight per state, or (S, S) symmetric positive semi-definite.
        target: (S,), in the states' units, or (H, S), one row for each step, the last one for all
            later steps. Default: 0.
        of: "next_state" (default), the state after the step, which the action influences, or
            "state", the one before it.

    Raises:
        ShapeError: the shapes do not fit.
        ArgumentError: the matrix is not symmetric or not semi-definite, or a value is not finite.

    Example:
        >>> dp.rewards.quadratic([1.0, 0.5])([[0, 0]], [[0]], [[2.0, 2.0]])
        array([-6.])
    """
    matrix = _weight_matrix(weights)
    centre = step_targets(target, len(matrix))
    reward = CoreCall("quadratic_reward", np.ascontiguousarray(matrix), centre, of_next(of))
    text = _texts.call_text("quadratic", weights, target=target, of=of_text(of))
    return Term(reward, "quadratic", text=text)


def step_targets(target: ArrayLike | None, size: int) -> NDArray[Any]:
    """Returns (steps, size) targets; 0 where there are none."""
    return np.zeros((1, size)) if target is None else _arrays.step_targets("target", target)


def angle(
    weight: float,
    *,
    index: int | None = None,
    cos: int | None = None,
    sin: int | None = None,
    target: ArrayLike = 0.0,
    of: Of = "next_state",
) -> Term:
    """-weight * wrapped^2 with the angle's distance to a target, wrapped to [-pi, pi].

    Args:
        weight: cost per radian squared.
        index: the state that is the angle, in radians; either this or `cos` and `sin` is given.
        cos: the state that is the cosine of the angle.
        sin: the state that is its sine.
        target: in radians, or (H,), one for each step, the last one for all later steps. Default 0.
        of: "next_state" (default), the state after the step, or "state", the one before it.

    Raises:
        ArgumentError: not exactly one of `index` and (`cos`, `sin`) is given, an index is negative,
            or a value is not finite.

    Example:
        >>> dp.rewards.angle(1.0, cos=0, sin=1)([[0, 0]], [[0]], [[0.0, 1.0]]).round(4)
        array([-2.4674])
    """
    weight = _arrays.real("weight", weight)
    angles = np.ascontiguousarray(_arrays.vector("target", target)[:, None])
    if index is not None and cos is None and sin is None:
        entry = _arrays.count("index", index, 0)
        reward = CoreCall("angle_reward", weight, entry, angles, of_next(of))
    elif index is None and cos is not None and sin is not None:
        entries = _arrays.count("cos", cos, 0), _arrays.count("sin", sin, 0)
        reward = CoreCall("direction_reward", weight, *entries, angles, of_next(of))
    else:
        raise ArgumentError("index, cos, sin: give either index, or both cos and sin")
    aim = None if not angles.any() else target
    text = _texts.call_text(
        "angle", weight, index=index, cos=cos, sin=sin, target=aim, of=of_text(of)
    )
    return Term(reward, "angle", text=text)


def action_cost(
    weights: ArrayLike,
    *,
    target: ArrayLike | None = None,
    low: ArrayLike | None = None,
    high: ArrayLike | None = None,
) -> Term:
    """-(a - a*)^T W (a - a*), of the action clipped to [low, high] as many environments clip it.

    Args:
        weights: (A,) one weight per action, or (A, A) symmetric positive semi-definite.
        target: (A,) the action a* that costs nothing, or (H, A), one row for each step, the last
            one for all later steps. Default: 0.
        low: (A,) lower bounds. Default: not clipped below.
        high: (A,) upper bounds. Default: not clipped above.

    Raises:
        ShapeError: the shapes do not fit.
        ArgumentError: the matrix is not symmetric or not semi-definite, or a value is not finite.

    Example:
        >>> dp.rewards.action_cost([0.1], low=[-1], high=[1])([[0]], [[5.0]], [[0]])
        array([-0.1])
    """
    matrix = _weight_matrix(weights)
    size = len(matrix)
    lowest = np.full(size, -np.inf) if low is None else _arrays.vector("low", low)
    highest = np.full(size, np.inf) if high is None else _arrays.vector("high", high)
    targets = step_targets(target, size)
    cost = CoreCall("action_cost", np.ascontiguousarray(matrix), targets, lowest, highest)
    text = _texts.call_text("action_cost", weights, target=target, low=low, high=high)
    return Term(cost, "action_cost", text=text)


def action_change_cost(weights: ArrayLike) -> Term:
    """-(a_t - a_{t-1})^T W (a_t - a_{t-1}): smooth actions.

    At the first step of a plan a_{t-1} is the action that `MPC` applied last; without one the first
    step costs nothing.

    Args:
        weights: (A,) one weight per action, or (A, A) symmetric positive semi-definite.

    Raises:
        ShapeError: the matrix is not square.
        ArgumentError: the matrix is not symmetric or not semi-definite, or a value is not finite.

    Example:
        >>> dp.rewards.action_change_cost([1.0])([[0]], [[3.0]], [[0]], [[1.0]])
        array([-4.])
    """
    cost = CoreCall("action_change_cost", np.ascontiguousarray(_weight_matrix(weights)))
    text = _texts.call_text("action_change_cost", weights)
    return Term(cost, "action_change_cost", text=text)


def predicted() -> Term:
    """The reward that the model itself predicts of a step, for a model fitted with `rewards=True`.

    It has a value only inside rollouts and planners, none for single steps, and cannot be combined
    with a termination or a constraint that is a Python function. A rollout of a model that predicts
    no rewards raises an `ArgumentError`.

    Example:
        >>> reward = dp.rewards.predicted() + dp.rewards.action_cost([0.1])
    """
    return Term(CoreCall("predicted_reward"), "predicted", text="predicted()")
