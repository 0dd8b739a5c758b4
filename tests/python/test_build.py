"""What building and importing must not do to a process: each test is a trap that was met."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import dynaplan as dp
from dynaplan import _core
from dynaplan._isa import choose_level

RunPython = Callable[..., "subprocess.CompletedProcess[str]"]

PACKAGE = Path(dp.__file__).parent
FOLDERS = [Path(folder) for folder in dp.__path__]  # an editable install has its modules elsewhere
LEVELS = ("v2", "v3", "v4", "generic")
MODULES = sorted(
    path
    for folder in FOLDERS
    for name in ("_core*.so", "_select*.so")
    for path in folder.glob(name)
)
# The level of the file that was imported, read from its name: the oracle for what build_info says.
NAMES = {path.name.split(".")[0] for path in MODULES}
BUILT = {name.removeprefix("_core_") for name in NAMES if name.startswith("_core_")}

# A linear system of two states, and a planner big enough to be worth two threads.
SETUP = """
import os, numpy as np, dynaplan as dp
def tasks():
    return len(os.listdir("/proc/self/task"))
def transitions(rows=400, growth=1.0):
    random = np.random.default_rng(0)
    states, actions = random.normal(size=(rows, 2)), random.normal(size=(rows, 1))
    change = np.array([[1.0, 0.1], [0.0, 1.0]]).T
    noise = 1e-3 * random.normal(size=states.shape)
    next_states = growth * (states @ change + actions * [0.0, 0.1] + noise)
    return dp.Transitions(states, actions, next_states)
def plan(model, **settings):
    planner = dp.CEM(horizon=40, candidates=4000, elites=100, iterations=4, **settings)
    reward = dp.rewards.quadratic([1.0, 0.1])
    return planner.plan(model, reward, [1.0, 0.0], action_space=([-1.0], [1.0]), seed=0)
"""
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
needs_openmp = pytest.mark.skipif(not dp.build_info()["openmp"], reason="built without OpenMP")


def test_build_info_tells_the_build() -> None:
    info = dp.build_info()
    assert info["version"] == dp.__version__
    assert info["isa"] == sys.modules["dynaplan._core"].__spec__.name.rpartition("_core_")[2]
    assert set(info["isa_available"]) == BUILT
    assert info["isa"] in BUILT
    assert all(info[key] for key in ("compiler", "eigen"))
    assert isinstance(info["openmp"], bool)
    json.dumps(info)  # a report of a fault or a benchmark holds it as it is


def test_one_version_everywhere() -> None:
    core = _core.build_info()["version"]
    assert dp.__version__ == importlib.metadata.version("dynaplan") == core


def test_the_wheel_holds_types_and_no_headers() -> None:
    origin = json.loads(
        importlib.metadata.distribution("dynaplan").read_text("direct_url.json") or "{}"
    )
    if origin.get("dir_info", {}).get("editable"):
        pytest.skip("an editable install is no wheel")
    files = {Path(str(path)) for path in importlib.metadata.files("dynaplan") or ()}
    inside = {path.name for path in files if path.parts[0] == "dynaplan"}
    assert {"py.typed", "planners.pyi", "__init__.py"} <= inside
    assert {path.name for path in MODULES} <= inside
    sources = {path.name for path in files if path.suffix in {".hpp", ".h", ".cpp", ".a"}}
    assert sources == {"dynaplan_functions.h"}  # what users' C functions include


def stub_names(body: list[ast.stmt]) -> dict[str, ast.stmt]:
    """Public names that a stub declares on one level."""
    names: dict[str, ast.stmt] = {}
    for node in body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            names[node.name] = node
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names[node.target.id] = node
    return {name: node for name, node in names.items() if not name.startswith("__")}


def public(value: Any) -> set[str]:
    """Names of a compiled module or class itself, without Python's own."""
    return {name for name in vars(value) if not name.startswith("__")} - {"_pybind11_conduit_v1_"}


