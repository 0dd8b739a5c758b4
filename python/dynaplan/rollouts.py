"""Open-loop rollouts of a model: whole trajectories, or only what they are worth."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _core
from dynaplan.errors import ArgumentError, ShapeError
from dynaplan.models import Model
from dynaplan.rewards import Reward, Term
from dynaplan.terminations import Outside, Termination

__all__ = ["returns", "rollout"]

Propagation = Literal["mean", "sample"]
Dtype = type[np.float32] | type[np.float64]


def rollout(
    model: Model,
    states: ArrayLike,
    actions: ArrayLike,
    *,
    propagation: Propagation = "mean",
    seed: int | None = None,
    termination: Termination | None = None,
    clip: float | None = None,
    dtype: Dtype | None = None,
    threads: int = 1,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Predicts trajectories under given actions.

    Args:
        model: the dynamics.
        states: (N, S) initial states, or one (S,) for all.
        actions: (N, H, A).
        propagation: "mean" feeds each mean prediction back; "sample" adds the model's noise.
        seed: seed of the noise; None draws anew. Same seed, same bits, whatever `threads`.
        termination: where a trajectory ends; it then stays in the state it ended in.
        clip: keep every predicted state within this multiple of the observed range about its
            middle, so that a polynomial cannot run away. Default: not clipped.
        dtype: numpy.float32 or numpy.float64. Default: float32 if `actions` are, else float64.
        threads: threads to use.
        out: (N, H + 1, S) C-contiguous array of the result's dtype to write into, which saves
            the time to make a new one.

    Returns:
        (N, H + 1, S); the first is the initial state. `out` where it is given.

    Raises:
        ShapeError: an array has the wrong shape.
        ArgumentError: a state or action is not finite, or an argument is out of range.

    Example:
        >>> s, a = np.array([[0.0], [1.0], [0.5], [-1.0]]), np.array([[1.0], [0.0], [-1.0], [1.0]])
        >>> model = dp.LinearGaussian.fit(dp.Transitions(s, a, 0.5 * s + a))
        >>> dp.rollout(model, [1.0], np.zeros((1, 3, 1)))[0, :, 0].round(9)
        array([1.   , 0.5  , 0.25 , 0.125])
    """
    first, sequences = start_and_actions(model, states, actions, dtype)
    shape = (len(sequences), sequences.shape[1] + 1, model.state_dim)
    if out is None:
        out = np.empty(shape, sequences.dtype)
    elif out.dtype != sequences.dtype or not out.flags.c_contiguous or not out.flags.writeable:
        raise ArgumentError(
            f"out: must be a writeable C-contiguous array of dtype {sequences.dtype}, "
            f"got dtype {out.dtype}"
        )
    built_in = termination._termination if isinstance(termination, Outside) else None
    _core.rollout(
        model.dynamics,
        first,
        sequences,
        built_in,
        state_limits(model, clip),
        samples(propagation),
        _arrays.seed_number(seed),
        threads,
        out,
    )
    if termination is not None and built_in is None:
        _hold_after_end(out, ended_steps(termination, out, sequences))
    return out


def returns(
    model: Model,
    reward: Reward,
    states: ArrayLike,
    actions: ArrayLike,
    *,
    propagation: Propagation = "mean",
    seed: int | None = None,
    discount: float = 1.0,
    previous_action: ArrayLike | None = None,
    termination: Termination | None = None,
    clip: float | None = None,
    dtype: Dtype | None = None,
    threads: int = 1,
) -> NDArray[Any]:
    """Predicts the total reward of action sequences; no trajectory is kept.

    Args:
        model: the dynamics.
        reward: a term, a sum of terms, or a function `f(obs, act, next_obs)` on batches.
        states: (N, S) initial states, or one (S,) for all.
        actions: (N, H, A).
        propagation: "mean" or "sample", as in `rollout`.
        seed: seed of the noise.
        discount: weight of each step relative to the one before, in (0, 1]. Default 1.
        previous_action: (A,) applied before the first step, for `action_change_cost`.
        termination: where a trajectory ends; what comes after earns nothing.
        clip: as in `rollout`.
        dtype: as in `rollout`.
        threads: threads to use.

    Returns:
        (N,).

    Raises:
        ShapeError: an array has the wrong shape.
        ArgumentError: a state or action is not finite, or an argument is out of range.
    """
    first, sequences = start_and_actions(model, states, actions, dtype)
    previous = None
    if previous_action is not None:
        previous = _arrays.vector("previous_action", previous_action, model.action_dim)
    if not isinstance(reward, Term) or not (
        termination is None or isinstance(termination, Outside)
    ):
        trajectories = rollout(
            model,
            first,
            sequences,
            propagation=propagation,
            seed=seed,
            clip=clip,
            threads=threads,
        )
        score = TrajectoryScore(reward, termination, discount, previous)
        return score(trajectories, sequences).astype(sequences.dtype)
    return _core.returns(
        model.dynamics,
        reward._reward,
        first,
        sequences,
        None if previous is None else previous.astype(sequences.dtype),
        None if termination is None else termination._termination,
        state_limits(model, clip),
        discount,
        samples(propagation),
        _arrays.seed_number(seed),
        threads,
    )


