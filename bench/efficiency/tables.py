"""Tables of the stored results, for the terminal and for RESULTS.md, from these alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from bench.efficiency.summary import Spread, Summary, grouped, summarised
from bench.report import aligned, short

HOW = """\
What real steps are worth: how many of them a method needs until the mean return of its
deterministic policy is at a task's threshold in two evaluations in a row; reported are the steps
and seconds at the first of the two. Every real step counts, the random ones at the beginning
included. Seconds are those of learning and acting, one thread, without the evaluations, which are
made in another environment on seeds of their own (1,000,000 + 1,000 x seed + number) and whose
steps do not count. There is no best return so far: a policy that was good once and is no longer
stands here as it is. Medians and quartiles are over all seeds; one that never reaches the
threshold counts as infinity ("never"), and so does one that ended with an error. *budget* is the
real steps that each course got, *last return* that of the last evaluation. The second table says
what was known at that last evaluation, as medians over the seeds: the model's error one step ahead
on transitions it had not seen, in standard deviations of the data; how many steps ahead it was
trusted (*trusted horizon*) or imagined (*length*); and of the agent's updates the loss of the
critics, the return they expect and the weight of the entropy. Settings were frozen before; they are
printed below each table.
"""
HEADER = [
    "method",
    "reward",
    "seeds",
    "budget",
    "steps to threshold",
    "quartiles",
    "seconds to threshold",
    "quartiles",
    "never",
    "errors",
    "last return",
    "quartiles",
    "seconds in all",
]


def number(value: float) -> str:
    """Returns a number, or that it was never reached."""
    return "never" if math.isinf(value) else short(value)


def counted(value: float) -> str:
    """Returns a number of steps in full, or that it was never reached."""
    return "never" if math.isinf(value) else f"{value:,.0f}"


def seed_names(seeds: Sequence[int]) -> str:
    """Returns seeds as the command takes them: 20-22,25."""
    parts: list[list[int]] = []
    for seed in sorted(seeds):
        if parts and seed == parts[-1][-1] + 1:
            parts[-1] = [parts[-1][0], seed]
        else:
            parts.append([seed])
    return ",".join("-".join(map(str, part)) for part in parts)


def _of(spread: Spread | None, shown: Any, absent: str) -> list[str]:
    if spread is None:
        return [absent, ""]
    return [shown(spread.median), f"{shown(spread.lower)} .. {shown(spread.upper)}"]


def row(summary: Summary) -> list[str]:
    """Returns one line of a task's table."""
    none = "no threshold"
    return [
        summary.method,
        "known" if summary.task["reward_known"] else "learned",
        seed_names(summary.seeds),
        f"{summary.task['steps']:,}",
        *_of(summary.steps, counted, none),
        *_of(summary.seconds, number, none),
        f"{summary.never} of {len(summary.seeds)}" if summary.steps else "",
        str(len(summary.raised)),
        *_of(summary.last, number, ""),
        number(summary.all_seconds.median) if summary.all_seconds else "",
    ]


def task_table(summaries: Sequence[Summary]) -> str:
    """Returns the table of a task, the fewest steps first."""

    def rank(summary: Summary) -> tuple[float, float]:
        return (
            summary.steps.median if summary.steps else math.inf,
            -summary.last.median if summary.last else math.inf,
        )

    return aligned(HEADER, [row(summary) for summary in sorted(summaries, key=rank)])


def facts_table(summaries: Sequence[Summary]) -> str:
    """Returns what was known of models and agents at the end; empty where nothing was."""
    names = list(dict.fromkeys(name for one in summaries for name in one.facts))
    rows = [
        [one.method, *(short(one.facts[name]) if name in one.facts else "" for name in names)]
        for one in summaries
        if one.facts
    ]
    return aligned(["method", *names], rows) if rows else ""


def heading(task: dict[str, Any]) -> str:
    """Returns in words how a task is judged."""
    goal = "no threshold" if task["threshold"] is None else f"threshold {task['threshold']:g}"
    return (
        f"{task['name']}: {goal}; {task['episodes']} episodes about every"
        f" {task['evaluate_every']:,} steps"
    )


def task_report(results: Sequence[list[dict[str, Any]]], published: str) -> str:
    """Returns table, published figures, settings and errors of one task."""
    summaries = [summarised(some) for some in results]
    settings = [f"- {one.method}: {one.settings}" for one in summaries]
    errors = [
        f"- {one.method}, seed {seed}: {message.splitlines()[-1]}"
        for one in summaries
        for seed, message in one.raised.items()
    ]
    parts = [
        f"### {heading(summaries[0].task)}",
        task_table(summaries),
        facts_table(summaries),
        f"Published: {published}" if published else "",
        "Settings:\n\n" + "\n".join(settings),
        "Errors:\n\n" + "\n".join(errors) if errors else "",
        "Made by:\n\n" + run_lines([one for some in results for one in some]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def run_lines(results: Iterable[dict[str, Any]]) -> str:
    """Returns by which commands, from which code and on what machines results were made."""
    found: dict[str, dict[str, None]] = {}
    for one in results:
        for name, value in {**one["run"], **one["where"]}.items():
            found.setdefault(name, {})[value] = None
    return "\n".join(f"- {name}: {'; '.join(values)}" for name, values in found.items())


def report(results: Sequence[dict[str, Any]], published: dict[str, str]) -> str:
    """Returns the report on all tasks that were run."""
    return "\n".join(
        task_report(groups, published.get(name, "")) for name, groups in grouped(results).items()
    )


def section(results: Sequence[dict[str, Any]], published: dict[str, str]) -> str:
    """Returns the section of RESULTS.md, empty where nothing was run."""
    if not results:
        return ""
    return f"## Sample efficiency\n\n{HOW}\n{report(results, published)}"
