"""Imagined transitions: short rollouts of a model under a policy, branched from real states."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, SupportsIndex, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynaplan import _arrays, _callbacks, _core, _texts
from dynaplan.data.angles import NO_ANGLES, Angles
from dynaplan.data.transitions import Transitions
from dynaplan.errors import ArgumentError, ShapeError
from dynaplan.models.interface import angles_of, require_model
from dynaplan.rewards.terms import Term as RewardTerm
from dynaplan.rewards.terms import predicted
from dynaplan.rollouts.arguments import require_reward, require_termination
from dynaplan.rollouts.disagreement import DisagreementLimit, disagreement_limit_of
from dynaplan.rollouts.rollout import state_limits
from dynaplan.rollouts.steps import takes_step
from dynaplan.terminations.terms import Term as TerminationTerm

if TYPE_CHECKING:
    from dynaplan.models.interface import Model
    from dynaplan.rewards.terms import Reward
    from dynaplan.terminations.terms import Termination

__all__ = ["Imagination", "Imagined", "chosen_members", "imagine", "starting_states"]

Float64 = NDArray[np.float64]


class CompiledPolicy(Protocol):
    """A policy that the core can run by itself, such as a `SAC`."""

    def _core_policy(self) -> _core.Policy:
        """Returns the policy as it is now."""


# From states (N, S) to actions (N, A).
PolicyFunction: TypeAlias = Callable[[Float64], ArrayLike]


@dataclass(frozen=True, slots=True, eq=False)
class Imagined:
    """Transitions that a model generated; those of one start follow each other.

    Attributes:
        states: (M, S).
        actions: (M, A).
        rewards: (M,).
        next_states: (M, S).
        terminations: (M,) bool: the system terminated in `next_states`. Neither the length of the
            rollout nor a cut is a termination.
        starts: (M,) the index of the start of each row.
        lengths: (N,) number of transitions from each start.
        cut: (N,) bool: the rollout ended early, before a step whose prediction cannot be trusted:
            it exceeds the disagreement limit, or is not finite.
        angles: the states that the model keeps in a range as angles.
    """

    states: Float64
    actions: Float64
    rewards: Float64
    next_states: Float64
    terminations: NDArray[np.bool_]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    cut: NDArray[np.bool_]
    angles: Angles = NO_ANGLES

    def __len__(self) -> int:
        return len(self.states)

    def __repr__(self) -> str:
        return (
            f"Imagined({len(self)} rows from {len(self.lengths)} starts, "
            f"{np.count_nonzero(self.cut)} cut)"
        )

    def transitions(self) -> Transitions:
        """Returns the transitions as a data set; each start is an episode.

        Raises:
            ShapeError: there is no row.
        """
        rows = self.states, self.actions, self.next_states, self.rewards, self.terminations
        return Transitions(*rows, self.starts, gaps="ignore", angles=self.angles)


def imagine(
    model: Model,
    starts: ArrayLike,
    policy: CompiledPolicy | PolicyFunction,
    length: int = 1,
    *,
    reward: Reward | None = None,
    termination: Termination | None = None,
    elite_members: int | Sequence[int] | None = None,
    disagreement_limit: DisagreementLimit | None = None,
    clip: float | None = None,
    seed: int | None = None,
    threads: int = 1,
) -> Imagined:
    """Rolls a model out under a policy for a few steps from each of many states.

    At each step the policy draws an action, and one of the elite members, chosen anew for each
    rollout and step, draws the next state: the branched rollouts of MBPO. With a `SAC` all of it is
    one call of the compiled core, in float32; and once more in float64 where float32 cannot tell
    how far a step moves, as for states a million from the origin.

    Args:
        model: the dynamics; of an ensemble single members predict.
        starts: (N, S) initial states, usually real ones, or one (S,); in the states' units.
        policy: a `SAC`, whose actions are drawn; or a function from states (N, S) to actions
            (N, A), called once a step with all rollouts that have not ended.
        length: largest number of steps from each start, >= 1. Default 1.
        reward: a term, a sum of terms, or a function `f(obs, act, next_obs)` on batches. Default:
            the reward that the model predicts.
        termination: when a rollout ends: a term, or a function `f(obs, act, next_obs)` on batches
            that returns (N,) bools. Default: never.
        elite_members: how many members predict, those of the lowest held-out loss; or their
            indices. Default: all.
        disagreement_limit: a rollout is cut before a step beyond it, whatever its `on_exceeding`;
            it costs a prediction by every member. Default: no limit.
        clip: keep every predicted state within this multiple of the observed range about its
            middle, so that a polynomial cannot diverge. Default: not clipped.
        seed: seed of the draws; None draws anew. The same seed gives the same bits, whatever
            `threads`.
        threads: threads to use. Default 1.

    Returns:
        The transitions, those of a start one below the other.

    Raises:
        ShapeError: an array has the wrong shape, or the policy is for other states or actions.
        ArgumentError: a start, an action or a reward is not finite; the model predicts no reward
            and none is given; the reward depends on the step; or an argument is out of range.
        TypeError: an argument is of the wrong type.

    Source: Janner et al. 2019, "When to trust your model", algorithm 2.

    Example:
        >>> s, a = np.random.default_rng(0).normal(size=(2, 100, 1))
        >>> model = dp.LinearGaussian.fit(dp.Transitions(s, a, 0.5 * s + a))
        >>> reward = dp.rewards.quadratic([1.0])
        >>> made = dp.imagine(model, s[:5], lambda states: -0.5 * states, 3, reward=reward, seed=0)
        >>> len(made), bool(abs(made.next_states).max() < 1e-3)
        (15, True)
    """
    first = starting_states(model, starts)
    length = _arrays.count("length", length, 1)
    imagination = Imagination(
        model,
        reward=reward,
        termination=termination,
        elite_members=elite_members,
        disagreement_limit=disagreement_limit,
        limits=state_limits(model, clip),
        threads=threads,
    )
    chosen, policy_function = _policy(policy, model.action_dim)
    rows = imagination.run(
        first,
        length,
        _arrays.seed_number(seed),
        policy=chosen,
        policy_function=policy_function,
    )
    states, actions, rewards, next_states, terminated, lengths, cut = rows
    made = np.arange(length) < lengths[:, None]
    origin = np.repeat(np.arange(len(first)), lengths)
    reward_function = imagination.reward_function
    if not made.all():
        kept = made.ravel()
        states, actions, next_states = states[kept], actions[kept], next_states[kept]
        terminated = terminated[kept]
        rewards = rewards[kept] if reward_function is None else rewards
    if reward_function is not None:
        rewards = reward_function(states, actions, next_states)
    angles = angles_of(model) if angles_of(model).has_ranges else NO_ANGLES
    path = states, actions, rewards, next_states, terminated
    return Imagined(*path, origin, lengths, cut, angles)


class Imagination:
    """A model with its rewards and terminations, prepared for the core once.

    Args:
        model: the dynamics.
        reward: a term or a function; None: the reward that the model predicts.
        termination: a term, a function, or None.
        elite_members: how many members predict, or their indices, or None for all.
        disagreement_limit: beyond which a rollout is cut, or None.
        limits: (S,) lowest and highest states that predictions are clipped to, or None.
        threads: threads to use.

    Attributes:
        reward_function: function of states, actions and next states that returns the rewards, or
            None where `run` returns them.
    """

    def __init__(
        self,
        model: Model,
        *,
        reward: Reward | None,
        termination: Termination | None,
        elite_members: int | Sequence[int] | None,
        disagreement_limit: DisagreementLimit | None,
        limits: tuple[Float64, Float64] | None,
        threads: int,
    ) -> None:
        self._arguments = {
            "model": model,
            "reward": reward,
            "termination": termination,
            "elite_members": elite_members,
            "disagreement_limit": disagreement_limit,
            "limits": limits,
            "threads": threads,
        }
        wanted = predicted() if reward is None else reward
        built_in = wanted._reward if isinstance(wanted, RewardTerm) else None
        self.reward_function: Callable[..., Float64] | None = None
        if built_in is None:
            require_reward(wanted)
            _require_no_step("reward", wanted)
            self.reward_function = partial(_rewards, wanted)
        ending, ending_function = _termination(termination)
        disagreement_limit_of(disagreement_limit)  # refuses what is none
        self._settings: dict[str, Any] = {
            "dynamics": model.dynamics,
            "reward": built_in,
            "termination": ending,
            "termination_function": ending_function,
            "limits": limits,
            "elite_members": chosen_members(model, elite_members),
            "disagreement_limit": None
            if disagreement_limit is None
            else float(disagreement_limit.limit),
            "threads": _arrays.count("threads", threads, 1),
        }

    def __getstate__(self) -> dict[str, Any]:
        return self._arguments

    def __setstate__(self, arguments: dict[str, Any]) -> None:
        self.__init__(**arguments)  # type: ignore[misc]  # as it was made

    def run(
        self,
        starts: Float64,
        length: int,
        seed: int,
        *,
        policy: _core.Policy | None = None,
        policy_function: Callable[..., Float64] | None = None,
        actions: Float64 | None = None,
        previous_actions: Float64 | None = None,
    ) -> tuple[NDArray[Any], ...]:
        """Calls the core with a policy, or with the actions (N * length, A)."""
        rows: tuple[NDArray[Any], ...] = _core.imagine(
            starts=starts,
            length=length,
            seed=seed,
            policy=policy,
            policy_function=policy_function,
            actions=actions,
            previous_actions=previous_actions,
            **self._settings,
        )
        return rows


def starting_states(model: Model, starts: ArrayLike) -> Float64:
    """Returns (N, S) initial states, at least one.

    Args:
        model: whose states they are.
        starts: (N, S), or one (S,).

    Raises:
        ShapeError: they have another shape.
    """
    require_model(model)
    first: Float64 = _arrays.rows("starts", starts, model.state_dim)
    if not len(first):
        raise ShapeError(f"starts: got 0 rows, must be (N, {model.state_dim}) with N at least 1")
    return first


def chosen_members(model: Model, elite_members: int | Sequence[int] | None) -> list[int]:
    """Returns the indices of the members that predict, in ascending order.

    Args:
        model: any model.
        elite_members: how many, or which, or None for all.

    Raises:
        ArgumentError: the model has fewer members, or an index is no integer.
        TypeError: it is neither a number nor a list of integers.
    """
    architecture = getattr(model, "architecture", None)
    count = 1 if architecture is None else architecture.members
    if elite_members is None:
        return list(range(count))
    if isinstance(elite_members, Iterable) and getattr(elite_members, "ndim", 1) != 0:
        return list(_arrays.counts("elite_members", elite_members))
    if isinstance(elite_members, bool) or not isinstance(elite_members, SupportsIndex):
        got = _texts.shown(elite_members)
        raise TypeError(f"elite_members: got {got}, must be an integer or a list of integers")
    wanted = _arrays.integer("elite_members", elite_members)
    if not 1 <= wanted <= count:
        raise ArgumentError(
            f"elite_members: got {_texts.shown(wanted)}, must be from 1 to the model's {count} "
            "members"
        )
    return sorted(np.argsort(_held_out_losses(model, count), kind="stable")[:wanted].tolist())


def _held_out_losses(model: Any, count: int) -> Float64:
    """Returns (K,) the held-out loss of each member's weights; inf where none was measured."""
    history = getattr(model, "history", None)
    if history is None or not len(history.held_out):
        return np.full(count, np.inf)
    # A member that keeps its initial weights is better than at any epoch.
    measured = np.where(np.isnan(history.held_out), np.inf, history.held_out)
    best = history.best_epoch
    losses = np.where(best >= 0, measured[best, np.arange(count)], measured.min(axis=0))
    return np.asarray(losses, np.float64)


