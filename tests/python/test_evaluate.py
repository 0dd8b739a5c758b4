from __future__ import annotations

import numpy as np
import pytest

import dynaplan as dp
from reference.linear import trajectory
from reference.systems import linear_system


def walk(gain, rows, noise, seed, episodes=4):
    generator = np.random.default_rng(seed)
    parts = []
    for _ in range(episodes):
        states = [generator.normal(size=1)]
        actions = generator.normal(size=(rows, 1))
        for action in actions:
            states.append(gain * states[-1] + action + noise * generator.normal(size=1))
        path = np.array(states)
        parts.append(dp.Transitions(path[:-1], actions, path[1:]))
    return dp.Transitions.concatenate(parts)


def test_errors_after_k_steps_are_those_of_the_plain_loop():
    data = walk(0.8, 12, 0.3, 0)
    model = dp.LinearGaussian.fit(walk(0.8, 30, 0.3, 1))
    check = dp.evaluate(model, data, horizon=5)
    spread = data.states.std(axis=0)
    errors = {k: [] for k in range(1, 6)}
    baseline = {k: [] for k in range(1, 6)}
    for episode in data.episode_slices:
        for start in range(episode.start, episode.stop):
            actions = data.actions[start : min(start + 5, episode.stop)]
            path = trajectory(model.coefficients, data.states[start], actions)
            for k in range(1, len(actions) + 1):
                actual = data.next_states[start + k - 1]
                errors[k].append(abs(path[k] - actual)[0] / spread[0])
                baseline[k].append(abs(data.states[start] - actual)[0] / spread[0])
    np.testing.assert_array_equal(check.starts, [48, 44, 40, 36, 32])
    for k in range(1, 6):
        kwargs = {"method": "higher"}
        assert check.error_median[k - 1] == pytest.approx(np.quantile(errors[k], 0.5, **kwargs))
        assert check.error_90[k - 1] == pytest.approx(np.quantile(errors[k], 0.9, **kwargs))
        expected = np.quantile(baseline[k], 0.5, **kwargs)
        assert check.baseline_median[k - 1] == pytest.approx(expected)


def test_bands_cover_what_they_say_on_a_system_that_is_linear():
    model = dp.LinearGaussian.fit(linear_system(200, noise=0.5, seed=2))
    check = dp.evaluate(model, linear_system(4000, noise=0.5, seed=3), horizon=1)
    for level, shares in check.coverage.items():
        # The noise estimated from 194 degrees of freedom is off by some 5 %, the count by 1 %.
        assert (np.abs(shares - level) < 0.04).all()
    np.testing.assert_allclose(check.one_step_rmse, 0.5, rtol=0.06)


@pytest.mark.parametrize(("propagation", "lacking"), [("sample", 0.0), ("moment", 0.02)])
def test_bands_along_the_way_cover_nine_in_ten(propagation, lacking):
    data = walk(0.8, 700, 0.3, 5)
    model = dp.LinearGaussian.fit(walk(0.8, 500, 0.3, 6))
    check = dp.evaluate(model, data, horizon=6, propagation=propagation)
    # Redrawn particles share their mean, whose own wandering is not in their spread.
    np.testing.assert_allclose(check.band_coverage, 0.9 - lacking, atol=0.025)
    np.testing.assert_array_equal(
        dp.evaluate(model, data, horizon=6, propagation=propagation, threads=2).band_coverage,
        check.band_coverage,
    )
    assert "in 90% band" in str(check)
    assert max(len(line) for line in str(check).splitlines()) <= 80


def test_bands_of_a_model_that_is_too_sure_cover_less():
    sure = dp.LinearGaussian.fit(walk(0.8, 500, 0.1, 6))
    check = dp.evaluate(sure, walk(0.8, 100, 0.3, 5), horizon=3, propagation="sample")
    # Bands of +- 1.64 of 0.1 about errors of 0.3: P(|z| < 0.55) = 0.42.
    np.testing.assert_allclose(check.band_coverage, 0.42, atol=0.05)


def test_a_perfect_model_is_trusted_to_the_end_and_a_wrong_one_not_at_all():
    data = walk(0.8, 20, 0.0, 0)
    perfect = dp.LinearGaussian.fit(data)
    check = dp.evaluate(perfect, data, horizon=15)
    assert check.trusted_horizon == 15
    assert "at least 15 steps" in str(check)
    wrong = dp.LinearGaussian.fit(walk(-0.8, 20, 0.0, 0))
    assert dp.evaluate(wrong, data, horizon=15).trusted_horizon == 0


def test_a_reference_says_how_wide_states_spread_and_how_much_changes():
    model = dp.LinearGaussian.fit(walk(0.8, 30, 0.3, 1))
    data, reference = walk(0.8, 12, 0.3, 0), walk(0.8, 8, 3.0, 2)
    alone = dp.evaluate(model, data, horizon=5)
    np.testing.assert_array_equal(
        dp.evaluate(model, data, horizon=5, reference=data).error_90, alone.error_90
    )
    check = dp.evaluate(model, data, horizon=5, reference=reference)
    assert check.spread == pytest.approx(reference.states.std(axis=0))
    ratio = data.states.std() / reference.states.std()
    np.testing.assert_allclose(check.error_median, ratio * alone.error_median, rtol=1e-12)
    own = dp.evaluate(model, reference, horizon=5)
    np.testing.assert_array_equal(check.baseline_median, own.baseline_median)
    np.testing.assert_array_equal(check.coverage[0.9], alone.coverage[0.9])
    # Beyond the longest episode of the reference its last figure holds on.
    further = dp.evaluate(model, data, horizon=10, reference=reference).baseline_median
    np.testing.assert_array_equal(further[8:], further[7])


