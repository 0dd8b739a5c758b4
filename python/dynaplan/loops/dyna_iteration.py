"""What a loop that imagines reports of an episode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dynaplan import _texts
from dynaplan._docstrings import shares_arguments
from dynaplan.agents.sac.settings import UpdateStatistics
from dynaplan.data.driver import Episode
from dynaplan.rollouts.evaluation import Evaluation

__all__ = ["COLUMNS", "DynaIteration", "mean_statistics"]

# Of logs, in their order.
COLUMNS = (
    "steps",
    "episode",
    "episode_steps",
    "episode_return",
    "finished",
    "length",
    "model_error",
    "imagined",
    "updates",
    "critic_loss",
    "actor_loss",
    "value",
    "entropy",
    "temperature",
    "updates_per_second",
    "seconds",
    "learning_seconds",
    "imagining_seconds",
    "updating_seconds",
)
_OF_UPDATES = ("updates", "critic_loss", "actor_loss", "value", "entropy", "temperature")


@shares_arguments(Episode)
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class DynaIteration(Episode):
    """One episode of a loop that imagines, or the part of it that was left.

    Where the steps of a run end first, the next run continues the episode: then both report it,
    with `episode_steps` and `episode_return` from its beginning.

    Attributes:
        length: steps of each imagined rollout now; 0 where nothing is imagined.
        model_error: median error of the model after one step, on transitions it had not seen, in
            standard deviations of the data; nan where it was not measured.
        evaluation: all of that measurement; None where there is none, or after `restore`.
        imagined: transitions imagined in this iteration.
        updates: means over the agent's updates in it, None if there were none.
        updates_per_second: updates for each second spent on them; nan if there were none.
        learning_seconds: the part of `seconds` for models.
        imagining_seconds: the part for imagined transitions.
        updating_seconds: the part for updates of the agent.
    """

    length: int
    model_error: float
    evaluation: Evaluation | None
    imagined: int
    updates: UpdateStatistics | None
    updates_per_second: float
    learning_seconds: float
    imagining_seconds: float
    updating_seconds: float

    def numbers(self) -> dict[str, float]:
        """Returns the numbers among them by name, for logs."""
        row: dict[str, float] = {}
        for name in COLUMNS:
            if name not in _OF_UPDATES:
                row[name] = getattr(self, name)
            elif self.updates is not None:
                row[name] = getattr(self.updates, name)
            else:
                row[name] = 0 if name == "updates" else np.nan
        return row

    def __repr__(self) -> str:
        return _texts.object_text(
            self,
            "steps",
            "episode",
            "episode_return",
            "finished",
            "length",
            "model_error",
            "imagined",
        )


def mean_statistics(reports: Sequence[Any]) -> UpdateStatistics | None:
    """Joins what several calls of `update` reported, each weighted by its number of updates.

    None where there is none, or where the agent is no `SAC` and reports something else.
    """
    made = [r for r in reports if isinstance(r, UpdateStatistics) and r.updates > 0]
    if not made:
        return None
    counts = [report.updates for report in made]

    def mean(name: str) -> float:
        return float(np.average([getattr(report, name) for report in made], weights=counts))

    return UpdateStatistics(sum(counts), *(mean(name) for name in _OF_UPDATES[1:]))
