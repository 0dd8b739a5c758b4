"""`Transitions.save` and `load`: round trips, and files that are not what they say."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynaplan as dp
from dynaplan.data.transitions import Transitions
from dynaplan.errors import ModelFileError


def walk(count, episodes=None, rewards=True):
    path = np.arange(count + 1.0)[:, None]
    return Transitions(
        np.hstack([path[:-1], -path[:-1]]),
        path[:-1],
        np.hstack([path[1:], -path[1:]]),
        rewards=path[:-1, 0] if rewards else None,
        episodes=episodes,
    )


@pytest.mark.parametrize("rewards", [True, False])
@pytest.mark.parametrize("name", ["data.npz", "data", "data.bin"])
def test_a_file_brings_back_the_same_data_under_the_name_given(tmp_path, name, rewards):
    data = walk(9, episodes=[4, 4, 4, 1, 1, 1, 9, 9, 9], rewards=rewards)
    data.save(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert dp.load(str(tmp_path / name)) == data


def test_saving_replaces_and_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "data.npz"
    walk(3).save(path)
    walk(4).save(path)
    assert len(dp.load(path)) == 4

    def full_disk(file, **arrays):
        file.write(b"half a fi")
        raise OSError("no space left")

    monkeypatch.setattr(np, "savez", full_disk)
    with pytest.raises(OSError, match="no space left"):
        walk(5).save(path)
    assert len(dp.load(path)) == 4
    assert len(list(tmp_path.iterdir())) == 1


def test_a_missing_file_or_folder_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        dp.load(tmp_path / "nothing.npz")
    with pytest.raises(FileNotFoundError):
        walk(3).save(tmp_path / "nowhere" / "data.npz")


class Bomb:
    def __reduce__(self):
        return pytest.fail, ("code in a file was run",)


def foreign_files(folder):
    """Files that are none of ours, by name."""
    names = ("states", "actions", "next_states", "rewards", "terminations", "episodes")
    arrays = {name: getattr(walk(4), name) for name in names}
    mark = {"kind": "dynaplan.Transitions", "version": 1}
    np.savez(folder / "other", a=np.zeros(3))
    np.savez(folder / "no-kind", **arrays)
    np.savez(folder / "other-kind", **arrays, **{**mark, "kind": "dynaplan.LinearGaussian"})
    np.savez(folder / "later", columns=np.zeros(3), **{**mark, "version": 2})
    np.savez(folder / "no-version", **arrays, kind=mark["kind"])
    np.savez(folder / "strange-version", **arrays, **{**mark, "version": [1, 2]})
    np.savez(folder / "extra", **arrays, **mark, more=np.zeros(1))
    np.savez(folder / "lacking", states=arrays["states"], **mark)
    np.savez(folder / "bad-shape", **{**arrays, "states": np.zeros((9, 1))}, **mark)
    np.savez(folder / "nan", **{**arrays, "states": np.full((4, 2), np.nan)}, **mark)
    np.savez(folder / "text", **{**arrays, "states": np.array([["a"]])}, **mark)
    bomb = np.array([Bomb()], dtype=object)
    np.savez(folder / "pickle", **{**arrays, "rewards": bomb}, **mark)
    np.savez_compressed(folder / "inflates", **arrays, **mark)
    np.save(folder / "array", np.zeros(3))
    np.save(folder / "pickled-array", bomb)
    (folder / "empty").write_bytes(b"")
    (folder / "text.txt").write_text("x,y\n1,2\n")
    (folder / "pickled").write_bytes(pickle.dumps(Bomb()))
    return sorted(folder.iterdir())


def test_foreign_and_hostile_files_are_refused_by_name(tmp_path):
    files = foreign_files(tmp_path)
    assert len(files) == 18
    for path in files:
        with pytest.raises(ModelFileError, match=path.name):
            dp.load(path)
    with pytest.raises(ModelFileError, match="got version 2 of the format, must be 1"):
        dp.load(tmp_path / "later.npz")
    with pytest.raises(ModelFileError, match=r"holds 'dynaplan\.LinearGaussian', must hold"):
        dp.load(tmp_path / "other-kind.npz")


def test_a_header_that_claims_more_than_the_file_holds_is_refused(tmp_path):
    path = tmp_path / "data.npz"
    walk(4).save(path)
    # Same length, so that only the header of the array lies.
    path.write_bytes(path.read_bytes().replace(b"(4, 2), }   ", b"(4, 2000000)", 1))
    with pytest.raises(ModelFileError, match=r"data\.npz"):
        dp.load(path)


def test_every_truncation_is_refused(tmp_path):
    path = tmp_path / "data.npz"
    walk(4).save(path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 37):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelFileError, match=r"data\.npz"):
            dp.load(path)


@given(place=st.integers(0, 10**6), value=st.integers(0, 255))
@settings(deadline=None)
def test_a_changed_byte_gives_the_same_data_or_an_error(tmp_path_factory, place, value):
    path = tmp_path_factory.getbasetemp() / "changed.npz"
    walk(4).save(path)
    changed = bytearray(path.read_bytes())
    changed[place % len(changed)] = value
    path.write_bytes(changed)
    try:
        data = dp.load(path)
    except ModelFileError:
        return
    assert data == walk(4)
