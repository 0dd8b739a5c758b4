"""What 200 real steps are worth: episodes of Pendulum-v1 driven by a model learned from them.

Settings are the library's defaults, chosen on seeds 0 to 399. The seeds here are others, and none
is left out.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np

from bench import workloads
from bench.case import Case, Implementation, Prepared, Target, Variant

MAIN = "100 seeds"
MODULE = "bench.cases.bench_sample_efficiency_pendulum"
SEEDS = range(5000, 5100)  # of the data
STEPS = 200  # transitions to learn from, and length of an episode
EPISODE_SEED = 1000  # the episode starts from the seed of the data + 1000
FAILING = -450.0
MOST_LISTED = 30  # random actions fail everywhere; nobody needs the list

Policy = Callable[[workloads.FloatArray], workloads.FloatArray]


def episode_return(policy: Policy, seed: int) -> float:
    """Returns the undiscounted return of one episode of 200 steps."""
    env = gymnasium.make("Pendulum-v1")
    state, _ = env.reset(seed=seed)
    total, done = 0.0, False
    while not done:
        state, reward, terminated, truncated, _ = env.step(policy(state))
        total += float(reward)
        done = terminated or truncated
    env.close()
    return total


def judged(policy_of: Callable[[int], Policy]) -> Prepared:
    """Returns the facts over all seeds, one policy and one episode each."""

    def run() -> dict[str, Any]:
        returns = [episode_return(policy_of(seed), EPISODE_SEED + seed) for seed in SEEDS]
        failing = [seed for seed, value in zip(SEEDS, returns, strict=True) if value < FAILING]
        return {
            "mean return": float(np.mean(returns)),
            "least return": float(np.min(returns)),
            "sd": float(np.std(returns, ddof=1)),
            "median return": float(np.median(returns)),
            "seeds failing": len(failing),
            "which": " ".join(map(str, failing)) if len(failing) < MOST_LISTED else "",
        }

    return Prepared(run, reports="facts")


def learned(_inputs: object, threads: int) -> Prepared:
    """A fit of quadratic features to 200 random steps, then MPC with `dp.CEM` as it comes."""
    dp = importlib.import_module("dynaplan")

    def policy_of(seed: int) -> Policy:
        env = gymnasium.make("Pendulum-v1")
        data = dp.collect(env, steps=STEPS, seed=seed)
        model = dp.LinearGaussian.fit(data, features=dp.Polynomial(2))
        planner = dp.CEM(threads=threads)
        mpc = dp.MPC(
            model, dp.rewards.for_env(env), planner, action_space=env.action_space, seed=seed
        )
        act: Policy = mpc.act
        return act

    return judged(policy_of)


def true_dynamics(_inputs: object, _threads: int) -> Prepared:
    """Numba's planner on the true equations, warm-started: what this planner gets from the task."""
    numba_peer = importlib.import_module("bench.peers.numba")
    budget = workloads.PlanBudget(horizon=20)

    def policy_of(_seed: int) -> Policy:
        controller = numba_peer.pendulum_controller(budget)

        def act(state: workloads.FloatArray) -> workloads.FloatArray:
            angle = float(np.arctan2(state[1], state[0]))
            torque: workloads.FloatArray = controller(angle, float(state[2]))
            return torque

        return act

    return judged(policy_of)


def random_actions(_inputs: object, _threads: int) -> Prepared:
    """Uniform torques."""

    def policy_of(seed: int) -> Policy:
        generator = np.random.default_rng(seed)
        return lambda _state: generator.uniform(-2.0, 2.0, 1)

    return judged(policy_of)


CASE = Case(
    name="sample_efficiency_pendulum",
    summary=(
        "Returns of one episode (200 steps) of Pendulum-v1 for each of 100 seeds of data (5000 to"
        " 5099; the defaults were chosen on 0 to 399): 200 random transitions, LinearGaussian with"
        " Polynomial(2) on all of them, MPC with dp.CEM() as it comes, reward by"
        " dp.rewards.for_env. `which` lists seeds with a return below -450."
    ),
    inputs=lambda: None,
    variants=(Variant(MAIN),),
    implementations=(
        Implementation("dynaplan", MODULE, "learned", (1,), "ours"),
        Implementation("true dynamics, numba CEM", MODULE, "true_dynamics", (1,), "beside"),
        Implementation("random actions", MODULE, "random_actions", (1,), "beside"),
    ),
    targets=(
        Target(
            "mean return",
            lambda results: results.fact(MAIN, "dynaplan", "mean return"),
            ">=",
            -160.0,
        ),
        Target(
            "least return of any seed",
            lambda results: results.fact(MAIN, "dynaplan", "least return"),
            ">=",
            FAILING,
        ),
    ),
)


def bench_sample_efficiency_pendulum(measure: Callable[[], None]) -> None:
    """Face for `pytest bench/cases`."""
    measure()
