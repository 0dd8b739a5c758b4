"""Which states are angles, said once with the data: ranges, differences, joins, files."""

import copy
import math
import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynaplan as dp
from dynaplan.data.angles import NO_ANGLES, Angles

PI = np.pi
periods = st.sampled_from([2.0 * PI, 360.0, 1.0, 1e-3, 24.0])
numbers = st.floats(-1e6, 1e6)


def turning(count=40, speed=0.3, start=0.0, **settings):
    """A wheel that turns by the same angle at every step, measured from -pi to pi."""
    path = start + speed * np.arange(count + 1.0)[:, None]
    path = np.arctan2(np.sin(path), np.cos(path))
    actions = np.random.default_rng(0).normal(size=(count, 1))
    return dp.Transitions(path[:-1], actions, path[1:], **{"angles": [0], **settings})


# --- differences and ranges


@given(numbers, periods)
def test_a_difference_goes_the_short_way_and_loses_no_digit(difference, period):
    found = Angles({0: period}).short_way(np.array([[difference]]))[0, 0]
    assert -0.5 * period < found <= 0.5 * period
    turns = (Fraction(difference) - Fraction(float(found))) / Fraction(period)
    assert turns.denominator == 1
    assert Angles({0: period}).short_way(np.array([[found]]))[0, 0] == found


@pytest.mark.parametrize("period", [2.0 * PI, 360.0, 1e-3])
def test_half_a_turn_is_half_a_turn_forward(period):
    ends = np.array([[0.5 * period], [-0.5 * period], [1.5 * period], [0.0], [period]])
    found = Angles({0: period}).short_way(ends.copy())[:, 0]
    assert found.tolist() == [0.5 * period, 0.5 * period, 0.5 * period, 0.0, 0.0]


def test_what_is_not_finite_stays_and_other_states_too():
    given = np.array([[np.nan, 7.0], [np.inf, 8.0], [-np.inf, 9.0]])
    assert np.array_equal(Angles({0: 1.0}).short_way(given.copy()), given, equal_nan=True)
    wrapped = Angles({0: (0.0, 1.0)}).wrapped(given)
    assert np.isnan(wrapped[0, 0])
    assert wrapped[:, 1].tolist() == [7.0, 8.0, 9.0]


@given(numbers, st.floats(-1e3, 1e3), periods)
def test_a_value_is_brought_into_its_range_once(value, low, period):
    angles = Angles({0: (low, low + period)})
    found = angles.wrapped(np.array([[value]]))
    assert low <= found[0, 0] <= low + period
    assert np.array_equal(angles.wrapped(found), found)
    length = float(angles.period[0])
    apart = math.remainder(value - found[0, 0], length)
    assert abs(apart) <= 1e-9 * (abs(value) + abs(low) + length) * max(1.0, abs(value) / length)
    if low <= value <= low + period:
        assert found[0, 0] == value


def test_both_ends_of_a_range_stay():
    angles = Angles.of([0], 1)
    ends = np.array([[PI], [-PI], [np.nextafter(PI, 4.0)], [np.nextafter(-PI, -4.0)]])
    found = angles.wrapped(ends)[:, 0]
    assert found[:2].tolist() == [PI, -PI]
    assert np.allclose(np.abs(found[2:]), PI)
    assert np.abs(found).max() <= PI


def test_the_arc_that_holds_the_data_may_cross_the_end_of_the_range():
    angles = Angles.of([0], 1)
    crossing = np.array([[3.0], [-3.0], [3.1]])
    low, high = angles.observed_range(crossing)
    assert (low[0], high[0]) == (3.0, pytest.approx(2.0 * PI - 3.0))
    plain = np.array([[-0.5], [0.25]])
    assert [float(end[0]) for end in angles.observed_range(plain)] == [-0.5, 0.25]
    around = np.linspace(-3.1, 3.1, 30)[:, None]
    assert [float(end[0]) for end in angles.observed_range(around)] == [-3.1, 3.1]


# --- what data say


