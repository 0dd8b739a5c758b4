"""The layer table in code: arrows point down only, and what must not be in the sources is not.

The checks read text alone and need neither a compiler nor the installed package. `test_layers.py`
runs them on the checkout and on small trees with one fault each.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MAX_LINES = 400
CPP_SUFFIXES = {".cpp", ".h", ".hpp"}
TEXT_SUFFIXES = CPP_SUFFIXES | {".cmake", ".map", ".md", ".py", ".pyi", ".sh", ".toml", ".txt", ""}

# What each folder of the C++ core may include besides itself. A folder that is not here is a fault.
CORE = {"core"}
PARTS = CORE | {"data", "models", "rewards", "terminations"}  # siblings of L1, each on core alone
CPP_MAY_INCLUDE = {
    "core": set[str](),
    "data": CORE,
    "environments": CORE,
    "models": CORE,
    "rewards": CORE,
    "terminations": CORE,
    "fit": CORE | {"data", "models"},
    "io": CORE | {"models"},
    "rollout": CORE | {"models", "rewards", "terminations"},
    "planners": PARTS | {"fit", "rollout"},
    "agents": PARTS | {"environments", "fit", "rollout"},
}

# Layers of the Python package, lowest first. A module may import from its own layer, without
# cycles, and from lower ones. A module with a leading underscore that is not named is of the
# lowest layer.
PYTHON_LAYERS = (
    {"_core", "_select", "_version", "errors", "signatures"},
    {"agents", "evaluate", "explanation", "features", "imagination", "io", "known_ground"}
    | {"limits", "models", "planners", "recursive", "rewards", "risk", "rollouts", "terminations"}
    | {"trajectory_score", "transitions"},
    {"control", "control_course", "dyna", "envs", "imagined_env", "mazes", "sb3", "tuning"},
    {"cli", "command", "distributed", "mbpo_command", "pets_job", "report"},
    {"__init__", "__main__"},
)
# Siblings that must not know each other although they share a layer.
PYTHON_STRANGERS = {
    "io": {"features", "models", "recursive", "rewards", "terminations", "transitions"}
    | {"planners", "rollouts", "evaluate", "agents"},
    "features": {"models", "recursive", "rewards", "terminations"},
    "models": {"rewards", "terminations", "planners", "rollouts", "evaluate", "agents"},
    "rewards": {
        "models",
        "recursive",
        "terminations",
        "planners",
        "rollouts",
        "evaluate",
        "agents",
    },
    "terminations": {
        "models",
        "recursive",
        "rewards",
        "planners",
        "rollouts",
        "evaluate",
        "agents",
    },
    "rollouts": {"planners", "agents"},
    "transitions": {"models", "recursive", "planners", "rollouts", "evaluate", "agents"},
}

CPP_FORBIDDEN = (
    (r"\bstd::(cout|cerr|clog)\b|\b(f|v|s|sn)?printf\s*\(|\b(f?puts|putchar)\s*\(", "printing"),
    (r"#\s*include\s*<(iostream|cstdio|stdio\.h|print)>", "printing"),
    (r"(?<![\w.>])(std::|::)?(abort|exit|_exit|_Exit|quick_exit|terminate)\s*\(", "abort or exit"),
    (r"\.setRandom\s*\(|::Random\s*\(|(?<![\w.>])(std::)?s?rand\s*\(", "global random numbers"),
)


@dataclass(frozen=True)
class Finding:
    """One broken rule."""

    path: str
    line: int
    rule: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}"


def blank_comments_and_strings(source: str) -> str:
    """Replaces comments and literals by spaces; lines and the paths of includes stay in place."""
    # An include's path is matched first and kept; raw strings before plain ones.
    tokens = re.compile(
        r'(?P<keep>^[ \t]*#[ \t]*include[ \t]*"[^"\n]*")'
        r'|//[^\n]*|/\*.*?\*/|R"(?P<tag>[^()\s]*)\(.*?\)(?P=tag)"'
        r'|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'',
        re.DOTALL | re.MULTILINE,
    )

    def blank(match: re.Match[str]) -> str:
        return match["keep"] or re.sub(r"[^\n]", " ", match[0])

    # A quote between digits groups them and opens no literal.
    return tokens.sub(blank, re.sub(r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])", " ", source))


def folder_of(path: Path, root: Path) -> str | None:
    """The folder of a C++ file in the layer table, "bindings", or None outside the library."""
    for base in ("cpp/include/dynaplan", "cpp/src", "cpp"):
        if (root / base) in path.parents:
            first, *rest = path.relative_to(root / base).parts
            return first if rest else ""
    return None


def resolve_include(name: str, path: Path, root: Path) -> Path | None:
    """The file of the project that `#include "name"` or `<name>` means, None for anything else."""
    for candidate in (path.parent / name, root / "cpp/include" / name):
        if candidate.is_file():
            return candidate.resolve()
    return None


def check_outside_include(name: str, path: Path, folder: str | None) -> str | None:
    """The rule that the `#include` of a header of someone else breaks, if any."""
    if name == "Python.h" or name.startswith(("pybind11/", "nanobind/", "numpy/")):
        return f"includes {name}: Python belongs to cpp/bindings alone"
    if name == "omp.h":
        inside = (folder, path.stem) == ("core", "parallel")
        return None if inside else "includes omp.h: OpenMP belongs to core/parallel alone"
    if name.startswith("dynaplan/"):
        return f"includes {name}, which does not exist"
    if name.startswith("Eigen/") or re.fullmatch(r"[a-z_0-9]+", name):
        return None
    return f"includes {name}: the core knows the standard library and Eigen only"


def check_include(name: str, path: Path, root: Path) -> str | None:
    """The rule that one `#include` breaks, if any."""
    folder = folder_of(path, root)
    if folder == "bindings":
        return None
    target = resolve_include(name, path, root)
    if target is None:
        return check_outside_include(name, path, folder)
    target_folder = folder_of(target, root.resolve())
    if target_folder == folder or target_folder in CPP_MAY_INCLUDE.get(folder or "", set()):
        return None
    return f"{folder} includes {name}: {folder} may not know {target_folder or 'that file'}"


def check_cpp_file(path: Path, root: Path) -> Iterator[tuple[int, str]]:
    """Line and rule of everything that is wrong with one C++ file of the library."""
    folder = folder_of(path, root)
    if folder == "cmake":  # programs that CMake runs to learn about the machine print their answer
        return
    if folder not in CPP_MAY_INCLUDE and folder != "bindings":
        yield 1, f"folder {folder or '(none)'!r} is not in the layer table"
        return
    text = blank_comments_and_strings(path.read_text(encoding="utf-8"))
    for number, line in enumerate(text.splitlines(), start=1):
        include = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
        if include and (rule := check_include(include[1], path, root)):
            yield number, rule
        if re.match(r"\s*#\s*pragma\s+omp\b", line) and (folder, path.stem) != ("core", "parallel"):
            yield number, "an OpenMP pragma outside core/parallel"
        if path.suffix in {".hpp", ".h"} and re.search(r"\busing\s+namespace\b", line):
            yield number, "using namespace in a header"
        for pattern, what in CPP_FORBIDDEN:
            if re.search(pattern, line):
                yield number, f"{what} in the library"


def python_layer(module: str) -> int | None:
    """Index into PYTHON_LAYERS, None for a module that is not in the table."""
    for level, names in enumerate(PYTHON_LAYERS):
        if module in names:
            return level
    return 0 if module.startswith("_") else None


def imported_modules(
    tree: ast.AST, package: Path, inside: tuple[str, ...]
) -> Iterator[tuple[int, str]]:
    """Line and name of each module of the package that is imported, at any depth of nesting."""

    def module_of(name: str) -> str:
        """The module that `from dynaplan import name` reads: a module's own name or `__init__`."""
        compiled = name.startswith("_core") or name == "_select"
        is_module = compiled or (package / name).is_dir() or (package / f"{name}.py").is_file()
        return name if is_module else "__init__"

    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "dynaplan":
                    yield node.lineno, [*alias.name.split("."), "__init__"][1]
        elif isinstance(node, ast.ImportFrom):
            parts = node.module.split(".") if node.module else []
            if node.level:
                parts = [*inside[: len(inside) - node.level + 1], *parts]
            elif parts[:1] == ["dynaplan"]:
                parts = parts[1:]
            else:
                continue
            if parts:
                yield node.lineno, parts[0]
            else:
                yield from ((node.lineno, module_of(alias.name)) for alias in node.names)


