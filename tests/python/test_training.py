from __future__ import annotations

import copy
import inspect
import pickle
import re

import numpy as np
import pytest

import dynaplan as dp
from reference.network import means_and_variances
from reference.training import torch_member


def system(rows=300, seed=0, rewards=True):
    """A pendulum-like system with an angle (state 0), a speed, one action, and noise."""
    generator = np.random.default_rng(seed)
    angle = generator.uniform(-np.pi, np.pi, rows)
    speed, action = generator.normal(size=(2, rows))
    faster = speed + 0.3 * np.sin(angle) + 0.2 * action + 0.02 * generator.normal(size=rows)
    turned = angle + 0.2 * faster
    states = np.column_stack([angle, speed])
    next_states = np.column_stack([np.arctan2(np.sin(turned), np.cos(turned)), faster])
    paid = -(angle**2) - 0.1 * speed**2 if rewards else None
    return dp.Transitions(states, action[:, None], next_states, paid, episodes=np.arange(rows))


def quick(data, **settings):
    chosen = {"hidden": (16, 16), "epochs": 30, "held_out": 0.2, "seed": 0, "angles": (0,)}
    return dp.Ensemble.fit(data, **{"members": 2, "warm_up": 5, **chosen, **settings})


def likelihood_loss(model, data, learned):
    """The loss of each member over these rows, of the first `learned` states."""
    parameters = model._parameters
    means, variances = means_and_variances(parameters, data.states, data.actions)
    change = data.next_states - data.states
    change[:, 0] = np.arctan2(np.sin(change[:, 0]), np.cos(change[:, 0]))
    standard = np.log(parameters.target_scale**2)
    loss = (change - means) ** 2 / variances + np.log(variances) - standard
    return loss[:, :, :learned].mean(axis=(1, 2))


@pytest.mark.parametrize("bootstrap", [False, True])
@pytest.mark.parametrize("probabilistic", [False, True])
def test_weights_after_50_steps_are_those_of_torch(probabilistic, bootstrap):
    pytest.importorskip("torch")
    data = system(160)
    shape = {"hidden": (24, 17), "angles": (0,), "rewards": True, "probabilistic": probabilistic}
    common = {"members": 2, "held_out": 0.0, "bootstrap": bootstrap, "seed": 5}
    start = dp.Ensemble.fit(data, epochs=1, learning_rate=1e-12, **shape, **common)
    settings = {
        "epochs": 10,  # of 5 mini-batches, the last one of 8 rows
        "batch_size": 38,
        "learning_rate": 3e-3,
        "weight_decay": (0.05, 0.1, 0.2),
        "warm_up": 0,
    }
    ours = dp.Ensemble.fit(data, initial=start, **settings, **shape, **common)
    begin, got = start._parameters, ours._parameters
    for member in range(2):
        weights, others = torch_member(
            begin, data, member, {**settings, "bootstrap": bootstrap, "seed": 5}
        )
        for layer, expected in enumerate(weights):
            np.testing.assert_allclose(got.weights[layer][member], expected, atol=1e-4)
            assert np.abs(begin.weights[layer][member] - expected).max() > 0.02
        for layer in range(3):
            np.testing.assert_allclose(got.biases[layer][member], others[layer], atol=1e-4)
        if probabilistic:
            np.testing.assert_allclose(got.log_variance_low[member], others[3], atol=1e-4)
            np.testing.assert_allclose(got.log_variance_high[member], others[4], atol=1e-4)


def test_the_warm_up_is_that_of_torch():
    pytest.importorskip("torch")
    data = system(96)
    shape = {"hidden": (24,), "angles": (0,), "members": 1}
    first = dp.Ensemble.fit(data, epochs=1, learning_rate=1e-12, held_out=0.0, seed=5, **shape)
    settings = {"batch_size": 32, "learning_rate": 3e-3, "weight_decay": (0.0, 0.0), "warm_up": 4}
    settings |= {"epochs": 8, "bootstrap": True}
    # From random weights, as a warm-up is made: those `first` was given and hardly moved.
    ours = dp.Ensemble.fit(data, held_out=0.0, seed=5, **shape, **settings)
    weights, others = torch_member(first._parameters, data, 0, {**settings, "seed": 5})
    np.testing.assert_allclose(ours._parameters.weights[1][0], weights[1], atol=1e-4)
    np.testing.assert_allclose(ours._parameters.log_variance_high[0], others[3], atol=1e-4)


