"""The mazes: layouts as in the book's figures, Gymnasium's rules, any resolution, bad input."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import dynaplan as dp
from dynaplan.envs import mazes
from dynaplan.envs.mazes import Maze

IDS = ["dynaplan/DynaMaze-v0", "dynaplan/BlockingMaze-v0", "dynaplan/ShortcutMaze-v0"]
RunPython = Callable[..., Any]


def shortest(layout: tuple[str, ...], factor: int = 1) -> int:
    """Steps from the start to the goal by breadth-first search over the letters alone."""
    rows = ["".join(letter * factor for letter in row) for row in layout for _ in range(factor)]
    start = next((r, row.index("S")) for r, row in enumerate(rows) if "S" in row)
    seen, queue = {start}, deque([(start, 0)])
    while queue:
        (r, c), steps = queue.popleft()
        if rows[r][c] == "G":
            return steps
        for cell in ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)):
            inside = 0 <= cell[0] < len(rows) and 0 <= cell[1] < len(rows[0])
            if inside and rows[cell[0]][cell[1]] != "#" and cell not in seen:
                seen.add(cell)
                queue.append((cell, steps + 1))
    raise AssertionError("the goal cannot be reached")


def test_the_ways_are_as_long_as_in_the_book() -> None:
    assert shortest(mazes.DYNA) == 14
    assert (shortest(mazes.BLOCKING), shortest(mazes.BLOCKING_CHANGED)) == (10, 16)
    assert (shortest(mazes.SHORTCUT), shortest(mazes.SHORTCUT_CHANGED)) == (16, 10)


@pytest.mark.parametrize("env_id", IDS)
@pytest.mark.parametrize("factor", [1, 3])
def test_gymnasiums_checker_finds_nothing(env_id: str, factor: int) -> None:
    check_env(gymnasium.make(env_id, factor=factor).unwrapped)


def test_importing_dynaplan_registers_nothing_and_an_id_brings_its_module(
    run_python: RunPython,
) -> None:
    run_python(
        """