def _policy(
    policy: CompiledPolicy | PolicyFunction, action_dim: int
) -> tuple[_core.Policy | None, Callable[[Float64], Float64] | None]:
    """Returns the policy as the core runs it, or as a function it calls."""
    core_policy = getattr(policy, "_core_policy", None)
    if core_policy is not None and not isinstance(policy, type):
        compiled = core_policy()
        if not isinstance(compiled, _core.Policy):
            raise TypeError(f"policy: got {_texts.shown(policy)}, must be a SAC or a function")
        return compiled, None
    function: Any = policy
    _callbacks.require_function("policy", function, "a SAC or a function")

    def actions(states: Float64) -> Float64:
        shape: tuple[int, ...] = (len(states), action_dim)
        returned = _arrays.any_array("policy", function(states))
        if action_dim == 1 and returned.shape == shape[:1]:
            shape = shape[:1]
        return _callbacks.numbers("policy", returned, shape, "action").reshape(len(states), -1)

    return None, actions


def _termination(
    termination: Termination | None,
) -> tuple[_core.Termination | None, Callable[..., NDArray[np.bool_]] | None]:
    """Returns the termination as the core runs it, or as a function it calls."""
    if termination is None or isinstance(termination, TerminationTerm):
        return None if termination is None else termination._termination, None
    require_termination(termination)
    _require_no_step("termination", termination)

    def ended(states: Float64, actions: Float64, next_states: Float64) -> NDArray[np.bool_]:
        return _callbacks.bools(
            "termination", termination(states, actions, next_states), (len(states),)
        )

    return None, ended


def _rewards(
    reward: Callable[..., ArrayLike], states: Float64, actions: Float64, next_states: Float64
) -> Float64:
    """Returns the reward of each row by a user's function."""
    returned = reward(states, actions, next_states)
    values = _callbacks.numbers("reward", returned, (len(states),), "number")
    if not np.isfinite(values).all():
        row = int(np.argmin(np.isfinite(values)))
        raise ArgumentError(f"reward: row {row} is {values[row]}, must be finite")
    return values


def _require_no_step(name: str, function: Callable[..., Any]) -> None:
    if takes_step(function):
        raise ArgumentError(
            f"{name}: got a function with a parameter `step`, must be one without: an imagined "
            "rollout has no first step"
        )
