"""Runs a case: starts a worker per implementation and thread count and alternates between them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bench.case import Case, Implementation, Variant
from bench.measurements import Row

ROOT = Path(__file__).resolve().parent.parent
FOREIGN_CORES = 0.1  # cores used by others, above which a turn counts as disturbed
SETTINGS_KEPT_OUT = ("OMP_PROC_BIND", "OMP_PLACES", "OMP_WAIT_POLICY", "GOMP_CPU_AFFINITY")


@dataclass(frozen=True)
class Options:
    """How to run: rounds, seconds a turn (None: the case's own), thread counts (None: all)."""

    rounds: int = 5
    seconds: float | None = None
    threads: tuple[int, ...] | None = None
    labels: tuple[str, ...] = ()


class WorkerFailedError(RuntimeError):
    """A worker died or an implementation raised."""


def busy_seconds() -> float | None:
    """Returns the busy and stolen processor seconds of the whole machine, None off Linux."""
    try:
        fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
    except OSError:
        return None
    user, nice, system, _idle, _wait, irq, soft, steal = (float(value) for value in fields[:8])
    return (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK")


@dataclass
class WorkerProcess:
    """The runner's end of a worker."""

    row: Row
    process: subprocess.Popen[str]
    log: Any
    samples: list[list[float]] = field(default_factory=list)

    @classmethod
    def start(cls, implementation: Implementation, threads: int) -> WorkerProcess:
        """Starts the process with its environment; nothing is imported yet."""
        chosen = implementation.environment(threads)
        inherited = {k: v for k, v in os.environ.items() if k not in SETTINGS_KEPT_OUT}
        log = tempfile.TemporaryFile("w+", prefix="bench-worker-")  # noqa: SIM115 (closed by stop)
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=ROOT,
            env=inherited | chosen,
        )
        row = Row(implementation.label, implementation.role, threads, environment=chosen)
        return cls(row, process, log)

    def ask(self, **request: Any) -> dict[str, Any]:
        """Sends one request and waits for its reply."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            self.log.seek(0)
            raise WorkerFailedError(f"{self.row.label}: worker died\n{self.log.read()[-2000:]}")
        reply: dict[str, Any] = json.loads(line)
        if "failed" in reply:
            raise WorkerFailedError(f"{self.row.label}: {reply['failed']}")
        return reply

    def take_turn(self, seconds: float, least_calls: int) -> None:
        """Times one turn and notes whether others used the cores meanwhile."""
        before = busy_seconds()
        reply = self.ask(do="turn", seconds=seconds, least_calls=least_calls)
        after = busy_seconds()
        self.samples.append(reply["samples"])
        self.row.facts |= reply.get("facts", {})
        if before is not None and after is not None:
            foreign = (after - before - reply["processor"]) / max(reply["wall"], 1e-9)
            self.row.disturbed += foreign > FOREIGN_CORES

    def stop(self) -> None:
        """Closes the pipe, upon which the worker ends by itself."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.log.close()


def wanted(case: Case, variant: Variant, options: Options) -> list[tuple[Implementation, int]]:
    """Returns implementations and thread counts of a variant that these options ask for."""
    return [
        (implementation, threads)
        for implementation in case.implementations
        if variant.wants(implementation)
        and (
            not options.labels
            or implementation.role == "limit"
            or implementation.label in options.labels
        )
        for threads in variant.threads_of(implementation)
        if options.threads is None
        or threads in options.threads
        or len(variant.threads_of(implementation)) == 1
    ]


def opened(
    case: Case, variant: Variant, options: Options, say: Callable[[str], None]
) -> list[WorkerProcess]:
    """Starts, prepares and warms up all workers, one after the other."""
    workers = []
    for implementation, threads in wanted(case, variant, options):
        say(f"{case.name} / {variant.name}: preparing {implementation.label}, {threads} threads")
        worker = WorkerProcess.start(implementation, threads)
        workers.append(worker)
        try:
            reply = worker.ask(
                do="open",
                module=f"bench.cases.bench_{case.name}",
                variant=variant.name,
                label=implementation.label,
                threads=threads,
            )
            worker.row.skipped = reply.get("skipped", "")
            worker.row.reports = reply.get("reports", "wall")
            worker.row.note = reply.get("note", "")
            worker.row.versions = reply.get("versions", {})
        except WorkerFailedError as error:
            worker.row.skipped = f"failed: {error}"
        if worker.row.skipped:
            say(f"  skipped {implementation.label}: {worker.row.skipped}")
    return workers


def check_answer(case: Case, inputs: Any, worker: WorkerProcess) -> None:
    """Fills in the check of one worker's answer."""
    if case.check is None or worker.row.role == "limit" or not worker.row.timed:
        return
    with tempfile.TemporaryDirectory(prefix="bench-answer-") as folder:
        file = str(Path(folder) / "answer.npy")
        worker.ask(do="answer", file=file)
        worker.row.figure = case.check.figure(inputs, np.load(file, allow_pickle=False))
    if case.check.agrees is not None:
        worker.row.agrees = case.check.agrees(worker.row.figure)


def run_variant(
    case: Case, variant: Variant, options: Options, say: Callable[[str], None]
) -> list[Row]:
    """Returns one row per implementation and thread count, measured in alternating turns."""
    workers = opened(case, variant, options, say)
    try:
        seconds = case.seconds if options.seconds is None else options.seconds
        for turn_of_all in range(options.rounds):
            say(f"{case.name} / {variant.name}: round {turn_of_all + 1} of {options.rounds}")
            # Nobody keeps the same neighbour before it: the order is turned by one each round.
            shift = turn_of_all % max(len(workers), 1)
            for worker in workers[shift:] + workers[:shift]:
                if worker.row.skipped or (worker.row.reports == "facts" and turn_of_all > 0):
                    continue
                try:
                    worker.take_turn(seconds, case.least_calls)
                except WorkerFailedError as error:
                    worker.row.skipped = f"failed: {error}"
                    say(f"  {worker.row.skipped}")
        inputs = case.inputs(**variant.parameters) if case.check is not None else None
        for worker in workers:
            worker.row.summarise(worker.samples)
            try:
                check_answer(case, inputs, worker)
            except WorkerFailedError as error:
                worker.row.note += f" answer failed: {error}"
    finally:
        for worker in workers:
            worker.stop()
    return [worker.row for worker in workers]


def run_case(case: Case, options: Options, say: Callable[[str], None]) -> dict[str, list[Row]]:
    """Returns the rows of every variant."""
    rows = {}
    for variant in case.variants:
        start = time.perf_counter()
        rows[variant.name] = run_variant(case, variant, options, say)
        say(f"{case.name} / {variant.name}: {time.perf_counter() - start:.0f} s")
    return rows
