"""Dyna-Q: Q-learning from real steps, and from many imagined ones after each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynaplan import _core
from dynaplan.agents.tabular.interface import TabularAgent

if TYPE_CHECKING:
    from gymnasium import Env

__all__ = ["DynaQ"]


class DynaQ(TabularAgent):
    """Dyna-Q: Q-learning from each real step, then from imagined ones that a model remembers.

    The model is a table of the last outcome seen of each state and action, so it is meant for
    environments that always answer alike. Where they do not, imagined steps repeat the last
    outcome of each pair as if it were the only one: values then follow the last outcomes instead
    of their mean, with many planning steps all the more. There take `planning_steps=0`, which is
    Q-learning and right in the mean, with a small learning rate. Not for use by two threads at
    once.

    Args:
        env: a Gymnasium environment with Discrete observations and actions; left open.
        learning_rate: how far a value moves towards its target, alpha in (0, 1]. Default 0.1, as
            in the book; where the environment always answers alike, 1 learns fastest.
        discount: what a reward is worth a step later, gamma in [0, 1].
        exploration: how often `act` draws from all actions, epsilon in [0, 1].
        planning_steps: imagined steps after each real one, n >= 0. Each goes from a state drawn
            from those visited, by an action drawn from those tried there.
        seed: of the environment's first reset and of all draws; the same seed gives the same
            results, to the bit. None draws one.

    Raises:
        TypeError: `env` is no environment, or its spaces are not Discrete.
        ArgumentError: a setting is out of range, or the table would have more than 2**26 entries.

    Source: Sutton & Barto 2018, "Reinforcement learning: an introduction", section 8.2.

    Example:
        >>> import gymnasium
        >>> env = gymnasium.make("FrozenLake-v1", is_slippery=False)
        >>> agent = dp.DynaQ(env, planning_steps=20, exploration=0.3, seed=0).learn(5000)
        >>> agent.q.shape
        (16, 4)
        >>> int(agent.policy()[14])  # 2: right, to the goal
        2
    """

    def __init__(
        self,
        env: Env[Any, Any],
        *,
        learning_rate: float = 0.1,
        discount: float = 0.95,
        exploration: float = 0.1,
        planning_steps: int = 10,
        seed: int | None = None,
    ) -> None:
        super().__init__(
            env,
            learning_rate=learning_rate,
            discount=discount,
            exploration=exploration,
            planning_steps=planning_steps,
            seed=seed,
        )

    def _compiled(self, settings: _core.TabularSettings) -> _core.TabularAgent:
        return _core.dyna_q(settings)
