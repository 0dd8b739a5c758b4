"""Tabular agents in the mazes of Sutton & Barto 2018, chapter 8.

Prints how many steps an episode takes, for different numbers of imagined steps after each real one;
what the bonus of Dyna-Q+ gains when a maze changes; and how many updates prioritized sweeping
saves. Draws the curves to dyna_maze.png if matplotlib is installed.

Run: python examples/dyna_maze.py
"""

from __future__ import annotations

import importlib.util
from typing import Any

import gymnasium as gym
import numpy as np

import dynaplan as dp
from dynaplan.envs import mazes  # registers them

RUNS = 30
EPISODES = 50
IMAGINED = (0, 5, 50)
CHANGES = {
    "BlockingMaze": (1000, 3000, 10, 1e-4),  # switch, steps, imagined steps, bonus
    "ShortcutMaze": (3000, 6000, 50, 1e-3),
}


def episode_steps(planning_steps: int) -> np.ndarray[Any, Any]:
    """Steps of each episode, averaged over all runs."""
    runs = []
    for seed in range(RUNS):
        maze = mazes.Maze()
        agent = dp.DynaQ(maze, planning_steps=planning_steps, seed=seed)
        _, terminations = maze.run(agent, 30_000)
        runs.append(np.diff(np.flatnonzero(terminations), prepend=-1)[:EPISODES])
    return np.mean(runs, axis=0)


def cumulative_reward(name: str, kind: type, **extra: float) -> np.ndarray[Any, Any]:
    """Cumulative reward after each step, averaged over all runs."""
    switch_at, steps, planning_steps, _ = CHANGES[name]
    runs = []
    for seed in range(RUNS):
        maze = gym.make(f"dynaplan/{name}-v0", switch_at=switch_at).unwrapped
        agent = kind(maze, learning_rate=1.0, planning_steps=planning_steps, seed=seed, **extra)
        runs.append(np.cumsum(maze.run(agent, steps)[0]))
    return np.mean(runs, axis=0)


def updates_to_a_good_path(kind: type, seed: int, factor: int = 4) -> int:
    """Updates until the greedy path is at most a fifth longer than the shortest one."""
    maze, probe = mazes.Maze(factor=factor), mazes.Maze(factor=factor)
    agent = kind(maze, learning_rate=1.0, planning_steps=5, seed=seed)
    for _ in agent.run(10**7):
        policy, arrived = agent.policy(), False
        state, _ = probe.reset()
        for _ in range(int(1.2 * 14 * factor)):
            state, _, arrived, _, _ = probe.step(policy[state])
            if arrived:
                return agent.updates
    raise RuntimeError("no good path was found")


def main() -> None:
    lengths = {n: episode_steps(n) for n in IMAGINED}
    print("steps of an episode in the Dyna maze, 14 at best")
    shown = (1, 2, 3, 5, 10, 20, 30, 50)
    print("  episode          " + "".join(f"{episode:>7}" for episode in shown))
    for n, mean in lengths.items():
        print(f"  {n:>2} imagined steps" + "".join(f"{mean[k - 1]:>7.0f}" for k in shown))

    rewards = {}
    for name, (switch_at, steps, _, bonus) in CHANGES.items():
        print(f"\ncumulative reward in the {name}, which changes after {switch_at} steps")
        rewards[name] = {
            "Dyna-Q": cumulative_reward(name, dp.DynaQ),
            "Dyna-Q+": cumulative_reward(name, dp.DynaQPlus, bonus=bonus),
        }
        for agent, mean in rewards[name].items():
            before, end = mean[switch_at - 1], mean[-1]
            print(f"  {agent:<8}{before:>6.0f} before,{end:>6.0f} at the end, {steps} steps")

    kinds = (dp.DynaQ, dp.PrioritizedSweeping)
    updates = [np.mean([updates_to_a_good_path(kind, seed) for seed in range(3)]) for kind in kinds]
    print("\nupdates until a good path is found in the Dyna maze of 24 x 36 cells")
    for kind, mean in zip(kinds, updates, strict=True):
        print(f"  {kind.__name__:<20}{mean:>9.0f}")

    if importlib.util.find_spec("matplotlib"):
        draw(lengths, rewards)
        print("\ncurves drawn to dyna_maze.png")


def draw(lengths: dict[int, Any], rewards: dict[str, dict[str, Any]]) -> None:
    """Draws figures 8.2, 8.4 and 8.5 of the book."""
    import matplotlib as mpl  # noqa: PLC0415  # optional

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, axes = plt.subplots(1, 3, figsize=(13.0, 3.8), layout="constrained")
    for n, mean in lengths.items():
        axes[0].plot(np.arange(2, EPISODES + 1), mean[1:], label=f"{n} imagined steps")
    axes[0].axhline(14.0, color="grey", linestyle=":", label="shortest path")
    axes[0].set(title="DynaMaze", xlabel="episode", ylabel="steps", yscale="log")
    axes[0].minorticks_off()
    axes[0].set_yticks([14, 20, 50, 100, 200, 500], ["14", "20", "50", "100", "200", "500"])
    for axis, (name, curves) in zip(axes[1:], rewards.items(), strict=True):
        for agent, mean in curves.items():
            axis.plot(mean, label=agent)
        axis.axvline(CHANGES[name][0], color="grey", linestyle=":", label="the maze changes")
        axis.set(title=name, xlabel="step", ylabel="cumulative reward")
    for axis, place in zip(axes, ("upper right", "lower right", "lower right"), strict=True):
        axis.legend(frameon=False, loc=place)
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig("dyna_maze.png", dpi=120)


if __name__ == "__main__":
    main()
