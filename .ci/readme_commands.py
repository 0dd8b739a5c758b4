"""Prints the commands of the README's quick start, one a line, so that CI runs what users read."""

from __future__ import annotations

import re
import sys
from pathlib import Path

START = "python3 -m venv .venv && "


def commands(readme: str) -> list[str]:
    """The lines of shell blocks that start from nothing, in order."""
    blocks = re.findall(r"^```(?:sh|bash|console)\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)
    lines = [line.strip().removeprefix("$ ") for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith(START)]


def main() -> int:
    """Fails unless the README tells how to run the package and how to run its tests."""
    found = commands(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for ending in ("-m dynaplan", "-m pytest"):
        if not any(line.endswith(ending) for line in found):
            print(f"{sys.argv[1]}: no line `{START}... {ending}` in a shell block", file=sys.stderr)
            return 1
    print("\n".join(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
