"""Action sequences that are improved along the gradients of their returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dynaplan import _core
from dynaplan.planners.differentiable import require_differentiable
from dynaplan.planners.interface import Planner
from dynaplan.planners.settings import CoreSettings, search_settings, shared_settings_last
from dynaplan.rewards.terms import Reward

__all__ = ["GradientPlanner"]


@shared_settings_last
@dataclass(frozen=True, kw_only=True)
class GradientPlanner(Planner):
    """Follows the exact gradients of the returns of several action sequences at once, by Adam.

    A rollout and one sweep back through it tell how to change every action, however many there are,
    whereas the candidates that a sampling planner needs multiply with their number: choose it for
    smooth models and rewards with many actions, where sampling is weak. `ILQR` converges in fewer
    iterations, and often sooner, but from one start. Planners that sample are better where rewards
    jump, contacts make gradients useless, or a task has to be found. An unstable system needs a
    start that holds it, such as a warm start or a policy, or `ILQR`: other sequences run away.

    The first sequence is the warm start, or the middle of the bounds; the second and the next are
    those given and the policy's; the others are drawn around the first. Each step is projected
    into the bounds, where the best actions often are and a squashing function would have no slope;
    then made to keep the limits of rates and accelerations, as the candidates of all planners. An
    action that a rate holds passes its gradient on to the one before. States outside their limits
    and constraints above 0 are charged for by an augmented Lagrangian, as in `ILQR`; the result is
    the best sequence seen that keeps them, or the one that violates them least.

    Derivatives of models and built-in rewards are exact; those of `rewards.predicted`, of Python
    functions and of a terminal value are central differences as in `ILQR`. Ensembles are followed
    by the mean of their members. Where a reward jumps its slope is 0. Steps after a termination
    count as nothing, but gradients do not see that an action could cause the end or delay it.

    Args:
        horizon: steps planned ahead. Default 22, as `CEM`.
        candidates: sequences improved at once, besides more that are given. Default 8: eight go
            through the model in the time of one.
        iterations: steps of Adam. Default 100: with 60 some convex problems lack 5 %, with 100 they
            lack 0.5 % at most. With limits of states or constraints give 200, as their prices have
            to be found too: with 100 one in thirty convex problems lacks 3 %.
        learning_rate: the first step's length, times half the width of the bounds; it falls
            linearly to 0. Default 0.1: 100 steps go five half widths if none turns back.
        initial_std: standard deviation of the sequences that are drawn, times half the width of
            the bounds; or (A,), one for each action. Default 0.5, as in `CEM`.
        tolerance: a sequence has converged where its gradient, as a share of the best return (or of
            a thousandth of the largest that the search began with), asks it to move by no more than
            this: the norm of all actions in half widths of their bounds, within bounds and rates.
            The search ends where all have; status "converged" says that the result has. With limits
            of accelerations that is not known. Default 1e-3.
        clip: keep predicted states within this multiple of the observed range. Default 2.0. A state
            that is clipped has no derivatives. None: not clipped.
        threads: threads per plan; eight sequences share one, so that more pay off for more
            sequences alone. With Python functions there is one. The result is the same for any
            number.

    Raises:
        ArgumentError: a setting is out of range.

    Source: Bharadhwaj, Xie & Shkurti 2020, "Model-predictive control via cross-entropy and
    gradient-based optimization"; Kingma & Ba 2015, "Adam"; projection: Bertsekas 1976, "On the
    Goldstein-Levitin-Polyak gradient projection method".

    Example:
        >>> dp.GradientPlanner(horizon=15).candidates
        8
    """

    horizon: int = 22
    candidates: int = 8
    iterations: int = 100
    learning_rate: float = 0.1
    initial_std: float | Sequence[float] = 0.5
    tolerance: float = 1e-3
    clip: float | None = 2.0

    def _check_reward(self, reward: Reward) -> None:
        require_differentiable(reward, "GradientPlanner")

    def _settings(self) -> CoreSettings:
        return _core.GradientAscent(**search_settings(self))
