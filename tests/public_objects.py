"""Small examples of everything public: data, models, one object of each class."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import gymnasium
import numpy as np

import dynaplan as dp

BOX = ([-1.0], [1.0])


@cache
def data() -> dp.Transitions:
    """40 steps of a stable linear system with rewards: S = 2, A = 1, four episodes."""
    rng = np.random.default_rng(0)
    states, actions = rng.normal(size=(40, 2)), rng.uniform(-1, 1, size=(40, 1))
    next_states = 0.9 * states + 0.1 * actions
    episodes = np.repeat(np.arange(4), 10)
    rewards = -(actions[:, 0] ** 2)
    return dp.Transitions(states, actions, next_states, rewards, episodes=episodes, gaps="ignore")


@cache
def long_log() -> dp.Transitions:
    """400 steps of the same system in one episode, under pushes that are two steps late."""
    rng = np.random.default_rng(1)
    actions, states = rng.normal(size=(400, 1)), [np.zeros(2)]
    for step in range(400):
        states.append(0.9 * states[-1] + actions[max(0, step - 2)] + 0.1 * rng.normal(size=2))
    return dp.Transitions(states[:-1], actions, states[1:])


def ended() -> dp.Transitions:
    """The same steps, each on its own, of which those beyond 0.9 ended an episode."""
    ends = np.abs(data().next_states[:, 0]) > 0.9
    return dp.Transitions(data().states, data().actions, data().next_states, terminations=ends)


@cache
def learned_end() -> dp.terminations.LearnedTermination:
    return dp.terminations.LearnedTermination.fit(ended(), hidden=(4,), epochs=2, seed=0)


@cache
def linear() -> dp.LinearGaussian:
    return dp.LinearGaussian.fit(data())


@cache
def ensemble() -> dp.Ensemble:
    return dp.Ensemble.fit(data(), members=2, hidden=(4,), epochs=2, rewards=True, seed=0)


@cache
def process() -> dp.GaussianProcess:
    return dp.GaussianProcess.fit(data(), starts=1, seed=0)


@cache
def reward() -> dp.rewards.Term:
    return dp.rewards.quadratic([1.0, 0.5]) + dp.rewards.action_cost([0.1])


@cache
def controller() -> dp.MPC:
    mpc = dp.MPC(
        linear(), reward(), dp.CEM(horizon=6, candidates=32, elites=4), action_space=BOX, seed=0
    )
    mpc.act([0.5, -0.5])
    return mpc


@cache
def plan() -> dp.Plan:
    planner = dp.CEM(horizon=6, candidates=32, elites=4)
    return planner.plan(linear(), reward(), [0.5, -0.5], action_space=BOX, seed=0)


def kalman() -> dp.KalmanFilter:
    """A new one each time, as its calls change it."""
    model = dp.LinearModel(0.9 * np.eye(2), np.ones((2, 1)), noise=[0.1, 0.1])
    return dp.KalmanFilter(model, np.eye(2), observation_noise=[0.1, 0.1])


@cache
def pendulum() -> gymnasium.Env[Any, Any]:
    return gymnasium.make("Pendulum-v1")


@cache
def maze() -> gymnasium.Env[Any, Any]:
    import dynaplan.envs.mazes  # noqa: F401  # registers them

    return gymnasium.make("dynaplan/DynaMaze-v0")


@cache
def agent() -> dp.SAC:
    return dp.SAC(pendulum(), hidden=(8,), learning_starts=20, seed=0)


@cache
def iteration() -> dp.Iteration:
    pets = dp.PETS(
        pendulum(),
        learn=lambda data, _: dp.LinearGaussian.fit(data),
        reward=dp.rewards.for_env("Pendulum-v1"),
        planner=dp.CEM(horizon=3, candidates=8, elites=2),
        random_steps=30,
        seed=0,
    )
    return list(pets.run(35))[-1]


@cache
def dyna() -> tuple[dp.Dyna, dp.DynaIteration]:
    loop = dp.Dyna(
        gymnasium.make("Pendulum-v1"),  # which nobody else moves
        dp.SAC(pendulum(), hidden=(8,), seed=0),
        lambda data, _: dp.LinearGaussian.fit(data),
        reward=dp.rewards.for_env("Pendulum-v1"),
        updates_per_step=1,
        random_steps=50,
        refit_every=50,
        seed=0,
    )
    return loop, list(loop.run(60))[-1]


@cache
def tuning() -> dp.Tuning:
    settings = {"horizons": (3,), "iterations": (2,), "time_limit": 2.0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dp.tune(
            0.5, linear(), reward(), action_space=BOX, states=data().states[:2], **settings
        )


@cache
def comparison() -> dp.Comparison:
    return dp.compare({"linear": linear(), "ensemble": ensemble()}, data(), 3)


def _taught() -> dp.Episode:
    return list(dp.DynaQ(maze(), seed=0).run(20))[-1]


OBJECTS = {
    "AgentEpisode": lambda: list(agent().run(210))[-1],
    "CEM": dp.CEM,
    "Bands": lambda: dp.bands(linear(), [0.0, 0.0], np.zeros((1, 3, 1)), seed=0),
    "CategoricalCEM": lambda: dp.CategoricalCEM(actions=[[-1.0], [1.0]]),
    "ComparedModel": lambda: comparison().models["ensemble"],
    "Comparison": comparison,
    "CompiledModel": lambda: dp.CompiledModel(
        dp.signatures.DYNAMICS_FLOAT64.ctypes(lambda *_: None), 2, 1
    ),
    "DelayEstimate": lambda: dp.estimate_delays(long_log()),
    "Diagnosis": lambda: dp.diagnose(data()),
    "DisagreementLimit": lambda: dp.DisagreementLimit(0.5),
    "Dyna": lambda: dyna()[0],
    "DynaIteration": lambda: dyna()[1],
    "DynaQ": lambda: dp.DynaQ(maze(), seed=0),
    "DynaQPlus": lambda: dp.DynaQPlus(maze(), seed=0),
    "Ensemble": ensemble,
    "Episode": _taught,
    "Evaluation": lambda: dp.evaluate(linear(), data(), 5),
    "Explanation": lambda: controller().explain(),
    "Finding": lambda: dp.diagnose(data()[:5]).findings[0],
    "FunctionModel": lambda: dp.FunctionModel(lambda s, a: s, 2, 1),
    "GaussianMLP": lambda: dp.GaussianMLP.fit(data(), hidden=(4,), epochs=2, seed=0),
    "GaussianProcess": process,
    "GradientPlanner": dp.GradientPlanner,
    "ICEM": dp.ICEM,
    "ILQR": dp.ILQR,
    "Identity": dp.Identity,
    "Imagined": lambda: dp.imagine(
        linear(), data().states, lambda states: states[:, :1], 2, reward=reward(), seed=0
    ),
    "ImaginedVectorEnv": lambda: dp.ImaginedVectorEnv(
        linear(), 3, data().states, action_space=BOX, reward=reward(), seed=0
    ),
    "Iteration": iteration,
    "Jacobians": lambda: linear().with_jacobians(data().states, data().actions),
    "KalmanFilter": kalman,
    "LQR": dp.LQR,
    "Limits": lambda: dp.Limits(
        action_high=np.ones((3, 12)),
        action_rate=np.ones(12),
        state_low=[-1.0, -np.inf],
        constraints=dp.constraints.half_plane([1.0, 1.0], 2.0),
    ),
    "LinearGaussian": linear,
    "LinearModel": lambda: dp.LinearModel(np.eye(30), np.ones((30, 1)), noise=np.ones(30)),
    "LinearSchedule": lambda: dp.LinearSchedule(10, 0.1),
    "MBPO": lambda: dp.MBPO(pendulum(), seed=0),
    "MLP": lambda: dp.MLP.fit(data(), hidden=(4,), epochs=2, seed=0),
    "MPC": controller,
    "MPPI": dp.MPPI,
    "NetworkUnits": lambda: dp.NetworkUnits(input_mean=np.zeros(40), input_scale=np.ones(40)),
    "PETS": lambda: dp.PETS(pendulum(), learn=lambda data, _: dp.LinearGaussian.fit(data), seed=0),
    "Plan": plan,
    "PlanStats": lambda: plan().stats,
    "PlannerThread": lambda: dp.PlannerThread(controller(), period=0.2, step=0.1),
    "Polynomial": lambda: dp.Polynomial(2),
    "Prediction": lambda: linear().predict(data().states, data().actions),
    "PrioritizedSweeping": lambda: dp.PrioritizedSweeping(maze(), seed=0),
    "RandomShooting": dp.RandomShooting,
    "RecursiveLeastSquares": lambda: dp.RecursiveLeastSquares(2, 1, forgetting=0.99),
    "Regulator": lambda: dp.lqr(np.eye(3), np.eye(3), np.eye(3), np.eye(3)),
    "RolloutLengthSchedule": lambda: dp.RolloutLengthSchedule(100, 200, 1, 5),
    "SAC": agent,
    "Selection": lambda: dp.select(data(), models={"linear": dp.LinearGaussian.fit}),
    "TrainingHistory": lambda: ensemble().history,
    "Transitions": data,
    "Trial": lambda: tuning().trials[0],
    "Trust": lambda: controller().last_plan.trust,
    "Tuning": tuning,
    "UpdateStatistics": lambda: agent().update(1),
    "risk.CVaR": lambda: dp.risk.CVaR(0.1),
    "risk.EpistemicPenalty": lambda: dp.risk.EpistemicPenalty(2.0),
    "risk.Mean": dp.risk.Mean,
    "risk.Worst": dp.risk.Worst,
    "signatures.Signature": lambda: dp.signatures.REWARD_FLOAT32,
    "terminations.LearnedTermination": learned_end,
}
