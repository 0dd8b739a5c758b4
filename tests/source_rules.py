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
NETWORKS = CORE | {"networks"}
PARTS = NETWORKS | {"models", "rewards", "terminations"}  # siblings, none of which knows another
CPP_MAY_INCLUDE = {
    "core": set[str](),
    "networks": CORE,
    "environments": CORE,
    "models": NETWORKS,
    "rewards": NETWORKS,
    "terminations": NETWORKS,
    "fit": NETWORKS | {"models"},
    "rollout": PARTS,
    "planners": PARTS | {"fit", "rollout"},
    "agents": PARTS | {"environments", "fit", "rollout"},
}

# Layers of the Python package, lowest first: folders, and the modules of the ground. A module may
# import from its own folder, without cycles, and from lower layers; folders of one layer are
# strangers to each other. A folder's `__init__` is its public face: it may show what any layer
# makes, and nothing inside imports from it.
PYTHON_LAYERS = (
    {
        "_archives",
        "_arrays",
        "_callbacks",
        "_core",
        "_discrete",
        "_disk",
        "_docstrings",
        "_environments",
        "_isa",
        "_recipes",
        "_select",
        "_settings",
        "_spaces",
        "_tables",
        "_texts",
        "_version",
        "_warnings",
        "_wrappers",
        "errors",
        "files",
    },
    {"data", "functions"},
    {"models"},
    {"rewards", "terminations"},
    {"constraints"},
    {"tasks"},
    {"rollouts"},
    {"planners"},
    {"control"},
    {"agents"},
    {"envs"},
    {"loops"},
    {"reports"},
    {"commands"},
    {"__init__", "__main__"},
)

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
    if name.startswith(("Eigen/", "unsupported/Eigen/")) or re.fullmatch(r"[a-z_0-9]+", name):
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
    """Index into PYTHON_LAYERS of a module's whole path, None for one that is not in the table."""
    folder, _, rest = module.partition(".")
    if rest.split(".")[-1] == "__init__":
        return len(PYTHON_LAYERS) - 1
    return next((n for n, names in enumerate(PYTHON_LAYERS) if folder in names), None)


def imported_modules(tree: ast.AST, package: Path, module: str) -> Iterator[tuple[int, str]]:
    """Line and whole path of each module of the package that is imported, at any depth."""

    def path_of(parts: list[str]) -> str:
        """The module that these parts name; a folder means its `__init__`."""
        if parts[:1] in (["_core"], ["_select"]):
            return parts[0]
        is_folder = (package / Path(*parts)).is_dir()
        return ".".join([*parts, "__init__"] if is_folder else parts)

    def is_module(parts: list[str]) -> bool:
        place = package / Path(*parts)
        compiled = parts[0].startswith("_core") or parts == ["_select"]
        return compiled or place.is_dir() or place.with_suffix(".py").is_file()

    inside = module.split(".")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "dynaplan":
                    yield node.lineno, path_of(alias.name.split(".")[1:])
        elif isinstance(node, ast.ImportFrom):
            parts = node.module.split(".") if node.module else []
            if node.level:
                parts = [*inside[: len(inside) - node.level + 1], *parts]
            elif parts[:1] == ["dynaplan"]:
                parts = parts[1:]
            else:
                continue
            for alias in node.names:
                named = [*parts, alias.name]
                yield node.lineno, path_of(named if is_module(named) else parts)


def check_python_arrow(module: str, target: str) -> str | None:
    """The rule that an import of `target` in `module` breaks, if any; both are whole paths."""
    level, target_level = python_layer(module), python_layer(target)
    if level is None:
        return f"module {module!r} is not in the layer table"
    if target_level is None:
        return f"imports {target!r}, which is not in the layer table"
    folder, target_folder = module.split(".", maxsplit=1)[0], target.split(".", maxsplit=1)[0]
    is_face, of_face = module.endswith("__init__"), target.endswith("__init__")
    if (of_face and not is_face and module != "__main__") or target_level > level:
        return f"{module} imports {target}: an arrow that points up"
    ground = 0
    if target_level == level != ground and folder != target_folder and not is_face:
        return f"{module} imports {target}: siblings that must not know each other"
    return None


def check_python(root: Path) -> Iterator[Finding]:
    """Everything that is wrong with the imports of the package, cycles included."""
    package = root / "python/dynaplan"
    arrows: dict[str, dict[str, tuple[str, int]]] = {}
    for path in sorted(package.rglob("*.py")):
        module = ".".join(path.relative_to(package).with_suffix("").parts)
        name = path.relative_to(root).as_posix()
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=name)
        for line, target in imported_modules(tree, package, module):
            arrows.setdefault(module, {}).setdefault(target, (name, line))
            if rule := check_python_arrow(module, target):
                yield Finding(name, line, rule)
        if module.split(".")[0] not in {"commands", "reports", "__main__"}:
            for node in ast.walk(tree):
                called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
                if called in {"print", "exit", "quit", "sys.exit", "os._exit", "os.abort"}:
                    yield Finding(name, node.lineno, f"{called}() in the library")
    yield from find_cycles(arrows)


def names_that_are_gone(root: Path) -> list[str]:
    """The folders and modules of the two layer tables that the checkout does not have."""
    package, headers = root / "python/dynaplan", root / "cpp/include/dynaplan"
    built = {"_core", "_select"}  # made by the compiler
    modules = set[str]().union(*PYTHON_LAYERS) - built
    found = [m for m in modules if not list(package.glob(m)) + list(package.glob(f"{m}.py"))]
    return sorted([*found, *(name for name in CPP_MAY_INCLUDE if not (headers / name).is_dir())])


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
