"""Regular files: opened without waiting, and written whole or not at all.

What is written goes to scratch in the same folder, to the disk, and then takes the place of the
file. Where the system can, scratch has no name until it is complete, and nothing is left of it
when the process is killed. Elsewhere it has a name that begins with `.dynaplan-`; whoever writes
holds a lock on it, so that the next writing of the same file can tell what was left behind.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

if sys.platform != "win32":
    import fcntl

__all__ = ["opened", "replacing", "scratch_folder"]

_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
# Scratch is its writer's alone until it is complete.
_PRIVATE = 0o600
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def opened(path: Path) -> BinaryIO:
    """Opens a regular file for reading; anything else is refused, and nothing is waited for.

    Raises:
        OSError: there is no such file, it cannot be read, or it is no regular file.
    """
    # Once before, as some devices act on being opened, and once on what was opened in the end.
    _require_regular(os.stat(path), path)
    descriptor = os.open(path, _READ)
    try:
        _require_regular(os.fstat(descriptor), path)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Opens a file that takes the place of `path` once it is written, or leaves it as it was.

    Whoever opens `path` finds the old file or the new one, whole, at any time. A symbolic link
    stays, and what it leads to is replaced. The new file has the mode of the old one and, where
    permitted, its owner and group.

    Raises:
        OSError: `path` is no regular file, or the folder does not exist or cannot be written to.
    """
    with _named_in_errors(path):
        old = _status(path)
        target = Path(os.path.realpath(path))
        _remove_stale(target)
        descriptor, scratch = _scratch_file(target, 0o666 if old is None else _PRIVATE)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                if old is not None:
                    _take_rights(descriptor, old)
                os.fsync(descriptor)
                if scratch is None:
                    scratch = _linked(descriptor, target)
                if sys.platform == "win32":
                    file.close()  # an open file cannot be moved there
                # Still locked: until it is moved, no other writer may take it for stale.
                os.replace(scratch, target)
        finally:
            if scratch is not None:
                scratch.unlink(missing_ok=True)


@contextmanager
def scratch_folder(path: Path) -> Iterator[Path]:
    """Makes a folder beside the file `path`, for parts of what is being written to it.

    It is gone at the end; after a kill, the next `replacing` of `path` removes it.

    Raises:
        OSError: the folder of `path` does not exist or cannot be written to.
    """
    if sys.platform == "win32":  # a folder cannot be opened there, hence not be locked
        with TemporaryDirectory() as name:
            yield Path(name)
        return
    with _named_in_errors(path):
        folder, descriptor = _claimed(Path(os.path.realpath(path)), _make_folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(descriptor)


@contextmanager
def _named_in_errors(path: Path) -> Iterator[None]:
    """Names the file that was asked for in errors of the system, which knows the scratch alone."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error


def _require_regular(status: os.stat_result, path: Path) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "something else")
        raise OSError(errno.EINVAL, f"is {kind}, must be a regular file", os.fspath(path))


def _status(path: Path) -> os.stat_result | None:
    """Returns the status of a regular file, or None where there is no file yet."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    _require_regular(status, path)
    return status


def _take_rights(descriptor: int, old: os.stat_result) -> None:
    """Gives an open file the mode of an old one and, where permitted, its group and owner."""
    if sys.platform == "win32":
        return
    for owner, group in ((-1, old.st_gid), (old.st_uid, -1)):
        with suppress(OSError):
            os.fchown(descriptor, owner, group)
    new, mode = os.fstat(descriptor), stat.S_IMODE(old.st_mode)
    if new.st_gid != old.st_gid:
        # What the old group may do is not for another group: it may do what everyone may.
        mode = mode & ~0o070 | (mode & 0o007) << 3
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        mode &= 0o777
    if stat.S_IMODE(new.st_mode) != mode:  # some file systems know one mode only
        os.fchmod(descriptor, mode)


def _prefix(target: Path) -> str:
    # A digest, as a name may be as long as the system allows.
    return f".dynaplan-{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]}-"


def _scratch_name(target: Path) -> Path:
    return target.with_name(f"{_prefix(target)}{secrets.token_hex(8)}.tmp")


def _scratch_file(target: Path, mode: int) -> tuple[int, Path | None]:
    """Opens a locked file beside `target`, without a name where the system can."""
    if hasattr(os, "O_TMPFILE"):
        with suppress(OSError):  # not every file system can; or the folder fails for both ways
            descriptor = os.open(target.parent, os.O_TMPFILE | os.O_WRONLY, mode)
            if os.path.exists(_link_to(descriptor)):
                _lock(descriptor)
                return descriptor, None
            os.close(descriptor)

    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    scratch, descriptor = _claimed(target, lambda scratch: os.open(scratch, flags, mode))
    return descriptor, scratch


def _link_to(descriptor: int) -> str:
    return f"/proc/self/fd/{descriptor}"


def _linked(descriptor: int, target: Path) -> Path:
    """Gives a file without a name one beside `target`."""
    scratch = _scratch_name(target)
    # The kernel ignores the dir_fd, as the path is absolute. Python follows links with one only.
    os.link(_link_to(descriptor), scratch, src_dir_fd=descriptor, follow_symlinks=True)
    return scratch


def _make_folder(scratch: Path) -> int | None:
    scratch.mkdir(0o700)
    try:
        return os.open(scratch, os.O_RDONLY)
    except FileNotFoundError:
        return None


def _claimed(target: Path, create: Callable[[Path], int | None]) -> tuple[Path, int]:
    """Creates scratch that has a name, and locks it for as long as its descriptor is open."""
    while True:
        scratch = _scratch_name(target)
        descriptor = create(scratch)
        # Until it is locked, another writer may take it for stale and remove it.
        if descriptor is not None:
            _lock(descriptor)
            if scratch.exists():
                return scratch, descriptor
            os.close(descriptor)


def _lock(descriptor: int) -> None:
    """Locks scratch, where its file system can: where not, `_remove_stale` cannot either."""
    if sys.platform != "win32":
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)


def _remove_stale(target: Path) -> None:
    """Removes the scratch of `target` that no living process holds."""
    if sys.platform == "win32":
        return
    with suppress(OSError), os.scandir(target.parent) as entries:
        for entry in entries:
            if entry.name.startswith(_prefix(target)):
                with suppress(OSError):  # it is held, or another user's
                    _remove_unlocked(entry)


def _remove_unlocked(entry: os.DirEntry[str]) -> None:
    is_folder = entry.is_dir(follow_symlinks=False)
    # On network file systems an exclusive lock needs a file that is open for writing.
    access = os.O_RDONLY if is_folder else os.O_RDWR
    descriptor = os.open(entry.path, access | os.O_NONBLOCK | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if is_folder:
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)
    finally:
        os.close(descriptor)
