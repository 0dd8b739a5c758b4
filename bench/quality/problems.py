"""Planning problems, each defined once for every array library: NumPy in float64 is the judge.

A problem's functions take a namespace `xp` (numpy, torch or jax.numpy), the problem's constants as
that library's arrays, and batches with the batch first. Rewards are of the state after the step, as
pytorch-mppi and pytorch-icem have them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.workloads import FloatArray

Array = Any  # an array of whichever library
Columns = Sequence[Array]  # one array for each state, or each action
MEASURED, DEVELOPMENT = "measured", "development"
SEEDS = {MEASURED: 7100, DEVELOPMENT: 17}  # settings are tried on the development starts alone
STARTS = 8
CONTROLLED = ("pendulum", "cart-pole")  # problems that are controlled in closed loop as well
EPISODES, EPISODE_STEPS = 4, 60  # from so many of the starts, for so many steps


class Problem(ABC):
    """A system, what it earns, where plans start, and how far they go.

    Attributes:
        name: of the problem.
        horizon: steps of a plan.
        time_step: seconds between actions, 0 where time has no unit.
        half_range: (A,); actions are in [-half_range, half_range].
        constants: float64 arrays that the functions need.
    """

    name: str
    horizon: int
    time_step: float = 0.0
    half_range: FloatArray
    constants: tuple[FloatArray, ...] = ()

    @property
    def action_dim(self) -> int:
        """Number of actions."""
        return len(self.half_range)

    @abstractmethod
    def start(self, generator: np.random.Generator) -> FloatArray:
        """Draws a start state (S,)."""

    @abstractmethod
    def step(self, xp: Any, constants: Any, states: Array, actions: Array) -> Array:
        """Returns the next states (N, S) of states (N, S) and actions (N, A) in their range."""

    @abstractmethod
    def reward(self, xp: Any, constants: Any, next_states: Array, actions: Array) -> Array:
        """Returns (...) rewards of next states (..., S) and actions (..., A)."""

    def starts(self, which: str) -> FloatArray:
        """Returns the start states (8, S) of the record (`measured`) or for trials."""
        generator = np.random.default_rng(SEEDS[which])
        return np.stack([self.start(generator) for _ in range(STARTS)])

    def returns(self, xp: Any, constants: Any, start: Array, actions: Array) -> Array:
        """Returns (N,) returns of time-major actions (H, N, A) from one state (S,)."""
        states = start + xp.zeros_like(actions[0, :, :1])
        total = 0.0
        for now in actions:
            states = self.step(xp, constants, states, now)
            total = total + self.reward(xp, constants, states, now)
        return total

    def judged(self, start: FloatArray, plans: FloatArray) -> FloatArray:
        """Returns (N,) returns in float64 of plans (N, H, A), clipped to the range of actions.

        Args:
            start: (S,), or (N, S), one for each plan.
            plans: to judge.
        """
        plans = np.clip(np.asarray(plans, np.float64), -self.half_range, self.half_range)
        actions = np.moveaxis(plans, 1, 0)
        judged: FloatArray = Problem.returns(
            self, np, self.constants, np.asarray(start, np.float64), actions
        )
        return judged

    def stepped(self, state: FloatArray, action: FloatArray) -> tuple[FloatArray, float]:
        """Returns the next state (S,) and its reward in float64, the action clipped."""
        applied = np.clip(np.asarray(action, np.float64), -self.half_range, self.half_range)[None]
        following = self.step(np, self.constants, state[None], applied)
        return following[0], float(self.reward(np, self.constants, following, applied)[0])

    def nothing(self, start: FloatArray, steps: int) -> float:
        """Returns the return of doing nothing for so many steps: worth 0 % of the best."""
        return float(self.judged(start, np.zeros((1, steps, self.action_dim)))[0])


class Columned(Problem):
    """A problem written for one array a state: no library has to take rows apart and join them."""

    @abstractmethod
    def move(self, xp: Any, state: Columns, action: Columns) -> Columns:
        """Returns the next state."""

    @abstractmethod
    def earned(self, xp: Any, state: Columns, action: Columns) -> Array:
        """Returns the reward of the state after the step."""

    def step(self, xp: Any, constants: Any, states: Array, actions: Array) -> Array:
        """As `Problem.step`."""
        return xp.stack(self.move(xp, columns_of(states), columns_of(actions)), axis=-1)

    def reward(self, xp: Any, constants: Any, next_states: Array, actions: Array) -> Array:
        """As `Problem.reward`."""
        return self.earned(xp, columns_of(next_states), columns_of(actions))

    def returns(self, xp: Any, constants: Any, start: Array, actions: Array) -> Array:
        """As `Problem.returns`, the rewards of all steps at the end: fewer calls of a library."""
        nothing = xp.zeros_like(actions[0, :, 0])
        state: Columns = [start[i] + nothing for i in range(len(start))]
        passed = []
        for now in actions:
            state = self.move(xp, state, columns_of(now))
            passed.append(state)
        states = [xp.stack(column, axis=0) for column in zip(*passed, strict=True)]
        return self.earned(xp, states, columns_of(actions)).sum(axis=0)


def columns_of(array: Array) -> Columns:
    """Returns the entries of the last axis."""
    return [array[..., i] for i in range(array.shape[-1])]


class Pendulum(Columned):
    """Pendulum-v1's equations: angle (0 is upright) and speed, 30 steps of 0.05 s."""

    name = "pendulum"
    horizon = 30
    time_step = 0.05
    half_range = np.array([2.0])
    max_speed = 8.0

    def start(self, generator: np.random.Generator) -> FloatArray:
        """As `Problem.start`: any angle, slow."""
        return generator.uniform([-np.pi, -1.0], [np.pi, 1.0])

    def move(self, xp: Any, state: Columns, action: Columns) -> Columns:
        """As `Columned.move`."""
        angle, speed = state
        speed = speed + (15.0 * xp.sin(angle) + 3.0 * action[0]) * self.time_step
        speed = xp.clip(speed, -self.max_speed, self.max_speed)
        return angle + speed * self.time_step, speed

    def earned(self, xp: Any, state: Columns, action: Columns) -> Array:
        """As `Columned.earned`: Pendulum-v1's reward."""
        angle, speed = state
        wrapped = angle - (2.0 * np.pi) * xp.round(angle / (2.0 * np.pi))
        return -(wrapped * wrapped + 0.1 * speed * speed + 0.001 * action[0] * action[0])


