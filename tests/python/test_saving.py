"""What `save` does to what is there: links, rights, and things that are no regular files."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dynaplan as dp
from dynaplan import _disk, files
from dynaplan.envs.mazes import Maze
from model_files import LEARNT, SHORT, TERMINATIONS
from reference.agent_tasks import Follow
from reference.dyna_loop import loop

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links and modes of POSIX")

# One of each class that writes files; `loop` is a Dyna.
OWNERS: dict[str, Callable[[], Any]] = {
    "Transitions": lambda: LEARNT,
    "LinearGaussian": lambda: dp.LinearGaussian.fit(LEARNT),
    "GaussianProcess": lambda: dp.GaussianProcess.fit(LEARNT, starts=1, seed=0),
    "MLP": lambda: dp.MLP.fit(LEARNT, **SHORT),
    "GaussianMLP": lambda: dp.GaussianMLP.fit(LEARNT, **SHORT),
    "Ensemble": lambda: dp.Ensemble.fit(LEARNT, **SHORT, members=2),
    "LearnedTermination": TERMINATIONS["a network"],
    "SAC": lambda: dp.SAC(Follow(), hidden=(4,), seed=0),
    "DynaQ": lambda: dp.DynaQ(Maze(), seed=0),
    "DynaQPlus": lambda: dp.DynaQPlus(Maze(), seed=0),
    "PrioritizedSweeping": lambda: dp.PrioritizedSweeping(Maze(), seed=0),
    "Dyna": loop,
}
Save = Callable[[Path], None]


@pytest.fixture(params=OWNERS)
def save(request: pytest.FixtureRequest) -> Save:
    return OWNERS[request.param]().save


@pytest.fixture(params=["nameless scratch", "named scratch"])
def scratch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to write: the second is that of systems without O_TMPFILE."""
    if request.param == "named scratch":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    elif not hasattr(os, "O_TMPFILE"):
        pytest.skip("the system has no files without a name")
    return request.param


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o027)
    yield
    os.umask(before)


def content_of(save: Save, folder: Path) -> bytes:
    save(folder / "reference")
    content = (folder / "reference").read_bytes()
    (folder / "reference").unlink()
    return content


def listing(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def put(path: Path, number: float = 1.0, size: int = 1) -> None:
    files.write_model_file(path, "Kind", {"a": np.full(size, number)}, {})


def number_in(path: Path) -> float:
    return float(files.read_model_file(path)[1]["a"][0])


def test_a_link_stays_and_its_target_is_written(save: Save, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "file").write_bytes(b"old")
    (tmp_path / "run" / "file").chmod(0o640)
    (tmp_path / "latest").symlink_to("run/file")
    save(tmp_path / "latest")
    assert os.readlink(tmp_path / "latest") == "run/file"
    assert (tmp_path / "run" / "file").stat().st_size > 100
    assert mode(tmp_path / "run" / "file") == 0o640
    assert listing(tmp_path) == ["latest", "run", "run/file"]


def test_links_to_links_and_to_nothing_yet(scratch: str, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "here").symlink_to(tmp_path / "run")
    (tmp_path / "run" / "inner").symlink_to("file")
    (tmp_path / "outer").symlink_to("here/inner")
    for number in (1.0, 2.0):  # first there is no file behind the links, then there is one
        put(tmp_path / "outer", number)
        assert number_in(tmp_path / "run" / "file") == number
        assert not (tmp_path / "run" / "file").is_symlink()
        assert listing(tmp_path) == ["here", "outer", "run", "run/file", "run/inner"]
        assert all((tmp_path / name).is_symlink() for name in ("here", "outer", "run/inner"))


def test_a_link_that_leads_nowhere_is_an_error_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "round").symlink_to("round")
    (tmp_path / "lost").symlink_to("nowhere/file")
    for name in ("round", "lost"):
        with pytest.raises(OSError, match=f"{name}'$") as caught:
            put(tmp_path / name)
        assert caught.value.filename == str(tmp_path / name)
        assert (tmp_path / name).is_symlink()
    assert listing(tmp_path) == ["lost", "round"]


def test_a_new_file_has_the_mode_that_open_would_give_it(
    save: Save, tmp_path: Path, umask: None
) -> None:
    save(tmp_path / "file")
    assert mode(tmp_path / "file") == 0o640