import sys
import dynaplan as dp
assert "gymnasium" not in sys.modules
import gymnasium
assert not any(name.startswith("dynaplan/") for name in gymnasium.registry)
env = gymnasium.make("dynaplan.envs.mazes:dynaplan/DynaMaze-v0", factor=2)
assert env.observation_space.n == 216
gymnasium.make("dynaplan/ShortcutMaze-v0", switch_at=7)
"""
    )


@pytest.mark.parametrize("factor", [1, 2, 5])
def test_each_move_is_that_of_the_letters(factor: int) -> None:
    maze = Maze(mazes.DYNA, factor=factor)
    rows = 6 * factor
    columns = 9 * factor
    state, _ = maze.reset(seed=0)
    assert state == 2 * factor * columns
    generator = np.random.default_rng(factor)
    for action in generator.integers(4, size=20_000):
        row, column = divmod(state, columns)
        row += {0: -1, 1: 1}.get(int(action), 0)
        column += {2: -1, 3: 1}.get(int(action), 0)
        inside = 0 <= row < rows and 0 <= column < columns
        letter = mazes.DYNA[row // factor][column // factor] if inside else "#"
        expected = state if letter == "#" else row * columns + column
        state, reward, terminated, truncated, _ = maze.step(action)
        assert (state, reward, terminated) == (expected, float(letter == "G"), letter == "G")
        assert not truncated
        if terminated:
            state, _ = maze.reset()


def test_the_walls_change_at_the_step_and_a_seed_brings_them_back() -> None:
    maze = gymnasium.make("dynaplan/BlockingMaze-v0", switch_at=3, render_mode="ansi").unwrapped
    before = "\n".join(mazes.BLOCKING).replace("S", "A") + "\n"
    after = "\n".join(mazes.BLOCKING_CHANGED).replace("S", "A") + "\n"
    maze.reset(seed=1)
    for _ in range(3):
        assert maze.render() == before
        maze.step(1)  # against the border
    assert maze.render() == after
    maze.reset()
    assert maze.render() == after
    maze.reset(seed=1)
    assert maze.render() == before


def test_the_text_and_the_picture_show_the_same() -> None:
    text, picture = (
        gymnasium.make("dynaplan/DynaMaze-v0", factor=2, render_mode=mode)
        for mode in ("ansi", "rgb_array")
    )
    for env in (text, picture):
        env.reset(seed=0)
        env.step(3)
    letters = [list(row) for row in text.render().split()]
    image = picture.render()
    assert image.shape == (12 * 20, 18 * 20, 3)
    assert image.dtype == np.uint8
    colours = {}
    for row, line in enumerate(letters):
        for column, letter in enumerate(line):
            cell = image[20 * row : 20 * row + 20, 20 * column : 20 * column + 20].reshape(-1, 3)
            assert (cell == cell[0]).all()
            assert colours.setdefault(letter, tuple(cell[0])) == tuple(cell[0])
    assert len(set(colours.values())) == len(colours) == 5
    assert letters[4][1] == "A"
    assert letters[4][0] == "S"


def test_a_large_maze_is_drawn_with_a_pixel_a_cell() -> None:
    maze = Maze(factor=50, render_mode="rgb_array")
    maze.reset()
    assert maze.render().shape == (300, 450, 3)


@pytest.mark.parametrize(
    ("layout", "error", "message"),
    [
        ([], dp.ArgumentError, "layout"),
        ([""], dp.ArgumentError, "layout"),
        ([1, 2], dp.ArgumentError, "layout"),
        (["S.", "G"], dp.ShapeError, "different lengths"),
        (["S.x", "..G"], dp.ArgumentError, "got 'x'"),
        (["SS", ".G"], dp.ArgumentError, "one start S"),
        (["..", ".G"], dp.ArgumentError, "one start S"),
        (["S.", ".."], dp.ArgumentError, "one goal G"),
    ],
)
def test_a_layout_that_is_none_is_refused(
    layout: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Maze(layout)


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"factor": 0}, dp.ArgumentError, "factor"),
        ({"factor": 1.5}, dp.ArgumentError, "factor"),
        ({"factor": 10**9}, dp.ArgumentError, "factor"),
        ({"render_mode": "human"}, dp.ArgumentError, "render_mode"),
        ({"switch_at": 10}, dp.ArgumentError, "switch_at"),
        ({"changed_layout": mazes.DYNA}, dp.ArgumentError, "switch_at"),
        ({"changed_layout": mazes.DYNA, "switch_at": -1}, dp.ArgumentError, "switch_at"),
        ({"changed_layout": ("S.G",), "switch_at": 1}, dp.ShapeError, "changed_layout"),
        ({"changed_layout": mazes.BLOCKING, "switch_at": 1}, dp.ArgumentError, "changed_layout"),
    ],
)
def test_an_argument_out_of_range_is_refused(
    wrong: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Maze(mazes.DYNA, **wrong)


@pytest.mark.parametrize("action", [-1, 4, 1.0, "up", None, 2**64])
def test_an_action_that_is_none_is_refused(action: Any) -> None:
    with pytest.raises(dp.ArgumentError, match="action"):
        Maze().step(action)


def test_only_an_agent_with_tables_runs() -> None:
    with pytest.raises(TypeError, match="agent"):
        Maze().run(object(), 5)  # type: ignore[arg-type]


def test_ctrl_c_ends_a_run_and_keeps_what_was_learnt(run_python: RunPython) -> None:
    run_python(
        """
import signal
import dynaplan as dp
from dynaplan.envs.mazes import Maze
maze = Maze()
agent = dp.DynaQ(maze, planning_steps=100, seed=0)
signal.setitimer(signal.ITIMER_REAL, 0.3)
def interrupt(*_):
    raise KeyboardInterrupt
signal.signal(signal.SIGALRM, interrupt)
try:
    maze.run(agent, 50_000_000)
except KeyboardInterrupt:
    assert 0 < agent.steps < 50_000_000 and agent.q.max() > 0.0
else:
    raise AssertionError("it was not interrupted")
"""
    )
