"""The exceptions and warnings of the package: one base class, so that one `except` catches all."""

from __future__ import annotations

__all__ = [
    "ArgumentError",
    "Error",
    "FailedPlanWarning",
    "IsaError",
    "ModelFileError",
    "NumericalError",
    "RankDeficientWarning",
    "ShapeError",
    "SuspectDataWarning",
    "UntrustedPlanWarning",
    "UntrustedStateError",
]


class Error(Exception):
    """Base class of the errors that only dynaplan raises."""


class ShapeError(Error, ValueError):
    """An array has the wrong number of dimensions, rows or columns."""


class ArgumentError(Error, ValueError):
    """A value is out of its range, not finite, or is inconsistent with another."""


class ModelFileError(Error, ValueError):
    """A file is of the wrong kind, truncated, damaged, or from a later version."""


class NumericalError(Error, ArithmeticError):
    """A computation cannot give a usable number, for example a factor that is singular."""


class UntrustedStateError(Error, ValueError):
    """A state is outside the data of the model, and the controller is not to plan from there."""


class IsaError(Error, ImportError):
    """The requested instruction set is unknown, not built, or not in this CPU."""


class FailedPlanWarning(UserWarning):
    """A controller has no plan that is allowed and finite, and sends what `on_failure` says."""


class UntrustedPlanWarning(UserWarning):
    """A controller plans where its model has no data; `plan.trust` says how much of the plan."""


class RankDeficientWarning(UserWarning):
    """The data do not determine every coefficient; the fit chose the smallest ones that explain it.

    Quadratic features of an angle's cosine and sine are the common harmless cause: the squares
    add up to the intercept.
    """


class SuspectDataWarning(UserWarning):
    """Some rows of a data set are unlike the others, as where a log lost rows or a sensor failed.

    They are fitted as they are; the message names them.
    """