@pytest.mark.parametrize("rights", [0o640, 0o600, 0o666, 0o400, 0o755])
def test_a_mode_is_kept(rights: int, scratch: str, tmp_path: Path, umask: None) -> None:
    put(tmp_path / "file", 1.0)
    (tmp_path / "file").chmod(rights)
    put(tmp_path / "file", 2.0)
    assert mode(tmp_path / "file") == rights
    if os.access(tmp_path / "file", os.R_OK):
        assert number_in(tmp_path / "file") == 2.0


def test_a_new_file_has_its_mode_both_ways(scratch: str, tmp_path: Path, umask: None) -> None:
    put(tmp_path / "file")
    assert mode(tmp_path / "file") == 0o640


def test_scratch_is_not_readable_where_the_old_file_was_not(scratch: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    put(path)
    path.chmod(0o600)
    with _disk.replacing(path) as file:
        assert stat.S_IMODE(os.fstat(file.fileno()).st_mode) == 0o600
    with _disk.scratch_folder(path) as folder:
        assert mode(folder) == 0o700


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may chown")
def test_owner_and_group_are_kept_where_permitted(
    scratch: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    put(path)
    os.chown(path, 4321, 1234)
    path.chmod(0o674)
    put(path, 2.0)
    assert (path.stat().st_uid, path.stat().st_gid, mode(path)) == (4321, 1234, 0o674)

    def refuse(descriptor: int, owner: int, group: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "fchown", refuse)
    put(path, 3.0)
    assert (path.stat().st_uid, path.stat().st_gid) == (os.geteuid(), os.getegid())
    # What one group may do another may not: it gets the rights of everyone.
    assert mode(path) == 0o644


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(path.parent)  # a socket's name may be no longer than 107 bytes
        try:
            server.bind(path.name)
        finally:
            os.chdir(here)


IRREGULAR = {
    "is a named pipe, must be a regular file": make_fifo,
    "is a socket, must be a regular file": make_socket,
    "Is a directory": Path.mkdir,
}


@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize("said", IRREGULAR)
def test_what_is_no_regular_file_is_neither_replaced_nor_read(
    said: str, linked: bool, tmp_path: Path
) -> None:
    IRREGULAR[said](tmp_path / "thing")
    path = tmp_path / "thing"
    if linked:
        path = tmp_path / "link"
        path.symlink_to("thing")
    before, kind = listing(tmp_path), (tmp_path / "thing").stat().st_mode
    for call in (
        lambda: put(path),
        lambda: LEARNT.save(path),
        lambda: loop().save(path),
        lambda: dp.load(path),
        lambda: loop().restore(path),
    ):
        with pytest.raises(OSError, match=said) as caught:
            call()
        assert caught.value.filename == str(path)
        assert listing(tmp_path) == before
        assert (tmp_path / "thing").stat().st_mode == kind


def test_every_class_refuses_a_pipe(save: Save, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match=r"is a named pipe, must be a regular file: .*pipe"):
        save(tmp_path / "pipe")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert listing(tmp_path) == ["pipe"]


@pytest.mark.parametrize("kind", [stat.S_IFCHR, stat.S_IFBLK])
def test_a_device_is_refused_and_not_even_opened(
    kind: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "device"
    put(path)
    before = path.read_bytes()
    status = os.stat

    def device(of: Any, **options: Any) -> os.stat_result:
        found = status(of, **options)
        return os.stat_result((kind | 0o600, *found[1:])) if of == path else found

    def fail(*_: Any) -> int:
        raise AssertionError("it was opened")

    monkeypatch.setattr(os, "stat", device)
    monkeypatch.setattr(os, "open", fail)
    for call in (lambda: put(path), lambda: dp.load(path)):
        with pytest.raises(OSError, match="is a device, must be a regular file"):
            call()
    monkeypatch.undo()
    assert path.read_bytes() == before


def test_a_pipe_that_comes_in_between_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was regular when it was looked at and is a pipe when it is opened."""
    put(tmp_path / "file")
    os.mkfifo(tmp_path / "pipe")
    regular = (tmp_path / "file").stat()
    monkeypatch.setattr(os, "stat", lambda *_, **__: regular)
    with pytest.raises(OSError, match="is a named pipe, must be a regular file"):
        dp.load(tmp_path / "pipe")


def test_a_pipe_is_no_onnx_model_either(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="is a named pipe, must be a regular file"):
        dp.MLP.from_onnx(tmp_path / "pipe")
