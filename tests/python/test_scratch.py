"""What a save leaves behind when it is killed or fails: the whole old file, and no scratch."""

from __future__ import annotations

import errno
import os
import random
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import dynaplan as dp
from dynaplan import _disk, files
from reference.dyna_loop import loop

resource = pytest.importorskip("resource", reason="limits of POSIX")
pytestmark = pytest.mark.skipif(os.name != "posix", reason="locks and signals of POSIX")


@pytest.fixture(params=["nameless scratch", "named scratch"])
def named(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Both ways to write: the second is that of systems without O_TMPFILE."""
    if request.param == "named scratch":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    elif not hasattr(os, "O_TMPFILE"):
        pytest.skip("the system has no files without a name")
    return request.param == "named scratch"


def put(path: Path, number: float = 1.0, size: int = 1) -> None:
    files.write_model_file(path, "Kind", {"a": np.full(size, number)}, {})


def number_in(path: Path) -> float:
    array = files.read_model_file(path)[1]["a"]
    assert (array == array[0]).all()
    return float(array[0])


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


@contextmanager
def child(code: str, folder: Path, named: bool) -> Iterator[subprocess.Popen[str]]:
    """Another process that runs this code, and is killed in the end."""
    start = f"import os, sys\nsys.path[:] = {sys.path!r}\n"
    if named:
        start += "vars(os).pop('O_TMPFILE', None)\n"
    with subprocess.Popen(
        [sys.executable, "-c", start + code], stdout=subprocess.PIPE, text=True, cwd=folder
    ) as process:
        try:
            yield process
        finally:
            process.kill()


SAVE_AGAIN_AND_AGAIN = """
from pathlib import Path
from dynaplan import _disk
for number in range(10**6):
    with _disk.replacing(Path("file")) as file:
        for _ in range(40):
            file.write(bytes([number % 256]) * 100_000)
    print(number, flush=True)
"""


def test_a_killed_save_leaves_the_old_file_or_the_new_one(tmp_path: Path, named: bool) -> None:
    delays = random.Random(7)
    path = tmp_path / "file"
    for _ in range(6):
        with child(SAVE_AGAIN_AND_AGAIN, tmp_path, named) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(delays.uniform(0.0, 0.05))
            process.kill()
            saved = int((process.stdout.read().split() or ["0"])[-1])
        content = path.read_bytes()
        assert content in {bytes([number % 256]) * 4_000_000 for number in (saved, saved + 1)}
        # Those of the kills before are gone: each child's first save has removed them.
        assert len([name for name in names(tmp_path) if name != "file"]) <= 1
    put(path)
    assert names(tmp_path) == ["file"]


HOLD_SCRATCH = """
import time
from pathlib import Path
from dynaplan import _disk
with {call}(Path("file")) as scratch:
    if isinstance(scratch, Path):
        (scratch / "part").write_bytes(b"half")
    else:
        scratch.write(b"half")
        scratch.flush()
    print(flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("call", ["_disk.replacing", "_disk.scratch_folder"])
def test_scratch_is_removed_by_the_next_save_of_its_file_once_nobody_holds_it(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    path = tmp_path / "file"
    with child(HOLD_SCRATCH.format(call=call), tmp_path, named=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        (scratch,) = names(tmp_path)
        put(path)
        assert names(tmp_path) == sorted(["file", scratch])  # held by the living process
    put(tmp_path / "other")
    assert names(tmp_path) == sorted(["file", "other", scratch])  # not of this file
    put(path)
    assert names(tmp_path) == ["file", "other"]


def test_a_save_of_a_link_removes_the_scratch_of_its_target(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "link").symlink_to("run/file")
    with child(HOLD_SCRATCH.format(call="_disk.replacing"), tmp_path / "run", True) as process:
        assert process.stdout is not None
        process.stdout.readline()
    assert len(names(tmp_path / "run")) == 1
    put(tmp_path / "link")
    assert names(tmp_path / "run") == ["file"]


def test_two_at_once_both_write_and_the_last_to_end_stays(tmp_path: Path, named: bool) -> None:
    with _disk.replacing(tmp_path / "file") as first:
        first.write(b"first")
        with _disk.replacing(tmp_path / "file") as second:
            second.write(b"second")
        assert (tmp_path / "file").read_bytes() == b"second"
    assert (tmp_path / "file").read_bytes() == b"first"
    assert names(tmp_path) == ["file"]


def test_scratch_that_is_taken_for_stale_before_it_is_locked_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    lock, removed = _disk._lock, []

    def late(descriptor: int) -> None:
        if not removed:
            removed.extend(names(tmp_path))
            _disk._remove_stale(tmp_path / "file")
        lock(descriptor)

    monkeypatch.setattr(_disk, "_lock", late)
    put(tmp_path / "file", 5.0)
    assert len(removed) == 1
    assert number_in(tmp_path / "file") == 5.0
    assert names(tmp_path) == ["file"]


def test_so_is_a_folder_that_is_taken_for_stale_before_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, removed = os.open, []

    def late(path: Path, *flags: int, **options: int) -> int:
        if not removed:
            removed.append(path)
            os.rmdir(path)
        return opened(path, *flags, **options)

    monkeypatch.setattr(os, "open", late)
    with _disk.scratch_folder(tmp_path / "file") as folder:
        assert removed
        assert folder.is_dir()
    assert names(tmp_path) == []


def test_what_only_looks_like_scratch_stays(tmp_path: Path) -> None:
    """A link is no scratch; and a digest of another name is none of this file."""
    prefix = _disk._prefix(tmp_path / "file")
    (tmp_path / "mine").write_bytes(b"mine")
    (tmp_path / f"{prefix}0.tmp").symlink_to("mine")
    (tmp_path / ".dynaplan-0.tmp").write_bytes(b"mine")
    put(tmp_path / "file")
    assert names(tmp_path) == sorted(["file", "mine", f"{prefix}0.tmp", ".dynaplan-0.tmp"])


def test_names_may_be_as_long_as_the_system_allows(tmp_path: Path, named: bool) -> None:
    name = "\u00fc" * 127
    put(tmp_path / name)
    put(tmp_path / name)
    assert names(tmp_path) == [name]


@pytest.mark.parametrize("without", ["proc", "file system"])
def test_where_the_system_cannot_do_without_a_name_there_is_one(
    without: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not hasattr(os, "O_TMPFILE"):
        pytest.skip("the system has no files without a name")
    opened, nameless = os.open, os.O_TMPFILE

    def refuse(path: object, flags: int, *mode: int) -> int:
        if flags & nameless == nameless:
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
        return opened(path, flags, *mode)

    if without == "proc":
        monkeypatch.setattr(_disk, "_link_to", lambda descriptor: str(tmp_path / "no-proc"))
    else:
        monkeypatch.setattr(os, "open", refuse)
    with _disk.replacing(tmp_path / "file") as file:
        file.write(b"content")
        assert len(names(tmp_path)) == 1
    assert names(tmp_path) == ["file"]
    assert (tmp_path / "file").read_bytes() == b"content"


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Makes writing beyond this size fail, with EFBIG in place of a full disk's ENOSPC."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_fills_up_leaves_the_old_file_and_no_scratch(
    tmp_path: Path, named: bool
) -> None:
    path = tmp_path / "file"
    rows = np.random.default_rng(0).normal(size=(4000, 5))
    data = dp.Transitions(rows[:, :2], rows[:, 2:3], rows[:, 3:])
    dyna = loop().learn(200)
    for save in (lambda: put(path, 2.0, 10_000), lambda: data.save(path), lambda: dyna.save(path)):
        put(path, 1.0)
        with files_of_at_most(10_000), pytest.raises(OSError, match="File too large") as caught:
            save()
        assert caught.value.errno == errno.EFBIG
        assert caught.value.filename == str(path)
        assert number_in(path) == 1.0
        assert names(tmp_path) == ["file"]


def test_an_error_of_the_disk_names_the_file(
    tmp_path: Path, named: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    put(tmp_path / "file", 1.0)
    for step in ("fsync", "replace", *(() if named else ("link",))):
        with monkeypatch.context() as patched:
            patched.setattr(os, step, full)
            with pytest.raises(OSError, match=r"No space left on device: .*file'") as caught:
                put(tmp_path / "file", 2.0)
        assert caught.value.filename == str(tmp_path / "file")
        assert number_in(tmp_path / "file") == 1.0
        assert names(tmp_path) == ["file"]
    with pytest.raises(FileNotFoundError) as missing:
        put(tmp_path / "nowhere" / "file")
    assert missing.value.filename == str(tmp_path / "nowhere" / "file")


def test_a_checkpoint_puts_nothing_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a kill would leave in the folder of all temporary files, nothing would remove."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    seen: list[str] = []
    write = zipfile.ZipFile.write

    def look(archive: zipfile.ZipFile, *part: object) -> None:
        seen.extend(names(tmp_path))
        write(archive, *part)

    monkeypatch.setattr(zipfile.ZipFile, "write", look)
    dyna = loop()
    dyna.save(tmp_path / "run")
    assert [name for name in seen if not name.startswith(_disk._prefix(tmp_path / "run"))] == []
    assert names(tmp_path) == ["run"]
    monkeypatch.undo()
    again = loop()
    again.restore(tmp_path / "run")
    assert again.steps == dyna.steps


def test_a_failed_part_leaves_the_old_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    dyna = loop()
    dyna.save(tmp_path / "run")
    before = (tmp_path / "run").read_bytes()

    def fail(path: Path) -> None:
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(dyna.agent, "save", fail, raising=False)
    with pytest.raises(KeyboardInterrupt):
        dyna.save(tmp_path / "run")
    assert (tmp_path / "run").read_bytes() == before
    assert names(tmp_path) == ["run"]
