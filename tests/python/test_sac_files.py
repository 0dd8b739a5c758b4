"""Files and exports of soft actor-critic: it goes on to the bit, or what is wrong is named."""

from __future__ import annotations

import copy

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynaplan as dp
from dynaplan import files
from reference.agent_tasks import Follow, agent, transitions

STATES = np.random.default_rng(9).normal(size=(40, 3))


def trained(**settings):
    one = agent(imagined_buffer_size=50, real_ratio=0.5, **settings)
    one.observe(*transitions(300))
    one.observe_imagined(*transitions(70, seed=1))  # more than fit: the oldest lies in the middle
    one.update(7)
    one.act(STATES)
    return one


def numbers_of(one):
    return {name: values.tobytes() for name, values in one._core.numbers().items()}


@pytest.mark.parametrize(
    "chosen",
    [{}, {"hidden": (), "activation": "tanh"}, {"temperature": 0.2}, {"buffer_size": 300}],
    ids=str,
)
def test_a_loaded_agent_goes_on_as_one_that_never_stopped(tmp_path, chosen):
    one = trained(**chosen)
    one.save(tmp_path / "agent.safetensors")
    other = dp.load(tmp_path / "agent.safetensors", threads=2)
    assert other.settings == one.settings
    assert (other.steps, other.updates, other.replay_sizes) == (300, 7, (300, 50))
    for each in (one, other):
        each.observe(*transitions(30, seed=2))
        each.observe_imagined(*transitions(30, seed=3))
    assert one.update(5) == other.update(5)
    assert numbers_of(one) == numbers_of(other)
    np.testing.assert_array_equal(one.act(STATES), other.act(STATES))
    np.testing.assert_array_equal(one.explore(), other.explore())
    assert repr(one) == repr(other)


def test_a_part_of_the_replay_that_was_resized_is_loaded_as_it_is(tmp_path):
    one = trained()
    one.resize_imagined(20)
    one.observe_imagined(*transitions(8, seed=4))
    one.save(tmp_path / "agent")
    other = dp.load(tmp_path / "agent")
    assert other.replay_sizes == (300, 20)
    for each in (one, other):
        each.observe_imagined(*transitions(15, seed=3))
    assert one.update(5) == other.update(5)


def test_learning_goes_on_in_an_environment(tmp_path):
    def episodes(one, steps):
        return [(e.steps, e.episode_return, e.updates) for e in one.run(steps)]

    def new():
        return dp.SAC(Follow(), hidden=(8,), batch_size=8, learning_starts=20, seed=0)

    one, other = new(), new()
    episodes(one, 40)
    episodes(other, 40)
    other.save(tmp_path / "agent")
    other = dp.load(tmp_path / "agent", other.env)
    assert episodes(one, 40) == episodes(other, 40)
    assert numbers_of(one) == numbers_of(other)


def test_without_its_replay_an_agent_acts_and_learns_anew(tmp_path):
    one = trained()
    one.save(tmp_path / "all")
    one.save(tmp_path / "less", replay=False)
    assert (tmp_path / "less").stat().st_size < (tmp_path / "all").stat().st_size - 40 * 340
    other = dp.load(tmp_path / "less")
    np.testing.assert_array_equal(one.act(STATES), other.act(STATES))
    assert other.replay_sizes == (0, 0)
    with pytest.raises(dp.ArgumentError, match="no transitions"):
        other.update()
    other.observe(*transitions(10))
    other.update()


def test_a_new_agent_can_be_saved(tmp_path):
    one = agent()
    one.save(tmp_path / "agent")
    other = dp.load(tmp_path / "agent")
    assert numbers_of(one) == numbers_of(other)
    assert other.replay_sizes == (0, 0)


