"""Tables of a case for the terminal and for RESULTS.md, built from the stored results alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.case import Case, Variant, results_of, targets_of
from bench.measurements import MissingRowError, Results, Row, as_json, from_json

FOLDER = Path(__file__).resolve().parent / "results"
RESULTS_FILE = Path(__file__).resolve().parent / "RESULTS.md"
LIMIT_UNITS = {
    "fma_float32": ("GFLOP/s", 1e9),
    "fma_float64": ("GFLOP/s", 1e9),
    "sgemm_numpy": ("GFLOP/s", 1e9),
    "sgemm_torch": ("GFLOP/s", 1e9),
    "memory_read": ("GB/s", 1e9),
    "memory_write": ("GB/s", 1e9),
    "fresh_write": ("GB/s", 1e9),
}
RUN_FACTS = ("command", "commit", "dynaplan files", "date", "load before the run")
HOW = """\
Each implementation runs with each thread count in a process of its own that lives over all rounds;
the runner goes round them turn by turn, so that a slow minute of the machine hits all alike.
*median* is over the rounds' medians, *min .. p99* over all calls. *x ours* is the row's median over
the fastest of ours. *of limit* is the least time by the machine limits measured beside it, over the
row's median. `*n` marks n rounds in which other processes used more than a tenth of a core. Ours
with 2 threads runs with OMP_PROC_BIND=close OMP_PLACES=cores; nobody else has them set. Peers run
with THP_MEM_ALLOC_ENABLE=1 and GLIBC_TUNABLES=glibc.malloc.hugetlb=1 (large pages for large arrays,
which NumPy asks for by itself). "not measured" is said where a peer, a limit or ours could not run.
Lost comparisons stand here like won ones.
"""


def aligned(header: list[str], body: list[list[str]]) -> str:
    """Returns a Markdown table whose columns line up in a terminal, too."""
    widths = [max(len(line[i]) for line in [header, *body]) for i in range(len(header))]
    rule = ["-" * width for width in widths]
    lines = [header, rule, *body]
    padded = [
        [cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in padded)


def short(value: float) -> str:
    """Returns three significant digits without an exponent where that is readable."""
    if value != 0 and not 1e-4 <= abs(value) < 1e6:
        return f"{value:.2e}"
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:#.3g}"


def outcome(row: Row) -> str:
    """Returns the check's figure, marked where it fails."""
    if row.figure is None:
        return ""
    return short(row.figure) + ("" if row.agrees in (None, True) else " DIFFERS")


def row_cells(results: Results, variant: Variant, row: Row) -> list[str]:
    """Returns one line of the table of timings."""
    name = f"**{row.label}**" if row.role == "ours" else row.label
    if not row.timed:
        return [name, str(row.threads), "", "", "", "", "", "", row.skipped.split("\n")[0][:80]]
    try:
        ratio = short(row.median / results.fastest(variant.name, "ours").median)
    except MissingRowError:
        ratio = ""
    try:
        share = f"{100 * results.bound(variant.name, row.threads) / row.median:.1f} %"
    except MissingRowError:
        share = ""
    mark = f" *{row.disturbed}" if row.disturbed else ""
    return [
        name,
        str(row.threads),
        short(row.median * 1e3) + mark,
        f"{short(row.least * 1e3)} .. {short(row.p99 * 1e3)}",
        short(row.median * 1e9 / variant.work.count),
        ratio,
        share,
        outcome(row),
        row.note,
    ]


def timing_table(case: Case, results: Results, variant: Variant, rows: list[Row]) -> str:
    """Returns the table of one variant, fastest first, skipped rows last."""
    check = case.check.name if case.check is not None else "check"
    header = [
        "implementation",
        "threads",
        "median ms",
        "min .. p99",
        f"ns per {variant.work.unit}",
        "x ours",
        "of limit",
        check,
        "settings",
    ]
    shown = [row for row in rows if row.role != "limit" and row.reports != "facts"]
    shown.sort(key=lambda row: (not row.timed, row.median))
    return aligned(header, [row_cells(results, variant, row) for row in shown]) if shown else ""


def facts_table(rows: list[Row]) -> str:
    """Returns the table of implementations that report facts instead of times."""
    shown = [row for row in rows if row.reports == "facts" or (row.facts and not row.timed)]
    if not shown:
        return ""
    names = list(dict.fromkeys(name for row in shown for name in row.facts))
    body = []
    for row in shown:
        values = [row.facts.get(name, "") for name in names]
        cells = [short(value) if isinstance(value, float) else str(value) for value in values]
        name = f"**{row.label}**" if row.role == "ours" else row.label
        settings = row.skipped.split("\n")[0][:80] or row.note
        body.append([name, str(row.threads), *cells, settings])
    return aligned(["implementation", "threads", *names, "settings"], body)


