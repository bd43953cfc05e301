"""The layout: which file may import which, and how large a file or a function may grow."""

from __future__ import annotations

import ast
import functools
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "dbt_statsig"

# From the top down. A package imports from rows below its own, never from its own; `errors` may be imported by all.
LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"cli", "dbt_runtime"}),
    frozenset({"commands"}),
    frozenset({"applying", "comments", "impact", "importing", "report"}),
    frozenset({"payloads", "semantic_layer"}),
    frozenset({"columns", "console", "planning"}),
    frozenset({"project"}),
    frozenset({"emulator", "support", "vocabulary"}),
)
# The modules beside the packages: what starts the program, and the errors.
LOOSE = frozenset({"__init__", "__main__"})
ERRORS = "errors"
# Libraries that one unit alone may import.
OWNERS = {
    "sqlglot": "columns",
    "httpx": "console",
    "dbt": "dbt_runtime",
    "dbt_common": "dbt_runtime",
    "starlette": "emulator",
    "uvicorn": "emulator",
    "duckdb": "emulator",
    "psycopg": "emulator",
}
MAX_FILE = 400
MAX_FUNCTION = 60


def modules() -> dict[str, str]:
    """The source text of every module of the package, by dotted name; a package's own file ends in `.__init__`."""
    files = (ROOT / PACKAGE).rglob("*.py")
    return {".".join(file.relative_to(ROOT).with_suffix("").parts): file.read_text(encoding="utf-8") for file in files}


@functools.cache
def parsed(text: str) -> ast.Module:
    """The syntax tree of a module's text."""
    return ast.parse(text)


