"""Zip files of checkpoints and transitions: damaged, foreign and hostile ones are refused."""

from __future__ import annotations

import json
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynaplan as dp
from dynaplan import _archives
from model_files import LEARNT
from reference.agent_tasks import Follow
from reference.dyna_loop import loop

PARTS = {"first": b"some bytes", "none": b"", "last": bytes(range(256)) * 3}


def read(path: Path) -> dict[str, bytes]:
    with path.open("rb") as file:
        return {name: part.read() for name, part in _archives.members(file).items()}


def written(path: Path, parts: dict[str, bytes] = PARTS, **how: Any) -> bytes:
    with zipfile.ZipFile(path, "w", **how) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path.read_bytes()


def test_what_zipfile_writes_is_read(tmp_path: Path) -> None:
    content = written(tmp_path / "file")
    assert list(read(tmp_path / "file").items()) == list(PARTS.items())
    assert _archives.first_name(content[: _archives.FIRST_BYTES]) == "first"


def test_so_is_what_it_writes_where_sizes_need_64_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100)
    content = written(tmp_path / "file")
    assert b"PK\x06\x06" in content  # a directory of the 64-bit kind
    with zipfile.ZipFile(tmp_path / "file", "w") as archive:
        for name, part in PARTS.items():
            with archive.open(name, "w", force_zip64=True) as member:  # as numpy.savez does
                member.write(part)
    assert read(tmp_path / "file") == PARTS


def test_an_archive_of_others_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for content, said in {
        written(path, compression=zipfile.ZIP_DEFLATED): "'first' is compressed or encrypted",
        written(path, dict.fromkeys(map(str, range(99)), b"")): "'16' is one part too many",
        written(path, {"\u00fc": b"x"}): "is compressed or encrypted",
        b"": "byte 0 begins no part",
        b"PK\x05\x06" + bytes(18): "byte 0 begins no part",  # an empty archive
    }.items():
        path.write_bytes(content)
        with pytest.raises(dp.ModelFileError, match=said):
            read(path)


def edited(content: bytes, place: int, new: bytes) -> bytes:
    return content[:place] + new + content[place + len(new) :]