def test_inputs_and_targets_are_standardised_by_the_rows_trained_on():
    data = system(200)
    model = dp.MLP.fit(data, held_out=0.0, epochs=1, angles=(0,), rewards=True, seed=0)
    angle, speed = data.states.T
    inputs = np.column_stack([np.sin(angle), speed, np.cos(angle), data.actions])
    np.testing.assert_allclose(model._parameters.input_mean, inputs.mean(axis=0), atol=1e-14)
    np.testing.assert_allclose(model._parameters.input_scale, inputs.std(axis=0), rtol=1e-13)
    change = data.next_states - data.states
    change[:, 0] = (change[:, 0] + np.pi) % (2 * np.pi) - np.pi
    targets = np.column_stack([change, data.rewards])
    np.testing.assert_allclose(model._parameters.target_mean, targets.mean(axis=0), atol=1e-14)
    np.testing.assert_allclose(model._parameters.target_scale, targets.std(axis=0), rtol=1e-13)
    held = dp.MLP.fit(data, held_out=system(50, seed=9), epochs=1, angles=(0,), seed=0)
    np.testing.assert_array_equal(
        held._parameters.input_scale[:1], model._parameters.input_scale[:1]
    )


@pytest.mark.parametrize("kind", [dp.MLP, dp.GaussianMLP, dp.Ensemble])
def test_same_seed_same_bits_for_any_thread_count(kind):
    data = system(150)
    settings = {"epochs": 6, "hidden": (20, 20), "held_out": 0.2}
    models = [kind.fit(data, seed=3, threads=n, **settings) for n in (1, 2, 3)]
    other = kind.fit(data, seed=4, **settings)
    for model in models[1:]:
        assert pickle.dumps(model._parameters.weights) == pickle.dumps(
            models[0]._parameters.weights
        )
        np.testing.assert_array_equal(model.history.held_out, models[0].history.held_out)
    assert not np.array_equal(other._parameters.weights[0], models[0]._parameters.weights[0])


def test_each_member_stops_by_itself_and_keeps_its_best_weights():
    data, held_out = system(60), system(200, seed=1)
    model = quick(
        data,
        held_out=held_out,
        members=4,
        epochs=400,
        patience=8,
        learning_rate=0.01,
        improvement=0.0,
    )
    history = model.history
    losses = history.held_out
    run = np.isfinite(losses).sum(axis=0)
    assert len(set(run)) > 1  # not all at once
    assert (run < 400).all()
    losses[:5] = np.nan  # the warm-up has another loss
    # Of all targets together: each may have been a little better in another epoch.
    best = losses[history.best_epoch, np.arange(4)]
    np.testing.assert_allclose(best, np.nanmin(losses, axis=0), atol=0.1)
    assert (run - history.best_epoch > 1).all()
    # The weights kept are those of that epoch: their loss over the held-out rows says so.
    kept = likelihood_loss(model, held_out, learned=2)
    np.testing.assert_allclose(kept, best, rtol=1e-4)


def test_no_member_is_held_back_or_saved_by_another():
    # Alone with the same seed, a member ends as it does among others.
    data = system(60)
    alone = quick(data, members=1, epochs=100, patience=5)
    among = quick(data, members=3, epochs=100, patience=5)
    np.testing.assert_array_equal(alone._parameters.weights[1][0], among._parameters.weights[1][0])
    np.testing.assert_array_equal(alone.history.best_epoch, among.history.best_epoch[:1])


def test_without_held_out_rows_the_last_weights_are_kept():
    model = quick(system(60), held_out=0.0, epochs=12)
    assert np.isnan(model.history.held_out).all()
    np.testing.assert_array_equal(model.history.best_epoch, [11, 11])
    assert model.rows == 60


