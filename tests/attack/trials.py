"""A trial: a valid call with one to three hostile arguments, and what it comes to."""

from __future__ import annotations

import inspect
import re
import signal
import sys
import traceback
import warnings
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import dynaplan as dp
from attack import hostile_objects
from attack.hostile_values import FILE, GROUPS, Hostile, drawn, is_harmful, wrong_kind
from attack.public_names import objects, optional
from attack.rows import callable_of, made, rows, share_of

Random = np.random.Generator

# Seconds after which a call is interrupted as Ctrl-C would: none of the valid calls takes as many.
# Where a hostile number may ask for a long time honestly, all that matters is that it can be.
SECONDS, SECONDS_OF_HUGE = 10.0, 0.5
PACKAGE = str(Path(dp.__file__).parent)
REFUSALS = (dp.Error, TypeError, ValueError, MemoryError)
# Rows of loops that are made and not run.
LATER = {"Dyna", "MBPO", "PETS", "mbpo_paper", "pets_cpu", "pets_paper"}
# Of pybind11's own refusals, and of objects that are shown with their address.
# Of refusals that name another argument, which this one does not fit; of files, which are shown; of
# operators; and of calls of the caller's own functions, which take other arguments.
SAYS_ENOUGH = (
    r"^[a-z][\w., ]*: |^R: |^\[Errno|unsupported operand|can only concat|\(\) (takes|missing) "
)
LEAKS = ("incompatible function arguments", "incompatible constructor arguments", " at 0x")


class Interrupted(BaseException):
    """In the place of KeyboardInterrupt, which the library may answer in its own way."""


class Trial(NamedTuple):
    """What is called, and the hostile values by argument."""

    row: str
    hostile: dict[str, Hostile]

    def __str__(self) -> str:
        given = ", ".join(f"{name}={value.text}" for name, value in self.hostile.items())
        return f"{self.row}({given})"


class Outcome(NamedTuple):
    """What a trial came to.

    `kind` is "returned", "refused", "interrupted" (an honestly long call), or one of the failures
    "foreign" and "hang". `where` is the innermost line of the package.
    """

    kind: str
    error: str = ""
    message: str = ""
    where: str = ""
    notes: tuple[tuple[str, str], ...] = ()  # what is reported, but no failure


def trial_of(seed: int, number: int, only: str = "") -> Trial:
    """The trial of this number, always the same for a seed."""
    rng = np.random.default_rng((seed, number))
    names, shares = _choices(only)
    name = names[int(rng.choice(len(names), p=shares))]
    arguments = rows()[name][1]
    # Mostly one: a second one is often not looked at after the first is refused.
    count = min(int(rng.choice([1, 2, 3], p=[0.7, 0.2, 0.1])), len(arguments))
    chosen = [list(arguments)[int(i)] for i in rng.choice(len(arguments), count, replace=False)]
    return Trial(name, {one: drawn(rng, one, made(arguments[one])) for one in chosen})


@cache
def _choices(only: str) -> tuple[list[str], Any]:
    names = [name for name in rows() if only in name]
    if not names:
        sys.exit(f"--only {only}: no call has this in its name")
    shares = np.array([share_of(name) for name in names])
    return names, shares / shares.sum()


def run(trial: Trial) -> Outcome:
    """Runs a trial and says what it came to."""
    function, arguments = rows()[trial.row]
    valid = {name: made(value) for name, value in arguments.items()}
    given = dict(valid)
    for name, value in trial.hostile.items():
        given[name] = value.value(valid[name])
        if is_harmful(trial.row, name, given[name]):
            return Outcome("harmful")
    # numba's compiler does not stand to be interrupted: it crashes later.
    is_huge = any("huge" in one.tags for one in trial.hostile.values()) and "numba" not in trial.row
    hostile_objects.RAISED.clear()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        outcome = _called(function, given, is_huge, trial)
    hostile_objects.use_kept()
    notes = _notes(trial, outcome, valid) + _warnings(warned)
    return outcome._replace(notes=tuple(notes))


def _called(function: Any, given: dict[str, Any], is_huge: bool, trial: Trial) -> Outcome:
    limit = SECONDS_OF_HUGE if is_huge else SECONDS
    try:
        signal.setitimer(signal.ITIMER_REAL, limit)
        function(**given)
        return Outcome("returned")
    except Interrupted:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        return Outcome("interrupted" if is_huge else "hang", where="interrupted by a signal")
    except BaseException as error:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        return _outcome_of(error, trial)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)


