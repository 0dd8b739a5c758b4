"""The attack on arguments knows everything public, finds what it should, and can be repeated."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
import pytest

import dynaplan as dp
from attack import trials
from attack.hostile_values import GROUPS, is_harmful, kind_of, wrong_kind
from attack.public_names import EXEMPT, optional, public_callables
from attack.rows import all_rows, callable_of, made, rows, share_of
from attack.trials import Trial

# Where a new interpreter finds the tests and the package.
PATHS = [str(Path(__file__).parents[1]), str(Path(dp.__file__).parents[1])]


def test_everything_public_is_called_with_all_its_arguments():
    taken: dict[str, set[str]] = {}
    for name, (_, arguments) in all_rows().items():
        taken.setdefault(callable_of(name), set()).update(arguments)
    public = public_callables()
    missing = [
        f"{name}({parameter})"
        for name, parameters in public.items()
        for parameter in parameters
        if parameter not in taken.get(name, ()) and name not in EXEMPT
    ]
    assert [one for one in missing if one not in EXEMPT] == []
    assert set(taken) <= set(public), "a row calls what is not public"
    assert {name.partition("(")[0] for name in EXEMPT} <= set(public), "an exemption is stale"


def test_the_calls_are_valid(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, (function, arguments) in rows().items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                function(**{key: made(value) for key, value in arguments.items()})
            except Exception as error:
                pytest.fail(f"{name}: {error!r}")


@pytest.mark.parametrize("valid", [0.5, 3, True, "a", None, (), [0.0, 0.0], np.zeros((2, 3, 1))])
def test_every_hostile_value_can_be_made_of_every_valid_one(valid):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for value in [one for values in GROUPS.values() for one in values]:
            value.value(valid)


def test_a_trial_is_the_same_again_and_trials_reach_every_call():
    assert trials.trial_of(3, 4) == trials.trial_of(3, 4)
    found = [trials.trial_of(0, number) for number in range(4000)]
    assert len(set(map(str, found))) > 3500
    assert {trial.row for trial in found} >= {name for name in rows() if share_of(name) == 1.0}
    assert {len(trial.hostile) for trial in found} == {1, 2, 3}
    assert {trials.trial_of(0, number, "MPC.act").row for number in range(80)} == {
        "MPC.act",
        "MPC.act of numbers",
        "MPC.act of several",
    }


def test_values_that_would_do_harm_are_left_out():
    assert is_harmful("load", "path", "/tmp/a")
    assert is_harmful("load", "path", Path("/tmp/a"))
    assert not is_harmful("load", "path", "a")
    assert is_harmful("rewards.compiled", "function", np.int64(4096))
    assert not is_harmful("rewards.compiled", "function", "4096")
    assert not is_harmful("rewards.compiled", "state_dim", 4096)


def test_kinds_of_arguments_and_of_wrong_values():
    assert kind_of("path", "a") == "name"
    assert kind_of("reward", 1.0) == "function"
    assert kind_of("states", [[0.0], [1.0]]) == "array"
    assert kind_of("parts", [object()]) == "part"
    assert wrong_kind(frozenset({"masked"}), "states", [0.0]) == "masked"
    assert wrong_kind(frozenset({"bool"}), "seed", 3) == "bool"
    assert wrong_kind(frozenset({"bool"}), "truncated", False) is None
    assert wrong_kind(frozenset({"fraction"}), "weight", 1.0) is None


def test_what_may_be_none_is_known_from_the_signature():
    assert {"returns(seed)", "Planner.plan(limits)", "CEM(clip)"} <= optional()
    assert not {"returns(model)", "CEM(horizon)", "lqr(A)"} & optional()


def planted(argument):
    """Does what its argument says, in each of the ways that a library should not."""
    if isinstance(argument, str):
        raise KeyError(argument)
    if argument is None:
        raise ValueError("the cause, but not its name")
    if isinstance(argument, list):
        raise TypeError("argument: got a list, must be a number")
    if callable(argument):
        try:
            argument(0)
        except trials.hostile_objects.Fault:
            return  # as if nothing had been
    if not abs(argument) <= 2**30:
        while True:
            pass


@pytest.fixture
def of_planted(monkeypatch):
    monkeypatch.setattr(trials, "rows", lambda: {"planted": (planted, {"argument": 1.0})})
    monkeypatch.setattr(trials, "SECONDS", 0.2)
    monkeypatch.setattr(trials, "SECONDS_OF_HUGE", 0.2)
    handler = trials.signal.signal(trials.signal.SIGALRM, trials.interrupt)
    by_text = {one.text: one for values in GROUPS.values() for one in values}
    yield lambda text: trials.run(Trial("planted", {"argument": by_text[text]}))
    trials.signal.signal(trials.signal.SIGALRM, handler)


def test_outcomes_of_trials(of_planted):
    assert of_planted('"0.5"')[:2] == ("foreign", "KeyError")
    assert of_planted("-1.0").kind == "returned"
    assert of_planted("[-1]")[:2] == ("refused", "TypeError")
    assert of_planted("[-1]").notes == ()
    assert of_planted("nan").kind == "hang"
    assert of_planted("2**31").kind == "interrupted"


def test_what_is_noted_of_trials(of_planted):
    assert of_planted("True").notes == (("accepted", "bool: planted(argument)"),)
    ((kind, text),) = of_planted("None").notes
    assert kind == "unnamed"
    assert text.startswith("planted(argument): ValueError: the cause")
    swallowed = of_planted("lambda x, *_, **__: fault()")
    assert ("swallowed", "planted(argument)") in swallowed.notes


def test_an_exception_of_the_callers_own_passes(of_planted):
    assert of_planted("lambda x, *_, **__: fault_at_exit()")[:2] == ("own", "FaultAtExit")
    assert of_planted("mock_of()").kind != "foreign"


# A library that crashes, hangs for good, or raises what it should not.
PROGRAM = """
import ctypes, sys, time
sys.path[:0] = {paths}
from attack import rows

