"""Settings of `PETS`: those of the paper, and ones for a CPU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from dynaplan import _arrays
from dynaplan._environments import spaces
from dynaplan._spaces import is_discrete
from dynaplan.data.transitions import Transitions
from dynaplan.loops.pets import PETS
from dynaplan.loops.schedules import LinearSchedule, StepSchedule
from dynaplan.models.networks.ensemble import Ensemble
from dynaplan.planners.categorical_cem import CategoricalCEM
from dynaplan.planners.cem import CEM
from dynaplan.planners.icem import ICEM
from dynaplan.planners.interface import Planner
from dynaplan.planners.problem import StateValue
from dynaplan.rewards.terms import Reward
from dynaplan.rollouts.arguments import require_reward
from dynaplan.terminations.terms import Termination

if TYPE_CHECKING:
    from gymnasium import Env

__all__ = ["pets_cpu", "pets_paper"]

_RANDOM_EPISODE_STEPS = 10
_EPISODE_STEPS = LinearSchedule(30, 1 / 3)
_REFIT_EVERY = LinearSchedule(15, 1 / 10)


def pets_cpu(
    env: Env[Any, Any],
    *,
    reward: Reward | None = None,
    termination: Termination | None = None,
    terminal_value: StateValue | None = None,
    angles: Sequence[int] = (),
    horizon: int = 20,
    clip: float | None = 2.0,
    random_steps: int = 50,
    episode_steps: StepSchedule | None = _EPISODE_STEPS,
    refit_every: StepSchedule | None = _REFIT_EVERY,
    seed: int | None = None,
    threads: int = 1,
) -> PETS:
    """Returns `PETS` with an ensemble and a search that a CPU can run at each step.

    Five networks of two layers of 64, trained further from their weights before, and an `ICEM` of
    305 sequences in 4 iterations with one particle for each member: 30,000 model steps a decision.
    Its noise is half as wide as usual: what is left of it in a plan costs actions. Discrete actions
    have a `CategoricalCEM` of 400 sequences.

    Every step counts where there are few: the networks learn from all rows, none drawn twice or
    held out, with a learning rate that falls in three stages; they learn again within an episode;
    and episodes are short at first, the random ones 10 steps, so that few steps hold many starts.

    Args:
        env: a Gymnasium environment with 1-D Box observations, and actions of a 1-D Box or a
            Discrete; left open.
        reward: what is planned for: a term, or a function `f(obs, act, next_obs)` on batches;
            `rewards.for_env(env)` knows some. None: the ensemble learns it.
        termination: where predicted episodes end: a term, or such a function;
            `terminations.for_env(env)` knows some. None: nowhere.
        terminal_value: what is still to come where a plan ends, a function of states, as for `MPC`.
        angles: the states that are angles in radians, as in `Ensemble.fit`.
        horizon: steps planned ahead.
        clip: as in `CEM`. Pass None where a state may leave its range for good, as a position does.
        random_steps: steps of the random beginning.
        episode_steps: length at which controlled episodes are cut, or a function from the real
            steps so far to it; None: the environment ends them. Default: 30, or a third of the
            steps so far if that is more.
        refit_every: learn whenever so many steps have passed, also within an episode; or a function
            from the steps learned to that number; None: at the end of each episode. Default: 15, or
            a tenth of the steps so far if that is more.
        seed: of everything; None draws one.
        threads: for learning and planning; the results are the same for any number.

    Raises:
        TypeError: `env` is no environment, or has other spaces; the message names a wrapper.
        ShapeError: its Boxes are not 1-D.
        ArgumentError: a setting is out of range.

    Example:
        >>> import gymnasium
        >>> env = gymnasium.make("Pendulum-v1")
        >>> pets = dp.pets_cpu(env, reward=dp.rewards.for_env(env), seed=0)
        >>> pets.settings.planner.particles
        5
    """
    angles, number = _arrays.counts("angles", angles), _arrays.seed_number(seed)
    return PETS(
        env,
        learn=partial(
            _in_stages, angles=angles, rewards=reward is None, seed=number, threads=threads
        ),
        reward=reward,
        termination=termination,
        terminal_value=terminal_value,
        planner=_cpu_planner(env, horizon=horizon, clip=clip, threads=threads),
        random_steps=random_steps,
        random_episode_steps=_RANDOM_EPISODE_STEPS,
        episode_steps=episode_steps,
        refit_every=refit_every,
        seed=number,
    )


def _cpu_planner(env: Env[Any, Any], **settings: Any) -> Planner:
    """Returns the search, with one particle for each of the five members."""
    settings |= {"candidates": 100, "iterations": 4, "propagation": "tsinf", "particles": 5}
    if is_discrete(spaces(env)[1]):
        return CategoricalCEM(elites=10, **settings)
    return ICEM(initial_std=0.25, **settings)


# Learning rate, minimum and maximum of epochs, and maximum of gradient steps of each stage of a
# fit; the minimum of epochs is made however many rows there are.
_STAGES = ((3e-3, 20, 400, 2800), (1e-3, 8, 150, 1050), (3e-4, 5, 100, 700))
_BATCH_SIZE = 32


def _in_stages(data: Transitions, previous: Ensemble | None, **settings: Any) -> Ensemble:
    """Learns an ensemble stage by stage, as a learner does."""
    batches = -(-len(data) // _BATCH_SIZE)
    for learning_rate, min_epochs, max_epochs, max_steps in _STAGES:
        model = Ensemble.fit(
            data,
            epochs=max(min_epochs, min(max_epochs, max_steps // batches)),
            batch_size=_BATCH_SIZE,
            learning_rate=learning_rate,
            held_out=0.0,
            bootstrap=False,
            initial=previous,
            **settings,
        )
        if model.history.interrupted:
            break
        previous = model
    return model


@dataclass(frozen=True)
class _Task:
    """What the paper sets for one of its tasks."""

    hidden: tuple[int, ...]
    weight_decay: tuple[float, ...]  # of each layer
    learning_rate: float
    candidates: int
    horizon: int
    episode_steps: int


# `config/*.py` of the authors' code.
_TASKS = {
    "cartpole": _Task((500,) * 3, (1e-4, 2.5e-4, 2.5e-4, 5e-4), 1e-3, 400, 25, 200),
    "halfcheetah": _Task((200,) * 4, (2.5e-5, 5e-5, 7.5e-5, 7.5e-5, 1e-4), 1e-3, 500, 30, 1000),
    "pusher": _Task((200,) * 3, (2.5e-4, 5e-4, 5e-4, 7.5e-4), 1e-3, 500, 25, 150),
    "reacher": _Task((200,) * 4, (2.5e-4, 5e-4, 5e-4, 5e-4, 7.5e-4), 7.5e-4, 400, 25, 150),
}


def pets_paper(
    env: Env[Any, Any],
    task: str,
    *,
    reward: Reward,
    termination: Termination | None = None,
    angles: Sequence[int] = (),
    seed: int | None = None,
    threads: int = 1,
) -> PETS:
    """Returns `PETS` with the settings that the paper has for one of its tasks.

    Five networks, 5 epochs of batches of 32 on a bootstrap after each episode, no held-out rows,
    weights kept; CEM with 400 or 500 candidates, a tenth of them elites, 5 iterations, 20 particles
    that each stay with one member; one random episode first. A decision takes seconds on a CPU.

    The settings are the paper's; four parts work otherwise than the authors': weight decay is
    decoupled; a warm start repeats the last action, not zero; targets are standardised too;
    Adam's moments are not kept between refits.

    Args:
        env: a Gymnasium environment with 1-D Box observations and actions; left open. The paper's
            own environments are not part of this package.
        task: "cartpole", "halfcheetah", "pusher" or "reacher".
        reward: what is planned for: a term, or a function `f(obs, act, next_obs)` on batches. The
            paper's is known, not learned.
        termination: where predicted episodes end: a term, or such a function;
            `terminations.for_env(env)` knows some. None: nowhere, as in the paper.
        angles: the states that are angles in radians: those of cartpole and halfcheetah.
        seed: of everything; None draws one.
        threads: for learning and planning; the results are the same for any number.

    Raises:
        TypeError: `env` is no environment, or its spaces are not Boxes.
        ShapeError: its spaces are not 1-D.
        ArgumentError: the task is not one of the paper's.

    Source: Chua et al. 2018, "Deep reinforcement learning in a handful of trials using
    probabilistic dynamics models", and github.com/kchua/handful-of-trials.

    Example:
        >>> import gymnasium
        >>> env = gymnasium.make("Pendulum-v1")
        >>> pets = dp.pets_paper(env, "cartpole", reward=dp.rewards.for_env(env))
        >>> settings = pets.settings
        >>> settings.planner.candidates, settings.planner.particles, settings.random_steps
        (400, 20, 200)
    """
    _arrays.choice("task", task, *_TASKS)
    require_reward(reward)
    angles = _arrays.counts("angles", angles)
    settings, number = _TASKS[task], _arrays.seed_number(seed)
    return PETS(
        env,
        learn=partial(
            _paper_ensemble,
            hidden=settings.hidden,
            angles=angles,
            learning_rate=settings.learning_rate,
            weight_decay=settings.weight_decay,
            seed=number,
            threads=threads,
        ),
        reward=reward,
        termination=termination,
        planner=CEM(
            horizon=settings.horizon,
            candidates=settings.candidates,
            elites=settings.candidates // 10,
            iterations=5,
            smoothing=0.1,
            initial_std=0.5,
            min_std=0.0,
            result="mean",
            truncated=True,
            tolerance=0.001**0.5,  # the authors' is of the variance
            propagation="tsinf",
            particles=20,
            clip=None,
            threads=threads,
        ),
        random_steps=settings.episode_steps,
        random_episode_steps=None,
        random_hold=(1, 1),
        seed=number,
    )


def _paper_ensemble(data: Transitions, previous: Ensemble | None, **settings: Any) -> Ensemble:
    """Learns the ensemble of five of the paper, as a learner does."""
    return Ensemble.fit(
        data,
        members=5,
        epochs=5,
        batch_size=32,
        held_out=0.0,
        warm_up=0,
        initial=previous,
        **settings,
    )
