"""Networks in model files: brought back to the bit, or refused for what is wrong."""

from __future__ import annotations

import json
from dataclasses import fields

import numpy as np
import pytest

import dynaplan as dp
import model_files
from dynaplan import files
from dynaplan.errors import ModelFileError
from dynaplan.models.networks.arrays import NetworkArrays
from dynaplan.models.networks.files import (
    checked_header,
    network_from_parts,
    network_parts,
    wanted_arrays,
)
from reference.network import random_network

NETWORKS = {
    "plain": {},
    "linear": {"hidden": []},
    "ensemble": {"members": 3, "probabilistic": True, "activation": "tanh"},
    "all": {"members": 2, "probabilistic": True, "rewards": True, "angles": [0, 2]},
}


def read(arrays, header):
    said = checked_header(header)
    files.named_arrays(arrays, wanted_arrays(said))
    return network_from_parts(arrays, said)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_file_brings_the_networks_back_to_the_bit(tmp_path, name):
    network = NetworkArrays(**random_network(5, **NETWORKS[name]))
    files.write_model_file(tmp_path / "network", "Kind", *network_parts(network))
    _, arrays, header = files.read_model_file(tmp_path / "network")
    back = read(arrays, header)
    for field in fields(NetworkArrays):
        mine, theirs = getattr(network, field.name), getattr(back, field.name)
        if field.name in ("weights", "biases"):
            for one, other in zip(mine, theirs, strict=True):
                assert one.tobytes() == other.tobytes()
                assert one.shape == other.shape
        elif isinstance(mine, np.ndarray):
            assert mine.tobytes() == theirs.tobytes()
        else:
            assert mine == theirs


SAID = {
    "more members": ({"members": 3}, r"'weights.0': got .* must be float32 of shape \(3, 8, 7\)"),
    "other layers": ({"hidden": [8]}, "array 'weights.2' does not belong"),
    "wider layer": ({"hidden": [10**19, 5]}, "'weights.0': got"),
    "no unit": ({"hidden": [0, 5]}, "'hidden' must be numbers of at least 1"),
    "text as layers": ({"hidden": ["8"]}, "'hidden' must be whole numbers"),
    "flags as angles": ({"angles": [False, True]}, "'angles' must be whole numbers"),
    "unsorted angles": ({"angles": [2, 0]}, "'angles' must be indices of states, ascending"),
    "angle twice": ({"angles": [0, 0]}, "'angles' must be indices of states, ascending"),
    "angle of an action": ({"angles": [0, 3]}, "'angles' must be indices of states"),
    "negative angle": ({"angles": [-1, 2]}, "'angles' must be indices of states"),
    "no states": ({"state_dim": 0}, "'state_dim' must be at least 1"),
    "no variances": ({"probabilistic": False}, "'log_variance_low' does not belong"),
    "no rewards": ({"rewards": False}, r"'target_mean': got float64 of shape \(4,\)"),
    "more": ({"code": 1}, "'code' is not known"),
}


@pytest.mark.parametrize("name", SAID)
def test_a_header_that_does_not_fit_the_arrays_is_refused(name):
    changes, said = SAID[name]
    arrays, header = network_parts(NetworkArrays(**random_network(5, **NETWORKS["all"])))
    with pytest.raises(ModelFileError, match=said):
        read(arrays, {**header, **changes})


def test_scales_of_zero_are_refused():
    numbers = random_network(5)
    for name in ("input_scale", "target_scale"):
        arrays, header = network_parts(NetworkArrays(**{**numbers, name: 0.0 * numbers[name]}))
        with pytest.raises(ModelFileError, match=f"array '{name}': must be above 0"):
            read(arrays, header)


@pytest.fixture(params=model_files.NETWORKS, scope="module")
def model(request):
    return model_files.NETWORKS[request.param]()


def test_a_loaded_model_is_the_saved_one_to_the_bit(tmp_path, model):
    model.save(tmp_path / "model")
    twin = dp.load(tmp_path / "model")
    assert type(twin) is type(model)
    assert repr(twin) == repr(model)
    for name in ("architecture", "settings", "rows", "observed_disagreement"):
        assert getattr(twin, name) == getattr(model, name)
    for name in ("observed_low", "observed_high"):
        assert getattr(twin, name).tobytes() == getattr(model, name).tobytes()
    for name in ("training", "held_out", "best_epoch"):  # with the nan of members that had stopped
        mine, theirs = getattr(model.history, name), getattr(twin.history, name)
        np.testing.assert_array_equal(mine, theirs)
        assert mine.dtype == theirs.dtype
    assert twin.history.interrupted is model.history.interrupted
    states, actions = np.random.default_rng(1).normal(size=(2, 30, 2))
    mine, theirs = (m.predict(states, actions[:, :1]) for m in (model, twin))
    for kind in ("mean", "aleatoric", "epistemic"):
        assert getattr(mine, kind).tobytes() == getattr(theirs, kind).tobytes()
    twin.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "model").read_bytes()


def test_the_weight_decay_of_each_layer_comes_back(tmp_path):
    decay = (0.0, 0.25)
    model = dp.MLP.fit(model_files.LEARNT, **model_files.SHORT, weight_decay=decay)
    model.save(tmp_path / "model")
    twin = dp.load(tmp_path / "model")
    assert twin.settings == model.settings
    assert twin.settings.weight_decay == decay


