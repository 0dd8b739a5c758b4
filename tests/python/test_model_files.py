"""`model.save` and `dp.load`: the same model again, or an error that tells what is wrong."""

from __future__ import annotations

import json
import os
import re
import tracemalloc
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynaplan as dp
from dynaplan import files
from model_files import MODELS, joined, signed, split, transitions


def make(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dp.RankDeficientWarning)
        return MODELS[name]()


@pytest.fixture(params=MODELS, scope="module")
def model(request):
    return make(request.param)


@pytest.fixture
def content(tmp_path):
    make("quadratic").save(tmp_path / "good")
    return (tmp_path / "good").read_bytes()


def refusal(path: Path, content: bytes) -> str:
    """What `load` says of a file with this content, after the file's name."""
    path.write_bytes(content)
    with pytest.raises(dp.ModelFileError) as caught:
        dp.load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert len(message) < len(str(path)) + 300
    return message.removeprefix(f"{path}: ")


@pytest.mark.parametrize("name", ["model.safetensors", "model", "model.bin"])
def test_a_loaded_model_is_the_saved_one_to_the_bit(tmp_path, model, name):
    model.save(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    twin = dp.load(str(tmp_path / name))
    assert type(twin) is type(model)
    assert repr(twin) == repr(model)
    for attribute in ("target", "intercept", "ridge", "features", "rows", "degrees_of_freedom"):
        assert getattr(twin, attribute) == getattr(model, attribute)
    for attribute in ("factor", "coefficients", "noise_covariance", "observed_low"):
        assert getattr(twin, attribute).tobytes() == getattr(model, attribute).tobytes()
    data = transitions(30, seed=1)
    mine, theirs = (m.predict(data.states, data.actions) for m in (model, twin))
    for kind in ("mean", "aleatoric", "epistemic"):
        assert getattr(mine, kind).tobytes() == getattr(theirs, kind).tobytes()


def test_a_loaded_model_learns_on_as_the_saved_one_would(tmp_path, model):
    model.save(tmp_path / "model")
    more = transitions(20, seed=2)
    after = model.known.put_into(more.next_states.copy(), more.states, more.actions)
    more = dp.Transitions(more.states, more.actions, after, gaps="ignore")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dp.RankDeficientWarning)
        mine, theirs = (m.updated(more) for m in (model, dp.load(tmp_path / "model")))
    np.testing.assert_array_equal(mine.factor, theirs.factor)


def test_the_same_model_gives_the_same_bytes(tmp_path, content):
    dp.load(tmp_path / "good").save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == content


def test_any_reader_of_safetensors_sees_the_arrays_and_the_header(tmp_path, content):
    safetensors = pytest.importorskip("safetensors.numpy")
    arrays = safetensors.load(content)
    assert set(arrays) == {"factor", "observed_low", "observed_high"}
    document = json.loads(split(content)[0]["__metadata__"]["dynaplan"])
    assert (document["format"], document["kind"]) == (1, "LinearGaussian")
    assert document["dynaplan"] == dp.__version__
    assert document["header"]["training_data"] == {
        "rows": 40.0,
        "state_dim": 2,
        "action_dim": 1,
        "float32_exact": False,
    }


def test_importing_does_not_import_safetensors(run_python):
    run_python("import dynaplan, sys; assert 'safetensors' not in sys.modules")


def test_a_failed_save_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "model"
    make("linear").save(path)
    old = path.read_bytes()
    for failure in (OSError("no space left"), KeyboardInterrupt()):

        def fail(*_, failure=failure):
            raise failure

        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(type(failure)):
            make("quadratic").save(path)
        assert [entry.name for entry in tmp_path.iterdir()] == ["model"]
        assert path.read_bytes() == old


def test_a_missing_file_or_folder_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        dp.load(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError):
        make("linear").save(tmp_path / "nowhere" / "model")
    with pytest.raises(IsADirectoryError):
        dp.load(tmp_path)


@pytest.mark.parametrize(
    ("arrays", "header", "said"),
    [
        ({"a": np.array([1.0, np.inf])}, {}, r"array 'a': entry \(1,\) is inf"),
        ({"a": np.zeros(2, np.int64)}, {}, "type 'I64', must be F32 or F64"),
        ({"a": np.zeros((1,) * 9)}, {}, "too many dimensions"),
        ({"a": np.zeros(1)}, {"x": float("nan")}, "number NaN is not finite"),
        ({}, {"x": np.float32(1.0)}, "not JSON serializable"),
    ],
)
def test_what_could_not_be_read_again_is_not_written(tmp_path, arrays, header, said):
    with pytest.raises(dp.ModelFileError, match=f"model: cannot be written: .*{said}"):
        files.write_model_file(tmp_path / "model", "Kind", arrays, header)
    assert not list(tmp_path.iterdir())