def test_what_is_no_transitions_is_refused_by_name():
    data = walk(0.8, 12, 0.3, 0)
    model = dp.LinearGaussian.fit(data)
    with pytest.raises(TypeError, match="held_out: got 'data', must be Transitions"):
        dp.evaluate(model, "data")
    with pytest.raises(TypeError, match=r"reference: got an array .*, must be Transitions"):
        dp.evaluate(model, data, reference=data.states)


def test_few_rows_at_rest_are_trusted_by_what_changes_elsewhere():
    moving = walk(0.8, 60, 0.0, 0)
    model = dp.LinearGaussian.fit(walk(0.8, 60, 0.01, 1))
    still = np.full((20, 1), 1e-9)
    rest = dp.Transitions(still, np.zeros((20, 1)), still, episodes=np.zeros(20, int))
    assert dp.evaluate(model, rest, horizon=5).trusted_horizon == 0
    assert dp.evaluate(model, rest, horizon=5, reference=moving).trusted_horizon == 5


def test_a_model_that_diverges_is_infinitely_wrong_not_nan():
    data = walk(0.5, 400, 0.0, 0, episodes=1)
    diverging = dp.LinearGaussian.fit(walk(9.0, 5, 0.0, 0))
    check = dp.evaluate(diverging, data, horizon=400)
    assert np.isinf(check.error_median[-1])
    assert not np.isnan(check.error_90).any()
    assert check.trusted_horizon < 5


def test_the_horizon_is_cut_to_the_longest_episode_and_one_row_is_enough():
    data = walk(0.8, 12, 0.1, 0)
    model = dp.LinearGaussian.fit(data)
    assert len(dp.evaluate(model, data, horizon=50).steps) == 12
    single = dp.evaluate(model, data[0], horizon=50)
    assert len(single.steps) == 1
    assert np.isfinite(single.error_median).all()


def test_it_prints_a_table_with_the_trusted_horizon():
    data = walk(0.8, 60, 0.3, 0)
    text = str(dp.evaluate(dp.LinearGaussian.fit(data), data, horizon=50))
    assert "trusted horizon" in text
    assert max(len(line) for line in text.splitlines()) <= 80
    heads = [line.split()[0] for line in text.splitlines()]
    steps = [head for head in heads if head.isdecimal()]
    assert steps == ["1", "2", "3", "5", "10", "20", "30", "50"]


def test_a_state_that_never_moved_does_not_spoil_the_scale():
    data = walk(0.8, 30, 0.1, 0)
    still = np.hstack([data.states, np.ones((len(data), 1))])
    after = np.hstack([data.next_states, np.ones((len(data), 1))])
    padded = dp.Transitions(still, data.actions, after, episodes=data.episodes)
    with pytest.warns(dp.RankDeficientWarning, match="state 1 never varied"):
        model = dp.LinearGaussian.fit(padded)
    check = dp.evaluate(model, padded, horizon=5)
    expected = dp.evaluate(dp.LinearGaussian.fit(data), data, horizon=5)
    np.testing.assert_allclose(check.error_median, expected.error_median, rtol=1e-8)


def test_the_rounding_of_a_state_that_never_moved_is_no_scale():
    generator = np.random.default_rng(0)
    states, actions = generator.normal(size=(2, 50, 1))
    still = generator.normal(size=(50, 1))
    train = dp.Transitions(
        np.hstack([states, still]), actions, np.hstack([0.5 * states + actions, still])
    )
    model = dp.LinearGaussian.fit(train)
    constant = np.full((50, 1), 0.1)
    assert 0.0 < constant.std() < 1e-15
    after = np.hstack([0.5 * states + actions, constant])
    check = dp.evaluate(model, dp.Transitions(np.hstack([states, constant]), actions, after))
    assert check.spread[1] == 0.0
    assert check.error_median[0] < 1e-9


def test_arguments_out_of_range_are_refused_by_name():
    data = walk(0.8, 12, 0.1, 0)
    model = dp.LinearGaussian.fit(data)
    with pytest.raises(dp.ArgumentError, match="horizon: got 0"):
        dp.evaluate(model, data, horizon=0)
    with pytest.raises(dp.ArgumentError, match="share: got 0"):
        dp.evaluate(model, data, share=0.0)
    with pytest.raises(dp.ArgumentError, match="propagation: got 'mean', must be"):
        dp.evaluate(model, data, propagation="mean")
    with pytest.raises(dp.ShapeError, match="held_out"):
        dp.evaluate(model, linear_system(10))
    with pytest.raises(dp.ShapeError, match="reference"):
        dp.evaluate(model, data, reference=linear_system(10))
