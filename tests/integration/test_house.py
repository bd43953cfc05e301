"""The house: which file may import which, and how large a file or a function may grow."""

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

# From the roof down. A unit (a module or a package of dbt_statsig) imports from rows below its own, never from its own.
FLOORS: tuple[frozenset[str], ...] = (
    frozenset({"__init__", "__main__"}),
    frozenset({"dbt_plugin"}),
    frozenset({"inside"}),
    frozenset({"cli"}),
    frozenset({"column_listing", "conductor"}),
    frozenset({"withholding"}),
    frozenset({"project"}),
    frozenset({"apply", "diagnosis", "emulator", "impact", "live", "not_kept", "report", "server_check", "uncompared"}),
    frozenset({"freshness"}),
    frozenset({"console", "guard", "inputs", "lineage", "payloads"}),
    frozenset({"planning"}),
    frozenset({"results", "selection"}),
    frozenset({"changes", "request"}),
    frozenset({"schema"}),
    frozenset({"newer_yaml"}),
    frozenset({"columns", "declarations", "namespace", "yaml_blocks"}),
    frozenset({"artifacts", "dbt_command", "profiles", "settings"}),
    frozenset({"baseline", "conversion", "dbt_line", "yaml_nodes"}),
    frozenset({"experiments", "files", "findings", "yaml_text"}),
    frozenset(
        {"addresses", "background", "brake", "errors", "finding_codes", "progress", "secrets", "sources", "sql_pieces"}
    ),
)
# Libraries that one unit alone may import.
OWNERS = {
    "sqlglot": "columns",
    "httpx": "console",
    "dbt": "dbt_plugin",
    "dbt_common": "dbt_plugin",
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


def floor(name: str) -> int:
    """The height of a module's unit; -1 for a unit that has no floor yet."""
    return next((len(FLOORS) - row for row, units in enumerate(FLOORS) if unit(name) in units), -1)


def misdirected(sources: dict[str, str]) -> list[str]:
    """Imports that do not go down, and units that stand on no floor."""
    faults = [f"{unit(name)}: has no floor; add it to FLOORS" for name in sources if floor(name) < 0]
    for name in sources:
        for target in ours(sources, name):
            if unit(name) == unit(target):
                continue
            if floor(name) <= floor(target) or unit(name) == "emulator":
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
    """Every file imports only from floors below its own, and the emulator imports nothing of ours."""
    assert misdirected(modules()) == []


def test_no_import_circles() -> None:
    """No file imports itself by way of others."""
    assert circle(modules()) == []


def test_libraries_stay_where_they_belong() -> None:
    """The heavy libraries are imported by one part of the package each."""
    assert misplaced(modules()) == []


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
        ("guard", "from dbt_statsig.cli import main", "dbt_statsig.guard imports dbt_statsig.cli.__init__"),
        ("guard", "from dbt_statsig import inputs", "dbt_statsig.guard imports dbt_statsig.inputs"),
        ("guard", "from . import inputs", "dbt_statsig.guard imports dbt_statsig.inputs"),
        ("guard", "def f():\n import dbt_statsig.conductor", "dbt_statsig.guard imports dbt_statsig.conductor"),
        ("emulator.app", "from dbt_statsig.errors import X", "dbt_statsig.emulator.app imports dbt_statsig.errors"),
        ("attic", "", "attic: has no floor; add it to FLOORS"),
    ],
)
def test_a_wrong_import_is_found(name: str, text: str, fault: str) -> None:
    """An import that goes up or sideways is reported, however it is written."""
    others = dict.fromkeys(("cli.__init__", "inputs", "conductor", "errors"), "")
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
