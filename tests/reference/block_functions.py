"""Compiled functions for tests: NumPy behind C's calling convention, and C itself."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import dynaplan as dp


def _array(pointer, rows, stride, lanes):
    return np.ctypeslib.as_array(pointer, (rows, stride))[:, :lanes]


def reward_callback(function, state_dim, action_dim, signature=dp.signatures.REWARD_FLOAT64):
    """A ctypes callback that computes `function(states (N, S), actions, next_states) -> (N,)`."""

    def block(state, action, next_state, stride, lanes, step, user_data, reward):  # noqa: PLR0917
        sizes = (state_dim, action_dim, state_dim)
        arrays = [
            _array(p, n, stride, lanes).T
            for p, n in zip((state, action, next_state), sizes, strict=True)
        ]
        np.ctypeslib.as_array(reward, (lanes,))[:] = function(*arrays)

    return signature.ctypes(block)


def termination_callback(
    function, state_dim, action_dim, signature=dp.signatures.TERMINATION_FLOAT64
):
    """The same for a termination."""
    return reward_callback(function, state_dim, action_dim, signature)


def dynamics_callback(function, state_dim, action_dim, signature=dp.signatures.DYNAMICS_FLOAT64):
    """The same for dynamics, `function(states (N, S), actions (N, A)) -> (N, S)`."""

    def block(state, action, stride, lanes, user_data, next_state):  # noqa: PLR0917
        arrays = (
            _array(state, state_dim, stride, lanes).T,
            _array(action, action_dim, stride, lanes).T,
        )
        _array(next_state, state_dim, stride, lanes)[:] = function(*arrays).T

    return signature.ctypes(block)


def compile_c(source: Path, library: Path) -> None:
    """Compiles C against the installed header; skips the test where there is no compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler")
    command = [compiler, "-O2", "-Wall", "-Werror", "-std=c99", "-shared", "-fPIC"]
    command += ["-I", dp.get_include(), "-o", str(library), str(source), "-lm"]
    subprocess.run(command, check=True, timeout=60)


def c_library(folder: Path) -> ctypes.CDLL:
    """The functions of functions.c."""
    compile_c(Path(__file__).with_name("functions.c"), folder / "functions.so")
    return ctypes.CDLL(str(folder / "functions.so"))
