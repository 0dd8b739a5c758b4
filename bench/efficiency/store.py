"""Results on disk: a file a cell, written at once or not at all, and read back with checks."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench.efficiency.method import Cell

FOLDER = Path(__file__).resolve().parent.parent / "results" / "efficiency"
_FORMAT = 1
_KINDS: dict[str, type] = {
    "task": dict,
    "method": str,
    "settings": str,
    "seed": int,
    "status": str,
    "message": str,
    "run": dict,
    "where": dict,
    "evaluations": list,
}
_OF_EVALUATION = {"steps": int, "seconds": float, "mean": float, "sd": float, "facts": dict}


class StoreError(Exception):
    """A file of results is none."""


def path_of(folder: Path, cell: Cell) -> Path:
    """Returns where a cell's result is stored."""
    return folder / cell.task.folder / cell.method.name / f"{cell.seed}.json"


def write(folder: Path, cell: Cell, outcome: dict[str, Any], run: dict[str, Any]) -> Path:
    """Stores an outcome, with the facts of the run it comes from; a reader sees all or nothing."""
    path = path_of(folder, cell)
    path.parent.mkdir(parents=True, exist_ok=True)
    stored = {"format": _FORMAT, **outcome, "run": run}
    # A line an evaluation, so that a change of one is seen as one.
    rows = ",\n  ".join(json.dumps(row) for row in stored.pop("evaluations"))
    head = json.dumps(stored, indent=1).removesuffix("\n}")
    unfinished = path.with_suffix(f".{os.getpid()}.part")
    unfinished.write_text(f'{head},\n "evaluations": [\n  {rows}\n ]\n}}\n', encoding="utf-8")
    unfinished.replace(path)
    return path


def read(path: Path) -> dict[str, Any]:
    """Returns a stored result.

    Raises:
        StoreError: the file is damaged or of another format.
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise StoreError(f"{path}: {error}; delete it to run the cell anew") from error
    if not isinstance(stored, dict) or stored.get("format") != _FORMAT:
        raise StoreError(f"{path}: not of format {_FORMAT}; delete it to run the cell anew")
    rows = stored.get("evaluations")
    wrong = _wrong(stored, _KINDS) or next(
        (found for row in rows or [] if (found := _wrong(row, _OF_EVALUATION))), ""
    )
    if wrong:
        raise StoreError(f"{path}: {wrong}; delete it to run the cell anew")
    return stored


def _wrong(table: Any, kinds: dict[str, type]) -> str:
    """What is wrong with a table, or nothing."""
    if not isinstance(table, dict):
        return "a row is no table"
    for name, kind in kinds.items():
        if type(table.get(name)) is not kind:
            return f"{name!r} is missing or no {kind.__name__}"
    return ""


def read_cells(folder: Path, cells: Iterable[Cell]) -> list[dict[str, Any]]:
    """Returns the stored results among these cells."""
    return [read(path) for cell in cells if (path := path_of(folder, cell)).exists()]


def read_all(folder: Path) -> list[dict[str, Any]]:
    """Returns all stored results, in the order of their names."""
    return [read(path) for path in sorted(folder.glob("*/*/*.json"))]


def difference(stored: dict[str, Any], cell: Cell) -> str:
    """Returns in what a stored result is another cell's than this one, or nothing."""
    now = cell.task.protocol()
    named = [
        f"{name} was {stored['task'].get(name)!r}, is {value!r}"
        for name, value in now.items()
        if stored["task"].get(name) != value
    ]
    if stored["settings"] != cell.method.text():
        named.append(f"settings were {stored['settings']!r}, are {cell.method.text()!r}")
    return "; ".join(named)
