"""The course of a `Dyna` loop: what changes while it runs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dynaplan import files
from dynaplan.agents.sac.sac import SAC
from dynaplan.agents.sac.settings import UpdateStatistics
from dynaplan.data.recorder import Recorder
from dynaplan.data.transitions import Transitions
from dynaplan.errors import ModelFileError
from dynaplan.loops import checkpoint
from dynaplan.loops.progress import DynaIteration, mean_statistics
from dynaplan.loops.replayed_env import ReplayedEnv
from dynaplan.loops.rollout_length import length_at
from dynaplan.models.files import load as load_model
from dynaplan.models.interface import Model
from dynaplan.rollouts.disagreement import DisagreementLimit
from dynaplan.rollouts.evaluation import Evaluation, evaluate
from dynaplan.rollouts.imagination import imagine

if TYPE_CHECKING:
    from gymnasium import Env

    from dynaplan.loops.dyna import Dyna

__all__ = ["Agent", "Course", "Learner"]

# From all data so far and the model before, or None at first, to the next model.
Learner: TypeAlias = Callable[[Transitions, Any], Model]

_HELD_OUT_AT_FIRST = 0.2
_STATE = {
    "seed": int,
    "episode": int,
    "episode_first": int,
    "is_open": bool,
    "fits": int,
    "fitted_rows": int,
    "length": int,
    "model_error": list,
}


class Agent(Protocol):
    """The interface of an agent: what a loop needs at least."""

    def act(self, states: NDArray[np.float64]) -> Any:
        """Chooses actions.

        Args:
            states: (S,) one state, or (N, S).

        Returns:
            (A,), or (N, A).
        """

    def observe(self, state: Any, action: Any, reward: Any, next_state: Any, ended: Any, /) -> Any:
        """Stores one transition, or several with one more dimension in front.

        Args:
            state: (S,).
            action: (A,).
            reward: a number.
            next_state: (S,).
            ended: whether the system terminated in `next_state`.
        """

    def update(self, count: int) -> Any:
        """Learns from the stored transitions.

        Args:
            count: number of updates.
        """


class Course:
    """Where a loop is.

    Args:
        settings: the loop.
        env: its environment.
        agent: its agent.
        seed: of all that the loop draws.

    Attributes:
        agent: the agent.
        model: the model learned last, or None.
        experience: all real transitions.
        world: the environment.
        length: steps of each imagined rollout now; 0 where nothing is imagined.
        evaluation: of the model before the last fit.
        was_interrupted: whether a learner was interrupted in the last iteration.
    """

    def __init__(self, settings: Dyna, env: Env[Any, Any], agent: Any, seed: int) -> None:
        self.agent = agent
        self.model: Any = None
        self.world = ReplayedEnv(env, seed)
        self.experience = Recorder(*self.world.dims)
        self.length = 0
        self.evaluation: Evaluation | None = None
        self.was_interrupted = False
        self._settings = settings
        self._model_error = np.nan
        self._episode_first = 0
        self._fits = self._fitted_rows = 0
        self._report = _Report()

    def iteration(self, end: int) -> DynaIteration:
        """Goes on to the end of the episode, or until there are `end` real steps."""
        begin = time.perf_counter()
        self._report = report = _Report()
        self.was_interrupted = False
        if not self.world.is_open:
            self.world.begin()
            self._episode_first = len(self.experience)
        while self.world.is_open and len(self.experience) < end and not self.was_interrupted:
            self._step()
        updates = mean_statistics(report.updates)
        updating = report.seconds["updating"]
        return DynaIteration(
            steps=len(self.experience),
            episode=self.world.episode,
            episode_steps=len(self.experience) - self._episode_first,
            episode_return=self.experience.return_since(self._episode_first),
            finished=not self.world.is_open,
            length=self.length,
            model_error=self._model_error,
            evaluation=self.evaluation,
            imagined=report.imagined,
            updates=updates,
            updates_per_second=updates.updates / updating if updates and updating else np.nan,
            seconds=time.perf_counter() - begin,
            learning_seconds=report.seconds["learning"],
            imagining_seconds=report.seconds["imagining"],
            updating_seconds=updating,
        )

    def _step(self) -> None:
        """One real step and the updates after it."""
        settings, steps = self._settings, len(self.experience)
        before = self.world.observation
        wanted = self._explore() if steps < settings.random_steps else self.agent.act(before)
        action, after, reward, ended = self.world.step(wanted)
        self.agent.observe(before, action, reward, after, ended)
        self.experience.append((before, action, after, reward, ended), self.world.episode)
        if steps < settings.random_steps:
            return
        if self._is_due():
            self._learn()
        with self._report.timing("updating"):
            count = settings.updates_per_step if self.length > 0 else 1
            self._report.updates.append(self.agent.update(count))

    def _explore(self) -> Any:
        if hasattr(self.agent, "explore"):
            return self.agent.explore()
        space = self.world.action_space
        rng = np.random.default_rng([self.world.seed, len(self.experience)])
        return rng.uniform(space.low, space.high)

    def _is_due(self) -> bool:
        if self._settings.updates_per_step == 0:
            return False
        new_rows = len(self.experience) - self._fitted_rows
        return self._fits == 0 or new_rows >= self._settings.refit_every

    def _learn(self) -> None:
        """Learns a model of all data, and imagines with it for as long as it can be trusted."""
        settings = self._settings
        with self._report.timing("learning"):
            data = self.experience.since(0)
            if self.model is None:
                older, fresh = _before_and_after(data)
                ground = self._judge(settings.learn(older, None), fresh, data)
            else:
                fresh = self.experience.since(self._fitted_rows)
                ground = self._judge(self.model, fresh, data)
            self.model = settings.learn(data, self.model)
            self._fits += 1
            self._fitted_rows = len(data)
            history = getattr(self.model, "history", None)
            self.was_interrupted = bool(getattr(history, "interrupted", False))
        self.length = length_at(
            settings.rollout_length, len(data), self.evaluation, settings.max_length
        )
        with self._report.timing("imagining"):
            self._imagine(ground)

    def _judge(
        self, model: Model, fresh: Transitions, data: Transitions
    ) -> DisagreementLimit | None:
        """Measures a model on transitions that it has not seen; returns where it is known."""
        settings = self._settings
        self.evaluation = evaluate(
            model, fresh, settings.max_length, reference=data, threads=settings.threads
        )
        self._model_error = float(self.evaluation.error_median[0])
        if settings.disagreement_quantile is None:
            return None
        quantile = settings.disagreement_quantile
        return DisagreementLimit.calibrated(
            model, fresh, quantile=quantile, threads=settings.threads
        )

    def _imagine(self, ground: DisagreementLimit | None) -> None:
        """Imagines from drawn states, in the place of what was imagined too many fits ago."""
        settings, agent = self._settings, self.agent
        keeps_apart = hasattr(agent, "observe_imagined")
        if self.length == 0:
            if keeps_apart:
                agent.observe_imagined(*self._nothing(), replace=True)
            return
        count = settings.rollouts_per_step * settings.refit_every
        drawn = np.random.SeedSequence([self.world.seed, self._fits]).generate_state(2, np.uint64)
        made = imagine(
            self.model,
            self.experience.draw_states(count, np.random.default_rng(int(drawn[0]))),
            agent if isinstance(agent, SAC) else agent.act,
            self.length,
            reward=settings.reward,
            termination=settings.termination,
            elite_members=settings.elite_members,
            disagreement_limit=ground,
            seed=int(drawn[1]),
            threads=settings.threads,
        )
        self._report.imagined += len(made)
        rows = made.states, made.actions, made.rewards, made.next_states, made.terminations
        if not keeps_apart:
            agent.observe(*rows)
        else:
            agent.resize_imagined(count * self.length * settings.retained_fits)
            agent.observe_imagined(*rows, replace=settings.retained_fits == 1)
        if not len(made):
            self.length = 0

    def _nothing(self) -> tuple[NDArray[Any], ...]:
        states, actions = self.world.dims
        none = np.empty((0, states))
        return none, np.empty((0, actions)), np.empty(0), none, np.empty(0, np.bool_)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a checkpoint; see `Dyna.save`."""
        owners = {"agent": self.agent, "model": self.model}
        if len(self.experience):
            owners["data"] = self.experience.since(0)
        parts = {name: _saver(name, owner) for name, owner in owners.items() if owner is not None}
        error = self._model_error
        state = {
            "seed": self.world.seed,
            "episode": self.world.episode,
            "episode_first": self._episode_first,
            "is_open": self.world.is_open,
            "fits": self._fits,
            "fitted_rows": self._fitted_rows,
            "length": self.length,
            "model_error": [error] if np.isfinite(error) else [],
        }
        checkpoint.write(path, state, parts)

    @classmethod
    def restored(cls, settings: Dyna, before: Course, path: str | os.PathLike[str]) -> Course:
        """Reads a checkpoint; see `Dyna.restore`."""
        with checkpoint.opened(path) as (said, parts):
            state = files.fields(said, "state", _STATE)
            agent = _loaded_agent(type(before.agent), parts["agent"], settings.threads)
            model = load_model(parts["model"]) if "model" in parts else None
            data = Transitions.load(parts["data"]) if "data" in parts else None
        course = cls(settings, before.world.env, agent, state["seed"])
        course.model = model
        course._take(state, data, os.fspath(path))
        return course

    def _take(self, state: dict[str, Any], data: Transitions | None, shown: str) -> None:
        """Goes to where a checkpoint was written."""
        rows, first = 0 if data is None else len(data), state["episode_first"]
        counts = [state[name] for name in ("episode_first", "fitted_rows", "fits", "length")]
        if min(*counts, state["seed"], state["episode"] + 1) < 0 or max(counts[:2]) > rows:
            raise ModelFileError(f"{shown}: its counts do not fit its {rows} transitions")
        error = state["model_error"]
        if len(error) > 1 or not all(type(entry) is float for entry in error):
            raise ModelFileError(f"{shown}: 'model_error' must be a number or nothing")
        if data is not None:
            if (data.state_dim, data.action_dim) != self.world.dims:
                raise ModelFileError(f"{shown}: its transitions do not fit the environment")
            self.experience.extend(data)
        if state["is_open"]:
            played = data[first:] if data is not None and first < rows else None
            self.world.come_back(state["episode"], played)
        self.world.episode = state["episode"]
        self._episode_first, self._fits = first, state["fits"]
        self._fitted_rows, self.length = state["fitted_rows"], state["length"]
        self._model_error = error[0] if error else np.nan


