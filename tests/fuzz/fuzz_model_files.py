"""Changes model files at random, for a bounded time, and loads each of them.

    python tests/fuzz/fuzz_model_files.py --seconds 20 --seed 1

`load` must give a model that works, or a ModelFileError; anything else is a failure: another
exception, a warning, memory far beyond the file's size, a crash. Most files are signed anew after
the change, so that the checksum does not hide what stands behind it. Case n of a seed is always the
same: `--case n` runs it alone. The file of the last case stays where the first line says if the
process dies.
"""

from __future__ import annotations

import argparse
import collections
import faulthandler
import json
import re
import secrets
import shutil
import sys
import tempfile
import time
import traceback
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import dynaplan as dp
from model_files import MODELS, NETWORKS, joined, signed, split

Random = np.random.Generator

# Values at which parsers and sizes go wrong.
NUMBERS = [0, 1, -1, 2, 3, 7, 8, 64, 255, 2**20, 2**31, 2**32, 2**53, 2**63, 2**64, 10**19, 10**30]
VALUES = [*NUMBERS, 0.5, -0.0, 1e308, 5e-324, True, None, "", "F32", "F64", "I64", "\u00fc", [], {}]
DOUBLES = [0.0, -0.0, 1.0, -1.0, 1e300, -1e300, 1e-300, 5e-324, 1e154, np.nan, np.inf, -np.inf]
# A loaded file takes: itself, its arrays twice, a mask; and JSON of a header, some hundred kB.
MEMORY_TIMES, MEMORY_PLUS = 5, 2_000_000
SECONDS_PER_FILE = 30.0


def choice(random: Random, items: list[Any]) -> Any:
    return items[int(random.integers(len(items)))]


def truncate(random: Random, content: bytes, other: bytes) -> bytes:
    return content[: int(random.integers(len(content) + 1))]


def extend(random: Random, content: bytes, other: bytes) -> bytes:
    return content + choice(random, [b"\0", b"{}", other, random.bytes(64)])


def flip_bits(random: Random, content: bytes, other: bytes) -> bytes:
    changed = bytearray(content)
    # Half of the time within the header, which is what parsers read.
    end = 8 + int.from_bytes(content[:8], "little") if random.random() < 0.5 else len(content)
    for _ in range(int(random.integers(1, 9))):
        changed[int(random.integers(min(end, len(content))))] ^= 1 << int(random.integers(8))
    return bytes(changed)


def splice(random: Random, content: bytes, other: bytes) -> bytes:
    begin, end = sorted(int(place) for place in random.integers(len(content), size=2))
    start = int(random.integers(len(other)))
    return content[:begin] + other[start : start + end - begin] + content[end:]


def change_length(random: Random, content: bytes, other: bytes) -> bytes:
    length = int.from_bytes(content[:8], "little") + int(random.integers(-16, 17))
    length = choice(random, [length, *NUMBERS, int(random.integers(2**62))])
    return (length % 2**64).to_bytes(8, "little") + content[8:]


