"""`SAC`: soft actor-critic, trained in C++ on real and imagined transitions."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _callbacks, _core
from dynaplan._environments import boxes
from dynaplan.agents.policy import Policy
from dynaplan.agents.sac import files
from dynaplan.agents.sac.episodes import AgentEpisode, agent_episodes, require_spaces
from dynaplan.agents.sac.rows import transition_rows
from dynaplan.agents.sac.settings import SACSettings, UpdateStatistics
from dynaplan.errors import ArgumentError

if TYPE_CHECKING:
    import onnx
    import torch
    from gymnasium import Env

__all__ = ["SAC"]


class SAC:
    """Soft actor-critic: an agent for continuous actions that learns from any transitions.

    A policy that draws actions from a squashed Gaussian, two critics with slowly moving target
    networks, and a temperature that keeps the policy's entropy near a target; settings are those of
    the paper and of Stable-Baselines3 by default. It learns from a replay of real transitions and,
    where there are some, of imagined ones, as in MBPO; alone, with `learn`, it is model-free.

    States are taken as they are; a wrapper may bring them to about 1. One agent serves one thread
    at a time. Same seed, environment and calls: same bits, whatever the threads.

    Args:
        env: a Gymnasium environment with 1-D Box observations and bounded 1-D Box actions; left
            open.
        learning_rate: of Adam, for all networks and the temperature.
        buffer_size: real transitions that are kept, the newest; memory is used as they come.
        learning_starts: steps of random actions, without updates, at the beginning of `learn`.
        batch_size: transitions in an update, at most 65,536.
        tau: share by which the target networks move at each update, in (0, 1].
        discount: weight of each step relative to the one before, in [0, 1]; "gamma" in SB3.
        train_freq: steps between updates in `learn`.
        gradient_steps: updates at a time in `learn`.
        hidden: units of each hidden layer, of the actor and of the critics.
        activation: "relu", "tanh" or "silu".
        target_entropy: in nats, of actions scaled to [-1, 1]. Default (None): minus the number of
            action dimensions.
        temperature: weight of the entropy if it is to stay fixed. Default (None): learned.
        initial_temperature: what a learned one begins with.
        real_ratio: fraction of real transitions in a batch once there are imagined ones.
            Default 0.05, as in MBPO.
        imagined_buffer_size: imagined transitions that are kept, the newest.
        seed: of weights, actions, batches and the environment's first reset; None draws one.
        threads: of updates and of `act` on many states. Two pay on a quiet machine, from 64 units
            on.

    Attributes:
        env: may be set to another one with the same spaces.
        settings: the arguments above, as they are saved.

    Raises:
        ShapeError: the spaces are not 1-D.
        TypeError: `env` is no environment, or its spaces are not Boxes.
        ArgumentError: the actions have no bounds, or a setting is out of range.

    Source: Haarnoja et al. 2018, "Soft actor-critic algorithms and applications"; Janner et al.
    2019, "When to trust your model", for imagined transitions.

    Example:
        >>> import gymnasium
        >>> agent = dp.SAC(gymnasium.make("Pendulum-v1"), hidden=(32, 32), seed=0).learn(300)
        >>> agent.act([1.0, 0.0, 0.0], deterministic=True).shape
        (1,)
    """

    def __init__(
        self,
        env: Env[Any, Any],
        *,
        learning_rate: float = 3e-4,
        buffer_size: int = 1_000_000,
        learning_starts: int = 100,
        batch_size: int = 256,
        tau: float = 0.005,
        discount: float = 0.99,
        train_freq: int = 1,
        gradient_steps: int = 1,
        hidden: Sequence[int] = (256, 256),
        activation: str = "relu",
        target_entropy: float | None = None,
        temperature: float | None = None,
        initial_temperature: float = 1.0,
        real_ratio: float = 0.05,
        imagined_buffer_size: int = 1_000_000,
        seed: int | None = None,
        threads: int = 1,
    ) -> None:
        observations, actions = boxes(env)
        self.settings = SACSettings(
            learning_rate=learning_rate,
            buffer_size=buffer_size,
            learning_starts=learning_starts,
            batch_size=batch_size,
            tau=tau,
            discount=discount,
            train_freq=train_freq,
            gradient_steps=gradient_steps,
            hidden=_arrays.counts("hidden", hidden),
            activation=activation,
            target_entropy=-actions.shape[0] if target_entropy is None else target_entropy,
            temperature=temperature,
            initial_temperature=initial_temperature,
            real_ratio=real_ratio,
            imagined_buffer_size=imagined_buffer_size,
            seed=_arrays.seed_number(seed),
        )
        self._state_dim = observations.shape[0]
        self._bounds = np.array(actions.low, np.float64), np.array(actions.high, np.float64)
        self._core = self.settings.core(self._state_dim, self._bounds, threads)
        self._threads = threads
        self._steps = 0
        self.env: Env[Any, Any] | None = env

    def __getstate__(self) -> dict[str, Any]:
        return {
            "parts": files.parts(self._core, self._described(), replay=True),
            "threads": self._threads,
            "env": self.env,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        (arrays, header), threads = state["parts"], state["threads"]
        self._take(files.from_parts("agent", arrays, header, threads), threads)
        self.env = state["env"]

    def _take(self, read: tuple[files.AgentDescription, _core.Sac], threads: int) -> None:
        described, self._core = read
        self.settings, self._steps, self._threads = described.settings, described.steps, threads
        self._state_dim, self._bounds = described.state_dim, described.bounds

    def __repr__(self) -> str:
        return (
            f"SAC(state_dim={self.state_dim}, action_dim={self.action_dim}, "
            f"hidden={self.settings.hidden}, steps={self.steps}, updates={self.updates})"
        )

    @property
    def state_dim(self) -> int:
        """Number of state dimensions, S."""
        return self._state_dim

    @property
    def action_dim(self) -> int:
        """Number of action dimensions, A."""
        return len(self._bounds[0])

    @property
    def steps(self) -> int:
        """Real transitions observed so far."""
        return self._steps

    @property
    def updates(self) -> int:
        """Updates made so far."""
        return self._core.counters()[3]

    @property
    def temperature(self) -> float:
        """The weight of the entropy now."""
        return float(np.exp(self._core.counters()[0]))

    @property
    def replay_sizes(self) -> tuple[int, int]:
        """Real and imagined transitions that are kept now."""
        return self._core.sizes()

    def act(self, states: ArrayLike, deterministic: bool = False) -> NDArray[np.float64]:
        """Chooses actions.

        Args:
            states: (S,) or (N, S).
            deterministic: the tanh of the mean, scaled to the box, instead of a draw.

        Returns:
            (A,) or (N, A), within the bounds.

        Raises:
            ShapeError: the states have the wrong shape.
            ArgumentError: a state is not finite.
        """
        rows = _arrays.rows("states", states, self._state_dim)
        actions = self._core.act(rows, _arrays.flag("deterministic", deterministic))
        return actions.reshape(*np.shape(states)[:-1], self.action_dim)

    def explore(self) -> NDArray[np.float64]:
        """Draws an action (A,) uniformly between the bounds, as `learn` does at its beginning."""
        return self._core.explore(1).reshape(-1)

    def observe(
        self,
        state: ArrayLike,
        action: ArrayLike,
        reward: ArrayLike,
        next_state: ArrayLike,
        terminated: ArrayLike,
    ) -> None:
        """Takes one real transition, or N of them, into the replay.

        Args:
            state: (S,) or (N, S).
            action: (A,) or (N, A): what was applied, within the bounds.
            reward: a number or (N,); larger is better.
            next_state: (S,) or (N, S): at the end of an episode its true last state.
            terminated: whether the system ended there, with no reward after it; a bool or (N,). A
                time limit ("truncated") is no such end.

        Raises:
            ShapeError: an array has the wrong shape.
            ArgumentError: a number is not finite or beyond float32, or an action is out of bounds;
                then nothing is taken.
        """
        rows = transition_rows(self, state, action, reward, next_state, terminated)
        self._core.observe(*rows)
        self._steps += len(rows[0])

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
        """Takes transitions that a model predicted into the imagined part of the replay.

        Args:
            states: (N, S), or (S,).
            actions: (N, A), or (A,); within the bounds.
            rewards: (N,), or a number.
            next_states: (N, S), or (S,).
            terminated: (N,) bools, or one.
            replace: forget the imagined transitions before; else they stay, the newest as many as
                `imagined_buffer_size`.

        Raises:
            ShapeError, ArgumentError: as of `observe`.
        """
        rows = transition_rows(self, states, actions, rewards, next_states, terminated)
        self._core.observe_imagined(*rows, replace=_arrays.flag("replace", replace))

    def resize_imagined(self, size: int) -> None:
        """Changes how many imagined transitions are kept; the newest stay.

        Args:
            size: at least 1, else ArgumentError.
        """
        size = _arrays.count("size", size, 1)
        self._core.resize_imagined(size)
        self.settings = replace(self.settings, imagined_buffer_size=size)  # for files

    def update(self, count: int = 1) -> UpdateStatistics:
        """Learns from batches of the replay, without the GIL.

        Ctrl-C raises KeyboardInterrupt at the end of the current update; the agent is whole and can
        continue.

        Args:
            count: number of updates, each of both critics, the actor and the temperature.

        Returns:
            Means over these updates.

        Raises:
            ArgumentError: there are no transitions yet, or `count` is negative.
            NumericalError: a loss is not finite, such as with enormous rewards; the network it is
                the loss of is left as it was.
        """
        return UpdateStatistics(*self._core.update(_arrays.count("count", count)))

    def run(self, steps: int) -> Iterator[AgentEpisode]:
        """Acts in the environment and learns; an episode comes out after each.

        The environment is reset before each episode. Nothing happens until the first episode is
        asked for, nor between two. Ctrl-C leaves the agent with all whole steps and updates;
        another `run` continues from there.

        Args:
            steps: real steps to make, besides those of earlier runs; exactly as many are made.

        Returns:
            The episodes, counted from 1, as they end.

        Raises:
            ArgumentError: `steps` is below 1, there is no environment, or it gave a value that is
                not finite.
            ShapeError: the environment's spaces are not this agent's.
        """
        steps = _arrays.at_least(1, "steps", steps)
        if self.env is None:
            raise ArgumentError("env: the agent has none; set agent.env before it runs")
        require_spaces(self.env, self.state_dim, self._bounds)
        return agent_episodes(self, self.env, steps)

    def learn(
        self, total_timesteps: int, callback: Callable[[AgentEpisode], Any] | None = None
    ) -> SAC:
        """Does the same as `run`, to the end.

        Args:
            total_timesteps: real steps to make, besides those of earlier runs.
            callback: called with each episode as it ends; returns False to end the run.

        Returns:
            The agent itself.

        Raises:
            ArgumentError, ShapeError: as of `run`.
        """
        if callback is not None:
            _callbacks.require_function("callback", callback)
        for episode in self.run(_arrays.at_least(1, "total_timesteps", total_timesteps)):
            if callback is not None and callback(episode) is False:
                break
        return self

    def save(self, path: str | os.PathLike[str], *, replay: bool = True) -> None:
        """Writes all of the agent to `path`, a safetensors file that `dynaplan.load` reads.

        Networks, Adam's moments, temperature, counts of random numbers, settings. An agent loaded
        again continues with the same bits as one that never stopped, if the environment does; the
        environment's state is not in the file. The file appears complete or not at all.

        Args:
            path: name of the file, used as it is; an existing file is replaced.
            replay: write the transitions too, 4 * (2 S + A + 2) bytes each; without them an agent
                can act, but must observe transitions before it learns.

        Raises:
            ModelFileError: a network holds a number that is not finite.
            OSError: the folder does not exist or cannot be written to.
        """
        files.write(path, self._core, self._described(), _arrays.flag("replay", replay))

    @classmethod
    def _from_file(
        cls,
        read: tuple[files.AgentDescription, _core.Sac],
        env: Env[Any, Any] | None,
        threads: int,
    ) -> SAC:
        """Makes the agent that was read from a file.

        Raises:
            ShapeError, ArgumentError, TypeError: `env` has other spaces than the agent.
        """
        if env is not None:
            require_spaces(env, read[0].state_dim, read[0].bounds)
        agent = cls.__new__(cls)
        agent._take(read, threads)
        agent.env = env
        return agent

    def _described(self) -> files.AgentDescription:
        return files.AgentDescription(self.state_dim, self._bounds, self.settings, self.steps)

    def _core_policy(self) -> _core.Policy:
        return self._core.policy()

    def _policy(self) -> Policy:
        sizes = self._described().sizes()["actor"]
        layers = files.layers_of(self._core.numbers()["actor"], sizes)
        return Policy.of_actor(layers, self.settings.activation, self._bounds)

    def to_torch(self) -> torch.nn.Module:
        """Makes a PyTorch module that gives the deterministic action (N, A) of states (N, S).

        In the environment's units. float32, gradients on; a copy. ImportError without PyTorch.
        """
        from dynaplan.agents import torch_policy  # noqa: PLC0415  # an extra

        return torch_policy.Actor(self._policy())

    def to_onnx(self) -> onnx.ModelProto:
        """Makes an ONNX model that gives the deterministic `action` (N, A) of `state` (N, S).

        In the environment's units. float32, operator set 17. Raises an ImportError without onnx.
        """
        from dynaplan.agents import onnx_policy  # noqa: PLC0415  # an extra

        return onnx_policy.model_of(self._policy())