def test_the_stub_names_what_the_module_has() -> None:
    stub: dict[str, ast.stmt] = {}
    for path in (PACKAGE / "_core").glob("[a-z]*.pyi"):
        stub |= stub_names(ast.parse(path.read_text(encoding="utf-8")).body)
    assert set(stub) == public(_core)
    exported = ast.parse((PACKAGE / "_core" / "__init__.pyi").read_text(encoding="utf-8")).body
    imports = [node for node in exported if isinstance(node, ast.ImportFrom)]
    assert {alias.asname for node in imports for alias in node.names} == set(stub)
    for name, node in stub.items():
        if isinstance(node, ast.ClassDef):
            assert set(stub_names(node.body)) == public(getattr(_core, name)), name


@pytest.mark.skipif(
    sys.platform != "linux" or not shutil.which("nm"), reason="needs nm of binutils"
)
@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name.split(".")[0])
def test_a_module_exports_its_init_alone(module: Path) -> None:
    # A second exported symbol binds across modules: a level could call another's code.
    command = ["nm", "-D", "--defined-only", str(module)]
    listing = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    symbols = [line.split()[-1] for line in listing.stdout.splitlines()]
    assert symbols == [f"PyInit_{module.name.split('.')[0]}"]


def test_importing_brings_no_big_package(run_python: RunPython) -> None:
    code = """
import sys, numpy
before = set(sys.modules)
import dynaplan
print(*{name.split(".")[0] for name in set(sys.modules) - before})
"""
    imported = set(run_python(code).stdout.split())
    assert "dynaplan" in imported
    assert imported.isdisjoint(
        {"gymnasium", "rich", "matplotlib", "torch", "scipy", "numba", "jax"}
    )


@pytest.mark.skipif(not shutil.which("env"), reason="needs env")
def test_importing_sets_no_environment_variable(run_python: RunPython) -> None:
    # A child of exec sees the process's own table, which os.environ does not follow.
    code = """
import subprocess, numpy
def table():
    listing = subprocess.run(["env", "-0"], capture_output=True, text=True, check=True).stdout
    return set(listing.split("\\0"))
before = table()
import dynaplan
changed = {entry.partition("=")[0] for entry in table() ^ before}
assert not changed, changed
"""
    run_python(code)


def test_subnormal_numbers_survive_the_import(run_python: RunPython) -> None:
    # Linking with -ffast-math sets flush-to-zero in the whole process.
    code = """
import numpy as np
import dynaplan
half = float("0.5")
assert float("4e-320") * half == float("2e-320") != 0.0
assert np.all(np.full(64, 1e-40, np.float32) * np.float32(half) > 0.0)
"""
    run_python(code)


def test_the_core_knows_nan_and_infinity(run_python: RunPython) -> None:
    # -ffinite-math-only makes isfinite() true for all: diverged candidates would win.
    code = """
model = dp.LinearGaussian.fit(transitions(growth=1e30), target="absolute")
made = plan(model, clip=None)
assert made.stats.non_finite > 0, made.stats
assert made.status == "no_finite_candidate", made.status
for wrong in (np.nan, np.inf):
    try:
        dp.rollout(model, np.array([0.0, wrong]), np.zeros((1, 3, 1)))
    except ValueError as error:
        assert "states" in str(error), error
    else:
        raise AssertionError(wrong)
"""
    run_python(SETUP + code)


def test_eigen_was_built_without_threads() -> None:
    assert dp.build_info()["eigen_threads"] == 1


