"""The efficiency suite: what it counts, what it keeps, and what it refuses."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import signal
import subprocess
import sys
import time

import bench.run
import gymnasium
import numpy as np
import pytest
from bench import report
from bench.efficiency import command, learners, store, summary
from bench.efficiency.evaluation import outcome_of
from bench.efficiency.method import Cell
from bench.efficiency.methods import METHODS, SMALL
from bench.efficiency.tasks import TASKS

import dynaplan as dp
from reference import toy_learning as toy

NEVER = (summary.NEVER, summary.NEVER)


def run(tmp_path, *arguments, methods=None, tasks=None):
    """Runs the command on the toys and returns its exit status."""
    return command.main(
        ["--results", str(tmp_path / "results"), *arguments],
        toy.TASKS if tasks is None else tasks,
        toy.METHODS if methods is None else methods,
    )


def stored(tmp_path):
    return {(one["method"], one["seed"]): one for one in store.read_all(tmp_path / "results")}


def last_rows(tmp_path, name, seeds):
    return [stored(tmp_path)[name, seed]["evaluations"][-1] for seed in seeds]


def cell(name, seed=0, **changed):
    return Cell(dataclasses.replace(toy.LEVER, **changed), toy.METHODS[name], seed)


def rows(*means):
    return [
        {"steps": 10 * (i + 1), "seconds": float(i), "mean": mean} for i, mean in enumerate(means)
    ]


@pytest.mark.parametrize(
    ("means", "expected"),
    [
        ([0.0, 5.0, 5.0], (20, 1.0)),
        ([5.0, 0.0, 6.0, 5.0, 0.0], (30, 2.0)),  # a good one alone counts for nothing
        ([5.0, 4.9, 5.0, 4.9, 5.0], NEVER),  # nor is there a best so far
        ([0.0, 0.0, 9.0], NEVER),  # the last has no second
        ([], NEVER),
    ],
)
def test_a_threshold_is_reached_at_the_first_of_two_in_a_row(means, expected):
    assert summary.reached(rows(*means), 5.0) == expected


def test_seeds_that_never_reach_it_are_infinite_in_medians():
    assert summary.quantile([3.0, summary.NEVER, 1.0], 0.5) == 3.0
    assert summary.quantile([1.0, summary.NEVER], 0.5) == summary.NEVER
    assert summary.quantile([1.0, 2.0, 3.0, summary.NEVER], 0.5) == 2.5
    assert summary.quantile([summary.NEVER] * 3, 0.25) == summary.NEVER
    assert summary.quantile([7.0], 0.75) == 7.0
    values = np.random.default_rng(0).normal(size=10).tolist()
    for share in summary.QUARTILES:
        assert summary.quantile(values, share) == pytest.approx(np.quantile(values, share))


def test_a_cell_is_evaluated_apart_from_its_learning():
    toy.Lever.made.clear()
    outcome = outcome_of(cell("steep", seed=3))
    learned, judged = toy.Lever.made
    assert outcome["status"] == "done"
    assert learned.steps == 50  # all real steps of the method, and no other
    assert judged.steps == 5 * 3 * 5
    assert judged.seeds == [1_003_000, 1_003_001, 1_003_002] * 5
    assert [row["steps"] for row in outcome["evaluations"]] == [10, 20, 30, 40, 50]
    pulls = [row["facts"]["pull"] for row in outcome["evaluations"]]
    means = [row["mean"] for row in outcome["evaluations"]]
    np.testing.assert_allclose(means, 5 * np.array(pulls), rtol=1e-6)  # float32 actions
    assert all(row["facts"].keys() == {"pull"} for row in outcome["evaluations"])  # no nan
    assert outcome["settings"] == "rises fast: slope=0.1"


def test_evaluations_take_no_time_and_change_nothing(monkeypatch):
    task = dataclasses.replace(toy.LEVER, steps=300, evaluate_every=50)
    task = dataclasses.replace(task, make=TASKS["Pendulum-v1"].make)
    method = METHODS["sac"]
    found = []
    for episodes in (1, 4):
        slow_task = dataclasses.replace(task, episodes=episodes)
        outcome = outcome_of(Cell(slow_task, method, 5))
        assert outcome["status"] == "done", outcome["message"]
        found.append([row["facts"] for row in outcome["evaluations"]])
    assert found[0] == found[1]
    assert found[0][-1]["critic loss"] > 0.0

    clock = itertools.count()  # a second passes with each look at it, and with each evaluation
    for name in ("time.perf_counter", "episode_return"):
        monkeypatch.setattr(f"bench.efficiency.evaluation.{name}", lambda *_: next(clock))
    evaluations = outcome_of(cell("steep"))["evaluations"]
    assert [row["seconds"] for row in evaluations] == list(range(1, len(evaluations) + 1))


def test_sac_learns_as_in_the_library():
    task = dataclasses.replace(TASKS["Pendulum-v1"], steps=450, evaluate_every=70)
    settings = METHODS["sac"].settings | {"gradient_steps": 2}
    for snapshot in learners.sac(task, gymnasium.make("Pendulum-v1"), 9, settings):
        assert snapshot.steps % 70 == 0 or snapshot.steps == 450
    agent = dp.SAC(gymnasium.make("Pendulum-v1"), **settings, seed=9).learn(450)
    state = np.array([0.5, 0.5, 1.0])
    expected = agent.act(state, deterministic=True)
    np.testing.assert_array_equal(snapshot.policy(0)(state), expected)


def test_results_are_the_same_with_any_number_of_workers(tmp_path):
    outcomes = []
    for workers in ("1", "3"):
        folder = tmp_path / workers
        assert run(folder, "--method", "steep", "--seeds", "0-2", "--workers", workers) == 0
        found = stored(folder)
        for one in found.values():
            del one["run"], one["where"]
            for row in one["evaluations"]:
                assert row.pop("seconds") > 0.0
        outcomes.append(found)
    assert outcomes[0] == outcomes[1]
    assert sorted(outcomes[0]) == [("steep", 0), ("steep", 1), ("steep", 2)]


def test_what_fails_is_kept_and_stops_nothing(tmp_path, capsys):
    names = ("raising", "dying", "stopping", "uninstalled", "flat")
    methods = [word for name in names for word in ("--method", name)]
    assert run(tmp_path, *methods, "--seeds", "0-1") == 1
    found = stored(tmp_path)
    assert {key: one["status"] for key, one in found.items()} == {
        ("dying", 0): "failed",
        ("dying", 1): "failed",
        ("flat", 0): "done",
        ("flat", 1): "done",
        ("raising", 0): "done",
        ("raising", 1): "failed",
        ("stopping", 0): "failed",
        ("stopping", 1): "failed",
    }
    assert found["raising", 1]["message"].endswith("RuntimeError: seed 1 is odd")
    assert len(found["raising", 1]["evaluations"]) == 1
    assert "exit code 3" in found["dying", 0]["message"]
    assert "ended after 10 of 50 steps" in found["stopping", 0]["message"]
    out, err = capsys.readouterr()
    assert "uninstalled, seed 0: not run, not stored: No module named" in err
    lines = [line.split("|") for line in out.splitlines() if line.startswith("| ")]
    shown = {line[1].strip(): [part.strip() for part in line] for line in lines[::-1]}
    assert shown["raising"][5] == "never"  # one of two: the median has part of it
    assert shown["raising"][9:11] == ["1 of 2", "1"]
    assert shown["flat"][5:7] == ["40", "40 .. 40"]
    assert shown["flat"][9:11] == ["0 of 2", "0"]
    assert "raising, seed 1: RuntimeError: seed 1 is odd" in out


def test_failed_cells_run_anew_only_if_asked(tmp_path, capsys):
    assert run(tmp_path, "--method", "raising", "--seeds", "1") == 1
    path = store.path_of(tmp_path / "results", cell("raising", 1))
    first = path.read_bytes()
    assert run(tmp_path, "--method", "raising", "--seeds", "1") == 0
    assert "failed before (RuntimeError: seed 1 is odd); kept" in capsys.readouterr().err
    assert path.read_bytes() == first
    assert run(tmp_path, "--method", "raising", "--seeds", "1", "--again") == 1
    assert path.read_bytes() != first


def test_changed_settings_are_refused_and_run_anew_only_if_asked(tmp_path, capsys):
    assert run(tmp_path, "--method", "steep", "--seeds", "0-1") == 0
    changed = {"steep": dataclasses.replace(toy.METHODS["steep"], settings={"slope": 0.2})}
    path = store.path_of(tmp_path / "results", cell("steep", 0))
    first = path.read_bytes()
    assert run(tmp_path, "--seeds", "0-1", methods=changed) == 2
    said = capsys.readouterr().err
    assert "settings were 'rises fast: slope=0.1', are 'rises fast: slope=0.2'" in said
    assert "--again runs these cells anew" in said
    assert path.read_bytes() == first
    task = {toy.LEVER.name: dataclasses.replace(toy.LEVER, threshold=11.0)}
    assert run(tmp_path, "--method", "steep", "--seeds", "0", tasks=task) == 2
    assert "threshold was 10.0, is 11.0" in capsys.readouterr().err
    assert run(tmp_path, "--seeds", "0", "--again", methods=changed) == 0
    assert stored(tmp_path)["steep", 0]["settings"] == "rises fast: slope=0.2"
    assert stored(tmp_path)["steep", 1]["settings"] == "rises fast: slope=0.1"


SLOW = """
import sys
from bench.efficiency import command
from bench.efficiency.method import Method
from reference import toy_learning as toy

