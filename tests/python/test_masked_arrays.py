"""Masked arrays: what is masked must not come back as a number, wherever it is passed."""

from __future__ import annotations

import re
from collections import deque
from functools import partial
from typing import Any

import numpy as np
import pytest

import dynaplan as dp
from all_calls import CALLS, made
from dynaplan import _arrays
from public_objects import BOX, agent, controller, data, linear, reward

MASKED = np.ma.array([[1.0, 5.0]], mask=[[False, True]])


def numeric(value: Any) -> bool:
    """Whether a table holds an array of numbers as it is, and not a function that makes it."""
    return isinstance(value, list | np.ndarray) and np.asarray(value).dtype.kind in "biuf"


ARRAYS = [
    pytest.param(name, argument, id=f"{name}-{argument}")
    for name, (_, arguments) in CALLS.items()
    for argument, value in arguments.items()
    if numeric(value) and "numba" not in name
]


@pytest.mark.parametrize(("name", "argument"), ARRAYS)
def test_an_array_with_a_masked_entry_is_refused_by_name(name: str, argument: str) -> None:
    function, arguments = CALLS[name]
    given = {key: made(value) for key, value in arguments.items()}
    array = np.asarray(given[argument])
    mask = np.zeros(array.shape, np.bool_)
    mask.flat[-1] = True
    masked = np.ma.array(array, mask=mask)
    for wrong in (masked, [*masked], tuple(masked)):
        with pytest.raises((TypeError, dp.ArgumentError, IndexError), match=argument) as caught:
            function(**{**given, argument: wrong})
        assert "incompatible function arguments" not in str(caught.value)


def test_the_tables_hold_many_arrays() -> None:
    assert len(ARRAYS) > 60


@pytest.mark.parametrize(
    "values",
    [
        MASKED,
        [[1.0, np.ma.masked]],
        [MASKED[0], [1.0, 2.0]],
        ([0.0], (1.0, [MASKED])),
        deque([MASKED[0]]),
        np.ma.masked,
        np.ma.array(3.0, mask=True),
        MASKED.astype(np.float32).T,
        np.ma.array([(1.0, 2)], dtype="f8, i4"),
    ],
)
def test_masked_entries_are_found_at_any_depth(values: Any) -> None:
    with pytest.raises(TypeError, match="x: got a masked array, must be a plain one"):
        _arrays.numbers("x", values)


@pytest.mark.parametrize(
    "values", [np.ma.array([1.0, 5.0]), np.ma.array([1.0, 5.0], mask=False), [1.0, np.ma.array(5)]]
)
def test_a_mask_that_hides_nothing_changes_nothing(values: Any) -> None:
    array = _arrays.numbers("x", values)
    assert type(array) is np.ndarray
    np.testing.assert_array_equal(array, [1.0, 5.0])


def test_single_numbers_may_be_masked_too() -> None:
    for check in (_arrays.real, _arrays.integer, _arrays.flag):
        for wrong in (np.ma.masked, np.ma.array(3, mask=True), np.ma.array(True, mask=True)):
            with pytest.raises(dp.ArgumentError, match="x: got a masked array"):
                check("x", wrong)


def _calls() -> dict[str, Any]:
    """Arrays that do not go the usual way: written to, or returned by a function."""
    row, rows = np.zeros(2), np.zeros((4, 2))
    sequences = np.zeros((1, 3, 1))
    envs = dp.ImaginedVectorEnv(linear(), 2, rows, action_space=BOX, reward=reward(), seed=0)
    envs.reset()
    out = np.ma.array(np.zeros((1, 4, 2)), mask=True)
    flags = np.ma.array([True, True], mask=[False, True])
    planner = dp.CEM(horizon=3, candidates=8, elites=2)
    plan = partial(planner.plan, linear(), reward(), row, action_space=BOX, seed=0)

    def hide(values: np.ndarray[Any, Any]) -> Any:
        return np.ma.array(values, mask=np.ones(values.shape, np.bool_))

    transition = (row, [0.0], 0.0, row)
    unhidden = dp.FunctionModel(lambda s, a: s, 2, 1)
    return {
        "state": lambda: controller().act(np.ma.array([1.0, 5.0], mask=[0, 1])),
        "out": lambda: dp.rollout(linear(), row, sequences, out=out),
        "terminated": lambda: agent().observe(
            np.zeros((2, 3)), [[0.0], [0.0]], [0.0, 0.0], np.zeros((2, 3)), flags
        ),
        "reset_mask": lambda: envs.reset(options={"reset_mask": flags}),
        "user_data": lambda: dp.rewards.compiled(
            dp.signatures.REWARD_FLOAT64.ctypes(lambda *_: None),
            state_dim=1,
            action_dim=1,
            user_data=MASKED,
        ),
        "key": lambda: data()[np.ma.array([1, 2], mask=[False, True])],
        "next_state": lambda: dp.RecursiveLeastSquares(2, 1).update(
            transition[0], transition[1], hide(row)
        ),
        "policy": lambda: plan(policy=lambda states: hide(states[:, :1])),
        "terminal_value": lambda: plan(terminal_value=lambda states: hide(states[:, 0])),
        "termination": lambda: plan(termination=lambda s, a, n: hide(s[:, 0] > 0)),
        "reward": lambda: dp.returns(linear(), lambda s, a, n: hide(s[:, 0]), row, sequences),
        "model": lambda: dp.rollout(dp.FunctionModel(lambda s, a: hide(s), 2, 1), row, sequences),
        "states": lambda: unhidden.predict(hide(row), [0.0]),
        "action_space.low": lambda: dp.MPC(
            linear(), reward(), planner, action_space=(hide(np.zeros(1)), [1.0])
        ),
    }


@pytest.mark.parametrize("name", _calls())
def test_arrays_that_go_another_way_may_not_hide_entries_either(name: str) -> None:
    wanted = rf"^{re.escape(name)}: .*(masked|bools)"
    with pytest.raises((TypeError, IndexError), match=wanted):
        _calls()[name]()
