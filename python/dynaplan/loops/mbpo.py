"""MBPO: soft actor-critic trained on what an ensemble imagines, for a CPU and as published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from dynaplan import _arrays
from dynaplan._docstrings import shares_arguments
from dynaplan.agents.sac.sac import SAC
from dynaplan.data.transitions import Transitions
from dynaplan.loops.dyna import Dyna
from dynaplan.loops.dyna_settings import DynaSettings
from dynaplan.loops.interface import Learner
from dynaplan.loops.schedules import RolloutLength, RolloutLengthSchedule
from dynaplan.models.networks.ensemble import Ensemble
from dynaplan.rewards.terms import Reward
from dynaplan.terminations.terms import Termination

if TYPE_CHECKING:
    from gymnasium import Env

__all__ = ["MBPO", "mbpo_paper"]


@shares_arguments(DynaSettings)
class MBPO(Dyna):
    """Model-based policy optimisation: `Dyna` with a `SAC` and an `Ensemble`, sized for a CPU.

    Small networks that are trained further from their weights before, a refit every 50 steps, and
    rollouts as long as the model can be trusted. `mbpo_paper` has the authors' settings.

    Args:
        env: a Gymnasium environment with 1-D Box observations and bounded actions; left open. Each
            episode is reset with a seed of its own.
        updates_per_step: K, updates of the agent after each real step while there are imagined
            transitions; 0 is plain `SAC`. Default 40, the most that the authors use: with small
            networks it is cheap, and it needs fewer real steps than 20.
        reward: of imagined transitions: a term, or a function `f(obs, act, next_obs)` on batches;
            `rewards.for_env(env)` knows some. None: the ensemble learns it.
        angles: the states that are angles in radians, as in `Ensemble.fit`.
        agent: a `SAC` for `env`. Default: two layers of 64, a learning rate of 1e-3, and a tenth of
            each batch real.
        learn: function `(data, previous) -> model`; `previous` is the model before, None at first.
            Default: an `Ensemble` of seven networks of two layers of 64.
        seed: of everything; None draws one.
        threads: for learning, imagining and updates; the results are the same for any number.

    Attributes:
        settings: the arguments but `env`, `angles`, `agent` and `seed`, as a `DynaSettings`.

    Raises:
        TypeError: `env` is no environment, or its spaces are not Boxes.
        ShapeError: its spaces are not 1-D.
        ArgumentError: a setting is out of range, or the actions have no bounds.

    Source: Janner et al. 2019, "When to trust your model: model-based policy optimization".

    Example:
        >>> import gymnasium
        >>> env = gymnasium.make("Pendulum-v1")
        >>> mbpo = dp.MBPO(env, reward=dp.rewards.for_env(env), seed=0)
        >>> [(it.steps, it.length > 0) for it in mbpo.run(110)]
        [(110, True)]
    """

    def __init__(
        self,
        env: Env[Any, Any],
        *,
        updates_per_step: int = 40,
        rollouts_per_step: int = 100,
        rollout_length: RolloutLength = "trusted",
        max_length: int = 5,
        reward: Reward | None = None,
        termination: Termination | None = None,
        angles: Sequence[int] = (),
        agent: SAC | None = None,
        learn: Learner | None = None,
        elite_members: int | None = 5,
        disagreement_quantile: float | None = None,
        random_steps: int = 100,
        refit_every: int = 50,
        retained_fits: int = 1,
        seed: int | None = None,
        threads: int = 1,
    ) -> None:
        angles, number = _arrays.counts("angles", angles), _arrays.seed_number(seed)
        if agent is None:
            agent = SAC(
                env,
                hidden=(64, 64),
                learning_rate=1e-3,
                real_ratio=0.1,
                seed=number,
                threads=threads,
            )
        if learn is None:
            learn = partial(
                _ensemble, angles=angles, rewards=reward is None, seed=number, threads=threads
            )
        super().__init__(
            env,
            agent,
            learn,
            updates_per_step=updates_per_step,
            rollouts_per_step=rollouts_per_step,
            rollout_length=rollout_length,
            max_length=max_length,
            reward=reward,
            termination=termination,
            elite_members=elite_members,
            disagreement_quantile=disagreement_quantile,
            random_steps=random_steps,
            refit_every=refit_every,
            retained_fits=retained_fits,
            seed=number,
            threads=threads,
        )


def _ensemble(data: Transitions, previous: Ensemble | None, **settings: Any) -> Ensemble:
    """Learns an ensemble of seven, as a learner does."""
    return Ensemble.fit(data, members=7, initial=previous, **settings)


@dataclass(frozen=True)
class _Task:
    """What the authors set for a task."""

    length: RolloutLengthSchedule
    updates: int = 20
    target_entropy: float = -1.0
    model_units: int = 200
    refit_every: int = 250
    random_steps: int = 5000
    retained_fits: int = 4  # an epoch


# `examples/config/*` of the authors' code.
_TASKS = {
    "ant": _Task(RolloutLengthSchedule(20, 100, 1, 25), target_entropy=-4.0),
    "halfcheetah": _Task(RolloutLengthSchedule(20, 150, 1, 1), updates=40, target_entropy=-3.0),
    "hopper": _Task(RolloutLengthSchedule(20, 150, 1, 15)),
    "humanoid": _Task(
        RolloutLengthSchedule(20, 300, 1, 25),
        target_entropy=-2.0,
        model_units=400,
        refit_every=1000,
        retained_fits=5,
    ),
    "pendulum": _Task(
        RolloutLengthSchedule(1, 15, 1, 1, 250), updates=10, target_entropy=-0.05, random_steps=500
    ),
    "walker": _Task(RolloutLengthSchedule(20, 150, 1, 1), target_entropy=-3.0),
}
_WEIGHT_DECAY = (2.5e-5, 5e-5, 7.5e-5, 7.5e-5, 1e-4)  # of each layer


def mbpo_paper(
    env: Env[Any, Any],
    task: str,
    *,
    termination: Termination | None = None,
    seed: int | None = None,
    threads: int = 1,
) -> MBPO:
    """Returns `MBPO` with the settings that its authors have for one of their tasks.

    Seven networks 4x200 (humanoid 4x400), five elite members, of which one draws the next state; a
    refit every 250 steps, 400 rollouts for each real step, of the length of the authors' schedule;
    soft actor-critic with two layers of 256 and 20 updates a step (halfcheetah 40, pendulum 10), a
    twentieth of a batch real. The reward is learned. Hours on a CPU for what takes 100,000 steps.

    The settings are the authors'; four parts work otherwise than theirs: weight decay is decoupled;
    the targets are standardised too; training continues from the weights of the fit before; the
    held-out share of the data, a fifth, has no upper limit.

    Args:
        env: a Gymnasium environment with 1-D Box observations and bounded actions; left open.
        task: "ant", "halfcheetah", "hopper", "humanoid", "pendulum" or "walker".
        termination: where the system ends, a term or a function on batches; the authors know it.
            `terminations.for_env(env)` knows some. None: nowhere.
        seed: of everything; None draws one.
        threads: for learning, imagining and updates; the results are the same for any number.

    Raises:
        TypeError: `env` is no environment, or its spaces are not Boxes.
        ShapeError: its spaces are not 1-D.
        ArgumentError: the task is not one of the authors'.

    Source: Janner et al. 2019, "When to trust your model", and github.com/jannerm/mbpo.

    Example:
        >>> import gymnasium
        >>> mbpo = dp.mbpo_paper(gymnasium.make("Pendulum-v1"), "hopper")
        >>> settings = mbpo.settings
        >>> settings.rollout_length(150_000), settings.updates_per_step, settings.elite_members
        (15, 20, 5)
    """
    _arrays.choice("task", task, *_TASKS)
    settings, number = _TASKS[task], _arrays.seed_number(seed)
    learn = partial(
        _ensemble,
        hidden=(settings.model_units,) * 4,
        rewards=True,
        batch_size=256,
        learning_rate=1e-3,
        weight_decay=_WEIGHT_DECAY,
        held_out=0.2,
        patience=5,
        warm_up=0,
        seed=number,
        threads=threads,
    )
    agent = SAC(
        env,
        target_entropy=settings.target_entropy,
        real_ratio=0.05,
        seed=number,
        threads=threads,
    )
    return MBPO(
        env,
        agent=agent,
        learn=learn,
        updates_per_step=settings.updates,
        rollouts_per_step=400,
        rollout_length=settings.length,
        termination=termination,
        elite_members=5,
        random_steps=settings.random_steps,
        refit_every=settings.refit_every,
        retained_fits=settings.retained_fits,
        seed=number,
        threads=threads,
    )
