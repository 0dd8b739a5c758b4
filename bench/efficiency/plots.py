"""A picture a task: returns over real steps, median and quartiles of each method."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.efficiency.summary import curve, grouped
from bench.efficiency.tables import heading, seed_names


def draw(results: Sequence[dict[str, Any]], folder: Path) -> list[Path]:
    """Writes the pictures of all tasks among the results; returns their names.

    Raises:
        ImportError: matplotlib is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return [_draw_task(groups, folder) for groups in grouped(results).values()]


def _draw_task(groups: Sequence[list[dict[str, Any]]], folder: Path) -> Path:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 5.0), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    task = groups[0][0]["task"]
    for number, results in enumerate(groups):
        steps, (lower, median, upper) = curve(results)
        if not len(steps):
            continue
        label = f"{results[0]['method']} ({seed_names([one['seed'] for one in results])})"
        style = ("-", "--")[number // 10 % 2]  # after ten the colours come again
        colour = f"C{number % 10}"
        axes.plot(steps, median, style, color=colour, label=label)
        axes.fill_between(steps, lower, upper, color=colour, alpha=0.15, linewidth=0)
    if task["threshold"] is not None:
        axes.axhline(task["threshold"], color="black", linewidth=0.8, linestyle=":")
    axes.set_xscale("log")
    axes.set_xlabel("real steps")
    axes.set_ylabel("mean return: median and quartiles over the seeds")
    axes.set_title(heading(task), fontsize="medium")
    axes.legend(fontsize="small")
    path = folder / f"{task['name'].replace('/', '_')}.png"
    figure.savefig(path, dpi=120)
    return path
