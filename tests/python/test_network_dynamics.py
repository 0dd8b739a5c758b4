"""Compiled networks against their NumPy twin, and what their randomness promises."""

from __future__ import annotations

import numpy as np
import pytest

from dynaplan import _core, errors
from reference.network_twin import Float64, Networks

SHAPES = [
    Networks(),
    Networks(activation="tanh", probabilistic=False, members=1),
    Networks(activation="relu", rewards=True, hidden=(7,), members=2),
    Networks(state_dim=4, angles=(0, 2), rewards=True, hidden=(64, 64, 5)),
    Networks(hidden=(), state_dim=1, action_dim=1, members=3),
]


def rows(networks: Networks, count: int = 150, seed: int = 5) -> tuple[Float64, Float64]:
    rng = np.random.default_rng(seed)
    states = networks.offset * rng.normal(size=(count, networks.state_dim))
    return states, rng.normal(size=(count, networks.action_dim))


def rolled_out(networks: Networks, states: Float64, actions: Float64, dtype: type) -> Float64:
    out = np.empty((len(actions), 1, actions.shape[1] + 1, networks.state_dim), dtype)
    _core.rollout(
        networks.compiled().dynamics(),
        states.astype(dtype),
        actions.astype(dtype),
        None,
        None,
        _core.Particles("mean", 1, "mean", 1.0),
        None,
        seed=3,
        threads=1,
        out=out,
    )
    return out[:, 0]


@pytest.mark.parametrize("networks", SHAPES, ids=repr)
def test_moments_are_those_of_the_numpy_twin(networks: Networks) -> None:
    states, actions = rows(networks)
    mean, aleatoric, epistemic = networks.moments(states, actions)
    got = networks.compiled().predict(states, actions, 1)
    s = networks.state_dim
    # Both are float64 with the same float32 weights: rounding alone.
    np.testing.assert_allclose(got[0], mean[:, :s], rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(got[1], aleatoric[:, :s], rtol=1e-11, atol=1e-15)
    np.testing.assert_allclose(got[2], epistemic[:, :s], rtol=1e-9, atol=1e-15)
    assert len(got) == (4 if networks.rewards else 3)
    if networks.rewards:
        np.testing.assert_allclose(got[3], mean[:, s], rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("networks", SHAPES, ids=repr)
def test_disagreement_is_that_of_the_numpy_twin(networks: Networks) -> None:
    states, actions = rows(networks)
    expected = networks.disagreement(states, actions)
    got = _core.disagreement(networks.compiled().dynamics(), states, actions, 1)
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("networks", SHAPES, ids=repr)
def test_a_mean_rollout_repeats_the_mean_of_the_twin(networks: Networks, dtype: type) -> None:
    states, _ = rows(networks, count=70)
    actions = np.random.default_rng(1).normal(size=(70, 5, networks.action_dim))
    trajectory = rolled_out(networks, states, actions, dtype)
    state = states
    tolerance = 1e-4 if dtype is np.float32 else 1e-10
    for t in range(5):
        state = networks.moments(state, actions[:, t])[0][:, : networks.state_dim]
        np.testing.assert_allclose(trajectory[:, t + 1], state, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("networks", [SHAPES[0], SHAPES[3]], ids=repr)
def test_each_row_of_a_sample_is_a_draw_of_its_own_from_the_mixture(networks: Networks) -> None:
    state, action = rows(networks, count=1)
    count = 40_000
    repeated = np.repeat(state, count, axis=0), np.repeat(action, count, axis=0)
    compiled = networks.compiled()
    draws = compiled.sample(*repeated, 7, 1)
    mean, aleatoric, epistemic = (
        m[0, : networks.state_dim] for m in networks.moments(state, action)
    )
    variance = aleatoric + epistemic
    # Five standard errors of a mean, and of a variance of about Gaussian draws.
    np.testing.assert_array_less(np.abs(draws.mean(axis=0) - mean), 5 * np.sqrt(variance / count))
    np.testing.assert_allclose(draws.var(axis=0), variance, rtol=5 * np.sqrt(2 / count))
    neighbours = np.corrcoef(draws[:-1, 0], draws[1:, 0])[0, 1]
    assert abs(neighbours) < 5 / np.sqrt(count)
    np.testing.assert_array_equal(draws, compiled.sample(*repeated, 7, 2))
    assert not np.array_equal(draws, compiled.sample(*repeated, 8, 1))


def test_large_offsets_cost_float32_no_digits_of_small_variations() -> None:
    networks = Networks(offset=1000.0, members=1)
    states, actions = rows(networks, seed=2)
    states = states * 1e-3 + networks.input_mean[: networks.state_dim]
    change = networks.moments(states, actions)[0] - states
    got = rolled_out(networks, states, actions[:, None], np.float32)
    # The state itself has a float32 step of 6e-5 near 1000; its change must be as good as that.
    np.testing.assert_allclose(got[:, 1] - got[:, 0], change, atol=2e-4)


def test_the_arrays_come_back_as_they_went_in() -> None:
    networks = Networks(angles=(1,), rewards=True)
    compiled = networks.compiled()
    assert (compiled.state_dim, compiled.action_dim, compiled.members) == (3, 2, 4)
    assert (compiled.angles, compiled.hidden) == ([1], [20, 30])
    assert (compiled.activation, compiled.probabilistic, compiled.rewards) == ("silu", True, True)
    for name in ("input_mean", "input_scale", "target_mean", "target_scale"):
        value = getattr(networks, name)
        np.testing.assert_array_equal(getattr(compiled, name), value)
    for name in ("weights", "biases"):
        for got, given in zip(getattr(compiled, name), getattr(networks, name), strict=True):
            np.testing.assert_array_equal(got, given)
    np.testing.assert_array_equal(compiled.log_variance_low, networks.log_variance_low)
    np.testing.assert_array_equal(compiled.log_variance_high, networks.log_variance_high)
    assert Networks(probabilistic=False).compiled().log_variance_low is None


@pytest.mark.parametrize(
    ("name", "value", "error", "message"),
    [
        ("angles", (1, 1), errors.ArgumentError, "angles: got 1, must be states from 0 to 2"),
        ("activation", "gelu", errors.ArgumentError, "activation: got 'gelu'"),
        ("hidden", (0, 3), errors.ArgumentError, "hidden: got 0, must be at least 1"),
    ],
)
def test_a_wrong_shape_is_named(
    name: str, value: object, error: type[Exception], message: str
) -> None:
    networks = Networks()
    object.__setattr__(networks, name, value)
    with pytest.raises(error, match=message):
        networks.compiled()


def test_wrong_numbers_are_named() -> None:
    networks = Networks()
    networks.input_scale[1] = 0.0
    with pytest.raises(errors.ArgumentError, match=r"input_scale: entry 1 is 0\.0, must be"):
        networks.compiled()
    networks = Networks()
    networks.weights[1][2, 0, 0] = np.nan
    with pytest.raises(
        errors.ArgumentError, match="member 2, layer 1, weights: row 0, column 0 is nan"
    ):
        networks.compiled()
    networks = Networks()
    networks.weights.pop()
    with pytest.raises(errors.ShapeError, match="weights: got 2 layers and 3 biases"):
        networks.compiled()
    networks = Networks()
    object.__setattr__(networks, "log_variance_low", None)
    with pytest.raises(
        errors.ShapeError, match=r"log_variance_low: got shape \(0,\), must be \(3,\)"
    ):
        networks.compiled()
