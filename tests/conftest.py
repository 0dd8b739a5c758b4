"""Fixtures shared by all tests.

Nothing here imports dynaplan, so that the checks of the sources run without a build.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Completed = subprocess.CompletedProcess[str]
RunPython = Callable[..., Completed]


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout that holds these tests."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Lets Ctrl-C reach the children of tests also where the suite runs in the background.

    A shell without job control starts background jobs with SIGINT ignored, and children inherit it.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def run_python(tmp_path: Path) -> RunPython:
    """Runs code in a new interpreter, without the caller's settings of OpenMP and Python.

    `run(code, environment={...}, timeout=60.0, check=True)`: with `check`, a non-zero exit fails
    the test and shows what the child wrote.
    """

    def run(
        code: str,
        *,
        environment: Mapping[str, str] | None = None,
        timeout: float = 60.0,
        check: bool = True,
    ) -> Completed:
        # The level stays: a run of the suite at DYNAPLAN_ISA=v2 must test v2 in its children too.
        dropped = ("OMP_", "GOMP_", "KMP_", "PYTHON")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
        kept.update(environment or {})
        result = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env=kept,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if check and result.returncode != 0:
            pytest.fail(f"exit {result.returncode}\n{result.stdout}\n{result.stderr}")
        return result

    return run
