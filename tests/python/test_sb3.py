"""Algorithms of Stable-Baselines3 in imagined environments, and as agents of a loop."""

from __future__ import annotations

import doctest
import inspect
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.wrappers import TimeLimit

import dynaplan as dp
from imagined_plant import BOX, Plant, drawn_actions, envs_of

sb3 = pytest.importorskip("stable_baselines3")
torch = pytest.importorskip("torch")

from stable_baselines3.common.noise import NormalActionNoise  # noqa: E402
from stable_baselines3.common.vec_env import DummyVecEnv, VecMonitor, VecNormalize  # noqa: E402

import dynaplan.agents.sb3.agent  # noqa: E402
import dynaplan.envs.sb3  # noqa: E402
from dynaplan.agents.sb3.agent import SB3Agent  # noqa: E402
from dynaplan.agents.sb3.mixture import ImaginedReplay, Mixture  # noqa: E402
from dynaplan.envs.sb3 import SB3VecEnv  # noqa: E402


def small() -> dict[str, Any]:
    return {"net_arch": [16]}  # the algorithms write to what they are given


def vector(num_envs: int = 5, **settings: Any) -> SB3VecEnv:
    return SB3VecEnv(envs_of(num_envs, autoreset_mode="SameStep", **settings))


def test_it_steps_as_their_own_vector_of_the_same_system() -> None:
    count, rng = 6, np.random.default_rng(0)
    theirs, ours = DummyVecEnv([lambda: TimeLimit(Plant(), 6)] * count), vector(count)
    np.testing.assert_array_equal(ours.reset(), theirs.reset())
    kinds = set()
    for _ in range(200):
        actions = drawn_actions(rng, count)
        found, wanted = ours.step(actions), theirs.step(actions)
        for ours_say, they_say in zip(found[:3], wanted[:3], strict=True):
            np.testing.assert_array_equal(ours_say, they_say)
            assert ours_say.dtype == they_say.dtype
        for ours_say, they_say in zip(found[3], wanted[3], strict=True):
            told = {name for name, value in they_say.items() if value is not False}
            assert {name for name, value in ours_say.items() if value is not False} == told
            if "terminal_observation" in told:
                kinds.add(frozenset(told))
                np.testing.assert_array_equal(
                    ours_say["terminal_observation"], they_say["terminal_observation"]
                )
    assert kinds == {
        frozenset({"terminal_observation"}),
        frozenset({"terminal_observation", "TimeLimit.truncated"}),
        frozenset({"terminal_observation", "TimeLimit.truncated", "cut"}),
    }


def test_seeds_are_taken_by_the_next_reset() -> None:
    starts = np.arange(100.0)[:, None] * [1.0, 1.0]
    envs = vector(5, starts=starts)
    envs.seed(3)
    first, second = envs.reset(), envs.reset()
    assert not np.array_equal(first, second)
    envs.seed(3)
    np.testing.assert_array_equal(envs.reset(), first)


def test_their_wrappers_run_around_it() -> None:
    envs = VecNormalize(VecMonitor(vector(3)))
    envs.reset()
    episodes = []
    for _ in range(12):
        *_, infos = envs.step(np.zeros((3, 2), np.float32))
        episodes += [info["episode"] for info in infos if "episode" in info]
    assert [episode["l"] for episode in episodes] == [6] * 6
    assert envs.get_attr("max_episode_steps") == [6] * 3
    assert envs.get_attr("max_episode_steps", indices=[0, 2]) == [6] * 2
    assert envs.env_is_wrapped(TimeLimit) == [False] * 3
    with pytest.raises(AttributeError):
        envs.get_attr("nothing")
    with pytest.raises(NotImplementedError, match="max_episode_steps"):
        envs.set_attr("max_episode_steps", 7)
    with pytest.raises(NotImplementedError, match="render"):
        envs.env_method("render")
    envs.close()
    assert envs.unwrapped.envs.closed


def test_vectors_that_do_not_fit_are_refused() -> None:
    with pytest.raises(dp.ArgumentError, match="envs: has autoreset_mode 'NextStep'"):
        SB3VecEnv(envs_of(3))
    with pytest.raises(TypeError, match="envs: got Plant"):
        SB3VecEnv(Plant())


