"""`SB3VecEnv`: an imagined vector environment, as Stable-Baselines3 has them."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from dynaplan.envs.imagined import ImaginedVectorEnv
from dynaplan.errors import ArgumentError

try:
    from stable_baselines3.common.vec_env import VecEnv
except ModuleNotFoundError as error:
    raise ImportError(
        f"dynaplan.envs.sb3: {error}; install it by `pip install stable-baselines3`"
    ) from error

__all__ = ["SB3VecEnv"]


class SB3VecEnv(VecEnv):
    """An `ImaginedVectorEnv` for algorithms of Stable-Baselines3, whose vector is another class.

    Infos hold what they look for: `terminal_observation` and `TimeLimit.truncated` of each episode
    that ended, so that a truncated one is not taken for the end of the system; and `cut`.

    Args:
        envs: made with `autoreset_mode="SameStep"`, as Stable-Baselines3 resets.

    Attributes:
        envs: the same.

    Raises:
        TypeError: `envs` is no `ImaginedVectorEnv`.
        ArgumentError: it resets in another mode.

    Example:
        >>> import gymnasium, stable_baselines3
        >>> from dynaplan.envs.sb3 import SB3VecEnv
        >>> env = gymnasium.make("Pendulum-v1")
        >>> data = dp.collect(env, steps=200, seed=0)
        >>> envs = dp.ImaginedVectorEnv(
        ...     dp.LinearGaussian.fit(data, features=dp.Polynomial(2)),
        ...     num_envs=8,
        ...     starts=data.states,
        ...     action_space=env.action_space,
        ...     reward=dp.rewards.for_env(env),
        ...     max_episode_steps=200,
        ...     autoreset_mode="SameStep",
        ... )
        >>> agent = stable_baselines3.PPO("MlpPolicy", SB3VecEnv(envs), n_steps=64, seed=0)
        >>> agent.learn(1024).num_timesteps
        1024
    """

    def __init__(self, envs: ImaginedVectorEnv) -> None:
        if not isinstance(envs, ImaginedVectorEnv):
            raise TypeError(f"envs: got {type(envs).__name__}, must be an ImaginedVectorEnv")
        mode = envs.metadata["autoreset_mode"]
        if mode is not AutoresetMode.SAME_STEP:
            raise ArgumentError(
                f"envs: has autoreset_mode {mode.value!r}, must be made with 'SameStep'"
            )
        self.envs = envs
        self._actions: Any = None
        super().__init__(envs.num_envs, envs.single_observation_space, envs.single_action_space)

    def reset(self) -> NDArray[Any]:
        """Begins new episodes, from the seed of the last call of `seed` if there was one since."""
        observations, _ = self.envs.reset(seed=self._seeds[0])
        self.reset_infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        self._reset_seeds()
        self._reset_options()
        return observations

    def step_async(self, actions: NDArray[Any]) -> None:
        """Takes the actions (N, A) of the step that `step_wait` makes."""
        self._actions = actions

    def step_wait(
        self,
    ) -> tuple[NDArray[Any], NDArray[np.float32], NDArray[np.bool_], list[dict[str, Any]]]:
        """Returns observations (N, S), rewards (N,), which episodes ended (N,), and N infos."""
        observations, rewards, terminations, truncations, details = self.envs.step(self._actions)
        ended = terminations | truncations
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        if ended.any():
            cut = details["final_info"].get("cut", np.zeros(self.num_envs, np.bool_))
            for row in np.flatnonzero(ended):
                infos[row]["terminal_observation"] = details["final_obs"][row]
                infos[row]["TimeLimit.truncated"] = bool(truncations[row] & ~terminations[row])
                infos[row] |= {"cut": True} if cut[row] else {}
        return observations, rewards.astype(np.float32), ended, infos

    def close(self) -> None:
        """Closes the environments."""
        self.envs.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Returns an attribute of the environments once for each of them, as it is the same.

        Args:
            attr_name: of the `ImaginedVectorEnv`.
            indices: numbers of environments, one of them, or None for all.

        Raises:
            AttributeError: there is none of that name.
        """
        return [getattr(self.envs, attr_name)] * len(list(self._get_indices(indices)))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Refuses, as the environments are one object.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(f"set_attr: {attr_name} of {self.envs} is not to be changed")

    def env_method(
        self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any
    ) -> list[Any]:
        """Refuses, as the environments are one object.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(
            f"env_method: call {method_name} of `.envs`, which is all of them"
        )

    def env_is_wrapped(self, wrapper_class: type, indices: Any = None) -> list[bool]:
        """Returns False once for each environment.

        Args:
            wrapper_class: any class.
            indices: as in `get_attr`.
        """
        return [False] * len(list(self._get_indices(indices)))