def _before_and_after(data: Transitions) -> tuple[Transitions, Transitions]:
    """Returns the first rows, to learn from, and the last ones, to judge by; at least one each.

    Args:
        data: at least two rows.
    """
    # By time and not by whole episodes: of one long random episode and the first step of the next,
    # either would be far too much or far too little to hold out.
    cut = len(data) - max(1, round(_HELD_OUT_AT_FIRST * len(data)))
    return data[:cut], data[cut:]


class _Report:
    """What happened in an iteration."""

    def __init__(self) -> None:
        self.updates: list[UpdateStatistics | Any] = []
        self.imagined = 0
        self.seconds = {"learning": 0.0, "imagining": 0.0, "updating": 0.0}

    @contextmanager
    def timing(self, what: str) -> Iterator[None]:
        """Adds the time of what is inside."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[what] += time.perf_counter() - begin


def _saver(name: str, owner: Any) -> Callable[[Path], None]:
    if not hasattr(owner, "save"):
        raise TypeError(f"{name}: {type(owner).__name__} has no `save`, must have one")

    def save(path: Path) -> None:
        owner.save(path)

    return save


def _loaded_agent(kind: Any, path: Path, threads: int) -> Any:
    if not hasattr(kind, "load"):
        raise TypeError(f"agent: {kind.__name__} has no `load`, must have one")
    return kind.load(path, threads=threads) if issubclass(kind, SAC) else kind.load(path)