def sac(**settings: Any) -> Any:
    return sb3.SAC("MlpPolicy", Plant(), policy_kwargs=small(), seed=0, **settings)


def rows(count: int, seed: int = 0) -> tuple[Any, ...]:
    rng = np.random.default_rng(seed)
    states, after = rng.normal(size=(2, count, 2))
    return (
        states,
        rng.uniform(-1, 1, (count, 2)),
        rng.normal(size=count),
        after,
        rng.random(count) < 0.5,
    )


def test_batches_hold_the_share_of_real_transitions() -> None:
    agent = SB3Agent(sac(buffer_size=100))
    real, imagined = rows(50), rows(300, 1)
    agent.observe(*real)
    agent.observe_imagined(*imagined)
    assert agent.replay_sizes == (50, 300)
    batch = Mixture(agent.algorithm.replay_buffer, agent._imagined, 0.25).sample(4000)
    both = [np.concatenate(pair).astype(np.float32) for pair in zip(real, imagined, strict=True)]
    places = {tuple(state): place for place, state in enumerate(both[0])}
    found = np.array([places[tuple(state)] for state in batch.observations.numpy()])
    assert np.count_nonzero(found < 50) == 1000
    assert abs(np.count_nonzero(found[:2000] < 50) - 500) < 100  # in any order
    assert len(set(found)) > 0.99 * 350
    for column, wanted in (
        (batch.actions, both[1]),
        (batch.next_observations, both[3]),
        (batch.rewards, both[2][:, None]),
        (batch.dones, both[4][:, None]),
    ):
        np.testing.assert_allclose(column.numpy(), wanted[found], rtol=1e-6)


def test_actions_are_kept_scaled_as_the_algorithm_does() -> None:
    class Wide(Plant):
        action_space = gym.spaces.Box(*np.array([[0, -2], [4, 6]], np.float32))

    algorithm = sb3.SAC("MlpPolicy", Wide(), policy_kwargs=small(), learning_starts=0, seed=0)
    algorithm.learn(1)
    kept = algorithm.replay_buffer
    agent = SB3Agent(sb3.SAC("MlpPolicy", Wide(), policy_kwargs=small(), seed=0))
    applied = algorithm.policy.unscale_action(kept.actions[0])
    agent.observe(np.zeros(2), applied[0], 0.0, np.zeros(2), False)
    agent.observe_imagined(np.zeros(2), applied[0], 0.0, np.zeros(2), False)
    for actions in (agent.algorithm.replay_buffer.actions[0], agent._imagined.drawn(1)[1]):
        np.testing.assert_allclose(actions, kept.actions[0], atol=1e-6)


def test_the_newest_imagined_transitions_are_kept() -> None:
    replay = ImaginedReplay(5)
    for first in (0, 3):
        numbers = np.arange(first, first + 4)
        replay.take((np.c_[numbers], np.c_[numbers], np.c_[numbers], numbers, numbers), False)
    assert sorted(set(replay.drawn(500)[4].ravel())) == [3, 4, 5, 6]
    assert len(replay) == 5
    replay.resize(2)
    assert set(replay.drawn(200)[4].ravel()) == {5, 6}


def test_updates_leave_the_algorithm_its_own_buffer() -> None:
    agent = SB3Agent(sac())
    own = agent.algorithm.replay_buffer
    with pytest.raises(dp.ArgumentError, match="nothing was observed"):
        agent.update(1)
    agent.observe_imagined(*rows(300))
    before = [parameter.clone() for parameter in agent.algorithm.policy.parameters()]
    agent.update(3)
    assert agent.algorithm._n_updates == 3
    assert agent.algorithm.replay_buffer is own
    after = list(agent.algorithm.policy.parameters())
    assert any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))
    agent.observe_imagined(*rows(0), replace=True)
    assert agent.replay_sizes == (0, 0)


