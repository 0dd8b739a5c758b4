"""Data from Gymnasium environments. Gymnasium is imported only when a function is called."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _callbacks, _texts
from dynaplan._environments import action_dim, spaces
from dynaplan._spaces import is_discrete
from dynaplan.data.angles import Angles, AnglesLike
from dynaplan.data.driver import Driver
from dynaplan.data.recorder import Recorder
from dynaplan.data.transitions import Transitions
from dynaplan.errors import ArgumentError

if TYPE_CHECKING:
    from gymnasium import Env
    from gymnasium.spaces import Box, Discrete

__all__ = ["checked_hold", "collect", "play_episode", "random_action"]


def collect(  # noqa: PLR0917  # the settings after `seed` are named in practice
    env: Env[Any, Any],
    steps: int,
    policy: Callable[[NDArray[Any]], ArrayLike] | None = None,
    seed: int | None = None,
    hold: tuple[int, int] = (1, 10),
    episode_steps: int | None = 25,
    angles: AnglesLike = (),
) -> Transitions:
    """Collects exactly `steps` transitions from a Gymnasium environment.

    The environment is reset before the first step, after each termination or truncation, and after
    `episode_steps`; every reset begins a new episode. `next_states` holds the true last
    observation of an episode, and `terminations` marks ends that are part of the system, not time
    limits. The environment is left open.

    Args:
        env: an environment (not its id) with 1-D Box observations, and actions of a 1-D Box or a
            Discrete, whose actions the data hold as one-hot rows.
        steps: number of transitions, >= 1.
        policy: function from an observation (S,) to an action (A,), or to the number of a discrete
            one. Actions beyond the bounds are clipped to them, as the environment would do or
            reject; the clipped action is what the data hold. Default: actions drawn uniformly, each
            held for a random number of steps.
        seed: seed of the environment's first reset and of the random actions; None draws one.
        hold: smallest and largest number of steps for which a random action is held; unused where
            there is a `policy`. Actions that change at every step average out and leave the
            system near its rest; ones that are held long run through few different values.
            Default (1, 10): on Pendulum-v1 shorter ones rarely reach the upper half, longer ones
            spend most of the data at full speed.
        episode_steps: longest episode; None leaves it to the environment. Default 25: several
            starts show more of the states than one long run does. On Pendulum-v1 a
            model of 200 transitions that never saw the upper half cannot swing up.
            Take more to see how errors compound further ahead.
        angles: the states that are angles, as `Transitions` takes them. Default: none.

    Returns:
        The transitions, with rewards.

    Raises:
        ShapeError: spaces or an action have another shape.
        TypeError: `env` is no environment, or has other spaces; the message names a wrapper.
        ArgumentError: `steps`, `hold` or `episode_steps` is out of range, the action space has no
            bounds and there is no policy, or an observation, an action or a reward is not finite.

    Example:
        >>> import gymnasium
        >>> data = dp.collect(gymnasium.make("Pendulum-v1"), steps=200, seed=0)
        >>> len(data), data.state_dim, data.action_dim
        (200, 3, 1)
        >>> data = dp.collect(gymnasium.make("CartPole-v1"), steps=100, seed=0)  # left or right
        >>> data.actions[:2]
        array([[0., 1.],
               [0., 1.]])
    """
    observation_space, action_space = spaces(env)
    steps = _arrays.at_least(1, "steps", steps)
    if episode_steps is not None:
        episode_steps = _arrays.at_least(1, "episode_steps", episode_steps)
    if seed is not None:
        seed = _arrays.at_least(0, "seed", seed)
    if policy is not None:
        _callbacks.require_function("policy", policy)
    hold = checked_hold("hold", hold)
    # A child of the seed: the environment's own generator starts from the seed itself, and the
    # two streams would be equal.
    rng = np.random.default_rng(np.random.SeedSequence(seed).spawn(1)[0])
    choose = _RandomHeldActions(action_space, hold, rng) if policy is None else policy

    driver = Driver(env, action_space)
    state_dim = observation_space.shape[0]
    circles = Angles.of(angles, state_dim)
    recorder = Recorder(state_dim, action_dim(action_space), circles)
    driver.reset(seed)
    episode = 0
    for _ in range(steps):
        if not driver.is_open or driver.episode_steps == episode_steps:
            episode += 1
            driver.reset()
        recorder.append(driver.step(choose(driver.observation)), episode)
    return recorder.since(0)


def play_episode(
    env: Env[Any, Any],
    policy: Callable[[NDArray[Any]], ArrayLike],
    *,
    seed: int,
    max_steps: int,
) -> Transitions:
    """Plays one episode, from a reset to its end.

    Args:
        env: an environment as for `collect`; left open.
        policy: function from an observation (S,) to an action (A,), clipped to the bounds, or to
            the number of a discrete one.
        seed: of the reset.
        max_steps: length at which the episode is cut, for environments that set no limit.
    """
    observation_space, action_space = spaces(env)
    driver = Driver(env, action_space)
    recorder = Recorder(observation_space.shape[0], action_dim(action_space))
    driver.reset(seed)
    while driver.is_open and driver.episode_steps < max_steps:
        recorder.append(driver.step(policy(driver.observation)), 0)
    return recorder.since(0)


def checked_hold(name: str, hold: tuple[int, int]) -> tuple[int, int]:
    """Returns the smallest and largest number of steps for which an action is held.

    Raises:
        ArgumentError, TypeError: they are no two integers in this order, or below 1.
    """
    lengths = _arrays.counts(name, hold)
    if len(lengths) != 2 or not 1 <= lengths[0] <= lengths[1]:
        raise ArgumentError(
            f"{name}: got {_texts.shown(hold)}, must be (shortest, longest) with 1 <= shortest <= "
            "longest"
        )
    return lengths[0], lengths[1]


def random_action(space: Box | Discrete, rng: np.random.Generator) -> Any:
    """Returns an action drawn uniformly: (A,) between the bounds, or the number of a discrete one.

    Raises:
        ArgumentError: there are no bounds.
    """
    if is_discrete(space):
        discrete = cast("Discrete", space)
        return int(discrete.start) + int(rng.integers(int(discrete.n)))
    box = cast("Box", space)
    if not box.is_bounded("both"):
        raise ArgumentError(
            f"policy: the actions have no bounds to draw between ({box}); "
            "pass a policy, a function from an observation to an action"
        )
    low: Any = box.low
    high: Any = box.high
    if low.dtype.kind in "iu":
        return rng.integers(low, high, dtype=low.dtype.type, endpoint=True)
    return rng.uniform(low, high)


class _RandomHeldActions:
    """A policy: uniform actions, each held for a random number of steps."""

    def __init__(
        self, space: Box | Discrete, hold: tuple[int, int], rng: np.random.Generator
    ) -> None:
        self._space = space
        self._hold = hold
        self._rng = rng
        self._left = 0
        self._action: Any = None

    def __call__(self, observation: NDArray[Any]) -> Any:
        if self._left == 0:
            self._action = random_action(self._space, self._rng)
            self._left = int(self._rng.integers(*self._hold, endpoint=True))
        self._left -= 1
        return self._action
