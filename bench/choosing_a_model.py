"""Free-run errors of the kinds of models that `select` tries, on systems whose truth is known.

    python -m bench.choosing_a_model            # prints the table
    python -m bench.choosing_a_model --write    # puts it into docs/choosing-a-model.md

Every kind is fitted to the same rows and runs open loop through 20 fresh episodes, from their first
states, under their actions. The error is the root mean square over the episodes, steps and states,
each state in standard deviations of the fresh data: a model that always predicts the mean has
about 1. What is chosen is what `select` chooses from the rows alone.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import dynaplan as dp
from dynaplan.rollouts.default_learners import default_learners

Array = NDArray[np.float64]

PAGE = Path(__file__).resolve().parents[1] / "docs/choosing-a-model.md"
BEGIN, END = "<!-- python -m bench.choosing_a_model -->\n", "<!-- end -->\n"
KINDS = ("linear", "quadratic", "cubic", "GaussianProcess", "MLP", "GaussianMLP", "Ensemble")
FRESH, HORIZON = 20, 50  # episodes, steps
AWAY = 100.0


@dataclass(frozen=True)
class System:
    """One step of a system on a batch, how it starts, and how much of it is recorded."""

    name: str
    step: Callable[[Array, Array], Array]
    start: Callable[[np.random.Generator, int], Array]
    action_dim: int = 1
    noise: float = 0.0  # standard deviation in each step
    episodes: int = 8
    rows: int = 50  # of each episode

    def record(self, episodes: int, rows: int, seed: int) -> dp.Transitions:
        """Runs episodes under random actions, each held for five steps."""
        rng = np.random.default_rng(seed)
        path = [self.start(rng, episodes)]
        held = rng.uniform(-1.0, 1.0, (episodes, rows // 5 + 1, self.action_dim))
        actions = np.repeat(held, 5, axis=1)[:, :rows]
        for k in range(rows):
            after = self.step(path[-1], actions[:, k])
            path.append(after + self.noise * rng.normal(size=after.shape))
        states = np.stack(path, axis=1)
        width = states.shape[2]
        return dp.Transitions(
            states[:, :-1].reshape(-1, width),
            actions.reshape(-1, self.action_dim),
            states[:, 1:].reshape(-1, width),
            episodes=np.repeat(np.arange(episodes), rows),
            gaps="ignore",
        )


def linear(states: Array, actions: Array) -> Array:
    """A damped oscillation that is pushed."""
    after: Array = states @ np.array([[0.95, -0.2], [0.1, 0.9]]) + actions * np.array([0.0, 0.2])
    return after


def chain(states: Array, actions: Array) -> Array:
    """Six masses in a row between springs and dampers; the ends are pushed. Places, then speeds."""
    place, speed = states[:, :6], states[:, 6:]
    stiffness = 2.0 * np.eye(6) - np.eye(6, k=1) - np.eye(6, k=-1)
    force = -4.0 * place @ stiffness - 0.3 * speed
    force[:, 0] += 3.0 * actions[:, 0]
    force[:, 5] += 3.0 * actions[:, 1]
    speed = speed + 0.1 * force
    return np.hstack([place + 0.1 * speed, speed])


def pendulum(states: Array, actions: Array) -> Array:
    """Angle and speed, hanging at 0; semi-implicit Euler, 20 steps a second."""
    angle, speed = states.T
    speed = speed + 0.05 * (-9.81 * np.sin(angle) - 0.5 * speed + 6.0 * actions[:, 0])
    return np.stack([angle + 0.05 * speed, speed], axis=1)


def turning_pendulum(states: Array, actions: Array) -> Array:
    """The same as cosine, sine and speed."""
    angle = np.arctan2(states[:, 1], states[:, 0])
    after = pendulum(np.stack([angle, states[:, 2]], axis=1), actions)
    return np.stack([np.cos(after[:, 0]), np.sin(after[:, 0]), after[:, 1]], axis=1)


def tanks(states: Array, actions: Array) -> Array:
    """Levels of two tanks, the first above the second; water leaves as the root of the level."""
    upper, lower = np.maximum(states, 0.0).T
    inflow = 0.6 + 0.5 * actions[:, 0]
    flow, out = 0.5 * np.sqrt(upper), 0.5 * np.sqrt(lower)
    return np.stack([upper + 0.2 * (inflow - flow), lower + 0.2 * (flow - out)], axis=1)


def stiction(states: Array, actions: Array) -> Array:
    """A slide with a spring and dry friction, which holds it where little pushes."""
    place, speed = states.T
    push = 4.0 * actions[:, 0] - 3.0 * place
    friction = 1.2 * np.tanh(30.0 * speed)
    speed = speed + 0.05 * (push - friction - 0.2 * speed)
    return np.stack([place + 0.05 * speed, speed], axis=1)


def gaussian(*deviations: float) -> Callable[[np.random.Generator, int], Array]:
    """Starts of these standard deviations."""
    scale = np.array(deviations)

    def starts(rng: np.random.Generator, count: int) -> Array:
        drawn: Array = rng.normal(size=(count, len(scale))) * scale
        return drawn

    return starts


def any_angle(rng: np.random.Generator, count: int) -> Array:
    """Starts of the turning pendulum."""
    angle = rng.uniform(-np.pi, np.pi, count)
    return np.stack([np.cos(angle), np.sin(angle), 2.0 * rng.normal(size=count)], axis=1)


SYSTEMS = (
    System("linear, with noise", linear, gaussian(1.0, 1.0), noise=0.05),
    System("six masses, with noise", chain, gaussian(*[0.5] * 6, *[1.0] * 6), 2, noise=0.02),
    System("pendulum", pendulum, gaussian(0.8, 1.5)),
    System("pendulum, 80 rows", pendulum, gaussian(0.8, 1.5), episodes=4, rows=20),
    System("pendulum, 80 rows, noise", pendulum, gaussian(0.8, 1.5), 1, 0.05, 4, 20),
    System("pendulum that turns over", turning_pendulum, any_angle),
    System("pendulum that turns over, 2,000 rows", turning_pendulum, any_angle, episodes=40),
    System("two tanks", tanks, lambda rng, count: rng.uniform(0.2, 3.0, (count, 2))),
    System("dry friction", stiction, gaussian(0.8, 1.0)),
    System("dry friction, 2,000 rows", stiction, gaussian(0.8, 1.0), episodes=40),
    System("random walk", lambda s, a: s, gaussian(1.0, 1.0), noise=0.3),
)


@dataclass(frozen=True)
class Row:
    """What was measured of a system; a kind that was left out has no error."""

    name: str
    rows: int
    errors: dict[str, float]
    chosen: str | None


def free_run_error(model: dp.Model, fresh: dp.Transitions) -> float:
    """Returns the root mean square error of whole episodes, in spreads of the states."""
    starts = [episode.start for episode in fresh.episode_slices]
    actions = np.stack([fresh.actions[episode] for episode in fresh.episode_slices])
    actual = np.stack([fresh.next_states[episode] for episode in fresh.episode_slices])
    predicted = dp.rollout(model, fresh.states[starts], actions)[:, 1:]
    with np.errstate(over="ignore", invalid="ignore"):
        errors = (predicted - actual) / fresh.states.std(axis=0)
        error = float(np.sqrt(np.mean(errors**2)))
    return error if np.isfinite(error) else np.inf


def measured(system: System, seed: int = 0) -> Row:
    """Fits every kind to the rows of a system and runs it through fresh episodes."""
    data = system.record(system.episodes, system.rows, seed)
    fresh = system.record(FRESH, HORIZON, seed + 1000)
    learners, _ = default_learners(data, len(data) * 4 // 5, seed, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dp.RankDeficientWarning)
        errors = {name: free_run_error(learn(data), fresh) for name, learn in learners.items()}
        chosen = dp.select(data, horizon=HORIZON, seed=seed).chosen
    return Row(system.name, len(data), errors, chosen)


def table(rows: list[Row]) -> str:
    """Returns the rows in Markdown; what was chosen is bold."""

    def cell(row: Row, kind: str) -> str:
        error = row.errors.get(kind)
        text = "-" if error is None else "runs away" if error > AWAY else f"{error:.2g}"
        return f"**{text}**" if kind == row.chosen else text

    lines = [f"| system | rows | {' | '.join(KINDS)} | chosen |", "| --- " * (len(KINDS) + 3) + "|"]
    for row in rows:
        cells = [row.name, f"{row.rows:,}", *(cell(row, kind) for kind in KINDS)]
        lines.append(f"| {' | '.join(cells)} | {row.chosen or 'none'} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Prints the table, or writes it into the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put the table into the page")
    options = parser.parse_args()
    rows = []
    for system in SYSTEMS:
        rows.append(measured(system))
        print(rows[-1], file=sys.stderr, flush=True)
    text = table(rows)
    print(text)
    if options.write:
        page = PAGE.read_text(encoding="utf-8")
        before, _, rest = page.partition(BEGIN)
        PAGE.write_text(before + BEGIN + text + END + rest.partition(END)[2], encoding="utf-8")


if __name__ == "__main__":
    main()
