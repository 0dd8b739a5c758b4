"""The tasks: environments, how long they are learned, and how a method is judged in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import gymnasium

EVALUATION_SEEDS = 1_000_000  # far from those that methods learn with


@dataclass(frozen=True)
class Task:
    """An environment and its protocol.

    Attributes:
        name: of the environment.
        make: returns a new one; a function that other processes can import.
        steps: real steps to learn in, the random ones included.
        evaluate_every: real steps between evaluations, as nearly as a method can.
        episodes: of an evaluation.
        threshold: mean return from which on the task counts as solved; None: there is none.
        reward_known: whether model-based methods know the reward in closed form.
        published: what others report, as text.
    """

    name: str
    make: Callable[[], Any]
    steps: int
    evaluate_every: int
    episodes: int
    threshold: float | None
    reward_known: bool
    published: str = ""

    def protocol(self) -> dict[str, Any]:
        """Returns what decides a result, as it is stored beside it."""
        return {
            "name": self.name,
            "steps": self.steps,
            "evaluate_every": self.evaluate_every,
            "episodes": self.episodes,
            "threshold": self.threshold,
            "reward_known": self.reward_known,
        }

    @property
    def folder(self) -> str:
        """A name for files."""
        return self.name.replace("/", "_")


def evaluation_seed(seed: int, number: int) -> int:
    """Returns what the environment of an evaluation episode is reset with."""
    return EVALUATION_SEEDS + 1000 * seed + number


def cartpole_swingup() -> Any:
    """Returns dm_control's task with a flat observation: position and velocity, in this order."""
    import shimmy  # noqa: F401  # its import registers the tasks of dm_control

    return gymnasium.wrappers.FlattenObservation(gymnasium.make("dm_control/cartpole-swingup-v0"))


def _gymnasium(name: str, **protocol: Any) -> Task:
    return Task(name, partial(gymnasium.make, name), **protocol)


_ALL = (
    _gymnasium(
        "Pendulum-v1",
        steps=5_000,
        evaluate_every=50,
        episodes=20,
        threshold=-200.0,
        reward_known=True,
    ),
    _gymnasium(
        "InvertedPendulum-v5",
        steps=3_000,
        evaluate_every=50,
        episodes=10,
        threshold=950.0,
        reward_known=True,
    ),
    Task(
        "dm_control/cartpole-swingup",
        cartpole_swingup,
        steps=5_000,
        evaluate_every=250,
        episodes=3,
        threshold=800.0,
        reward_known=True,
        published="Steps to 800: SAC 50,000 to 100,000, DHMBPO 20,000. Goal here: 1,750.",
    ),
    _gymnasium(
        "Reacher-v5",
        steps=10_000,
        evaluate_every=250,
        episodes=20,
        threshold=-5.0,
        reward_known=True,
        published="SAC: -6.4 after 10,000 steps.",
    ),
    _gymnasium(
        "Pusher-v5",
        steps=10_000,
        evaluate_every=500,
        episodes=20,
        threshold=None,
        reward_known=True,
    ),
    _gymnasium(
        "Hopper-v5",
        steps=20_000,
        evaluate_every=1_000,
        episodes=10,
        threshold=3_000.0,
        reward_known=False,
        published="Steps to 3,000: SAC 95,000 to 200,000, MBPO 68,000, MACURA 20,500,"
        " DHMBPO 30,000.",
    ),
    _gymnasium(
        "HalfCheetah-v5",
        steps=40_000,
        evaluate_every=1_000,
        episodes=10,
        threshold=4_800.0,
        reward_known=False,
        published="Steps to 4,800: SAC 40,000 to 100,000, MBPO 23,600, MACURA 29,000,"
        " DHMBPO 20,000.",
    ),
    _gymnasium(
        "Swimmer-v5",
        steps=20_000,
        evaluate_every=1_000,
        episodes=10,
        threshold=None,
        reward_known=False,
    ),
)
TASKS = {task.name: task for task in _ALL}
