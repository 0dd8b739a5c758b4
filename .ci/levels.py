"""Prints the levels that the installed package holds and this processor runs, lowest first."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path


def runs(level: str) -> bool:
    """True if a new interpreter imports the package at this level; the reason is shown if not."""
    environment = {**os.environ, "DYNAPLAN_ISA": level}
    child = subprocess.run(
        [sys.executable, "-c", "import dynaplan"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if child.returncode != 0:
        print(f"{level} is not tested: {child.stderr.strip().splitlines()[-1]}", file=sys.stderr)
    return child.returncode == 0


if __name__ == "__main__":
    spec = find_spec("dynaplan")
    folder = Path(spec.origin).parent
    built = sorted(
        path.name.split(".")[0].removeprefix("_core_") for path in folder.glob("_core_*.so")
    )
    print(" ".join(level for level in built if runs(level)))
