"""Damaged logs of every kind: each is refused in one line that names the file, or read."""

from __future__ import annotations

import importlib.util
import random
import warnings
from pathlib import Path

import numpy as np
import pytest

import dynaplan as dp

NAMES = {"states": ["x", "v"], "actions": "u", "episode": "run", "time": "t"}
FILES = 40  # of each kind; more of them, in turns, have been tried
ROWS = 60
PACKAGES = {"csv": "csv", "parquet": "pyarrow", "arrow": "pyarrow", "h5": "h5py"}


def columns():
    rng, i = np.random.default_rng(0), np.arange(ROWS)
    numbers = {"x": rng.normal(size=ROWS), "v": rng.normal(size=ROWS).astype(np.float32)}
    return {"t": 0.1 * i, **numbers, "u": i % 3, "run": i // 20}


def intact(path: Path) -> bytes:
    log = columns()
    if path.suffix == ".csv":
        rows = [
            ",".join(log),
            *(",".join(map(str, row)) for row in zip(*log.values(), strict=True)),
        ]
        path.write_text("\n".join(rows))
    elif path.suffix == ".h5":
        import h5py

        with h5py.File(path, "w") as file:
            for name, values in log.items():
                file.create_dataset(name, data=values, chunks=(10,), compression="gzip")
    else:
        import pyarrow.parquet

        table = pyarrow.table({**log, "kind": pyarrow.array(["a", "b"] * 30).dictionary_encode()})
        if path.suffix == ".parquet":
            pyarrow.parquet.write_table(table, path, row_group_size=25)
        else:
            with pyarrow.ipc.new_file(path, table.schema) as file:
                file.write_table(table, max_chunksize=25)
    return path.read_bytes()


def damaged(content: bytes, draw: random.Random) -> bytes:
    """The content with one fault: cut, bits flipped, parts lost, put in, copied or set to zero."""
    data, place = bytearray(content), draw.randrange(len(content))
    length = draw.randrange(1, 40)
    fault = draw.choice(["cut", "flip", "lose", "insert", "copy", "zero", "ends"])
    if fault == "cut":
        del data[place:]
    elif fault == "flip":
        for _ in range(length // 5 + 1):
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    elif fault == "lose":
        del data[place : place + length]
    elif fault == "insert":
        data[place:place] = draw.randbytes(length)
    elif fault == "copy":
        other = draw.randrange(len(data))
        data[place : place + length] = data[other : other + length]
    elif fault == "zero":
        data[place : place + length] = bytes(length)
    else:
        data[-draw.randrange(1, 400)] ^= 1 << draw.randrange(8)
        data[draw.randrange(200)] ^= 1 << draw.randrange(8)
    return bytes(data)


def read_or_refused(path: Path) -> bool:
    """Whether the file is read; if not, what it is refused by is looked at."""
    message = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dp.SuspectDataWarning)
        try:
            data = dp.Transitions.read(path, **NAMES)
        except dp.Error as error:
            message = str(error)
    if message is None:
        assert np.isfinite(data.states).all()
        return True
    assert path.name in message
    assert "\n" not in message
    return False


@pytest.mark.parametrize("ending", PACKAGES)
def test_a_damaged_file_is_refused_by_its_name_or_read(tmp_path, ending):
    if importlib.util.find_spec(PACKAGES[ending]) is None:
        pytest.skip(f"{PACKAGES[ending]} is not installed")
    content = intact(tmp_path / f"intact.{ending}")
    assert read_or_refused(tmp_path / f"intact.{ending}")
    refused = 0
    for seed in range(FILES):
        path = tmp_path / f"log.{ending}"
        path.write_bytes(damaged(content, random.Random(seed)))
        before = path.read_bytes()
        refused += not read_or_refused(path)
        assert path.read_bytes() == before
        assert sorted(other.name for other in tmp_path.iterdir()) == [f"intact.{ending}", path.name]
    assert refused > FILES // 4


@pytest.mark.parametrize("ending", PACKAGES)
@pytest.mark.parametrize("content", [b"", b"\0" * 4096, b"\xff" * 4096, b"PAR1", b"a" * 3_000_000])
def test_what_is_no_such_file_is_refused(tmp_path, ending, content):
    if importlib.util.find_spec(PACKAGES[ending]) is None:
        pytest.skip(f"{PACKAGES[ending]} is not installed")
    (tmp_path / f"log.{ending}").write_bytes(content)
    assert not read_or_refused(tmp_path / f"log.{ending}")


def test_a_file_of_another_kind_is_refused(tmp_path):
    pytest.importorskip("pyarrow")
    content = intact(tmp_path / "log.parquet")
    for ending in ("csv", "arrow"):
        (tmp_path / f"other.{ending}").write_bytes(content)
        assert not read_or_refused(tmp_path / f"other.{ending}")
