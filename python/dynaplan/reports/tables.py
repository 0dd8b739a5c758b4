"""What the commands print: tables and lines of text. Nothing is computed here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich import box
from rich.table import Table

from dynaplan import _tables
from dynaplan.loops.dyna_iteration import DynaIteration
from dynaplan.loops.pets_state import Iteration
from dynaplan.reports.episode import ComparedEpisode
from dynaplan.rollouts.evaluation import Evaluation
from dynaplan.rollouts.evaluation_text import remarks, trust_interval

__all__ = [
    "DYNA_HEADING",
    "PETS_HEADING",
    "check_table",
    "dyna_line",
    "one_step_line",
    "percent",
    "pets_line",
    "remark_lines",
    "return_table",
    "steps",
    "time_line",
    "trust_line",
    "trusted_steps",
]

# Steps ahead that the table shows; the picture has them all.
_SHOWN_STEPS = (1, 2, 5, 10, 20, 50)

# The iterations of a loop are printed as they come, so that the widths of their columns are fixed.
# They fit in a terminal of 60.
PETS_HEADING = "  steps episode length    return   trusted fit (s) total (s)"
DYNA_HEADING = "  steps episodes    return   error length updates/s time (s)"


def check_table(check: Evaluation) -> Table:
    """Returns the errors of a model on held-out data at a few numbers of steps ahead."""
    table = _table(
        "Error on held-out data, in % of the spread of the data",
        ("steps ahead", "median", "90th percentile", "if nothing changed", "starts"),
    )
    for row, step in enumerate(check.steps):
        if step in _SHOWN_STEPS:
            errors = (check.error_median[row], check.error_90[row], check.baseline_median[row])
            table.add_row(str(step), *map(percent, errors), str(check.starts[row]))
    return table


def one_step_line(check: Evaluation) -> str:
    """Returns one line with the error one step ahead of each state, in its own unit."""
    errors = ", ".join(_tables.number(error, 2) for error in check.one_step_rmse)
    return f"RMSE one step ahead, per state: {errors}"


def trust_line(check: Evaluation) -> str:
    """Returns one line with the trusted horizon and its definition."""
    return (
        f"Trusted horizon: {trusted_steps(check)} "
        f'(median at most {percent(check.share)} of "if nothing changed"; {trust_interval(check)})'
    )


def remark_lines(check: Evaluation) -> list[str]:
    """Returns what is odd about a model, a sentence a line."""
    return [f"Note: {remark}" for remark in remarks(check)]


def trusted_steps(check: Evaluation) -> str:
    """Returns the trusted horizon as text; the check itself may have ended before the trust."""
    reach = "at least " if check.trusted_horizon == check.steps[-1] else ""
    return reach + steps(check.trusted_horizon)


def pets_line(iteration: Iteration) -> str:
    """Returns one row below `PETS_HEADING`."""
    controlled = iteration.episode > 0
    episode = str(iteration.episode) if controlled else "random"
    value = _short(iteration.episode_return) if controlled else ""
    check = iteration.evaluation
    trusted = steps(check.trusted_horizon) if check else ""
    return (
        f"{iteration.steps:7d} {episode:>7} {iteration.episode_steps:6d} {value:>9}"
        f" {trusted:>9} {_seconds(iteration.learning_seconds):>7}"
        f" {_seconds(iteration.seconds):>9}"
    )


def dyna_line(iterations: Sequence[DynaIteration]) -> str:
    """Returns one row below `DYNA_HEADING`: of several iterations, the mean return among them."""
    last = iterations[-1]
    over = [it.episode_return for it in iterations if it.finished]
    value = _short(float(np.mean(over))) if over else ""
    measured = bool(np.isfinite(last.model_error))
    error, length = (percent(last.model_error), str(last.length)) if measured else ("", "")
    made = sum(it.updates.updates for it in iterations if it.updates)
    busy = sum(it.updating_seconds for it in iterations)
    speed = f"{made / busy:,.0f}" if made and busy else ""
    return (
        f"{last.steps:7d} {len(over):8d} {value:>9} {error:>7} {length:>6}"
        f" {speed:>9} {_seconds(sum(it.seconds for it in iterations)):>8}"
    )


def return_table(episodes: Sequence[ComparedEpisode], name: str = "controlled") -> Table:
    """Returns the return of each episode and of the random policy, and the means."""
    table = _table("Return per episode", ("reset seed", "steps", name, "random policy"))
    for episode in episodes:
        row = (str(episode.seed), str(len(episode.rewards)))
        returns = (episode.episode_return, episode.random_return)
        table.add_row(*row, *(_tables.fixed(value, 1) for value in returns))
    table.add_section()
    means = (
        np.mean([episode.episode_return for episode in episodes]),
        np.mean([episode.random_return for episode in episodes]),
    )
    table.add_row("mean", "", *(_tables.fixed(float(value), 1) for value in means), style="bold")
    return table


def time_line(episodes: Sequence[ComparedEpisode]) -> str:
    """Returns one line on the time that a plan takes, over all episodes."""
    seconds = np.concatenate([episode.decision_seconds for episode in episodes])
    median, slow = np.median(seconds), np.quantile(seconds, 0.99)
    return (
        f"Time per plan: median {_tables.fixed(1e3 * median, 2)} ms, "
        f"99 % within {_tables.fixed(1e3 * slow, 2)} ms; "
        f"{len(seconds) / seconds.sum():,.0f} plans per second"
    )


def percent(share: float) -> str:
    """Returns a share as text, with two significant digits below a tenth."""
    if not 0.1 <= share < 1e3:
        return f"{_tables.number(100.0 * share, 2)} %"
    return f"{100.0 * share:.0f} %"


def steps(count: int) -> str:
    """Returns a number of steps as text."""
    return "1 step" if count == 1 else f"{count} steps"


def _short(value: float) -> str:
    """Returns a return in nine characters: as many digits as fit."""
    if abs(value) < 1e8:
        return _tables.fixed(value, 1) if abs(value) < 1e6 else f"{value:.0f}"
    return _tables.number(value, 2)


def _seconds(value: float) -> str:
    return _tables.fixed(value, 2 if value < 1e4 else 0)


def _table(title: str, headings: Sequence[str]) -> Table:
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", show_edge=False)
    for heading in headings:
        table.add_column(heading, justify="right")
    return table
