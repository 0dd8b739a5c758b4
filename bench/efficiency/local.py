"""Cells spread over processes of this machine, each cell in a fresh one."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterable, Iterator
from multiprocessing import connection, get_context, parent_process
from typing import Any

from bench.efficiency.evaluation import described, outcome_of
from bench.efficiency.method import Cell

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def spread(cells: Iterable[Cell], workers: int) -> Iterator[tuple[Cell, dict[str, Any]]]:
    """Runs cells, so many at once; yields each with its outcome as it ends.

    A process that dies fails its cell alone. When the caller stops, all processes end.
    """
    waiting = list(cells)[::-1]
    running: dict[Any, tuple[Cell, Any]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                cell = waiting.pop()
                receiver, process = _started(cell)
                running[receiver] = cell, process
            for ready in connection.wait(list(running)):
                cell, process = running.pop(ready)
                yield cell, _received(ready, cell, process)
    finally:
        for _, process in running.values():
            process.kill()


def _started(cell: Cell) -> tuple[Any, Any]:
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(cell, sender))
    with _environment(ONE_THREAD):
        process.start()
    sender.close()  # so that the receiver notices the end of the process
    return receiver, process


def _received(receiver: Any, cell: Cell, process: Any) -> dict[str, Any]:
    try:
        outcome: dict[str, Any] = receiver.recv()
    except EOFError:
        process.join()
        return described(cell, "failed", f"its process died with exit code {process.exitcode}")
    process.join()
    return outcome


def _work(cell: Cell, sender: Any) -> None:
    # Ctrl-C is the parent's to answer: a learner that caught it would stop early.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sender.send(outcome_of(cell))


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


@contextlib.contextmanager
def _environment(changed: dict[str, str]) -> Iterator[None]:
    """Sets variables that new processes inherit, for as long as one is started."""
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
