"""The command line: what the commands that plan print and draw, and how they refuse."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import gymnasium
import pytest

from dynaplan._version import __version__
from dynaplan.commands import control, episodes, pets
from dynaplan.commands.main import main
from dynaplan.reports import pictures

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


def png_size(path):
    head = path.read_bytes()[:24]
    assert head.startswith(PNG_MAGIC)
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


@pytest.fixture
def one_episode(monkeypatch, tmp_path):
    """A short job in an empty folder: one controlled episode instead of ten."""
    monkeypatch.setattr(episodes, "EPISODES", 1)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")


def without_times(text):
    text = re.sub(r"fitted in [\d.]+ ms", "", text)
    return "\n".join(line for line in text.splitlines() if not line.startswith("Time per plan"))


# --- the whole job


def test_the_whole_job_in_a_pipe(run_python, tmp_path):
    result = run_python("import sys; from dynaplan.commands.main import main; sys.exit(main([]))")
    assert result.stderr == ""
    assert "\x1b" not in result.stdout
    assert "\r" not in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80
    checked = re.findall(r"^ +(\d+) +[\d.e+]+ % +[\d.e+]+ % ", result.stdout, re.MULTILINE)
    assert checked == ["1", "2", "5", "10", "20", "50"]
    assert re.search(r"^Trusted horizon: \d+ steps? ", result.stdout, re.MULTILINE)
    assert re.search(r"^Time per plan: median [\d.]+ ms, .* plans per second$", result.stdout, re.M)
    seeds = re.findall(r"^ +(10\d\d) +200 +-[\d.]+ +-[\d.]+ ?$", result.stdout, re.MULTILINE)
    assert seeds == [str(1000 + index) for index in range(10)]
    controlled, random = map(
        float, re.search(r"mean +(-[\d.]+) +(-[\d.]+)", result.stdout).groups()
    )
    # A perfect model reaches -140, a random policy -1200 or so; 80 is the spread of ten episodes.
    assert controlled > -300.0
    assert random < -900.0
    assert result.stdout.splitlines()[-1] == "Picture: dynaplan-Pendulum-v1.png"
    width, height = png_size(tmp_path / "dynaplan-Pendulum-v1.png")
    assert width > 1000
    assert height > 500


def test_the_same_seed_prints_the_same(one_episode, capsys):
    printed = []
    for seed in ("3", "3", "4"):
        assert main(["--seed", seed, "--steps", "60"]) == 0
        printed.append(without_times(capsys.readouterr().out))
    assert printed[0] == printed[1]
    assert printed[0] != printed[2]


def test_control_is_the_default_command(one_episode, capsys):
    printed = []
    for command in ([], ["control"]):
        assert main([*command, "--steps", "60"]) == 0
        printed.append(without_times(capsys.readouterr().out))
    assert printed[0] == printed[1]


def test_options_reach_the_job(one_episode, capsys):
    assert main(["--steps", "80", "--horizon", "7"]) == 0
    out = capsys.readouterr().out
    assert "Data: 80 transitions, 40 of them held out" in out
    assert "plans 7 steps ahead" in out


@pytest.mark.parametrize(
    ("out", "picture"),
    [
        ("new/folder", "new/folder/dynaplan-Pendulum-v1.png"),
        (".", "dynaplan-Pendulum-v1.png"),
        ("new/swing.png", "new/swing.png"),
    ],
)
def test_the_picture_is_saved_where_out_says(one_episode, tmp_path, out, picture):
    assert main(["--steps", "60", "--out", out]) == 0
    png_size(tmp_path / picture)
    assert [path.name for path in tmp_path.rglob("*.*")] == [picture.split("/")[-1]]


def test_without_matplotlib_one_line_says_how_to_get_it(one_episode, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(pictures, "can_draw", lambda: False)
    assert main(["--steps", "60"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        'No picture, matplotlib is missing: pip install "dynaplan[plot]"'
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", [[], ["pets"]])
def test_another_environment_is_learned_while_it_is_controlled(
    one_episode, capsys, tmp_path, command
):
    pytest.importorskip("mujoco")
    assert main([*command, "--env", "Reacher-v5", "--steps", "230", "--horizon", "8"]) == 0
    out = capsys.readouterr().out
    rows = re.findall(
        r"^ +(\d+) +(random|\d+) +(\d+) +(-[\d.]+)? +(\d+ steps?)? +[\d.]+ +[\d.]+$", out, re.M
    )
    assert [row[:3] for row in rows] == [
        ("50", "random", "50"),
        ("80", "1", "30"),
        ("110", "2", "30"),
        ("146", "3", "36"),
        ("194", "4", "48"),
        ("230", "5", "36"),
    ]
    assert [bool(value and trusted) for *_, value, trusted in rows] == [False] + 5 * [True]
    assert "plans 8 steps ahead, with a model of all data" in out
    assert re.search(r"^ +1000 +50 +-[\d.]+ +-[\d.]+ ?$", out, re.M)
    png_size(tmp_path / "dynaplan-Reacher-v5.png")


def test_pets_learns_the_pendulum_while_controlling_it(one_episode, capsys, tmp_path):
    assert main(["pets", "--steps", "24", "--horizon", "3"]) == 0
    out = capsys.readouterr().out
    rows = re.findall(r"^ +(\d+) +(random|\d+) +(\d+) ", out, re.M)
    assert rows[:2] == [("12", "random", "12"), ("24", "1", "12")]
    assert "ICEM (100 candidates) plans 3 steps ahead" in out
    assert "thumb" not in out  # the reward is all that plans count
    png_size(tmp_path / "dynaplan-Pendulum-v1.png")


@pytest.mark.parametrize(
    ("env", "beyond"),
    [
        ("CartPole-v1", "how central the cart and how upright the pole is"),
        ("Acrobot-v1", "the tip's height, the second joint's speed"),
    ],
)
def test_discrete_actions_are_learned_and_what_a_plan_counts_is_said(
    one_episode, monkeypatch, capsys, env, beyond
):
    monkeypatch.setattr(episodes, "_MAX_EPISODE_STEPS", 30)
    assert main(["pets", "--env", env, "--steps", "24", "--horizon", "3"]) == 0
    out = capsys.readouterr().out
    assert f"thumb for this environment: {beyond}." in out
    rows = re.findall(r"^ +(\d+) +(random|\d+) +(\d+) ", out, re.M)
    assert rows[0] == ("12", "random", "12")
    assert rows[-1][0] == "24"
    assert "CategoricalCEM (100 candidates) plans 3 steps ahead" in out
    assert max(map(len, out.splitlines())) <= 80
    png_size(Path(f"dynaplan-{env}.png"))


def test_the_horizon_is_the_environments_where_none_is_given(one_episode, monkeypatch, capsys):
    monkeypatch.setattr(episodes, "_MAX_EPISODE_STEPS", 5)
    assert main(["pets", "--env", "Acrobot-v1", "--steps", "4"]) == 0
    assert "plans 10 steps ahead" in capsys.readouterr().out


def test_a_robot_is_made_to_show_the_position_it_is_paid_for(one_episode, capsys):
    pytest.importorskip("mujoco")
    assert main(["--env", "Hopper-v5", "--steps", "30", "--horizon", "3"]) == 0
    assert re.search(r"^ +15 +random ", capsys.readouterr().out, re.M)


def test_a_terminal_sees_progress(run_python):
    pytest.importorskip("pty", reason="no pseudo-terminals here")
    out = run_python(
        "import os, pty, sys\n"
        "job = 'from dynaplan.commands import episodes, main; episodes.EPISODES = 1; '\n"
        'job += \'main.main(["--steps", "60"])\'\n'
        "os.environ.update(TERM='xterm', COLUMNS='80')\n"
        "pty.spawn([sys.executable, '-c', job])\n"
    ).stdout
    assert "Controlling, episode 1 of 1" in out
    assert "\x1b[?25h" in out  # the cursor comes back
    assert "Picture: dynaplan-Pendulum-v1.png" in out


# --- refusals


class SwingWithoutReward(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-1.0, 1.0, (2,))
    action_space = gymnasium.spaces.Box(-1.0, 1.0, (1,))


class Switches(SwingWithoutReward):
    action_space = gymnasium.spaces.MultiBinary(2)


@pytest.fixture(autouse=True)
def no_reward():
    gymnasium.register("NoReward-v0", SwingWithoutReward)
    gymnasium.register("Switches-v0", Switches)
    yield
    del gymnasium.registry["NoReward-v0"], gymnasium.registry["Switches-v0"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--env", "Nothing-v0"], r"--env Nothing-v0: .*Nothing.* doesn't exist"),
        (["--env", "not an id"], r"--env not an id: Malformed environment ID"),
        (["--env", "nowhere:Pendulum-v1"], r"--env nowhere:.*No module named 'nowhere'"),
        (["--env", "NoReward-v0"], r"--env NoReward-v0: its reward is not known"),
        (["--steps", "15"], r"--steps 15: 9 transitions do not determine 15 .* at least 32"),
        (["--steps", "1"], r"--steps: got '1', must be an integer of at least 2"),
        (["--steps", "many"], r"--steps: got 'many', must be an integer of at least 2"),
        (["--seed", "-1"], r"--seed: got '-1', must be an integer of at least 0"),
        (["--horizon", "0"], r"--horizon: got '0', must be an integer of at least 1"),
        (["--seed", str(2**64)], r"--seed: got '1844.*6', must be an integer of at most 1844.*5 "),
        (["--steps", "9999999999"], r"--steps: got '9999999999', must be .* at most 2147483647 "),
        (["--steps"], r"^dynaplan: --steps: expected one argument"),
        (["nonsense"], r"command: got 'nonsense', must be one of control, pets, mbpo "),
        (["--seed", "3", "mbpo"], r"mbpo: a command must come before its options"),
        (["pets", "mbpo"], r"unrecognized arguments: mbpo \(see python -m dynaplan pets --help\)"),
        (["pets", "--env", "NoReward-v0"], r"--env NoReward-v0: its reward is not known"),
        (["--colour"], r"unrecognized arguments: --colour \(see python -m dynaplan --help\)"),
        (["--out", "file/x"], r"--out file/x/dynaplan-Pendulum-v1\.png: (Not a dir|File exists)"),
        (["--out", "file/x.png"], r"--out file/x\.png: (Not a dir|File exists)"),
    ],
)
def test_a_refusal_is_one_line_and_exit_code_2(one_episode, tmp_path, capsys, arguments, message):
    (tmp_path / "file").write_text("")
    try:
        code = main(arguments)
    except SystemExit as end:
        code = end.code
    printed = capsys.readouterr()
    assert code == 2
    assert printed.out == ""
    assert printed.err.startswith("dynaplan: ")
    assert printed.err.count("\n") == 1
    assert re.search(message, printed.err), printed.err


def test_other_spaces_are_refused_with_the_wrapper_that_works(one_episode, capsys):
    assert main(["--env", "Switches-v0"]) == 2
    assert re.search(
        r"--env Switches-v0: its action_space is MultiBinary\(2\), must be a Box or a Discrete; "
        r".*gymnasium\.wrappers\.TransformAction\(env, ",
        capsys.readouterr().err,
    )


def test_a_reward_of_discrete_actions_is_not_left_to_mbpo(one_episode, capsys):
    assert main(["--env", "MountainCar-v0"]) == 2
    message = capsys.readouterr().err
    assert "its reward is not known in closed form; in Python dynaplan.MPC takes any" in message


def test_an_interrupted_fit_ends_the_command(one_episode, monkeypatch, capsys):
    """A loop ends early, and without an error, where Ctrl-C came during a fit."""
    run = pets.PETS.run
    monkeypatch.setattr(pets.PETS, "run", lambda loop, steps: run(loop, steps // 2))
    assert main(["pets", "--steps", "20", "--horizon", "3"]) == 130
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "Return per episode" not in printed.out


def test_interruption_is_quiet(one_episode, monkeypatch, capsys):
    def interrupted(*arguments, **settings):
        raise KeyboardInterrupt

    monkeypatch.setattr(control, "collect", interrupted)
    assert main([]) == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has another Ctrl-C")
def test_ctrl_c_ends_the_real_command(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-m", "dynaplan"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        text=True,
        env={"PYTHONUNBUFFERED": "1"},
    ) as command:
        assert command.stdout.readline().startswith("dynaplan ")  # the job is under way
        command.send_signal(signal.SIGINT)
        _, error = command.communicate(timeout=30)
    assert command.returncode == 130
    assert error == ""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other pipes")
def test_a_reader_that_leaves_is_no_error(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-m", "dynaplan"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        text=True,
        env={"PYTHONUNBUFFERED": "1"},
    ) as command:
        command.stdout.readline()
        command.stdout.close()
        error = command.stderr.read()
        assert command.wait(timeout=60) == 1
    assert error == ""


@pytest.mark.parametrize("command", [[], ["control"], ["pets"], ["mbpo"]])
def test_help_and_version(capsys, command):
    own = "--imagined K" if command == ["mbpo"] else "--horizon N"
    for option, expected in (("--help", own), ("--version", f"dynaplan {__version__}")):
        with pytest.raises(SystemExit) as end:
            main([*command, option])
        assert end.value.code == 0
        assert expected in capsys.readouterr().out


def test_help_lists_the_commands_with_one_line_each(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        main(["--help"])
    listed = capsys.readouterr().out.split("commands:\n  COMMAND\n")[1].split("\n\n")[0]
    rows = [re.fullmatch(r"    (\w+) +\w.*", row) for row in listed.splitlines()]
    assert [row[1] for row in rows if row] == ["control", "pets", "mbpo"]
    assert all(rows)


def test_the_package_imports_no_optional_or_slow_module(run_python):
    run_python(
        "import sys, dynaplan\n"
        "found = {'gymnasium', 'rich', 'matplotlib'} & set(sys.modules)\n"
        "assert not found, found\n"
    )
