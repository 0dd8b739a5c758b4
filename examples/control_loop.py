"""A loop at 500 Hz for a minute: plans within a time limit, and when its actions really came.

    python examples/control_loop.py                  # a minute
    python examples/control_loop.py --seconds 5 --rate 1000

The plant is the pendulum of Gymnasium, stepped at its own 20 Hz under the latest action; the loop
around it requests an action in every period and measures how late each one is. The histogram is
printed as text, and drawn where matplotlib is installed.
"""

from __future__ import annotations

import argparse
import gc
import time
from pathlib import Path

import gymnasium
import numpy as np

import dynaplan as dp


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the loop runs")
    parser.add_argument("--rate", type=float, default=500.0, help="actions a second")
    parser.add_argument(
        "--share", type=float, default=0.5, help="fraction of a period that a plan may take"
    )
    parser.add_argument("--out", type=Path, default=Path("jitter.png"), help="picture to write")
    return parser.parse_args()


def wait_until(moment: float) -> float:
    """Sleeps, then spins for the last part: sleep alone wakes up late."""
    while (left := moment - time.perf_counter()) > 0.0:
        if left > 0.0005:
            time.sleep(left - 0.0004)
    return time.perf_counter()


def main() -> None:
    arguments = parsed()
    period = 1.0 / arguments.rate
    env = gymnasium.make("Pendulum-v1", max_episode_steps=10**9)
    model = dp.LinearGaussian.fit(dp.collect(env, 200, seed=0), features=dp.Polynomial(2))
    reward = dp.rewards.for_env(env)
    mpc = dp.MPC(model, reward, dp.ICEM(horizon=22), action_space=env.action_space, seed=0)

    observation, _ = env.reset(seed=1)
    steps = int(arguments.seconds * arguments.rate)
    woke, answered, cut_short, total = np.empty(steps), np.empty(steps), 0, 0.0
    every = max(1, round(0.05 / period))  # periods between two steps of the plant
    mpc.act(observation)  # allocates the memory of the plans
    gc.disable()  # a collection takes longer than a plan
    begin = time.perf_counter() + 0.01
    for n in range(steps):
        due = begin + n * period
        woke[n] = wait_until(due) - due
        action = mpc.act(observation, time_limit=arguments.share * period)
        answered[n] = time.perf_counter() - due
        cut_short += mpc.last_plan.status == "time_limit"
        if n % every == 0:
            observation, reward_now, *_ = env.step(action.astype(np.float32))
            total += float(reward_now)
    gc.enable()

    print(
        f"{steps} actions at {arguments.rate:g} Hz, {cut_short} plans cut short by their time limit"
    )
    for name, late in (("loop woke up late by", woke), ("action came after", answered)):
        median, p99, maximum = 1e6 * np.quantile(late, [0.5, 0.99, 1.0])
        print(f"{name}: median {median:.0f} us, p99 {p99:.0f} us, maximum {maximum:.0f} us")
    missed = int((answered > period).sum())
    print(f"periods missed: {missed}; mean reward per plant step {total * every / steps:.2f}")
    edges = np.linspace(0.0, 1e6 * period, 13)
    counts, _ = np.histogram(1e6 * answered, edges)
    for low, high, count in zip(edges, edges[1:], counts, strict=False):
        print(f"{low:6.0f} to {high:6.0f} us {count:8d} {'#' * round(50 * count / steps)}")
    draw(arguments.out, woke, answered, period)


def draw(path: Path, woke: np.ndarray, answered: np.ndarray, period: float) -> None:
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415  # optional
    except ImportError:
        print('no picture: pip install "dynaplan[plot]"')
        return
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    edges = np.geomspace(1e-7, max(period * 2, answered.max() * 1.1), 120)
    axes.hist(np.maximum(woke, 1e-7), edges, alpha=0.6, label="loop woke up (machine's jitter)")
    axes.hist(answered, edges, alpha=0.6, label="action was ready")
    axes.axvline(period, color="black", linestyle="--", label="end of the period")
    axes.set(xscale="log", yscale="log", xlabel="seconds after the start of the period")
    axes.set(ylabel="actions", title=f"{len(answered)} actions at {1 / period:g} Hz")
    axes.legend(loc="upper center")
    figure.savefig(path, dpi=120)
    print(f"picture: {path}")


if __name__ == "__main__":
    main()
