"""`dp.load` reads every file that the package writes, and says what to do with one it does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dynaplan as dp
from dynaplan import files
from dynaplan.envs.mazes import Maze
from reference.agent_tasks import Follow
from reference.dyna_loop import loop


@pytest.fixture(scope="module")
def data() -> dp.Transitions:
    rows = np.random.default_rng(0).normal(size=(30, 5))
    return dp.Transitions(rows[:, :2], rows[:, 2:3], rows[:, 3:])


def test_each_file_gives_its_own_class(data: dp.Transitions, tmp_path: Path) -> None:
    saved: list[tuple[Any, Any]] = [
        (data, None),
        (dp.LinearGaussian.fit(data), None),
        (dp.MLP.fit(data, hidden=(4,), epochs=1, seed=0), None),
        (dp.SAC(Follow(), hidden=(4,), seed=0), None),
        (dp.SAC(Follow(), hidden=(4,), seed=0), Follow()),
        (dp.DynaQ(Maze(), seed=0), Maze()),
        (dp.DynaQPlus(Maze(), seed=0), Maze()),
        (dp.PrioritizedSweeping(Maze(), seed=0), Maze()),
    ]
    for one, env in saved:
        one.save(tmp_path / "file")
        again = dp.load(tmp_path / "file", env)
        assert type(again) is type(one)
        assert repr(again) == repr(one)


def test_an_environment_is_refused_where_it_has_no_meaning(
    data: dp.Transitions, tmp_path: Path
) -> None:
    data.save(tmp_path / "data")
    dp.LinearGaussian.fit(data).save(tmp_path / "model")
    for name in ("data", "model"):
        with pytest.raises(dp.ArgumentError, match=f"env: got an environment, .*{name} holds"):
            dp.load(tmp_path / name, Maze())


def test_a_checkpoint_is_sent_to_restore(tmp_path: Path) -> None:
    dyna = loop().learn(3)
    dyna.save(tmp_path / "run.dyna")
    with pytest.raises(dp.ModelFileError, match=r"run\.dyna: the checkpoint .* call its restore"):
        dp.load(tmp_path / "run.dyna")


def test_an_unknown_kind_names_those_that_are_known(tmp_path: Path) -> None:
    files.write_model_file(tmp_path / "file", "Oracle", {"a": np.zeros(1)}, {})
    with pytest.raises(dp.ModelFileError, match="kind 'Oracle', must be one of LinearGaussian"):
        dp.load(tmp_path / "file")


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        dp.load(tmp_path / "nothing")
