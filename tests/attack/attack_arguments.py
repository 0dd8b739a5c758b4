"""Calls everything public with hostile arguments, for a bounded time.

    python tests/attack/attack_arguments.py --seconds 180
    python tests/attack/attack_arguments.py --seed 1 --trial 17

Each trial takes a valid call from the tables of the tests and puts hostile values in the place of
one to three of its arguments. It must return, or refuse by one of dynaplan's errors, a TypeError, a
ValueError, a MemoryError, or what its docstring names; an exception of the caller's own function
passes as it is. All else is a failure: another exception, a signal, a call that does not end and
cannot be interrupted. Trial n of a seed is always the same: `--trial n` runs it alone.

The trials run in a process of their own, with bounded memory, in a folder of their own. What is no
failure but worth a look is counted, and listed with `--notes`.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import re
import secrets
import select
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

# Seconds after which a trial that could not be interrupted is killed. An honest one that works on
# as much memory as it may have takes a few.
SECONDS_PER_TRIAL = 30.0
SECONDS_TO_START = 120.0
MEMORY = 4 * 2**30
TRIALS_OF_A_WORKER = 5000
PROGRAM = [sys.executable, __file__]
FAILURES = ("signal", "hang", "foreign")


@dataclass
class Report:
    """What the trials came to, each distinct finding once."""

    seed: int
    counts: collections.Counter[str] = field(default_factory=collections.Counter)
    failures: dict[tuple[str, ...], list[str]] = field(default_factory=dict)
    notes: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def take(self, found: dict[str, Any]) -> None:
        """Adds the outcome of a trial; shows it if it is a failure of a new kind."""
        kind, row = found["kind"], found["row"]
        self.counts[kind] += 1
        again = f"{found['trial']}  [--seed {self.seed} --trial {found['number']}]"
        if kind in FAILURES:
            # One fault has one place, whichever way it is reached.
            place = (found["where"],) if found["where"] else (row, *found["arguments"])
            key = (kind, found["error"], *place)
            text = f"{kind}: {found['error']}: {found['message'][:160]} ({found['where']})"
            if key not in self.failures:
                print(f"{text}\n    {again}", flush=True)
            self.failures.setdefault(key, [text]).append(again)
        for note in found["notes"]:
            self.notes.setdefault(tuple(note), []).append(again)

    def show(self, with_notes: bool) -> None:
        """Prints the summary."""
        print("\n" + ", ".join(f"{count} {kind}" for kind, count in self.counts.most_common()))
        kinds = collections.Counter(kind for kind, _ in self.notes)
        print("distinct notes: " + ", ".join(f"{count} {kind}" for kind, count in kinds.items()))
        if with_notes:
            for (kind, text), trials in sorted(self.notes.items()):
                print(f"{kind}: {text}\n    {len(trials)} x, such as {trials[0]}")
        for key in sorted(self.failures):
            text, *trials = self.failures[key]
            print(f"\n{len(trials)} x {text}")
            print("\n".join(f"    {trial}" for trial in trials[:3]))
        print(f"{self.counts.total()} trials, {len(self.failures)} distinct failures")


class Worker:
    """A process that runs the trials `first`, `first + step`, ... and says what they come to."""

    def __init__(self, options: list[str], first: int, step: int) -> None:
        self.log = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115  # for its life
        read, write = os.pipe()
        command = [*PROGRAM, *options, "--worker", str(write), str(first), str(step)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, pass_fds=[write]
        )
        os.close(write)
        self.pipe: IO[bytes] = os.fdopen(read, "rb", buffering=0)
        # What it said last: the trial that it begins, or its outcome, which has a kind.
        self.said: dict[str, Any] = {"number": first - step, "kind": ""}
        self.deadline = time.monotonic() + SECONDS_TO_START
        self.left = b""

    def lines(self) -> list[dict[str, Any]] | None:
        """What the process has said since; None once it has said all."""
        data = os.read(self.pipe.fileno(), 1 << 16)
        if not data:
            return None
        *whole, self.left = (self.left + data).split(b"\n")
        self.deadline = time.monotonic() + SECONDS_PER_TRIAL
        return [json.loads(line) for line in whole]

    def end(self) -> tuple[str, str]:
        """Ends the process; returns how it ended, and the innermost line of the package."""
        if self.process.poll() is None and time.monotonic() > self.deadline:
            self.process.send_signal(signal.SIGABRT)  # shows where it hangs
        try:
            self.process.wait(5.0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.pipe.close()
        self.log.seek(0)
        text = self.log.read()
        places = re.findall(r'File "[^"]*/dynaplan/([^"]+)", line (\d+)', text)
        last = [line for line in text.split("\n") if line and not line.startswith("Extension")]
        fatal = re.findall(r"Fatal Python error: .*", text) or last[-3:]
        where = ":".join(places[0]) if places else ""
        return f"exit {self.process.returncode}, {' '.join(fatal)}", where

    def stop(self) -> None:
        """Ends the process, whatever it does."""
        self.process.kill()
        self.process.wait()
        self.pipe.close()


def attack(arguments: argparse.Namespace, seed: int) -> Report:
    """Runs trials until the time is over or their number is reached."""
    with tempfile.TemporaryDirectory(prefix="attack-") as folder:
        options = ["--seed", str(seed), "--only", arguments.only, "--folder", folder]
        return _attack(arguments, options, Report(seed))


def _attack(arguments: argparse.Namespace, options: list[str], report: Report) -> Report:
    step = arguments.workers
    workers = [Worker(options, first, step) for first in range(step)]
    end = time.monotonic() + arguments.seconds
    while time.monotonic() < end and report.counts.total() < arguments.count:
        ready = select.select([worker.pipe for worker in workers], [], [], 0.5)[0]
        for place, worker in enumerate(workers):
            lines = worker.lines() if worker.pipe in ready else []
            for worker.said in lines or []:
                if "kind" in worker.said:
                    report.take(worker.said)
            is_over = time.monotonic() > worker.deadline
            if lines is not None and not is_over:
                continue
            message, where = worker.end()
            if "kind" not in worker.said:
                kind = "hang" if is_over else "signal"
                found = {"kind": kind, "error": "", "message": message, "where": where, "notes": []}
                report.take({**worker.said, **found})
            elif worker.process.returncode != 0:
                sys.exit(f"the worker did not start, or did not end as it should: {message}")
            workers[place] = Worker(options, worker.said["number"] + step, step)
    for worker in workers:
        worker.stop()
    return report


def work(arguments: argparse.Namespace) -> None:
    """Runs trials in this process, and says so before and after each."""
    from attack import trials

    seed, only, (pipe, first, step) = arguments.seed, arguments.only, arguments.worker
    _begin(arguments.folder)
    trials.prepare()
    # A worker ends now and then, so that nothing piles up.
    for number in range(first, first + TRIALS_OF_A_WORKER * step, step):
        trial = trials.trial_of(seed, number, only)
        said = {"number": number, "row": trial.row, "arguments": sorted(trial.hostile)}
        said["trial"] = str(trial)
        os.write(pipe, json.dumps(said).encode() + b"\n")
        outcome = trials.run(trial)
        if outcome.kind in FAILURES:
            said["trial"] = str(trials.smaller(trial, outcome))
        os.write(pipe, json.dumps({**said, **outcome._asdict()}).encode() + b"\n")


def _begin(parent: str) -> None:
    """Goes to a folder of its own, and bounds the memory."""
    import faulthandler
    import resource

    faulthandler.enable()
    os.chdir(tempfile.mkdtemp(dir=parent))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def show_trial(seed: int, number: int, only: str) -> int:
    """Runs one trial in this process; returns 1 if it fails."""
    from attack import trials

    trial = trials.trial_of(seed, number, only)
    print(trial, flush=True)
    with tempfile.TemporaryDirectory(prefix="attack-") as folder:
        _begin(folder)
        trials.prepare()
        outcome = trials.run(trial)
    print("\n".join(f"{name}: {value}" for name, value in outcome._asdict().items()))
    return int(outcome.kind in FAILURES)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--count", type=int, default=10**9, help="trials at most")
    parser.add_argument("--seed", type=int, help="default: drawn and shown")
    parser.add_argument("--trial", type=int, help="run this trial alone")
    parser.add_argument("--only", default="", help="only calls with this in their name")
    parser.add_argument("--workers", type=int, default=1, choices=(1, 2), help="processes")
    parser.add_argument("--notes", action="store_true", help="list what is no failure too")
    parser.add_argument("--worker", type=int, nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    seed = secrets.randbits(32) if arguments.seed is None else arguments.seed
    if arguments.worker:
        work(arguments)
        return 0
    if arguments.trial is not None:
        return show_trial(seed, arguments.trial, arguments.only)
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # messages quote
    print(f"seed {seed}" + (f", only {arguments.only}" * bool(arguments.only)), flush=True)
    report = attack(arguments, seed)
    report.show(arguments.notes)
    return int(bool(report.failures))


if __name__ == "__main__":
    sys.exit(main())
