"""What data leave open of a linear or polynomial model, by the directions that no row has seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynaplan import _warnings
from dynaplan.errors import RankDeficientWarning
from dynaplan.models.linear.angle_inputs import AngleInputs
from dynaplan.models.linear.function_fit import FunctionFit
from dynaplan.models.linear.settings import Fit

__all__ = ["undetermined_inputs", "warn_of_undetermined"]

Float64 = NDArray[np.float64]
Powers = NDArray[np.intc]

# Shares of a direction; less is rounding, of float32 data where several entries are added.
_SHARE, _SHARE_OF_SUMS = 1e-6, 1e-5


def warn_of_undetermined(fit: Fit, angle_inputs: AngleInputs, *, of_late: bool) -> None:
    """Warns of what the data leave open, where that is anything.

    Args:
        fit: any.
        angle_inputs: what it is given of angles.
        of_late: whether the data are what a recursion remembers.

    Warns:
        RankDeficientWarning: at the line outside of this package.
    """
    if fit.rank == fit.columns and fit.degrees_of_freedom.min() > 0.0:
        return
    if text := _undetermined_text(fit, angle_inputs, of_late=of_late):
        _warnings.warn(text, RankDeficientWarning)


def _undetermined_text(fit: Fit, angle_inputs: AngleInputs, *, of_late: bool) -> str:
    """Returns the warning; empty where only products of inputs depend on each other.

    Args:
        fit: of less than full rank, or without degrees of freedom.
        angle_inputs: what it is given of angles.
        of_late: whether the data are what a recursion remembers.
    """
    if fit.rank == fit.columns:
        return (
            f"{fit.rows:g} transitions leave no degrees of freedom for {fit.rank} "
            "coefficients: the noise is unknown and taken as 0; collect more"
        )
    if isinstance(fit, FunctionFit):
        return (
            f"the features have rank {fit.rank} for {fit.columns} coefficients, as they depend on "
            "each other in all rows; the smallest coefficients are used"
        )
    of_states = fit.state_dim + angle_inputs.cosines
    names = angle_inputs.names(fit.state_dim, fit.action_dim - angle_inputs.cosines)
    low, high = fit.input_low, fit.input_high
    never_varied = [name for name, same in zip(names, low == high, strict=True) if same]
    rank = f"the data have rank {fit.rank} for {fit.columns} coefficients"
    if never_varied:
        return f"{rank}: {', '.join(never_varied)} never varied; the smallest coefficients are used"
    is_open = undetermined_inputs(fit.null_basis, fit.exponents(), of_states, (low, high))
    tied = ", ".join(name for name, marked in zip(names, is_open, strict=True) if marked)
    if not tied:
        return ""
    seen = f"no input was constant, but {tied} did not vary independently"
    if of_late:
        seen = f"{tied} have not varied independently of late, and are forgotten"
    return f"{rank}: {seen}; the smallest coefficients are used"


def undetermined_inputs(
    null_basis: Float64,
    exponents: NDArray[np.intc],
    state_dim: int,
    bounds: tuple[Float64, Float64],
) -> NDArray[np.bool_]:
    """Marks the inputs (S + A,) whose own effect the data do not determine.

    That products of inputs depend on each other, as the squares of a cosine and a sine do, leaves
    nothing open. Nor does it that one-hot actions add up to 1, or that their products are 0, as
    they do so in every row that may be asked for.

    Args:
        null_basis: (columns, directions), orthonormal: what no row has seen.
        exponents: (features, S + A): the power of each input in each feature; the inputs themselves
            come first, an intercept is the one column more.
        state_dim: S.
        bounds: (S + A,) smallest and largest value of each input in the data.
    """
    inputs = exponents.shape[1]
    if not _is_one_hot(null_basis, exponents, state_dim, bounds):
        return np.asarray(np.abs(null_basis[:inputs]).max(axis=1, initial=0.0) > _SHARE)
    # Under one action a feature is a monomial of the states, or 0 if it has other actions in it.
    intercept = np.zeros((len(null_basis) - len(exponents), inputs), exponents.dtype)
    powers = np.concatenate([exponents, intercept])
    of_states, of_actions = powers[:, :state_dim], powers[:, state_dim:]
    count = inputs - state_dim
    constants = np.zeros((count, null_basis.shape[1]))
    slopes = np.zeros((count, state_dim, null_basis.shape[1]))
    for action in range(count):
        others = np.delete(of_actions, action, axis=1)
        is_there = ~others.any(axis=1)
        constants[action] = null_basis[is_there & ~of_states.any(axis=1)].sum(axis=0)
        for state in range(state_dim):
            is_state = (of_states == np.eye(state_dim, dtype=int)[state]).all(axis=1)
            slopes[action, state] = null_basis[is_there & is_state].sum(axis=0)
    # What is open for all actions alike is the constant, not an action.
    contrasts = constants - constants.mean(axis=0)
    shares = np.abs(slopes).max(axis=(0, 2)), np.abs(contrasts).max(axis=1)
    return np.asarray(np.concatenate(shares) > _SHARE_OF_SUMS)


def _is_one_hot(
    null_basis: Float64,
    exponents: NDArray[np.intc],
    state_dim: int,
    bounds: tuple[Float64, Float64],
) -> bool:
    """Whether the actions go from 0 to 1 and add up to 1 in all rows."""
    low, high = (bound[state_dim:] for bound in bounds)
    if len(low) < 2 or (low != 0.0).any() or (high != 1.0).any():
        return False
    total = np.zeros(len(null_basis))
    if len(null_basis) > len(exponents):  # the intercept
        total[state_dim : state_dim + len(low)], total[-1] = 1.0, -1.0
    else:  # the same times the first state
        powers = np.zeros((len(low), exponents.shape[1]), exponents.dtype)
        powers[:, 0], powers[:, state_dim:] = 1, np.eye(len(low))
        places = [(exponents == row).all(axis=1) for row in powers]
        if not all(place.any() for place in places):  # there are no products
            return False
        total[: len(exponents)] = np.sum(places, axis=0)
        total[0] = -1.0
    outside = total - null_basis @ (null_basis.T @ total)
    return bool(np.abs(outside).max() <= _SHARE * np.abs(total).max())
