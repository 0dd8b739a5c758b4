"""The state of a `PETS` loop: what changes while it runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dynaplan import _texts
from dynaplan._docstrings import shares_arguments
from dynaplan._environments import spaces
from dynaplan.control.mpc import MPC
from dynaplan.data.collection import collect
from dynaplan.data.driver import Driver, Episode
from dynaplan.data.recorder import Recorder
from dynaplan.data.transitions import Transitions
from dynaplan.loops.interface import learned
from dynaplan.loops.pets_settings import PETSSettings
from dynaplan.loops.schedules import steps_at
from dynaplan.models.interface import Model, known_of
from dynaplan.rollouts.evaluation import Evaluation, evaluate

if TYPE_CHECKING:
    from gymnasium import Env

__all__ = ["Iteration", "PETSState"]


@shares_arguments(Episode)
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Iteration(Episode):
    """One episode of `PETS`, and what was learned by its end.

    Attributes:
        steps: real steps so far, the random ones and earlier data included.
        episode: 0 for the random beginning, then 1, 2, ... for the controlled episodes.
        episode_return: sum of its rewards; nan for the random beginning.
        model: learned from `data`, or from its beginning where a refit is not due yet; the last
            iteration's of a run is learned from all.
        data: all transitions so far.
        evaluation: how well the model before, which had not seen this episode, predicts it; None
            for the random beginning, where no evaluation was asked for, and of an episode that is
            shorter than the model's history.
        learning_seconds: the part of `seconds` that the learner took.
    """

    model: Model
    data: Transitions
    evaluation: Evaluation | None
    learning_seconds: float

    def __repr__(self) -> str:
        return _texts.object_text(self, "steps", "episode", "episode_return", "model", "evaluation")


class PETSState:
    """Where a loop is: its data, its model, and its controller.

    Args:
        settings: of the loop.
        env: its environment.

    Attributes:
        data: all real transitions, or None before the first.
        model: the model learned last, or None.
    """

    _mpc: MPC

    def __init__(self, settings: PETSSettings, env: Env[Any, Any]) -> None:
        self.data: Transitions | None = None
        self.model: Any = None
        self._settings = settings
        self._env = env
        self._space = spaces(env)[1]
        self._driver = Driver(env, self._space)
        self._episode = 0
        self._fits = self._learned_rows = 0
        self._learning_seconds = 0.0
        self._was_interrupted = False
        self._env_seed: int | None = settings.seed % 2**32  # all that Gymnasium takes

    def __getstate__(self) -> dict[str, Any]:
        state = {name: value for name, value in vars(self).items() if name != "_driver"}
        # Some environments are pickled as they were made; what later resets draw is kept apart.
        generator = None
        if self._env_seed is None:
            generator = getattr(getattr(self._env, "unwrapped", None), "np_random", None)
        return state | {
            "_generator": generator,
            "_driven": (self._driver.terminated, self._driver.is_open),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        generator, driven = state.pop("_generator"), state.pop("_driven")
        vars(self).update(state)
        self._driver = Driver(self._env, self._space)
        self._driver.terminated, self._driver.is_open = driven
        if generator is not None:
            self._env.unwrapped.np_random = generator

    def iterations(self, steps: int, earlier: Transitions | None) -> Iterator[Iteration]:
        """Makes so many more steps; see `PETS.run`."""
        self._was_interrupted = False
        if self.data is None:
            begin, made = time.perf_counter(), 0
            if earlier is None:
                made = min(steps, self._settings.random_steps)
                earlier = self._random_beginning(made)
            steps -= made
            self._learn(earlier)
            yield self._iteration(earlier, None, begin)
        known = self._known()
        end = len(known) + steps
        while len(known) < end and not self._was_interrupted:
            begin, self._learning_seconds = time.perf_counter(), 0.0
            before = self.model
            played = self._play(self._max_steps(end - len(known)))
            self.data = known = known + played
            if self._is_due(len(known)) or self._learned_rows < len(known) == end:
                self._learn(known)
            self._episode += 1
            yield self._iteration(played, self._check(before, played), begin)

    def _known(self) -> Transitions:
        assert self.data is not None, "there are none before the first run"
        return self.data

    def _random_beginning(self, steps: int) -> Transitions:
        settings = self._settings
        return collect(
            self._env,
            steps,
            seed=self._take_env_seed(),
            hold=settings.random_hold,
            episode_steps=settings.random_episode_steps,
        )

    def _take_env_seed(self) -> int | None:
        """The seed of the environment's first reset; its own generator continues at later ones."""
        seed, self._env_seed = self._env_seed, None
        return seed

    def _learn(self, data: Transitions) -> None:
        begin = time.perf_counter()
        self.model = learned(self._settings.learn, data, self.model)
        self._learning_seconds += time.perf_counter() - begin
        history = getattr(self.model, "history", None)
        self._was_interrupted = bool(getattr(history, "interrupted", False))
        self.data, self._learned_rows = data, len(data)
        self._fits += 1
        seeds = np.random.SeedSequence([self._settings.seed, self._fits])
        plans = int(seeds.generate_state(1, np.uint64)[0])
        self._mpc = self._settings.controller(self.model, self._space, plans)

    def _max_steps(self, left: int) -> int:
        schedule = self._settings.episode_steps
        if schedule is None:
            return left
        return min(left, steps_at(schedule, "episode_steps", len(self._known())))

    def _is_due(self, rows: int) -> bool:
        every = self._settings.refit_every
        due = 1 if every is None else steps_at(every, "refit_every", self._learned_rows)
        return rows - self._learned_rows >= due

    def _play(self, max_steps: int) -> Transitions:
        """One episode under control, of at most so many steps; it may learn in between."""
        known, driver = self._known(), self._driver
        recorder = Recorder(known.state_dim, known.action_dim, known.angles)
        driver.reset(self._take_env_seed())
        self._mpc.reset()
        while True:
            recorder.append(driver.step(self._mpc.act(driver.observation)), 0)
            if not driver.is_open or len(recorder) == max_steps:
                break
            if self._settings.refit_every is not None and self._is_due(len(known) + len(recorder)):
                self._learn(known + recorder.since(0))
                if self._was_interrupted:
                    break
                self._hand_over(recorder)
        return recorder.since(0)

    def _hand_over(self, recorder: Recorder) -> None:
        """Tells a controller that begins within an episode what a history holds of it."""
        if (history := known_of(self.model).history) is not None:
            before = recorder.since(max(0, len(recorder) - max(history)))
            self._mpc.reset(
                previous_actions=self._mpc._prepared.numbered(before.actions),
                previous_observations=before.states if history[0] else None,
            )

    def _check(self, before: Model, played: Transitions) -> Evaluation | None:
        horizon, reference = self._settings.evaluation_horizon, self._known()
        if not horizon:
            return None
        if (history := known_of(before).history) is not None:
            if len(played) <= max(history):
                return None
            played, reference = (
                part.with_history(states=history[0], actions=history[1])
                for part in (played, reference)
            )
        return evaluate(before, played, horizon, reference=reference)

    def _iteration(
        self, played: Transitions, evaluation: Evaluation | None, begin: float
    ) -> Iteration:
        is_controlled = self._episode > 0
        return Iteration(
            steps=len(self._known()),
            episode=self._episode,
            episode_steps=len(played),
            episode_return=float(np.sum(np.asarray(played.rewards))) if is_controlled else np.nan,
            terminated=is_controlled and self._driver.terminated,
            finished=is_controlled and not self._driver.is_open,
            seconds=time.perf_counter() - begin,
            model=self.model,
            data=self._known(),
            evaluation=evaluation,
            learning_seconds=self._learning_seconds,
        )
