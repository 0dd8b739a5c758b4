"""The rewards of known environments in closed form, each tested against the environment itself."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, inf, radians
from typing import Any

import numpy as np

from dynaplan._recipes import CoreCall
from dynaplan.errors import ArgumentError
from dynaplan.rewards.goals import change, distance, inside, linear, tolerance, within
from dynaplan.rewards.terms import Term, action_cost, angle, quadratic
from dynaplan.tasks.environment import KnownEnvironment, cart_pole_box, healthy_box, identify

__all__ = ["for_env"]


def _pendulum(_: KnownEnvironment) -> Term:
    # Gymnasium's Pendulum-v1 rewards the state before the step and clips the torque itself.
    return (
        angle(1.0, cos=0, sin=1, of="state")
        + quadratic([0.0, 0.0, 0.1], of="state")
        + action_cost([0.001], low=[-2.0], high=[2.0])
    )


def _mountain_car(env: KnownEnvironment) -> Term:
    goal = [0.45, env.setting("goal_velocity", 0.0)]
    return inside(goal, [inf, inf], bonus=100.0) + action_cost([0.1])


def _inverted_pendulum(_: KnownEnvironment) -> Term:
    return inside([-inf, -0.2, -inf, -inf], [inf, 0.2, inf, inf])


def _inverted_double_pendulum(env: KnownEnvironment) -> Term:
    # The environment reads the tip one substep of 0.01 s before the joints, which makes up to 0.02.
    bonus = env.setting("healthy_reward", 10.0)
    tip = Term(CoreCall("double_pendulum_reward", bonus), "tip", text=f"tip(bonus={bonus:g})")
    return tip + quadratic([0, 0, 0, 0, 0, 0, 1e-3, 5e-3, 0])


def _reacher(env: KnownEnvironment) -> Term:
    # Observation: 2 cosines, 2 sines, target (2), 2 velocities, fingertip - target (2).
    near = distance(env.setting("reward_dist_weight", 1.0), indices=[8, 9])
    return near + action_cost(np.full(2, env.setting("reward_control_weight", 1.0)))


def _pusher(env: KnownEnvironment) -> Term:
    # Observation: 7 angles, 7 velocities, fingertip (3), object (3), goal (3).
    tip, thing, goal = [14, 15, 16], [17, 18, 19], [20, 21, 22]
    near = distance(env.setting("reward_near_weight", 0.5), indices=thing, to=tip)
    pushed = distance(env.setting("reward_dist_weight", 1.0), indices=thing, to=goal)
    return near + pushed + action_cost(np.full(7, env.setting("reward_control_weight", 0.1)))


def _locomotion(
    actions: int, substep: float, substeps: int, control_cost: float
) -> Callable[[KnownEnvironment], Term]:
    """The reward of speed along x, which is state 0, minus the cost of control."""

    def make(env: KnownEnvironment) -> Term:
        env.require_position()
        seconds = substep * env.setting("frame_skip", substeps)
        speed = change(0, weight=env.setting("forward_reward_weight", 1.0) / seconds)
        return speed + action_cost(np.full(actions, env.setting("ctrl_cost_weight", control_cost)))

    return make


def _legged(actions: int) -> Callable[[KnownEnvironment], Term]:
    """The same, and a bonus for being healthy."""

    def make(env: KnownEnvironment) -> Term:
        speed = _locomotion(actions, 0.002, 4, 1e-3)(env)
        return speed + inside(*healthy_box(env), bonus=env.setting("healthy_reward", 1.0))

    return make


def _cart_pole(env: KnownEnvironment) -> Term:
    if env.setting("sutton_barto_reward", False):
        return inside(*cart_pole_box(), bonus=1.0) + linear(np.zeros(4), offset=-1.0)
    return linear(np.zeros(4), offset=1.0)  # also for the step in which the pole falls


def _acrobot(_: KnownEnvironment) -> Term:
    return Term(CoreCall("acrobot_reward"), "not up", text="acrobot()")


def _control_cartpole(_: KnownEnvironment) -> Term:
    # Observation: position (x, cosine, sine), velocity (of the cart, of the pole).
    upright = linear([0, 0.5, 0, 0, 0], offset=0.5)
    centred = _raised(tolerance(0, margin=2.0), 0.5)
    gentle = tolerance(0, margin=1.0, value_at_margin=0.0, falloff="quadratic", of="action")
    slow = _raised(tolerance(4, margin=5.0), 0.5)
    return upright * centred * _raised(gentle, 0.2) * slow


def _raised(term: Term, share: float) -> Term:
    """A condition softened so that failing it leaves 1 - share instead of nothing."""
    return share * term + linear(np.zeros(5), offset=1.0 - share)


def _control_cartpole_sparse(_: KnownEnvironment) -> Term:
    return inside([-0.25, 0.995, -inf, -inf, -inf], [0.25, inf, inf, inf, inf])


def _control_pendulum(_: KnownEnvironment) -> Term:
    # Observation: orientation (cosine, sine), velocity.
    return inside([cos(radians(8.0)), -inf, -inf], [inf, inf, inf])


def _control_reacher(radius: float) -> Callable[[KnownEnvironment], Term]:
    # Observation: position (2), to_target (2), velocity (2); the radius is target + finger.
    return lambda _: within(radius, indices=[2, 3])


_REWARDS: dict[str, Callable[[KnownEnvironment], Term]] = {
    "Acrobot-v1": _acrobot,
    "CartPole-v1": _cart_pole,
    "HalfCheetah-v5": _locomotion(6, 0.01, 5, 0.1),
    "Hopper-v5": _legged(3),
    "InvertedDoublePendulum-v5": _inverted_double_pendulum,
    "InvertedPendulum-v5": _inverted_pendulum,
    "MountainCarContinuous-v0": _mountain_car,
    "Pendulum-v1": _pendulum,
    "Pusher-v5": _pusher,
    "Reacher-v5": _reacher,
    "Swimmer-v5": _locomotion(2, 0.01, 4, 1e-4),
    "Walker2d-v5": _legged(6),
    "dm_control/cartpole-balance": _control_cartpole,
    "dm_control/cartpole-balance_sparse": _control_cartpole_sparse,
    "dm_control/cartpole-swingup": _control_cartpole,
    "dm_control/cartpole-swingup_sparse": _control_cartpole_sparse,
    "dm_control/pendulum-swingup": _control_pendulum,
    "dm_control/reacher-easy": _control_reacher(0.06),
    "dm_control/reacher-hard": _control_reacher(0.025),
}


def for_env(env: Any) -> Term:
    """Returns the reward of a known environment in closed form, of compiled terms.

    Known are Gymnasium's Pendulum-v1, CartPole-v1, Acrobot-v1, MountainCarContinuous-v0,
    InvertedPendulum-v5, InvertedDoublePendulum-v5, Reacher-v5, Pusher-v5, HalfCheetah-v5,
    Hopper-v5, Walker2d-v5 and Swimmer-v5, and dm_control's cartpole (balance, swingup, and both
    sparse), pendulum-swingup and reacher (easy, hard).

    The last four of Gymnasium reward the distance covered along x, which the observation leaves
    out unless the environment is made with `exclude_current_positions_from_observation=False`:
    then x is state 0. Weights given to `gymnasium.make` are used. Plan in such an environment
    with `clip=None`, or predicted positions stay within those of the data.

    The observation of a dm_control task is its dictionary flattened in its own order: (position,
    velocity) for cartpole, (orientation, velocity) for pendulum, (position, to_target, velocity)
    for reacher; that is what Gymnasium's FlattenObservation gives for shimmy's
    `gymnasium.make("dm_control/cartpole-swingup-v0")`.

    Args:
        env: a Gymnasium environment, or its id; ids of dm_control are shimmy's, with or without
            the version.

    Raises:
        ArgumentError: the reward is not known here, is not a function of this observation, or a
            wrapper changes it; pass a function `f(obs, act, next_obs)` instead.
        TypeError: `env` is no environment and no id.

    Example:
        >>> dp.rewards.for_env("Pendulum-v1")([[1.0, 0.0, 2.0]], [[1.0]], [[1.0, 0.1, 2.1]])
        array([-0.401])
    """
    known = identify(env)
    if known.name not in _REWARDS:
        names = ", ".join(sorted(_REWARDS))
        raise ArgumentError(
            f"env: the reward of {known.name} is not known in closed form (known: {names}); "
            "pass a function f(obs, act, next_obs) that returns (N,), or let the model learn it"
        )
    return _REWARDS[known.name](known)