if __name__ == "__main__":
    settings = {"slope": 0.1, "began": sys.argv[2], "from_seed": 2}
    methods = {"slow": Method("slow", "sleeps", toy.slow, settings)}
    arguments = ["--results", sys.argv[1], "--seeds", "0-3", "--workers", "2"]
    command.main(arguments, toy.TASKS, methods)
"""


def wait_until(holds, seconds=30.0):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def is_running(number):
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.skipif(sys.platform == "win32", reason="kills by POSIX signals")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_run_leaves_what_was_done_and_no_process(tmp_path, repository, how):
    results, began, script = tmp_path / "results", tmp_path / "began", tmp_path / "slow.py"
    began.mkdir()
    script.write_text(SLOW)
    paths = [repository, repository / "tests", *filter(None, sys.path)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths))}
    command_line = [sys.executable, str(script), str(results), str(began)]
    process = subprocess.Popen(command_line, env=environment, stderr=subprocess.DEVNULL)
    finished = [results / "toy_Lever" / "slow" / f"{seed}.json" for seed in (0, 1)]
    wait_until(lambda: all(path.exists() for path in finished))
    wait_until(lambda: len(list(began.glob("[23].*"))) == 2)
    process.send_signal(how)
    process.wait(timeout=30.0)
    children = [int(path.suffix[1:]) for path in began.glob("*")]
    wait_until(lambda: not any(map(is_running, children)))
    assert sorted(results.glob("*/*/*.json")) == finished
    before = [path.read_bytes() for path in finished]

    settings = {"slope": 0.1, "began": str(began), "from_seed": 2}
    quick = dataclasses.replace(toy.METHODS["steep"], name="slow", summary="sleeps")
    quick = {"slow": dataclasses.replace(quick, settings=settings)}
    assert run(tmp_path, "--seeds", "0-3", methods=quick) == 0
    assert [path.read_bytes() for path in finished] == before
    assert len(store.read_all(results)) == 4


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: text[: len(text) // 2], "delete it"),
        (lambda text: "[]", "not of format 1"),
        (lambda text: text.replace('"format": 1', '"format": 2'), "not of format 1"),
        (lambda text: text.replace('"seed": 0', '"seed": "0"'), "'seed' is missing or no int"),
        (lambda text: text.replace('"mean"', '"median"', 1), "'mean' is missing or no float"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, capsys, damage, message):
    assert run(tmp_path, "--method", "steep", "--seeds", "0") == 0
    path = store.path_of(tmp_path / "results", cell("steep"))
    path.write_text(damage(path.read_text()))
    assert run(tmp_path, "--method", "steep", "--seeds", "0") == 2
    said = capsys.readouterr().err
    assert str(path) in said
    assert message in said


def test_a_file_holds_what_a_reader_needs_to_place_it(tmp_path):
    assert run(tmp_path, "--method", "steep", "--seeds", "4") == 0
    path = store.path_of(tmp_path / "results", cell("steep", 4))
    one = json.loads(path.read_text())
    assert one["task"] == toy.LEVER.protocol()
    assert one["seed"] == 4
    assert one["run"].keys() == {"command", "commit", "date"}
    assert "--seeds 4" in one["run"]["command"]
    assert one["where"]["dynaplan files"]
    assert "gymnasium" in one["where"]["packages"]


def test_tables_and_pictures_are_made_from_what_is_stored(tmp_path, capsys):
    assert run(tmp_path, "--method", "steep", "--method", "flat", "--seeds", "0-2,5") == 0
    shown = capsys.readouterr().out
    plots = tmp_path / "plots"
    arguments = ("--method", "steep", "--method", "flat", "--seeds", "0-2,5", "--table")
    assert run(tmp_path, *arguments, "--plots", str(plots)) == 0
    assert capsys.readouterr().out == shown
    assert "### toy/Lever: threshold 10; 3 episodes about every 10 steps" in shown
    assert "Published: Nothing." in shown
    assert "- steep: rises fast: slope=0.1" in shown
    lines = [line for line in shown.splitlines() if line.startswith("| ")]
    named = ["method", "------", "steep", "flat"]
    assert [line.split("|")[1].strip() for line in lines] == named * 2
    assert "0-2,5" in lines[2]
    facts = [row["facts"]["pull"] for row in last_rows(tmp_path, "steep", (0, 1, 2, 5))]
    assert [part.strip() for part in lines[6].split("|")[1:-1]] == [
        "steep",
        f"{np.median(facts):#.3g}",
    ]
    picture = plots / "toy_Lever.png"
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_record_gets_a_section(tmp_path, monkeypatch):
    record = tmp_path / "RESULTS.md"
    monkeypatch.setattr(report, "RESULTS_FILE", record)
    monkeypatch.setattr(store, "FOLDER", tmp_path / "results")
    monkeypatch.setattr(bench.run, "TASKS", toy.TASKS)
    assert bench.run.main(["--assemble"]) == 0
    before = record.read_text()
    assert "Sample efficiency" not in before
    assert run(tmp_path, "--method", "steep", "--seeds", "0", "--write") == 0
    assert record.read_text().startswith(before)
    section = record.read_text().removeprefix(before)
    assert section.startswith("\n\n## Sample efficiency\n")
    for part in ("Published: Nothing.", "- steep: rises fast", "- command:", "- dynaplan files:"):
        assert part in section


def test_curves_of_other_steps_are_read_between_their_evaluations():
    def result(*pairs):
        found = [{"steps": steps, "mean": mean} for steps, mean in pairs]
        return {"status": "done", "evaluations": found}

    some = [result((10, 0.0), (30, 2.0)), result((20, 5.0), (30, 6.0)), {"status": "failed"}]
    some[2]["evaluations"] = [{"steps": 10, "mean": 99.0}]
    steps, (lower, median, upper) = summary.curve(some)
    np.testing.assert_array_equal(steps, [20, 30])
    np.testing.assert_allclose(median, [3.0, 4.0])
    np.testing.assert_allclose(lower, [2.0, 3.0])
    np.testing.assert_allclose(upper, [4.0, 5.0])
    assert len(summary.curve(some[2:])[0]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seeds", "5-"], "expected seeds such as"),
        (["--seeds", "9-5"], "names no seed"),
        (["--seeds", "5,3-6"], "one twice"),
        (["--workers", "0"], "expected at least 1, got 0"),
        (["--method", "elsewhere", "--task", "toy/Lever"], "is not for toy/Lever"),
        (["--write"], "results for the record"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path, capsys, arguments, message):
    with pytest.raises(SystemExit):
        run(tmp_path, *arguments)
    assert message in capsys.readouterr().err


def test_the_settings_that_are_told_are_those_that_are_used():
    agent = dp.MBPO(gymnasium.make("Pendulum-v1")).agent.settings
    assert {name: getattr(agent, name) for name in SMALL} == SMALL
    assert agent.real_ratio == 0.1
    assert "updates_per_step=40, rollouts_per_step=100" in METHODS["mbpo"].text()
    assert "gradient_steps=20, hidden=(64, 64)" in METHODS["sac_20"].text()
    assert METHODS["pets"].budgeted(TASKS["Pendulum-v1"]).steps == 500


@pytest.mark.parametrize("name", ["least_squares_cem", "pets", "mbpo", "mbpo_k0", "mbpo_128"])
def test_the_methods_of_the_library_run_to_their_last_step(name):
    method = METHODS[name]
    task = dataclasses.replace(TASKS["Pendulum-v1"], steps=115, evaluate_every=50, episodes=1)
    outcome = outcome_of(Cell(task, method, 1))
    assert outcome["status"] == "done", outcome["message"]
    assert outcome["evaluations"][-1]["steps"] == 115
    told = outcome["evaluations"][-1]["facts"]
    assert told.keys() >= ({"critic loss", "length"} if "mbpo" in name else {"trusted horizon"})


def test_cartpole_swingup_shows_what_its_reward_is_a_function_of():
    pytest.importorskip("dm_control")
    pytest.importorskip("shimmy")
    env = TASKS["dm_control/cartpole-swingup"].make()
    reward = dp.rewards.for_env(env)
    state, _ = env.reset(seed=1)
    same, _ = env.reset(seed=1)
    np.testing.assert_array_equal(state, same)
    rng = np.random.default_rng(0)
    for number in range(1000):
        action = rng.uniform(-1.0, 1.0, 1)
        after, paid, terminated, truncated, _ = env.step(action)
        assert reward([state], [action], [after])[0] == pytest.approx(paid, abs=1e-12)
        assert not terminated
        assert truncated == (number == 999)
        state = after
