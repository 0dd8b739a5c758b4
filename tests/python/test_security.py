"""What SECURITY.md says that no other test holds.

Others: hostile files in `test_model_files.py`, `test_network_files.py`, `test_sac_files.py`,
`test_tabular_files.py`, `test_archives.py` and `tests/fuzz`; saving in `test_saving.py` and
`test_scratch.py`; ONNX in `test_conversion.py`; types of compiled functions in
`test_compiled_refusals.py`.
"""

from __future__ import annotations

import ast
import os
import pickle
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dynaplan as dp
from dynaplan.envs.mazes import Maze
from model_files import LEARNT, MODELS, NETWORKS
from reference.agent_tasks import Follow
from reference.dyna_loop import loop

# What would run what it reads, and what leaves the process.
MODULES = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "yaml", "runpy"}
MODULES |= {"socket", "ssl", "http", "urllib", "requests", "subprocess", "multiprocessing"}
CALLS = {"eval", "exec", "__import__", "system", "popen", "literal_eval"}


def called(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield getattr(node.func, "attr", getattr(node.func, "id", ""))


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


def test_no_source_runs_what_it_reads_or_leaves_the_process(repository: Path) -> None:
    sources = list((repository / "python" / "dynaplan").rglob("*.py"))
    assert len(sources) > 100
    for path in sources:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert not set(imported(tree)) & MODULES, path
        assert not set(called(tree)) & CALLS, path


LOAD_UNDER_AUDIT = """
import sys
sys.path[:] = {path!r}
import warnings
import dynaplan as dp
from dynaplan.envs.mazes import Maze
from reference.dyna_loop import loop

def load_all(made):
    for name in {plain!r}:
        dp.load(name)
    dp.load("DynaQ", Maze())
    made.restore("Dyna")

load_all(loop())  # what is imported late is imported now
seen = set()
watching, made = [], loop()
sys.addaudithook(lambda event, arguments: watching and seen.add(event))
watching.append(1)
load_all(made)
watching.clear()
print(*sorted(seen))
"""


def test_loading_runs_imports_and_sends_nothing(
    tmp_path: Path, run_python: Callable[..., Any]
) -> None:
    """By Python's own audit: next to nothing happens but the opening and removing of files."""
    owners = {
        "Transitions": LEARNT,
        "LinearGaussian": MODELS["linear"](),
        "Ensemble": NETWORKS["Ensemble"](),
        "SAC": dp.SAC(Follow(), hidden=(4,), seed=0),
    }
    for name, owner in owners.items():
        owner.save(tmp_path / name)
    dp.DynaQ(Maze(), seed=0).learn(50).save(tmp_path / "DynaQ")
    loop().learn(62).save(tmp_path / "Dyna")
    code = LOAD_UNDER_AUDIT.format(path=sys.path, plain=list(owners))
    events = set(run_python(code).stdout.split())
    assert "open" in events
    harmless = {
        "builtins.id",
        "object.__getattr__",
        "open",
        "os.listdir",
        "os.mkdir",
        "os.remove",
        "os.rmdir",
        "os.scandir",
    }
    harmless |= {"shutil.rmtree", "tempfile.mkdtemp"}
    assert events <= harmless


@pytest.mark.parametrize(
    "made",
    [
        MODELS["linear"],
        NETWORKS["Ensemble"],
        lambda: LEARNT,
        dp.CEM,
    ],
)
def test_what_can_be_pickled(made: Callable[[], Any]) -> None:
    one = made()
    assert type(pickle.loads(pickle.dumps(one))) is type(one)


def test_other_hard_links_keep_the_old_content(tmp_path: Path) -> None:
    LEARNT[:3].save(tmp_path / "file")
    os.link(tmp_path / "file", tmp_path / "other")
    LEARNT.save(tmp_path / "file")
    assert (len(dp.load(tmp_path / "file")), len(dp.load(tmp_path / "other"))) == (40, 3)


def test_an_address_is_believed_and_a_known_type_is_not() -> None:
    import ctypes

    other = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda number: number)
    with pytest.raises(dp.ArgumentError, match="function: "):
        dp.rewards.compiled(other, state_dim=2, action_dim=1)
    address = ctypes.cast(other, ctypes.c_void_p).value
    # Made, and never called.
    dp.rewards.compiled(address, state_dim=2, action_dim=1, dtype=np.float64)