HOSTILE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "encrypted": (lambda c: edited(c, 6, b"\x01"), "compressed or encrypted"),
    "sizes behind the data": (lambda c: edited(c, 6, b"\x08"), "compressed or encrypted"),
    "larger than the file": (lambda c: edited(c, 18, b"\xff\xff\xff\x7f" * 2), "would take"),
    "of two sizes": (lambda c: edited(c, 22, b"\x00"), "would take 0 bytes"),
    "one byte too long": (lambda c: edited(c, 18, b"\x0b\0\0\0" * 2), "byte 46 begins no part"),
    "long name": (lambda c: edited(c, 26, b"\xff\xff"), "would take"),
    "unknown fields": (lambda c: edited(c, 28, b"\x14"), "'first' is not known"),
    "another checksum": (lambda c: edited(c, 14, b"\0\0\0\0"), "checksum of 'first' is wrong"),
    "another byte": (lambda c: edited(c, 35, b"S"), "checksum of 'first' is wrong"),
    "twice": (lambda c: c[:45] + c, "'first' is one part too many"),
    "longer": (lambda c: c + b"\0", "its end is missing"),
    "fewer in the directory": (lambda c: edited(c, len(c) - 12, b"\x02"), "not know of 3 parts"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused_for_what_is_wrong_with_it(tmp_path: Path, name: str) -> None:
    edit, said = HOSTILE[name]
    (tmp_path / "file").write_bytes(edit(written(tmp_path / "file")))
    with pytest.raises(dp.ModelFileError, match=said):
        read(tmp_path / "file")


def test_no_memory_is_taken_for_what_an_archive_claims(tmp_path: Path) -> None:
    path = tmp_path / "file"
    claim = struct.pack("<2H2Q", 1, 16, 2**40, 2**40)
    head = struct.pack("<4s5H3L2H", b"PK\x03\x04", 45, 0, 0, 0, 0, 0, 2**32 - 1, 2**32 - 1, 1, 20)
    many = b"".join(b"PK\x01\x02" + bytes(42) for _ in range(10_000))
    for content in (head + b"a" + claim, many, written(path) + many):
        path.write_bytes(content)
        tracemalloc.start()
        with pytest.raises(dp.ModelFileError):
            read(path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 200_000


def transitions_with(path: Path, **changed: bytes) -> Path:
    """Transitions of which some members have other bytes, and the right checksums."""
    LEARNT.save(path)
    members = {**read(path), **{f"{name}.npy": content for name, content in changed.items()}}
    written(path, members)
    return path


def array_file(head: str, data: bytes) -> bytes:
    text = head.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


def head_of(kind: str, shape: str, columns_first: bool = False) -> str:
    return f"{{'descr': '{kind}', 'fortran_order': {columns_first}, 'shape': {shape}, }}"


def test_arrays_come_back_in_any_order_of_memory(tmp_path: Path) -> None:
    states = np.asfortranarray(LEARNT.states)
    content = array_file(head_of("<f8", "(40, 2)", True), states.tobytes("F"))
    assert dp.load(transitions_with(tmp_path / "file", states=content)) == LEARNT
    content = array_file(head_of(">f8", "(40, 2)"), states.astype(">f8").tobytes())
    assert dp.load(transitions_with(tmp_path / "file", states=content)) == LEARNT


ARRAYS: dict[str, tuple[str, str, bytes]] = {
    "objects": ("states", head_of("|O", "(40, 2)"), b"\x80\x04."),
    "fields": ("states", head_of("<f8", "(40, 2)").replace("'<f8'", "[('a', '<f8')]"), bytes(640)),
    "a shape that is larger": ("states", head_of("<f8", "(40, 2000000000)"), bytes(640)),
    "a shape beyond all numbers": ("states", head_of("<f8", f"({'9' * 400},)"), bytes(640)),
    "a shape that is negative": ("states", head_of("<f8", "(-40, -2)"), bytes(640)),
    "no rows of many": ("rewards", head_of("<f8", "(0, 1000000000000000000)"), b""),
    "code": ("states", "__import__('os').abort()", b""),
    "depth": ("states", "(" * 60_000, b""),
    "bytes left over": ("states", head_of("<f8", "(40, 2)"), bytes(648)),
    "neither true nor false": ("terminations", head_of("|b1", "(40,)"), b"\x02" * 40),
    "ends that are text": ("terminations", head_of("<U1", "(40,)"), b"a\0\0\0" * 40),
    "no text": ("kind", head_of("<U1", "()"), b"\xff\xff\xff\xff"),
    "two versions": ("version", head_of("<i8", "(2,)"), bytes(16)),
    "a flag as version": ("version", head_of("|b1", "()"), b"\x01"),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_a_hostile_array_is_refused(tmp_path: Path, name: str) -> None:
    member, head, data = ARRAYS[name]
    path = transitions_with(tmp_path / "file", **{member: array_file(head, data)})
    with pytest.raises(dp.ModelFileError, match=f"{path}: "):
        dp.load(path)


def test_a_file_that_is_none_of_ours_is_called_that(tmp_path: Path) -> None:
    path = tmp_path / "file.npz"
    for content in (b"garbage, and not a little of it", b"\x93NUMPY", b"<html></html>", b"\x7fELF"):
        path.write_bytes(content)
        with pytest.raises(dp.ModelFileError, match=r"file\.npz: not a dynaplan file, or"):
            dp.load(path)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("checkpoint") / "run"
    loop().learn(65).save(path)
    return path.read_bytes()


def test_a_checkpoint_is_sent_to_restore_however_damaged(tmp_path: Path, checkpoint: bytes) -> None:
    path = tmp_path / "run"
    for length in range(60, len(checkpoint), 997):
        path.write_bytes(checkpoint[:length])
        with pytest.raises(dp.ModelFileError, match="run: the checkpoint of a loop"):
            dp.load(path)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_no_damage_of_a_checkpoint_gives_another_error(
    tmp_path_factory: pytest.TempPathFactory, checkpoint: bytes, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged"
    dyna = loop()
    # Half of the time in what is at the ends: heads of members, and the directory.
    places = st.integers(0, 199) | st.integers(-300, -1) | st.integers(0, len(checkpoint) - 1)
    place = data.draw(places) % len(checkpoint)
    damaged = bytearray(checkpoint)
    if data.draw(st.booleans()):
        damaged = damaged[:place]
    else:
        damaged[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(damaged)
    with pytest.raises(dp.ModelFileError, match=f"{path}: "):
        dp.load(path)
    try:
        dyna.restore(path)
    except dp.ModelFileError as error:
        said = str(error)
    else:  # the time of a member, and other such fields
        said = f"{path}: "
        assert dyna.steps == 65
    assert said.startswith(f"{path}: ")


def test_a_damaged_part_is_named(tmp_path: Path, checkpoint: bytes) -> None:
    path = tmp_path / "run"
    path.write_bytes(checkpoint)
    members = read(path)
    for name in ("agent", "model", "data"):
        cut = {**members, name: members[name][:-40]}
        written(path, cut)
        with pytest.raises(dp.ModelFileError, match=f"^{path}: {name}: "):
            loop().restore(path)
    for state in (b"[" * 60_000, b'{"a": 1, "a": 2}', b"\xff", b"[]", b"1" * 60_000, b" " * 70_000):
        written(path, {**members, "loop.json": state})
        with pytest.raises(dp.ModelFileError, match=f"^{path}: "):
            loop().restore(path)


def test_parts_of_another_environment_are_refused(tmp_path: Path, checkpoint: bytes) -> None:
    path = tmp_path / "run"
    path.write_bytes(checkpoint)
    members = read(path)
    for name, other in {
        "agent": dp.SAC(Follow(), hidden=(4,), seed=0),
        "model": dp.LinearGaussian.fit(LEARNT),
        "data": dp.Transitions.concatenate([LEARNT, LEARNT]),
    }.items():
        other.save(tmp_path / "other")
        written(path, {**members, name: (tmp_path / "other").read_bytes()})
        with pytest.raises(dp.ModelFileError, match=f"^{path}: its {name} does not fit the env"):
            loop().restore(path)


def test_a_state_that_no_loop_was_in_is_refused(tmp_path: Path, checkpoint: bytes) -> None:
    path = tmp_path / "run"
    path.write_bytes(checkpoint)
    members = read(path)
    header = json.loads(members["loop.json"])
    for name in ("episode", "seed", "fits", "length", "episode_first", "fitted_rows"):
        state = {**header["state"], name: -1}
        written(path, {**members, "loop.json": json.dumps({**header, "state": state}).encode()})
        with pytest.raises(dp.ModelFileError, match=f"^{path}: its counts do not fit"):
            loop().restore(path)
