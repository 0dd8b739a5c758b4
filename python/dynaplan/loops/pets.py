"""PETS: control an environment by planning with a model, and learn the model from what happens."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from dynaplan import _arrays, _texts
from dynaplan._docstrings import shares_arguments
from dynaplan._environments import action_dim, env_name, spaces
from dynaplan.control.mpc import MPC
from dynaplan.data.transitions import Transitions, require_transitions
from dynaplan.errors import ArgumentError, ShapeError
from dynaplan.loops.interface import Learner
from dynaplan.loops.pets_settings import PETSSettings
from dynaplan.loops.pets_state import Iteration, PETSState
from dynaplan.loops.schedules import StepSchedule
from dynaplan.models.interface import Model
from dynaplan.planners.defaults import default_planner
from dynaplan.planners.interface import Planner
from dynaplan.planners.problem import StateValue
from dynaplan.planners.settings import require_planner
from dynaplan.rewards.terms import Reward, predicted
from dynaplan.terminations.terms import Termination

if TYPE_CHECKING:
    from gymnasium import Env
    from typing_extensions import Self

__all__ = ["PETS"]


@shares_arguments(PETSSettings)
class PETS:
    """Probabilistic ensembles with trajectory sampling: learn, plan with what is learned, repeat.

    A random beginning, then episodes under `MPC`, after each of which the model is learned again
    from all data. Any learner will do; for the method of the name it fits an `Ensemble` and the
    planner sends particles through its members (`propagation="tsinf"`).

    Args:
        env: a Gymnasium environment with 1-D Box observations, and actions of a 1-D Box or a
            Discrete, one-hot in the data; left open.
        reward: what is planned for: a term, or a function `f(obs, act, next_obs)` on batches.
            `rewards.for_env(env)` knows some. None: the reward that the model predicts, for which
            `learn` must make models that do, such as `Ensemble.fit(data, rewards=True)`.
        planner: settings of the search. Default: `CEM()`, for discrete actions `CategoricalCEM()`.
        random_steps: steps of the random beginning. Default 100: four starts.
        evaluation_horizon: steps ahead to check the model on each new episode, against what
            changes in all data. Default: the planner's horizon. 0: no check.
        seed: of the environment, the random actions and the plans; the same seed gives the same
            results if the learner keeps to its own. None draws one.

    Attributes:
        env: the environment.
        settings: the other arguments, as a `PETSSettings`.

    Raises:
        ShapeError: the spaces are not 1-D.
        TypeError: `env` is no environment, or has other spaces; the message names a wrapper.
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
        terminal_value: StateValue | None = None,
        random_steps: int = 100,
        random_episode_steps: int | None = 25,
        random_hold: tuple[int, int] = (1, 10),
        episode_steps: StepSchedule | None = None,
        refit_every: StepSchedule | None = None,
        evaluation_horizon: int | None = None,
        seed: int | None = None,
    ) -> None:
        _, self.action_space = spaces(env)
        self.env = env
        planner = default_planner(self.action_space) if planner is None else planner
        require_planner(planner)
        horizon = planner.horizon if evaluation_horizon is None else evaluation_horizon
        self.settings = PETSSettings(
            learn=learn,
            reward=predicted() if reward is None else reward,
            planner=planner,
            termination=termination,
            terminal_value=terminal_value,
            random_steps=random_steps,
            random_episode_steps=random_episode_steps,
            random_hold=random_hold,
            episode_steps=episode_steps,
            refit_every=refit_every,
            evaluation_horizon=horizon,
            seed=_arrays.seed_number(seed),
        )
        self._state = PETSState(self.settings, env)

    def __copy__(self) -> Self:
        return deepcopy(self)  # with an environment of its own, as a loop is where that is

    @property
    def model(self) -> Any:
        """The model learned last, or None."""
        return self._state.model

    @property
    def data(self) -> Transitions | None:
        """All real transitions so far, or None before the first."""
        return self._state.data

    @property
    def steps(self) -> int:
        """Real steps so far, those of earlier data included."""
        return 0 if self.data is None else len(self.data)

    def controller(self, model: Model, *, seed: int | None = None) -> MPC:
        """Returns the controller that the loop uses with this model, to try it elsewhere.

        Args:
            model: usually that of an iteration.
            seed: of the plans. Default: the loop's.
        """
        number = self.settings.seed if seed is None else seed
        return self.settings.controller(model, self.action_space, number)

    def run(self, steps: int, *, data: Transitions | None = None) -> Iterator[Iteration]:
        """Makes so many more real steps; an iteration comes out after each episode.

        The first run begins with the random steps, which count; another run continues with the data
        and the model so far, in a new episode. The environment is reset before each episode.
        Nothing happens until the first iteration is asked for, nor between two: the caller may take
        time with the model.

        Args:
            steps: real steps to make, besides those of earlier runs; exactly as many are made.
            data: earlier transitions that the first run learns from instead of a random beginning.
                `Iteration.steps` counts them, `steps` does not.

        Returns:
            The iterations. If a learner was interrupted by Ctrl-C and left a model whose
            `history.interrupted` is True, that is the last one.

        Raises:
            ArgumentError: `steps` is below 1, there was a run before that `data` would replace, or
                the environment or the model gave a value that is not finite.
        """
        steps = _arrays.at_least(1, "steps", steps)
        if data is not None:
            self._require_fitting(data)
        if data is not None and self.data is not None:
            raise ArgumentError(
                f"data: the loop has {self.steps} steps of its own already; pass earlier "
                "transitions to its first run, or make a new loop"
            )
        return self._state.iterations(steps, data)

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

    def _require_fitting(self, data: Transitions) -> None:
        require_transitions("data", data)
        observations, actions = spaces(self.env)
        dims = observations.shape[0], action_dim(actions)
        if (data.state_dim, data.action_dim) != dims:
            raise ShapeError(
                f"data: got ({data.state_dim}, {data.action_dim}) states and actions, must be "
                f"{dims} as of the environment"
            )

    def __repr__(self) -> str:
        return f"PETS(env={env_name(self.env)}, learn={_texts.brief(self.settings.learn)})"
