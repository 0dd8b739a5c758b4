"""Dyna: an agent learns from what it does and, many times more, from what a model imagines."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from dynaplan import _arrays
from dynaplan.data.transitions import Transitions
from dynaplan.errors import ArgumentError
from dynaplan.loops.course import Agent, Course, Learner
from dynaplan.loops.progress import CSVLog, DynaIteration, TensorBoardLog
from dynaplan.loops.rollout_length import RolloutLength, require_length
from dynaplan.rewards.terms import Reward, predicted
from dynaplan.rollouts.evaluation import Evaluation
from dynaplan.terminations.terms import Termination

if TYPE_CHECKING:
    from gymnasium import Env

__all__ = ["Dyna"]


class Dyna:
    """Acts in an environment, learns a model of it, and trains an agent on what that imagines.

    After random steps at the beginning, each real step is followed by updates of the agent. The
    model is learned anew every `refit_every` steps; then it is rolled out from states that really
    occurred, under the agent's policy, for as many steps as it can be trusted. Everything goes on
    where it was when `run` is called again, also in the midst of an episode.

    Args:
        env: a Gymnasium environment with 1-D Box observations and actions; left open. Each episode
            is reset with a seed of its own.
        agent: a `SAC`, or anything with its `act`, `observe` and `update`. One that also has
            `observe_imagined` and `resize_imagined` keeps imagined transitions apart from real
            ones; one that has `explore` draws its own random actions.
        learn: function `(data, previous) -> model`; `previous` is the model before, None at first.
        updates_per_step: K, updates of the agent after each real step while there is something
            imagined; 0: no model is learned, and there is one update after each step. Default 20.
        rollouts_per_step: imagined rollouts for each real step; they are made all at once after
            each fit. Default 400, as MBPO.
        rollout_length: steps of an imagined rollout: a number, a `RolloutLengthSchedule`, or
            "trusted" (default): the trusted horizon of the model before on the transitions since,
            which it had not seen, against what changes in all transitions; and nothing where it
            cannot be trusted for one step.
        max_length: what a trusted length is cut to. Default 5.
        reward: as in `imagine`; None: the one that the model predicts.
        termination: where the system ends, as in `imagine`.
        elite_members: as in `imagine`.
        disagreement_quantile: cut rollouts where the members disagree more than on this share of
            the transitions that the model had not seen, as `DisagreementLimit.calibrated`; None: do
            not.
        random_steps: steps of random actions at the beginning. Default 100.
        refit_every: real steps between fits. Default 250.
        retained_fits: from how many fits imagined transitions are kept. Default 1.
        seed: of the environment, the starts and the imagined transitions: same seed, same course,
            if agent and learner keep to theirs. None draws one.
        threads: of imagining and evaluating.

    Raises:
        ShapeError: the spaces are not 1-D.
        TypeError: `env` is no environment, or its spaces are not Boxes.
        ArgumentError: a setting is out of range.

    Source: Sutton 1991, "Dyna, an integrated architecture for learning, planning, and reacting";
    Janner et al. 2019, "When to trust your model".

    Example:
        >>> import gymnasium
        >>> env = gymnasium.make("Pendulum-v1")
        >>> agent = dp.SAC(env, hidden=(16,), seed=0)
        >>> learn = lambda data, previous: dp.LinearGaussian.fit(data, features=dp.Polynomial(2))
        >>> reward = dp.rewards.for_env(env)
        >>> dyna = dp.Dyna(env, agent, learn, reward=reward, updates_per_step=1, seed=0)
        >>> [(it.steps, it.finished) for it in dyna.run(250)]
        [(200, True), (250, False)]
    """

    def __init__(
        self,
        env: Env[Any, Any],
        agent: Agent,
        learn: Learner,
        *,
        updates_per_step: int = 20,
        rollouts_per_step: int = 400,
        rollout_length: RolloutLength = "trusted",
        max_length: int = 5,
        reward: Reward | None = None,
        termination: Termination | None = None,
        elite_members: int | None = None,
        disagreement_quantile: float | None = None,
        random_steps: int = 100,
        refit_every: int = 250,
        retained_fits: int = 1,
        seed: int | None = None,
        threads: int = 1,
    ) -> None:
        self.learn = learn
        self.updates_per_step = _arrays.at_least(0, "updates_per_step", updates_per_step)
        self.rollouts_per_step = _arrays.at_least(1, "rollouts_per_step", rollouts_per_step)
        self.rollout_length = require_length(rollout_length)
        self.max_length = _arrays.at_least(1, "max_length", max_length)
        self.reward = predicted() if reward is None else reward
        self.termination = termination
        self.elite_members = elite_members
        if disagreement_quantile is not None and not 0.0 <= disagreement_quantile <= 1.0:
            raise ArgumentError(
                f"disagreement_quantile: got {disagreement_quantile}, must be in [0, 1]"
            )
        self.disagreement_quantile = disagreement_quantile
        self.random_steps = _arrays.at_least(2, "random_steps", random_steps)
        self.refit_every = _arrays.at_least(1, "refit_every", refit_every)
        self.retained_fits = _arrays.at_least(1, "retained_fits", retained_fits)
        self.threads = _arrays.at_least(1, "threads", threads)
        self._course = Course(self, env, agent, _arrays.seed_number(seed))

    @property
    def agent(self) -> Any:
        """The agent; another object after `restore`."""
        return self._course.agent

    @property
    def model(self) -> Any:
        """The model learned last, or None."""
        return self._course.model

    @property
    def data(self) -> Transitions:
        """All real transitions so far, at least one; a copy."""
        return self._course.experience.since(0)

    @property
    def steps(self) -> int:
        """Real steps so far."""
        return len(self._course.experience)

    @property
    def length(self) -> int:
        """Steps of each imagined rollout now; 0 where nothing is imagined."""
        return self._course.length

    @property
    def evaluation(self) -> Evaluation | None:
        """How the model before did on the transitions before the last fit; None if not known."""
        return self._course.evaluation

    @property
    def seed(self) -> int:
        """Of the environment, the starts and the imagined transitions."""
        return self._course.world.seed

    def run(
        self,
        steps: int,
        *,
        csv: str | os.PathLike[str] | None = None,
        tensorboard: str | os.PathLike[str] | None = None,
    ) -> Iterator[DynaIteration]:
        """Goes on for so many real steps; an iteration comes out after each episode.

        Nothing happens until the first iteration is asked for, nor between two. The last episode
        may be left in its midst; the next `run` goes on with it.

        Args:
            steps: real steps to make.
            csv: name of a file for a row of numbers for each iteration. One that is there is gone
                on with.
            tensorboard: folder for the same numbers for TensorBoard, which needs
                `pip install "dynaplan[tensorboard]"`.

        Returns:
            The iterations. If a learner was interrupted by Ctrl-C and left a model whose
            `history.interrupted` is True, that is the last one.

        Raises:
            ArgumentError: `steps` is below 1; the environment or the model gave a value that is
                not finite; or `csv` is another file.
            ImportError: `tensorboard` is asked for and tensorboardX not installed.
        """
        return self._iterations(_arrays.at_least(1, "steps", steps), csv, tensorboard)

    def _iterations(self, steps: int, csv: Any, tensorboard: Any) -> Iterator[DynaIteration]:
        end = self.steps + steps
        with ExitStack() as stack:
            logs: list[CSVLog | TensorBoardLog] = []
            if csv is not None:
                logs.append(CSVLog(csv, self.steps))
                stack.callback(logs[-1].close)
            if tensorboard is not None:
                logs.append(TensorBoardLog(tensorboard))
                stack.callback(logs[-1].close)
            while self.steps < end:
                iteration = self._course.iteration(end)
                for log in logs:
                    log.write(iteration)
                yield iteration
                if self._course.was_interrupted:
                    return

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the loop to `path`: agent, model, data, and where it is; also within an episode.

        One that is restored goes on with the same bits as one that never stopped, if the
        environment gives the same answers to the same seeds and actions. The file appears complete
        or not at all.

        Args:
            path: name of the file, used as it is; a file that is there is replaced.

        Raises:
            TypeError: the agent or the model has no `save`.
            OSError: the folder does not exist or cannot be written to.
        """
        self._course.save(path)

    def restore(self, path: str | os.PathLike[str]) -> None:
        """Takes the place of the loop that `save` wrote; the settings stay those given here.

        The environment is reset, and the episode that was under way is played again to where it
        was. Nothing in the file is run.

        Args:
            path: name of the file.

        Raises:
            ModelFileError: the file is damaged, or no checkpoint of such an agent.
            ArgumentError: the environment does not do again what it did.
            TypeError: the agent's class has no `load`.
            OSError: the file does not exist or cannot be read.
        """
        self._course = Course.restored(self, self._course, path)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(agent={type(self.agent).__name__}, "
            f"model={None if self.model is None else type(self.model).__name__}, "
            f"steps={self.steps})"
        )