def change_numbers(random: Random, content: bytes, other: bytes) -> bytes:
    header, data = split(content)
    changed = bytearray(data)
    for _ in range(int(random.integers(1, 5))):
        place = 4 * int(random.integers(len(data) // 4 - 1))
        changed[place : place + 8] = np.float64(choice(random, DOUBLES)).tobytes()
    return joined(header, bytes(changed))


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container with every key in it, at any depth."""
    keys = list(value) if isinstance(value, dict) else range(len(value))
    found = [(value, key) for key in keys]
    for key in keys:
        if isinstance(value[key], (dict, list)):
            found += places(value[key])
    return found


def edit_json(random: Random, value: Any) -> None:
    """Changes one place of a JSON document: another value, another place's, a key less or more."""
    container, key = choice(random, places(value))
    kind = int(random.integers(5))
    if kind == 0:
        container[key] = choice(random, VALUES)
    elif kind == 1:
        other, other_key = choice(random, places(value))
        container[key] = json.loads(json.dumps(other[other_key]))
    elif kind == 2:
        del container[key]
    elif isinstance(container[key], int) and kind == 3:
        container[key] += int(random.integers(-2, 3))
    elif isinstance(container, dict):
        container[str(choice(random, VALUES))] = container[key]
    else:
        container.append(choice(random, VALUES))


def edit_header(random: Random, content: bytes, other: bytes) -> bytes:
    header, data = split(content)
    for _ in range(int(random.integers(1, 4))):
        edit_json(random, header)
        if not header:
            break
    return joined(header, data)


def edit_document(random: Random, content: bytes, other: bytes) -> bytes:
    header, data = split(content)
    document = json.loads(header["__metadata__"]["dynaplan"])
    for _ in range(int(random.integers(1, 4))):
        edit_json(random, document)
        if not document:
            break
    header["__metadata__"]["dynaplan"] = json.dumps(document)
    return joined(header, data)


def edit_text(random: Random, content: bytes, other: bytes) -> bytes:
    """Repeats or removes a piece of the header's text, or puts a piece of JSON in."""
    header, data = split(content)
    text = json.dumps(header).encode()
    begin, end = sorted(int(place) for place in random.integers(len(text), size=2))
    piece = choice(random, [text[begin:end], b"", b"[" * 9999, b'"x":1,', b"1e999", b"9" * 5000])
    return joined(text[:begin] + piece + text[choice(random, [begin, end]) :], data)


MUTATIONS: list[Callable[[Random, bytes, bytes], bytes]] = [
    truncate,
    extend,
    flip_bits,
    splice,
    change_length,
    change_numbers,
    edit_header,
    edit_document,
    edit_text,
]


def mutated(random: Random, seeds: list[bytes]) -> bytes:
    """One case: a good file with one change, seldom two, signed anew in four of five cases."""
    content = choice(random, seeds)
    for _ in range(1 + int(random.random() < 0.2)):
        try:
            content = choice(random, MUTATIONS)(random, content, choice(random, seeds))
        except (AttributeError, LookupError, RecursionError, TypeError, ValueError):
            break  # the first change left no header to make the second in
    return signed(content) if random.random() < 0.8 else content


def outcome(path: Path, content: bytes) -> str:
    """Loads the file; returns why it was refused, or "loaded"."""
    path.write_bytes(content)
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    try:
        model = dp.load(path)
    except dp.ModelFileError as error:
        message = str(error).removeprefix(f"{path}: ")
        # What is different from file to file is left out, so that reasons can be counted.
        return re.sub(r"'[^']*'|\"[^\"]*\"|[-\d.e+]*\d", "#", message)[:50]
    finally:
        taken = tracemalloc.get_traced_memory()[1] - before
        if taken > MEMORY_TIMES * len(content) + MEMORY_PLUS:
            raise AssertionError(f"{taken} bytes were taken for a file of {len(content)}")
    if signed(content) != content:
        raise AssertionError("a file with a wrong checksum was loaded")
    with np.errstate(all="ignore"):
        model.predict(np.zeros(model.state_dim), np.zeros(model.action_dim))
    model.save(path)
    return "loaded"


def limit_memory() -> None:
    """Makes a large allocation outside Python fail, where the system can."""
    if sys.platform == "linux":
        import resource

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        limit = pages * resource.getpagesize() + 2**30
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))


def seed_files(folder: Path) -> list[bytes]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dp.RankDeficientWarning)
        for number, make in enumerate([*MODELS.values(), *NETWORKS.values()]):
            make().save(folder / f"seed-{number}")
    return [path.read_bytes() for path in sorted(folder.glob("seed-*"))]


def run_case(seed: int, case: int, seeds: list[bytes], path: Path) -> str | None:
    """Runs one case; shows a failure and returns None."""
    content = mutated(np.random.default_rng((seed, case)), seeds)
    faulthandler.dump_traceback_later(SECONDS_PER_FILE, exit=True)
    try:
        return outcome(path, content)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        traceback.print_exc()
        print(f"FAILURE: --seed {seed} --case {case}", flush=True)
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
    path, seeds = folder / "case", seed_files(folder)
    assert outcome(path, signed(seeds[0])) == "loaded"  # also imports what is imported late
    tracemalloc.start()
    limit_memory()
    reasons: collections.Counter[str | None] = collections.Counter()
    deadline = time.monotonic() + arguments.seconds
    case = arguments.case or 0
    while time.monotonic() < deadline:
        reasons[run_case(seed, case, seeds, path)] += 1
        case += 1
        if arguments.case is not None or reasons[None] >= 5:
            break

    for reason, count in reasons.most_common():
        print(f"{count:7d}  {reason}")
    failed = reasons[None]
    if not failed:
        shutil.rmtree(folder)
    print(f"{reasons.total() - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
