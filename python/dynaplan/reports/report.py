"""What the command shows: tables for the terminal and a picture. Nothing is computed here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rich import box
from rich.table import Table

from dynaplan.loops.pets import Iteration
from dynaplan.loops.progress import DynaIteration
from dynaplan.rollouts.evaluation import Evaluation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "DYNA_HEADING",
    "ITERATION_HEADING",
    "ControlledEpisode",
    "check_table",
    "draw",
    "dyna_line",
    "iteration_line",
    "percent",
    "plot_is_possible",
    "return_table",
    "steps",
    "time_line",
]

Floats = NDArray[np.float64]

# Steps ahead that the table shows; the picture has them all.
_SHOWN_STEPS = (1, 2, 5, 10, 20, 50)
# Blue and vermilion of Okabe & Ito 2008, told apart with any colour vision.
_REAL, _PREDICTED, _PLAIN, _FAINT = "#222222", "#D55E00", "#0072B2", "#8A8A8A"
# Dashes that begin with a dot.
_PREDICTION: dict[str, Any] = {
    "color": _PREDICTED,
    "linewidth": 1.8,
    "linestyle": (0, (3, 1.2)),
    "marker": "o",
    "markevery": [0],
    "markersize": 5,
}


@dataclass(frozen=True)
class ControlledEpisode:
    """One episode under control, beside a random policy on the same reset seed.

    Attributes:
        seed: the seed of both resets.
        states: (T + 1, S) observations.
        actions: (T, A) actions as applied.
        rewards: (T,) rewards of the environment.
        plan_seconds: (T,) time of each decision, s.
        random_return: the sum of rewards of the random policy.
    """

    seed: int
    states: Floats
    actions: Floats
    rewards: Floats
    plan_seconds: Floats
    random_return: float

    @property
    def episode_return(self) -> float:
        """Sum of the rewards."""
        return float(self.rewards.sum())


def check_table(check: Evaluation) -> Table:
    """Returns the errors of a model on held-out data at a few numbers of steps ahead."""
    table = Table(
        title="Error on held-out data, in % of the spread of the data",
        box=box.SIMPLE_HEAD,
        title_justify="left",
        show_edge=False,
    )
    for heading in ("steps ahead", "median", "90 % are below", 'if "nothing changes"', "starts"):
        table.add_column(heading, justify="right")
    for row, step in enumerate(check.steps):
        if step in _SHOWN_STEPS:
            errors = (check.error_median[row], check.error_90[row], check.baseline_median[row])
            table.add_row(str(step), *map(percent, errors), str(check.starts[row]))
    return table


# The iterations of a loop are printed as they come, so that their columns are fixed.
ITERATION_HEADING = "  steps   episode   length      return   trusted horizon   learning   in all"


def iteration_line(iteration: Iteration) -> str:
    """Returns one row below `ITERATION_HEADING`; the times are in seconds."""
    controlled = iteration.episode > 0
    episode = str(iteration.episode) if controlled else "random"
    value = f"{iteration.episode_return:.1f}" if controlled else ""
    check = iteration.evaluation
    trusted = steps(check.trusted_horizon) if check else ""
    return (
        f"{iteration.steps:7d}   {episode:>7}   {iteration.episode_steps:6d} {value:>11}"
        f"   {trusted:>15}  {iteration.learning_seconds:9.2f} {iteration.seconds:8.2f}"
    )


# As those of a loop that imagines.
DYNA_HEADING = "  steps   episodes     return   model error   rollout length   updates/s       s"


def dyna_line(iterations: Sequence[DynaIteration]) -> str:
    """Returns one row below `DYNA_HEADING`: of several iterations, the mean return among them."""
    last = iterations[-1]
    over = [it.episode_return for it in iterations if it.finished]
    value = f"{np.mean(over):.1f}" if over else ""
    measured = bool(np.isfinite(last.model_error))
    error, length = (percent(last.model_error), str(last.length)) if measured else ("", "")
    made = sum(it.updates.updates for it in iterations if it.updates)
    busy = sum(it.updating_seconds for it in iterations)
    speed = f"{made / busy:,.0f}" if made and busy else ""
    return (
        f"{last.steps:7d}   {len(over):8d} {value:>10}   {error:>11}   {length:>14}"
        f"   {speed:>9} {sum(it.seconds for it in iterations):7.2f}"
    )


def return_table(episodes: Sequence[ControlledEpisode], name: str = "controlled") -> Table:
    """Returns the return of each episode and of the random policy, and the means."""
    table = Table(
        title="Return per episode",
        box=box.SIMPLE_HEAD,
        title_justify="left",
        show_edge=False,
    )
    for heading in ("reset seed", "steps", name, "random policy"):
        table.add_column(heading, justify="right")
    for episode in episodes:
        names = (str(episode.seed), str(len(episode.rewards)))
        returns = (episode.episode_return, episode.random_return)
        table.add_row(*names, *(f"{value:.1f}" for value in returns))
    table.add_section()
    means = (
        np.mean([episode.episode_return for episode in episodes]),
        np.mean([episode.random_return for episode in episodes]),
    )
    table.add_row("mean", "", *(f"{value:.1f}" for value in means), style="bold")
    return table


def time_line(episodes: Sequence[ControlledEpisode]) -> str:
    """Returns one line on the time that a plan takes, over all episodes."""
    seconds = np.concatenate([episode.plan_seconds for episode in episodes])
    median, slow = np.median(seconds), np.quantile(seconds, 0.99)
    return (
        f"Time per plan: median {1e3 * median:.2f} ms, 99 % within {1e3 * slow:.2f} ms; "
        f"{len(seconds) / seconds.sum():,.0f} plans per second"
    )


def percent(share: float) -> str:
    """Returns a share in words, with two significant digits below a tenth."""
    return f"{100.0 * share:.2g} %" if share < 0.1 else f"{100.0 * share:.0f} %"


def steps(count: int) -> str:
    """Returns a number of steps in words."""
    return "1 step" if count == 1 else f"{count} steps"


def plot_is_possible() -> bool:
    """Tells whether matplotlib is installed, without importing it."""
    return find_spec("matplotlib") is not None


def draw(
    path: Path,
    episode: ControlledEpisode,
    predictions: Mapping[int, Floats],
    check: Evaluation,
    *,
    env_id: str,
    dt: float | None,
) -> None:
    """Writes a PNG: one episode as predicted and as it went, and the error over steps ahead.

    Args:
        path: name of the file.
        episode: what to draw; its first three state dimensions are shown, or for Pendulum-v1 the
            angle and the speed.
        predictions: predicted states (H + 1, S) by the step of the episode at which they start.
        check: the errors of the model.
        env_id: the environment's name, for titles and units.
        dt: seconds per step, None if unknown.

    Raises:
        OSError: the file cannot be written.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415  # optional, and slow to import

    channels = _channels(env_id, episode.states.shape[1])
    rows = len(channels) + 1
    figure = Figure(figsize=(11.0, 1.3 + 1.6 * rows), layout="constrained", dpi=130)
    parts: Any = figure.subfigures(1, 2, width_ratios=(1.7, 1.0), wspace=0.03)
    left, right = parts
    panels = left.subplots(rows, 1, sharex=True)
    for panel, channel in zip(panels, channels, strict=False):
        _draw_channel(panel, episode, predictions, channel, dt)
    _draw_actions(panels[-1], episode, env_id, dt)
    _draw_errors(right.subplots(), check)
    left.suptitle(f"{env_id} under control, as predicted and as it went")
    right.suptitle(f"The model can be trusted for {steps(check.trusted_horizon)}")
    for part in parts:
        for axes in part.axes:
            axes.spines[["top", "right"]].set_visible(False)
            axes.grid(color="#E6E6E6", linewidth=0.6)
            axes.set_axisbelow(True)
        handles, labels = part.axes[0].get_legend_handles_labels()
        # Below the axes, where no data can be.
        part.legend(
            handles, labels, loc="outside lower center", ncols=2, frameon=False, columnspacing=1.2
        )
    figure.savefig(path, format="png")


