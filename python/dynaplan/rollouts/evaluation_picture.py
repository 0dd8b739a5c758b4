"""An evaluation as a picture: how the error of each state grows with the steps ahead."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dynaplan import _arrays, _disk, _texts, files
from dynaplan.errors import ArgumentError, ShapeError
from dynaplan.rollouts.evaluation_text import labels, learned_states, trust_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["evaluation_figure", "write_figure"]

Evaluation: TypeAlias = Any  # which has the method that calls what is here, and so is not imported

# Blue, vermilion and green of Okabe & Ito 2008, distinct in any colour vision; dashes differ too.
_MODEL, _NOTHING, _NOISE, _TRUST = "#0072B2", "#555555", "#D55E00", "#009E73"
_MAX_PANELS = 12
_MANIFOLD = 5.0
_MAX_CHANGES, _LEAST_SHARE = 1e3, 1e-16
_BEYOND = 1e3
_WIDTH, _DPI = 8.0, 100  # inches, and dots of each: 800
_FORMATS = ("png", "pdf", "svg")

Float64 = NDArray[np.float64]


def evaluation_figure(
    check: Evaluation, states: Sequence[int] | None, ax: Axes | Sequence[Axes] | None
) -> Figure:
    """Draws one panel for each state.

    Args:
        check: the evaluation.
        states: which ones; None for the first twelve that are learned.
        ax: axes to draw into, one for each of them; None for a figure of its own.

    Raises:
        ArgumentError: there is no such state.
        ImportError: matplotlib is not installed.
        ShapeError: there are not as many axes as states.
        TypeError: `ax` are no axes.
    """
    shown = _shown(states, check)
    try:
        from matplotlib.axes import Axes  # noqa: PLC0415  # optional, and slow to import
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        raise ImportError('plot needs matplotlib: pip install "dynaplan[plot]"') from error
    if ax is not None:
        panels = list(np.ravel(np.asarray(ax, object)))
        if not all(isinstance(panel, Axes) for panel in panels):
            raise TypeError(f"ax: got {_texts.shown(ax)}, must be axes of matplotlib")
        if len(panels) != len(shown):
            raise ShapeError(
                f"ax: got {len(panels)} axes, must be {len(shown)}, one for each state"
            )
        for panel, state in zip(panels, shown, strict=True):
            _draw_state(panel, check, state)
        figure: Figure = panels[0].figure.figure  # also of axes in a subfigure
        return figure
    columns = 2 if len(shown) in {2, 4} else min(3, len(shown))
    rows = -(-len(shown) // columns)
    figure = Figure(figsize=(_WIDTH, 1.6 + 2.1 * rows), layout="constrained", dpi=_DPI)
    grid = figure.subplots(rows, columns, sharex=True, squeeze=False)
    panels = list(grid.ravel())
    for panel, state in zip(panels, shown, strict=False):
        _draw_state(panel, check, state)
    for empty in panels[len(shown) :]:
        empty.set_visible(False)
    for below in range(max(0, len(shown) - columns), len(shown)):
        panels[below].set_xlabel("steps ahead")
        panels[below].tick_params(labelbottom=True)
    for row in grid:
        row[0].set_ylabel("error, state's unit")
    figure.suptitle(_title(check, len(shown)), fontsize=11)
    handles, labels = panels[0].get_legend_handles_labels()
    # Below the axes, where no data can be.
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return figure


def write_figure(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Writes a figure to a file, complete or not at all.

    Args:
        figure: what to write.
        path: its suffix says the format: .png, .pdf or .svg.

    Raises:
        ArgumentError: it has another suffix.
        OSError: the file cannot be written.
    """
    file_path = files.path_of(path)
    kind = file_path.suffix.lower().removeprefix(".")
    if kind not in _FORMATS:
        got = _texts.shown(str(file_path))
        raise ArgumentError(f"path: got {got}, must end in .png, .pdf or .svg")
    with _disk.replacing(file_path) as file:
        figure.savefig(file, format=kind)


