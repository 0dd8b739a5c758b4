"""Every setting of every planner is checked by name, described once, and its own come first."""

from __future__ import annotations

import inspect
from dataclasses import FrozenInstanceError, fields, replace

import numpy as np
import pytest

import dynaplan as dp
from dynaplan.planners.interface import Planner
from dynaplan.planners.sampling import SamplingPlanner
from reference.systems import scalar_model

PLANNERS = [
    dp.CEM(),
    dp.ICEM(),
    dp.MPPI(temperature=1.0),
    dp.RandomShooting(),
    dp.CategoricalCEM(actions=3),
    dp.GradientPlanner(),
    dp.ILQR(),
    dp.LQR(),
]
SETTINGS = [
    pytest.param(planner, field, id=f"{type(planner).__name__}.{field.name}")
    for planner in PLANNERS
    for field in fields(planner)
]
# None of these is a setting of any planner, but for the None of optional ones.
WRONG = [True, "3", b"3", None, [0.6, 0.3], np.ones(2), {}, 1j, np.nan, np.array("3"), object()]


def accepts(field, value):
    optional = "None" in field.type
    return (value is True and field.type == "bool") or (value is None and optional)


@pytest.mark.parametrize(("planner", "field"), SETTINGS)
def test_a_value_of_another_type_is_refused_by_name(planner, field):
    for value in WRONG:
        if (
            field.name in {"initial_std", "noise_exponent", "control_target"}
            and np.ndim(value) == 1
        ):  # one for each action
            assert getattr(replace(planner, **{field.name: value}), field.name) == tuple(value)
            continue
        if accepts(field, value):
            assert getattr(replace(planner, **{field.name: value}), field.name) is value
            continue
        name = "(min_regularisation, )?" if field.name == "max_regularisation" else ""
        with pytest.raises(
            (dp.Error, TypeError), match=rf"^{name}{field.name}\b.*: .*must "
        ) as caught:
            replace(planner, **{field.name: value})
        assert "incompatible" not in str(caught.value)


@pytest.mark.parametrize(("planner", "field"), SETTINGS)
def test_numbers_of_numpy_become_pythons(planner, field):
    value = getattr(planner, field.name)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        number = (np.int64 if isinstance(value, int) else np.float64)(value)
        setting = getattr(replace(planner, **{field.name: number}), field.name)
        assert type(setting) is type(value)
        assert setting == value


@pytest.mark.parametrize("planner", PLANNERS, ids=lambda planner: type(planner).__name__)
def test_own_settings_come_before_the_shared_ones(planner):
    names = [field.name for field in fields(planner)]
    assert names == list(inspect.signature(type(planner)).parameters)
    sampling = ["propagation", "particles", "risk", "disagreement_limit"]
    clip = [] if isinstance(planner, dp.LQR) else ["clip"]
    shared = [*(sampling if isinstance(planner, SamplingPlanner) else []), *clip]
    assert names[-len(shared) - 2 :] == [*shared, "discount", "threads"]


@pytest.mark.parametrize("planner", PLANNERS, ids=lambda planner: type(planner).__name__)
def test_shared_settings_are_described_where_help_shows_them(planner):
    docstring = inspect.getdoc(type(planner))
    for base in (Planner, SamplingPlanner) if isinstance(planner, SamplingPlanner) else (Planner,):
        for name in inspect.get_annotations(base):
            assert docstring.count(f"\n    {name}: ") == 1


@pytest.mark.parametrize("planner", PLANNERS, ids=lambda planner: type(planner).__name__)
def test_planners_are_frozen_and_keyword_only(planner):
    with pytest.raises(FrozenInstanceError):
        planner.horizon = 3
    with pytest.raises(TypeError, match="positional"):
        type(planner)(3)


def test_planners_with_the_same_settings_are_equal():
    assert dp.CEM(threads=2) == dp.CEM(threads=2) != dp.CEM(elites=20, threads=2)
    assert hash(dp.LQR(horizon=3)) == hash(dp.LQR(horizon=3))
    assert dp.CategoricalCEM(actions=2) != dp.CategoricalCEM(actions=3)


