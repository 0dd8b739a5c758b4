"""`SB3Agent`: an off-policy algorithm of Stable-Baselines3 as the agent of a `Dyna`."""

from __future__ import annotations

import os
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm

from dynaplan import _arrays
from dynaplan._spaces import box_of_floats
from dynaplan.agents.sb3.mixture import ImaginedReplay, Mixture
from dynaplan.errors import ArgumentError, ShapeError

__all__ = ["SB3Agent"]


class SB3Agent:
    """SAC, TD3 or DDPG of Stable-Baselines3 as the agent of a `Dyna`, their networks unchanged.

    Real transitions go to the algorithm's own replay buffer. Imagined ones are kept apart, and are
    part of its batches only within `update`: `algorithm.learn` and `save` work as if there were
    none. Its draws come from the generators of PyTorch and NumPy, which it seeds when it is made.

    Its files are pickles, which may run anything when they are read. A `Dyna` with such an agent
    therefore refuses `save`: a checkpoint runs nothing. Use `algorithm.save` for files you trust.

    Args:
        algorithm: made for the environment of the `Dyna`, of one environment, with the plain
            `ReplayBuffer`. `learning_starts`, `train_freq` and `gradient_steps` are ignored:
            `Dyna` decides when it learns.
        real_ratio: share of each batch that is real while something is imagined, rounded. Default
            0.05, as MBPO.
        imagined_buffer_size: imagined transitions that are kept, the newest; `Dyna` sets it.

    Attributes:
        algorithm: the same.
        real_ratio: likewise.

    Raises:
        TypeError: `algorithm` is not off-policy, or its spaces are not Boxes.
        ShapeError: its spaces are not 1-D.
        ArgumentError: it has several environments, another buffer or normalised observations, or a
            setting is out of range.

    Example:
        >>> import gymnasium, stable_baselines3
        >>> from dynaplan.agents.sb3 import SB3Agent
        >>> env = gymnasium.make("Pendulum-v1")
        >>> agent = SB3Agent(stable_baselines3.SAC("MlpPolicy", env, seed=0))
        >>> learn = lambda data, previous: dp.LinearGaussian.fit(data, features=dp.Polynomial(2))
        >>> reward = dp.rewards.for_env(env)
        >>> dyna = dp.Dyna(env, agent, learn, reward=reward, updates_per_step=1, seed=0)
        >>> [it.steps for it in dyna.run(120)]
        [120]
    """

    def __init__(
        self,
        algorithm: OffPolicyAlgorithm,
        *,
        real_ratio: float = 0.05,
        imagined_buffer_size: int = 1_000_000,
    ) -> None:
        if not isinstance(algorithm, OffPolicyAlgorithm):
            kind = type(algorithm).__name__
            raise TypeError(
                f"algorithm: got {kind}, must be an off-policy algorithm of Stable-Baselines3"
            )
        _require_plain(algorithm)
        self.algorithm = algorithm
        self.real_ratio = _arrays.share("real_ratio", real_ratio)
        self._imagined = ImaginedReplay(imagined_buffer_size)
        if getattr(algorithm, "_logger", None) is None:  # there is one once it has learned
            algorithm.set_logger(Logger(None, []))

    def __repr__(self) -> str:
        """Shows the algorithm."""
        return f"SB3Agent({type(self.algorithm).__name__}, real_ratio={self.real_ratio})"

    @property
    def replay_sizes(self) -> tuple[int, int]:
        """Real and imagined transitions that are kept now."""
        return self.algorithm.replay_buffer.size(), len(self._imagined)

    def act(self, states: ArrayLike, deterministic: bool = False) -> NDArray[Any]:
        """Chooses actions, with the algorithm's `action_noise` if it has one.

        Args:
            states: (S,) or (N, S).
            deterministic: the policy's best action, without noise.

        Returns:
            (A,) or (N, A), within the bounds.
        """
        given = _arrays.numbers("states", states, None)
        observed = _arrays.narrowed("states", given, self.algorithm.observation_space.dtype.type)
        deterministic = _arrays.flag("deterministic", deterministic)
        actions: NDArray[Any] = self.algorithm.predict(observed, deterministic=deterministic)[0]
        noise = self.algorithm.action_noise
        if deterministic or noise is None:
            return actions
        drawn = np.reshape(
            [noise() for _ in range(actions.size // actions.shape[-1])], actions.shape
        )
        policy = self.algorithm.policy
        noisy = np.clip(policy.scale_action(actions) + drawn, -1.0, 1.0)
        unscaled: NDArray[Any] = policy.unscale_action(noisy.astype(actions.dtype))
        return unscaled

    def observe(
        self,
        state: ArrayLike,
        action: ArrayLike,
        reward: ArrayLike,
        next_state: ArrayLike,
        terminated: ArrayLike,
    ) -> None:
        """Adds a real transition, or N of them, to the algorithm's replay buffer.

        Args:
            state: (S,) or (N, S).
            action: (A,) or (N, A): what was applied.
            reward: a number or (N,).
            next_state: (S,) or (N, S): at the end of an episode its true last state.
            terminated: a bool or (N,): whether the system ended there; a time limit is no end.

        Raises:
            ShapeError: an array has the wrong shape.
            ArgumentError: a number is too large for the algorithm's dtype.
        """
        states, actions, after, ended, rewards = self._rows(
            state, action, reward, next_state, terminated
        )
        for row in range(len(states)):
            one = slice(row, row + 1)
            self.algorithm.replay_buffer.add(
                states[one], after[one], actions[one], rewards[row], ended[row], [{}]
            )
        self.algorithm.num_timesteps += len(states)

    def observe_imagined(
        self,
        states: ArrayLike,
        actions: ArrayLike,
        rewards: ArrayLike,
        next_states: ArrayLike,
        terminated: ArrayLike,
        *,
        replace: bool = False,
    ) -> None:
        """Takes in transitions that a model predicted.

        Args:
            states: (N, S), or (S,).
            actions: (N, A), or (A,).
            rewards: (N,), or a number.
            next_states: (N, S), or (S,).
            terminated: (N,) bools, or one.
            replace: forget the imagined transitions before.

        Raises:
            ShapeError: an array has the wrong shape.
        """
        rows = self._rows(states, actions, rewards, next_states, terminated)
        self._imagined.take(rows, _arrays.flag("replace", replace))

    def resize_imagined(self, size: int) -> None:
        """Changes how many imagined transitions are kept; the newest stay.

        Args:
            size: at least 1, else ArgumentError.
        """
        self._imagined.resize(size)

    def update(self, count: int = 1) -> None:
        """Makes updates, of the algorithm's `batch_size`, on real and imagined transitions.

        Args:
            count: how many.

        Raises:
            ArgumentError: nothing was observed, or `count` is below 1.
        """
        _arrays.at_least(1, "count", count)
        if not any(self.replay_sizes):
            raise ArgumentError("update: nothing was observed; call observe() before update()")
        algorithm, real = self.algorithm, self.algorithm.replay_buffer
        algorithm.replay_buffer = Mixture(real, self._imagined, self.real_ratio)
        try:
            algorithm.train(gradient_steps=count, batch_size=algorithm.batch_size)
        finally:
            algorithm.replay_buffer = real

    def save(self, path: str | os.PathLike[str]) -> NoReturn:
        """Refuses, as files of Stable-Baselines3 are pickles.

        Args:
            path: ignored.

        Raises:
            TypeError: always.
        """
        raise TypeError(
            f"agent: a checkpoint ({os.fspath(path)}) would hold a pickle of Stable-Baselines3, "
            "which may run anything when it is read; use agent.algorithm.save for the agent alone"
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> NoReturn:
        """Refuses likewise.

        Args:
            path: ignored.

        Raises:
            TypeError: always.
        """
        raise TypeError(f"agent: {os.fspath(path)} is not read, since agents of SB3 are pickles")

    def _rows(
        self, states: Any, actions: Any, rewards: Any, next_states: Any, terminated: Any
    ) -> tuple[NDArray[Any], ...]:
        """Returns columns as batches have them: actions in [-1, 1], the ends before the rewards."""
        (state_dim,), (action_dim,) = (
            space.shape for space in (self.algorithm.observation_space, self.algorithm.action_space)
        )
        before = _arrays.rows("states", states, state_dim)
        count = len(before)
        chosen = _arrays.rows("actions", actions, action_dim)
        after = _arrays.rows("next_states", next_states, state_dim)
        for name, array in (("actions", chosen), ("next_states", after)):
            if len(array) != count:
                raise ShapeError(f"{name}: got {len(array)} rows, must be {count} as of the states")
        ended = np.atleast_1d(_arrays.any_array("terminated", terminated))
        if ended.dtype != np.bool_ or ended.shape != (count,):
            raise TypeError(
                f"terminated: got dtype {ended.dtype} and shape {ended.shape}, must be bool of "
                f"shape ({count},)"
            )
        kind = self.algorithm.observation_space.dtype.type
        return (
            _arrays.narrowed("states", before, kind),
            self.algorithm.policy.scale_action(chosen).astype(np.float32),
            _arrays.narrowed("next_states", after, kind),
            ended.astype(np.float32),
            _arrays.narrowed("rewards", _arrays.vector("rewards", rewards, count), np.float32),
        )


def _require_plain(algorithm: OffPolicyAlgorithm) -> None:
    for name in ("observation_space", "action_space"):
        space = getattr(algorithm, name)
        box_of_floats(f"algorithm.{name}", space, int(np.prod(space.shape or ())))
    buffer = algorithm.replay_buffer
    if type(buffer) is not ReplayBuffer or buffer.optimize_memory_usage:
        raise ArgumentError(
            f"algorithm: has a {type(buffer).__name__}, must have the plain ReplayBuffer, with "
            "n_steps=1 and without optimize_memory_usage"
        )
    if algorithm.n_envs != 1:
        raise ArgumentError(f"algorithm: has {algorithm.n_envs} environments, must have one")
    if algorithm.get_vec_normalize_env() is not None:
        raise ArgumentError("algorithm: its environment is a VecNormalize, must be none")
