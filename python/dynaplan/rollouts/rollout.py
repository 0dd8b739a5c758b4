"""Open-loop rollouts of a model: whole trajectories, or only their returns."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _core, _texts
from dynaplan.errors import ArgumentError, ShapeError
from dynaplan.models.interface import Model, angles_of, require_model
from dynaplan.rewards.terms import Reward
from dynaplan.rollouts.arguments import require_termination
from dynaplan.rollouts.disagreement import DisagreementLimit, disagreement_limit_of
from dynaplan.rollouts.known_region import observed_range
from dynaplan.rollouts.risk import Mean, Risk
from dynaplan.rollouts.score import TrajectoryScore, compiled, ended_steps
from dynaplan.rollouts.steps import step_arrays
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
    """Predicts trajectories under given action sequences.

    Args:
        model: the dynamics.
        states: (N, S) initial states, or one (S,) for all; in the states' units.
        actions: (N, H, A) action sequences over H steps.
        propagation: how uncertainty is carried from step to step.
            "mean" (default): the mean prediction is fed back, averaged over the members of an
            ensemble.
            "sample": each next state is drawn from the model's prediction, noise included.
            "ts1": drawn from one member, chosen anew for each particle and step.
            "tsinf": drawn from one member, which a particle keeps; the particles are shared out
            evenly among the members.
            "moment": drawn, then all particles of a candidate are redrawn from the Gaussian of
            their mean and variance, each state separately.
            For a model of one member "ts1" and "tsinf" are the same as "sample".
        particles: trajectories for each action sequence. Default 1; more are useful only where
            they are drawn.
        seed: seed of the noise; None draws anew. The same seed gives the same bits, whatever
            `threads`.
        termination: when a trajectory ends; it then stays in its last state. A term, or a
            function `f(obs, act, next_obs)` on batches. Default: never.
        disagreement_limit: beyond it a trajectory stays in the state before. Default: no limit.
        clip: keep every predicted state within this multiple of the observed range about its
            middle, so that a polynomial cannot diverge. Default: not clipped.
        dtype: numpy.float32 or numpy.float64. Default: float32 if `actions` are, else float64.
        threads: threads to use. Default 1.
        out: C-contiguous array of the result's shape and dtype to write into, which saves an
            allocation. Default: a new array.

    Returns:
        (N, H + 1, S), or with several particles (N, P, H + 1, S); the first is the initial state.
        `out` where it is given.

    Raises:
        ShapeError: an array has the wrong shape.
        ArgumentError: a state or action is not finite, or an argument is out of range.
        TypeError: an argument is of the wrong type.

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
    require_termination(termination)
    count, horizon = sequences.shape[:2]
    shape = (count, particles, horizon + 1, model.state_dim)
    wanted = shape if particles > 1 else (count, horizon + 1, model.state_dim)
    if out is None:
        out = np.empty(wanted, sequences.dtype)
    else:
        _require_result(out, wanted, sequences.dtype)
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
        _arrays.count("threads", threads, 1),
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
    """Predicts the returns of action sequences without keeping their trajectories.

    Args:
        model: the dynamics.
        reward: a term, a sum of terms, or a function `f(obs, act, next_obs)` on batches.
        states: (N, S) initial states, or one (S,) for all; in the states' units.
        actions: (N, H, A) action sequences over H steps.
        propagation: how uncertainty is carried from step to step: "mean" (default) feeds back the
            mean prediction; "sample" draws each next state; "ts1" draws it from a member chosen
            anew at each step, "tsinf" from the member that a particle keeps; "moment" redraws the
            particles from their Gaussian after each step.
        particles: trajectories for each action sequence. Default 1; more are useful only where
            they are drawn.
        risk: reduces the returns of the particles to one number. Default: their mean.
        seed: seed of the noise; None draws anew. The same seed gives the same bits, whatever
            `threads`.
        discount: weight of each step relative to the one before, in (0, 1]. Default 1.
        previous_action: (A,) applied before the first step, for `action_change_cost`. Default:
            the first action, so that it costs no change.
        termination: when a trajectory ends; later steps have no reward. A term, or a function
            `f(obs, act, next_obs)` on batches. Default: never.
        disagreement_limit: beyond it a candidate is rejected, with a return of -inf, or its reward
            stops. Default: no limit.
        clip: keep every predicted state within this multiple of the observed range about its
            middle, so that a polynomial cannot diverge. Default: not clipped.
        dtype: numpy.float32 or numpy.float64. Default: float32 if `actions` are, else float64.
        threads: threads to use. Default 1.

    Returns:
        (N,) returns, in the reward's unit.

    Raises:
        ShapeError: an array has the wrong shape.
        ArgumentError: a state or action is not finite, an argument is out of range, or the risk
            measure does not fit the model and the particles.
        TypeError: an argument is of the wrong type.

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
        if not np.isfinite(previous).all():
            raise ArgumentError(f"previous_action: got {previous}, must be finite")
    spread = spread_of(propagation, particles, risk)
    disagreement = disagreement_limit_of(disagreement_limit)
    limits = state_limits(model, clip)
    number = _arrays.seed_number(seed)
    threads = _arrays.count("threads", threads, 1)
    discount = _arrays.positive_fraction("discount", discount)
    scored = compiled(reward, termination)
    if scored is not None:
        compiled_reward, compiled_termination = scored
        return _core.returns(
            model.dynamics,
            compiled_reward,
            first,
            sequences,
            None
            if previous is None
            else _arrays.narrowed("previous_action", previous, sequences.dtype.type),
            compiled_termination,
            limits,
            discount,
            spread,
            disagreement,
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
        model.dynamics, first, sequences, None, limits, spread, disagreement, number, threads, out
    )
    totals = score(
        out.reshape(-1, horizon + 1, model.state_dim),
        np.repeat(sequences, particles, axis=0),
        None if steps_within_limit is None else steps_within_limit.ravel(),
    )
    reduced = _core.reduce(model.dynamics, spread, totals.reshape(count, particles))
    return reduced.astype(sequences.dtype)


def spread_of(propagation: Propagation, particles: int, risk: Risk) -> _core.Particles:
    """Returns the number of particles, how they spread and how their returns are reduced."""
    if not isinstance(risk, Risk):
        raise TypeError(f"risk: got {_texts.shown(risk)}, must be a measure of dp.risk")
    _arrays.choice("propagation", propagation, "mean", "sample", "ts1", "tsinf", "moment")
    return _core.Particles(propagation, _arrays.count("particles", particles), *risk._reduction())


def start_and_actions(
    model: Model, states: ArrayLike, actions: ArrayLike, dtype: Dtype | None
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Returns (N or 1, S) states and (N, H, A) actions of one dtype."""
    require_model(model)
    if dtype is None:
        dtype = np.float32 if getattr(actions, "dtype", None) == np.float32 else np.float64
    else:
        is_single = _arrays.float_name("dtype", dtype) == "float32"
        dtype = np.float32 if is_single else np.float64
    sequences = _arrays.numbers("actions", actions, dtype)
    if sequences.ndim != 3 or sequences.shape[2] != model.action_dim:
        raise ShapeError(
            f"actions: got shape {sequences.shape}, must be (N, H, {model.action_dim}) = "
            "(candidates, horizon, actions)"
        )
    if not sequences.size:
        raise ShapeError(
            f"actions: got {len(sequences)} candidates with a horizon of {sequences.shape[1]}, "
            "must be at least 1 each"
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
    clip = _arrays.real("clip", clip)
    if not 0.0 < clip < np.inf:
        raise ArgumentError(f"clip: got {clip}, must be finite and above 0")
    low, high = observed_range(model)
    low, high = low[: model.state_dim], high[: model.state_dim]
    # A state that never varied has no range, nor has one that was never observed; an angle needs
    # none, as it is kept in its own or goes round and round.
    bounded = np.isfinite(low) & np.isfinite(high) & (high > low)
    bounded[angles_of(model).columns] = False
    if not bounded.any():
        return None
    low, high = np.where(bounded, low, 0.0), np.where(bounded, high, 0.0)
    with np.errstate(over="ignore"):  # beyond the largest number there is no limit
        reach = np.where(bounded, 0.5 * clip * (high - low), np.inf)
    middle = 0.5 * (low + high)
    return middle - reach, middle + reach


def _require_result(out: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    if not isinstance(out, np.ndarray) or isinstance(out, np.ma.MaskedArray):
        raise TypeError(f"out: got {_texts.shown(out)}, must be a plain NumPy array")
    if out.dtype != dtype or not out.flags.c_contiguous or not out.flags.writeable:
        layout = "" if out.flags.c_contiguous and out.flags.writeable else "read-only or strided, "
        raise ArgumentError(
            f"out: got an array that is {layout}of dtype {out.dtype}, must be writeable, "
            f"C-contiguous and of dtype {dtype}"
        )
    if out.shape != shape:
        raise ShapeError(f"out: got shape {out.shape}, must be {shape}")


def _hold_after_end(trajectories: NDArray[Any], ended: NDArray[np.bool_]) -> None:
    horizon = ended.shape[1]
    last = np.where(ended.any(axis=1), ended.argmax(axis=1) + 1, horizon)
    for candidate in np.flatnonzero(last < horizon):
        trajectories[candidate, last[candidate] + 1 :] = trajectories[candidate, last[candidate]]