def check_python_arrow(module: str, target: str) -> str | None:
    """The rule that an import of `target` in `module` breaks, if any."""
    level, target_level = python_layer(module), python_layer(target)
    if level is None:
        return f"module {module!r} is not in the layer table"
    if target_level is None:
        return f"imports {target!r}, which is not in the layer table"
    if target_level > level:
        return f"{module} imports {target}: an arrow that points up"
    if target in PYTHON_STRANGERS.get(module, set()):
        return f"{module} imports {target}: siblings that must not know each other"
    return None


def check_python(root: Path) -> Iterator[Finding]:
    """Everything that is wrong with the imports of the package, cycles included."""
    package = root / "python/dynaplan"
    arrows: dict[str, dict[str, tuple[str, int]]] = {}
    for path in sorted(package.rglob("*.py")):
        inside = path.relative_to(package).with_suffix("").parts
        module, name = inside[0], path.relative_to(root).as_posix()
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=name)
        for line, target in imported_modules(tree, package, inside[:-1]):
            if target == module:
                continue
            arrows.setdefault(module, {}).setdefault(target, (name, line))
            if rule := check_python_arrow(module, target):
                yield Finding(name, line, rule)
        if module not in {"cli", "report", "__main__"}:
            for node in ast.walk(tree):
                called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
                if called in {"print", "exit", "quit", "sys.exit", "os._exit", "os.abort"}:
                    yield Finding(name, node.lineno, f"{called}() in the library")
    yield from find_cycles(arrows)