def limit_lines(rows: list[Row]) -> str:
    """Returns the machine limits measured beside the rows."""
    said = []
    for row in rows:
        if row.role != "limit":
            continue
        unit, scale = LIMIT_UNITS.get(row.label, ("/s", 1.0))
        if row.median > 0:
            mark = f" *{row.disturbed}" if row.disturbed else ""
            value = f"{short(row.median / scale)} {unit} (from {short(row.least / scale)}){mark}"
        else:
            value = f"not measured ({row.skipped.split(chr(10))[0]})"
        said.append(f"{row.label} {row.threads} thr: {value}")
    return "Limits: " + "; ".join(said) + "." if said else ""


def target_table(targets: list[dict[str, Any]]) -> str:
    """Returns the promises and whether they were kept."""
    body = []
    for target in targets:
        unit = f" {target['unit']}" if target["unit"] else ""
        figure = "not measured" if target["figure"] is None else short(target["figure"]) + unit
        met = {True: "met", False: "NOT MET", None: "?"}[target["met"]]
        body.append([target["text"], f"{target['sense']} {target['bound']:g}{unit}", figure, met])
    return aligned(["target", "promised", "measured", ""], body) if body else ""


def case_report(case: Case, rows: dict[str, list[Row]], heading: str = "##") -> str:
    """Returns the report on a case; targets are read off the rows again."""
    results = results_of(case, rows)
    parts = [f"{heading} {case.name}", case.summary]
    for variant in case.variants:
        if variant.name in rows:
            some = rows[variant.name]
            tables = [
                timing_table(case, results, variant, some),
                facts_table(some),
                limit_lines(some),
            ]
            bounds = ", ".join(
                f"{name} {amount:.3g}" for name, amount in variant.work.bounds.items()
            )
            parts.append(
                f"{heading}# {variant.name}" + (f" (a call needs: {bounds})" if bounds else "")
            )
            parts += [table for table in tables if table]
    parts.append(target_table(targets_of(case, results)))
    return "\n\n".join(part for part in parts if part) + "\n"


def store(case: Case, rows: dict[str, list[Row]], facts: dict[str, Any]) -> Path:
    """Writes a case's results to a file of its own."""
    FOLDER.mkdir(exist_ok=True)
    stored = {
        "case": case.name,
        "facts": facts,
        "targets": targets_of(case, results_of(case, rows)),
        "rows": as_json(rows),
    }
    path = FOLDER / f"{case.name}.json"
    path.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    return path


def fact_lines(facts: dict[str, Any], names: list[str]) -> str:
    """Returns facts as a list."""
    return "\n".join(f"- {name}: {facts[name]}" for name in names if facts.get(name))


def versions_of(rows: dict[str, list[Row]]) -> dict[str, str]:
    """Returns the versions of all packages that took part."""
    found: dict[str, str] = {}
    for some in rows.values():
        for row in some:
            found |= row.versions
    return dict(sorted(found.items()))


def write_results_file(cases: list[Case], more: Sequence[str] = ()) -> Path:
    """Assembles RESULTS.md from the stored results of all cases that have been run.

    Args:
        cases: in the order of their sections.
        more: further sections, which come last.
    """
    sections: list[str] = []
    machine: dict[str, Any] = {}
    versions: dict[str, str] = {}
    for case in cases:
        path = FOLDER / f"{case.name}.json"
        if not path.exists():
            continue
        stored = json.loads(path.read_text(encoding="utf-8"))
        rows = from_json(stored["rows"])
        facts = stored["facts"]
        here = {name: value for name, value in facts.items() if name not in RUN_FACTS}
        versions |= versions_of(rows)
        differs = [name for name in here if machine and machine.get(name) != here[name]]
        machine = machine or here
        run = fact_lines(facts, [*RUN_FACTS, *differs])
        sections.append(case_report(case, rows) + "\n" + run + "\n")
    packages = ", ".join(f"{name} {version}" for name, version in versions.items())
    head = [
        "# Results",
        HOW,
        "## Machine",
        fact_lines(machine | {"packages": packages}, [*machine, "packages"]),
    ]
    RESULTS_FILE.write_text("\n\n".join([*head, *sections, *more]), encoding="utf-8")
    return RESULTS_FILE
