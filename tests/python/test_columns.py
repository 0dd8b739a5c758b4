"""Names, units and the time step: kept through everything that is done with the data."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import dynaplan as dp


def named(count=8, **settings):
    rng = np.random.default_rng(0)
    states, actions = rng.normal(size=(count, 2)), rng.normal(size=(count, 1))
    known = {
        "state_names": ["angle", "speed"],
        "action_names": ["torque"],
        "units": {"speed": "rad/s"},
        "time_step": 0.05,
    }
    return dp.Transitions(states, actions, 0.9 * states + actions, **{**known, **settings})


def test_they_are_kept_through_everything(tmp_path):
    data = named()
    data.save(tmp_path / "a.npz")
    train, held_out = data.split(0.25, seed=0)
    for other in (
        data[2:],
        data[3],
        train,
        held_out,
        data + data,
        pickle.loads(pickle.dumps(data)),
        copy.deepcopy(data),
        dp.load(tmp_path / "a.npz"),
    ):
        assert other.state_names == ("angle", "speed")
        assert other.action_names == ("torque",)
        assert other.units == {"speed": "rad/s"}
        assert other.time_step == 0.05
    assert dp.load(tmp_path / "a.npz") == data
    assert data != named(state_names=["angle", "velocity"], units=None)


def test_the_repr_shows_them_shortly():
    assert repr(named()) == (
        "Transitions(8 rows, state_dim=2, action_dim=1, 1 episodes, states angle, speed, "
        "actions torque, time_step=0.05)"
    ).replace("1 episodes", f"{len(named().episode_slices)} episodes")
    long = [f"joint_{i}_velocity_filtered" for i in range(12)]
    wide = dp.Transitions(np.zeros((1, 12)), [[0.0]], np.zeros((1, 12)), state_names=long)
    assert len(repr(wide)) < 150
    assert "states joint_0_velocity_filtered, joi...)" in repr(wide)


def test_without_them_nothing_is_said(tmp_path):
    data = dp.Transitions([[0.0]], [[1.0]], [[1.0]])
    assert (data.state_names, data.action_names, data.units, data.time_step) == (
        None,
        None,
        {},
        None,
    )
    data.save(tmp_path / "a.npz")
    assert dp.load(tmp_path / "a.npz") == data


def test_what_is_given_out_cannot_change_the_data():
    data = named()
    data.units["speed"] = "km/h"
    assert data.units == {"speed": "rad/s"}


def test_parts_are_joined_where_they_agree_or_one_does_not_say():
    data, silent = named(), named(state_names=None, action_names=None, units=None, time_step=None)
    assert (silent + data).state_names == ("angle", "speed")
    assert (data + silent).time_step == 0.05
    with pytest.raises(dp.ArgumentError, match=r"parts: state_names are .* in item 0 and .* in 1"):
        data + named(state_names=["speed", "angle"])
    with pytest.raises(dp.ArgumentError, match=r"parts: time_step are 0.05 in item 0 and 0.1 in 1"):
        data + named(time_step=0.1)
    units = {"speed": "rad/s", "angle": "rad"}
    assert named(units=units) == named(units=dict(reversed(units.items())))
    assert (data + named(time_step=0.0501)).time_step == 0.05  # both are measured


def test_an_evaluation_and_warnings_call_states_by_their_names():
    rng = np.random.default_rng(1)
    states, actions = rng.normal(size=(200, 2)), rng.normal(size=(200, 1))
    names = {"state_names": ["angle", "speed"], "action_names": ["torque"]}
    data = dp.Transitions(states, actions, 0.5 * states + actions, **names)
    train, held_out = data.split(0.25, seed=0)
    check = dp.evaluate(dp.LinearGaussian.fit(train), held_out, horizon=3)
    assert check.state_names == ("angle", "speed")
    assert str(check).splitlines()[0].split() == ["one", "step", "angle", "speed"]
    units = {"units": {"angle": "rad"}, "state_names": ["angle", "speed"]}
    measured = dp.Transitions(held_out.states, held_out.actions, held_out.next_states, **units)
    check = dp.evaluate(dp.LinearGaussian.fit(train), measured, horizon=3)
    assert str(check).splitlines()[0].split() == ["one", "step", "angle", "(rad)", "speed"]
    jumps = states.copy()
    jumps[50, 1] = 1e6
    with pytest.warns(dp.SuspectDataWarning, match="speed is 1e"):
        dp.Transitions(jumps, actions, 0.5 * states + actions, **names)
    with pytest.warns(dp.SuspectDataWarning, match="do not end where .*; (angle|speed) jumps most"):
        dp.Transitions(states, actions, 0.5 * states, episodes=np.zeros(200, int), **names)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"state_names": ["angle"], "units": None}, "state_names: got 1 names, must be 2"),
        ({"action_names": ["a", "b"]}, "action_names: got 2 names, must be 1, one for each action"),
        ({"state_names": ["x", "x"], "units": None}, "state_names: 'x' is there twice"),
        ({"state_names": "xy"}, "state_names: got 'xy', must be a list of names"),
        ({"state_names": ["x", 1]}, "state_names: got 1 in the list, must be names"),
        ({"state_names": ["x", "a\nb"]}, "state_names: got .*, must be text on one line"),
        ({"units": {"sped": "m"}}, "units: 'sped' is no column; there are 'angle', 'speed', 'tor"),
        ({"units": {"speed": 1.0}}, r"units: got 1.0 of 'speed', must be text"),
        ({"units": ["m"]}, "units: got .*, must map names"),
        ({"time_step": 0.0}, r"time_step: got 0.0, must be positive"),
        ({"time_step": float("nan")}, r"time_step: got nan, must be positive"),
    ],
)
def test_what_is_no_name_unit_or_time_is_refused(settings, message):
    with pytest.raises((dp.Error, TypeError), match=message):
        named(**settings)
