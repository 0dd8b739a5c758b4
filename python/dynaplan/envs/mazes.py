"""The mazes of chapter 8 of Sutton & Barto 2018 as Gymnasium environments, at any resolution.

Importing this module imports Gymnasium and registers `dynaplan/DynaMaze-v0`,
`dynaplan/BlockingMaze-v0` and `dynaplan/ShortcutMaze-v0`. `gymnasium.make` imports it by itself
where the id says so: `gymnasium.make("dynaplan.envs.mazes:dynaplan/DynaMaze-v0")`.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from dynaplan import _arrays, _core, _texts
from dynaplan._recipes import CoreCall
from dynaplan.errors import ArgumentError, ShapeError

if TYPE_CHECKING:
    from dynaplan.agents.tabular.interface import TabularAgent

__all__ = ["BLOCKING", "BLOCKING_CHANGED", "DYNA", "SHORTCUT", "SHORTCUT_CHANGED", "Maze"]

# Figure 8.2.
DYNA = (
    ".......#G",
    "..#....#.",
    "S.#....#.",
    "..#......",
    ".....#...",
    ".........",
)
# Figure 8.4: the way on the right is closed, one on the left opens.
BLOCKING = (
    "........G",
    ".........",
    ".........",
    "########.",
    ".........",
    "...S.....",
)
BLOCKING_CHANGED = (*BLOCKING[:3], ".########", *BLOCKING[4:])
# Figure 8.5: a shorter way opens on the right, the one on the left stays.
SHORTCUT = BLOCKING_CHANGED
SHORTCUT_CHANGED = (*BLOCKING[:3], ".#######.", *BLOCKING[4:])

# Colours of the picture: free, wall, start, goal, agent.
_COLOURS = np.array(
    [[255, 255, 255], [70, 70, 70], [180, 210, 255], [170, 230, 170], [220, 60, 50]], np.uint8
)
_PICTURE_WIDTH = 360  # pixels, at most; a cell takes at least one
# Imagined steps between two looks at Ctrl-C: some tens of milliseconds.
_STEPS_AT_A_TIME = 1_000_000


class Maze(gymnasium.Env[Any, Any]):
    """A maze of cells: up, down, left, right; reaching the goal pays 1, all else pays 0.

    States are cells, numbered row by row. A step against a wall or the border leaves the state as
    it is. An episode ends at the goal only. Everything is deterministic. The steps are compiled:
    `run` lets an agent act and learn without coming back to Python.

    Args:
        layout: a text for each row of cells: `.` free, `#` wall, `S` the start, `G` a goal.
        changed_layout: the layout once `switch_at` steps have been made, with the same start and
            goals. None: it stays.
        switch_at: steps after which the layout changes; needed with `changed_layout`. They are
            counted over episodes; a reset with a seed starts the count again.
        factor: each cell becomes factor x factor cells, as in the book's example 8.4, >= 1. The
            start is the upper left one of its cells, the goal all of its.
        render_mode: "ansi", "rgb_array" or None.

    Raises:
        ShapeError: the rows are of different length, or the two layouts of different size.
        ArgumentError: a layout has another letter, not one start, no goal, or more than 2**24
            cells; or another argument is out of range.

    Source: Sutton & Barto 2018, "Reinforcement learning: an introduction", figures 8.2, 8.4, 8.5.

    Example:
        >>> from dynaplan.envs.mazes import Maze
        >>> maze = Maze(["S.", ".G"])
        >>> maze.reset(seed=0)
        (0, {})
        >>> maze.step(1)
        (2, 0.0, False, False, {})
        >>> maze.step(3)
        (3, 1.0, True, False, {})
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi", "rgb_array"], "render_fps": 10}  # noqa: RUF012

    def __init__(
        self,
        layout: Sequence[str] = DYNA,
        *,
        changed_layout: Sequence[str] | None = None,
        switch_at: int | None = None,
        factor: int = 1,
        render_mode: str | None = None,
    ) -> None:
        if render_mode is not None:
            _arrays.choice("render_mode", render_mode, *self.metadata["render_modes"])
        if (changed_layout is None) != (switch_at is None):
            raise ArgumentError("changed_layout, switch_at: must both be given, or neither")
        factor = _arrays.count("factor", factor, 1)
        self.render_mode = render_mode
        letters = _letters("layout", layout)
        changed = letters if changed_layout is None else _letters("changed_layout", changed_layout)
        _check_same_places(letters, changed)
        rows, columns = (factor * size for size in letters.shape)
        if rows * columns > 2**24:
            raise ArgumentError(f"factor: got {factor}, must give at most 2**24 cells")
        start_row, start_column = (factor * int(place[0]) for place in np.nonzero(letters == "S"))
        self._goals = _enlarged(letters == "G", factor)
        self._walls = [_enlarged(cells == "#", factor) for cells in (letters, changed)]
        self._start = start_row * columns + start_column
        self._recipe = CoreCall(
            "Maze",
            rows,
            columns,
            self._start,
            self._goals.ravel(),
            self._walls[0].ravel(),
            None if changed_layout is None else self._walls[1].ravel(),
            0 if switch_at is None else _arrays.count("switch_at", switch_at),
        )
        self._maze: _core.Maze = self._recipe.make()
        self.observation_space = gymnasium.spaces.Discrete(rows * columns)
        self.action_space = gymnasium.spaces.Discrete(4)

    def __getstate__(self) -> dict[str, Any]:
        state = {name: deepcopy(part) for name, part in vars(self).items() if name != "_maze"}
        return state | {"_place": (self._maze.state, self._maze.clock)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        place = state.pop("_place")
        vars(self).update(state)
        self._maze = self._recipe.make()
        self._maze.restore(*place)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Goes back to the start.

        Args:
            seed: any seed sets the count of steps back to 0, and with it the layout.
            options: unused.
        """
        super().reset(seed=None if seed is None else _arrays.at_least(0, "seed", seed))
        if seed is not None:
            self._maze.set_clock_back()
        return self._maze.reset(), {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        """Moves by one cell.

        Args:
            action: 0 up, 1 down, 2 left, 3 right.

        Raises:
            ArgumentError: the action is none of these.
        """
        state, reward, terminated = self._maze.step(_arrays.integer("action", action))
        return state, reward, terminated, False, {}

    def run(self, agent: TabularAgent, steps: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Lets an agent act and learn here, as its own `run` would, without a step in Python.

        The agent makes the same steps and learns the same values, to the bit, as if it had been
        made for this maze, had not run yet, and stepped it from Python. Begins with a reset that
        leaves the count of steps as it is, and continues after each goal. Ctrl-C keeps what was
        learnt.

        Args:
            agent: a `DynaQ`, `DynaQPlus` or `PrioritizedSweeping` for as many states and actions.
            steps: real steps to make, >= 1.

        Returns:
            The reward of each step, and whether it ended an episode, (steps,) each.

        Raises:
            ArgumentError: `steps` is out of range, or the agent is for other spaces.
            TypeError: `agent` is no agent with tables.

        Example:
            >>> from dynaplan.envs.mazes import Maze
            >>> maze = Maze()
            >>> rewards, ends = maze.run(dp.DynaQ(maze, planning_steps=50, seed=0), 10_000)
            >>> lengths = np.diff(np.flatnonzero(ends))
            >>> bool(lengths[-100:].mean() < 18.0)  # 14 at best, and a tenth is explored
            True
        """
        steps = _arrays.count("steps", steps, 1)
        compiled = getattr(agent, "_agent", None)
        if not isinstance(compiled, _core.TabularAgent):
            raise TypeError(f"agent: got {type(agent).__name__}, must be an agent with tables")
        rewards, terminations = np.empty(steps), np.empty(steps, np.bool_)
        at_a_time = max(1, _STEPS_AT_A_TIME // (1 + agent.planning_steps))
        self._maze.reset()
        for begin in range(0, steps, at_a_time):
            part = slice(begin, min(begin + at_a_time, steps))
            made = self._maze.run(compiled, part.stop - begin)
            rewards[part], terminations[part] = made
        return rewards, terminations

    def render(self) -> str | NDArray[np.uint8] | None:
        """Returns the maze with the agent (`A`) as text or as a picture, by `render_mode`."""
        if self.render_mode is None:
            return None
        cells = self._walls[int(self._maze.has_changed)].astype(np.int64)
        cells.flat[self._start] = 2
        cells[self._goals.astype(bool)] = 3
        cells.flat[self._maze.state] = 4
        if self.render_mode == "ansi":
            return "\n".join("".join(".#SGA"[cell] for cell in row) for row in cells) + "\n"
        pixels = max(1, _PICTURE_WIDTH // cells.shape[1])
        return np.asarray(np.kron(_COLOURS[cells], np.ones((pixels, pixels, 1), np.uint8)))


def _letters(name: str, layout: Sequence[str]) -> NDArray[np.str_]:
    """Returns the letters of a layout, (rows, columns)."""
    several = layout if isinstance(layout, list | tuple) else [layout]
    rows = [row for row in several if isinstance(row, str) and row]
    if not rows or len(rows) < len(several):
        got = _texts.shown(layout)
        raise ArgumentError(f"{name}: got {got}, must be a text for each row of cells")
    if len({len(row) for row in rows}) > 1:
        raise ShapeError(f"{name}: the rows have different lengths")
    letters = np.array([list(row) for row in rows])
    if unknown := set(letters.flat) - set(".#SG"):
        raise ArgumentError(f"{name}: got {''.join(sorted(unknown))!r}, must be of . # S G")
    if np.count_nonzero(letters == "S") != 1 or not (letters == "G").any():
        raise ArgumentError(f"{name}: must have one start S and at least one goal G")
    return letters


def _check_same_places(letters: NDArray[np.str_], changed: NDArray[np.str_]) -> None:
    if letters.shape != changed.shape:
        raise ShapeError(
            f"changed_layout: got {changed.shape} cells, must be of shape {letters.shape}"
        )
    for letter in "SG":
        if ((letters == letter) != (changed == letter)).any():
            raise ArgumentError(f"changed_layout: must have {letter} where layout has it")


def _enlarged(cells: NDArray[np.bool_], factor: int) -> NDArray[np.uint8]:
    """Returns 1 where a cell is True, each cell factor x factor times."""
    return np.repeat(np.repeat(cells, factor, axis=0), factor, axis=1).astype(np.uint8)


def _register() -> None:
    settings: dict[str, dict[str, Any]] = {
        "DynaMaze": {"layout": DYNA},
        "BlockingMaze": {
            "layout": BLOCKING,
            "changed_layout": BLOCKING_CHANGED,
            "switch_at": 1000,
        },
        "ShortcutMaze": {
            "layout": SHORTCUT,
            "changed_layout": SHORTCUT_CHANGED,
            "switch_at": 3000,
        },
    }
    for name, kwargs in settings.items():
        gymnasium.register(f"dynaplan/{name}-v0", "dynaplan.envs.mazes:Maze", kwargs=kwargs)


_register()
