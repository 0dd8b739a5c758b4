"""Logs of a Dyna loop: CSV and TensorBoard."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

import dynaplan as dp
from dynaplan.loops.logs import CSVLog
from reference.dyna_loop import loop


def test_the_csv_has_a_row_for_each_iteration_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    dyna = loop()
    list(dyna.run(250, csv=path))
    dyna.save(tmp_path / "here")
    list(dyna.run(100, csv=path))
    again = loop()
    again.restore(tmp_path / "here")
    seen = list(again.run(200, csv=path))  # in place of the rows beyond 250
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["steps"]) for row in rows] == [200, 250, 400, 450]
    assert float(rows[-1]["episode_return"]) == seen[-1].episode_return
    assert float(rows[-1]["model_error"]) == pytest.approx(seen[-1].model_error)
    path.write_text("a,b\n1,2\n")
    with pytest.raises(dp.ArgumentError, match="no log of this loop"):
        list(again.run(1, csv=path))


def test_tensorboard_has_the_same_numbers(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.record_writer import masked_crc32c  # noqa: F401  # of the same package

    it = list(loop().run(120, tensorboard=tmp_path))[-1]
    content = next(tmp_path.iterdir()).read_bytes()
    found, at = {}, 0
    while at < len(content):
        length = int.from_bytes(content[at : at + 8], "little")
        event = Event.FromString(content[at + 12 : at + 12 + length])
        at += length + 16
        for value in event.summary.value:
            found[value.tag] = (event.step, value.simple_value)
    assert found["dyna/episode_return"] == (120, pytest.approx(it.episode_return, rel=1e-5))
    assert found["dyna/length"] == (120, it.length)


def test_without_tensorboardx_it_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tensorboardX", None)
    with pytest.raises(ImportError):
        list(loop().run(10, tensorboard=tmp_path))


def test_a_log_that_is_no_regular_file_is_refused(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="pipe"):
        CSVLog(pipe, 0)
    assert pipe.is_fifo()


def test_a_log_keeps_its_rows_where_it_cannot_be_written_anew(tmp_path, monkeypatch):
    path = tmp_path / "log.csv"
    CSVLog(path, 0).close()
    before = path.read_bytes()

    def fail(*_):
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk is full"):
        CSVLog(path, 0)
    assert path.read_bytes() == before
