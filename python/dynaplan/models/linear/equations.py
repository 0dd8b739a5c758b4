"""Linear and polynomial models as equations that people read."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from itertools import islice
from typing import SupportsIndex

import numpy as np
from numpy.typing import NDArray

from dynaplan import _arrays, _texts
from dynaplan.data.known_states import NO_KNOWN_STATES, KnownStates
from dynaplan.errors import ArgumentError, ShapeError

__all__ = ["PrintedEquations"]

Float64 = NDArray[np.float64]
_MAX_DIGITS = 17  # that a float64 has
# Of the largest term of an equation, where there are data: less is the rounding of the fit.
_ROUNDING = 1e-10


class PrintedEquations:
    """A model of next states that are sums of monomials: abstract."""

    __slots__ = ()

    def equations(
        self, names: Sequence[str] | None = None, *, precision: SupportsIndex = 3
    ) -> list[str]:
        """Returns the model as text: one equation for each next state, without its noise.

        With a prior the right side begins with `prior`, what it predicts of that state, unless that
        is known: then it is the state or the action that it takes the value of. A
        coefficient that is 1 to the digits printed is left out. So is a term that is 0, or no
        more than rounding beside the others wherever the model has data. Of an angle that is given
        as sine and cosine stand `sin(theta)` and `cos(theta)`, with a factor inside where it is not
        in radians.

        Args:
            names: of the S states, then of the A actions; different, without spaces. Default:
                s0, s1, ..., a0, a1, ...
            precision: significant digits of the coefficients, from 1 to 17. Default 3, as of a
                table; 17 give each float64 back.

        Returns:
            S texts, such as `theta' = theta + 0.05 omega`: a space is a product, `^` a power.

        Raises:
            ShapeError: there are more or fewer names.
            ArgumentError: two names are the same, one is empty or has a space in it; or
                `precision` is out of range.
            TypeError: a name is no text.

        Example:
            >>> model = dp.LinearModel([[1.0, 0.05], [-0.5, 1.0]], [[0.0], [0.05]])
            >>> for equation in model.equations(["theta", "omega", "torque"]):
            ...     print(equation)
            theta' = theta + 0.05 omega
            omega' = -0.5 theta + omega + 0.05 torque
        """
        coefficients, exponents, largest = self._equation_terms()
        rates = self._angle_rates
        states, inputs = len(coefficients), exponents.shape[1] - len(rates)
        given = _checked_names(names, states, inputs)
        digits = _arrays.count("precision", precision, 1)
        if digits > _MAX_DIGITS:
            raise ArgumentError(f"precision: got {digits}, must be at most {_MAX_DIGITS}")
        called = _with_sines(given, states, rates, digits)
        monomials = [*(_monomial(row, called) for row in exponents.tolist()), ""]
        shown = _is_shown(coefficients, exponents, largest)
        known = [self._first_part(state, given, rates) for state in range(states)]
        return [
            f"{given[state]}' = "
            + _sum_text(known[state], coefficients[state], shown[state], monomials, digits)
            for state in range(states)
        ]

    def _first_part(self, state: int, names: list[str], rates: dict[int, float]) -> str:
        """Returns what the equation of a state begins with, before its terms."""
        if state in self._shifts:
            source = self._shifts[state]
            return names[source] if isinstance(source, int) and source in rates else ""
        return self._known_part or (names[state] if state in rates else "")

    @property
    def _shifts(self) -> KnownStates:
        """The states that are exact shifts."""
        return NO_KNOWN_STATES

    @property
    def _known_part(self) -> str:
        """What comes before the terms; empty where that is nothing."""
        return ""

    @property
    def _angle_rates(self) -> dict[int, float]:
        """To radians, of each state whose sine stands in its place, its cosine before the actions.

        The coefficients of its next state are then those of its change.
        """
        return {}

    @abstractmethod
    def _equation_terms(self) -> tuple[Float64, NDArray[np.intc], Float64 | None]:
        """Returns coefficients, exponents and the largest size of each input (S + A,) in data.

        The coefficients (S, features + 1) have the constant last, of exponents (features, S + A).
        Without data there are no sizes.
        """


def _checked_names(names: Sequence[str] | None, states: int, inputs: int) -> list[str]:
    """Returns one name for each state and action."""
    if names is None:
        return [f"s{i}" for i in range(states)] + [f"a{i}" for i in range(inputs - states)]
    if isinstance(names, str | bytes) or not isinstance(names, Sequence | np.ndarray):
        raise TypeError(f"names: got {_texts.shown(names)}, must be a list of texts")
    given = list(islice(names, inputs + 1))
    if len(names) != inputs:
        raise ShapeError(
            f"names: got {len(names)}, must be {inputs}: {states} of states, then "
            f"{inputs - states} of actions"
        )
    for name in given:
        if not isinstance(name, str):
            raise TypeError(f"names: got {_texts.shown(name)}, must be texts")
        if not name or any(character.isspace() for character in name):
            raise ArgumentError(
                f"names: got {_texts.shown(name)}, must be without spaces and not empty"
            )
    if repeated := [name for name in given if given.count(name) > 1]:
        raise ArgumentError(f"names: got {_texts.shown(repeated[0])} twice, must be different")
    return [str(name) for name in given]


def _with_sines(names: list[str], states: int, rates: dict[int, float], digits: int) -> list[str]:
    """Returns what the inputs are called, of names (S + A) of states and actions."""
    called, cosines = list(names[:states]), []
    for state, rate in rates.items():
        inside = names[state] if rate == 1.0 else f"{rate:.{digits}g} {names[state]}"
        called[state] = f"sin({inside})"
        cosines.append(f"cos({inside})")
    return [*called, *cosines, *names[states:]]


def _monomial(powers: Sequence[int], names: Sequence[str]) -> str:
    factors = zip(names, powers, strict=True)
    return " ".join(name if power == 1 else f"{name}^{power}" for name, power in factors if power)


def _is_shown(
    coefficients: Float64, exponents: NDArray[np.intc], largest: Float64 | None
) -> NDArray[np.bool_]:
    """Marks the terms (S, features + 1) that are more than rounding."""
    if largest is None:
        return np.asarray(coefficients != 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):  # of inputs that were always 0
        # By logarithms, as products of large inputs overflow.
        logs = np.where(exponents > 0, exponents * np.log(largest), 0.0).sum(axis=1)
        sizes = np.log(np.abs(coefficients)) + np.append(logs, 0.0)
    smallest = sizes.max(axis=1, keepdims=True) + np.log(_ROUNDING)
    return np.asarray((coefficients != 0.0) & ((sizes >= smallest) | np.isneginf(smallest)))


def _sum_text(
    known: str,
    coefficients: Float64,
    shown: NDArray[np.bool_],
    monomials: Sequence[str],
    digits: int,
) -> str:
    text = known
    for index in np.flatnonzero(shown).tolist():
        value, monomial = float(coefficients[index]), monomials[index]
        size = f"{abs(value):.{digits}g}"
        term = monomial if monomial and size == "1" else f"{size} {monomial}".rstrip()
        if text:
            text += f" - {term}" if value < 0.0 else f" + {term}"
        else:
            text = f"-{term}" if value < 0.0 else term
    return text or "0"