def _outcome_of(error: BaseException, trial: Trial) -> Outcome:
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if frame.filename.startswith(PACKAGE)]
    where = f"{inside[-1].filename[len(PACKAGE) + 1 :]}:{inside[-1].lineno}" if inside else ""
    own = bool(frames) and (frames[-1].filename == FILE or "hostile_" in frames[-1].filename)
    is_own = isinstance(error, hostile_objects.Fault | hostile_objects.FaultAtExit) or own
    is_refusal = isinstance(error, REFUSALS) or _is_documented(type(error), trial)
    kind = "own" if is_own else "refused" if is_refusal else "foreign"
    try:
        message = str(error)
    except hostile_objects.Fault:
        message = "(no text)"
    return Outcome(kind, type(error).__name__, message[:300], where)


def _is_documented(error: type[BaseException], trial: Trial) -> bool:
    """Whether the docstring names the exception, or it is what all calls of its kind raise."""
    is_file = {"path", "csv"} & set(trial.hostile) or trial.row.startswith("MLP.from_onnx")
    if issubclass(error, OSError) and is_file:
        return True
    if "numba" in trial.row and error.__module__.startswith("numba"):
        return True  # what numba says of a function that it cannot compile
    said = _docstrings().get(callable_of(trial.row), "")
    names = [one.__name__ for one in error.__mro__ if one not in (Exception, BaseException, object)]
    return any(re.search(rf"\b{name}\b", said) for name in names)


@cache
def _docstrings() -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in objects():
        found[name] = value.__doc__ or ""
        if inspect.isclass(value):
            for member in dir(value):
                found[f"{name}.{member}"] = getattr(getattr(value, member), "__doc__", None) or ""
    return found


def _notes(trial: Trial, outcome: Outcome, valid: dict[str, Any]) -> list[tuple[str, str]]:
    """What is worth a look, of trials with one hostile value.

    Wrong kinds that are taken, faults of the caller's that are lost, refusals that do not name the
    argument, and messages that show what is inside.
    """
    if len(trial.hostile) > 1:
        return []
    ((name, value),) = trial.hostile.items()
    called = f"{callable_of(trial.row)}({name})"
    notes = []
    if outcome.kind == "returned":
        tag = wrong_kind(value.tags, name, valid[name])
        is_good = (tag == "none" and called in optional()) or _is_unused(trial, name, value)
        if tag and not is_good:
            notes.append(("accepted", f"{tag}: {called}"))
        if hostile_objects.RAISED:
            notes.append(("swallowed", called))
    elif outcome.kind == "refused" and outcome.error != "MemoryError":
        if any(leak in outcome.message for leak in LEAKS):
            notes.append(("leaked", called))
        elif name not in outcome.message and not re.search(SAYS_ENOUGH, outcome.message):
            text = re.sub(r"'[^']*'|\([^)]*\)|[-\d.e+]*\d", "#", outcome.message)[:60]
            notes.append(("unnamed", f"{called}: {outcome.error}: {text}"))
    return notes


def _is_unused(trial: Trial, name: str, value: Hostile) -> bool:
    """Whether a hostile function is not called by the trial, or its result not looked at."""
    is_result = value in GROUPS["functions"]
    return is_result and (trial.row in LATER or name in {"progress", "callback"})


def _warnings(warned: list[warnings.WarningMessage]) -> list[tuple[str, str]]:
    """Warnings of NumPy or Python that a line of the package caused."""
    found = {
        f"{one.filename[len(PACKAGE) + 1 :]}:{one.lineno} {one.category.__name__}: {one.message}"
        for one in warned
        if one.filename.startswith(PACKAGE)
        and one.category.__module__ != "dynaplan.errors"
        and one.category is not UserWarning
    }
    return [("warned", text[:160]) for text in sorted(found)]


def smaller(trial: Trial, outcome: Outcome) -> Trial:
    """The same failure with one hostile value only, where one is enough."""
    for name, value in trial.hostile.items():
        alone = Trial(trial.row, {name: value})
        if len(trial.hostile) > 1 and run(alone)[:2] == outcome[:2]:
            return alone
    return trial


def interrupt(*_: Any) -> None:
    # Again if the call swallows it; a second from now, not from the first time that it was due, or
    # what it interrupts might be the end of the trial.
    signal.setitimer(signal.ITIMER_REAL, 1.0)
    raise Interrupted


def prepare() -> None:
    """Makes what lasts from trial to trial, by every valid call that is quick."""
    signal.signal(signal.SIGALRM, interrupt)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, (function, arguments) in rows().items():
            if share_of(name) > 0.1:
                function(**{key: made(value) for key, value in arguments.items()})