def find_cycles(arrows: dict[str, dict[str, tuple[str, int]]]) -> Iterator[Finding]:
    """One finding for each import that closes a cycle."""
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> Iterator[Finding]:
        for target, (name, line) in arrows.get(module, {}).items():
            if target in trail:
                cycle = " -> ".join([*trail[trail.index(target) :], target])
                yield Finding(name, line, f"a cycle of imports: {cycle}")
            elif target not in done:
                yield from visit(target, (*trail, target))
        done.add(module)

    for module in sorted(arrows):
        if module not in done:
            yield from visit(module, (module,))


def text_files(root: Path) -> Iterator[Path]:
    """Every source and page of the checkout, not what is built or installed into it."""
    folders = (".ci", "bench", "cpp", "docs", "examples", "python", "tests")
    inside = (path for folder in folders for path in sorted((root / folder).rglob("*")))
    for path in (*sorted(root.glob("*")), *inside):
        # The change log and the record of the benchmarks grow for ever and are not read from top to
        # bottom.
        grows = path.name in {"CHANGELOG.md", "RESULTS.md"}
        is_text = path.suffix in TEXT_SUFFIXES and not grows
        if is_text and "__pycache__" not in path.parts and path.is_file():
            yield path


def check_text(root: Path) -> Iterator[Finding]:
    """File lengths, and plain ASCII in what compilers read."""
    for path in text_files(root):
        name = path.relative_to(root).as_posix()
        lines = path.read_bytes().splitlines()
        if len(lines) > MAX_LINES:
            rule = f"{len(lines)} lines, at most {MAX_LINES}: split it by meaning"
            yield Finding(name, MAX_LINES + 1, rule)
        if path.suffix in CPP_SUFFIXES | {".cmake", ".map"} or path.name == "CMakeLists.txt":
            odd = (number for number, line in enumerate(lines, start=1) if not line.isascii())
            yield from (Finding(name, number, "not ASCII") for number in odd)


def check_cpp(root: Path) -> Iterator[Finding]:
    """Everything that is wrong with the C++ library and its bindings."""
    for path in sorted((root / "cpp").rglob("*")):
        if path.suffix in CPP_SUFFIXES:
            name = path.relative_to(root).as_posix()
            yield from (Finding(name, line, rule) for line, rule in check_cpp_file(path, root))


def check_tree(root: Path) -> list[Finding]:
    """All findings for the checkout at `root`."""
    return [*check_cpp(root), *check_python(root), *check_text(root)]
