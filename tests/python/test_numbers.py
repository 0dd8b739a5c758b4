"""Numbers: which are taken, and that none is too large, of another kind, or without end."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pytest

import dynaplan as dp
from dynaplan import _arrays, _texts
from public_objects import (
    BOX,
    agent,
    controller,
    data,
    dyna,
    ensemble,
    linear,
    maze,
    pendulum,
    reward,
)

PLANNER = dp.CEM(horizon=3, candidates=8, elites=2)
HUGE = 10**400


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (2, 2.0),
        (0.5, 0.5),
        (np.float16(0.5), 0.5),
        (np.float32(0.5), 0.5),
        (np.longdouble("0.5"), 0.5),
        (np.int8(-3), -3.0),
        (np.array(0.5), 0.5),
        (np.array(7, np.uint64), 7.0),
        (Fraction(1, 4), 0.25),
        (np.inf, np.inf),
        (np.longdouble("inf"), np.inf),
    ],
)
def test_a_number_is_any_real_number_that_a_float_holds(given: Any, wanted: float) -> None:
    number = _arrays.real("x", given)
    assert type(number) is float
    assert number == wanted


@pytest.mark.parametrize(
    "given",
    [
        *("0.5", b"1", None, True, np.True_, 1j, np.complex64(1), [1.0], np.ones(1), {}, object()),
        *(HUGE, -HUGE, Fraction(HUGE), np.longdouble("1e400"), Decimal("0.5")),
        *(np.timedelta64(1, "s"), np.array("0.5"), np.array(True), MagicMock()),
    ],
)
def test_anything_else_is_refused_by_name(given: Any) -> None:
    with pytest.raises(dp.ArgumentError, match=r"^x: got .*, must be a number"):
        _arrays.real("x", given)


@pytest.mark.parametrize(
    "given", [2.5, 2.0, np.float64(2), "2", True, np.True_, None, [2], np.ones(1, int), 2j]
)
def test_only_integers_are_integers(given: Any) -> None:
    for check in (_arrays.integer, _arrays.count):
        with pytest.raises(dp.ArgumentError, match=r"^x: got .*, must be an integer"):
            check("x", given)


def test_integers_may_be_of_any_kind_and_size_but_for_the_core() -> None:
    for given in (3, np.int8(3), np.uint64(3), np.array(3)):
        assert type(_arrays.integer("x", given)) is int
        assert _arrays.integer("x", given) == 3
    assert _arrays.integer("x", HUGE) == HUGE
    for given in (HUGE, -HUGE, 2**31, np.uint64(2**63)):
        with pytest.raises(dp.ArgumentError, match=r"x: got .*, must be at most 2147483647"):
            _arrays.count("x", given)
    with pytest.raises(dp.ArgumentError, match="x: got -1, must be at least 0"):
        _arrays.count("x", -1, 0)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ([1.0, HUGE], TypeError),
        ([HUGE], TypeError),
        (np.array([1, "a"], object), TypeError),
        ([Fraction(1, 2)], TypeError),
        (np.array(["0.5"]), TypeError),
        (np.array([1], "M8[s]"), TypeError),
        (np.array([1], "m8[s]"), TypeError),
        (True, TypeError),
        (np.longdouble("1e400"), dp.ArgumentError),
        (np.array([np.longdouble("1e400"), 1.0]), dp.ArgumentError),
        ([[1.0], [1.0, 2.0]], dp.ShapeError),
    ],
)
def test_arrays_hold_real_numbers_that_fit(given: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"^x: "):
        _arrays.numbers("x", given)


def test_what_is_too_large_for_float32_is_refused_and_not_made_infinite() -> None:
    for given in ([1e39], np.array([1e39]), np.array([np.longdouble(1e39)])):
        with pytest.raises(dp.ArgumentError, match="x: got a number that is too large for float32"):
            _arrays.numbers("x", given, np.float32)
    np.testing.assert_array_equal(_arrays.numbers("x", [np.inf, 1.0], np.float32), [np.inf, 1.0])
    actions = np.zeros((1, 2, 1), np.float32)
    with pytest.raises(dp.ArgumentError, match="states: got a number that is too large"):
        dp.rollout(linear(), [1e39, 0.0], actions)


def test_arrays_are_native_contiguous_and_aligned() -> None:
    values = np.arange(6.0).reshape(2, 3)
    shifted = np.frombuffer(b"\0" + values.tobytes(), np.float64, offset=1).reshape(2, 3)
    assert not shifted.flags.aligned
    for given in (values.astype(">f8"), np.asfortranarray(values), shifted, values.tolist()):
        array = _arrays.numbers("x", given)
        assert array.dtype == np.dtype(np.float64)
        assert array.dtype.isnative
        assert array.flags.c_contiguous
        assert array.flags.aligned
        np.testing.assert_array_equal(array, values)
    assert _arrays.numbers("x", values) is values


# --- sizes: what would not return, or take all memory

EMPTY = np.zeros((2**40, 0))
PLANS = {"action_space": BOX, "seed": 0}


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("target", lambda: dp.rewards.quadratic([1.0, 1.0], target=EMPTY)),
        ("weights", lambda: dp.rewards.quadratic(EMPTY.T)),
        ("target", lambda: dp.rewards.action_cost([1.0], target=EMPTY.T)),
        ("weights", lambda: dp.rewards.action_change_cost(EMPTY.T)),
        ("target", lambda: dp.rewards.distance(1.0, indices=[0, 1], target=EMPTY)),
        ("target", lambda: dp.rewards.within(1.0, indices=[0], target=EMPTY.T)),
        ("states", lambda: dp.rewards.quadratic([1.0])(EMPTY, EMPTY, EMPTY)),
        ("states", lambda: dp.terminations.inside([0.0], [1.0])(EMPTY, EMPTY, EMPTY)),
        ("R", lambda: dp.lqr(np.eye(2), np.eye(2), np.eye(2), EMPTY.T)),
        ("Q_final", lambda: dp.lqr(*[np.eye(2)] * 4, horizon=3, Q_final=EMPTY.T)),
        ("actions", lambda: dp.CategoricalCEM(actions=EMPTY)),
        ("actions", lambda: dp.CategoricalCEM(actions=2**31 - 1)),
        ("actions", lambda: dp.returns(linear(), reward(), [0.0, 0.0], EMPTY[..., None])),
        ("actions", lambda: dp.rollout(linear(), [0.0, 0.0], EMPTY[..., None])),
        ("actions", lambda: dp.rollout(linear(), [0.0, 0.0], EMPTY.T[..., None])),
        (
            "kept_sequences",
            lambda: PLANNER.plan(
                linear(), reward(), [0.0, 0.0], kept_sequences=EMPTY[..., None], **PLANS
            ),
        ),
        (
            "policy_candidates",
            lambda: PLANNER.plan(
                linear(), reward(), [0.0, 0.0], policy=len, policy_candidates=10**9, **PLANS
            ),
        ),
        (
            "delay_steps",
            lambda: dp.MPC(linear(), reward(), PLANNER, delay_steps=10**9, **PLANS),
        ),
        (
            "num_envs",
            lambda: dp.ImaginedVectorEnv(linear(), 10**9, [[0.0, 0.0]], reward=reward(), **PLANS),
        ),
        ("options", lambda: _envs().reset(options=range(2**62))),
        ("states", lambda: dp.tune(0.1, linear(), reward(), states=np.empty((0, 2)), **PLANS)),
        ("states", lambda: dp.tune(0.1, linear(), reward(), states=[], **PLANS)),
        ("held_out", lambda: dp.MLP.fit(data(), held_out=0.99)),
        ("data", lambda: list(_pets().run(5, data=data()))),
        ("system", lambda: controller().explain(2**70)),
        ("key", lambda: data()[np.uint64(2**63)]),
    ],
)
def test_sizes_without_sense_are_refused_at_once(name: str, call: Callable[[], Any]) -> None:
    with pytest.raises((dp.Error, TypeError, IndexError), match=rf"^{name}: "):
        call()


def _envs() -> dp.ImaginedVectorEnv:
    return dp.ImaginedVectorEnv(linear(), 2, [[0.0, 0.0]], reward=reward(), **PLANS)


def _pets(learn: Any = lambda data, previous: 3) -> dp.PETS:
    return dp.PETS(pendulum(), learn=learn, reward=reward(), random_steps=20, seed=0)


def test_what_a_learner_returns_is_a_model() -> None:
    for returned in (3, None, data(), dp.LinearGaussian, MagicMock()):
        with pytest.raises(TypeError, match=r"^learn: returned .*, must return a model"):
            _pets(lambda data, previous, made=returned: made).learn(30)
        dyna = dp.Dyna(
            pendulum(),
            agent(),
            lambda data, previous, made=returned: made,
            reward=reward(),
            random_steps=5,
            seed=0,
        )
        with pytest.raises(TypeError, match=r"^learn: returned .*, must return a model"):
            dyna.learn(10)


# --- objects that answer in their own way


class Hostile:
    """Raises whatever it is asked for."""

    def __init__(self, error: type[Exception]) -> None:
        self._error = error

    def _raise(self, *_: Any, **__: Any) -> Any:
        raise self._error("hostile")

    __array__ = __index__ = __float__ = __repr__ = __iter__ = __len__ = _raise


@pytest.mark.parametrize("error", [RuntimeError, ValueError, KeyError, OverflowError, TypeError])
def test_the_errors_of_an_objects_own_conversion_do_not_come_out(error: type[Exception]) -> None:
    wrong = Hostile(error)
    for check in (_arrays.real, _arrays.integer, _arrays.numbers, _arrays.flag, _arrays.vector):
        with pytest.raises((dp.ArgumentError, dp.ShapeError, TypeError), match=r"^x: "):
            check("x", wrong)
    assert _texts.shown(wrong) == "Hostile"


def test_lists_without_end_are_shown_by_their_kind() -> None:
    nested: list[Any] = []
    for _ in range(5000):
        nested = [nested]
    assert _texts.shown(nested) == "list"
    assert _texts.shown([0] * 10**6) == "list"
    assert _texts.shown([1, 2]) == "[1, 2]"
    for call in (
        lambda: dp.FunctionModel(lambda s, a: s, nested, 1),
        lambda: dp.CEM(result=nested),
        lambda: dp.rewards.linear([1.0], of=nested),
        lambda: dp.LinearGaussian.fit(data(), target=nested),
        lambda: dp.rollout(linear(), [0.0, 0.0], np.zeros((1, 2, 1)), dtype=nested),
        lambda: dp.DynaQ(maze()).act(nested),
        lambda: dp.LinearSchedule(10, nested),
        lambda: dp.ImaginedVectorEnv(
            linear(), 2, [[0.0, 0.0]], reward=reward(), autoreset_mode=nested, **PLANS
        ),
    ):
        with pytest.raises((dp.ArgumentError, TypeError), match="got list, must be"):
            call()


def test_a_dtype_is_one_of_two() -> None:
    for wrong in (dp.signatures.REWARD_FLOAT64.ctypes(len), object(), "i4", np.float16, (1, 2)):
        with pytest.raises(dp.ArgumentError, match=r"^dtype: got .*, must be numpy\.float32 or"):
            dp.rollout(linear(), [0.0, 0.0], np.zeros((1, 2, 1)), dtype=wrong)


def test_schedules_keep_their_numbers_as_integers() -> None:
    short = dp.RolloutLengthSchedule(np.int8(1), np.int8(2), np.int8(1), np.int8(5), np.int8(100))
    assert [short(steps) for steps in (0, 150, 10**6)] == [1, 1, 5]
    assert dp.LinearSchedule(np.uint8(200), Fraction(1, 2))(1000) == 500
    for schedule in (short, dp.LinearSchedule(10, 0.1)):
        for wrong in (np.nan, np.inf, 2.5, HUGE, "5", True, Decimal("nan"), np.ma.masked):
            with pytest.raises(dp.ArgumentError, match=r"^steps: got "):
                schedule(wrong)


def test_a_schedule_that_grows_without_bound_gives_an_integer() -> None:
    assert dp.LinearSchedule(1, 1e308)(1000) == 2**53
    assert dp.RolloutLengthSchedule(1, 2, 1, 2**31 - 1)(10**6) == 2**31 - 1


def test_lists_of_integers_end() -> None:
    for wrong in (itertools.count(), range(2**62)):
        with pytest.raises(dp.ArgumentError, match=r"^angles: got more than 65536 integers"):
            dp.MLP.fit(data(), angles=wrong)
    for wrong in ("12", b"12", {1: 2}, Hostile(ValueError)):
        with pytest.raises(TypeError, match=r"^hidden: got .*, must be integers"):
            dp.MLP.fit(data(), hidden=wrong)
    assert _arrays.counts("x", np.array([1, 2])) == (1, 2)
    assert _arrays.counts("x", 3) == _arrays.counts("x", np.array(3)) == (3,)


class Named:
    """A path whose name is whatever it is made of."""

    def __init__(self, name: Any) -> None:
        self._name = name

    def __fspath__(self) -> Any:
        return self._name


@pytest.mark.parametrize("path", ["a\0b", "", "\ud800", b"a", 3, None, Named(b"a"), Named(None)])
def test_names_that_no_file_has_are_refused(path: Any) -> None:
    calls: dict[str, Callable[[], Any]] = {
        "path": lambda: dp.load(path),
        "path ": lambda: data().save(path),
        "path  ": lambda: linear().save(path),
        "csv": lambda: list(dyna()[0].run(1, csv=path)) if path is not None else dp.load(path),
    }
    for name, call in calls.items():
        wanted = "path" if path is None else name.strip()
        with pytest.raises((TypeError, dp.ArgumentError), match=rf"^{wanted}: got .* of a file"):
            call()


def test_seeds_of_gymnasium_are_any_integers() -> None:
    one, other = (dp.collect(pendulum(), 5, seed=seed) for seed in (3, np.int8(3)))
    assert one == other
    _envs().reset(seed=np.int8(3))
    maze().reset(seed=np.int8(3))
    for call in (lambda seed: dp.collect(pendulum(), 5, seed=seed), maze().reset, _envs().reset):
        for wrong in (1j, (), "x", True, -1, 1.5):
            with pytest.raises(dp.ArgumentError, match=r"^seed: got "):
                call(seed=wrong)


def test_arrays_are_not_added_to_data() -> None:
    with pytest.raises(TypeError, match=r"unsupported operand|oncatenation"):
        np.ones(2) + data()


def test_a_clip_beyond_the_largest_number_is_none() -> None:
    sequences = np.zeros((1, 3, 1))
    free = dp.rollout(ensemble(), [0.5, 0.5], sequences)
    np.testing.assert_array_equal(dp.rollout(ensemble(), [0.5, 0.5], sequences, clip=1e308), free)


def test_a_compiled_termination_returns_bools() -> None:
    pytest.importorskip("numba")
    dims = {"state_dim": 2, "action_dim": 1}
    for wrong in (lambda s, a, n: 0.3, lambda s, a, n: s[0], lambda s, a, n: 1):
        with pytest.raises(TypeError, match=r"^function: returns .*, must return bool"):
            dp.terminations.from_numba(wrong, **dims)
    beyond = dp.terminations.from_numba(lambda s, a, n: n[0] > 1.0, **dims)
    np.testing.assert_array_equal(beyond([[0, 0]] * 2, [[0]] * 2, [[2, 0], [0, 0]]), [True, False])
    for wrong in (lambda s, a, n: 1j, lambda s, a, n: None, lambda s, a, n: s):
        with pytest.raises(TypeError, match=r"^function: numba cannot compile it"):
            dp.rewards.from_numba(wrong, **dims)
