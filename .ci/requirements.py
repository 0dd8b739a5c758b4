"""Prints what pyproject.toml asks for to build, to run and in the named extras, but not dynaplan.

With these in an environment the package builds without isolation, which compiles what changed only.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import tomllib


def requirements(project: dict, extras: list[str]) -> list[str]:
    """Requirements of the project and the extras; an extra may name others as `name[a,b]`."""
    table, name = project["project"]["optional-dependencies"], project["project"]["name"]
    found = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    waiting, seen = list(extras), set()
    while waiting:
        extra = waiting.pop()
        if extra in seen:
            continue
        seen.add(extra)
        for requirement in table[extra]:
            nested = re.fullmatch(rf"{name}\[(.*)\]", requirement.replace(" ", ""))
            if nested:
                waiting.extend(nested[1].split(","))
            else:
                found.append(requirement)
    return list(dict.fromkeys(found))


if __name__ == "__main__":
    pyproject = Path(__file__).resolve().parents[1] / "pyproject.toml"
    print("\n".join(requirements(tomllib.loads(pyproject.read_text()), sys.argv[1:])))
