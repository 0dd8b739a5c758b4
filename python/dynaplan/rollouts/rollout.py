"""Open-loop rollouts of a model: whole trajectories, or only what they are worth."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _core
from dynaplan.errors import ArgumentError, ShapeError
from dynaplan.models.interface import Model
from dynaplan.rewards.terms import Reward
from dynaplan.rollouts.disagreement import DisagreementLimit, disagreement_limit_of
from dynaplan.rollouts.risk import Mean, Risk
from dynaplan.rollouts.score import TrajectoryScore, compiled, ended_steps, step_arrays
from dynaplan.terminations.terms import Term as TerminationTerm
from dynaplan.terminations.terms import Termination

__all__ = ["Propagation", "returns", "rollout"]

Propagation = Literal["mean", "sample", "ts1", "tsinf", "moment"]
MEAN = Mean()
Dtype = type[np.float32] | type[np.float64]


def rollout(
    model: Model,
    states: ArrayLike,
    actions: ArrayLike,
    *,
    propagation: Propagation = "mean",
    particles: int = 1,
    seed: int | None = None,
    termination: Termination | None = None,
    disagreement_limit: DisagreementLimit | None = None,
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
        propagation: how a distribution of states is carried from step to step.
            "mean" (default): each mean prediction is fed back, all members of an ensemble averaged.
            "sample": each next state is drawn from the model's prediction, noise and all.
            "ts1": drawn from one member, a member drawn anew for each particle and step.
            "tsinf": drawn from one member, the same for a particle's whole life; particles are
            shared out evenly among the members.
            "moment": drawn, then all particles of a candidate are drawn anew from the Gaussian of
            their mean and variance, each state apart.
            For a model of one member "ts1" and "tsinf" are "sample".
        particles: trajectories for each action sequence. Default 1; more make sense where they are
            drawn.
        seed: seed of the noise; None draws anew. Same seed, same bits, whatever `threads`.
        termination: where a trajectory ends; it then stays in the state it ended in.
        disagreement_limit: where the model may be trusted; a trajectory stays where it left.
        clip: keep every predicted state within this multiple of the observed range about its
            middle, so that a polynomial cannot run away. Default: not clipped.
        dtype: numpy.float32 or numpy.float64. Default: float32 if `actions` are, else float64.
        threads: threads to use.
        out: C-contiguous array of the result's shape and dtype to write into, which saves the
            time to make a new one.

    Returns:
        (N, H + 1, S), or with several particles (N, P, H + 1, S); the first is the initial state.
        `out` where it is given.

    Raises:
        ShapeError: an array has the wrong shape.
        ArgumentError: a state or action is not finite, or an argument is out of range.

    Source: Chua et al. 2018, "Deep reinforcement learning in a handful of trials using
    probabilistic dynamics models", sec. 5 (propagation).

    Example:
        >>> s, a = np.array([[0.0], [1.0], [0.5], [-1.0]]), np.array([[1.0], [0.0], [-1.0], [1.0]])
        >>> model = dp.LinearGaussian.fit(dp.Transitions(s, a, 0.5 * s + a))
        >>> dp.rollout(model, [1.0], np.zeros((1, 3, 1)))[0, :, 0].round(9)
        array([1.   , 0.5  , 0.25 , 0.125])
    """
    first, sequences = start_and_actions(model, states, actions, dtype)
    spread = spread_of(propagation, particles, MEAN)
    count, horizon = sequences.shape[:2]
    shape = (count, particles, horizon + 1, model.state_dim)
    wanted = shape if particles > 1 else (count, horizon + 1, model.state_dim)
    if out is None:
        out = np.empty(wanted, sequences.dtype)
    elif out.dtype != sequences.dtype or not out.flags.c_contiguous or not out.flags.writeable:
        raise ArgumentError(
            f"out: must be a writeable C-contiguous array of dtype {sequences.dtype}, "
            f"got dtype {out.dtype}"
        )
    elif out.shape != wanted:
        raise ShapeError(f"out: got shape {out.shape}, must be {wanted}")
    built_in = termination._termination if isinstance(termination, TerminationTerm) else None
    _core.rollout(
        model.dynamics,
        first,
        sequences,
        built_in,
        state_limits(model, clip),
        spread,
        disagreement_limit_of(disagreement_limit),
        _arrays.seed_number(seed),
        threads,
        out.reshape(shape),
    )
    if termination is not None and built_in is None:
        flat = out.reshape(-1, horizon + 1, model.state_dim)
        repeated = np.repeat(sequences, particles, axis=0)
        ended = ended_steps(termination, step_arrays(flat, repeated))
        _hold_after_end(flat, ended.reshape(-1, horizon))
    return out


