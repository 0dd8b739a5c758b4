"""Every argument of every public function and class: a wrong value is refused by its name."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from fractions import Fraction
from numbers import Number
from typing import Any

import numpy as np
import pytest

import dynaplan as dp
import dynaplan.envs.mazes
import planner_calls
from all_calls import CALLS, made

MASKED = np.ma.array([1.0, 5.0], mask=[False, True])
WRONG = {
    "object": object(),
    "text": "wrong",
    "numeral": "0.5",
    "bytes": b"x",
    "texts": ["a", "b"],
    "objects": np.array([object()]),
    "complex": 1j,
    "dict": {"a": 1},
    "class": dp.Transitions,
    "masked": MASKED,
    "masked arrays": [MASKED, MASKED],
    "ragged": [[1], [1, 2]],
    "nan": float("nan"),
    "huge": 10**400,
    "huge fraction": Fraction(10**400),
    "huge longdouble": np.longdouble("1e400"),
}
OF_NUMBERS = {"truth": True, "numpy's truth": np.True_}
OF_INTEGERS = {"half": 2.5, "whole float": 2.0}

# Wrong values of a kind that the argument takes all the same.
TEXTS = {"text", "numeral"}  # are names of files, and ids
TAKEN: dict[str, set[str]] = {
    "ImaginedVectorEnv.reset-options": {"dict"},  # other entries are not looked at
    "Dyna.restore-path": TEXTS,
    "Dyna.run-csv": TEXTS,
    "Dyna.run-tensorboard": TEXTS,
    "Dyna.save-path": TEXTS,
    "DynaQ.save-path": TEXTS,
    "LinearGaussian.save-path": TEXTS,
    "LinearModel.save-path": TEXTS,
    "MLP.from_onnx-model": TEXTS,
    "SAC.save-path": TEXTS,
    "Transitions.save-path": TEXTS,
    "Transitions-state_names": {"texts"},
    "Transitions.from_trajectories-state_names": {"texts"},
    "load-path": TEXTS,
    "terminations.LearnedTermination.save-path": TEXTS,
}
# None means that there is none, although the default is something else.
OPTIONAL = {"clip", "episode_steps", "random_episode_steps", "refit_every"}
OPTIONAL_HERE = {
    "MBPO-elite_members",
    "calibrate_bands-seed",
    "compare-seed",
    "evaluate-seed",
    "select-seed",
    "tune-seed",
}
OPTIONAL_HERE |= {f"MPC.change-{part}" for part in planner_calls.PARTS}
OPTIONAL_HERE |= {"MPC.change-termination"}
# Steps and seeds of any size; a loop makes as many steps as it is told.
UNBOUNDED = {"steps", "total_timesteps", "seed", "horizon", "replan_every", "minimum"}
UNBOUNDED |= {"random_steps", "random_episode_steps", "episode_steps", "refit_every"}
UNBOUNDED |= {"evaluation_horizon", "max_episode_steps", "learning_starts", "train_freq"}
UNBOUNDED |= {"gradient_steps", "degree", "trusted_horizon"}
# Arguments for which the tables have nothing valid: a file, or an object of another library.
NEEDS_A_FILE = {"path", "units"}
NEEDS = {"MLP.from_torch": "torch", "MLP.from_onnx": "onnx"}

ARGUMENTS = [
    pytest.param(name, argument, id=f"{name}-{argument}")
    for name, (_, arguments) in CALLS.items()
    for argument in arguments
]


def require_packages(name: str) -> None:
    if "numba" in name:
        pytest.importorskip("numba")
    if package := NEEDS.get(name):
        pytest.importorskip(package)


def wrong_values(name: str, argument: str, valid: Any) -> Iterator[tuple[str, Any]]:
    is_number = isinstance(valid, Number) and not isinstance(valid, bool)
    kinds = {**WRONG, **(OF_NUMBERS if is_number else {})}
    kinds |= OF_INTEGERS if type(valid) is int else {}
    taken = TAKEN.get(f"{name}-{argument}", set()) | ({"huge"} if argument in UNBOUNDED else set())
    for kind, wrong in kinds.items():
        if kind not in taken:
            yield kind, wrong
    is_optional = argument in OPTIONAL or f"{name}-{argument}" in OPTIONAL_HERE
    if not is_optional and default_of(name, argument) is not None:
        yield "none", None


def default_of(name: str, argument: str) -> Any:
    parameters = inspect.signature(resolved(name)).parameters
    return parameters[argument].default if argument in parameters else None


def resolved(name: str) -> Any:
    """The function or class that a row of the tables is about."""
    return functools.reduce(getattr, name.split(" ", maxsplit=1)[0].split("."), dp)


@pytest.mark.parametrize(("name", "argument"), ARGUMENTS)
def test_a_wrong_argument_is_refused_by_name(name: str, argument: str) -> None:
    require_packages(name)
    function, arguments = CALLS[name]
    for kind, wrong in wrong_values(name, argument, made(arguments[argument])):
        given = {key: made(value) for key, value in arguments.items()}
        with pytest.raises((dp.Error, TypeError, IndexError)) as caught:
            function(**{**given, argument: wrong})
        message = str(caught.value)
        assert argument in message, (kind, message)
        for leak in ("incompatible function arguments", " at 0x", "positional argument"):
            assert leak not in message, (kind, message)


@pytest.mark.parametrize("name", CALLS)
def test_the_calls_of_the_tables_are_valid(name: str) -> None:
    require_packages(name)
    function, arguments = CALLS[name]
    if not NEEDS_A_FILE & arguments.keys():
        function(**{key: made(value) for key, value in arguments.items()})


# What is returned, what is only to be derived from, and constructors that are not for users.
RESULTS = {
    "AgentEpisode",
    "Bands",
    "ComparedModel",
    "Comparison",
    "DelayEstimate",
    "Diagnosis",
    "DynaIteration",
    "Episode",
    "Evaluation",
    "Explanation",
    "Finding",
    "Imagined",
}
RESULTS |= {"Iteration", "Jacobians", "Plan", "PlanStats", "Prediction", "Regulator"}
RESULTS |= {"Selection", "TrainingHistory", "Trial", "Trust", "Tuning", "UpdateStatistics"}
FITTED = {"Ensemble", "GaussianMLP", "GaussianProcess", "LinearGaussian", "MLP"}
FITTED |= {"rewards.Term", "terminations.LearnedTermination", "terminations.Term"}
ABSTRACT = {"Agent", "Model", "Planner"}
ANYTHING = {"owner"}  # is kept alive, whatever it is
ONCE_ENOUGH = {"CompiledModel.from_numba-data", "terminations.from_numba-data", "load-env"}


def public() -> Iterator[tuple[str, Callable[..., Any]]]:
    """All public classes, methods and functions by name."""
    for name in dp.__all__:
        member = getattr(dp, name)
        if inspect.ismodule(member):
            yield from ((f"{name}.{inner}", getattr(member, inner)) for inner in member.__all__)
        else:
            yield name, member


def public_callables() -> Iterator[tuple[str, Callable[..., Any]]]:
    for name, member in public():
        if inspect.isfunction(member):
            yield name, member
        if not inspect.isclass(member) or issubclass(member, Exception):
            continue
        if name not in RESULTS | FITTED | ABSTRACT and not inspect.isabstract(member):
            yield name, member
        if name in ABSTRACT - {"Planner"}:
            continue
        for inner, method in inspect.getmembers(member, inspect.isroutine):
            is_public = not inner.startswith("_") or inner in {"__call__", "__getitem__"}
            if is_public and getattr(method, "__module__", "").startswith("dynaplan"):
                yield f"{name}.{inner}", method


def test_every_argument_of_every_public_call_is_in_the_tables() -> None:
    covered: dict[Any, set[str]] = {}
    for name, (_, arguments) in CALLS.items():
        function = resolved(name)
        covered.setdefault(getattr(function, "__func__", function), set()).update(arguments)
    missing = []
    for name, member in public_callables():
        parameters = set(inspect.signature(member).parameters) - {"self"} - ANYTHING
        known = covered.get(getattr(member, "__func__", member), set())
        missing += [f"{name}-{argument}" for argument in parameters - known]
    assert set(missing) <= ONCE_ENOUGH
