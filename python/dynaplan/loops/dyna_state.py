"""The state of a `Dyna` loop: what changes while it runs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynaplan import _texts, files
from dynaplan.agents.sac import files as sac_files
from dynaplan.agents.sac.sac import SAC
from dynaplan.agents.sac.settings import UpdateStatistics
from dynaplan.data.loading import load_transitions
from dynaplan.data.recorder import Recorder
from dynaplan.data.transitions import Transitions
from dynaplan.errors import ModelFileError
from dynaplan.loops import checkpoints
from dynaplan.loops.dyna_iteration import DynaIteration, mean_statistics
from dynaplan.loops.dyna_settings import DynaSettings
from dynaplan.loops.interface import learned
from dynaplan.loops.schedules import rollout_length_at
from dynaplan.loops.seeded_driver import SeededDriver
from dynaplan.models.files import load as load_model
from dynaplan.models.interface import Model
from dynaplan.rollouts.disagreement import DisagreementLimit
from dynaplan.rollouts.evaluation import Evaluation, evaluate
from dynaplan.rollouts.imagination import imagine

if TYPE_CHECKING:
    from gymnasium import Env

__all__ = ["DynaState"]

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


class DynaState:
    """Where a loop is: its agent, its model, its transitions, and what happened so far.

    Args:
        settings: of the loop.
        env: its environment.
        agent: its agent.
        seed: of all that the loop draws.

    Attributes:
        agent: the agent.
        model: the model learned last, or None.
        transitions: all real ones.
        driver: of the environment.
        length: steps of each imagined rollout now; 0 where nothing is imagined.
        evaluation: of the model before the last fit.
        was_interrupted: whether a learner was interrupted in the last iteration.
    """

    def __init__(self, settings: DynaSettings, env: Env[Any, Any], agent: Any, seed: int) -> None:
        lacking = [name for name in ("act", "observe", "update") if not hasattr(agent, name)]
        if lacking or isinstance(agent, type):
            raise TypeError(
                f"agent: got {_texts.shown(agent)}, must be a SAC or have act, observe and update"
            )
        self.agent = agent
        self.model: Any = None
        self.driver = SeededDriver(env, seed)
        self.transitions = Recorder(*self.driver.dims)
        self.length = 0
        self.evaluation: Evaluation | None = None
        self.was_interrupted = False
        self._settings = settings
        self._model_error = np.nan
        self._episode_first = 0
        self._fits = self._fitted_rows = 0
        self._report = _Report()

    def __getstate__(self) -> dict[str, Any]:
        driver = self.driver
        state = {name: value for name, value in vars(self).items() if name != "driver"}
        place = (driver.env, driver.seed, driver.episode, driver.is_open, driver.terminated)
        return state | {"place": place}

    def __setstate__(self, state: dict[str, Any]) -> None:
        env, seed, episode, is_open, terminated = state.pop("place")
        vars(self).update(state)
        self.driver = SeededDriver(env, seed)
        if is_open:  # the environment is brought to where it was, whatever of it was copied
            first = self._episode_first
            played = self.transitions.since(first) if len(self.transitions) > first else None
            self.driver.replay(episode, played)
        self.driver.episode, self.driver.terminated = episode, terminated

    def iteration(self, end: int) -> DynaIteration:
        """Plays to the end of the episode, or until there are `end` real steps."""
        begin = time.perf_counter()
        self._report = report = _Report()
        self.was_interrupted = False
        if not self.driver.is_open:
            self.driver.begin()
            self._episode_first = len(self.transitions)
        while self.driver.is_open and len(self.transitions) < end and not self.was_interrupted:
            self._step()
        updates = mean_statistics(report.updates)
        updating = report.seconds["updating"]
        return DynaIteration(
            steps=len(self.transitions),
            episode=self.driver.episode,
            episode_steps=len(self.transitions) - self._episode_first,
            episode_return=self.transitions.return_since(self._episode_first),
            terminated=self.driver.terminated,
            finished=not self.driver.is_open,
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
        settings, steps = self._settings, len(self.transitions)
        observed = self.driver.observation
        wanted = self._explore() if steps < settings.random_steps else self.agent.act(observed)
        row = state, action, next_state, reward, terminated = self.driver.step(wanted)
        self.agent.observe(state, action, reward, next_state, terminated)
        self.transitions.append(row, self.driver.episode)
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
        space = self.driver.action_space
        rng = np.random.default_rng([self.driver.seed, len(self.transitions)])
        return rng.uniform(space.low, space.high)

    def _is_due(self) -> bool:
        if self._settings.updates_per_step == 0:
            return False
        new_rows = len(self.transitions) - self._fitted_rows
        return self._fits == 0 or new_rows >= self._settings.refit_every

    def _learn(self) -> None:
        """Learns a model of all data, and imagines with it as far as it can be trusted."""
        settings = self._settings
        with self._report.timing("learning"):
            data = self.transitions.since(0)
            if self.model is None:
                older, fresh = _split_in_time(data)
                limit = self._evaluate(learned(settings.learn, older, None), fresh, data)
            else:
                fresh = self.transitions.since(self._fitted_rows)
                limit = self._evaluate(self.model, fresh, data)
            self.model = learned(settings.learn, data, self.model)
            self._fits += 1
            self._fitted_rows = len(data)
            history = getattr(self.model, "history", None)
            self.was_interrupted = bool(getattr(history, "interrupted", False))
        self.length = rollout_length_at(
            settings.rollout_length, len(data), self.evaluation, settings.max_length
        )
        with self._report.timing("imagining"):
            self._imagine(limit)

    def _evaluate(
        self, model: Model, fresh: Transitions, data: Transitions
    ) -> DisagreementLimit | None:
        """Measures a model on transitions that it has not seen; returns its limit, if any."""
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

    def _imagine(self, limit: DisagreementLimit | None) -> None:
        """Imagines from drawn states; the imagined transitions of too many fits ago are dropped."""
        settings, agent = self._settings, self.agent
        keeps_apart = hasattr(agent, "observe_imagined")
        if self.length == 0:
            if keeps_apart:
                agent.observe_imagined(*self._nothing(), replace=True)
            return
        count = settings.rollouts_per_step * settings.refit_every
        drawn = np.random.SeedSequence([self.driver.seed, self._fits]).generate_state(2, np.uint64)
        made = imagine(
            self.model,
            self.transitions.draw_states(count, np.random.default_rng(int(drawn[0]))),
            agent if isinstance(agent, SAC) else agent.act,
            self.length,
            reward=settings.reward,
            termination=settings.termination,
            elite_members=settings.elite_members,
            disagreement_limit=limit,
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
        states, actions = self.driver.dims
        none = np.empty((0, states))
        return none, np.empty((0, actions)), np.empty(0), none, np.empty(0, np.bool_)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a checkpoint; see `Dyna.save`."""
        owners = {"agent": self.agent, "model": self.model}
        if len(self.transitions):
            owners["data"] = self.transitions.since(0)
        parts = {name: _saver(name, owner) for name, owner in owners.items() if owner is not None}
        error = self._model_error
        state = {
            "seed": self.driver.seed,
            "episode": self.driver.episode,
            "episode_first": self._episode_first,
            "is_open": self.driver.is_open,
            "fits": self._fits,
            "fitted_rows": self._fitted_rows,
            "length": self.length,
            "model_error": [error] if np.isfinite(error) else [],
        }
        checkpoints.write(path, state, parts)

    def restored(self, path: str | os.PathLike[str]) -> DynaState:
        """Reads a checkpoint; see `Dyna.restore`."""
        settings = self._settings
        with checkpoints.opened(path) as (stored, parts):
            state = files.fields(stored, "state", _STATE)
            agent = _loaded_agent(type(self.agent), parts["agent"], settings.threads)
            model = load_model(parts["model"]) if "model" in parts else None
            data = load_transitions(parts["data"]) if "data" in parts else None
            self._require_fit(agent=agent, model=model, data=data)
        loop = DynaState(settings, self.driver.env, agent, state["seed"])
        loop.model = model
        loop._take(state, data, os.fspath(path))
        return loop

    def _require_fit(self, **parts: Any) -> None:
        """Checks that parts which say for how many states and actions they are fit the environment.

        Raises:
            ModelFileError: one does not.
        """
        for name, part in parts.items():
            dims = getattr(part, "state_dim", None), getattr(part, "action_dim", None)
            if None not in dims and dims != self.driver.dims:
                raise ModelFileError(f"its {name} does not fit the environment")

    def _take(self, state: dict[str, Any], data: Transitions | None, shown: str) -> None:
        """Moves to where a checkpoint was written."""
        rows, first = 0 if data is None else len(data), state["episode_first"]
        counts = [state[name] for name in ("episode_first", "fitted_rows", "fits", "length")]
        episode = state["episode"] + (not state["is_open"])  # -1 before the first begins
        if min(*counts, state["seed"], episode) < 0 or max(counts[:2]) > rows:
            raise ModelFileError(f"{shown}: its counts do not fit its {rows} transitions")
        error = state["model_error"]
        if len(error) > 1 or not all(type(entry) is float for entry in error):
            raise ModelFileError(f"{shown}: 'model_error' must be a number or nothing")
        if data is not None:
            self.transitions.extend(data)
        if state["is_open"]:
            played = data[first:] if data is not None and first < rows else None
            self.driver.replay(state["episode"], played)
        self.driver.episode = state["episode"]
        self._episode_first, self._fits = first, state["fits"]
        self._fitted_rows, self.length = state["fitted_rows"], state["length"]
        self._model_error = error[0] if error else np.nan


def _split_in_time(data: Transitions) -> tuple[Transitions, Transitions]:
    """Returns the first rows, to learn from, and the last ones, to measure; at least one each.

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
    if issubclass(kind, SAC):
        return kind._from_file(sac_files.read(path, threads), None, threads)
    if not hasattr(kind, "load"):
        raise TypeError(f"agent: {kind.__name__} has no `load`, must have one")
    return kind.load(path)