@dataclass(frozen=True)
class _Channel:
    """A curve: its axis label, and its values (T,) from states (T, S)."""

    label: str
    values: Callable[[Floats], Floats]
    is_angle: bool = False


def _channels(env_id: str, state_dim: int) -> list[_Channel]:
    if _is_pendulum(env_id):
        return [
            _Channel("angle (deg)\n0 = upright", _pendulum_angle, is_angle=True),
            _Channel("speed (rad/s)", _column(2)),
        ]
    return [_Channel(f"state {index}", _column(index)) for index in range(min(state_dim, 3))]


def _column(index: int) -> Callable[[Floats], Floats]:
    return lambda states: states[:, index]


def _is_pendulum(env_id: str) -> bool:
    return env_id.startswith("Pendulum-")


def _pendulum_angle(states: Floats) -> Floats:
    return np.degrees(np.unwrap(np.arctan2(states[:, 1], states[:, 0])))


def _draw_channel(
    axes: Axes,
    episode: ControlledEpisode,
    predictions: Mapping[int, Floats],
    channel: _Channel,
    dt: float | None,
) -> None:
    from matplotlib.ticker import MultipleLocator  # noqa: PLC0415

    scale = dt or 1.0
    real = channel.values(episode.states)
    if channel.is_angle:  # end near 0 and not at a full turn
        real = real - 360.0 * np.round(real[-1] / 360.0)
        axes.yaxis.set_major_locator(MultipleLocator(90.0))
    axes.plot(scale * np.arange(len(real)), real, color=_REAL, linewidth=2.2, label="real")
    label = "predicted from each dot, actions as applied"
    for start, states in predictions.items():
        predicted = channel.values(states)
        if channel.is_angle:
            predicted = predicted + 360.0 * np.round((real[start] - predicted[0]) / 360.0)
        times = scale * (start + np.arange(len(predicted)))
        axes.plot(times, predicted, label=label, **_PREDICTION)
        label = ""
    axes.set_ylabel(channel.label)


