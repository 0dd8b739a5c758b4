"""Model predictive control: plan, apply the first action, plan again."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays
from dynaplan.models import Model
from dynaplan.planners import Plan, Planner, PlanSession
from dynaplan.rewards import Reward
from dynaplan.terminations import Termination

__all__ = ["MPC"]


class MPC:
    """A controller: at each step it plans from the state it is given and applies the first action.

    It alone holds what changes between plans: the warm start (the last plan, shifted by one step),
    the action applied last, the count of random numbers used, and the planner's memory. `reset`
    clears them. One controller serves one control loop; give each thread its own.

    Args:
        model: the dynamics.
        reward: a term, a sum of terms, or a function `f(obs, act, next_obs)` on batches.
        planner: `CEM(...)`, `ICEM(...)`, `MPPI(...)` or `RandomShooting(...)`.
        action_space: a Gymnasium Box, or a pair (low, high) of (A,) arrays; finite.
        termination: where predicted episodes end.
        seed: same seed, same actions to the bit, whatever the threads; None draws one.

    Attributes:
        planner: the planner's settings.
        last_plan: the plan that the last `act` made, or None before the first one.

    Raises:
        ShapeError: the action space does not fit the model.
        ArgumentError: `action_space` is no action space, `seed` or the planner's `clip` is out of
            range.

    Example:
        >>> s, a = np.array([[0.0], [1.0], [0.5], [-1.0]]), np.array([[1.0], [0.0], [-1.0], [1.0]])
        >>> model = dp.LinearGaussian.fit(dp.Transitions(s, a, 0.5 * s + a))
        >>> reward = dp.rewards.quadratic([1.0])
        >>> mpc = dp.MPC(model, reward, dp.CEM(horizon=5), action_space=([-1.0], [1.0]), seed=0)
        >>> bool(abs(mpc.act([1.0])[0] + 0.5) < 0.1)
        True
    """

    def __init__(
        self,
        model: Model,
        reward: Reward,
        planner: Planner,
        *,
        action_space: Any,
        termination: Termination | None = None,
        seed: int | None = None,
    ) -> None:
        self.planner = planner
        self._state_dim = model.state_dim
        self._session = PlanSession(planner, model, reward, action_space, termination)
        self._seed = _arrays.seed_number(seed)
        self.reset()

    def reset(self) -> None:
        """Forgets the warm start, the last action and the count of plans, as at a new episode."""
        self._warm_start: NDArray[np.float64] | None = None
        self._elites: NDArray[np.float64] | None = None
        self._plans = 0
        self._session.set_previous_action(None)
        self.last_plan: Plan | None = None

    def act(self, state: ArrayLike, *, budget: float | None = None) -> NDArray[np.float64]:
        """Plans from `state` and returns the action to apply now.

        Args:
            state: (S,).
            budget: seconds that the plan may take, as in `planner.plan`.

        Returns:
            (A,), within the bounds. The whole plan is in `last_plan`.

        Raises:
            ShapeError: the state has the wrong shape, or the reward or the termination does not fit
                the model.
            ArgumentError: the state or a bound is not finite.
        """
        vector = _arrays.vector("state", state, self._state_dim)
        plan = self._session.plan(
            vector,
            self._warm_start,
            self._elites,
            seed=self._seed,
            call=self._plans,
            budget=budget,
        )
        self._plans = (self._plans + 1) % 2**32
        # Shifted by the step that will have passed; the last action is repeated.
        self._warm_start = np.concatenate([plan.actions[1:], plan.actions[-1:]])
        self._elites = np.ascontiguousarray(plan.elites[:, 1:]) if len(plan.elites) else None
        action: NDArray[np.float64] = plan.actions[0].copy()
        self._session.set_previous_action(plan.actions[0])
        self.last_plan = plan
        return action