@on_linux
@needs_openmp
def test_only_threads_that_were_asked_for_are_started(run_python: RunPython) -> None:
    # -fopenmp lets Eigen's large products open regions of their own, whatever `threads` says.
    code = """
random = np.random.default_rng(0)
states, actions = random.normal(size=(3000, 64)), random.normal(size=(3000, 16))
wide, before = dp.Transitions(states, actions, states * 0.9), tasks()
dp.LinearGaussian.fit(wide)
model = dp.LinearGaussian.fit(transitions(rows=20_000), features=dp.Polynomial(3))
plan(model)
dp.rollout(model, np.zeros((4000, 2)), np.zeros((4000, 20, 1)))
dp.evaluate(model, transitions(rows=4000), horizon=2)
assert tasks() == before, (before, tasks())
plan(model, threads=3)
assert tasks() == before + 2, (before, tasks())
"""
    # NumPy's own pool is not what is counted; OpenMP must be free to use more threads than cores.
    settings = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "4", "OMP_DYNAMIC": "false"}
    run_python(SETUP + code, environment=settings)


@on_linux
@needs_openmp
def test_a_fork_after_a_parallel_plan_does_not_hang(run_python: RunPython) -> None:
    # libgomp's pool is not copied by fork: a child that opens a region waits for ever.
    code = """
import signal, sys
model = dp.LinearGaussian.fit(transitions())
before = tasks()
first = plan(model, threads=2)
assert tasks() > before, "the plan was not parallel, so this test shows nothing"
child = os.fork()
if child == 0:
    signal.alarm(30)  # ends the child if it hangs
    again = plan(model, threads=2)
    os._exit(0 if np.array_equal(again.actions, first.actions) else 3)
_, status = os.waitpid(child, 0)
assert status == 0, f"the child ended with status {status} (14 = it hung)"
assert np.array_equal(plan(model, threads=2).actions, first.actions)
"""
    run_python(SETUP + code, timeout=60.0)


def test_the_highest_level_that_runs_is_chosen() -> None:
    built = ["generic", "v2", "v3", "v4"]
    chosen = [choose_level(built, processor, None) for processor in (0, 1, 2, 3, 4)]
    assert chosen == ["generic", "generic", "v2", "v3", "v4"]
    assert choose_level(built, 4, "v2") == "v2"


@pytest.mark.parametrize(
    ("built", "requested", "message"),
    [
        (["v3", "v4"], "v4", "DYNAPLAN_ISA=v4 .* processor has x86-64 level v3 only"),
        (["v2", "v3"], "v5", "DYNAPLAN_ISA=v5 .* holds v2, v3"),
        (["v4"], None, "no build for this processor .*v3.* holds v4"),
    ],
)
def test_a_level_beyond_the_processor_is_refused(
    built: list[str], requested: str | None, message: str
) -> None:
    with pytest.raises(dp.IsaError, match=message):
        choose_level(built, 3, requested)


def test_an_unknown_level_is_refused(run_python: RunPython) -> None:
    child = run_python("import dynaplan", environment={"DYNAPLAN_ISA": "v9"}, check=False)
    last = child.stderr.strip().splitlines()[-1]
    assert child.returncode == 1
    assert "IsaError" in last
    assert "v9" in last
    assert all(level in last for level in BUILT), last


@pytest.mark.parametrize("level", [level for level in LEVELS if level not in BUILT])
def test_a_level_that_was_not_built_is_refused(level: str, run_python: RunPython) -> None:
    code = """
try:
    import dynaplan
except ImportError as error:
    print(type(error).__name__, error)
"""
    shown = run_python(code, environment={"DYNAPLAN_ISA": level}).stdout
    assert shown.startswith("IsaError")
    assert level in shown
    assert all(built in shown for built in BUILT), shown


@pytest.mark.parametrize("level", sorted(BUILT))
def test_a_level_can_be_chosen(level: str, run_python: RunPython) -> None:
    code = "import dynaplan; print(dynaplan.build_info()['isa'])"
    child = run_python(code, environment={"DYNAPLAN_ISA": level}, check=False)
    if child.returncode != 0:  # a processor without it: said so, not a crash
        assert "IsaError" in child.stderr
        assert level in child.stderr
    else:
        assert child.stdout.split() == [level]
