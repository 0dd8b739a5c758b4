"""Facts about the machine and the code that a reader needs to place a number."""

from __future__ import annotations

import datetime
import hashlib
import importlib.util
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def output_of(*command: str) -> str:
    """Returns the first line a command prints, empty where it cannot be run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip().split("\n")[0]


def processor_facts() -> dict[str, str]:
    """Returns the processor's own name and family (virtual machines hide part of it)."""
    facts = {}
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n\n")[0].split("\n")
    except OSError:
        return {"processor": platform.processor()}
    for line in lines:
        name, _, value = line.partition(":")
        facts[name.strip()] = value.strip()
    family = f"family {facts.get('cpu family', '?')}, model {facts.get('model', '?')}"
    levels = [flag for flag in ("avx2", "fma", "avx512f") if flag in facts.get("flags", "").split()]
    return {
        "processor": f"{facts.get('model name', platform.processor())} ({family})",
        "processor flags": " ".join(levels),
        "nominal MHz": facts.get("cpu MHz", ""),
        "cache size in /proc/cpuinfo": facts.get("cache size", ""),
    }


def limits_compiler() -> str:
    """Returns the compiler that builds the machine limits."""
    from bench.limits import NoCompilerError, compiler

    try:
        return output_of(compiler(), "--version")
    except NoCompilerError as error:
        return str(error)


def commit() -> str:
    """Returns the commit of the working tree, marked where files were changed since."""
    name = output_of("git", "rev-parse", "--short", "HEAD")
    changed = output_of("git", "status", "--porcelain", "--untracked-files=no")
    return f"{name or 'none'}{' + local changes' if changed else ''}"


def fingerprint(folder: Path) -> str:
    """Returns a digest of the files of a package, since a commit does not name local changes."""
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            digest.update(file.relative_to(folder).as_posix().encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def build_facts() -> dict[str, str]:
    """Returns what dynaplan says about its build, asked in a process of its own."""
    found = importlib.util.find_spec("dynaplan")
    if found is None or found.origin is None:
        return {"dynaplan": "not installed"}
    code = "import dynaplan, json; print(json.dumps(dynaplan.build_info(), default=str))"
    said = output_of(sys.executable, "-c", code)
    return {
        "dynaplan build": said or "build_info() failed",
        "dynaplan files": fingerprint(Path(found.origin).parent),
    }


def facts(command: str) -> dict[str, Any]:
    """Returns all facts, in the order they are printed."""
    system = platform.uname()
    return {
        "command": command,
        "commit": commit(),
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        **processor_facts(),
        "cores": str(os.cpu_count()),
        "load before the run": f"{os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else "",
        "system": f"{system.system} {system.release} {system.machine}",
        "python": platform.python_version(),
        "compiler of the limits": limits_compiler(),
        **build_facts(),
    }