def _draw_actions(axes: Axes, episode: ControlledEpisode, env_id: str, dt: float | None) -> None:
    edges = (dt or 1.0) * np.arange(len(episode.actions) + 1)
    shades = np.linspace(1.0, 0.35, min(episode.actions.shape[1], 3))
    for shade, values in zip(shades, episode.actions.T, strict=False):
        axes.stairs(values, edges, baseline=None, color=_PLAIN, alpha=shade, linewidth=1.3)
    axes.set_ylabel("torque (N m)" if _is_pendulum(env_id) else "action")
    axes.set_xlabel("time (s)" if dt else "step")
    axes.set_xlim(0.0, edges[-1])


def _draw_errors(axes: Axes, check: Evaluation) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator  # noqa: PLC0415

    ahead, median, high = check.steps, 100.0 * check.error_median, 100.0 * check.error_90
    nothing = 100.0 * check.baseline_median
    axes.plot(ahead, median, color=_PREDICTED, linewidth=2.2, label="model, median")
    axes.fill_between(
        ahead, median, high, color=_PREDICTED, alpha=0.2, linewidth=0, label="up to 90 % of errors"
    )
    axes.plot(ahead, nothing, color=_FAINT, linestyle=":", linewidth=2, label="if nothing changed")
    limit = check.share * nothing
    axes.plot(ahead, limit, color=_PLAIN, linewidth=1.0, label="limit of trust")
    horizon = check.trusted_horizon
    axes.axvline(horizon, color=_PLAIN, linewidth=1.8, linestyle="--", label="trusted horizon")
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} %"))
    axes.set_xlabel("steps ahead")
    axes.set_ylabel("error, share of the spread of the data")
    axes.set_xlim(0, ahead[-1])
