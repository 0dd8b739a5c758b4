"""What the documentation shows runs, and every public name is documented in full."""

from __future__ import annotations

import doctest
import enum
import importlib.util
import inspect
import re
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from docs import make_reference
from docs.make_reference import is_alias, public_members, public_objects

import dynaplan as dp

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
DOCTEST_OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Block:
    """One fenced block of Python in a page; `line` is that of its first line of code."""

    line: int
    code: str
    runs: bool


def python_blocks(page: str) -> list[Block]:
    """The ```python blocks of a page; those fenced as ```python no-run are only compiled."""
    fence = re.compile(
        r"^```python[ \t]*(?P<mark>[^\n]*)\n(?P<code>.*?)^```[ \t]*$", re.DOTALL | re.M
    )
    return [
        Block(
            page.count("\n", 0, found.start("code")) + 1, found["code"], found["mark"] != "no-run"
        )
        for found in fence.finditer(page)
    ]


def run_examples(examples: doctest.DocTest) -> None:
    """Runs `>>>` examples; fails with doctest's own report."""
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=DOCTEST_OPTIONS)
    runner.run(examples, out=report.append)
    assert runner.failures == 0, "".join(report)


def run_page(path: Path) -> None:
    """Runs the blocks of a page from top to bottom in one namespace, as a reader would."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in python_blocks(path.read_text(encoding="utf-8")):
        if block.code.lstrip().startswith(">>>"):
            parser = doctest.DocTestParser()
            run_examples(
                parser.get_doctest(block.code, names, path.name, str(path), block.line - 1)
            )
            continue
        # Empty lines before the code make a traceback show the line of the page.
        code = compile("\n" * (block.line - 1) + block.code, str(path), "exec")
        if block.runs:
            exec(code, names)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
@pytest.mark.timeout(300)
def test_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_page(page)


def test_the_readme_shows_code() -> None:
    blocks = python_blocks((ROOT / "README.md").read_text(encoding="utf-8"))
    assert any(block.runs for block in blocks)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("```python\nx = 1\n```\n```python\nassert x == 2\n```", AssertionError),
        ("```python no-run\ndef\n```", SyntaxError),
        ("```python\n>>> 1 + 1\n3\n```", AssertionError),
    ],
)
def test_a_wrong_page_fails(tmp_path: Path, text: str, error: type[Exception]) -> None:
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    with pytest.raises(error):
        run_page(page)


HAS_NUMBA = importlib.util.find_spec("numba") is not None
OBJECTS = {name: value for name, value in public_objects() if not is_alias(value)}
CALLABLES: dict[str, Callable[..., Any]] = {}
for _name, _value in OBJECTS.items():
    if inspect.isclass(_value):
        is_made_here = not make_reference.is_made_elsewhere(_value)
        if is_made_here and not issubclass(_value, (BaseException, enum.Enum)):
            CALLABLES[_name] = _value
        for _method, _member in public_members(_value):
            if not isinstance(_member, property):
                CALLABLES[f"{_name}.{_method}"] = getattr(_value, _method)
    elif inspect.isroutine(_value):
        CALLABLES[_name] = _value


@pytest.mark.parametrize("name", OBJECTS)
def test_public_name_is_documented(name: str) -> None:
    value = OBJECTS[name]
    first = (inspect.getdoc(value) or "").partition("\n")[0]
    assert first.endswith("."), f"{name}: the docstring must open with one sentence, got {first!r}"
    if inspect.isclass(value):
        bare = [n for n, m in public_members(value) if not inspect.getdoc(getattr(value, n, m))]
        assert not bare, f"{name}: without a docstring: {', '.join(bare)}"


@pytest.mark.parametrize("name", OBJECTS)
def test_docstring_examples_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    finder = doctest.DocTestFinder(recurse=not isinstance(OBJECTS[name], types.ModuleType))
    for examples in finder.find(OBJECTS[name], name, module=False, globs={"dp": dp, "np": np}):
        compiling = ("from_numba(", "CompiledModel.from_equations(")
        needs_numba = any(
            call in example.source for example in examples.examples for call in compiling
        )
        if examples.examples and (HAS_NUMBA or not needs_numba):
            run_examples(examples)


def documented_parameters(
    docstring: str, sections: tuple[str, ...] = ("Args", "Attributes")
) -> set[str]:
    """The names that the sections of a Google docstring describe; `a, b: both` describes two."""
    return set(make_reference.documented(docstring, sections))


def parameters(function: Callable[..., Any]) -> set[str]:
    """The public parameters of a function, method or class."""
    return {
        name
        for name in inspect.signature(function).parameters
        if name not in {"self", "cls"} and not name.startswith("_")
    }


@pytest.mark.parametrize("name", CALLABLES)
def test_every_parameter_is_documented(name: str) -> None:
    function = CALLABLES[name]
    docstring = inspect.getdoc(function) or ""
    wanted = parameters(function)
    missing = wanted - documented_parameters(docstring)
    assert not missing, f"{name}: Args: lacks {', '.join(sorted(missing))}"
    surplus = documented_parameters(docstring, ("Args",)) - wanted
    assert not surplus, f"{name}: Args: describes {', '.join(sorted(surplus))}, not a parameter"


def test_the_reference_is_what_the_signatures_say() -> None:
    stale = [
        path.name
        for path, text in make_reference.rebuilt_pages().items()
        if path.read_text(encoding="utf-8") != text
    ]
    assert not stale, f"{', '.join(stale)}: out of date; run `python docs/make_reference.py`"


def test_the_generator_keeps_prose_and_drops_what_is_gone() -> None:
    page = "Before.\n<!-- reference table: Error, Gone -->\nold\n<!-- end -->\nAfter.\n"
    table = (
        "| | |\n| --- | --- |\n| `Error(Exception)` | Base class of the errors that only dynaplan"
    )
    built = make_reference.rebuilt(page)
    assert built.startswith("Before.\n<!-- reference table: Error -->\n" + table)
    assert built.endswith("<!-- end -->\nAfter.\n")
    assert make_reference.rebuilt("<!-- reference: Gone -->\nold\n<!-- end -->\n") == ""


def test_the_generator_writes_defaults_as_a_reader_would() -> None:
    def function(self, a, *, dtype=np.float64, share=1.0 / 3.0, **more):
        pass

    text = make_reference.signature_text(function)
    assert text == "(a, *, dtype=np.float64, share=0.3333, **more)"


def named_paths(page: str) -> list[str]:
    """The paths that a page names: those in backticks, and those of its trees of folders."""
    paths = [path for path in re.findall(r"`([\w.<>/-]+)`", page) if "/" in path]
    for tree in re.findall(r"^```text\n(.*?)^```", page, re.DOTALL | re.M):
        parents: list[tuple[int, str]] = []
        for line in tree.splitlines():
            entry = re.match(r"( *)([\w./-]+)(?:  |$)", line)
            if entry:
                depth = len(entry[1])
                parents = [(other, name) for other, name in parents if other < depth]
                paths.append("".join(name for _, name in parents) + entry[2])
                parents.append((depth, entry[2]))
    return paths


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "docs/extending.md"])
def test_every_path_that_a_page_names_exists(page: str) -> None:
    paths = named_paths((ROOT / page).read_text(encoding="utf-8"))
    assert len(paths) > 20
    gone = [path for path in paths if not list(ROOT.glob(re.sub(r"<\w+>", "*", path)))]
    assert not gone, f"{page}: no such file: {', '.join(gone)}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    inside = [target for target in targets if "://" not in target]
    broken = [target for target in inside if not (page.parent / target).exists()]
    assert not broken, f"{page.name}: broken links: {', '.join(broken)}"


@pytest.mark.parametrize("folder", ["python/dynaplan", "cpp/include/dynaplan"])
def test_the_tree_has_every_folder(folder: str) -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    shown = {path.rstrip("/") for path in named_paths(page)}
    folders = [path for path in (ROOT / folder).iterdir() if path.is_dir()]
    lacking = [path.name for path in folders if path.relative_to(ROOT).as_posix() not in shown]
    own = [name for name in lacking if name not in {"__pycache__"}]
    assert not own, f"ARCHITECTURE.md: the tree lacks {', '.join(own)}"


def test_a_missing_parameter_is_noticed() -> None:
    docstring = """Does.

    Args:
        first: one
            with_more: words
        second, third (int): two: more

    Returns:
        fourth: no parameter
    """
    assert documented_parameters(docstring) == {"first", "second", "third"}