def test_arrays_come_back_whatever_their_layout(tmp_path):
    square = np.arange(12.0).reshape(3, 4)
    arrays = {
        "transposed": square.T,
        "strided": square[::2, 1::2],
        "swapped": square.astype(">f4"),
        "scalar": np.array(2.0),
        "empty": np.zeros((0, 3), np.float32),
    }
    files.write_model_file(tmp_path / "model", "Kind", arrays, {"list": [1, 2.5, None, "\u00fc"]})
    kind, back, header = files.read_model_file(tmp_path / "model")
    assert (kind, header) == ("Kind", {"list": [1, 2.5, None, "\u00fc"]})
    assert set(back) == set(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(back[name], array)
        assert back[name].shape == array.shape
        assert back[name].dtype == array.dtype.newbyteorder("=")
        assert back[name].flags.owndata
        assert back[name].flags.c_contiguous


def test_every_truncation_and_every_extension_is_refused(tmp_path, content):
    for length in {*range(0, len(content), 41), len(content) - 1}:
        assert refusal(tmp_path / "cut", content[:length])
    assert refusal(tmp_path / "longer", content + b"\0")
    assert refusal(tmp_path / "twice", content + content)


@given(place=st.integers(0, 10**6), change=st.integers(1, 255))
@settings(deadline=None)
def test_a_changed_byte_is_refused(tmp_path_factory, place, change):
    path = tmp_path_factory.getbasetemp() / "changed"
    make("linear").save(path)
    changed = bytearray(path.read_bytes())
    changed[place % len(changed)] ^= change
    assert refusal(path, bytes(changed))


def edited(content, edit):
    """The file with its header or dynaplan's part of it changed, and the checksum right again."""
    header, data = split(content)
    document = json.loads(header["__metadata__"]["dynaplan"])
    data = edit(header, document, bytearray(data)) or data
    header["__metadata__"]["dynaplan"] = json.dumps(document)
    return signed(joined(header, bytes(data)))


def test_an_edit_that_changes_nothing_is_taken(tmp_path, content):
    # Else every test below would pass for the checksum's sake alone.
    (tmp_path / "edited").write_bytes(edited(content, lambda header, document, data: None))
    assert dp.load(tmp_path / "edited").rows == 40


def entry(name, **changes):
    return lambda header, document, data: header[name].update(changes)


def said(**changes):
    return lambda header, document, data: document.update(changes)


def settings(**changes):
    return lambda header, document, data: document["header"]["settings"].update(changes)


def training(**changes):
    return lambda header, document, data: document["header"]["training_data"].update(changes)


def value(place, number):
    def edit(header, document, data):
        data[8 * place : 8 * place + 8] = np.float64(number).tobytes()
        return data

    return edit


HOSTILE = {
    "later version": (said(format=2), "version 2 of the format, must be 1; read it with dynaplan"),
    "no version": (lambda h, d, _: d.pop("format") and None, "'format' is missing"),
    "flag as version": (said(format=True), "'format' must be of type int"),
    "other kind": (said(kind="Tree"), "of kind 'Tree', must be one of LinearGaussian"),
    "long kind": (said(kind="\u00fc" * 10**5), "of kind"),
    "kind of wrong type": (said(kind=["LinearGaussian"]), "'kind' must be of type str"),
    "kind that is code": (said(kind="__class__"), "of kind '__class__'"),
    "more in dynaplan's header": (said(code="x"), "'code' is not known"),
    "more metadata": (lambda h, *_: h["__metadata__"].update(a="b"), "hold more than 'dynaplan'"),
    "no metadata": (lambda h, *_: h["__metadata__"].clear(), None),
    "no header": (said(header=[]), "'header' must be of type dict"),
    "integers": (entry("factor", dtype="I64"), "type 'I64', must be F32 or F64"),
    "halves of its size": (entry("factor", dtype="F32"), "do not fit its shape"),
    "type of wrong type": (entry("factor", dtype=7), "'dtype' must be of type str"),
    "unknown field": (entry("factor", code=7), "'code' is not known"),
    "negative size": (entry("factor", shape=[-1, -1]), "must be a whole number from 0"),
    "huge size": (entry("factor", shape=[10**18, 10**18]), "must be a whole number from 0"),
    "huge empty array": (entry("factor", shape=[0, 10**15], data_offsets=[0, 0]), "whole number"),
    "float size": (entry("factor", shape=[12.0, 12]), "must be a whole number from 0"),
    "flag as size": (entry("factor", shape=[True, 12]), "must be a whole number from 0"),
    "many dimensions": (entry("factor", shape=[1] * 100), "too many dimensions"),
    "other shape": (entry("factor", shape=[144]), "must be there and square"),
    "overlapping arrays": (entry("observed_low", data_offsets=[0, 24]), "do not fill the file"),
    "backward offsets": (entry("observed_low", data_offsets=[24, 0]), "do not fit its shape"),
    "three offsets": (entry("observed_low", data_offsets=[0, 8, 24]), "not two offsets"),
    "array renamed": (lambda h, *_: h.update(f=h.pop("factor")), "'factor': must be there"),
    "nan": (value(3, np.nan), r"entry \(0, 3\) is nan"),
    "infinity": (value(3, -np.inf), r"entry \(0, 3\) is -inf"),
    "below the diagonal": (value(12, 1.0), "must be 0 below the diagonal"),
    "bounds crossed": (value(147, 1e9), "'observed_low': must not be above"),
    "huge degree": (settings(degree=10**19), "do not fit"),
    "large degree": (settings(degree=12), "do not fit"),
    "negative degree": (settings(degree=-1), "at least 1"),
    "linear of degree 2": (settings(features="Identity"), "of degree 2 are not known"),
    "unknown features": (settings(features="Fourier"), "'Fourier' of degree 2"),
    "unknown target": (settings(target="both"), "target: got 'both'"),
    "negative ridge": (settings(ridge=-1.0), "ridge must not be negative"),
    "text as ridge": (settings(ridge="0"), "'ridge' must be of type float"),
    "number as flag": (settings(intercept=1), "'intercept' must be of type bool"),
    "intercept dropped": (settings(intercept=False), "do not fit"),
    "no rows": (training(rows=0), "rows must be above 0"),
    "no states": (training(state_dim=0), "at least 1"),
    "negative actions": (training(action_dim=-1), "at least 1"),
    "more states": (training(state_dim=3), "do not fit"),
    "huge state_dim": (training(state_dim=10**19), "do not fit"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_for_what_is_wrong_with_it(tmp_path, content, name):
    edit, expected = HOSTILE[name]
    if name == "no metadata":
        header, data = split(content)
        del header["__metadata__"]
        message, expected = refusal(tmp_path / "x", joined(header, data)), "none that dynaplan"
    else:
        message = refusal(tmp_path / "x", edited(content, edit))
    assert re.search(expected, message), message


def test_an_extra_array_is_refused(tmp_path, content):
    def edit(header, document, data):
        header["more"] = {"dtype": "F32", "shape": [1], "data_offsets": [len(data), len(data) + 4]}
        return data + b"\0\0\0\0"

    assert "array 'more' does not belong" in refusal(tmp_path / "x", edited(content, edit))


def test_a_key_that_stands_twice_is_refused(tmp_path, content):
    header, data = split(content)
    text = json.dumps(header).encode()
    entry_text = json.dumps({"factor": header["factor"]})[1:-1].encode()
    twice = signed(joined(text[:-1] + b", " + entry_text + b"}", data))
    assert "key 'factor' occurs twice" in refusal(tmp_path / "x", twice)
    escaped = entry_text.replace(b'"factor"', b'"\\u0066actor"')
    twice = signed(joined(text[:-1] + b", " + escaped + b"}", data))
    assert "key 'factor' occurs twice" in refusal(tmp_path / "x", twice)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"[" * 10**6, "no valid JSON"),
        (b'{"a":' * 10**5, "no valid JSON"),
        (b"1" * 10**6, "a number of 1000000 digits"),
        (b"\xff\xfe{}", "no valid JSON"),
        (b"[]", "must be a JSON object"),
        (b"", "no valid JSON"),
        (b"{}", "none that dynaplan wrote"),
        (b'{"__metadata__": {"dynaplan": "{\\"format\\": 1e999}"}}', "not finite"),
        (b'{"__metadata__": {"dynaplan": "{}"}}', "'format' is missing"),
        (b'{"__metadata__": {"dynaplan": "\\ud800"}}', "no valid JSON"),
    ],
)
def test_a_header_that_is_no_json_of_ours_is_refused(tmp_path, text, expected):
    assert expected in refusal(tmp_path / "x", joined(text, b""))


@pytest.mark.parametrize("length", [2**20 + 1, 2**32, 2**63, 2**64 - 1])
def test_a_huge_header_is_refused_unread(tmp_path, content, length):
    message = refusal(tmp_path / "x", length.to_bytes(8, "little") + content[8:])
    assert message == "not a dynaplan file, or its first bytes are damaged"


def test_a_refused_file_takes_no_memory_beyond_its_own_size(tmp_path):
    big = dp.LinearGaussian.fit(transitions(300), features=dp.Polynomial(5))
    big.save(tmp_path / "big")
    content = (tmp_path / "big").read_bytes()
    for edit in (settings(degree=50), entry("factor", shape=[10**9, 10**9]), value(0, np.nan)):
        (tmp_path / "x").write_bytes(edited(content, edit))
        tracemalloc.start()
        with pytest.raises(dp.ModelFileError):
            dp.load(tmp_path / "x")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        # The file, its arrays once from safetensors and once of NumPy's own, and the header's JSON.
        assert peak < 4 * len(content) + 200_000