def returns(
    model: Model,
    reward: Reward,
    states: ArrayLike,
    actions: ArrayLike,
    *,
    propagation: Propagation = "mean",
    particles: int = 1,
    risk: Risk = MEAN,
    seed: int | None = None,
    discount: float = 1.0,
    previous_action: ArrayLike | None = None,
    termination: Termination | None = None,
    disagreement_limit: DisagreementLimit | None = None,
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
        propagation: as in `rollout`.
        particles: trajectories for each action sequence, as in `rollout`.
        risk: what their returns come to. Default: their mean.
        seed: seed of the noise.
        discount: weight of each step relative to the one before, in (0, 1]. Default 1.
        previous_action: (A,) applied before the first step, for `action_change_cost`.
        termination: where a trajectory ends; what comes after earns nothing.
        disagreement_limit: where the model may be trusted, and what leaving it costs.
        clip: as in `rollout`.
        dtype: as in `rollout`.
        threads: threads to use.

    Returns:
        (N,).

    Raises:
        ShapeError: an array has the wrong shape.
        ArgumentError: a state or action is not finite, an argument is out of range, or the risk
            does not go with the model and the particles.

    Example:
        >>> s, a = np.array([[0.0], [1.0], [0.5], [-1.0]]), np.array([[1.0], [0.0], [-1.0], [1.0]])
        >>> model = dp.LinearGaussian.fit(dp.Transitions(s, a, 0.5 * s + a))
        >>> reward = dp.rewards.quadratic([1.0])
        >>> dp.returns(model, reward, [1.0], np.zeros((2, 3, 1))).round(9)
        array([-0.328125, -0.328125])
    """
    first, sequences = start_and_actions(model, states, actions, dtype)
    previous = None
    if previous_action is not None:
        previous = _arrays.vector("previous_action", previous_action, model.action_dim)
    spread = spread_of(propagation, particles, risk)
    ground = disagreement_limit_of(disagreement_limit)
    limits = state_limits(model, clip)
    number = _arrays.seed_number(seed)
    scored = compiled(reward, termination)
    if scored is not None:
        compiled_reward, compiled_termination = scored
        return _core.returns(
            model.dynamics,
            compiled_reward,
            first,
            sequences,
            None if previous is None else previous.astype(sequences.dtype),
            compiled_termination,
            limits,
            discount,
            spread,
            ground,
            number,
            threads,
        )
    score = TrajectoryScore(
        reward,
        termination,
        discount,
        previous_action=previous,
        disagreement_limit=disagreement_limit,
    )
    count, horizon = sequences.shape[:2]
    out = np.empty((count, particles, horizon + 1, model.state_dim), sequences.dtype)
    steps_within_limit = _core.rollout(
        model.dynamics, first, sequences, None, limits, spread, ground, number, threads, out
    )
    totals = score(
        out.reshape(-1, horizon + 1, model.state_dim),
        np.repeat(sequences, particles, axis=0),
        None if steps_within_limit is None else steps_within_limit.ravel(),
    )
    reduced = _core.reduce(model.dynamics, spread, totals.reshape(count, particles))
    return reduced.astype(sequences.dtype)


def spread_of(propagation: Propagation, particles: int, risk: Risk) -> _core.Particles:
    """Returns how many particles there are, how they spread and what their returns come to."""
    if not isinstance(risk, Risk):
        raise TypeError(f"risk: got {type(risk).__name__}, must be one of dp.risk")
    if not isinstance(propagation, str):
        raise TypeError(f"propagation: got {type(propagation).__name__}, must be a name")
    return _core.Particles(propagation, _arrays.integer("particles", particles), *risk._reduction())


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
    # A state that never varied has no range to speak of, nor has one that was never observed.
    bounded = np.isfinite(low) & np.isfinite(high) & (high > low)
    if not bounded.any():
        return None
    low, high = np.where(bounded, low, 0.0), np.where(bounded, high, 0.0)
    reach = np.where(bounded, 0.5 * clip * (high - low), np.inf)
    middle = 0.5 * (low + high)
    return middle - reach, middle + reach


def _hold_after_end(trajectories: NDArray[Any], ended: NDArray[np.bool_]) -> None:
    horizon = ended.shape[1]
    last = np.where(ended.any(axis=1), ended.argmax(axis=1) + 1, horizon)
    for candidate in np.flatnonzero(last < horizon):
        trajectories[candidate, last[candidate] + 1 :] = trajectories[candidate, last[candidate]]
