"""What the documentation shows runs, and every public name is documented in full."""

from __future__ import annotations

import doctest
import enum
import importlib.util
import inspect
import re
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_origin

import numpy as np
import pytest

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


def public_objects() -> Iterator[tuple[str, Any]]:
    """Each public name with its object; a public module gives its own public names as well."""
    for name in dp.__all__:
        value = getattr(dp, name)
        yield name, value
        if isinstance(value, types.ModuleType):
            yield from ((f"{name}.{inner}", getattr(value, inner)) for inner in value.__all__)


def is_alias(value: Any) -> bool:
    """Whether a public name is a constant or an alias of types, which carry no docstring."""
    is_constant = isinstance(value, (str, int, float, tuple))
    return is_constant or isinstance(value, types.UnionType) or get_origin(value) is not None


def public_methods(cls: type) -> Iterator[tuple[str, Any]]:
    """The methods and properties that the package itself defines on a class or its bases."""
    for base in cls.__mro__:
        if not base.__module__.startswith("dynaplan"):
            continue
        for name, member in vars(base).items():
            is_method = isinstance(
                member, (types.FunctionType, classmethod, staticmethod, property)
            )
            if is_method and not name.startswith("_"):
                yield name, member


HAS_NUMBA = importlib.util.find_spec("numba") is not None
OBJECTS = {name: value for name, value in public_objects() if not is_alias(value)}
# What the docstring says of a class that users get from a function or from its class method `fit`.
MADE_ELSEWHERE = re.compile(r"\b[Mm]ade by `|\b[Uu]se `\w+\.fit`")
CALLABLES: dict[str, Callable[..., Any]] = {}
for _name, _value in OBJECTS.items():
    if inspect.isclass(_value):
        is_made_here = not MADE_ELSEWHERE.search(inspect.getdoc(_value) or "")
        if is_made_here and not issubclass(_value, (BaseException, enum.Enum)):
            CALLABLES[_name] = _value
        for _method, _member in public_methods(_value):
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
        bare = [n for n, m in public_methods(value) if not inspect.getdoc(getattr(value, n, m))]
        assert not bare, f"{name}: without a docstring: {', '.join(bare)}"


@pytest.mark.parametrize("name", OBJECTS)
def test_docstring_examples_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    finder = doctest.DocTestFinder(recurse=not isinstance(OBJECTS[name], types.ModuleType))
    for examples in finder.find(OBJECTS[name], name, module=False, globs={"dp": dp, "np": np}):
        needs_numba = any("from_numba(" in example.source for example in examples.examples)
        if examples.examples and (HAS_NUMBA or not needs_numba):
            run_examples(examples)


def documented_parameters(
    docstring: str, sections: tuple[str, ...] = ("Args", "Attributes")
) -> set[str]:
    """The names that the sections of a Google docstring describe; `a, b: both` describes two."""
    names: set[str] = set()
    inside, indent = False, None
    for line in inspect.cleandoc(docstring).splitlines():
        if heading := re.match(r"(\w[\w ]*):\s*$", line):
            inside, indent = heading[1] in sections, None
        elif inside and line.strip():
            depth = len(line) - len(line.lstrip())
            indent = depth if indent is None else indent
            entry = re.match(r"\s*((?:\*{0,2}\w+(?:, )?)+)\s*(?:\([^)]*\))?:\s*\S", line)
            if depth == 0:
                inside = False
            elif depth == indent and entry:
                names.update(part.strip().lstrip("*") for part in entry[1].split(","))
    return names


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


def signature_text(name: str) -> str:
    """A callable as the reference writes it: names and defaults, without annotations."""
    shown: list[str] = []
    for parameter in inspect.signature(CALLABLES[name]).parameters.values():
        if parameter.name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in shown:
            shown.append("*")
        is_needed = parameter.default is parameter.empty
        shown.append(parameter.name + ("" if is_needed else f"={parameter.default!r}"))
    return f"{name}({', '.join(shown)})"


def test_the_reference_has_every_name_and_signature() -> None:
    pages = sorted((ROOT / "docs/reference").glob("*.md"))
    page = "\n".join(path.read_text(encoding="utf-8") for path in pages)
    names = [name for name, value in public_objects() if not inspect.ismodule(value)]
    lacking = [name for name in names if not re.search(rf"`{re.escape(name)}\b", page)]
    for name in CALLABLES:
        owner = name.rpartition(".")[0]
        # A method stands in the table of its class as `.name(...)`, a function under its own name.
        text = signature_text(name).removeprefix(
            owner if inspect.isclass(OBJECTS.get(owner)) else ""
        )
        if f"`{text}`" not in page:
            lacking.append(text)
    assert not lacking, "docs/reference/ lacks " + ", ".join(lacking)


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
