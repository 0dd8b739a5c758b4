"""Dyna: an agent learns from what it does and, many times more, from what a model imagines."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from dynaplan import _arrays
from dynaplan._docstrings import shares_arguments
from dynaplan.agents.interface import Agent
from dynaplan.data.transitions import Transitions
from dynaplan.loops.dyna_iteration import DynaIteration
from dynaplan.loops.dyna_settings import DynaSettings
from dynaplan.loops.dyna_state import DynaState
from dynaplan.loops.interface import Learner
from dynaplan.loops.logs import CSVLog, TensorBoardLog
from dynaplan.loops.schedules import RolloutLength
from dynaplan.rewards.terms import Reward, predicted
from dynaplan.rollouts.evaluation import Evaluation
from dynaplan.terminations.terms import Termination

if TYPE_CHECKING:
    from gymnasium import Env
    from typing_extensions import Self

__all__ = ["Dyna"]


@shares_arguments(DynaSettings)
class Dyna:
    """Acts in an environment, learns a model of it, and trains an agent on what that imagines.

    After random steps at the beginning, each real step is followed by updates of the agent. The
    model is learned again every `refit_every` steps; then it is rolled out from states that really
    occurred, under the agent's policy, for as many steps as it can be trusted. Another `run`
    continues where the one before ended, also in the midst of an episode.

    Args:
        env: a Gymnasium environment with 1-D Box observations and actions; left open. Each episode
            is reset with a seed of its own.
        agent: a `SAC`, or any other `Agent`. One that also has `observe_imagined` and
            `resize_imagined` keeps imagined transitions apart from real ones; one that has
            `explore` draws its own random actions.
        reward: of imagined transitions: a term, or a function `f(obs, act, next_obs)` on batches;
            `rewards.for_env(env)` knows some. None: the reward that the model predicts.
        seed: of the environment, the starts and the imagined transitions; the same seed gives the
            same results if agent and learner keep to theirs. None draws one.

    Attributes:
        settings: the arguments but `env`, `agent` and `seed`, as a `DynaSettings`.

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
        self.settings = DynaSettings(
            learn=learn,
            updates_per_step=updates_per_step,
            rollouts_per_step=rollouts_per_step,
            rollout_length=rollout_length,
            max_length=max_length,
            reward=predicted() if reward is None else reward,
            termination=termination,
            elite_members=elite_members,
            disagreement_quantile=disagreement_quantile,
            random_steps=random_steps,
            refit_every=refit_every,
            retained_fits=retained_fits,
            threads=threads,
        )
        self._state = DynaState(self.settings, env, agent, _arrays.seed_number(seed))

    def __copy__(self) -> Self:
        return deepcopy(self)  # with an environment of its own, as a loop is where that is

    @property
    def agent(self) -> Any:
        """The agent; another object after `restore`."""
        return self._state.agent

    @property
    def model(self) -> Any:
        """The model learned last, or None."""
        return self._state.model

    @property
    def data(self) -> Transitions:
        """All real transitions so far, at least one; a copy."""
        return self._state.transitions.since(0)

    @property
    def steps(self) -> int:
        """Real steps so far."""
        return len(self._state.transitions)

    @property
    def length(self) -> int:
        """Steps of each imagined rollout now; 0 where nothing is imagined."""
        return self._state.length

    @property
    def evaluation(self) -> Evaluation | None:
        """Of the model before the last fit, on transitions it had not seen; None if unknown."""
        return self._state.evaluation

    @property
    def seed(self) -> int:
        """Of the environment, the starts and the imagined transitions."""
        return self._state.driver.seed

    def run(
        self,
        steps: int,
        *,
        csv: str | os.PathLike[str] | None = None,
        tensorboard: str | os.PathLike[str] | None = None,
    ) -> Iterator[DynaIteration]:
        """Makes so many more real steps; an iteration comes out after each episode.

        Nothing happens until the first iteration is asked for, nor between two. The last episode
        may be left in its midst; the next `run` continues it.

        Args:
            steps: real steps to make, besides those of earlier runs.
            csv: name of a file for a row of numbers for each iteration. One that exists is
                continued.
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

    def learn(self, steps: int) -> Self:
        """Does the same as `run`, to the end, and returns the loop itself.

        Args:
            steps: real steps to make, besides those of earlier runs.

        Raises:
            ArgumentError: as of `run`.
        """
        for _ in self.run(steps):
            pass
        return self

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
                iteration = self._state.iteration(end)
                for log in logs:
                    log.write(iteration)
                yield iteration
                if self._state.was_interrupted:
                    return

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the loop to `path`: agent, model, data, and where it is; also within an episode.

        A loop with the same settings reads it by `restore`, and continues with the same bits as one
        that never stopped, if the environment gives the same answers to the same seeds and actions.
        The file appears complete or not at all.

        Args:
            path: name of the file, used as it is; an existing file is replaced.

        Raises:
            TypeError: the agent or the model has no `save`.
            OSError: the folder does not exist or cannot be written to.
        """
        self._state.save(path)

    def restore(self, path: str | os.PathLike[str]) -> None:
        """Continues the loop that `save` wrote; the settings stay those given here.

        The environment is reset, and the episode that was under way is replayed. Nothing in the
        file is run.

        Args:
            path: name of the file.

        Raises:
            ModelFileError: the file is damaged, or no checkpoint of such an agent.
            ArgumentError: the environment does not do again what it did.
            TypeError: the agent's class has no `load`.
            OSError: the file does not exist or cannot be read.
        """
        self._state = self._state.restored(path)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(agent={type(self.agent).__name__}, "
            f"model={None if self.model is None else type(self.model).__name__}, "
            f"steps={self.steps})"
        )