class TrajectoryScore:
    """Scores whole trajectories where the reward or the termination is a Python function.

    Args:
        reward: any reward.
        termination: any termination, or None.
        discount: in (0, 1].
        previous_action: (A,) applied before the first step, or None.
    """

    def __init__(
        self,
        reward: Reward,
        termination: Termination | None,
        discount: float,
        previous_action: NDArray[Any] | None = None,
    ) -> None:
        if not callable(reward):
            raise TypeError(f"reward: got {type(reward).__name__}, must be a term or a function")
        if not 0.0 < discount <= 1.0:
            raise ArgumentError(f"discount: got {discount}, must be in (0, 1]")
        self.reward = reward
        self.termination = termination
        self.discount = discount
        self.previous_action = previous_action

    def __call__(self, trajectories: NDArray[Any], actions: NDArray[Any]) -> NDArray[np.float64]:
        """Returns (N,) totals of `trajectories` (N, H + 1, S) under `actions` (N, H, A)."""
        count, horizon = actions.shape[:2]
        steps = step_arrays(trajectories, actions)
        if isinstance(self.reward, Term):
            first = actions[:, :1] if self.previous_action is None else self.previous_action
            before = np.empty_like(actions)
            before[:, :1], before[:, 1:] = first, actions[:, :-1]
            values = self.reward(*steps, before.reshape(len(steps[1]), -1))
        else:
            values = np.asarray(self.reward(*steps), dtype=np.float64)
        if values.shape != (count * horizon,):
            raise ShapeError(
                f"reward: returned shape {values.shape}, must be ({count * horizon},), "
                "one number per row of the batch"
            )
        rewards = values.reshape(count, horizon)
        if self.termination is not None:
            ended = ended_steps(self.termination, trajectories, actions)
            before_end: NDArray[np.bool_] = np.cumsum(ended, axis=1) - ended == 0
            rewards = np.where(before_end, rewards, 0.0)
        total: NDArray[np.float64] = rewards @ self.discount ** np.arange(horizon)
        return total


def start_and_actions(
    model: Model, states: ArrayLike, actions: ArrayLike, dtype: Dtype | None
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Returns (N or 1, S) states and (N, H, A) actions of one dtype."""
    if dtype is None:
        dtype = np.float32 if getattr(actions, "dtype", None) == np.float32 else np.float64
    elif dtype not in (np.float32, np.float64):
        raise ArgumentError(f"dtype: got {dtype!r}, must be numpy.float32 or numpy.float64")
    sequences = _arrays.numbers("actions", actions, dtype)
    if sequences.ndim != 3 or sequences.shape[2] != model.action_dim:
        raise ShapeError(
            f"actions: got shape {sequences.shape}, must be (N, H, {model.action_dim}) = "
            "(candidates, horizon, actions)"
        )
    first = _arrays.numbers("states", states, dtype)
    if first.shape == (model.state_dim,):
        first = first.reshape(1, -1)
    if first.shape not in ((1, model.state_dim), (len(sequences), model.state_dim)):
        raise ShapeError(
            f"states: got shape {first.shape}, must be ({len(sequences)}, {model.state_dim}) "
            f"or ({model.state_dim},)"
        )
    return first, sequences


def state_limits(
    model: Model, clip: float | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Returns the lowest and highest (S,) states that `clip` allows, or None."""
    if clip is None:
        return None
    if not 0.0 < clip < np.inf:
        raise ArgumentError(f"clip: got {clip}, must be finite and above 0")
    low = model.observed_low[: model.state_dim]
    high = model.observed_high[: model.state_dim]
    # A state that never varied has no range to speak of.
    reach = np.where(high > low, 0.5 * clip * (high - low), np.inf)
    middle = 0.5 * (low + high)
    return middle - reach, middle + reach


def samples(propagation: str) -> bool:
    """Tells whether `propagation` is "sample", or "mean"."""
    if propagation not in ("mean", "sample"):
        raise ArgumentError(f'propagation: got {propagation!r}, must be "mean" or "sample"')
    return propagation == "sample"


def step_arrays(
    trajectories: NDArray[Any], actions: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Returns all steps as batches in float64: (N * H, S), (N * H, A), (N * H, S)."""
    rows = actions.shape[0] * actions.shape[1]
    before, after = trajectories[:, :-1], trajectories[:, 1:]
    return (
        before.astype(np.float64).reshape(rows, -1),
        actions.astype(np.float64).reshape(rows, -1),
        after.astype(np.float64).reshape(rows, -1),
    )


def ended_steps(
    termination: Termination, trajectories: NDArray[Any], actions: NDArray[Any]
) -> NDArray[np.bool_]:
    """Returns (N, H): where a step meets the termination."""
    ended = np.asarray(termination(*step_arrays(trajectories, actions)))
    if ended.shape != (actions.shape[0] * actions.shape[1],):
        raise ShapeError(
            f"termination: returned shape {ended.shape}, must be one bool per row of the batch"
        )
    return ended.astype(np.bool_).reshape(actions.shape[:2])


def _hold_after_end(trajectories: NDArray[Any], ended: NDArray[np.bool_]) -> None:
    horizon = ended.shape[1]
    last = np.where(ended.any(axis=1), ended.argmax(axis=1) + 1, horizon)
    for candidate in np.flatnonzero(last < horizon):
        trajectories[candidate, last[candidate] + 1 :] = trajectories[candidate, last[candidate]]