def imports(name: str, text: str) -> Iterator[tuple[str, str]]:
    """What a module imports, lazily or for types only included: (module, name), the name empty for `import x`."""
    parts = name.split(".")
    for node in ast.walk(parsed(text)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = parts[: len(parts) - node.level] if node.level else []
            module = ".".join([*base, *(node.module or "").split(".")]).strip(".")
            yield from ((module, alias.name) for alias in node.names)


def ours(sources: dict[str, str], name: str) -> Iterator[str]:
    """The modules of this package that a module imports, but for `from dbt_statsig import __version__`."""
    for module, imported in imports(name, sources[name]):
        if module.split(".")[0] != PACKAGE or (module, imported) == (PACKAGE, "__version__"):
            continue
        for candidate in (f"{module}.{imported}", f"{module}.{imported}.__init__", module, f"{module}.__init__"):
            if candidate in sources:
                yield candidate
                break
        else:
            yield module


def unit(name: str) -> str:
    """The part of the package that a module belongs to: `columns` for `dbt_statsig.columns.verdicts`."""
    return name.split(".")[1]


def layer(name: str) -> int:
    """The height of a module's package: more than any for loose modules, 0 for the errors, -1 for one in no layer."""
    if unit(name) in LOOSE:
        return len(LAYERS) + 1
    if unit(name) == ERRORS:
        return 0
    return next((len(LAYERS) - row for row, units in enumerate(LAYERS) if unit(name) in units), -1)


def misdirected(sources: dict[str, str]) -> list[str]:
    """Imports that do not go down, and packages that are in no layer."""
    faults = [f"{unit(name)}: is in no layer; add it to LAYERS" for name in sources if layer(name) < 0]
    for name in sources:
        for target in ours(sources, name):
            if unit(name) == unit(target):
                continue
            if layer(name) <= layer(target) or unit(name) == "emulator":
                faults.append(f"{name} imports {target}")
    return sorted(set(faults))


def circle(sources: dict[str, str]) -> list[str]:
    """The modules of one import circle, or nothing."""
    try:
        TopologicalSorter({name: set(ours(sources, name)) - {name} for name in sources}).prepare()
    except CycleError as found:
        return list(found.args[1])
    return []


def misplaced(sources: dict[str, str]) -> list[str]:
    """Libraries imported by another unit than their own."""
    return [
        f"{name} imports {module}"
        for name, text in sources.items()
        for module, _ in imports(name, text)
        if OWNERS.get(module.split(".")[0], unit(name)) != unit(name)
    ]


def long_functions(name: str, text: str) -> list[str]:
    """Functions of more than MAX_FUNCTION lines."""
    return [
        f"{name}:{node.lineno} {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(parsed(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= MAX_FUNCTION
    ]


def undocumented(name: str, text: str) -> list[str]:
    """Public functions and classes at the top of a module that have no docstring."""
    return [
        f"{name}:{node.lineno} {node.name}"
        for node in parsed(text).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and ast.get_docstring(node) is None
    ]


def python_files() -> list[Path]:
    """Every Python file of the repository that a person wrote."""
    folders = ("dbt_statsig", "tests", "example_project", "benchmarks", "docs")
    return [file for folder in folders for file in (ROOT / folder).rglob("*.py")]


def test_imports_go_down() -> None:
    """Every file imports only from layers below its own, and the emulator imports nothing of ours."""
    assert misdirected(modules()) == []


def test_no_import_circles() -> None:
    """No file imports itself by way of others."""
    assert circle(modules()) == []


def test_libraries_stay_where_they_belong() -> None:
    """The heavy libraries are imported by one part of the package each."""
    assert misplaced(modules()) == []


def test_there_is_one_pipeline() -> None:
    """Declarations are read, payloads built and provers made by one module, which everything else asks."""
    steps = {"declare": "project", "Payloads": "payloads", "Prover": "columns"}
    users = {
        (name, imported)
        for name, text in modules().items()
        for _, imported in imports(name, text)
        if imported in steps and unit(name) not in {steps[imported], "impact", "importing", "payloads"}
    }
    one = f"{PACKAGE}.commands.proving"
    # Inside dbt's parser, columns are proven by a subclass that reads no SQL.
    assert users == {(one, step) for step in steps} | {(f"{PACKAGE}.dbt_runtime.declared", "Prover")}


def test_files_and_functions_stay_small() -> None:
    """No file is over 400 lines, no function over 60, and none is called utils.py."""
    faults = []
    for file in python_files():
        text = file.read_text(encoding="utf-8")
        if (count := len(text.splitlines())) > MAX_FILE:
            faults.append(f"{file} has {count} lines")
        faults += long_functions(str(file), text)
        faults += [f"{file}: name it after what it holds"] if file.stem in {"util", "utils", "helpers"} else []
    assert faults == []


def test_public_names_are_documented() -> None:
    """Every public function and class of the package has a docstring."""
    assert [fault for name, text in modules().items() for fault in undocumented(name, text)] == []


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("project.a", "from dbt_statsig.cli import x", "dbt_statsig.project.a imports dbt_statsig.cli.__init__"),
        (
            "planning.a",
            "from dbt_statsig import console",
            "dbt_statsig.planning.a imports dbt_statsig.console.__init__",
        ),
        ("report.a", "from ..commands import b", "dbt_statsig.report.a imports dbt_statsig.commands.b"),
        (
            "project.a",
            "def f():\n import dbt_statsig.commands.b",
            "dbt_statsig.project.a imports dbt_statsig.commands.b",
        ),
        ("emulator.app", "from dbt_statsig.errors import X", "dbt_statsig.emulator.app imports dbt_statsig.errors"),
        ("errors", "from dbt_statsig.support import c", "dbt_statsig.errors imports dbt_statsig.support.c"),
        ("attic", "", "attic: is in no layer; add it to LAYERS"),
    ],
)
def test_a_wrong_import_is_found(name: str, text: str, fault: str) -> None:
    """An import that goes up or sideways is reported, however it is written."""
    others = dict.fromkeys(("cli.__init__", "console.__init__", "commands.b", "support.c", "errors"), "")
    sources = {f"{PACKAGE}.{module}": body for module, body in {**others, name: text}.items()}
    assert misdirected(sources) == [fault]


def test_other_faults_are_found() -> None:
    """A circle, a library out of its place, a long function and a missing docstring are reported."""
    pair = {
        f"{PACKAGE}.report.a": "from dbt_statsig.report import b",
        f"{PACKAGE}.report.b": "import dbt_statsig.report.a",
    }
    assert set(circle(pair)) == set(pair)
    assert misplaced({f"{PACKAGE}.planning": "def f():\n    import httpx._client"}) == [
        "dbt_statsig.planning imports httpx._client"
    ]
    assert len(long_functions("x", "def f():\n" + "    pass\n" * MAX_FUNCTION)) == 1
    assert undocumented("x", "class A: ...\ndef _f(): ...") == ["x:1 A"]