def test_angles_are_said_by_their_indices_their_ranges_or_their_periods():
    arrays = np.zeros((2, 3)), np.zeros((2, 1)), np.zeros((2, 3))
    assert dict(dp.Transitions(*arrays).angles) == {}
    assert dict(dp.Transitions(*arrays, angles=[2, 0]).angles) == {0: (-PI, PI), 2: (-PI, PI)}
    assert dict(dp.Transitions(*arrays, angles=-1).angles) == {2: (-PI, PI)}
    mixed = dp.Transitions(*arrays, angles={1: 360.0, 0: (0, 360)}).angles
    assert mixed == {0: (0.0, 360.0), 1: 360.0}
    assert dp.Transitions(*arrays, angles=mixed).angles == mixed
    assert repr(mixed) == "Angles({0: (0.0, 360.0), 1: 360.0})"
    assert hash(mixed) == hash(copy.deepcopy(mixed))


@pytest.mark.parametrize(
    ("angles", "error", "message"),
    [
        ([3], dp.ArgumentError, r"^angles: got 3, must be states from 0 to 2, each once"),
        ([0, -3], dp.ArgumentError, r"^angles: got -3, must be states from 0 to 2, each once"),
        ([0.5], dp.ArgumentError, r"^angles: got 0.5, must be an integer"),
        ("01", TypeError, r"^angles: got '01', must be integers"),
        ({0: 0.0}, dp.ArgumentError, r"^angles: got a period of 0.0, must be finite and above 0"),
        ({0: np.inf}, dp.ArgumentError, r"^angles: got a period of inf, must be finite"),
        ({0: (1.0, 1.0)}, dp.ArgumentError, r"^angles: got \(1.0, 1.0\), must be finite, with low"),
        ({0: (1.0, np.nan)}, dp.ArgumentError, r"^angles: got \(1.0, nan\), must be finite"),
        ({0: (1.0,)}, TypeError, r"^angles: got \(1.0,\), must be a pair \(low, high\)"),
        ({0: "turn"}, dp.ArgumentError, r"^angles: got 'turn', must be a number"),
    ],
)
def test_angles_that_are_none_are_refused(angles, error, message):
    with pytest.raises(error, match=message):
        dp.Transitions(np.zeros((2, 3)), np.zeros((2, 1)), np.zeros((2, 3)), angles=angles)


def test_a_value_outside_its_range_is_refused_with_the_cure():
    states, actions = np.array([[0.0], [3.0], [6.2]]), np.zeros((3, 1))
    with pytest.raises(dp.ArgumentError, match=r"^states: row 2, column 0 is 6.2, must be from"):
        dp.Transitions(states, actions, states, angles=[0])
    with pytest.raises(dp.ArgumentError, match=r"angles=\{0: 6.28319\}, if it counts full turns"):
        dp.Transitions(states[:2], actions[:2], states[1:], angles=[0])
    dp.Transitions(states, actions, states, angles={0: (0.0, 2.0 * PI)})
    dp.Transitions(states, actions, states, angles={0: 2.0 * PI})
    # As observations of float32 have it, whose nearest number to pi is above it.
    single = np.full((2, 1), np.pi, np.float32)
    dp.Transitions(single, actions[:2], -single, angles=[0])


def test_angles_stay_with_the_rows(tmp_path):
    data = turning()
    parts = [data[3], data[::2], data[data.states[:, 0] > 0.0], *data.split(0.3), data + data]
    parts += [copy.copy(data), copy.deepcopy(data), pickle.loads(pickle.dumps(data))]
    assert all(part.angles == {0: (-PI, PI)} for part in parts)
    for angles in (data.angles, {0: 2.0 * PI}, NO_ANGLES):
        path = tmp_path / "data.npz"
        given = turning(angles=angles)
        given.save(path)
        assert dp.load(path) == given
        assert dp.load(path).angles == angles
    assert turning() != turning(angles=())


def test_data_of_other_angles_are_not_joined():
    with pytest.raises(dp.ArgumentError, match=r"^parts: item 1 has other angles than item 0"):
        turning() + turning(angles=())


