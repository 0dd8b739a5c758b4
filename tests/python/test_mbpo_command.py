"""The command that learns a policy from imagined transitions."""

from __future__ import annotations

import csv
import re
import signal
import subprocess
import sys

import gymnasium
import numpy as np
import pytest

import dynaplan as dp
from dynaplan.commands import episodes, mbpo
from dynaplan.commands.main import main


@pytest.fixture
def one_episode(monkeypatch, tmp_path):
    """A short job in an empty folder: one episode at the end instead of ten."""
    monkeypatch.setattr(episodes, "EPISODES", 1)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")


def test_a_short_run_tells_what_happens(one_episode, capsys):
    job = ["mbpo", "--steps", "260", "--imagined", "1", "--csv", "log.csv"]
    assert main(job) == 0
    out = capsys.readouterr().out
    assert "MBPO, Pendulum-v1, seed 0" in out
    assert "Reward and termination: known in closed form" in out
    rows = re.findall(r"^ +(\d+) +(\d+) +(-[\d.]+)? +[\d.]+ % +(\d+) +[\d,]+ +[\d.]+$", out, re.M)
    assert [(steps, episodes) for steps, episodes, *_ in rows] == [("200", "1"), ("260", "0")]
    assert re.search(r"^ +1000 +200 +-[\d.]+ +-[\d.]+ ?$", out, re.M)
    assert max(map(len, out.splitlines())) <= 80
    with open("log.csv", newline="") as file:
        logged = list(csv.DictReader(file))
    assert [row["steps"] for row in logged] == ["200", "260"]
    assert float(logged[0]["episode_return"]) == pytest.approx(float(rows[0][2]), abs=0.06)


def test_a_goal_that_is_found_by_chance_alone_is_told(one_episode, monkeypatch, capsys):
    monkeypatch.setattr(episodes, "_MAX_EPISODE_STEPS", 20)
    job = ["mbpo", "--imagined", "0", "--steps", "4", "--env"]
    assert main([*job, "MountainCarContinuous-v0"]) == 0
    out = capsys.readouterr().out
    assert "It pays nothing on the way to its goal" in out
    assert "the command pets plans towards it." in out
    assert max(map(len, out.splitlines())) <= 80
    assert main([*job, "Pendulum-v1"]) == 0
    assert "goal" not in capsys.readouterr().out


def test_a_checkpoint_is_resumed(one_episode, capsys):
    job = ["mbpo", "--imagined", "0", "--checkpoint", "run.dyna", "--steps"]
    assert main([*job, "120"]) == 0
    assert main([*job, "60", "--seed", "9"]) == 0
    second = capsys.readouterr().out.split("dynaplan ")[2]
    assert "seed 0" in second.splitlines()[0]
    assert "Resumed after 120 steps" in second
    assert "Checkpoint: run.dyna" in second
    assert re.search(r"^ +180 ", second, re.M)
    whole = dp.MBPO(
        gymnasium.make("Pendulum-v1"),
        updates_per_step=0,
        reward=dp.rewards.for_env("Pendulum-v1"),
        random_steps=60,
        seed=0,
    )
    list(whole.run(120))
    again = dp.MBPO(gymnasium.make("Pendulum-v1"), updates_per_step=0, seed=5)
    again.restore("run.dyna")
    np.testing.assert_array_equal(again.data.states[:120], whole.data.states)


def test_what_is_not_measured_yet_is_left_empty(one_episode, capsys):
    assert main(["mbpo", "--imagined", "0", "--steps", "40"]) == 0
    out = capsys.readouterr().out
    assert "error length updates/s time (s)" in out
    assert re.search(r"^ +40 +0 +[\d,]+ +[\d.]+$", out, re.M)


def test_an_unknown_environment_is_learned_whole(one_episode, capsys):
    class Point(gymnasium.Env):
        observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (2,))
        action_space = gymnasium.spaces.Box(-1.0, 1.0, (1,))

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            self.state = self.np_random.normal(size=2)
            return self.state.astype(np.float32), {}

        def step(self, action):
            x, v = self.state
            self.state = np.array([x + 0.1 * v, v + 0.1 * float(action[0])])
            return self.state.astype(np.float32), -float(x * x), False, False, {}

    gymnasium.register("Point-v0", Point, max_episode_steps=50)
    try:
        assert main(["mbpo", "--env", "Point-v0", "--steps", "60", "--imagined", "1"]) == 0
    finally:
        del gymnasium.registry["Point-v0"]
    out = capsys.readouterr().out
    assert "Reward: learned; imagined rollouts do not terminate" in out
    assert re.search(r"^ +60 +0 +[\d.]+ % +[1-9]", out, re.M)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--env", "Nothing-v0"], r"--env Nothing-v0: .*Nothing.* doesn't exist"),
        (["--env", "CartPole-v1"], r"--env CartPole-v1: .*Box"),
        (["--steps", "0"], r"--steps: got '0', must be an integer of at least 1"),
        (["--imagined", "-1"], r"--imagined: got '-1', must be an integer of at least 0"),
        (["--threads", "1025"], r"--threads: got '1025', must be an integer of at most 1024"),
        (["--colour"], r"--colour \(see python -m dynaplan mbpo --help\)"),
        (["--checkpoint", "file"], r"--checkpoint file: .*damaged"),
        (["--steps", "5", "--csv", "file"], r"file exists and is no log"),
        (["--steps", "5", "--csv", "no/where"], r"--csv no/where: No such file"),
        (["--checkpoint", "no/where"], r"--checkpoint no/where: No such file"),
        (["--checkpoint", "."], r"--checkpoint \.: Is a directory"),
    ],
)
def test_a_refusal_is_one_line_and_exit_code_2(one_episode, tmp_path, capsys, arguments, message):
    (tmp_path / "file").write_text("a,b\n1,2\n")
    try:
        code = main(["mbpo", *arguments])
    except SystemExit as end:
        code = end.code
    printed = capsys.readouterr()
    assert code == 2
    assert not re.search(r"^ +\d+ ", printed.out, re.M), "steps were made for nothing"
    assert printed.err.startswith("dynaplan: ")
    assert printed.err.count("\n") == 1
    assert re.search(message, printed.err), printed.err


def test_an_interrupted_fit_ends_the_command_with_a_checkpoint(one_episode, monkeypatch, capsys):
    """The loop ends early, and without an error, where Ctrl-C came during a fit."""
    run = mbpo.MBPO.run
    monkeypatch.setattr(mbpo.MBPO, "run", lambda loop, steps, **logs: run(loop, steps // 2, **logs))
    job = ["mbpo", "--imagined", "0", "--steps", "40", "--checkpoint", "run.dyna"]
    assert main(job) == 130
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "Checkpoint: run.dyna" in printed.out
    assert "Return per episode" not in printed.out


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has another Ctrl-C")
def test_ctrl_c_leaves_a_checkpoint(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-m", "dynaplan", "mbpo", "--steps", "100000", "--checkpoint", "run"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        text=True,
        env={"PYTHONUNBUFFERED": "1"},
    ) as command:
        while not command.stdout.readline().startswith("  steps"):
            pass  # until the heading: it learns
        command.send_signal(signal.SIGINT)
        _, error = command.communicate(timeout=60)
    assert command.returncode == 130
    assert error == ""
    again = dp.MBPO(gymnasium.make("Pendulum-v1"))
    again.restore(tmp_path / "run")
    list(again.run(1))
