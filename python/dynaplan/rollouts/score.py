"""Scores of whole trajectories, for rewards and terminations that are Python functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynaplan import _arrays, _callbacks, _core
from dynaplan.rewards.terms import Reward, Term
from dynaplan.rollouts.arguments import require_reward, require_termination
from dynaplan.rollouts.disagreement import DisagreementLimit
from dynaplan.rollouts.steps import Steps, step_arrays, step_values
from dynaplan.rollouts.violations import StepLimits
from dynaplan.terminations.terms import Term as TerminationTerm
from dynaplan.terminations.terms import Termination

__all__ = ["TrajectoryScore", "compiled", "ended_steps"]


class TrajectoryScore:
    """Scores whole trajectories where the reward or the termination is a Python function.

    Args:
        reward: any reward.
        termination: any termination, or None.
        discount: in (0, 1].
        previous_action: (A,) applied before the first step, or None.
        disagreement_limit: beyond which trajectories are rejected, or None.
        limits: what their steps must keep, or they are rejected; or None.
        terminal_value: function of states (N, S) that returns (N,), the value of the last states,
            or None.
    """

    def __init__(
        self,
        reward: Reward,
        termination: Termination | None,
        discount: float,
        *,
        previous_action: NDArray[Any] | None = None,
        disagreement_limit: DisagreementLimit | None = None,
        limits: StepLimits | None = None,
        terminal_value: Callable[[NDArray[Any]], NDArray[np.float64]] | None = None,
    ) -> None:
        require_reward(reward)
        require_termination(termination)
        self.reward = reward
        self.termination = termination
        self.discount = _arrays.positive_fraction("discount", discount)
        self.previous_action = previous_action
        self.limits = limits
        self.terminal_value = terminal_value
        self.rejects = (
            disagreement_limit is not None and disagreement_limit.on_exceeding == "reject"
        )

    def __call__(
        self,
        trajectories: NDArray[Any],
        actions: NDArray[Any],
        steps_within_limit: NDArray[Any] | None = None,
    ) -> NDArray[np.float64]:
        """Returns the total of each trajectory, as `judge` does."""
        return self.judge(trajectories, actions, steps_within_limit)[0]

    def judge(
        self,
        trajectories: NDArray[Any],
        actions: NDArray[Any],
        steps_within_limit: NDArray[Any] | None = None,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Returns the total of each trajectory, and how far it violates what rejects it.

        Args:
            trajectories: (N, H + 1, S), all from one state.
            actions: (N, H, A).
            steps_within_limit: (N,) steps within the disagreement limit, or None without one.

        Returns:
            totals: (N,); -inf where a limit that rejects is exceeded, or a step is not allowed.
            violations: (N,); 0 where nothing is violated. A step outside counts by how far it is
                outside, the disagreement limit by the share of the steps after it is exceeded.
        """
        count, horizon = actions.shape[:2]
        steps = step_arrays(trajectories, actions)
        values = step_values(self.reward, steps, actions, self.previous_action)
        alive = np.ones((count, horizon), np.bool_)
        continues = np.ones(count, np.bool_)
        if self.termination is not None:
            ended = ended_steps(self.termination, steps).reshape(count, horizon)
            alive = np.cumsum(ended, axis=1) - ended == 0
            continues[ended.any(axis=1)] = False
        exceeded = np.zeros((count, horizon), np.bool_)
        if steps_within_limit is not None:
            exceeded = np.arange(horizon) >= steps_within_limit[:, None]
        rewards = np.where(alive & ~exceeded, values.reshape(count, horizon), 0.0)
        with np.errstate(over="ignore", invalid="ignore"):  # such a trajectory ranks last
            total: NDArray[np.float64] = rewards @ self.discount ** np.arange(horizon)
        if self.terminal_value is not None:
            continues[exceeded.any(axis=1)] = False
            value = self.terminal_value(trajectories[:, -1])
            total += np.where(continues, self.discount**horizon * value, 0.0)
        violation = np.zeros(count)
        if self.limits is not None:
            outside = self.limits.violations(trajectories, steps, actions, self.previous_action)
            violation += np.where(alive & ~exceeded, outside, 0.0).sum(axis=1)
        if self.rejects:
            violation += (alive & exceeded).mean(axis=1)
        total[violation > 0.0] = -np.inf
        return total, violation

    def rewards(self, trajectories: NDArray[Any], actions: NDArray[Any]) -> NDArray[np.float64]:
        """Returns the reward of each step of trajectories (N, H + 1, S), wherever they end."""
        steps = step_arrays(trajectories, actions)
        return step_values(self.reward, steps, actions, self.previous_action)

    def end(self, trajectory: NDArray[Any], actions: NDArray[Any]) -> int | None:
        """Returns after how many steps a trajectory, (1, H + 1, S), (1, H, A), ends, if it does."""
        if self.termination is None:
            return None
        ended = ended_steps(self.termination, step_arrays(trajectory, actions))
        return int(ended.argmax()) + 1 if ended.any() else None


def compiled(
    reward: Reward, termination: Termination | None
) -> tuple[_core.Reward, _core.Termination | None] | None:
    """Returns both as the core runs them; None where one of them is a Python function."""
    if not isinstance(reward, Term):
        return None
    if termination is None:
        return reward._reward, None
    if isinstance(termination, TerminationTerm):
        return reward._reward, termination._termination
    return None


def ended_steps(termination: Termination, steps: Steps) -> NDArray[np.bool_]:
    """Returns (N * H,): where a step meets the termination."""
    if isinstance(termination, TerminationTerm):
        return termination(*steps[:3], steps=steps.numbers)
    return _callbacks.bools("termination", steps.call(termination), steps.numbers.shape)
