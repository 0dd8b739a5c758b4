"""Networks in model files: brought back to the bit, or refused for what is wrong."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from dynaplan import io
from dynaplan.errors import ModelFileError
from dynaplan.models.network_arrays import NetworkArrays
from dynaplan.models.network_files import (
    checked_header,
    network_from_parts,
    network_parts,
    wanted_arrays,
)
from reference.network_outputs import random_network

NETWORKS = {
    "plain": {},
    "linear": {"hidden": []},
    "ensemble": {"members": 3, "probabilistic": True, "activation": "tanh"},
    "all": {"members": 2, "probabilistic": True, "rewards": True, "angles": [0, 2]},
}


def read(arrays, header):
    said = checked_header(header)
    io.named_arrays(arrays, wanted_arrays(said))
    return network_from_parts(arrays, said)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_file_brings_the_networks_back_to_the_bit(tmp_path, name):
    network = NetworkArrays(**random_network(5, **NETWORKS[name]))
    io.write_model_file(tmp_path / "network", "Kind", *network_parts(network))
    _, arrays, header = io.read_model_file(tmp_path / "network")
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
