"""Dyna-Q+: Dyna-Q that is curious about what it has not tried for long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from dynaplan import _arrays, _core
from dynaplan.agents.tabular.interface import TabularAgent

if TYPE_CHECKING:
    from gymnasium import Env

__all__ = ["DynaQPlus"]


class DynaQPlus(TabularAgent):
    """Dyna-Q+: `DynaQ` that imagines more of what it has not tried for long.

    The reward of an imagined step is bonus * sqrt(real steps since the state and action were last
    tried) larger than the real one was, so the agent explores again whether a way has opened. All
    actions of a visited state are imagined; one never tried is assumed to lead back to its state
    with a reward of 0. As in the book, real rewards have no bonus, and `act` is that of `DynaQ`. In
    a stochastic environment the model errs as that of `DynaQ` does.

    Args:
        env: a Gymnasium environment with Discrete observations and actions; left open.
        learning_rate: how far a value moves towards its target, alpha in (0, 1]. With a small one,
            values do not follow the bonuses as they grow.
        discount: what a reward is worth a step later, gamma in [0, 1].
        exploration: how often `act` draws from all actions, epsilon in [0, 1].
        planning_steps: imagined steps after each real one, n >= 0.
        bonus: kappa >= 0, in units of the reward. Default 1e-3, as for the book's mazes, in
            which the return of an episode is 1.
        seed: of the environment's first reset and of all draws; the same seed gives the same
            results, to the bit. None draws one.

    Raises:
        TypeError: `env` is no environment, or its spaces are not Discrete.
        ArgumentError: a setting is out of range, or the table would have more than 2**26 entries.

    Source: Sutton & Barto 2018, section 8.3.

    Example:
        >>> import gymnasium
        >>> from dynaplan.envs import mazes
        >>> env = gymnasium.make("dynaplan/ShortcutMaze-v0", switch_at=1000)
        >>> dp.DynaQPlus(env, planning_steps=50, learning_rate=1.0, seed=0).learn(3000).steps
        3000
    """

    _NAMES: ClassVar[tuple[str, ...]] = (*TabularAgent._NAMES, "bonus")

    def __init__(
        self,
        env: Env[Any, Any],
        *,
        learning_rate: float = 0.1,
        discount: float = 0.95,
        exploration: float = 0.1,
        planning_steps: int = 10,
        bonus: float = 1e-3,
        seed: int | None = None,
    ) -> None:
        self._bonus = _arrays.real("bonus", bonus)
        super().__init__(
            env,
            learning_rate=learning_rate,
            discount=discount,
            exploration=exploration,
            planning_steps=planning_steps,
            seed=seed,
        )

    @property
    def bonus(self) -> float:
        """Weight of the bonus for what has not been tried for long, kappa."""
        return self._bonus

    def _compiled(self, settings: _core.TabularSettings) -> _core.TabularAgent:
        return _core.dyna_q_plus(settings, self._bonus)