def test_training_goes_on_as_the_same_function_in_the_units_of_new_data():
    first = quick(system(100), rewards=True)
    more = dp.Transitions.concatenate([system(100), system(400, seed=2)])
    shifted = dp.Transitions(
        3.0 + 2.0 * more.states, 2.5 * more.actions, more.next_states, more.rewards
    )
    again = quick(shifted, rewards=True, initial=first, epochs=1, learning_rate=1e-12, held_out=0.0)
    assert (again._parameters.input_scale[1] > 1.9 * first._parameters.input_scale[1]).all()
    states, actions = more.states[:50], more.actions[:50]
    before = means_and_variances(first._parameters, states, actions)
    after = means_and_variances(again._parameters, states, actions)
    np.testing.assert_allclose(after[0], before[0], atol=2e-5)
    np.testing.assert_allclose(after[1], before[1], rtol=1e-3)


def test_going_on_with_more_data_improves_the_model():
    test = system(500, seed=8)
    first = quick(system(15), epochs=60)
    again = quick(system(500, seed=2), initial=first, epochs=60)

    def error(model):
        means, _ = means_and_variances(model._parameters, test.states, test.actions)
        return np.sqrt(
            ((means.mean(axis=0)[:, 1] + test.states[:, 1] - test.next_states[:, 1]) ** 2).mean()
        )

    assert error(again) < 0.6 * error(first)  # over 20 seeds: 0.06 to 0.17


def test_progress_is_told_of_every_epoch_once():
    seen = []
    model = quick(system(80), progress=lambda *told: seen.append(told), threads=2)
    assert [epoch for epoch, _, _ in seen] == list(range(30))
    np.testing.assert_array_equal([training for _, training, _ in seen], model.history.training)
    np.testing.assert_array_equal([held_out for _, _, held_out in seen], model.history.held_out)


def test_an_error_in_progress_is_raised():
    def fail(epoch, training, held_out):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        quick(system(80), progress=fail, threads=2)


def test_ctrl_c_leaves_a_usable_model(run_python):
    child = run_python(
        """
import os, signal, threading
import numpy as np
import dynaplan as dp
generator = np.random.default_rng(0)
states, actions = generator.normal(size=(2, 4000, 3))
data = dp.Transitions(states, actions, states + 0.1 * np.tanh(actions))
def told(epoch, training, held_out):
    if epoch == 2:
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
model = dp.Ensemble.fit(
    data, epochs=1000000, patience=1000000, warm_up=0, progress=told, seed=0, threads=2
)
assert model.history.interrupted
assert 3 <= len(model.history.training) < 1000000
assert (model.history.best_epoch >= 0).all()
assert all(np.isfinite(w).all() for w in model._parameters.weights)
print("kept", model.rows)
"""
    )
    assert child.stdout.strip() == "kept 3600"


def test_copies_are_the_same_model():
    model = quick(system(80), rewards=True)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert type(twin) is dp.Ensemble
        assert (twin.architecture, twin.settings) == (model.architecture, model.settings)
        for name in ("weights", "biases"):
            for mine, theirs in zip(
                getattr(model._parameters, name), getattr(twin._parameters, name), strict=True
            ):
                np.testing.assert_array_equal(mine, theirs)
        np.testing.assert_array_equal(twin.history.training, model.history.training)


def test_an_input_that_never_varies_does_no_harm():
    def with_a_constant(data):
        states, next_states = (
            np.column_stack([columns, np.full(len(data), 1e6 + 0.1)])
            for columns in (data.states, data.next_states)
        )
        return dp.Transitions(states, data.actions, next_states)

    held_out = with_a_constant(system(100, seed=1))
    model = quick(with_a_constant(system(200)), held_out=held_out)
    assert model._parameters.input_scale[2] == 1.0
    assert model._parameters.target_scale[2] == 1.0
    means, _ = means_and_variances(model._parameters, held_out.states, held_out.actions)
    assert np.abs(means[:, :, 2]).max() < 0.5
    # The loss is of what varies.
    losses = likelihood_loss(model, held_out, learned=2)
    np.testing.assert_allclose(losses, np.nanmin(model.history.held_out[5:], axis=0), rtol=1e-4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "epochs: got 0, must be at least 1"),
        ({"batch_size": 0}, "batch_size: got 0, must be at least 1"),
        ({"learning_rate": 0.0}, "learning_rate: got 0.0, must be finite"),
        ({"learning_rate": np.nan}, "learning_rate: got nan"),
        ({"weight_decay": (0.1, 0.2)}, "weight_decay: got 2 numbers"),
        ({"weight_decay": -1.0}, "weight_decay: got -1"),
        ({"held_out": 1.0}, "held_out: got 1.0, must be in [0, 1)"),
        ({"patience": 0}, "patience: got 0"),
        ({"improvement": 1.0}, "improvement: got 1"),
        ({"warm_up": -1}, "warm_up: got -1"),
        ({"members": 0}, "members: got 0, must be at least 1"),
        ({"threads": 0}, "threads: got 0"),
        ({"hidden": (8, 0)}, "hidden"),
        ({"hidden": (8.5,)}, "hidden: got 8.5, must be an integer"),
        ({"activation": "gelu"}, "activation: got 'gelu'"),
        ({"angles": (2,)}, "angles"),
        ({"angles": (0, 0)}, "angles"),
        ({"seed": -1}, "seed: got -1"),
    ],
)
def test_arguments_out_of_range_are_named(settings, message):
    with pytest.raises(dp.ArgumentError, match=re.escape(message)):
        quick(system(40), **settings)


