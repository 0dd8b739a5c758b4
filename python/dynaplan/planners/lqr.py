"""The linear-quadratic regulator: as a planner, and of matrices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _core
from dynaplan.errors import ArgumentError, ShapeError
from dynaplan.planners.action_delay import ActionDelay
from dynaplan.planners.interface import Planner
from dynaplan.planners.lqr_delay import MAX_DELAY, delayed, with_queue_as_state
from dynaplan.planners.regulator import Regulator
from dynaplan.planners.settings import CoreSettings, search_settings, shared_settings_last

__all__ = ["LQR", "lqr"]


@shared_settings_last
@dataclass(frozen=True, kw_only=True)
class LQR(Planner):
    """The best plan of a linear model under a quadratic reward, exactly, with its feedback gains.

    For a `LinearGaussian` of degree 1 and a reward made of `quadratic`, `action_cost`,
    `action_change_cost` and `linear` terms with their targets, whatever their `of`. Where the best
    plan would leave the bounds of the actions it is found within them, by iLQR: to clip the
    feedback of the unconstrained problem would not be optimal. So are limits of states, rates and
    accelerations; `plan.status` says "converged" where no change within all of them promises more.
    States are never clipped.

    Args:
        horizon: steps planned ahead. Default 30.
        infinite_horizon: count what comes after the horizon, without end and as if the bounds
            ended there: the last state is worth what the Riccati equation says. Then the gains are
            the same at all steps, unless bounds are active, and a short horizon is enough. Default
            False: nothing counts after the horizon.

    Raises:
        ArgumentError: a setting is out of range; or, from the plan, the model is not linear, the
            reward not quadratic within the bounds, or there is a termination: use `ILQR`.
        NumericalError: from the plan, there is no best plan: some action costs nothing; or, with
            `infinite_horizon`, an unstable mode cannot be controlled, or a marginally stable one
            costs nothing.

    Source: Anderson & Moore 1990, "Optimal control: linear quadratic methods", ch. 2-4.

    Example:
        >>> s, a = np.array([[0.0], [1.0], [0.5], [-1.0]]), np.array([[1.0], [0.0], [-1.0], [1.0]])
        >>> model = dp.LinearGaussian.fit(dp.Transitions(s, a, 0.5 * s + a))
        >>> reward = dp.rewards.quadratic([1.0], of="state") + dp.rewards.action_cost([1.0])
        >>> planner = dp.LQR(horizon=5, infinite_horizon=True)
        >>> planner.plan(model, reward, [1.0], action_space=([-1], [1])).gains[0].round(6)
        array([[-0.265564]])
    """

    horizon: int = 30
    infinite_horizon: bool = False

    def _settings(self) -> CoreSettings:
        return _core.Lqr(**search_settings(self))


def lqr(
    A: ArrayLike,
    B: ArrayLike,
    Q: ArrayLike,
    R: ArrayLike,
    *,
    N: ArrayLike | None = None,
    c: ArrayLike | None = None,
    state_target: ArrayLike | None = None,
    action_target: ArrayLike | None = None,
    horizon: int | None = None,
    Q_final: ArrayLike | None = None,
    discount: float = 1.0,
    delay_steps: float | Sequence[float] = 0,
) -> Regulator:
    """Solves the linear-quadratic regulator of given matrices, which are costs, not rewards.

    The system is s' = A s + B a + c. Each step costs x'Q x + u'R u + 2 x'N u with x = s -
    state_target and u = a - action_target, and discount times as much as if it came one step
    earlier; smaller is better, as in the literature. The best action is a = k - K s. Each state and
    action, and the costs, may have units of their own, of any size: the problem is solved in units
    that suit it.

    Args:
        A: (S, S).
        B: (S, A).
        Q: (S, S) symmetric; (S,) stands for a diagonal.
        R: (A, A) symmetric; (A,) stands for a diagonal. It may be singular where R + B'P B is not.
        N: (S, A). Default: 0.
        c: (S,) constant part of the next state. Default: 0.
        state_target: (S,). Default: 0.
        action_target: (A,). Default: 0.
        horizon: steps H. Default: an infinite horizon.
        Q_final: (S, S) or (S,) cost of the state after H steps, about `state_target`. Default: Q.
        discount: in (0, 1].
        delay_steps: steps d from sending an action until it acts, or (A,), as of `MPC`, at most
            100. The regulator then takes the d actions under way besides the state, as many as the
            latest entry has; each costs what it does in the step in which its first entry acts, and
            a horizon counts actions that are sent. Default 0.

    Returns:
        The gains and the value; `K` and `P` of an infinite horizon solve the discrete algebraic
        Riccati equation, and all modes of A - B K decay (undiscounted).

    Raises:
        ShapeError: the shapes do not fit.
        ArgumentError: a value is not finite or out of range, or Q or R is not symmetric.
        NumericalError: no action is best, since R + B'P B is not positive definite; or, with an
            infinite horizon, a mode that does not decay cannot be controlled, or a marginally
            stable one costs nothing; or the gains or the costs overflow float64.

    Source: Chu, Fan, Lin & Wang 2004, "Structure-preserving algorithms for periodic discrete-time
    algebraic Riccati equations"; Hewer 1971 (refinement by Newton's method); Moore 1981, "Principal
    component analysis in linear systems" (balanced units).

    Example:
        >>> dp.lqr([[1.1]], [[1.0]], [[1.0]], [[1.0]]).K.round(6)
        array([[0.703428]])
    """
    dynamics = _matrix("A", A, "(S, S)")
    inputs = _matrix("B", B, "(S, A)")
    states, actions = len(dynamics), inputs.shape[1]
    problem = (
        dynamics,
        inputs,
        _weights("Q", Q, states),
        _weights("R", R, actions),
        np.zeros((states, actions)) if N is None else _matrix("N", N, "(S, A)"),
        np.zeros(states) if c is None else _arrays.vector("c", c),
        np.zeros(states) if state_target is None else _arrays.vector("state_target", state_target),
        np.zeros(actions)
        if action_target is None
        else _arrays.vector("action_target", action_target),
        _arrays.real("discount", discount),
    )
    delay = ActionDelay.of(delay_steps, actions, MAX_DELAY)
    undelayed = problem if delay.is_even else with_queue_as_state(problem, delay)
    if horizon is None:
        if Q_final is not None:
            raise ArgumentError("Q_final: got one with an infinite horizon, must be None")
        endless = Regulator(*_core.infinite_horizon_regulator(undelayed))
        return delayed(endless, problem, delay) if delay.queued else endless
    final = _weights("Q_final", Q if Q_final is None else Q_final, states)
    if not delay.is_even:
        if final.shape != (states, states):
            raise ShapeError(f"Q_final: got shape {final.shape}, must be ({states}, {states})")
        final = np.pad(final, (0, len(delay.queue)))
    steps = _core.finite_regulators(
        undelayed,
        horizon=_arrays.count("horizon", horizon),
        final_value=final,
    )
    gains, offsets, values, slopes = (np.stack(parts) for parts in zip(*steps, strict=True))
    regulator = Regulator(gains[:-1], offsets[:-1], values, slopes)
    return delayed(regulator, problem, delay) if delay.queued else regulator


def _matrix(name: str, values: ArrayLike, shape: str) -> NDArray[np.float64]:
    """Returns a matrix, whose sizes the core compares with those of the others."""
    array = _arrays.numbers(name, values)
    if array.ndim != 2 or array.size == 0:
        raise ShapeError(f"{name}: got shape {array.shape}, must be {shape}")
    return array


def _weights(name: str, values: ArrayLike, size: int) -> NDArray[np.float64]:
    """Returns a matrix; a vector, or a number where there is one variable, is its diagonal."""
    array = _arrays.numbers(name, values)
    if array.ndim == 2 and array.size:
        return array
    if array.ndim > 1 or array.size != size:
        raise ShapeError(f"{name}: got shape {array.shape}, must be ({size}, {size}) or ({size},)")
    return np.ascontiguousarray(np.diag(array.reshape(size)))