def test_updates_are_those_of_the_algorithm_itself() -> None:
    """On real transitions alone: the same bits as `train` of one that collected them itself."""
    ours, theirs = SB3Agent(sac(batch_size=32)), sac(batch_size=32)
    states, actions, rewards, after, ended = rows(100)
    ours.observe(states, actions, rewards, after, ended)
    for s, a, r, n, e in zip(states, actions, rewards, after, ended, strict=True):
        theirs.replay_buffer.add(s[None], n[None], a[None], np.array([r]), np.array([e]), [{}])
    theirs.set_logger(sb3.common.logger.Logger(None, []))
    for algorithm, update in (
        (ours.algorithm, lambda: ours.update(5)),
        (theirs, lambda: theirs.train(5, 32)),
    ):
        algorithm.set_random_seed(4)
        update()
    pairs = zip(ours.algorithm.policy.parameters(), theirs.policy.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_noise_is_that_of_the_algorithm() -> None:
    noise = NormalActionNoise(np.zeros(2), np.array([0.1, 0.3]))
    agent = SB3Agent(
        sb3.TD3("MlpPolicy", Plant(), action_noise=noise, policy_kwargs=small(), seed=0)
    )
    states = np.zeros((5000, 2))
    best = agent.act(states, deterministic=True)
    np.testing.assert_array_equal(best, np.tile(best[:1], (5000, 1)))
    drawn = agent.act(states)
    assert BOX.low.min() <= drawn.min() <= drawn.max() <= BOX.high.max()
    np.testing.assert_allclose((drawn - best).std(axis=0), [0.1, 0.3], rtol=0.05)
    assert agent.act(states[0]).shape == (2,)


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: sb3.PPO("MlpPolicy", Plant()), TypeError, "algorithm: got PPO"),
        (lambda: sac(n_steps=3), dp.ArgumentError, "NStepReplayBuffer"),
        (
            lambda: sac(
                optimize_memory_usage=True,
                replay_buffer_kwargs={"handle_timeout_termination": False},
            ),
            dp.ArgumentError,
            "without optimize_memory_usage",
        ),
        (
            lambda: sb3.SAC("MlpPolicy", DummyVecEnv([Plant] * 2)),
            dp.ArgumentError,
            "has 2 environments",
        ),
        (
            lambda: sb3.SAC("MlpPolicy", VecNormalize(DummyVecEnv([Plant]))),
            dp.ArgumentError,
            "VecNormalize",
        ),
        (
            lambda: sb3.DQN("MlpPolicy", gym.make("CartPole-v1")),
            TypeError,
            "algorithm.action_space: got Discrete",
        ),
    ],
)
def test_algorithms_that_do_not_fit_are_refused(
    make: Any, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        SB3Agent(make())


def test_settings_and_rows_that_do_not_fit_are_refused() -> None:
    for settings in ({"real_ratio": 1.5}, {"imagined_buffer_size": 0}):
        with pytest.raises(dp.ArgumentError, match=next(iter(settings))):
            SB3Agent(sac(), **settings)
    agent = SB3Agent(sac())
    states, actions, rewards, after, ended = rows(5)
    with pytest.raises(dp.ShapeError, match="actions: got 4 rows"):
        agent.observe(states, actions[:4], rewards, after, ended)
    with pytest.raises(dp.ShapeError, match="rewards"):
        agent.observe_imagined(states, actions, rewards[:4], after, ended)
    with pytest.raises(dp.ArgumentError, match=r"rewards: .* too large for float32"):
        agent.observe(np.zeros(2), np.zeros(1), 1e39, np.zeros(2), False)
    with pytest.raises(dp.ShapeError, match="states"):
        agent.observe(np.zeros(3), actions[0], 0.0, after[0], False)
    assert agent.replay_sizes == (0, 0)
    with pytest.raises(dp.ArgumentError, match="count: got 0"):
        agent.update(0)


def dyna_of(agent: SB3Agent, **settings: Any) -> dp.Dyna:
    env = gym.make("Pendulum-v1")
    return dp.Dyna(
        env,
        agent,
        lambda data, previous: dp.LinearGaussian.fit(data, features=dp.Polynomial(2)),
        reward=dp.rewards.for_env(env),
        seed=0,
        **settings,
    )


def test_a_loop_feeds_it_and_refuses_checkpoints(tmp_path: Path) -> None:
    agent = SB3Agent(
        sb3.SAC("MlpPolicy", gym.make("Pendulum-v1"), policy_kwargs=small(), batch_size=32, seed=0)
    )
    dyna = dyna_of(
        agent,
        rollout_length=2,
        rollouts_per_step=4,
        random_steps=50,
        refit_every=25,
        updates_per_step=2,
    )
    list(dyna.run(80))
    assert agent.replay_sizes == (80, 4 * 25 * 2)
    assert agent.algorithm._n_updates == 2 * 30
    assert agent.algorithm.num_timesteps == 80
    np.testing.assert_array_equal(
        agent.algorithm.replay_buffer.observations[:80, 0], dyna.data.states.astype(np.float32)
    )
    with pytest.raises(TypeError, match="pickle of Stable-Baselines3"):
        dyna.save(tmp_path / "loop")
    assert not list(tmp_path.iterdir())
    with pytest.raises(TypeError, match="pickles"):
        SB3Agent.load(tmp_path / "agent")


def test_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "stable_baselines3", None)
    monkeypatch.delitem(sys.modules, "dynaplan.agents.sb3")
    with pytest.raises(ImportError, match="pip install stable-baselines3"):
        __import__("dynaplan.agents.sb3")