def test_the_same_agent_gives_the_same_file(tmp_path):
    trained().save(tmp_path / "one")
    trained().save(tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


class Narrow(Follow):
    action_space = gym.spaces.Box(-1.0, 2.0, (1,))


def test_an_environment_with_other_spaces_is_refused(tmp_path):
    dp.SAC(Follow(), hidden=(4,)).save(tmp_path / "agent")
    with pytest.raises(dp.ArgumentError, match="must be from"):
        dp.load(tmp_path / "agent", Narrow())
    with pytest.raises(dp.ShapeError, match="observations of shape"):
        dp.load(tmp_path / "agent", gym.make("Pendulum-v1"))


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    path = tmp_path_factory.mktemp("agent") / "agent"
    trained(hidden=(4, 5)).save(path)
    return files.read_model_file(path)[1:]


def changed(parts, *, header=(), arrays=()):
    """A copy with entries of the header, by their path, and arrays put in place."""
    new_arrays, new_header = dict(parts[0]), copy.deepcopy(parts[1])
    for path, value in dict(header).items():
        *folders, name = path.split("/")
        place = new_header
        for folder in folders:
            place = place[folder]
        if value is None:
            del place[name]
        else:
            place[name] = value
    for name, value in dict(arrays).items():
        if value is None:
            del new_arrays[name]
        else:
            new_arrays[name] = value
    return new_arrays, new_header


F32 = np.float32
HEADERS = {
    "no counters": ({"counters": None}, "'counters' is missing"),
    "more": ({"code": "x"}, "'code' is not known"),
    "states": ({"state_dim": 4}, "got float32 of shape"),
    "no states": ({"state_dim": 0}, "must be >= 1"),
    "actions": ({"action_dim": 10**15}, "must be of 10+ actions"),
    "negative counter": ({"counters/steps": -1}, "must be from 0"),
    "enormous counter": ({"counters/draws": 2**64}, "must be from 0"),
    "enormous updates": ({"counters/updates": 2**63}, "not usable as SAC"),
    "layers": ({"settings/hidden": [4]}, "does not belong"),
    "wide layer": ({"settings/hidden": [10**19, 5]}, "got float32 of shape"),
    "layers of text": ({"settings/hidden": ["4", 5]}, "whole numbers"),
    "no unit": ({"settings/hidden": [0, 5]}, "at least 1"),
    "activation": ({"settings/activation": "gelu"}, "activation: got"),
    "seed": ({"settings/seed": -1}, "'seed' must be"),
    "batch": ({"settings/batch_size": 10**9}, "batch_size: got"),
    "rate": ({"settings/learning_rate": -1.0}, "learning_rate: got"),
    "rate as text": ({"settings/learning_rate": "3e-4"}, "must be of type float"),
    "temperature as text": ({"settings/temperature": "auto"}, "must be of type float"),
    "loop": ({"settings/train_freq": 0}, "train_freq: got 0"),
    "enormous buffer": ({"settings/buffer_size": 2**62}, "buffer_size|not usable as SAC"),
    "more than any buffer": ({"settings/buffer_size": 2**63}, "not usable as SAC"),
    "smaller buffer": ({"settings/buffer_size": 299}, "do not fit a store of 299"),
    "one store": ({"replay/real": None}, "must be of both stores"),
    "next elsewhere": ({"replay/real/next": 3}, "do not fit a store"),
    "next beyond": ({"replay/imagined/next": 50}, "do not fit a store"),
    "negative next": ({"replay/imagined/next": -1}, "do not fit a store"),
    "other size": ({"replay/real/size": 299}, "got float32 of shape"),
    "negative size": ({"replay/real/size": -1}, "got float32 of shape"),
}
ARRAYS = {
    "missing": ({"actor.biases.0": None}, "'actor.biases.0' is missing"),
    "too many": ({"x": np.zeros(2)}, "'x' does not belong"),
    "dtype": ({"actor.biases.0": np.zeros(4)}, "got float64"),
    "box": ({"action_low": np.array([3.0, -2.0])}, "bounds 3.0 and 3.0 in dimension 0"),
    "long box": ({"action_low": np.zeros(3)}, "must be of 2 actions"),
    "ends": ({"real.terminated": np.full((300, 1), 0.5, F32)}, "must be 0 or 1"),
    "actions": ({"real.actions": np.full((300, 2), 2.0, F32)}, "must be from -1 to 1"),
    "moments": ({"actor.second_moment.biases.0": np.full(4, -1.0, F32)}, "must not be negative"),
    "temperature": ({"temperature": np.array([0.0, 0.0, -1.0])}, "must not be negative"),
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_that_does_not_make_an_agent_is_refused(tmp_path, parts, name):
    changes, said = HEADERS[name]
    files.write_model_file(tmp_path / "agent", "SAC", *changed(parts, header=changes))
    with pytest.raises(dp.ModelFileError, match=said):
        dp.load(tmp_path / "agent")


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_that_do_not_make_an_agent_are_refused(tmp_path, parts, name):
    changes, said = ARRAYS[name]
    files.write_model_file(tmp_path / "agent", "SAC", *changed(parts, arrays=changes))
    with pytest.raises(dp.ModelFileError, match=said):
        dp.load(tmp_path / "agent")


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_byte_can_be_changed_or_cut_away(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("agent") / "agent"
    agent(hidden=(3,)).save(path)
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content = content[:place]
    else:
        content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    with pytest.raises(dp.ModelFileError):
        dp.load(path)


@pytest.mark.parametrize("activation", ["relu", "tanh", "silu"])
def test_pytorch_gives_the_same_actions(activation):
    torch = pytest.importorskip("torch")
    one = trained(activation=activation)
    module = one.to_torch()
    actions = module(torch.tensor(STATES, dtype=torch.float32)).detach().numpy()
    np.testing.assert_allclose(actions, one.act(STATES, deterministic=True), atol=1e-5)
    one.update(3)  # the module is a copy
    again = module(torch.tensor(STATES, dtype=torch.float32)).detach().numpy()
    np.testing.assert_array_equal(actions, again)


@pytest.mark.parametrize("activation", ["relu", "tanh", "silu"])
def test_onnx_gives_the_same_actions(activation):
    onnx = pytest.importorskip("onnx")
    from onnx.reference import ReferenceEvaluator

    one = trained(activation=activation)
    model = one.to_onnx()
    onnx.checker.check_model(model, full_check=True)
    (actions,) = ReferenceEvaluator(model).run(None, {"state": np.float32(STATES)})
    np.testing.assert_allclose(actions, one.act(STATES, deterministic=True), atol=1e-5)
