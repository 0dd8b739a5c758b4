"""Changes files of every kind at random, for a bounded time, and loads each of them.

    python tests/fuzz/fuzz_model_files.py --seconds 20 --seed 1

`load`, or `restore` of a checkpoint, must give an object that works, or a ModelFileError; anything
else is a failure: another exception, a warning of more than its numbers, memory far beyond the
file's size, a crash, half a minute without an end. Most files are signed anew after the change, so
that the checksum does not hide what stands behind it. Case n of a seed is always the same, but for
the dates in zip files: `--case n` runs it alone. The file of the last case stays where the first
line says if the process dies.
"""

from __future__ import annotations

import argparse
import collections
import faulthandler
import re
import secrets
import shutil
import sys
import tempfile
import time
import traceback
import tracemalloc
import warnings
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kinds import KINDS, Kind
from mutations import choice

import dynaplan as dp
from model_files import signed

# A loaded file takes: itself, its arrays twice, a mask; and JSON of a header, some hundred kB.
MEMORY_TIMES, MEMORY_PLUS = 5, 2_000_000
SECONDS_PER_FILE = 30.0


def reason_in(message: str) -> str:
    """What is the same from file to file, so that reasons can be counted."""
    return re.sub(r"'[^']*'|\"[^\"]*\"|[-\d.e+]*\d", "#", message)[:60]


def outcome(kind: Kind, path: Path, content: bytes) -> str:
    """Loads the file; returns why it was refused, or "loaded"."""
    path.write_bytes(content)
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    try:
        loaded = kind.load(path)
    except dp.ModelFileError as error:
        message = str(error)
        if not message.startswith(f"{path}: "):
            raise
        return reason_in(message.removeprefix(f"{path}: "))
    finally:
        taken = tracemalloc.get_traced_memory()[1] - before
        if taken > MEMORY_TIMES * len(content) + MEMORY_PLUS:
            raise AssertionError(f"{taken} bytes were taken for a file of {len(content)}")
    if signed(content) != content and not content.startswith(b"PK"):
        raise AssertionError("a file with a wrong checksum was loaded")
    with np.errstate(all="ignore"):
        kind.use(loaded, path)
    return "loaded"


def limit_memory() -> None:
    """Makes a large allocation outside Python fail, where the system can."""
    if sys.platform == "linux":
        import resource

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        limit = pages * resource.getpagesize() + 2**30
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))


def run_case(seed: int, case: int, good: dict[str, list[bytes]], path: Path) -> str | None:
    """Runs one case; shows a failure and returns None."""
    random = np.random.default_rng((seed, case))
    name, other = choice(random, list(KINDS)), choice(random, list(KINDS))
    content, other = choice(random, good[name]), choice(random, good[choice(random, [name, other])])
    content = KINDS[name].change(random, content, other)
    faulthandler.dump_traceback_later(SECONDS_PER_FILE, exit=True)
    try:
        return f"{name}: {outcome(KINDS[name], path, content)}"
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        traceback.print_exc()
        print(f"FAILURE: --seed {seed} --case {case}, a file of {name}", flush=True)
        return None
    finally:
        faulthandler.cancel_dump_traceback_later()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--seed", type=int, help="default: drawn and shown")
    parser.add_argument("--case", type=int, help="run this case alone")
    arguments = parser.parse_args()
    seed = secrets.randbits(32) if arguments.seed is None else arguments.seed
    folder = Path(tempfile.mkdtemp(prefix="fuzz-model-files-"))
    print(f"seed {seed}, files in {folder}", flush=True)

    faulthandler.enable()
    warnings.simplefilter("error")
    # A file may be whole and hold numbers that are worth a word.
    warnings.simplefilter("ignore", dp.SuspectDataWarning)
    path, good = folder / "case", {name: kind.files(folder) for name, kind in KINDS.items()}
    for name, kind in KINDS.items():  # also imports what is imported late
        for content in good[name]:
            assert outcome(kind, path, content) == "loaded"
    tracemalloc.start()
    limit_memory()
    reasons: collections.Counter[str | None] = collections.Counter()
    deadline = time.monotonic() + arguments.seconds
    case = arguments.case or 0
    while time.monotonic() < deadline:
        reasons[run_case(seed, case, good, path)] += 1
        case += 1
        if arguments.case is not None or reasons[None] >= 5:
            break

    for reason, count in reasons.most_common(60):
        print(f"{count:7d}  {reason}")
    failed = reasons[None]
    if not failed:
        shutil.rmtree(folder)
    print(f"{reasons.total() - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