def test_a_loaded_model_learns_on_as_the_saved_one_would(tmp_path):
    model = model_files.NETWORKS["Ensemble"]()
    model.save(tmp_path / "model")
    mine, theirs = (
        dp.Ensemble.fit(
            model_files.LEARNT, **model_files.SHORT, members=3, rewards=True, initial=initial
        )
        for initial in (model, dp.load(tmp_path / "model"))
    )
    np.testing.assert_array_equal(mine.history.training, theirs.history.training)


def test_some_members_stopped_before_others():
    # Else no nan of a history has been through a file.
    history = model_files.NETWORKS["Ensemble that stopped early"]().history
    assert np.isnan(history.training).any()


DISAGREEMENT = "observed_disagreement"


def edit_header(path, edit):
    """Changes a file's header as one would who signs it anew."""
    header, data = model_files.split(path.read_bytes())
    document = json.loads(header["__metadata__"]["dynaplan"])
    edit(document)
    header["__metadata__"]["dynaplan"] = json.dumps(document)
    path.write_bytes(model_files.signed(model_files.joined(header, data)))


def kind_of(kind):
    return lambda document: document.update(kind=kind)


def in_part(part, **changes):
    return lambda document: document["header"][part].update(changes)


WRONG = {
    "an ensemble as one network": (kind_of("GaussianMLP"), "3 members, probabilistic True"),
    "means as variances": (kind_of("MLP"), "must be those of MLP"),
    "another model": (kind_of("LinearGaussian"), "not usable as LinearGaussian: header"),
    "more epochs": (in_part("history", epochs=10**19), "'history.training': got float64"),
    "negative epochs": (in_part("history", epochs=-1), "'history.training': got float64"),
    "fewer best epochs": (in_part("history", best_epoch=[0]), "'best_epoch' must be an epoch"),
    "best of none": (in_part("history", best_epoch=[0, 3, 0]), "'best_epoch' must be an epoch"),
    "text as epoch": (in_part("history", best_epoch=["0", 0, 0]), "'best_epoch' must be an epoch"),
    "text as a share": (in_part("settings", held_out="0"), "'held_out' must be of type float"),
    "decays of other layers": (in_part("settings", weight_decay=[0.1] * 9), "one for each layer"),
    "text as a decay": (in_part("settings", weight_decay=["0"]), "one for each layer"),
    "another activation": (in_part("network", activation="gelu"), "gelu"),
    "negative rows": (in_part("training_data", rows=-1), "rows must not be negative"),
    "no disagreement": (
        in_part("training_data", observed_disagreement=0.0),
        "observed_disagreement must be above 0, got 0",
    ),
    "text as disagreement": (
        in_part("training_data", observed_disagreement="0.1"),
        "'observed_disagreement' must be of type float",
    ),
    "angles that the networks do not have": (
        in_part("training_data", angles=[[0.0, -1.0, 1.0]]),
        "must be the networks'",
    ),
    "angles without a range": (in_part("training_data", angles=[[0.0]]), "a state and its range"),
    "an angle of no state": (in_part("training_data", angles=[[9.0, 0.0, 1.0]]), "got 9, must be"),
    "an angle in words": (in_part("training_data", angles=[["0", 1.0]]), "a state and its range"),
}


def test_an_ensemble_of_an_older_version_knows_of_no_disagreement(tmp_path):
    path = tmp_path / "model"
    model = model_files.NETWORKS["Ensemble"]()
    model.save(path)
    assert model.observed_disagreement > 0.0
    edit_header(path, lambda document: document["header"]["training_data"].pop(DISAGREEMENT))
    older = dp.load(path)
    assert older.observed_disagreement is None
    older.save(path)
    assert dp.load(path).observed_disagreement is None


@pytest.mark.parametrize("name", WRONG)
def test_a_header_that_is_none_of_its_kind_is_refused(tmp_path, name):
    edit, said = WRONG[name]
    path = tmp_path / "model"
    model_files.NETWORKS["Ensemble"]().save(path)
    edit_header(path, edit)
    with pytest.raises(ModelFileError, match=said):
        dp.load(path)


@pytest.mark.parametrize("library", ["torch", "onnx"])
def test_an_mlp_goes_to_another_library_and_comes_back(tmp_path, library):
    pytest.importorskip(library)
    model = model_files.NETWORKS["MLP"]()
    if library == "torch":
        back = dp.MLP.from_torch(model.to_torch())
    else:
        (tmp_path / "model.onnx").write_bytes(model.to_onnx().SerializeToString())
        back = dp.MLP.from_onnx(tmp_path / "model.onnx")
    states, actions = np.random.default_rng(1).normal(size=(2, 30, 2))
    mine, theirs = (m.predict(states, actions[:, :1]).mean for m in (model, back))
    np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-6)  # the scaling was in float32
    assert back.history.best_epoch.tolist() == [-1]
    assert back.rows == 0
    back.save(tmp_path / "back")
    assert repr(dp.load(tmp_path / "back")) == repr(back)


def test_a_network_from_elsewhere_predicts_what_its_library_does():
    torch = pytest.importorskip("torch")
    module = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.SiLU(), torch.nn.Linear(8, 2))
    states, actions = np.random.default_rng(1).normal(size=(2, 30, 2))
    x = torch.tensor(np.hstack([states, actions]), dtype=torch.float32)
    expected = states + module(x).detach().numpy()
    model = dp.MLP.from_torch(module)
    np.testing.assert_allclose(model.predict(states, actions).mean, expected, rtol=0, atol=1e-5)