@pytest.mark.parametrize("module", [dynaplan.agents.sb3.agent, dynaplan.envs.sb3])
def test_docstring_examples_run(module: Any) -> None:
    found = doctest.testmod(module, extraglobs={"dp": dp, "np": np})
    assert found.attempted > 0
    assert found.failed == 0


@pytest.mark.parametrize("member", ["__init__", "act", "observe", "observe_imagined", "update"])
def test_the_reference_has_its_signatures(repository: Path, member: str) -> None:
    page = (repository / "docs/reference/agents.md").read_text()
    whole = inspect.signature(getattr(SB3Agent, member))
    bare = [p.replace(annotation=p.empty) for p in whole.parameters.values() if p.name != "self"]
    shown = str(whole.replace(parameters=bare, return_annotation=inspect.Signature.empty))
    name = "dynaplan.agents.sb3.SB3Agent" if member == "__init__" else f".{member}"
    assert f"`{name}{shown}`" in page


def real_returns(act: Any, episodes: int = 5) -> float:
    env, returns = gym.make("Pendulum-v1"), []
    for episode in range(episodes):
        state, _ = env.reset(seed=1000 + episode)
        total, is_over = 0.0, False
        while not is_over:
            state, reward, terminated, truncated, _ = env.step(act(state))
            total, is_over = total + float(reward), terminated or truncated
        returns.append(total)
    return float(np.mean(returns))


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [1, 2])
def test_ppo_swings_up_what_it_never_touched(seed: int) -> None:
    """400 real steps of random torques; judged in the real environment."""
    env = gym.make("Pendulum-v1")
    data = dp.collect(env, steps=400, seed=seed, episode_steps=50)
    envs = dp.ImaginedVectorEnv(
        dp.LinearGaussian.fit(data, features=dp.Polynomial(2)),
        num_envs=64,
        starts=data.states,
        action_space=env.action_space,
        observation_space=env.observation_space,
        reward=dp.rewards.for_env(env),
        max_episode_steps=25,
        autoreset_mode="SameStep",
        seed=seed,
    )
    agent = sb3.PPO(
        "MlpPolicy",
        SB3VecEnv(envs),
        n_steps=64,
        batch_size=512,
        gamma=0.95,
        learning_rate=1e-3,
        seed=seed,
    )

    def act(state: Any) -> Any:
        return agent.predict(state, deterministic=True)[0]

    assert real_returns(act) < -900.0
    agent.learn(240_000)
    assert real_returns(act) > -200.0


@pytest.mark.long
@pytest.mark.timeout(600)
def test_sac_learns_from_imagination_in_a_loop() -> None:
    env = gym.make("Pendulum-v1")
    algorithm = sb3.SAC(
        "MlpPolicy", env, learning_rate=1e-3, policy_kwargs={"net_arch": [64, 64]}, seed=0
    )
    agent = SB3Agent(algorithm)
    dyna = dyna_of(agent, rollout_length=5, rollouts_per_step=100, refit_every=100)
    list(dyna.run(1000))
    assert real_returns(lambda state: agent.act(state, deterministic=True)) > -300.0
