"""The problems of `bench.quality` as scalar functions that numba compiles for dynaplan.

A module of its own: where numba is missing its rows are skipped.
"""

from __future__ import annotations

import math
from typing import Any

import numba  # noqa: F401  # what from_numba needs, asked for here so that the row is skipped
import numpy as np

import dynaplan as dp
from bench.quality.problems import Car, CartPole, Pendulum, Problem

TURN = np.float32(2.0 * math.pi)
HALF, ONE = np.float32(0.5), np.float32(1.0)

# Constants of numba's functions are float32, or its arithmetic would be in float64.
PENDULUM_STEP = np.float32(Pendulum.time_step)
GRAVITY, TORQUE = np.float32(15.0), np.float32(3.0)
FASTEST = np.float32(Pendulum.max_speed)
SPEED_COST, TORQUE_COST = np.float32(0.1), np.float32(0.001)


def pendulum_step(state: Any, action: Any, next_state: Any) -> None:
    """`Pendulum.move`."""
    speed = state[1] + (GRAVITY * math.sin(state[0]) + TORQUE * action[0]) * PENDULUM_STEP
    speed = min(max(speed, -FASTEST), FASTEST)
    next_state[0] = state[0] + speed * PENDULUM_STEP
    next_state[1] = speed


def pendulum_reward(_state: Any, action: Any, next_state: Any) -> Any:
    """`Pendulum.earned`."""
    angle = next_state[0] - TURN * math.floor(next_state[0] / TURN + HALF)
    speed = next_state[1]
    return -(angle * angle + SPEED_COST * speed * speed + TORQUE_COST * action[0] * action[0])


CART_STEP = np.float32(CartPole.time_step)
FORCE, G = np.float32(CartPole.force), np.float32(CartPole.gravity)
TOTAL = np.float32(CartPole.cart + CartPole.pole)
MOMENT = np.float32(CartPole.pole * CartPole.half_length)
LENGTH = np.float32(CartPole.half_length)
FOUR_THIRDS = np.float32(4.0 / 3.0)
POLE_SHARE = np.float32(CartPole.pole / (CartPole.cart + CartPole.pole))
PLACE_COST, TURNING_COST, FORCE_COST = np.float32(0.1), np.float32(0.005), np.float32(0.01)


def cart_pole_step(state: Any, action: Any, next_state: Any) -> None:
    """`CartPole.move`."""
    sine, cosine = math.sin(state[1]), math.cos(state[1])
    push = (FORCE * action[0] + MOMENT * state[3] * state[3] * sine) / TOTAL
    angular = (G * sine - cosine * push) / (LENGTH * (FOUR_THIRDS - POLE_SHARE * cosine * cosine))
    speed = state[2] + CART_STEP * (push - (MOMENT / TOTAL) * angular * cosine)
    turning = state[3] + CART_STEP * angular
    next_state[0] = state[0] + CART_STEP * speed
    next_state[1] = state[1] + CART_STEP * turning
    next_state[2] = speed
    next_state[3] = turning


def cart_pole_reward(_state: Any, action: Any, next_state: Any) -> Any:
    """`CartPole.earned`."""
    lost = ONE - math.cos(next_state[1]) + PLACE_COST * next_state[0] * next_state[0]
    lost += TURNING_COST * next_state[3] * next_state[3]
    return -(lost + FORCE_COST * action[0] * action[0])


CAR_STEP = np.float32(Car.time_step)
PER_WHEELBASE = np.float32(Car.time_step / Car.wheelbase)
GOAL_X, GOAL_Y = np.float32(Car.goal[0]), np.float32(Car.goal[1])
OBSTACLES = tuple(
    (np.float32(x), np.float32(y), np.float32(radius + Car.margin))
    for x, y, radius in Car.obstacles
)
GOAL_COST, NEAR_COST = np.float32(0.01), np.float32(10.0)
ACCELERATION_COST, STEERING_COST = np.float32(0.01), np.float32(0.1)
TIP, NOTHING = np.float32(1e-6), np.float32(0.0)


def car_step(state: Any, action: Any, next_state: Any) -> None:
    """`Car.move`."""
    next_state[0] = state[0] + CAR_STEP * state[3] * math.cos(state[2])
    next_state[1] = state[1] + CAR_STEP * state[3] * math.sin(state[2])
    next_state[2] = state[2] + PER_WHEELBASE * state[3] * math.tan(action[1])
    next_state[3] = state[3] + CAR_STEP * action[0]


def car_reward(_state: Any, action: Any, next_state: Any) -> Any:
    """`Car.earned`."""
    x, y = next_state[0], next_state[1]
    lost = GOAL_COST * ((x - GOAL_X) * (x - GOAL_X) + (y - GOAL_Y) * (y - GOAL_Y))
    for x_0, y_0, reach in OBSTACLES:
        away = math.sqrt((x - x_0) * (x - x_0) + (y - y_0) * (y - y_0) + TIP)
        near = max(reach - away, NOTHING)
        lost += NEAR_COST * near * near
    of_actions = ACCELERATION_COST * action[0] * action[0] + STEERING_COST * action[1] * action[1]
    return -(lost + of_actions)


FUNCTIONS: dict[type[Problem], tuple[Any, Any, int]] = {
    Pendulum: (pendulum_step, pendulum_reward, 2),
    CartPole: (cart_pole_step, cart_pole_reward, 4),
    Car: (car_step, car_reward, 4),
}


def parts(problem: Problem) -> tuple[dp.CompiledModel, dp.Reward]:
    """Returns the compiled model and reward of a problem."""
    step, reward, states = FUNCTIONS[type(problem)]
    actions = problem.action_dim
    return (
        dp.CompiledModel.from_numba(step, states, actions, dtype=np.float32),
        dp.rewards.from_numba(reward, state_dim=states, action_dim=actions, dtype=np.float32),
    )