def planted(argument):
    if argument is None:
        ctypes.string_at(0)
    if isinstance(argument, str):
        raise KeyError("of the library")
    if isinstance(argument, list):
        import signal
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
        time.sleep(60)

rows.rows = lambda: {{"planted": (planted, {{"argument": 1}})}}
from attack import attack_arguments
attack_arguments.PROGRAM = [sys.executable, __file__]
attack_arguments.SECONDS_PER_TRIAL = 1.0
sys.exit(attack_arguments.main())
"""


def test_a_crash_a_hang_and_a_foreign_exception_fail_the_attack(tmp_path, run_python):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.format(paths=PATHS))
    code = "import runpy, sys; sys.argv = {!r}; runpy.run_path({!r}, run_name='__main__')"
    arguments = [str(program), "--seed", "5", "--count", "100", "--seconds", "60"]
    result = run_python(code.format(arguments, str(program)), check=False)
    assert result.returncode == 1, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0] == "seed 5"
    assert lines[-1] == "100 trials, 3 distinct failures"
    assert re.search(r"signal: : exit -11, Fatal Python error: Segmentation fault", result.stdout)
    assert re.search(r"hang: : exit -6", result.stdout)
    assert re.search(r"foreign: KeyError: 'of the library'", result.stdout)
    assert re.search(r"planted\(argument=.*\)  \[--seed 5 --trial \d+\]", result.stdout)

    trial = re.search(r"foreign: KeyError.*\n.*--trial (\d+)\]", result.stdout)[1]
    arguments = [str(program), "--seed", "5", "--trial", trial]
    again = run_python(code.format(arguments, str(program)), check=False)
    assert again.returncode == 1
    assert "error: KeyError" in again.stdout


LEAK = """
import sys
sys.path[:0] = {paths}
from attack import rows
kept = []
rows.rows = lambda: {{"planted": (lambda size: kept.append(bytearray({size})), {{"size": 1}})}}
from attack import resident_memory
sys.argv = ["resident_memory.py", "--calls", "1000"]
sys.exit(resident_memory.main())
"""


@pytest.mark.parametrize(("size", "expected"), [(0, 0), (8_000, 1)])
def test_a_leak_is_found(run_python, size, expected):
    result = run_python(LEAK.format(paths=PATHS, size=size), check=False)
    assert result.returncode == expected, result.stdout + result.stderr
