"""`Trust`: how much of a plan lies where its model has data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynaplan import _tables

__all__ = ["MARGIN", "ROUNDING", "TOLERATED", "Trust"]

Float64 = NDArray[np.float64]
# Of the range of 200 Gaussian rows one fresh row in a hundred lies outside, beyond this margin one
# in a thousand.
MARGIN = 0.1
ROUNDING = 1e-4  # by which a search in float32 may miss what it keeps to
TOLERATED = MARGIN + ROUNDING


@dataclass(frozen=True, eq=False, repr=False)
class Trust:
    """Which steps of a plan lie on known ground: where its model has data; prints as a summary.

    A step is on known ground if its state and its action lie within the range of the data, or
    beyond it by at most a tenth of that range; if the members of an ensemble disagree by no more
    than on the data; and if it is within the trusted horizon, where the controller was given one.
    What a model does not remember is not judged. Made by `MPC`: see `Plan.trust`.

    Attributes:
        known: (H,) whether each step of the plan is on known ground.
        state_excess: (H, S) how far each state is outside the range of the data, in units of that
            range; 0 within it and where it is not known, `inf` where a state that never varied in
            the data differs. The first row is the state that the plan begins at.
        action_excess: (H, A) the same for the actions.
        disagreement: (H,) how far the members of an ensemble disagree at each step, in the unit of
            `DisagreementLimit.limit`; None for models that know of no limit.
        disagreement_limit: the model's `observed_disagreement`, or None.
        trusted_horizon: steps that the model is trusted to look ahead, or None.
        measured: whether there was anything to judge by. Known dynamics have nothing to distrust.

    Example:
        >>> s, a = np.random.default_rng(0).uniform(-1.0, 1.0, size=(2, 60, 1))
        >>> model = dp.LinearGaussian.fit(dp.Transitions(s, a, 0.9 * s + 0.1 * a))
        >>> reward, box = dp.rewards.quadratic([1.0], target=[3.0]), ([-1.0], [1.0])
        >>> mpc = dp.MPC(model, reward, dp.CEM(horizon=5), action_space=box, seed=0)
        >>> mpc.plan([0.5]).trust
        Trust(5 of 5 steps on known ground)
    """

    known: NDArray[np.bool_]
    state_excess: Float64
    action_excess: Float64
    disagreement: Float64 | None
    disagreement_limit: float | None
    trusted_horizon: int | None
    measured: bool

    @property
    def share(self) -> float:
        """The share of the steps that are on known ground, from 0 to 1."""
        return float(self.known.mean())

    @property
    def first_unknown_step(self) -> int | None:
        """The first step that is not on known ground, from 0; None: all are."""
        return None if self.known.all() else int(self.known.argmin())

    @property
    def states_outside(self) -> NDArray[np.intp]:
        """Which entries of the state that the plan begins at are not on known ground."""
        return np.flatnonzero(self.state_excess[0] > TOLERATED)

    def __repr__(self) -> str:
        if not self.measured:
            return "Trust(not measured)"
        return f"Trust({np.count_nonzero(self.known)} of {len(self.known)} steps on known ground)"

    def __str__(self) -> str:
        if not self.measured:
            return "trust: not measured, as the model remembers no data"
        left = self.first_unknown_step
        lines = [
            f"trust: {np.count_nonzero(self.known)} of {len(self.known)} steps on known ground"
            + ("" if left is None else f", left at step {left}")
        ]
        for name, excess in (("state", self.state_excess), ("action", self.action_excess)):
            farthest = excess.max(axis=0)
            lines += [
                f"  {name} {i}: outside the range of the data by {excess[0, i]:.3g} ranges now, "
                f"by {farthest[i]:.3g} at most"
                for i in np.flatnonzero(farthest > TOLERATED)
            ]
        if self.disagreement is not None:
            lines.append(
                f"  disagreement: {self.disagreement[0]:.3g} now, {self.disagreement.max():.3g} at "
                f"most; on the data {self.disagreement_limit:.3g}"
            )
        if self.trusted_horizon is not None:
            lines.append(f"  trusted horizon: {self.trusted_horizon} steps")
        wrapped = (_tables.paragraph(line, "    ") for line in lines)
        return "\n".join(part for parts in wrapped for part in parts)
