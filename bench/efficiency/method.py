"""What the words mean: a method, and a snapshot of what it has learned."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from bench.efficiency.tasks import Task

Act: TypeAlias = Callable[[Any], Any]
Settings: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Snapshot:
    """What was learned after so many real steps.

    Attributes:
        steps: real steps so far, the random ones included.
        policy: returns a function from states to actions for the evaluation episode of this
            number: deterministic, and without effect on the learning. Valid until that continues.
        facts: named numbers on what was learned; those that are not finite are left out.
    """

    steps: int
    policy: Callable[[int], Act]
    facts: Mapping[str, float]


Learn: TypeAlias = Callable[[Task, Any, int, Settings], Iterator[Snapshot]]


@dataclass(frozen=True)
class Method:
    """A way to learn, with settings that are frozen before it is judged.

    Attributes:
        name: in commands, files and tables.
        summary: what it is, and what its settings leave unsaid; part of the settings' text.
        learn: generator function `(task, env, seed, settings)` that yields about every
            `task.evaluate_every` real steps and after the last one, which other processes can
            import. It makes all of its real steps in `env`.
        settings: what it learns with.
        tasks: the names of those it is for; empty: all.
        budgets: real steps by the task's name, where it gets fewer than the task has.
    """

    name: str
    summary: str
    learn: Learn
    settings: Settings
    tasks: tuple[str, ...] = ()
    budgets: Mapping[str, int] = field(default_factory=dict)

    def text(self) -> str:
        """Returns the settings as they are stored, and compared with stored ones."""
        text = ", ".join(f"{name}={value!r}" for name, value in self.settings.items())
        return f"{self.summary}: {text}" if text else self.summary

    def suits(self, task: Task) -> bool:
        """Whether it is for this task."""
        return not self.tasks or task.name in self.tasks

    def budgeted(self, task: Task) -> Task:
        """Returns the task with as many steps as this method gets."""
        return dataclasses.replace(task, steps=self.budgets.get(task.name, task.steps))


@dataclass(frozen=True)
class Cell:
    """A method learns a task with a seed.

    Attributes:
        task: with the method's budget.
        method: what learns.
        seed: of all that it draws.
    """

    task: Task
    method: Method
    seed: int

    def __str__(self) -> str:
        """Returns how it is named in messages."""
        return f"{self.task.name}, {self.method.name}, seed {self.seed}"
