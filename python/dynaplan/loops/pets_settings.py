"""How a `PETS` loop learns and plans: its settings, checked in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dynaplan import _arrays, _callbacks
from dynaplan.control.mpc import MPC
from dynaplan.data.collection import checked_hold
from dynaplan.loops.interface import Learner
from dynaplan.loops.schedules import StepSchedule, checked_steps
from dynaplan.models.interface import Model
from dynaplan.planners.interface import Planner
from dynaplan.planners.problem import StateValue
from dynaplan.rewards.terms import Reward
from dynaplan.rollouts.arguments import require_reward, require_termination
from dynaplan.terminations.terms import Termination

if TYPE_CHECKING:
    from gymnasium.spaces import Box, Discrete

__all__ = ["PETSSettings"]


@dataclass(frozen=True, kw_only=True)
class PETSSettings:
    """The settings of `PETS`, as they were given; they do not change.

    Args:
        learn: function `(data, previous) -> model`; `previous` is the model before, None at first.
        reward: what is planned for: a term, or a function `f(obs, act, next_obs)` on batches.
        planner: settings of the search.
        termination: where predicted episodes end: a term, or such a function;
            `terminations.for_env(env)` knows some. None: nowhere.
        terminal_value: what is still to come where a plan ends, a function of states, as for `MPC`.
            Where the reward is rare, such as one at a goal alone, it leads there. None: nothing.
        random_steps: steps of the random beginning.
        random_episode_steps: length at which its episodes are cut, as in `collect`, where the
            default 25 is explained; None leaves it to the environment.
        random_hold: for how many steps its actions are held, as in `collect`.
        episode_steps: length at which controlled episodes are cut, or a function from the real
            steps so far to it, such as `LinearSchedule`. None: the environment ends them. Where
            steps are few, another start teaches more than waiting at the goal.
        refit_every: learn whenever so many steps have passed, also within an episode; or a function
            from the steps learned to that number. None: at the end of each episode.
        evaluation_horizon: steps ahead to check the model on each new episode, against what
            changes in all data. 0: no check.
        seed: of the environment, the random actions and the plans; the same seed gives the same
            results if the learner keeps to its own.

    Raises:
        ArgumentError: a setting is out of range.
        TypeError: `learn`, `reward`, `termination` or `terminal_value` is none.
    """

    learn: Learner
    reward: Reward
    planner: Planner
    termination: Termination | None
    terminal_value: StateValue | None
    random_steps: int
    random_episode_steps: int | None
    random_hold: tuple[int, int]
    episode_steps: StepSchedule | None
    refit_every: StepSchedule | None
    evaluation_horizon: int
    seed: int

    def __post_init__(self) -> None:
        _callbacks.require_function("learn", self.learn)
        require_reward(self.reward)
        require_termination(self.termination)
        if self.terminal_value is not None:
            wanted = "a function of states"
            _callbacks.require_function("terminal_value", self.terminal_value, wanted)
        for name, minimum in (("random_steps", 1), ("evaluation_horizon", 0)):
            object.__setattr__(self, name, _arrays.at_least(minimum, name, getattr(self, name)))
        if self.random_episode_steps is not None:
            steps = _arrays.at_least(1, "random_episode_steps", self.random_episode_steps)
            object.__setattr__(self, "random_episode_steps", steps)
        hold = checked_hold("random_hold", self.random_hold)
        object.__setattr__(self, "random_hold", hold)
        for name in ("episode_steps", "refit_every"):
            object.__setattr__(self, name, checked_steps(name, getattr(self, name)))

    def controller(self, model: Model, action_space: Box | Discrete, seed: int) -> MPC:
        """Returns the controller of these settings with this model."""
        return MPC(
            model,
            self.reward,
            self.planner,
            action_space=action_space,
            termination=self.termination,
            terminal_value=self.terminal_value,
            trust="ignore",  # unknown ground is where there is most to learn
            seed=seed,
        )