WRONG_TYPES = {
    "whole numbers": (
        ("epochs", "batch_size", "patience", "warm_up", "members", "threads", "seed"),
        (True, "3", [1], 1j, 1.5),
    ),
    "numbers": (
        ("learning_rate", "weight_decay", "held_out", "improvement"),
        (True, "3", None, 1j, {}),
    ),
    "sizes": (("hidden", "angles"), (None, "ab", 1.5, 1j, [None])),
    "flags": (("probabilistic", "bootstrap", "rewards"), ("yes", None, 1j, [True])),
    "others": (("activation", "progress", "initial"), (3, True, {"a": 1})),
}


@pytest.mark.parametrize("kind", WRONG_TYPES)
def test_arguments_of_another_type_are_named(kind):
    names, values = WRONG_TYPES[kind]
    for name in names:
        for value in values:
            with pytest.raises((dp.ArgumentError, TypeError), match=f"^{name}: got .*, must be"):
                quick(system(40), **{name: value})


def test_shared_arguments_are_described_where_help_shows_them():
    for model in (dp.GaussianMLP, dp.Ensemble):
        described = inspect.getdoc(model.fit)
        for name in inspect.signature(dp.MLP.fit).parameters:
            assert described.count(f"\n    {name}: ") == 1
    assert "Default 20." in inspect.getdoc(dp.Ensemble.fit)


def test_rewards_need_data_with_rewards():
    with pytest.raises(dp.ArgumentError, match="needs transitions with rewards"):
        dp.MLP.fit(system(20, rewards=False), rewards=True)


def test_held_out_transitions_must_fit():
    other = dp.Transitions(np.zeros((3, 4)), np.zeros((3, 1)), np.zeros((3, 4)))
    with pytest.raises(dp.ShapeError, match=r"held_out: got \(state_dim, action_dim\) \(4, 1\)"):
        dp.MLP.fit(system(20), held_out=other)


def test_initial_must_be_of_the_same_kind_and_shape():
    data = system(40)
    first = quick(data, epochs=1)
    with pytest.raises(TypeError, match="initial: got Ensemble, must be a model of the class MLP"):
        dp.MLP.fit(data, initial=first)
    for settings, name in (
        ({"hidden": (16, 8)}, "hidden"),
        ({"activation": "tanh"}, "activation"),
        ({"angles": ()}, "angles"),
        ({"members": 3}, "number of members"),
        ({"probabilistic": False}, "kind of output"),
        ({"rewards": True}, "rewards"),
    ):
        with pytest.raises(dp.ArgumentError, match=f"initial: has a different .*{name}"):
            quick(data, initial=first, **settings)


def test_a_loss_that_is_not_finite_names_the_learning_rate():
    with pytest.raises(
        dp.NumericalError, match=r"member \d in epoch \d.*lower learning_rate, which is 1e"
    ):
        quick(system(60), learning_rate=1e20, weight_decay=0.0)


def test_a_loss_that_is_not_finite_names_the_row():
    data = system(60)
    states = data.states.copy()
    held_out = data[:10]
    wild = held_out.next_states.copy()
    wild[3, 1] = 1e30
    with pytest.raises(dp.NumericalError, match="held-out row 3"):
        quick(
            dp.Transitions(states, data.actions, data.next_states),
            held_out=dp.Transitions(held_out.states, held_out.actions, wild),
        )
