"""How a `Dyna` loop learns and imagines: its settings, checked in one place."""

from __future__ import annotations

from dataclasses import dataclass

from dynaplan import _arrays, _callbacks
from dynaplan.loops.interface import Learner
from dynaplan.loops.schedules import RolloutLength, checked_rollout_length
from dynaplan.rewards.terms import Reward
from dynaplan.rollouts.arguments import require_reward, require_termination
from dynaplan.terminations.terms import Termination

__all__ = ["DynaSettings"]

_MINIMA = {
    "updates_per_step": 0,
    "rollouts_per_step": 1,
    "max_length": 1,
    "random_steps": 2,
    "refit_every": 1,
    "retained_fits": 1,
    "threads": 1,
}


@dataclass(frozen=True, kw_only=True)
class DynaSettings:
    """The settings of `Dyna` and `MBPO`, as they were given; they do not change.

    Args:
        learn: function `(data, previous) -> model`; `previous` is the model before, None at first.
        updates_per_step: K, updates of the agent after each real step while there are imagined
            transitions; 0: no model is learned, and there is one update after each step.
        rollouts_per_step: imagined rollouts for each real step; they are made all at once after
            each fit.
        rollout_length: steps of an imagined rollout: a number, a `RolloutLengthSchedule`, or
            "trusted": the trusted horizon of the model before on the transitions since, which it
            had not seen, against what changes in all transitions; nothing is imagined where it
            cannot be trusted for one step.
        max_length: bound of a trusted length.
        reward: of imagined transitions: a term, or a function `f(obs, act, next_obs)` on batches;
            `rewards.for_env(env)` knows some.
        termination: where the system ends, a term or such a function; `terminations.for_env(env)`
            knows some. None: nowhere.
        elite_members: how many members of an ensemble imagine, those with the least held-out loss;
            None: all.
        disagreement_quantile: cut rollouts where the members disagree more than on this share of
            the transitions that the model had not seen, as `DisagreementLimit.calibrated`; None: do
            not.
        random_steps: steps of random actions at the beginning.
        refit_every: real steps between fits.
        retained_fits: number of fits whose imagined transitions are kept.
        threads: for imagining and evaluating.

    Raises:
        ArgumentError: a setting is out of range.
        TypeError: `learn`, `reward` or `termination` is none.
    """

    learn: Learner
    updates_per_step: int
    rollouts_per_step: int
    rollout_length: RolloutLength
    max_length: int
    reward: Reward
    termination: Termination | None
    elite_members: int | None
    disagreement_quantile: float | None
    random_steps: int
    refit_every: int
    retained_fits: int
    threads: int

    def __post_init__(self) -> None:
        for name, minimum in _MINIMA.items():
            object.__setattr__(self, name, _arrays.count(name, getattr(self, name), minimum))
        _callbacks.require_function("learn", self.learn)
        require_reward(self.reward)
        require_termination(self.termination)
        object.__setattr__(self, "rollout_length", checked_rollout_length(self.rollout_length))
        if self.elite_members is not None:
            elites = _arrays.count("elite_members", self.elite_members, 1)
            object.__setattr__(self, "elite_members", elites)
        if self.disagreement_quantile is not None:
            quantile = _arrays.share("disagreement_quantile", self.disagreement_quantile)
            object.__setattr__(self, "disagreement_quantile", quantile)