@pytest.mark.parametrize("value", ["1", [1.0], 1j, True, np.nan, -1.0])
def test_a_time_limit_is_checked_by_name(value):
    reward, box = dp.rewards.quadratic([1.0]), ([-1.0], [1.0])
    model = scalar_model()
    mpc = dp.MPC(model, reward, dp.CEM(horizon=2), action_space=box, seed=0)
    for call in (
        lambda: mpc.act([1.0], time_limit=value),
        lambda: mpc.plan([1.0], time_limit=value),
        lambda: dp.CEM(horizon=2).plan(model, reward, [1.0], action_space=box, time_limit=value),
    ):
        with pytest.raises(dp.ArgumentError, match=r"^time_limit: got .*, must be"):
            call()
    several = dp.MPC(model, reward, dp.CEM(horizon=2), action_space=box, seed=0)
    with pytest.raises(dp.ArgumentError, match=r"^time_limit: got .*, must be"):
        several.act([[1.0], [0.5]], time_limit=value)


@pytest.mark.parametrize("value", ["1", [1], 1j, True, 1.5])
@pytest.mark.parametrize("name", ["replan_every", "policy_candidates", "seed"])
def test_the_numbers_of_a_controller_are_checked_by_name(name, value):
    reward = dp.rewards.quadratic([1.0])
    with pytest.raises(dp.ArgumentError, match=f"^{name}: got .*, must be"):
        dp.MPC(scalar_model(), reward, dp.CEM(), action_space=([-1], [1]), **{name: value})


@pytest.mark.parametrize("value", ["1", [1, 2], 1j, True, -0.5])
def test_the_delay_of_a_controller_is_checked_by_name(value):
    reward, box = dp.rewards.quadratic([1.0]), ([-1], [1])
    with pytest.raises(dp.Error, match=r"^delay_steps: got .*, must be"):
        dp.MPC(scalar_model(), reward, dp.CEM(), action_space=box, delay_steps=value)


@pytest.mark.parametrize("value", ["1", 1j, [[1.0, 2.0], [3.0]], [[[1.0]]]])
@pytest.mark.parametrize("name", ["action_low", "action_high"])
def test_bounds_by_step_are_checked_by_name(name, value):
    with pytest.raises((dp.Error, TypeError), match=f"^{name}: "):
        dp.Limits(**{name: value})


@pytest.mark.parametrize("value", ["1", 1j, [[1.0, 2.0], [3.0]], [[1.0]]])
@pytest.mark.parametrize("name", ["action_rate", "state_low", "state_high"])
def test_limits_are_checked_by_name(name, value):
    with pytest.raises((dp.Error, TypeError), match=f"^{name}: "):
        dp.Limits(**{name: value})


@pytest.mark.parametrize("value", ["1", 1j, True, [0.5], {}, np.nan])
@pytest.mark.parametrize(
    "name", ["period", "share", "time_limit", "horizons", "iterations", "seed"]
)
def test_the_numbers_of_tune_are_checked_by_name(name, value):
    arguments = {"period": 0.1, "action_space": ([-1.0], [1.0]), "states": [[0.0]], name: value}
    with pytest.raises((dp.ArgumentError, TypeError), match=f"^{name}: got .*, must be"):
        dp.tune(model=scalar_model(), reward=dp.rewards.quadratic([1.0]), **arguments)


def test_tune_asks_for_a_planner_that_draws_candidates():
    with pytest.raises(TypeError, match="planner: got ILQR, must be one that draws candidates"):
        dp.tune(
            0.1,
            scalar_model(),
            dp.rewards.quadratic([1.0]),
            action_space=([-1.0], [1.0]),
            states=[[0.0]],
            planner=dp.ILQR(),
        )


@pytest.mark.parametrize("value", ["1", 1j, True, [0.5], {}, np.nan, None])
def test_the_numbers_of_lqr_are_checked_by_name(value):
    system = [[1.0]], [[1.0]], [[1.0]], [[1.0]]
    with pytest.raises(dp.ArgumentError, match=r"^discount: got .*, must be"):
        dp.lqr(*system, discount=value)
    if value is not None:
        with pytest.raises(dp.ArgumentError, match=r"^horizon: got .*, must be"):
            dp.lqr(*system, horizon=value)


@pytest.mark.parametrize("name", ["A", "B", "N"])
def test_lqr_asks_for_matrices_by_shape(name):
    arguments = {"A": [[1.0]], "B": [[1.0]], "Q": [[1.0]], "R": [[1.0]]} | {name: 1.0}
    with pytest.raises(dp.ShapeError, match=rf"^{name}: got shape \(\), must be \(S, [SA]\)"):
        dp.lqr(**arguments)
