"""Arrows point down the layer table, and what must not be in the sources is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from source_rules import check_tree, folder_of, text_files


def test_the_checkout_keeps_every_rule(repository: Path) -> None:
    findings = check_tree(repository)
    assert not findings, "\n" + "\n".join(map(str, findings))


def test_the_check_reads_the_real_sources(repository: Path) -> None:
    headers = list((repository / "cpp/include/dynaplan").rglob("*.hpp"))
    assert {folder_of(path, repository) for path in headers} >= {"core", "models", "planners"}
    assert "control" in {path.stem for path in (repository / "python/dynaplan").glob("*.py")}
    assert Path(__file__) in list(text_files(repository))


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
        "python/dynaplan/__init__.py": "from dynaplan.models import fit\n",
        "python/dynaplan/errors.py": "",
        "python/dynaplan/transitions.py": "from ._core import load\nfrom .errors import Error\n",
        "python/dynaplan/models.py": "from dynaplan import _core, transitions\n",
        "python/dynaplan/planners.py": "import numpy\nimport dynaplan.models\n",
        "python/dynaplan/control.py": "from dynaplan import planners\n",
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
        ("python/dynaplan/models.py", "\nfrom dynaplan import control", 2, "points up"),
        ("python/dynaplan/models.py", "def f():\n    from .envs import collect", 2, "points up"),
        ("python/dynaplan/errors.py", "import dynaplan.transitions", 1, "points up"),
        ("python/dynaplan/rewards.py", "import dynaplan", 1, "points up"),
        ("python/dynaplan/dyna/pets.py", "from ..cli import main", 1, "points up"),
        (
            "python/dynaplan/models.py",
            "from dynaplan.planners import CEM",
            1,
            "must not know each other",
        ),
        (
            "python/dynaplan/helpers.py",
            "import dynaplan.errors",
            1,
            "'helpers' is not in the layer table",
        ),
        ("python/dynaplan/_arrays.py", "from .models import fit", 1, "points up"),
        ("python/dynaplan/evaluate.py", "from .io import a", 1, "evaluate -> io -> evaluate"),
        ("python/dynaplan/planners.py", "print(1)", 1, "print() in the library"),
    ],
)
def test_a_fault_is_found(tree: Path, path: str, text: str, line: int, rule: str) -> None:
    (tree / path).parent.mkdir(parents=True, exist_ok=True)
    (tree / path).write_text(text, encoding="utf-8")
    if "->" in rule:  # the other half of a cycle, where it is reported
        (tree / "python/dynaplan/io.py").write_text("from .evaluate import b")
        path = "python/dynaplan/io.py"
    found = [str(finding) for finding in check_tree(tree)]
    assert any(f.startswith(f"{path}:{line}: ") and rule in f for f in found), found