def _shown(states: Sequence[int] | None, check: Evaluation) -> list[int]:
    if states is None:
        first: list[int] = learned_states(check)[:_MAX_PANELS].tolist()
        return first
    count = len(check.spread)
    chosen = list(_arrays.counts("states", states))
    if not chosen:
        raise ArgumentError("states: got none, must be at least one")
    for state in chosen:
        if not -count <= state < count:
            raise ArgumentError(f"states: got {state}, must be from 0 to {count - 1}")
    return [state % count for state in chosen]


def _title(check: Evaluation, shown: int) -> str:
    last = int(check.steps[-1])
    reach = "at least " if check.trusted_horizon == last else ""
    title = f"Trusted horizon: {reach}{check.trusted_horizon} of {last} steps"
    title += f" ({trust_interval(check)})"
    count = len(check.spread)
    return title if shown == count else f"{title}\n{shown} of {count} states"


def _draw_state(axes: Axes, check: Evaluation, state: int) -> None:
    """Draws error and baseline of a state over the steps, with all that a legend names."""
    steps, rmse, baseline = check.steps, check.rmse[:, state], check.baseline_rmse[:, state]
    low, high = _range(rmse, baseline)
    dots: dict[str, Any] = {"marker": "o", "markersize": 4} if len(steps) == 1 else {}
    beyond = _BEYOND * high  # where curves end that leave the picture
    solid: dict[str, Any] = {"color": _MODEL, "linewidth": 2.0, **dots}
    axes.plot(steps, np.minimum(rmse, beyond), label="model (rmse)", **solid)
    if check.rmse_interval is not None:
        band = np.minimum(check.rmse_interval[:, :, state], beyond)
        shade: dict[str, Any] = {"color": _MODEL, "alpha": 0.25, "linewidth": 0}
        axes.fill_between(steps, *band, label="90 % interval (rmse)", **shade)
    dotted: dict[str, Any] = {"color": _NOTHING, "linewidth": 1.8, "linestyle": ":", **dots}
    axes.plot(steps, np.minimum(baseline, beyond), label="if nothing changed", **dotted)
    if check.noise_floor.any():
        floor = check.noise_floor[state] or np.nan
        dashed: dict[str, Any] = {"color": _NOISE, "linewidth": 1.5, "linestyle": "-."}
        axes.axhline(floor, label="noise of the sensor", **dashed)
        low = np.fmin(low, floor)
    dashed = {"color": _TRUST, "linewidth": 1.8, "linestyle": "--"}
    axes.axvline(check.trusted_horizon, label="trusted horizon", **dashed)
    if check.trusted_interval is not None:
        shade = {"color": _TRUST, "alpha": 0.12, "linewidth": 0}
        axes.axvspan(*check.trusted_interval, label="90 % interval (horizon)", **shade)
    _scale_axes(axes, low, high, int(steps[-1]))
    axes.set_title(labels(check)[state], fontsize=10)
    axes.tick_params(labelsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#E6E6E6", linewidth=0.6)
    axes.set_axisbelow(True)


def _range(rmse: Float64, baseline: Float64) -> tuple[float, float]:
    """Returns the smallest and the largest error to show; of a model that runs away not all."""
    changes = baseline[np.isfinite(baseline) & (baseline > 0.0)]
    drawn = np.concatenate([rmse[np.isfinite(rmse) & (rmse > 0.0)], changes])
    if not len(drawn):
        return 1.0, 1.0
    high = min(drawn.max(), _MAX_CHANGES * changes.max() if len(changes) else np.inf)
    return float(max(drawn.min(), _LEAST_SHARE * high)), float(high)


def _scale_axes(axes: Axes, low: float, high: float, last: int) -> None:
    """Counts errors from 0, or where they grow manifold by their logarithms."""
    from matplotlib.ticker import (  # noqa: PLC0415
        FuncFormatter,
        LogLocator,
        MaxNLocator,
        NullLocator,
    )

    if high > _MANIFOLD * low:
        axes.set_ylim(low / 1.3, 1.3 * high)
        axes.set_yscale("log", nonpositive="mask")
        subs = (1.0,) if high > 1e3 * low else (1.0, 2.0, 5.0)
        axes.yaxis.set_major_locator(LogLocator(subs=subs))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    else:
        axes.set_ylim(0.0, 1.1 * high)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    margin = 0.03 * last  # a line at either end shows whole
    axes.set_xlim(-margin, last + margin)
