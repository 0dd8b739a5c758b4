"""A learned model as a vector environment of Gymnasium, for agents that need not know of models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium.error import ClosedEnvironmentError, ResetNeeded
from gymnasium.spaces import Box
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _texts
from dynaplan._spaces import action_box, box_of_floats, float32_bounds, integer_dtype
from dynaplan.envs.observations import narrower, require_resolved, starts_within
from dynaplan.errors import ArgumentError, ShapeError
from dynaplan.models.interface import require_model
from dynaplan.rollouts.imagination import Imagination, starting_states
from dynaplan.rollouts.rollout import state_limits

if TYPE_CHECKING:
    from typing_extensions import Self

    from dynaplan.models.interface import Model
    from dynaplan.rewards.terms import Reward
    from dynaplan.rollouts.disagreement import DisagreementLimit
    from dynaplan.terminations.terms import Termination

__all__ = ["ImaginedVectorEnv"]

Array = NDArray[Any]
Float64 = NDArray[np.float64]
Bools = NDArray[np.bool_]
_MAX_ENVS = 2**20  # Gymnasium makes a space of as many
count_nonzero = np.count_nonzero  # of few bools ten times faster than any


class ImaginedVectorEnv(VectorEnv[Array, Array, Array]):
    """A learned model as a `gymnasium.vector.VectorEnv`: agents train in it as in any other.

    Each of the environments begins in a state drawn from `starts` and goes where the model says:
    one of the elite members, drawn for each environment and step, draws the next state, as in
    `imagine`. A step of all of them is one call of the core, float32 inside, or float64 where that
    is too coarse. The same seed and actions give the same bits, whatever `threads`.

    A step that would exceed the disagreement limit, or whose prediction is not finite, is not
    taken: the environment stays where it is, the reward is `cut_reward`, the episode is truncated,
    and `infos["cut"]` is True.

    Args:
        model: the dynamics.
        num_envs: N, how many environments there are.
        starts: (M, S) states to begin from, usually real ones; or one (S,).
        action_space: a 1-D Box, or a pair (low, high) of arrays (A,), which clips the actions;
            those of a Box of integers are rounded to the nearest.
        observation_space: a 1-D Box, which clips predicted states. Default: float32, unbounded. One
            of float64 serves where float32 is too coarse.
        reward: a term, or a function `f(obs, act, next_obs)` on batches. Default (None): the one
            that the model predicts.
        termination: where an episode ends; a term, or a function that returns bools.
        max_episode_steps: after how many steps an episode is truncated. Default (None): never.
        disagreement_limit: where the model may be trusted. Costs a prediction by every member.
        cut_reward: what a step pays that is not taken. Where rewards are negative, give less than
            any of them, or leaving is worth most. Default 0.
        elite_members: as in `imagine`.
        clip: as in `rollout`: predicted states stay within so many times the observed range.
            Default 2.0, as of planners: an agent would find out where a model runs away. None where
            states may go anywhere, such as a distance walked.
        autoreset_mode: when an environment is reset, as Gymnasium names it: "NextStep" (default;
            that step's action is ignored), "SameStep", or "Disabled" (by `options["reset_mask"]`).
        seed: of the first `reset`, where that is given none; None draws one.
        threads: threads to use.

    Attributes:
        num_envs: N.
        single_observation_space: of one environment; `observation_space` is that of all.
        single_action_space: likewise; `action_space` is that of all.
        metadata: says the `autoreset_mode`.

    Raises:
        ShapeError: an array or a space has the wrong shape.
        ArgumentError: a start is not finite or outside the observation space, or is so far from 0
            that float32 observations of it and of its neighbours are the same; the model predicts
            no reward and none is given, the reward looks at the step, or an argument is out of
            range.
        TypeError: a space is no Box, or the reward or the termination no function.

    Source: Kidambi et al. 2020, "MOReL: model-based offline reinforcement learning", for episodes
    that halt where an ensemble disagrees.

    Example:
        >>> import gymnasium
        >>> env = gymnasium.make("Pendulum-v1")
        >>> data = dp.collect(env, steps=200, seed=0)
        >>> envs = dp.ImaginedVectorEnv(
        ...     dp.LinearGaussian.fit(data, features=dp.Polynomial(2)),
        ...     num_envs=64,
        ...     starts=data.states,
        ...     action_space=env.action_space,
        ...     observation_space=env.observation_space,
        ...     reward=dp.rewards.for_env(env),
        ...     max_episode_steps=200,
        ... )
        >>> observations, infos = envs.reset(seed=0)
        >>> observations, rewards, *_ = envs.step(envs.action_space.sample())
        >>> observations.shape, rewards.shape
        ((64, 3), (64,))
    """

    def __init__(
        self,
        model: Model,
        num_envs: int,
        starts: ArrayLike,
        *,
        action_space: Box | Sequence[ArrayLike],
        observation_space: Box | None = None,
        reward: Reward | None = None,
        termination: Termination | None = None,
        max_episode_steps: int | None = None,
        disagreement_limit: DisagreementLimit | None = None,
        cut_reward: float = 0.0,
        elite_members: int | Sequence[int] | None = None,
        clip: float | None = 2.0,
        autoreset_mode: AutoresetMode | str = "NextStep",
        seed: int | None = None,
        threads: int = 1,
    ) -> None:
        require_model(model)
        self.num_envs = _arrays.count("num_envs", num_envs, 1)
        if self.num_envs > _MAX_ENVS:
            raise ArgumentError(f"num_envs: got {num_envs}, must be at most {_MAX_ENVS}")
        self.max_episode_steps = (
            None
            if max_episode_steps is None
            else _arrays.at_least(1, "max_episode_steps", max_episode_steps)
        )
        if observation_space is None:
            observation_space = Box(-np.inf, np.inf, (model.state_dim,), np.float32)
        self.single_observation_space = box_of_floats(
            "observation_space", observation_space, model.state_dim
        )
        self.single_action_space = action_box(action_space, model.action_dim)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._mode = _mode(autoreset_mode)
        self.metadata = {"render_modes": [], "autoreset_mode": self._mode}
        self._cut_reward = _arrays.real("cut_reward", cut_reward)
        if not np.isfinite(self._cut_reward):
            raise ArgumentError(f"cut_reward: got {cut_reward}, must be finite")
        self._first_seed = None if seed is None else _arrays.seed_number(seed)
        bounds = float32_bounds(self.single_observation_space)
        self._starts = starts_within(
            self.single_observation_space, bounds, starting_states(model, starts)
        )
        box = self.single_action_space
        self._action_bounds = box.low.astype(np.float64), box.high.astype(np.float64)
        self._imagination = Imagination(
            model,
            reward=reward,
            termination=termination,
            elite_members=elite_members,
            disagreement_limit=disagreement_limit,
            limits=narrower(bounds, state_limits(model, clip)),
            threads=_arrays.count("threads", threads, 1),
        )
        require_resolved(model, self._starts, self._action_bounds, self.single_observation_space)
        # No row at all, to learn now what does not fit.
        nothing = np.empty((0, model.state_dim)), np.empty((0, model.action_dim))
        self._imagination.run(nothing[0], 1, 0, actions=nothing[1])
        self._states = np.zeros((self.num_envs, model.state_dim))
        self._last_actions = np.zeros((self.num_envs, model.action_dim))
        self._ages = np.zeros(self.num_envs, np.int64)  # steps of the episode so far
        self._ended = np.zeros(self.num_envs, np.bool_)
        self._some_are_fresh = False
        self._was_reset = False
        self._noise_seed = 0  # of the next step; those after it count on from it

    def __copy__(self) -> Self:
        return deepcopy(self)  # where it is and what it draws would else be shared

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        """Begins new episodes.

        Args:
            seed: of the starts and of the model's draws, from here on; None: they continue.
            options: `{"reset_mask": (N,) bools}` resets these environments alone; other entries are
                not looked at.

        Returns:
            Observations (N, S) of all environments, and an empty dictionary.

        Raises:
            gymnasium.error.ClosedEnvironmentError: it is closed.
            gymnasium.error.ResetNeeded: a mask is given, and never were all of them reset.
            TypeError: the mask is no array of bools.
            ShapeError: it has the wrong shape.
            ArgumentError: it names no environment.
        """
        if self.closed:
            raise ClosedEnvironmentError("reset: the environment is closed")
        which = self._reset_mask(options)
        seed = None if seed is None else _arrays.at_least(0, "seed", seed)
        if seed is None and not self._was_reset:
            seed = self._first_seed
        super().reset(seed=seed)
        if seed is not None or not self._was_reset:
            self._noise_seed = int(self.np_random.integers(2**64, dtype=np.uint64))
        self._was_reset = True
        self._begin(which)
        return self._observed(self._states), {}

    def step(self, actions: ArrayLike) -> tuple[Array, Float64, Bools, Bools, dict[str, Any]]:
        """Takes a step in each environment.

        Args:
            actions: (N, A), finite.

        Returns:
            Observations (N, S), rewards, terminations, truncations (N,), and infos: `cut` where a
            step was not taken; with "SameStep", `final_obs` and `final_info` of those that ended.

        Raises:
            gymnasium.error.ClosedEnvironmentError: it is closed.
            gymnasium.error.ResetNeeded: it was not reset before, or, where nothing is reset by
                itself, an episode is over.
            ShapeError, TypeError, ArgumentError: the actions are not (N, A) finite numbers.
        """
        self._require_running()
        chosen = self._applied(actions)
        begins = self._ended  # none of them where an episode that ended was reset at once
        some_begin = count_nonzero(begins) > 0
        if some_begin:
            rows = np.flatnonzero(~begins)
            states, rewards = self._states.copy(), np.zeros(self.num_envs)
            terminations, cut = np.zeros((2, self.num_envs), np.bool_)
            if len(rows):
                made = self._imagined(chosen, rows)
                states[rows], rewards[rows], terminations[rows], cut[rows] = made
        else:
            states, rewards, terminations, cut = self._imagined(chosen, slice(None))
        self._noise_seed = (self._noise_seed + 1) % 2**64
        self._states, self._last_actions = states, chosen
        self._ages += 1
        truncations = cut.copy()
        if self.max_episode_steps is not None:
            truncations |= self._ages >= self.max_episode_steps
        if some_begin:
            truncations[begins] = False
            self._begin(begins)
        self._ended = terminations | truncations
        infos = _info("cut", cut, cut) if count_nonzero(cut) else {}
        if self._mode is AutoresetMode.SAME_STEP and count_nonzero(self._ended):
            infos = self._final(infos)
            self._begin(self._ended.copy())
        return self._observed(self._states), rewards, terminations, truncations, infos

    def _imagined(self, chosen: Float64, rows: Any) -> tuple[Float64, Float64, Bools, Bools]:
        """Returns next states, rewards, terminations, and which steps are not taken."""
        if self._some_are_fresh:  # nothing comes before a first action: it counts as no change
            fresh = self._ages == 0
            self._last_actions[fresh] = chosen[fresh]
        states, actions = self._states[rows], chosen[rows]
        _, _, rewards, after, terminations, _, cut = self._imagination.run(
            states,
            1,
            self._noise_seed,
            actions=actions,
            previous_actions=self._last_actions[rows],
        )
        cuts = count_nonzero(cut)
        if cuts:
            after[cut], terminations[cut] = states[cut], False
        if self._imagination.reward_function is not None:
            rewards = np.empty(len(states))
            taken = np.flatnonzero(~cut)
            if len(taken):  # of copies, so that the function may write to them
                rewards[taken] = self._imagination.reward_function(
                    states[taken], actions[taken], after[taken]
                )
        if cuts:
            rewards[cut] = self._cut_reward
        self._some_are_fresh = False
        return after, rewards, terminations, cut

    def _begin(self, which: Bools) -> None:
        """Draws states to begin from, for some environments."""
        drawn = self.np_random.integers(len(self._starts), size=count_nonzero(which))
        self._states[which] = self._starts[drawn]
        self._ages[which] = 0
        self._ended[which] = False
        self._some_are_fresh = True

    def _final(self, infos: dict[str, Any]) -> dict[str, Any]:
        """Returns the infos of the episodes that have just ended, before others begin."""
        observed = self._observed(self._states)
        last = np.full(self.num_envs, None, object)
        for row in np.flatnonzero(self._ended):
            last[row] = observed[row].copy()
        return _info("final_obs", last, self._ended) | _info("final_info", infos, self._ended)

    def _observed(self, states: Float64) -> Array:
        return states.astype(self.single_observation_space.dtype)

    def _applied(self, actions: ArrayLike) -> Float64:
        """Returns actions (N, A) within their bounds."""
        wanted: Float64 = _arrays.numbers("actions", actions)
        if wanted.shape != self._last_actions.shape:
            raise ShapeError(
                f"actions: got shape {wanted.shape}, must be {self._last_actions.shape}, "
                "one row for each environment"
            )
        finite = np.isfinite(wanted)
        if count_nonzero(finite) < wanted.size:
            row, column = np.argwhere(~finite)[0]
            raise ArgumentError(
                f"actions: row {row}, column {column} is {wanted[row, column]}, must be finite"
            )
        if integer_dtype(self.single_action_space) is not None:
            wanted = np.rint(wanted)
        return np.minimum(np.maximum(wanted, self._action_bounds[0]), self._action_bounds[1])

    def _require_running(self) -> None:
        if self.closed:
            raise ClosedEnvironmentError("step: the environment is closed")
        if not self._was_reset:
            raise ResetNeeded("step: the environment was never reset; call reset() first")
        if self._mode is AutoresetMode.DISABLED and count_nonzero(self._ended):
            row = int(np.argmax(self._ended))
            raise ResetNeeded(
                f"step: the episode of environment {row} is over; call "
                'reset(options={"reset_mask": ...}) first'
            )

    def _reset_mask(self, options: dict[str, Any] | None) -> Bools:
        """Returns (N,) which environments are reset."""
        if not isinstance(options, Mapping | None):
            raise TypeError(f"options: got {_texts.shown(options)}, must be a dictionary or None")
        if options is None or "reset_mask" not in options:
            return np.ones(self.num_envs, np.bool_)
        mask = options["reset_mask"]
        if not isinstance(mask, np.ndarray) or _arrays.has_masked(mask) or mask.dtype != np.bool_:
            kind = mask.dtype if type(mask) is np.ndarray else type(mask).__name__
            raise TypeError(f"reset_mask: got {kind}, must be an array of bools")
        if mask.shape != (self.num_envs,):
            raise ShapeError(f"reset_mask: got shape {mask.shape}, must be ({self.num_envs},)")
        if not mask.any():
            raise ArgumentError("reset_mask: is False for all environments, must be True for some")
        if not self._was_reset and not mask.all():
            raise ResetNeeded(
                "reset_mask: leaves out some environments; the first reset must be of all"
            )
        return mask


def _info(name: str, values: Any, of: Bools) -> dict[str, Any]:
    """Returns an entry of `infos`, with the mask of the environments that it tells of."""
    return {name: values.copy(), f"_{name}": of.copy()}


def _mode(wanted: AutoresetMode | str) -> AutoresetMode:
    if isinstance(wanted, AutoresetMode):
        return wanted
    names = [mode.value for mode in AutoresetMode]
    return AutoresetMode(_arrays.choice("autoreset_mode", wanted, *names))