class CartPole(Columned):
    """Swing-up of a pole on a cart (Barto et al. 1983): place, angle (0 is upright), and speeds.

    40 steps of 0.05 s by semi-implicit Euler; the force is at most 10.
    """

    name = "cart-pole"
    horizon = 40
    time_step = 0.05
    half_range = np.array([1.0])
    force, gravity, cart, pole, half_length = 10.0, 9.8, 1.0, 0.1, 0.5

    def start(self, generator: np.random.Generator) -> FloatArray:
        """As `Problem.start`: hanging, nearly at rest."""
        middle, width = np.array([0.0, np.pi, 0.0, 0.0]), np.array([0.5, 0.5, 0.5, 1.0])
        return middle + width * generator.uniform(-1.0, 1.0, 4)

    def move(self, xp: Any, state: Columns, action: Columns) -> Columns:
        """As `Columned.move`."""
        place, angle, speed, turning = state
        sine, cosine = xp.sin(angle), xp.cos(angle)
        total, moment = self.cart + self.pole, self.pole * self.half_length
        push = (self.force * action[0] + moment * turning * turning * sine) / total
        fall = self.gravity * sine - cosine * push
        resistance = self.half_length * (4.0 / 3.0 - (self.pole / total) * cosine * cosine)
        angular = fall / resistance
        speed = speed + self.time_step * (push - (moment / total) * angular * cosine)
        turning = turning + self.time_step * angular
        return place + self.time_step * speed, angle + self.time_step * turning, speed, turning

    def earned(self, xp: Any, state: Columns, action: Columns) -> Array:
        """As `Columned.earned`: upright, in the middle, slowly, with little force."""
        place, angle, _speed, turning = state
        lost = 1.0 - xp.cos(angle) + 0.1 * place * place + 0.005 * turning * turning
        return -(lost + 0.01 * action[0] * action[0])


class Car(Columned):
    """A kinematic car between obstacles: place, heading, speed; acceleration and steering angle.

    40 steps of 0.1 s; within 0.5 m of an obstacle each step costs 10 times the square of how far.
    """

    name = "car"
    horizon = 40
    time_step = 0.1
    half_range = np.array([3.0, 0.5])
    wheelbase, goal, margin = 2.5, (20.0, 0.0), 0.5
    obstacles = ((8.0, 0.5, 1.5), (13.5, -2.0, 1.5), (14.5, 2.5, 1.5))  # place and radius

    def start(self, generator: np.random.Generator) -> FloatArray:
        """As `Problem.start`: on the way."""
        return generator.uniform([-1.0, -2.0, -0.3, 1.0], [1.0, 2.0, 0.3, 5.0])

    def move(self, xp: Any, state: Columns, action: Columns) -> Columns:
        """As `Columned.move`."""
        x, y, heading, speed = state
        step = self.time_step
        return (
            x + step * speed * xp.cos(heading),
            y + step * speed * xp.sin(heading),
            heading + (step / self.wheelbase) * speed * xp.tan(action[1]),
            speed + step * action[0],
        )

    def earned(self, xp: Any, state: Columns, action: Columns) -> Array:
        """As `Columned.earned`: near the goal, clear of obstacles, gently."""
        x, y, _heading, _speed = state
        lost = 0.01 * ((x - self.goal[0]) ** 2 + (y - self.goal[1]) ** 2)
        for x_0, y_0, radius in self.obstacles:
            away = xp.sqrt((x - x_0) ** 2 + (y - y_0) ** 2 + 1e-6)
            lost = lost + 10.0 * xp.clip(radius + self.margin - away, 0.0, None) ** 2
        return -(lost + 0.01 * action[0] ** 2 + 0.1 * action[1] ** 2)
