"""Arrows point down the layer table, and what must not be in the sources is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from source_rules import check_tree, folder_of, names_that_are_gone, text_files


def test_the_checkout_keeps_every_rule(repository: Path) -> None:
    findings = check_tree(repository)
    assert not findings, "\n" + "\n".join(map(str, findings))


def test_the_check_reads_the_real_sources(repository: Path) -> None:
    headers = list((repository / "cpp/include/dynaplan").rglob("*.hpp"))
    assert {folder_of(path, repository) for path in headers} >= {"core", "models", "planners"}
    assert (repository / "python/dynaplan/control/mpc.py").is_file()
    assert Path(__file__) in list(text_files(repository))


def test_the_layer_tables_know_no_folder_that_is_gone(repository: Path) -> None:
    assert names_that_are_gone(repository) == []


MODEL = "python/dynaplan/models/linear.py"
TERMS = "python/dynaplan/rewards/terms.py"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small tree without a fault."""
    block = '#include "dynaplan/core/block.hpp"\n'
    files = {
        "cpp/include/dynaplan/core/block.hpp": "#include <vector>\n#include <Eigen/Core>\n",
        "cpp/include/dynaplan/models/linear.hpp": block,
        "cpp/include/dynaplan/rewards/sum.hpp": block,
        "cpp/include/dynaplan/rollout/rollout.hpp": '#include "dynaplan/models/linear.hpp"\n',
        "cpp/src/core/parallel.cpp": "#include <omp.h>\n#pragma omp parallel for\n",
        "cpp/src/planners/cem.cpp": '// exit(1)\nconst char* a = "abort()";\nint b = 1\'000;\n',
        "cpp/bindings/module.cpp": f"#include <pybind11/pybind11.h>\n{block}",
        "python/dynaplan/__init__.py": "from dynaplan.models.linear import fit\n",
        "python/dynaplan/errors.py": "",
        "python/dynaplan/files.py": "",
        "python/dynaplan/data/__init__.py": "",
        "python/dynaplan/data/rows.py": "from .._core import load\nfrom ..errors import Error\n",
        "python/dynaplan/functions/__init__.py": "",
        "python/dynaplan/models/__init__.py": "",
        "python/dynaplan/models/linear.py": "from dynaplan import _core\nfrom ..data import rows\n",
        "python/dynaplan/rewards/__init__.py": "from dynaplan.tasks.rewards import for_env\n",
        "python/dynaplan/rewards/terms.py": "import numpy\n",
        "python/dynaplan/tasks/rewards.py": "from dynaplan.rewards.terms import Term\n",
        "python/dynaplan/planners/cem.py": "import dynaplan.models.linear\n",
        "python/dynaplan/control/mpc.py": "from dynaplan.planners import cem\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_good_tree_has_no_finding(tree: Path) -> None:
    assert check_tree(tree) == []


@pytest.mark.parametrize(
    ("path", "text", "line", "rule"),
    [
        (
            "cpp/src/core/a.cpp",
            '\n#include "dynaplan/models/linear.hpp"',
            2,
            "core may not know models",
        ),
        (
            "cpp/src/models/a.cpp",
            '#include "dynaplan/rewards/sum.hpp"',
            1,
            "models may not know rewards",
        ),
        (
            "cpp/src/networks/a.cpp",
            '#include "dynaplan/models/linear.hpp"',
            1,
            "networks may not know models",
        ),
        (
            "cpp/src/rewards/a.cpp",
            "#include <dynaplan/models/linear.hpp>",
            1,
            "may not know models",
        ),
        (
            "cpp/src/fit/a.cpp",
            '#include "../../include/dynaplan/rewards/sum.hpp"',
            1,
            "may not know rewards",
        ),
        (
            "cpp/src/fit/a.cpp",
            '#include "dynaplan/rollout/rollout.hpp"',
            1,
            "fit may not know rollout",
        ),
        ("cpp/src/fit/a.cpp", '#include "dynaplan/models/gone.hpp"', 1, "does not exist"),
        ("cpp/src/planners/a.cpp", "#include <pybind11/pybind11.h>", 1, "cpp/bindings alone"),
        ("cpp/src/planners/a.cpp", "#include <Python.h>", 1, "cpp/bindings alone"),
        (
            "cpp/src/planners/a.cpp",
            "#include <boost/any.hpp>",
            1,
            "standard library and Eigen only",
        ),
        ("cpp/src/planners/a.cpp", "#include <omp.h>", 1, "core/parallel alone"),
        (
            "cpp/src/rollout/a.cpp",
            "/* x\n*/\n  #pragma omp simd",
            3,
            "pragma outside core/parallel",
        ),
        (
            "cpp/include/dynaplan/core/a.hpp",
            "using namespace Eigen;",
            1,
            "using namespace in a header",
        ),
        ("cpp/include/dynaplan/misc/a.hpp", "", 1, "'misc' is not in the layer table"),
        ("cpp/include/dynaplan/all.hpp", "", 1, "not in the layer table"),
        ("cpp/src/core/a.cpp", "#include <iostream>", 1, "printing"),
        ("cpp/src/core/a.cpp", 'void f() { std::printf("%d", 1); }', 1, "printing"),
        ("cpp/bindings/a.cpp", "void f() { std::abort(); }", 1, "abort or exit"),
        ("cpp/src/core/a.cpp", "auto x = Matrix::Random(2, 2);", 1, "global random numbers"),
        ("cpp/src/core/a.cpp", "// \u03b1", 1, "not ASCII"),
        ("cpp/src/core/a.cpp", "\n" * 401, 401, "401 lines"),
        ("docs/guide/a.md", "\n" * 401, 401, "401 lines"),
        (MODEL, "\nfrom dynaplan.control import mpc", 2, "points up"),
        (MODEL, "def f():\n    from ..control.mpc import MPC", 2, "points up"),
        (MODEL, "from dynaplan.planners import cem", 1, "points up"),
        ("python/dynaplan/errors.py", "import dynaplan.data.rows", 1, "points up"),
        (TERMS, "import dynaplan", 1, "points up"),
        (TERMS, "from dynaplan.tasks.rewards import for_env", 1, "points up"),
        ("python/dynaplan/control/a.py", "from dynaplan import rewards", 1, "points up"),
        ("python/dynaplan/loops/pets.py", "from ..commands.cli import main", 1, "points up"),
        ("python/dynaplan/terminations/a.py", "from ..rewards.terms import Term", 1, "siblings"),
        ("python/dynaplan/functions/a.py", "from dynaplan.data import rows", 1, "siblings"),
        ("python/dynaplan/helpers/a.py", "import dynaplan.errors", 1, "not in the layer table"),
        ("python/dynaplan/helpers.py", "import dynaplan.errors", 1, "not in the layer table"),
        ("python/dynaplan/_arrays.py", "from .models.linear import fit", 1, "points up"),
        ("python/dynaplan/planners/cem.py", "print(1)", 1, "print() in the library"),
    ],
)
def test_a_fault_is_found(tree: Path, path: str, text: str, line: int, rule: str) -> None:
    (tree / path).parent.mkdir(parents=True, exist_ok=True)
    (tree / path).write_text(text, encoding="utf-8")
    found = [str(finding) for finding in check_tree(tree)]
    assert any(f.startswith(f"{path}:{line}: ") and rule in f for f in found), found


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("errors", "files"),
        ("models/a", "models/b"),
        ("models/networks/a", "models/linear/a"),
    ],
)
def test_a_cycle_is_found_within_a_folder_and_across_its_parts(
    tree: Path, first: str, second: str
) -> None:
    for name, other in ((first, second), (second, first)):
        path = tree / f"python/dynaplan/{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"if TYPE_CHECKING:\n    import dynaplan.{other.replace('/', '.')}")
    found = [str(finding) for finding in check_tree(tree)]
    assert any("a cycle of imports" in finding for finding in found), found
