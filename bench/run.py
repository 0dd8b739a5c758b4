"""Command line of the benchmarks, `python -m bench` or `python bench/run.py`; see README.md."""

from __future__ import annotations

import argparse
import importlib
import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    # As a script, Python puts bench/ on the path, where our modules would hide nothing but be
    # imported twice under two names; the package's parent belongs there instead.
    sys.path[0] = str(ROOT)

from bench import machine, report  # noqa: E402 (the path is set above)
from bench.case import Case  # noqa: E402
from bench.efficiency import store, tables  # noqa: E402
from bench.efficiency.tasks import TASKS  # noqa: E402
from bench.runner import Options, run_case  # noqa: E402

FEWEST_ROUNDS_TO_WRITE = 5


def case_names() -> list[str]:
    """Returns the names of all cases, in the order of their files."""
    files = sorted((ROOT / "bench" / "cases").glob("bench_*.py"))
    return [file.stem.removeprefix("bench_") for file in files]


def load(name: str) -> Case:
    """Imports a case by name."""
    case: Case = importlib.import_module(f"bench.cases.bench_{name}").CASE
    return case


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """Returns the command line's settings."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--case",
        action="append",
        choices=case_names(),
        help="case to run (repeatable); default all",
    )
    parser.add_argument(
        "--threads",
        action="append",
        type=int,
        help="thread count to run (repeatable); default 1 and 2",
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        help="implementation to run (repeatable); default all",
    )
    parser.add_argument(
        "--rounds", type=int, default=5, help="rounds over all implementations (default 5)"
    )
    parser.add_argument(
        "--seconds", type=float, help="seconds of one turn; default as the case says"
    )
    parser.add_argument(
        "--write", action="store_true", help="store results and assemble RESULTS.md"
    )
    parser.add_argument(
        "--assemble", action="store_true", help="only assemble RESULTS.md from stored results"
    )
    parser.add_argument("--list", action="store_true", help="list the cases and stop")
    settings = parser.parse_args(arguments)
    if settings.rounds < 1:
        parser.error(f"--rounds: expected at least 1, got {settings.rounds}")
    if settings.write and settings.rounds < FEWEST_ROUNDS_TO_WRITE:
        parser.error(
            f"--write: results for the record need at least {FEWEST_ROUNDS_TO_WRITE} rounds"
        )
    if settings.write and (settings.only or settings.threads):
        parser.error("--write: results for the record need every implementation and thread count")
    return settings


def say(line: str) -> None:
    """Shows progress beside the tables, which alone go to standard output."""
    print(line, file=sys.stderr, flush=True)


def assembled() -> Path:
    """Assembles RESULTS.md from all that is stored, of the cases and of the efficiency suite."""
    published = {task.name: task.published for task in TASKS.values()}
    efficiency = tables.section(store.read_all(store.FOLDER), published)
    cases = [load(name) for name in case_names()]
    return report.write_results_file(cases, [efficiency] if efficiency else [])


def main(arguments: list[str] | None = None) -> int:
    """Runs the cases asked for and prints a table each; returns the exit status."""
    settings = parsed(arguments)
    if settings.list:
        print("\n".join(f"{name}: {load(name).summary}" for name in case_names()))
        return 0
    status = 0
    if not settings.assemble:
        command = shlex.join(
            ["python", "-m", "bench", *(sys.argv[1:] if arguments is None else arguments)]
        )
        options = Options(
            rounds=settings.rounds,
            seconds=settings.seconds,
            threads=tuple(settings.threads) if settings.threads else None,
            labels=tuple(settings.only),
        )
        for name in settings.case or case_names():
            case = load(name)
            facts = machine.facts(command)
            rows = run_case(case, options, say)
            print(report.case_report(case, rows), flush=True)
            # Workers import at different times: a rebuild meanwhile mixes two packages in a table.
            unchanged = machine.build_facts().items() <= facts.items()
            if not unchanged:
                status = 1
                say(f"{name}: dynaplan changed during the run; these rows mix builds, not stored")
            elif settings.write:
                say(f"wrote {report.store(case, rows, facts)}")
    if settings.write or settings.assemble:
        say(f"wrote {assembled()}")
    return status


if __name__ == "__main__":
    raise SystemExit(main())
