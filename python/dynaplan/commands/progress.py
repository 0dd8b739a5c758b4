"""The progress bar of a terminal; nothing where the output goes to a file or a pipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

__all__ = ["Show", "progress_bar"]

Show: TypeAlias = Callable[[str, float], None]  # what is done now, and the share done, 0 to 1


@contextmanager
def progress_bar(console: Console) -> Iterator[Show]:
    """Shows a bar while the context lasts, and yields the function that moves it."""
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
        auto_refresh=False,  # a thread that draws would take its time from the plans
    )
    task = progress.add_task("", total=1.0)

    def show(description: str, done: float) -> None:
        progress.update(task, description=description, completed=done, refresh=True)

    with progress:
        yield show
