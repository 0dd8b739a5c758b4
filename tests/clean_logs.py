"""Logs of simulated systems in which nothing is wrong, for faults to be planted in."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

import dynaplan as dp

Float64 = NDArray[np.float64]

SYSTEMS = ("linear", "pendulum", "cart-pole", "oscillator")
EXCITATIONS = ("random", "coloured", "feedback", "sines", "held")


@dataclass
class Log:
    """Rows in the order in which they were recorded."""

    states: Float64
    actions: Float64
    next_states: Float64
    episodes: NDArray[np.int64]

    def rows(self, kept: Any) -> Log:
        columns = self.states, self.actions, self.next_states, self.episodes
        return Log(*(values[kept] for values in columns))

    def with_state(self, now: Float64, after: Float64) -> Log:
        """The log with one more state."""
        states = np.column_stack([self.states, now])
        return Log(states, self.actions, np.column_stack([self.next_states, after]), self.episodes)

    def transitions(self, **more: Any) -> dp.Transitions:
        return dp.Transitions(
            self.states, self.actions, self.next_states, **{"episodes": self.episodes, **more}
        )


@dataclass
class System:
    """How a system moves, in batches, where it begins, and gains that hold it."""

    step: Any
    start: Any
    gains: Float64
    noise: float = 0.0
    sensor: float = 0.0


def linear(rng: Any, states: int = 4, actions: int = 2) -> System:
    """A stable one, whose poles are within 0.95."""
    matrix = rng.normal(size=(states, states))
    matrix = 0.7 * np.eye(states) + 0.25 * matrix / np.abs(np.linalg.eigvals(matrix)).max()
    inputs, gains = 0.3 * rng.normal(size=(states, actions)), rng.normal(size=(actions, states))
    while np.abs(np.linalg.eigvals(matrix - inputs @ gains)).max() > 0.97:
        gains *= 0.8
    return System(
        lambda x, u: x @ matrix.T + u @ inputs.T,
        lambda count: 0.3 * rng.normal(size=(count, states)),
        gains,
    )


def pendulum(rng: Any) -> System:
    """That of Gymnasium, its angle as cosine and sine."""

    def step(x: Float64, u: Float64) -> Float64:
        angle, speed = np.arctan2(x[:, 1], x[:, 0]), x[:, 2]
        speed = speed + 0.05 * (15.0 * np.sin(angle) + 6.0 * u[:, 0] - 0.1 * speed)
        angle = angle + 0.05 * speed
        return np.stack([np.cos(angle), np.sin(angle), speed], axis=1)

    def start(count: int) -> Float64:
        angle, speed = rng.uniform(-3.0, 3.0, count), rng.uniform(-1.0, 1.0, count)
        return np.stack([np.cos(angle), np.sin(angle), speed], axis=1)

    return System(step, start, np.array([[0.0, 1.0, 0.3]]))


def cart_pole(rng: Any) -> System:
    """That of Barto, Sutton & Anderson 1983."""

    def step(x: Float64, u: Float64) -> Float64:
        _, speed, angle, rate = x.T
        sine, cosine = np.sin(angle), np.cos(angle)
        pushed = (10.0 * u[:, 0] + 0.05 * rate**2 * sine) / 1.1
        turned = (9.8 * sine - cosine * pushed) / (0.5 * (4.0 / 3.0 - 0.1 * cosine**2 / 1.1))
        moved = pushed - 0.05 * turned * cosine / 1.1
        changes = [speed, moved, rate, turned]
        return x + 0.02 * np.stack(changes, axis=1)

    gains = np.array([[-0.1, -0.2, -3.0, -0.5]])
    return System(step, lambda count: rng.uniform(-0.05, 0.05, (count, 4)), gains)


def oscillator(rng: Any) -> System:
    """A mass at a spring, with noise of the process and of the sensors."""

    def step(x: Float64, u: Float64) -> Float64:
        speed = x[:, 1] + 0.1 * (-2.0 * x[:, 0] - 0.2 * x[:, 1] + u[:, 0])
        return np.stack([x[:, 0] + 0.1 * speed, speed], axis=1)

    gains = np.array([[0.5, 0.8]])
    return System(step, lambda count: rng.normal(size=(count, 2)), gains, 0.01, 0.003)


MAKERS = {"linear": linear, "pendulum": pendulum, "cart-pole": cart_pole, "oscillator": oscillator}


def excited(kind: str, shape: tuple[int, int, int], rng: Any) -> Float64:
    """Actions (steps, episodes, A) of the size of 1."""
    steps = shape[0]
    if kind == "coloured":
        noise = rng.normal(size=shape)
        for step in range(1, steps):
            noise[step] = 0.9 * noise[step - 1] + np.sqrt(0.19) * noise[step]
        return 0.5 * noise
    if kind == "sines":
        rates, phases = rng.uniform(0.01, 0.45, (24, *shape[1:])), rng.uniform(0.0, 6.28, shape[1:])
        times = np.arange(steps)[:, None, None, None]
        return np.sin(2.0 * np.pi * rates * times + phases).sum(axis=1) / np.sqrt(24.0)
    drawn = rng.uniform(-1.0, 1.0, shape)
    if kind == "held":
        for step in range(1, steps):
            same = rng.random(shape[1]) < 0.7
            drawn[step, same] = drawn[step - 1, same]
    return drawn


def clean_log(
    system: str,
    seed: int,
    *,
    count: int = 600,
    excitation: str = "random",
    width: float = 1.0,
    length: int = 0,
    states: int = 4,
    actions: int = 2,
    spread: float = 1.0,
    dither: float = 0.3,
    bound: float = np.inf,
    sensor: float | None = None,
) -> Log:
    """About `count` rows of a system; `length` of an episode, `spread` times the usual starts."""
    rng = np.random.default_rng([seed, SYSTEMS.index(system)])
    sizes = {"states": states, "actions": actions} if system == "linear" else {}
    made = MAKERS[system](rng, **sizes)
    length = length or (30 if system == "cart-pole" else 100)
    episodes = max(1, count // length)
    x = spread * made.start(episodes)
    if system == "pendulum":
        x[:, :2] /= np.linalg.norm(x[:, :2], axis=1, keepdims=True)
    inputs = width * excited(excitation, (length, episodes, len(made.gains)), rng)
    path = [x]
    for step in range(length):
        if excitation == "feedback":
            inputs[step] = dither * inputs[step] - x @ made.gains.T
        inputs[step] = np.clip(inputs[step], -bound, bound)
        x = made.step(x, inputs[step]) + width * made.noise * rng.normal(size=x.shape)
        path.append(x)
    measured = np.array(path).swapaxes(0, 1)
    noise = (
        width * made.sensor if sensor is None else sensor * np.diff(measured, axis=1).std((0, 1))
    )
    measured = measured + noise * rng.normal(size=measured.shape)
    return Log(
        np.concatenate(measured[:, :-1]),
        np.concatenate(inputs.swapaxes(0, 1)),
        np.concatenate(measured[:, 1:]),
        np.repeat(np.arange(episodes), length),
    )


def settings_of(seed: int) -> dict[str, Any]:
    """Excitation, width, rows and columns (of the linear system), which go round with the seed."""
    rounds = list(product(EXCITATIONS, (1.0, 0.1)))
    excitation, width = rounds[seed % len(rounds)]
    if excitation == "feedback":  # by a tenth of the actions, as a fit needs
        width = max(width, 0.5)
    states, actions = ((1, 1), (4, 2), (17, 6))[seed % 3]
    sizes = {"count": (300, 600, 2000, 1000)[seed % 4], "states": states, "actions": actions}
    return {"excitation": excitation, "width": width, **sizes}