def test_a_turn_is_no_jump():
    # Next states and states are measured apart, each with noise of its own.
    rng = np.random.default_rng(1)
    path = 0.1 * PI * np.arange(401.0)  # every 20 steps at the end of the range
    states, after = (
        np.remainder(p + rng.normal(scale=1e-3, size=400) + PI, 2.0 * PI) - PI
        for p in (path[:-1], path[1:])
    )
    rows = states[:, None], np.zeros((400, 1)), after[:, None]
    episodes = np.zeros(400, int)
    with pytest.warns(dp.SuspectDataWarning, match="do not end where the row below"):
        dp.Transitions(*rows, episodes=episodes)
    data = dp.Transitions(*rows, episodes=episodes, angles=[0])
    assert (data.segments == 0).all()
    # A jump is found where there is one.
    kept = np.r_[0:200, 207:400]
    with pytest.warns(dp.SuspectDataWarning, match="1 of 392 rows do not end"):
        dp.Transitions(*(row[kept] for row in rows), episodes=episodes[kept], angles=[0])


def test_one_episode_is_seen_where_the_end_of_a_range_is_written_in_two_ways():
    states = np.array([[2.0], [-PI], [-2.0]])
    data = dp.Transitions(states, np.zeros((3, 1)), [[PI], [-2.0], [-1.0]], angles=[0])
    assert data.episodes.tolist() == [0, 0, 0]


def test_no_value_within_a_range_is_wild():
    states = np.r_[np.random.default_rng(0).normal(scale=1e-3, size=400), 3.0][:, None]
    after = np.roll(states, 1)
    episodes = np.arange(401)
    with pytest.warns(dp.SuspectDataWarning, match="unlike all others"):
        dp.Transitions(states, np.zeros((401, 1)), after, episodes=episodes)
    dp.Transitions(states, np.zeros((401, 1)), after, episodes=episodes, angles=[0])


# --- evaluation


def test_spread_and_errors_of_angles_go_the_short_way():
    rng = np.random.default_rng(2)
    wrap = Angles.of([0], 1).wrapped
    states = wrap(PI + 0.1 * rng.normal(size=(2000, 1)))
    after = wrap(states + 0.05)
    data = dp.Transitions(states, np.zeros((2000, 1)), after, angles=[0])
    known = dp.FunctionModel(lambda s, a: s + 0.03, 1, 1)
    check = dp.evaluate(known, data, horizon=1)
    assert check.spread[0] == pytest.approx(0.1, rel=0.05)
    assert check.one_step_rmse[0] == pytest.approx(0.02, rel=1e-6)
    assert check.rmse[0, 0] == pytest.approx(0.02, rel=1e-6)
    assert check.ratio[0] == pytest.approx(0.4, rel=1e-6)


def test_a_model_of_other_angles_is_not_measured():
    known = dp.FunctionModel(lambda s, a: s, 1, 1, angles={0: 360.0})
    with pytest.raises(dp.ArgumentError, match=r"^held_out: got Angles.*, must be the model's"):
        dp.evaluate(known, turning())


@settings(deadline=None, max_examples=20)
@given(st.floats(-PI, PI))
def test_the_noise_floor_does_not_hang_on_where_the_angle_is_cut(turn):
    rng = np.random.default_rng(3)
    path = np.empty((400, 1))
    path[0] = 0.0
    pushes = rng.normal(size=(400, 1))
    for t in range(399):
        path[t + 1] = 0.9 * path[t] + 0.1 * pushes[t]
    seen = path + 0.02 * rng.normal(size=path.shape)
    plain = dp.Transitions(seen[:-1], pushes[:-1], seen[1:])
    wrap = Angles.of([0], 1).wrapped
    moved = dp.Transitions(wrap(seen[:-1] + turn), pushes[:-1], wrap(seen[1:] + turn), angles=[0])
    floors = [
        dp.evaluate(dp.FunctionModel(lambda s, a: s, 1, 1), data, horizon=2).noise_floor[0]
        for data in (plain, moved)
    ]
    assert floors[0] > 0.01
    assert floors[1] == pytest.approx(floors[0], rel=0.05)
