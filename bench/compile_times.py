"""CPU seconds and memory that each file of the core and the bindings takes to compile.

    python bench/compile_times.py                    every file, the slowest first; some minutes
    python bench/compile_times.py --only planners    files with "planners" in their path
    python bench/compile_times.py --units            the bindings as built, several files in a unit
    python bench/compile_times.py --check            fails where a file is above its limit

One file at a time, with the flags of the build for this processor, in build/compile-times. CPU
seconds are those of user and system, so that other programs disturb them little. Needs cmake, ninja
and pybind11, which `.[dev]` installs.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "compile-times"
# CPU seconds of one file, by its path or the folder that it is in.
LIMITS = {
    # Eigen's divide and conquer: 19 s to read and instantiate, whatever the optimisation. It stands
    # alone, so that nothing else waits for it.
    "cpp/src/core/dense_svd.cpp": 40.0,
    "cpp/src": 12.0,
    "cpp/bindings": 20.0,
}
PRECOMPILED = "cmake_pch.hxx.cxx"


@dataclass(frozen=True)
class Command:
    """One compilation: what it is called in the table, and how it is run."""

    name: str
    words: list[str]
    folder: Path
    output: Path

    @property
    def limit(self) -> float:
        """CPU seconds allowed; infinite for the precompiled header."""
        found = [seconds for path, seconds in LIMITS.items() if self.name.startswith(path)]
        return found[0] if found else float("inf")


@dataclass(frozen=True)
class Measured:
    """What one compilation took."""

    command: Command
    seconds: float
    megabytes: float

    @property
    def is_above(self) -> bool:
        """Whether the file takes longer than it may."""
        return self.seconds > self.command.limit


def configured(units: bool) -> list[Command]:
    """Configures a build of its own and returns its commands, the precompiled header first."""
    python = sys.executable
    pybind11 = subprocess.run(
        [python, "-m", "pybind11", "--cmakedir"], check=True, capture_output=True, text=True
    ).stdout.strip()
    settings = {
        "DYNAPLAN_PYTHON": "ON",
        "DYNAPLAN_ISA": "host",
        "DYNAPLAN_UNITY": "ON" if units else "OFF",
        "Python_EXECUTABLE": python,
        "pybind11_DIR": pybind11,
        "CMAKE_CXX_COMPILER_LAUNCHER": "",  # a compiler cache would hide what is measured
    }
    subprocess.run(
        ["cmake", "-S", str(ROOT), "-B", str(BUILD), "-G", "Ninja"]
        + [f"-D{name}={value}" for name, value in settings.items()],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    entries = json.loads((BUILD / "compile_commands.json").read_text(encoding="utf-8"))
    commands = [
        Command(
            name=name_of(Path(entry["file"])),
            words=shlex.split(entry["command"]),
            folder=Path(entry["directory"]),
            output=Path(entry["directory"]) / entry["output"],
        )
        for entry in entries
    ]
    return sorted(commands, key=lambda command: command.name != PRECOMPILED)


def name_of(file: Path) -> str:
    """The path within the repository; for a unit of several files, those that it includes."""
    if file.name == PRECOMPILED:
        return PRECOMPILED
    if BUILD not in file.parents:
        return file.relative_to(ROOT).as_posix()
    included = re.findall(r'^#include "(.*)"', file.read_text(encoding="utf-8"), re.MULTILINE)
    first, *others = (Path(path) for path in included)
    return " + ".join([first.relative_to(ROOT).as_posix(), *(path.name for path in others)])


def measured(command: Command) -> Measured:
    """Runs one compilation and reads what it and its children used."""
    command.output.parent.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(command.words, cwd=command.folder)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{command.name}: the compiler ended with {process.returncode}")
    return Measured(command, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024.0)


def table(rows: list[Measured]) -> str:
    """The slowest first, with a mark at those above their limit, and the sum."""
    lines = [" CPU s     MB  file"]
    for row in sorted(rows, key=lambda row: row.seconds, reverse=True):
        mark = f"  above {row.command.limit:g} s" if row.is_above else ""
        lines.append(f"{row.seconds:6.1f} {row.megabytes:6.0f}  {row.command.name}{mark}")
    total = sum(row.seconds for row in rows)
    return "\n".join([*lines, f"{total:6.0f} {'':6}  in all, {len(rows)} compilations"])


def main() -> int:
    """Prints the table; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", metavar="PART", help="files with PART in their path")
    parser.add_argument("--units", action="store_true", help="the bindings as they are built")
    parser.add_argument("--check", action="store_true", help="fail where a file is above its limit")
    settings = parser.parse_args()
    rows = [
        measured(command)
        for command in configured(settings.units)
        if settings.only in command.name or command.name == PRECOMPILED
    ]
    print(table(rows))
    above = [row.command.name for row in rows if row.is_above]
    if settings.check and above:
        print(f"above their limit: {', '.join(above)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
