"""Rebuilds the signatures and tables of docs/reference/ from the package's public objects.

    python docs/make_reference.py            # rewrites the pages
    python docs/make_reference.py --check    # fails where a page differs

A page is prose with generated blocks between. The comment that opens a block names what it shows:

    <!-- reference: ILQR -->                 one class or function: heading, sentence, members
    <!-- reference: ICEM like CEM -->        the same, without the members that CEM has as well
    <!-- reference table: Error, ShapeError --> one row each
    <!-- end -->

Blocks of public names that are gone are dropped; new names are added to the end of the page of
their folder, to be moved by hand to where they read best. A block whose optional package is not
installed stays as it is.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_origin

import dynaplan as dp

FOLDER = Path(__file__).resolve().parent / "reference"
BLOCK = re.compile(
    r"<!-- reference(?P<table> table)?: (?P<names>.*?) -->\n(?P<text>.*?)<!-- end -->\n?", re.DOTALL
)
# The page to which a new name is added, by the folder that defines it.
PAGES = {
    "data": "data.md",
    "models": "models.md",
    "rollouts": "rewards.md",
    "reports": "data.md",
    "rewards": "rewards.md",
    "terminations": "rewards.md",
    "constraints": "rewards.md",
    "tasks": "rewards.md",
    "functions": "rewards.md",
    "planners": "planning.md",
    "control": "planning.md",
    "agents": "agents.md",
    "envs": "agents.md",
}
OTHER_PAGE = "loops.md"
# What the docstring says of a class that users get from a function or from its class method `fit`.
MADE_ELSEWHERE = re.compile(r"\b[Mm]ade by `|\b[Uu]se `\w+\.fit`")
ENTRY = re.compile(r"((?:\*{0,2}\w+(?:, )?)+)\s*(?:\([^)]*\))?:\s*(\S.*)")


def public_objects() -> Iterator[tuple[str, Any]]:
    """Each public name with its object; a public module gives its own public names as well."""
    for name in dp.__all__:
        value = getattr(dp, name)
        yield name, value
        if isinstance(value, types.ModuleType):
            yield from ((f"{name}.{inner}", getattr(value, inner)) for inner in value.__all__)


def is_alias(value: Any) -> bool:
    """Whether a public name is a constant or an alias of types, which carry no docstring."""
    is_constant = not callable(value) and not inspect.ismodule(value)
    return is_constant or isinstance(value, types.UnionType) or get_origin(value) is not None


def public_members(cls: type) -> Iterator[tuple[str, Any]]:
    """The methods and properties that the package itself defines on a class or its bases."""
    seen: set[str] = set()
    for base in cls.__mro__:
        if not base.__module__.startswith("dynaplan"):
            continue
        for name, member in vars(base).items():
            kinds = (types.FunctionType, classmethod, staticmethod, property)
            if isinstance(member, kinds) and not name.startswith("_") and name not in seen:
                seen.add(name)
                yield name, member


def is_made_elsewhere(cls: type) -> bool:
    """Whether users never call a class: an interface, or one made by a function or by `fit`."""
    is_interface = inspect.isabstract(cls) or getattr(cls, "_is_protocol", False)
    return is_interface or bool(MADE_ELSEWHERE.search(inspect.getdoc(cls) or ""))


def documented(docstring: str, sections: tuple[str, ...]) -> dict[str, str]:
    """Name and description of what these sections of a Google docstring describe."""
    entries: dict[str, str] = {}
    inside, indent, names = False, 0, list[str]()
    for line in inspect.cleandoc(docstring).splitlines():
        depth = len(line) - len(line.lstrip())
        if heading := re.match(r"(\w[\w ]*):\s*$", line):
            inside, indent, names = heading[1] in sections, 0, []
        elif inside and line.strip():
            indent = indent or depth
            if depth == 0:
                inside = False
            elif depth == indent and (entry := ENTRY.match(line.strip())):
                names = [part.strip().lstrip("*") for part in entry[1].split(",")]
                entries.update(dict.fromkeys(names, entry[2]))
            elif depth > indent:
                entries.update({name: f"{entries[name]} {line.strip()}" for name in names})
    return entries


def signature_text(function: Any) -> str:
    """The parameters of a callable as the reference writes them: names and defaults."""
    shown: list[str] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in shown:
            shown.append("*")
        stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}
        is_needed = parameter.default is parameter.empty
        default = "" if is_needed else f"={default_text(parameter.default)}"
        shown.append(stars.get(parameter.kind, "") + parameter.name + default)
    return f"({', '.join(shown)})"


def default_text(value: Any) -> str:
    """A default as a reader would write it."""
    if inspect.isclass(value) or inspect.isfunction(value):
        module = {"builtins": "", "numpy": "np."}.get(value.__module__, "")
        return module + value.__name__
    return re.sub(r"\d+\.\d{7,}", lambda number: f"{float(number[0]):.4g}", repr(value))


def first_sentence(text: str) -> str:
    """A description up to its first full stop."""
    sentence = re.match(r".*?\.(?=\s|$)", text)
    return sentence[0] if sentence else text


def row(left: str, right: str) -> str:
    """One row of a table of two columns."""
    bar, escaped = "|", r"\|"
    return f"| `{left.replace(bar, escaped)}` | {right.replace(bar, escaped)} |"


def summary(value: Any) -> str:
    """The first sentence of a docstring."""
    return (inspect.getdoc(value) or "").partition("\n")[0]


def member_rows(cls: type) -> dict[str, str]:
    """The table of a class: its attributes that are no arguments, properties and methods."""
    docstring = inspect.getdoc(cls) or ""
    shown = {} if is_made_elsewhere(cls) else dict(inspect.signature(cls).parameters)
    members = dict(public_members(cls))
    rows = {
        name: row(f".{name}", first_sentence(text[0].upper() + text[1:]))
        for name, text in documented(docstring, ("Attributes",)).items()
        if name not in shown and name not in members
    }
    call = vars(cls).get("__call__")
    if call is not None and inspect.getdoc(call):
        noun = re.findall(r"[A-Z][a-z]*", cls.__name__)[-1].lower()
        rows["__call__"] = row(f"{noun}{signature_text(call)}", summary(call))
    for name, member in members.items():
        is_property = isinstance(member, property)
        arguments = "" if is_property else signature_text(getattr(cls, name))
        text = summary(member if is_property else getattr(cls, name))
        rows[name] = row(f".{name}{arguments}", text)
    return rows


def members_text(cls: type, like: str | None) -> str:
    """What a block says of the attributes and methods of a class."""
    rows, closing = member_rows(cls), ""
    if like:
        others = member_rows(find(like))
        alone = {name: text for name, text in rows.items() if others.get(name) != text}
        lacking = [f"`{name}`" for name in others if name not in rows]
        without = f", without {' and '.join(lacking)}" if lacking else ""
        if not alone:
            return f"Members: those of `{like}`{without}.\n\n"
        rows, closing = alone, f"| the others | as those of `{like}`{without} |\n"
    lines = "\n".join(rows.values())
    return f"| member | |\n| --- | --- |\n{lines}\n{closing}\n" if rows else ""


def entry_text(name: str, like: str | None = None) -> str:
    """The block of one class or function."""
    value = find(name)
    if is_alias(value):
        return f"### `{name}`\n\n"
    if not inspect.isclass(value):
        return f"### `{name}{signature_text(value)}`\n\n{summary(value)}\n\n"
    arguments = "" if is_made_elsewhere(value) else signature_text(value)
    text = f"### `{name}{arguments}`\n\n{summary(value)}\n\n"
    if arguments:
        attributes = documented(inspect.getdoc(value) or "", ("Attributes",))
        parameters = list(inspect.signature(value).parameters)
        kept = [f"`{parameter}`" for parameter in parameters if parameter in attributes]
        if kept:
            is_all = len(kept) == len(parameters)
            names = "The arguments" if is_all else f"Of the arguments {', '.join(kept)}"
            text += f"{names} are attributes.\n\n"
    return text + members_text(value, like)


def table_row(name: str) -> str:
    """The row of one name in a table of several."""
    value = find(name)
    arguments = ""
    if inspect.isclass(value) and issubclass(value, BaseException):
        arguments = f"({', '.join(base.__name__ for base in value.__bases__)})"
    elif not is_alias(value) and not (inspect.isclass(value) and is_made_elsewhere(value)):
        arguments = signature_text(value)
    return row(name + arguments, "" if is_alias(value) else summary(value))


def find(name: str) -> Any:
    """The object of a name: `CEM`, `rewards.linear`, or `dynaplan.envs.mazes.Maze`."""
    if name.startswith("dynaplan."):
        module, _, last = name.rpartition(".")
        return getattr(importlib.import_module(module), last)
    value: Any = dp
    for part in name.split("."):
        value = getattr(value, part)
    return value


def block_text(names: str, *, is_table: bool, text: str = "") -> str:
    """The whole block of a comment; empty where all its names are gone."""
    kept = []
    for entry in names.split(", "):
        name, _, like = entry.partition(" like ")
        try:
            find(name)
        except AttributeError:
            continue
        except ImportError as error:
            if (error.name or "").startswith("dynaplan"):
                continue  # the module itself is gone
            return f"<!-- reference: {names} -->\n{text}<!-- end -->\n"
        kept.append((name, like or None))
    if not kept:
        return ""
    entries = ", ".join(f"{name} like {like}" if like else name for name, like in kept)
    if is_table:
        rows = "\n".join(table_row(name) for name, _ in kept)
        return (
            f"<!-- reference table: {entries} -->\n| | |\n| --- | --- |\n{rows}\n\n<!-- end -->\n"
        )
    texts = "".join(entry_text(name, like) for name, like in kept)
    return f"<!-- reference: {entries} -->\n{texts}<!-- end -->\n"


def rebuilt(page: str) -> str:
    """A page with all its blocks rebuilt."""
    return BLOCK.sub(
        lambda block: block_text(block["names"], is_table=bool(block["table"]), text=block["text"]),
        page,
    )


def shown_names(page: str) -> set[str]:
    """The names that the blocks of a page show."""
    entries = (entry for block in BLOCK.finditer(page) for entry in block["names"].split(", "))
    return {entry.partition(" like ")[0] for entry in entries}


def rebuilt_pages() -> dict[Path, str]:
    """Every page as it must be, new names included."""
    pages = {path: rebuilt(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.md"))}
    shown = set[str]().union(*map(shown_names, pages.values()))
    everything = "\n".join(pages.values())
    for name, value in public_objects():
        is_said = is_alias(value) and f"`{name}`" in everything
        if name in shown or inspect.ismodule(value) or is_said:
            continue
        folder = (getattr(value, "__module__", None) or "").removeprefix("dynaplan.").split(".")[0]
        path = FOLDER / PAGES.get(folder, OTHER_PAGE)
        pages[path] = pages[path].rstrip() + "\n\n" + block_text(name, is_table=False)
    return {path: page.rstrip() + "\n" for path, page in pages.items()}


def main() -> None:
    """Rewrites the pages, or fails where one differs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing, fail on a difference")
    is_check = parser.parse_args().check
    stale = [path for path, text in rebuilt_pages().items() if path.read_text("utf-8") != text]
    for path, text in rebuilt_pages().items():
        if path in stale and not is_check:
            path.write_text(text, encoding="utf-8")
            print(f"rewritten: {path.relative_to(FOLDER.parents[1])}")
    if stale and is_check:
        names = ", ".join(path.name for path in stale)
        sys.exit(f"{names}: out of date; run python docs/make_reference.py")


if __name__ == "__main__":
    main()
