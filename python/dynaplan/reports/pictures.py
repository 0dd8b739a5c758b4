"""The picture that a command draws: predicted and actual states, and the error over steps ahead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dynaplan import _disk
from dynaplan.reports.episode import ComparedEpisode
from dynaplan.reports.tables import trusted_steps
from dynaplan.rollouts.evaluation import Evaluation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["can_draw", "draw"]

Floats: TypeAlias = NDArray[np.float64]

# Blue and vermilion of Okabe & Ito 2008, distinct in any colour vision.
_ACTUAL, _PREDICTED, _PLAIN, _FAINT = "#222222", "#D55E00", "#0072B2", "#8A8A8A"
# Dashes that begin with a dot.
_PREDICTION: dict[str, Any] = {
    "color": _PREDICTED,
    "linewidth": 1.8,
    "linestyle": (0, (3, 1.2)),
    "marker": "o",
    "markevery": [0],
    "markersize": 5,
}
_MAX_CHANNELS = 3  # of the states and of the actions


def can_draw() -> bool:
    """Returns whether matplotlib is installed, without importing it."""
    return find_spec("matplotlib") is not None


def draw(
    path: Path,
    episode: ComparedEpisode,
    predictions: Mapping[int, Floats],
    check: Evaluation,
    *,
    env_id: str,
    dt: float | None,
) -> None:
    """Writes a PNG: the predicted and the actual states of an episode, and the error over steps.

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
    left.suptitle(f"{env_id} under control: actual and predicted states")
    right.suptitle(f"Trusted horizon: {trusted_steps(check)}")
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
    with _disk.replacing(path) as file:
        figure.savefig(file, format="png")


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
    return [
        _Channel(f"state {index}", _column(index)) for index in range(min(state_dim, _MAX_CHANNELS))
    ]


def _column(index: int) -> Callable[[Floats], Floats]:
    return lambda states: states[:, index]


def _is_pendulum(env_id: str) -> bool:
    return env_id.startswith("Pendulum-")


def _pendulum_angle(states: Floats) -> Floats:
    return np.degrees(np.unwrap(np.arctan2(states[:, 1], states[:, 0])))


def _draw_channel(
    axes: Axes,
    episode: ComparedEpisode,
    predictions: Mapping[int, Floats],
    channel: _Channel,
    dt: float | None,
) -> None:
    from matplotlib.ticker import MultipleLocator  # noqa: PLC0415

    scale = dt or 1.0
    actual = channel.values(episode.states)
    if channel.is_angle:  # end near 0 and not at a full turn
        actual = actual - 360.0 * np.round(actual[-1] / 360.0)
        axes.yaxis.set_major_locator(MultipleLocator(90.0))
    axes.plot(scale * np.arange(len(actual)), actual, color=_ACTUAL, linewidth=2.2, label="actual")
    label = "predicted from each dot, given the applied actions"
    for start, states in predictions.items():
        predicted = channel.values(states)
        if channel.is_angle:
            predicted = predicted + 360.0 * np.round((actual[start] - predicted[0]) / 360.0)
        times = scale * (start + np.arange(len(predicted)))
        axes.plot(times, predicted, label=label, **_PREDICTION)
        label = ""
    axes.set_ylabel(channel.label)


def _draw_actions(axes: Axes, episode: ComparedEpisode, env_id: str, dt: float | None) -> None:
    edges = (dt or 1.0) * np.arange(len(episode.actions) + 1)
    channels = episode.actions.T if episode.numbers is None else episode.numbers[np.newaxis]
    shown = min(len(channels), _MAX_CHANNELS)
    shades = np.linspace(1.0, 0.35, shown)
    for shade, values in zip(shades, channels, strict=False):
        axes.stairs(values, edges, baseline=None, color=_PLAIN, alpha=shade, linewidth=1.3)
    several = f"actions {', '.join(map(str, range(shown)))}\n(dark to light)"
    one = "torque (N m)" if _is_pendulum(env_id) else "action"
    axes.set_ylabel(several if shown > 1 else one)
    axes.set_xlabel("time (s)" if dt else "step")
    axes.set_xlim(0.0, edges[-1])


def _draw_errors(axes: Axes, check: Evaluation) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator  # noqa: PLC0415

    ahead, median, high = check.steps, 100.0 * check.error_median, 100.0 * check.error_90
    nothing = 100.0 * check.baseline_median
    axes.plot(ahead, median, color=_PREDICTED, linewidth=2.2, label="model: median")
    axes.fill_between(
        ahead,
        median,
        high,
        color=_PREDICTED,
        alpha=0.2,
        linewidth=0,
        label="model: 90th percentile",
    )
    axes.plot(ahead, nothing, color=_FAINT, linestyle=":", linewidth=2, label="if nothing changed")
    limit = check.share * nothing
    axes.plot(ahead, limit, color=_PLAIN, linewidth=1.0, label="trust limit")
    horizon = check.trusted_horizon
    axes.axvline(horizon, color=_PLAIN, linewidth=1.8, linestyle="--", label="trusted horizon")
    if check.trusted_interval is not None:
        axes.axvspan(
            *check.trusted_interval, color=_PLAIN, alpha=0.1, linewidth=0, label="its 90 % interval"
        )
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel("steps ahead")
    axes.set_ylabel("error, in % of the spread of the data")
    axes.set_xlim(0, 1.02 * ahead[-1])  # a line at the last step shows whole
