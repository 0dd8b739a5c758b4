"""Dyna with models: what is learned from when, how far is imagined, and that nothing is lost."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from numpy.typing import NDArray

import dynaplan as dp
from reference.dyna_loop import loop, pendulum, quadratic

Floats = NDArray[np.float64]


def last(dyna: dp.Dyna, steps: int) -> dp.DynaIteration:
    return list(dyna.run(steps))[-1]


def same(one: dp.Dyna, other: dp.Dyna) -> None:
    """Every number of two loops is the same."""
    assert one.data == other.data
    mine, its = one.agent._core, other.agent._core
    assert mine.counters() == its.counters()
    for name, values in mine.numbers().items():
        np.testing.assert_array_equal(values, its.numbers()[name], err_msg=name)
    for imagined in (False, True):
        np.testing.assert_array_equal(mine.transitions(imagined)[0], its.transitions(imagined)[0])


def test_with_nothing_imagined_it_is_plain_sac() -> None:
    """Over an episode, as the resets differ after that."""
    env = pendulum()
    plain = dp.SAC(env, hidden=(16, 16), batch_size=32, learning_starts=60, seed=4).learn(200)
    dyna = loop(4, updates_per_step=0, random_steps=60)
    last(dyna, 200)
    assert dyna.model is None
    mine, its = dyna.agent._core, plain._core
    np.testing.assert_array_equal(mine.transitions(False)[0], its.transitions(False)[0])
    for name, values in mine.numbers().items():
        np.testing.assert_array_equal(values, its.numbers()[name], err_msg=name)
    assert dyna.agent.updates == 140


def test_updates_and_imagined_transitions_are_as_many_as_asked_for() -> None:
    dyna = loop(rollout_length=2)
    seen = list(dyna.run(200))
    assert [(it.steps, it.finished, it.episode) for it in seen] == [(200, True, 0)]
    it = seen[0]
    # Fits after steps 61, 101, 141, 181; two updates a step from the first on.
    assert it.imagined == 4 * 10 * 40 * 2
    assert it.updates is not None
    assert it.updates.updates == dyna.agent.updates == 2 * 140
    assert dyna.agent.replay_sizes == (200, 800)
    assert it.length == dyna.length == 2
    assert it.episode_return == pytest.approx(float(np.sum(dyna.data.rewards)))
    assert it.seconds >= it.learning_seconds + it.imagining_seconds + it.updating_seconds > 0.0
    assert it.updates_per_second == pytest.approx(280 / it.updating_seconds)


def test_imagined_transitions_of_several_fits_are_kept() -> None:
    dyna = loop(rollout_length=1, retained_fits=3)
    last(dyna, 190)
    assert dyna.agent.replay_sizes == (190, 1200)


def test_starts_are_real_and_what_follows_is_the_models() -> None:
    dyna = loop(rollout_length=1)
    last(dyna, 62)
    rows = dyna.agent._core.transitions(True)[0]
    states, actions, after = rows[:, :3], 2.0 * rows[:, 3:4], rows[:, -3:]
    real = dyna.data.states.astype(np.float32)
    assert (np.abs(states[:, None] - real).max(axis=2).min(axis=1) == 0.0).all()
    says = dyna.model.predict(states, actions)
    apart = (after - says.mean) / np.sqrt(says.aleatoric + says.epistemic + 1e-12)
    assert np.abs(apart).mean() < 1.5
    paid = dp.rewards.for_env("Pendulum-v1")(
        states.astype(float), actions.astype(float), after.astype(float)
    )
    np.testing.assert_allclose(rows[:, 4], paid, atol=1e-4)


def test_a_trusted_length_is_the_trusted_horizon() -> None:
    dyna = loop(max_length=7)
    last(dyna, 150)
    assert dyna.evaluation is not None
    assert dyna.length == min(dyna.evaluation.trusted_horizon, 7) > 0


def test_nothing_is_imagined_with_a_model_that_cannot_be_trusted() -> None:
    """A model that knows nothing: the next state is the one before, moved far."""
    wrong = dp.FunctionModel(lambda s, a: s + 5.0, state_dim=3, action_dim=1)
    dyna = loop(rollout_length="trusted", learn=lambda data, previous: wrong)
    it = last(dyna, 120)
    assert (it.length, it.imagined) == (0, 0)
    assert it.model_error > 1.0
    assert dyna.agent.updates == 60  # one a step, as without a model
    assert dyna.agent.replay_sizes == (120, 0)


def test_what_was_imagined_goes_when_trust_is_lost() -> None:
    wrong = dp.FunctionModel(lambda s, a: s + 5.0, state_dim=3, action_dim=1)
    dyna = loop(learn=lambda data, _: quadratic(data, None) if len(data) < 105 else wrong)
    last(dyna, 100)
    assert dyna.agent.replay_sizes[1] > 0
    last(dyna, 90)  # a fit of the wrong model, then one that finds it out
    assert dyna.agent.replay_sizes == (190, 0)


@pytest.mark.parametrize("random_steps", [2, 3, 60, 199, 200, 201, 230])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_first_model_is_judged_by_the_last_fifth(random_steps: int, seed: int) -> None:
    """Wherever the random steps end: with 200 the first episode and one row of the second."""
    seen: list[dp.Transitions] = []

    def learn(data: dp.Transitions, _: Any) -> dp.FunctionModel:
        seen.append(data)
        return dp.FunctionModel(lambda s, a: s, state_dim=3, action_dim=1)

    dyna = loop(seed, random_steps=random_steps, learn=learn)
    last(dyna, random_steps + 1)
    rows, held_out = random_steps + 1, max(1, round((random_steps + 1) / 5))
    assert [len(data) for data in seen] == [rows - held_out, rows]
    np.testing.assert_array_equal(seen[0].states, dyna.data.states[: rows - held_out])
    assert dyna.evaluation is not None
    assert dyna.evaluation.starts[0] == held_out


def test_a_disagreement_limit_cuts_rollouts() -> None:
    def learn(data: dp.Transitions, _: Any) -> dp.Ensemble:
        return dp.Ensemble.fit(data, members=3, hidden=(16,), epochs=10, seed=0)

    free = loop(rollout_length=4, learn=learn)
    cut = loop(rollout_length=4, learn=learn, disagreement_quantile=0.5)
    assert 0 < last(cut, 62).imagined < last(free, 62).imagined == 10 * 40 * 4


@pytest.mark.parametrize("stop", [1, 45, 101, 137, 200, 201])
def test_a_restored_loop_goes_on_to_the_bit(stop: int, tmp_path: Path) -> None:
    whole, first, then = loop(), loop(), loop(seed=99)
    last(whole, 260)
    last(first, stop)
    first.save(tmp_path / "here")
    then.restore(tmp_path / "here")
    assert (then.steps, then.length, then.seed) == (stop, first.length, 0)
    last(then, 260 - stop)
    same(whole, then)
    last(first, 260 - stop)  # neither does saving change what follows
    same(whole, first)


def test_a_loop_that_never_ran_is_saved_too(tmp_path: Path) -> None:
    first, then = loop(), loop(seed=5)
    first.save(tmp_path / "here")
    then.restore(tmp_path / "here")
    last(first, 70), last(then, 70)
    same(first, then)


def test_an_ensemble_goes_on_to_the_bit(tmp_path: Path) -> None:
    def mbpo(seed: int) -> dp.MBPO:
        env = pendulum()
        return dp.MBPO(
            env,
            updates_per_step=1,
            rollouts_per_step=5,
            random_steps=40,
            refit_every=30,
            seed=seed,
            learn=lambda data, previous: dp.Ensemble.fit(
                data, members=5, hidden=(8,), epochs=8, rewards=True, initial=previous, seed=1
            ),
        )

    whole, first, then = mbpo(0), mbpo(0), mbpo(1)
    last(whole, 120)
    last(first, 75)
    first.save(tmp_path / "here")
    then.restore(tmp_path / "here")
    last(then, 45)
    same(whole, then)


def test_threads_change_nothing() -> None:
    one, two = loop(), loop(threads=3)
    last(one, 150), last(two, 150)
    same(one, two)


def test_an_environment_that_does_not_repeat_itself_is_found_out(tmp_path: Path) -> None:
    dyna = loop()
    last(dyna, 30)
    dyna.save(tmp_path / "here")
    other = loop()
    other._state.driver.env = gym.make("Pendulum-v1", g=9.0)
    with pytest.raises(dp.ArgumentError, match="does not do the same again"):
        other.restore(tmp_path / "here")


def test_damaged_checkpoints_are_refused(tmp_path: Path) -> None:
    dyna = loop()
    last(dyna, 70)
    path = tmp_path / "here"
    dyna.save(path)
    content = path.read_bytes()
    before = dyna.agent
    for damaged in (b"", content[:1000], content[:-30], b"PK" + bytes(500)):
        path.write_bytes(damaged)
        with pytest.raises(dp.ModelFileError):
            dyna.restore(path)
    path.write_bytes(content)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../elsewhere", "x")
    with pytest.raises(dp.ModelFileError, match="must be a checkpoint"):
        dyna.restore(path)
    for old, new in ((b'"fits": 1', b'"fits":-1'), (b'"fitted_rows": 61', b'"fitted_rows": 99')):
        altered = content.replace(old, new)
        assert altered != content
        path.write_bytes(altered)
        with pytest.raises(dp.ModelFileError):  # a CRC of the archive, or a count
            dyna.restore(path)
    assert dyna.agent is before
    assert dyna.steps == 70


class Counting:
    """An agent with no more than it must have."""

    def __init__(self) -> None:
        self.rows = self.updates = 0

    def act(self, states: Floats) -> Floats:
        return np.zeros((*np.shape(states)[:-1], 1))

    def observe(self, state: Any, action: Any, reward: Any, next_state: Any, ended: Any) -> None:
        assert np.shape(action) in {(1,), (len(np.atleast_2d(state)), 1)}
        self.rows += np.size(reward)

    def update(self, count: int) -> None:
        self.updates += count


def test_any_agent_will_do(tmp_path: Path) -> None:
    env = pendulum()
    made = [
        dp.Dyna(
            env,
            Counting(),
            quadratic,
            reward=dp.rewards.for_env(env),
            updates_per_step=3,
            rollouts_per_step=2,
            rollout_length=2,
            random_steps=50,
            refit_every=25,
            seed=1,
        )
        for _ in range(2)
    ]
    for dyna in made:
        it = last(dyna, 100)
        assert it.updates is None
        assert np.isnan(it.updates_per_second)
        assert dyna.agent.rows == 100 + 2 * 2 * 25 * 2  # fits after steps 51 and 76
        assert dyna.agent.updates == 3 * 50
    assert made[0].data == made[1].data
    with pytest.raises(TypeError, match="agent: Counting has no `save`"):
        made[0].save(tmp_path / "x")


def test_a_learner_that_was_interrupted_ends_the_run() -> None:
    class History:
        interrupted = True

    class Model:
        def __init__(self, model: dp.LinearGaussian) -> None:
            self._model, self.history = model, History()

        def __getattr__(self, name: str) -> Any:
            return getattr(self._model, name)

    dyna = loop(rollout_length=1, learn=lambda data, previous: Model(quadratic(data, None)))
    assert [it.steps for it in dyna.run(300)] == [61]
    assert [it.steps for it in dyna.run(300)] == [101]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"updates_per_step": -1}, "updates_per_step: got -1"),
        ({"rollouts_per_step": 0}, "rollouts_per_step: got 0"),
        ({"rollout_length": 0}, "rollout_length: got 0"),
        ({"rollout_length": "far"}, "rollout_length: got 'far'"),
        ({"max_length": 0}, "max_length: got 0"),
        ({"random_steps": 1}, "random_steps: got 1"),
        ({"refit_every": 0}, "refit_every: got 0"),
        ({"retained_fits": 0}, "retained_fits: got 0"),
        ({"disagreement_quantile": 1.5}, "disagreement_quantile: got 1.5"),
        ({"seed": -1}, "seed: got -1"),
        ({"threads": 0}, "threads: got 0"),
    ],
)
def test_settings_out_of_range_are_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(dp.ArgumentError, match=message):
        loop(**changed)
    with pytest.raises(dp.ArgumentError, match="steps: got 0"):
        loop().run(0)


def test_lengths_grow_as_the_authors_schedules() -> None:
    """Values of their law, computed apart: k0 + clip((e - e0) / (e1 - e0)) (k1 - k0)."""
    ant = dp.RolloutLengthSchedule(20, 100, 1, 25)
    assert [ant(1000 * epoch) for epoch in (0, 20, 23, 24, 60, 99, 100, 300)] == [
        1,
        1,
        1,
        2,
        13,
        24,
        25,
        25,
    ]
    for wrong in ((5, 5, 1, 2), (-1, 5, 1, 2), (0, 5, -1, 2)):
        with pytest.raises(dp.ArgumentError):
            dp.RolloutLengthSchedule(*wrong)


def test_the_authors_settings_are_theirs() -> None:
    hopper = dp.mbpo_paper(pendulum(), "hopper", seed=0)
    settings, of_agent = hopper.settings, hopper.agent.settings
    assert settings.rollout_length == dp.RolloutLengthSchedule(20, 150, 1, 15)
    assert settings.rollouts_per_step * settings.refit_every == 100_000
    assert settings.elite_members == 5
    assert (of_agent.hidden, of_agent.batch_size, of_agent.target_entropy) == ((256, 256), 256, -1)
    assert (of_agent.real_ratio, of_agent.learning_rate, of_agent.tau) == (0.05, 3e-4, 0.005)
    assert dp.mbpo_paper(pendulum(), "halfcheetah").settings.updates_per_step == 40
    with pytest.raises(dp.ArgumentError, match="task: got 'cat'"):
        dp.mbpo_paper(pendulum(), "cat")


@pytest.mark.long
def test_it_balances_a_pendulum_within_1000_steps() -> None:
    pytest.importorskip("mujoco")
    env = gym.make("InvertedPendulum-v5")
    mbpo = dp.MBPO(
        env,
        reward=dp.rewards.for_env(env),
        termination=dp.terminations.for_env(env),
        seed=0,
    )
    last(mbpo, 1000)
    observation, _ = env.reset(seed=123)
    earned, over = 0.0, False
    while not over:
        action = mbpo.agent.act(observation, deterministic=True).astype(np.float32)
        observation, reward, terminated, truncated, _ = env.step(action)
        earned, over = earned + float(reward), terminated or truncated
    assert earned >= 950.0
