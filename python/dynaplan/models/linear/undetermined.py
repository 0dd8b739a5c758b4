"""What the data of a linear fit leave open."""

from __future__ import annotations

import warnings

import numpy as np

from dynaplan import _core
from dynaplan.errors import RankDeficientWarning

__all__ = ["warn_of_undetermined"]


def warn_of_undetermined(fit: _core.LinearGaussianFit, *, of_late: bool) -> None:
    """Warns of what the data leave open, where that is anything.

    Args:
        fit: any.
        of_late: whether the data are what a recursion remembers.

    Warns:
        RankDeficientWarning: at the caller of the caller's caller.
    """
    if fit.rank == fit.columns and fit.degrees_of_freedom > 0.0:
        return
    if text := _undetermined_inputs(fit, of_late):
        warnings.warn(text, RankDeficientWarning, stacklevel=4)


def _undetermined_inputs(fit: _core.LinearGaussianFit, of_late: bool) -> str:
    """Returns the warning; empty where only products of inputs depend on each other."""
    if fit.rank == fit.columns:
        return (
            f"{fit.rows:g} transitions leave no degrees of freedom for {fit.rank} "
            "coefficients: the noise is unknown and taken as 0; collect more"
        )
    inputs = fit.state_dim + fit.action_dim
    names = [f"state {i}" for i in range(fit.state_dim)]
    names += [f"action {i}" for i in range(fit.action_dim)]
    constant = fit.input_low == fit.input_high
    never_varied = [name for name, same in zip(names, constant, strict=True) if same]
    rank = f"the data have rank {fit.rank} for {fit.columns} coefficients"
    if never_varied:
        names_text = ", ".join(never_varied)
        return f"{rank}: {names_text} never varied; the smallest coefficients are used"
    shares = np.abs(fit.null_basis[:inputs]).max(axis=1, initial=0.0)
    tied = [name for name, share in zip(names, shares, strict=True) if share > 1e-6]
    if not tied:
        return ""
    found = f"no input was constant, but {', '.join(tied)} did not vary independently"
    if of_late:
        found = f"{', '.join(tied)} have not varied independently of late, and are forgotten"
    return f"{rank}: {found}; the smallest coefficients are used"
