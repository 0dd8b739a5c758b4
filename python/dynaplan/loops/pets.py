"""PETS: control an environment by planning with a model, and learn the model from what happens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dynaplan import _arrays, _texts
from dynaplan._spaces import boxes, env_name, fit_to_space
from dynaplan.control.mpc import MPC
from dynaplan.data.collection import collect
from dynaplan.data.transitions import Transitions
from dynaplan.loops.pace import Pace, checked_pace, steps_at
from dynaplan.models.interface import Model
from dynaplan.planners.cem import CEM
from dynaplan.planners.interface import Planner
from dynaplan.rewards.terms import Reward, predicted
from dynaplan.rollouts.evaluation import Evaluation, evaluate
from dynaplan.terminations.terms import Termination

if TYPE_CHECKING:
    from gymnasium import Env
    from gymnasium.spaces import Box

__all__ = ["PETS", "Iteration", "Learner"]

# From all data so far and the model before, or None at first, to the next model.
Learner: TypeAlias = Callable[[Transitions, Any], Model]


@dataclass(frozen=True, slots=True)
class Iteration:
    """One episode, and what was learned by its end.

    Attributes:
        steps: real steps so far, the random ones included.
        episode: 0 for the random beginning, then 1, 2, ... for the controlled episodes.
        episode_steps: real steps in this episode; the last one is cut short when the steps end.
        episode_return: sum of its rewards; nan for the random beginning.
        model: learned from `data`, or from its beginning where a refit is not due yet; the last
            iteration's is learned from all.
        data: all transitions so far.
        evaluation: how well the model before, which had not seen this episode, predicts it; None
            for the random beginning, and where no evaluation was asked for.
        seconds: wall-clock time of the episode and all learning in it.
        learning_seconds: time of these that the learner took.
    """

    steps: int
    episode: int
    episode_steps: int
    episode_return: float
    model: Model
    data: Transitions
    evaluation: Evaluation | None
    seconds: float
    learning_seconds: float

    def __repr__(self) -> str:
        return _texts.object_text(self, "steps", "episode", "episode_return", "model", "evaluation")


class PETS:
    """Probabilistic ensembles with trajectory sampling: learn, plan with what is learned, repeat.

    A random beginning, then episodes under `MPC`, after each of which the model is learned anew
    from all data. Any learner will do; for the method of the name it fits an `Ensemble` and the
    planner sends particles through its members (`propagation="tsinf"`).

    Args:
        env: a Gymnasium environment with 1-D Box observations and actions; left open.
        learn: function `(data, previous) -> model`; `previous` is the model before, None at first.
        reward: what is planned for: a term, or a function `f(obs, act, next_obs)` on batches.
            `rewards.for_env(env)` knows some. None: the reward that the model predicts, for which
            `learn` must make models that do, such as `Ensemble.fit(data, rewards=True)`.
        planner: settings of the search. Default: `CEM()`.
        termination: where predicted episodes end; `terminations.for_env(env)` knows some.
        random_steps: steps of the random beginning. Default 100: four starts.
        random_episode_steps: length at which its episodes are cut, as in `collect`, where the
            default 25 is explained; None leaves it to the environment.
        random_hold: for how many steps its actions are held, as in `collect`.
        episode_steps: length at which controlled episodes are cut, or a function from the real
            steps so far to it, such as `LinearSchedule`. Default None: the environment ends them.
            Where steps are few, another start teaches more than waiting at the goal.
        refit_every: learn whenever so many steps have passed, also within an episode, instead of
            at the end of each (None, the default); or a function from the steps learned to it.
        evaluation_horizon: steps ahead to check the model on each new episode, against what
            changes in all data. Default: the planner's horizon. 0: no check.
        seed: of the environment, the random actions and the plans: same seed, same course, if the
            learner keeps to its own. None draws one.

    Raises:
        ShapeError: the spaces are not 1-D.
        TypeError: `env` is no environment, or its spaces are not Boxes.
        ArgumentError: a setting is out of range.

    Source: Chua et al. 2018, "Deep reinforcement learning in a handful of trials using
    probabilistic dynamics models".

    Example:
        >>> import gymnasium
        >>> env = gymnasium.make("Pendulum-v1")
        >>> learn = lambda data, previous: dp.LinearGaussian.fit(data)
        >>> pets = dp.PETS(env, learn=learn, reward=dp.rewards.for_env(env), random_steps=50)
        >>> [(it.episode, it.steps) for it in pets.run(80)]
        [(0, 50), (1, 80)]
    """

    def __init__(
        self,
        env: Env[Any, Any],
        *,
        learn: Learner,
        reward: Reward | None = None,
        planner: Planner | None = None,
        termination: Termination | None = None,
        random_steps: int = 100,
        random_episode_steps: int | None = 25,
        random_hold: tuple[int, int] = (1, 10),
        episode_steps: Pace | None = None,
        refit_every: Pace | None = None,
        evaluation_horizon: int | None = None,
        seed: int | None = None,
    ) -> None:
        _, self.action_space = boxes(env)
        self.env = env
        self.learn = learn
        self.reward = predicted() if reward is None else reward
        self.planner = CEM() if planner is None else planner
        self.termination = termination
        self.random_steps = _arrays.at_least(1, "random_steps", random_steps)
        self.random_episode_steps = random_episode_steps
        self.random_hold = random_hold
        self.episode_steps = checked_pace("episode_steps", episode_steps)
        self.refit_every = checked_pace("refit_every", refit_every)
        horizon = self.planner.horizon if evaluation_horizon is None else evaluation_horizon
        self.evaluation_horizon = _arrays.at_least(0, "evaluation_horizon", horizon)
        self.seed = _arrays.seed_number(seed)

    def controller(self, model: Model, *, seed: int | None = None) -> MPC:
        """Returns the controller that the loop uses with this model, to try it elsewhere.

        Args:
            model: usually that of an iteration.
            seed: of the plans. Default: the loop's.
        """
        return MPC(
            model,
            self.reward,
            self.planner,
            action_space=self.action_space,
            termination=self.termination,
            seed=self.seed if seed is None else seed,
        )

    def run(self, steps: int, *, data: Transitions | None = None) -> Iterator[Iteration]:
        """Runs the loop; an iteration comes out after each episode.

        The environment is reset before each episode. Nothing happens until the first iteration
        is asked for, and nothing happens between two: what the caller does with the model then,
        it may take its time for.

        Args:
            steps: real steps in all, the random ones included; exactly as many are made.
            data: earlier transitions instead of a random beginning, with which a run goes on where
                another one ended. They count as steps.

        Returns:
            The iterations. If a learner was interrupted by Ctrl-C and left a model whose
            `history.interrupted` is True, that is the last one.

        Raises:
            ArgumentError: `steps` is below 1, or the environment or the model gave a value that
                is not finite.
        """
        _arrays.at_least(1, "steps", steps)
        return _Run(self).iterations(steps, data)

    def __repr__(self) -> str:
        return f"PETS(env={env_name(self.env)}, learn={_texts.brief(self.learn)})"


class _Run:
    """What changes while the loop runs."""

    data: Transitions
    mpc: MPC

    def __init__(self, settings: PETS) -> None:
        self.settings = settings
        self.model: Any = None
        self.fits = 0
        self.learned_rows = 0
        self.learning_seconds = 0.0
        self.env_seed: int | None = settings.seed % 2**32  # all that Gymnasium takes

    def iterations(self, steps: int, data: Transitions | None) -> Iterator[Iteration]:
        begin = time.perf_counter()
        if data is None:
            data = self._random_beginning(min(steps, self.settings.random_steps))
        self._learn(data)
        yield self._iteration(0, data, None, begin)
        episode = 0
        while len(self.data) < steps and not _was_interrupted(self.model):
            begin, self.learning_seconds = time.perf_counter(), 0.0
            before, known = self.model, self.data
            played = self._play(self._longest_episode(steps - len(known)))
            self.data = known + played
            if self._is_due(len(self.data)) or self.learned_rows < len(self.data) == steps:
                self._learn(self.data)
            episode += 1
            yield self._iteration(episode, played, self._check(before, played), begin)

    def _random_beginning(self, steps: int) -> Transitions:
        settings = self.settings
        return collect(
            settings.env,
            steps,
            seed=self._take_env_seed(),
            hold=settings.random_hold,
            episode_steps=settings.random_episode_steps,
        )

    def _take_env_seed(self) -> int | None:
        """The seed of the environment's first reset; later ones go on with its own generator."""
        seed, self.env_seed = self.env_seed, None
        return seed

    def _learn(self, data: Transitions) -> None:
        begin = time.perf_counter()
        self.model = self.settings.learn(data, self.model)
        self.learning_seconds += time.perf_counter() - begin
        self.data, self.learned_rows = data, len(data)
        self.fits += 1
        seeds = np.random.SeedSequence([self.settings.seed, self.fits])
        plans = int(seeds.generate_state(1, np.uint64)[0])
        self.mpc = self.settings.controller(self.model, seed=plans)

    def _longest_episode(self, left: int) -> int:
        longest = self.settings.episode_steps
        if longest is None:
            return left
        return min(left, steps_at(longest, "episode_steps", len(self.data)))

    def _is_due(self, rows: int) -> bool:
        every = self.settings.refit_every
        due = 1 if every is None else steps_at(every, "refit_every", self.learned_rows)
        return rows - self.learned_rows >= due

    def _play(self, most: int) -> Transitions:
        """One episode under control, of at most so many steps; it may learn on the way."""
        settings, known = self.settings, self.data
        episode = _Episode(settings.env, settings.action_space, self._take_env_seed())
        self.mpc.reset()
        while True:
            episode.step(self.mpc.act(episode.observation))
            if episode.over or len(episode) == most:
                break
            if settings.refit_every is not None and self._is_due(len(known) + len(episode)):
                self._learn(known + episode.transitions())
                if _was_interrupted(self.model):
                    break
        return episode.transitions()

    def _check(self, before: Model, played: Transitions) -> Evaluation | None:
        horizon = self.settings.evaluation_horizon
        return evaluate(before, played, horizon, reference=self.data) if horizon else None

    def _iteration(
        self, episode: int, played: Transitions, evaluation: Evaluation | None, begin: float
    ) -> Iteration:
        return Iteration(
            steps=len(self.data),
            episode=episode,
            episode_steps=len(played),
            episode_return=float(np.sum(np.asarray(played.rewards))) if episode else np.nan,
            model=self.model,
            data=self.data,
            evaluation=evaluation,
            seconds=time.perf_counter() - begin,
            learning_seconds=self.learning_seconds,
        )


class _Episode:
    """Records one episode of an environment."""

    def __init__(self, env: Env[Any, Any], action_space: Box, seed: int | None) -> None:
        self._env = env
        self._action_space = action_space
        self.observation, _ = env.reset(seed=seed)
        self.over = False
        self._rows: list[tuple[Any, ...]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def step(self, wanted: NDArray[Any]) -> None:
        before, action = self.observation, fit_to_space(wanted, self._action_space)
        self.observation, reward, terminated, truncated, _ = self._env.step(action)
        self._rows.append((before, action, self.observation, reward, terminated))
        self.over = bool(terminated or truncated)

    def transitions(self) -> Transitions:
        states, actions, next_states, rewards, ended = zip(*self._rows, strict=True)
        one = np.zeros(len(self), np.int64)
        return Transitions(states, actions, next_states, rewards, ended, one)


def _was_interrupted(model: Any) -> bool:
    return bool(getattr(getattr(model, "history", None), "interrupted", False))
