"""Command line of the suite, `python -m bench.efficiency`; see bench/README.md."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import machine
from bench.efficiency import local, plots, ray_cluster, store, tables
from bench.efficiency.method import Cell, Method
from bench.efficiency.tasks import Task

JUDGED_SEEDS = "7000-7009"
RUN_FACTS = ("command", "commit", "date")


def seeds_of(text: str) -> list[int]:
    """Returns the seeds named by a text such as 20-22,25."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise argparse.ArgumentTypeError(f"got {text!r}, expected seeds such as 20-22,25")
        found += range(int(first), int(last or first) + 1)
    if not found or len(set(found)) != len(found):
        raise argparse.ArgumentTypeError(f"{text!r} names no seed, or one twice")
    return found


def parsed(
    arguments: list[str] | None, tasks: Mapping[str, Task], methods: Mapping[str, Method]
) -> argparse.Namespace:
    """Returns the command line's settings."""
    parser = argparse.ArgumentParser(prog="python -m bench.efficiency", description=__doc__)
    add = parser.add_argument
    add("--task", action="append", choices=tasks, help="repeatable; default all")
    add(
        "--method",
        action="append",
        choices=methods,
        help="repeatable; default all that suit the task",
    )
    add("--seeds", type=seeds_of, default=JUDGED_SEEDS, help="default %(default)s")
    add("--workers", type=int, default=2, help="processes at once, a cell each (default 2)")
    add("--ray", action="store_true", help="run on a Ray cluster, a cell a core")
    add("--again", action="store_true", help="run failed and outdated cells anew")
    add("--results", type=Path, default=store.FOLDER, help="folder of the stored cells")
    add("--plots", type=Path, metavar="FOLDER", help="draw a picture a task into this folder")
    add("--table", action="store_true", help="only tables and pictures of what is stored")
    add("--write", action="store_true", help="put the stored results into bench/RESULTS.md")
    add("--list", action="store_true", help="list tasks and methods and stop")
    settings = parser.parse_args(arguments)
    if settings.workers < 1:
        parser.error(f"--workers: expected at least 1, got {settings.workers}")
    if settings.write and settings.results.resolve() != store.FOLDER:
        parser.error("--write: results for the record are those in bench/results/efficiency")
    for name in settings.method or ():
        unfit = [task for task in settings.task or () if not methods[name].suits(tasks[task])]
        if unfit:
            parser.error(f"--method {name}: is not for {', '.join(unfit)}")
    return settings


def cells_of(
    settings: argparse.Namespace, tasks: Mapping[str, Task], methods: Mapping[str, Method]
) -> list[Cell]:
    """Returns the cells asked for; a seed of all methods before the next."""
    return [
        Cell(methods[method].budgeted(tasks[task]), methods[method], seed)
        for task in settings.task or tasks
        for seed in settings.seeds
        for method in settings.method or methods
        if methods[method].suits(tasks[task])
    ]


def listed(tasks: Mapping[str, Task], methods: Mapping[str, Method]) -> str:
    """Returns all tasks and methods, with the settings they are judged with."""
    lines = [f"{tables.heading(task.protocol())}; {task.steps:,} steps" for task in tasks.values()]
    return "\n".join([*lines, "", *(f"{one.name}: {one.text()}" for one in methods.values())])


def left_to_run(cells: Sequence[Cell], folder: Path, again: bool) -> list[Cell]:
    """Returns the cells that are not stored, and with `again` those to be run anew.

    Raises:
        StoreError: a stored cell is of another task or has other settings, without `again`.
    """
    left, outdated = [], []
    for cell in cells:
        path = store.path_of(folder, cell)
        stored = store.read(path) if path.exists() else None
        differs = "" if stored is None else store.difference(stored, cell)
        if differs:
            outdated.append(f"{path}: {differs}")
        elif stored is not None and stored["status"] == "failed" and not again:
            say(f"{cell}: failed before ({stored['message'].splitlines()[-1]}); kept")
        if stored is None or (again and (differs or stored["status"] == "failed")):
            left.append(cell)
    if outdated and not again:
        raise store.StoreError("\n".join([*outdated, "--again runs these cells anew"]))
    for line in outdated:
        say(f"run anew: {line}")
    return left


def say(line: str) -> None:
    """Shows progress beside the tables, which alone go to standard output."""
    print(line, file=sys.stderr, flush=True)


def run_and_store(
    outcomes: Iterator[tuple[Cell, dict[str, Any]]], folder: Path, command: str, number: int
) -> int:
    """Stores each cell as it ends; returns how many failed."""
    facts = machine.facts(command)
    run = {name: facts[name] for name in RUN_FACTS}
    failed = 0
    for done, (cell, outcome) in enumerate(outcomes, start=1):
        if outcome["status"] == "missing":
            say(f"{done} of {number}: {cell}: not run, not stored: {outcome['message']}")
            continue
        store.write(folder, cell, outcome, run)
        failed += outcome["status"] == "failed"
        rows = outcome["evaluations"]
        last = f"{rows[-1]['mean']:.1f} after {rows[-1]['steps']:,} steps" if rows else ""
        message = outcome["message"].splitlines()[-1] if outcome["message"] else last
        say(f"{done} of {number}: {cell}: {outcome['status']}: {message}")
    return failed


def main(
    arguments: list[str] | None,
    tasks: Mapping[str, Task],
    methods: Mapping[str, Method],
) -> int:
    """Runs the cells asked for, then prints the table; returns the exit status."""
    settings = parsed(arguments, tasks, methods)
    if settings.list:
        print(listed(tasks, methods))
        return 0
    cells = cells_of(settings, tasks, methods)
    command = shlex.join(
        ["python", "-m", "bench.efficiency", *(sys.argv[1:] if arguments is None else arguments)]
    )
    failed = 0
    try:
        if not settings.table:
            left = left_to_run(cells, settings.results, settings.again)
            say(f"{len(cells) - len(left)} of {len(cells)} cells are stored")
            outcomes = (
                ray_cluster.spread(left) if settings.ray else local.spread(left, settings.workers)
            )
            failed = run_and_store(outcomes, settings.results, command, len(left))
        show(store.read_cells(settings.results, cells), settings.plots, tasks.values())
    except store.StoreError as error:
        say(str(error))
        return 2
    if settings.write:
        from bench.run import assembled

        say(f"wrote {assembled()}")
    return 1 if failed else 0


def show(results: Sequence[dict[str, Any]], folder: Path | None, tasks: Iterable[Task]) -> None:
    """Prints the tables and draws the pictures."""
    print(tables.report(results, {task.name: task.published for task in tasks}), flush=True)
    for path in plots.draw(results, folder) if folder is not None else ():
        say(f"drew {path}")
