"""A worker process: one implementation with one thread count, kept alive over all rounds.

Speaks JSON, one line a message, over the pipe it was started with. Library chatter on standard
output is sent to standard error, so that it can never mix with the answers.
"""

from __future__ import annotations

import gc
import importlib
import importlib.metadata
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, TextIO

import numpy as np

from bench.case import Implementation, Prepared

WARM_UP_SECONDS = 0.2
WAKE_CALLS = 2  # untimed calls at the start of a turn: pools wake up, caches fill
MOST_CALLS = 2000  # of one turn; a p99 needs no more
QUIET_SECONDS = 0.002  # processor time within one nap that counts as idle
NAP_SECONDS = 0.05
LONGEST_SETTLING = 1.0
DISTRIBUTIONS = ("numpy", "scipy", "torch", "jax", "numba", "pytorch-mppi", "pytorch-icem")
DISTRIBUTIONS += ("stable-baselines3", "mbrl")


def processor_seconds() -> float:
    """Returns the processor time of this process, its threads and its finished children."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def settle() -> None:
    """Waits until thread pools of this process stop spinning (MKL's spin for 0.2 s by default)."""
    end = time.perf_counter() + LONGEST_SETTLING
    while time.perf_counter() < end:
        before = time.process_time()
        time.sleep(NAP_SECONDS)
        if time.process_time() - before < QUIET_SECONDS:
            return


def timed(prepared: Prepared, seconds: float, least_calls: int) -> list[float]:
    """Returns the samples of one turn."""
    run: Callable[[], Any] = prepared.run
    clock = time.perf_counter
    samples: list[float] = []
    gc.collect()
    gc.disable()
    try:
        if prepared.reports != "wall":
            end = clock() + seconds
            samples.append(float(run()))
            while clock() < end or len(samples) < least_calls:
                samples.append(float(run()))
            return samples
        for _ in range(WAKE_CALLS if least_calls > 1 else 0):
            run()
        end = clock() + seconds
        while len(samples) < least_calls or (clock() < end and len(samples) < MOST_CALLS):
            start = clock()
            run()
            samples.append(clock() - start)
    finally:
        gc.enable()
    return samples


def warm_up(prepared: Prepared) -> None:
    """Calls until compilation, page faults and branch predictors are behind us."""
    end = time.perf_counter() + WARM_UP_SECONDS
    prepared.run()
    while time.perf_counter() < end:
        prepared.run()


def versions() -> dict[str, str]:
    """Returns the versions of the measured packages that this worker has loaded."""
    return {
        name: importlib.metadata.version(name)
        for name in DISTRIBUTIONS
        if name.replace("-", "_") in sys.modules
    }


class Worker:
    """Carries out the runner's requests."""

    def __init__(self) -> None:
        self.prepared: Prepared | None = None

    def open(self, request: dict[str, Any]) -> dict[str, Any]:
        """Imports, prepares and warms up; a missing package is an answer, not an error."""
        case = importlib.import_module(request["module"]).CASE
        variant = case.variant(request["variant"])
        implementation: Implementation = case.implementation(request["label"])
        try:
            inputs = case.inputs(**variant.parameters)
            self.prepared = implementation.prepare(inputs, request["threads"])
        except ImportError as error:
            return {"skipped": f"not installed: {error}"}
        if self.prepared.reports == "wall":
            warm_up(self.prepared)
        settle()
        return {
            "reports": self.prepared.reports,
            "note": self.prepared.note,
            "versions": versions(),
        }

    def turn(self, request: dict[str, Any]) -> dict[str, Any]:
        """Times one turn; facts are returned as they are."""
        assert self.prepared is not None, "turn before open"
        before, start = processor_seconds(), time.perf_counter()
        if self.prepared.reports == "facts":
            within = self.prepared.within
            found = self.prepared.run() if within is None else within(request["seconds"])
            reply: dict[str, Any] = {"facts": found, "samples": []}
        else:
            samples = timed(self.prepared, request["seconds"], request["least_calls"])
            reply = {"samples": samples}
        settle()
        reply["wall"] = time.perf_counter() - start
        reply["processor"] = processor_seconds() - before
        return reply

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Writes the answer to the file the runner named."""
        assert self.prepared is not None, "answer before open"
        np.save(request["file"], np.asarray(self.prepared.answered()), allow_pickle=False)
        return {}


def serve(requests: TextIO, replies: TextIO) -> None:
    """Answers requests until the pipe is closed."""
    worker = Worker()
    for line in requests:
        request = json.loads(line)
        try:
            action = {"open": worker.open, "turn": worker.turn, "answer": worker.answer}[
                request["do"]
            ]
            reply = action(request)
        except Exception:  # the runner prints it; the other workers go on
            reply = {"failed": traceback.format_exc()}
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


if __name__ == "__main__":
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    serve(sys.stdin, channel)
