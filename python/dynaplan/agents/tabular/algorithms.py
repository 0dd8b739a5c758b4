"""Dyna with tables: agents that learn from each real step, and from many imagined ones after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from dynaplan import _core
from dynaplan.agents.tabular.tabular_agent import TabularAgent

if TYPE_CHECKING:
    from gymnasium import Env

__all__ = ["DynaQ", "DynaQPlus", "PrioritizedSweeping"]


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
        seed: of the environment's first reset and of all draws: same seed, same course, to the
            bit. None draws one.

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


class DynaQPlus(TabularAgent):
    """Dyna-Q+: `DynaQ` that imagines more of what it has not tried for long.

    An imagined step pays bonus * sqrt(real steps since the state and action were last tried) more
    than it did, so the agent goes back to look whether a way has opened. All actions of a visited
    state are imagined; one never tried is taken to lead back to its state and to pay nothing. As
    in the book, real steps pay what they pay, and `act` is that of `DynaQ`. In a stochastic
    environment the model errs as that of `DynaQ` does.

    Args:
        env: a Gymnasium environment with Discrete observations and actions; left open.
        learning_rate: how far a value moves towards its target, alpha in (0, 1]. With a small one,
            values do not follow the bonuses as they grow.
        discount: what a reward is worth a step later, gamma in [0, 1].
        exploration: how often `act` draws from all actions, epsilon in [0, 1].
        planning_steps: imagined steps after each real one, n >= 0.
        bonus: kappa >= 0, in units of the reward. Default 1e-3, as for the book's mazes, in
            which an episode pays 1.
        seed: of the environment's first reset and of all draws: same seed, same course, to the
            bit. None draws one.

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
        self._bonus = bonus
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
        """What is imagined beside the reward after a real step without a try, kappa."""
        return float(self._bonus)

    def _compiled(self, settings: _core.TabularSettings) -> _core.TabularAgent:
        return _core.dyna_q_plus(settings, self._bonus)


class PrioritizedSweeping(TabularAgent):
    """Prioritized sweeping: imagines first what would change most, and from there backwards.

    A state and action whose value is off by more than `threshold` waits in a queue, the largest
    difference first. After each real step up to `planning_steps` values are computed from the
    queue, each of which puts those that lead to its state into the queue. On large tables this
    takes several times fewer updates than `DynaQ`. It relies on a deterministic model: in a
    stochastic environment each new outcome sends another sweep through the table.

    Args:
        env: a Gymnasium environment with Discrete observations and actions; left open.
        learning_rate: how far a value moves towards its target, alpha in (0, 1]. Default 1, all the
            way: as in the book a value is not queued again for what a smaller step leaves, and
            waits until it is visited or swept over once more. With 0.5 it takes ten times as many
            updates.
        discount: what a reward is worth a step later, gamma in [0, 1].
        exploration: how often `act` draws from all actions, epsilon in [0, 1].
        planning_steps: updates from the queue after each real step, n >= 1; the value of the real
            step itself is one of them.
        threshold: theta >= 0, in units of the reward: smaller differences are let be.
        seed: of the environment's first reset and of all draws: same seed, same course, to the
            bit. None draws one.

    Raises:
        TypeError: `env` is no environment, or its spaces are not Discrete.
        ArgumentError: a setting is out of range, or the table would have more than 2**26 entries.

    Source: Sutton & Barto 2018, section 8.4.

    Example:
        >>> import gymnasium
        >>> from dynaplan.envs import mazes
        >>> env = gymnasium.make("dynaplan/DynaMaze-v0", factor=4)
        >>> agent = dp.PrioritizedSweeping(env, seed=0).learn(40_000)
        >>> agent.updates < agent.steps  # a fraction of what `DynaQ` takes, which is 11 a step
        True
    """

    _NAMES: ClassVar[tuple[str, ...]] = (*TabularAgent._NAMES, "threshold")

    def __init__(
        self,
        env: Env[Any, Any],
        *,
        learning_rate: float = 1.0,
        discount: float = 0.95,
        exploration: float = 0.1,
        planning_steps: int = 10,
        threshold: float = 1e-4,
        seed: int | None = None,
    ) -> None:
        self._threshold = threshold
        super().__init__(
            env,
            learning_rate=learning_rate,
            discount=discount,
            exploration=exploration,
            planning_steps=planning_steps,
            seed=seed,
        )

    @property
    def threshold(self) -> float:
        """Differences up to this one are let be, theta."""
        return float(self._threshold)

    def _compiled(self, settings: _core.TabularSettings) -> _core.TabularAgent:
        return _core.prioritized_sweeping(settings, self._threshold)
