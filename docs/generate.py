"""Writes the reference pages of this folder and the packaged help from the program: `python docs/generate.py`."""

from __future__ import annotations

import inspect
import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec
import msgspec.inspect as types
import yaml

from dbt_statsig.cli.group import COMMANDS, group
from dbt_statsig.project.conversion import describe
from dbt_statsig.project.declarations.marks import ColumnMark
from dbt_statsig.project.schema import meta_schema, properties_schema, render, settings_schema
from dbt_statsig.project.settings import Settings
from dbt_statsig.report.documents import Document, report_schema
from dbt_statsig.report.run_findings import RULES, RUN_CODES, example_of
from dbt_statsig.vocabulary.finding_codes import CODES, Code, Severity
from dbt_statsig.vocabulary.kinds import SPECS
from dbt_statsig.vocabulary.kinds.metric_block import (
    ComponentMeta,
    CriterionMeta,
    DenominatorMeta,
    NumeratorMeta,
    PartMeta,
    StepMeta,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

FOLDER = Path(__file__).parent
MADE = "<!-- Made by docs/generate.py from the program itself; do not edit. -->"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _described(kind: types.Type) -> str:
    """The description that an annotation gives, wherever it stands in a union."""
    if isinstance(kind, types.Metadata):
        own = (kind.extra_json_schema or {}).get("description")
        return str(own) if own else _described(kind.type)
    if isinstance(kind, types.UnionType):
        return next((text for one in kind.types if (text := _described(one))), "")
    return ""


def _fields(struct: type[msgspec.Struct]) -> Iterator[tuple[str, str, str, Any]]:
    info = types.type_info(struct)
    assert isinstance(info, types.StructType)  # noqa: S101 - the table of structs holds nothing else
    for field in info.fields:
        yield field.encode_name, describe(field.type), _described(field.type), field.default


def _anchor(place: str, name: str) -> str:
    """A key with an address of its own: `meta/#metric_source-where`."""
    anchor = f"{place}-{name}"
    return f'<a id="{anchor}"></a>[`{name}`](#{anchor})'


_PARTS: dict[type[msgspec.Struct], str] = {
    CriterionMeta: "An entry of `criteria`",
    PartMeta: "An entry of `metric_sources`",
    NumeratorMeta: "`numerator`",
    DenominatorMeta: "`denominator`",
    StepMeta: "An entry of `steps`",
    ComponentMeta: "An entry of `components`",
}


def meta_page() -> str:
    """docs/meta.md."""
    parts = [MADE, (FOLDER / "meta.intro.md").read_text(encoding="utf-8").strip()]
    for kind, spec in SPECS.items():
        rows = (
            (_anchor(kind.value, name) + (" (required)" if name in spec.required else ""), takes, text)
            for name, takes, text, _ in _fields(spec.block)
        )
        macros = ", ".join(f"`{{{macro}}}`" for macro in sorted(spec.macros))
        parts += [
            f"## `{kind.value}`",
            (spec.block.__doc__ or "").strip(),
            _table(("key", "takes", "meaning"), rows),
        ]
        if macros:
            parts += [f"Macros that its `sql`, `where` and formulas may use: {macros}."]
    for struct in (CriterionMeta, PartMeta, NumeratorMeta, DenominatorMeta, StepMeta, ComponentMeta):
        place = re.findall(r"\w+", _PARTS[struct])[-1]
        inner = ((_anchor(place, name), takes, text) for name, takes, text, _ in _fields(struct))
        parts += [f"### {_PARTS[struct]}", _table(("key", "takes", "meaning"), inner)]
    marks = ((_anchor("column", name), takes, text) for name, takes, text, _ in _fields(ColumnMark))
    parts += ["## Column marks", "Under `config.meta.statsig` of a column.", _table(("key", "takes", "meaning"), marks)]
    return "\n\n".join(parts) + "\n"


def settings_page() -> str:
    """docs/settings.md."""
    rows = []
    for name, takes, text, default in _fields(Settings):
        shown = {} if default is types.NODEFAULT else default
        rows.append((_anchor("setting", name), takes, f"`{msgspec.json.encode(shown).decode()}`", text))
    intro = (FOLDER / "settings.intro.md").read_text(encoding="utf-8").strip()
    return "\n\n".join([MADE, intro, _table(("setting", "takes", "default", "meaning"), rows)]) + "\n"


def findings_page() -> str:
    """docs/findings.md."""
    intro = (
        "# Findings\n\nEvery finding has a code, and each code has a page: why it matters, bad and good YAML, what to "
        "do. `dbt-statsig explain CODE` prints the same. With `--strict`, warnings count as errors; those that begin "
        "with `impact-` say what a change does, and [fail a check in one case only](ci.md#what-a-change-does)."
    )
    parts = [MADE, intro, "## About a project", _codes(CODES), "## Of plan and sync", _codes(RUN_CODES)]
    return "\n\n".join(parts) + "\n"


def _codes(codes: dict[str, Code]) -> str:
    rows = ((f"[`{code}`](findings/{code}.md)", one.severity.label, one.meaning) for code, one in sorted(codes.items()))
    return _table(("code", "weight", "what it means"), rows)


_COUNTS = {
    Severity.ERROR: "An error: the exit code is 1, and the source that it concerns is not pushed.",
    Severity.WARNING: "A warning: it fails `validate --strict`. Its source is pushed.",
    Severity.NOTE: "A note: it never fails a command.",
}


def finding_page(code: str) -> str:
    """docs/findings/CODE.md: one code, with what is wrong, what is right, and why."""
    entry = RULES[code]
    counts = _COUNTS[entry.severity]
    if code.startswith("impact-"):
        counts = (
            "It says what a change does, not that it is wrong. It fails a command in one case only, "
            "[`plan --state --strict`](../ci.md#what-a-change-does) where a running experiment uses what changes."
        )
    elif code in RUN_CODES:
        counts = f"{entry.severity.label.capitalize()} of `plan` or `sync`, not of a project's YAML."
    parts = [MADE, f"# {code}", entry.meaning]
    example = example_of(code)
    for title, text in (("Bad", example.bad), ("Good", example.good)) if example else ():
        parts += [f"## {title}", f"```{_language(text)}\n{text.strip()}\n```"]
    parts += ["## What to do", entry.remedy, "## How it counts", counts, "[All findings](../findings.md)"]
    return "\n\n".join(parts) + "\n"


def _language(text: str) -> str:
    """How a code block is coloured: commands, SQL, or YAML, which most are."""
    if any(line.startswith("$ ") for line in text.splitlines()):
        return "console"
    return "sql" if text.startswith(("--", "select ")) else "yaml"


def macros_page() -> str:
    """docs/macros.md, from the descriptions that dbt itself reads."""
    content = yaml.safe_load((FOLDER.parent / "macros" / "_macros.yml").read_text(encoding="utf-8"))
    intro = "# Macros\n\nWhat the dbt package brings; [the dbt package](dbt-package.md) says how to install it."
    parts = [MADE, intro]
    for macro in content["macros"]:
        if macro.get("docs", {}).get("show") is False:
            continue
        name = macro["name"]
        title = f"Test `dbt_statsig.{name.removeprefix('test_')}`" if name.startswith("test_") else f"`{name}`"
        parts += [f"## {title}", " ".join(macro["description"].split())]
        rows = [(f"`{one['name']}`", one.get("type", ""), one["description"]) for one in macro.get("arguments", ())]
        parts += [_table(("argument", "type", "meaning"), rows)] if rows else []
    return "\n\n".join(parts) + "\n"


def json_page() -> str:
    """docs/json.md."""
    intro = (
        "# JSON answers\n\nWith `--output json` each command prints one object of this form. Within one "
        "`schema_version` keys are only ever added. `dbt-statsig schema report` prints the JSON Schema."
    )
    parts = [MADE, intro]
    for struct in _documents(Document):
        rows = ((f"`{name}`", _json_type(kind)) for name, kind in _json_fields(struct))
        parts += [f"## {struct.__name__}", inspect.cleandoc(struct.__doc__ or ""), _table(("key", "value"), rows)]
    return "\n\n".join(parts) + "\n"


def _json_fields(struct: type[msgspec.Struct]) -> Iterator[tuple[str, types.Type]]:
    info = types.type_info(struct)
    assert isinstance(info, types.StructType)  # noqa: S101 - documents are structs
    yield from ((field.encode_name, field.type) for field in info.fields)


def _documents(struct: type[msgspec.Struct]) -> list[type[msgspec.Struct]]:
    """The struct, then all that it is made of, each once."""
    found = [struct]
    for current in found:
        for _, kind in _json_fields(current):
            found += [one for one in _structs(kind) if one not in found]
    return found


def _structs(kind: types.Type) -> Iterator[type[msgspec.Struct]]:
    if isinstance(kind, types.StructType):
        yield kind.cls
    for part in (*getattr(kind, "types", ()), getattr(kind, "item_type", None)):
        if part is not None:
            yield from _structs(part)


def _json_type(kind: types.Type) -> str:
    """What a key holds, in words."""
    if isinstance(kind, types.UnionType):
        return " or ".join(_json_type(one) for one in kind.types)
    if isinstance(kind, types.VarTupleType):
        return f"list of {_json_type(kind.item_type)}"
    if isinstance(kind, types.DictType):
        return f"mapping to {_json_type(kind.value_type)}"
    if isinstance(kind, types.StructType):
        name = kind.cls.__name__
        return f"[{name}](#{name.lower()})"
    words = {types.StrType: "text", types.BoolType: "true or false", types.IntType: "number", types.NoneType: "null"}
    return words.get(type(kind), "anything")


def cli_page() -> str:
    """docs/cli.md."""
    parts = [MADE, "# Commands", "Each command's own help.", _help(group, "dbt-statsig")]
    context = click.Context(group, info_name="dbt-statsig")
    for name in COMMANDS:
        command = group.get_command(context, name)
        if command is not None:
            parts += [f"## `dbt-statsig {name}`", _help(command, f"dbt-statsig {name}")]
    return "\n\n".join(parts) + "\n"


def help_text() -> str:
    """dbt_statsig/cli/help.txt, which answers `--help` without importing click."""
    return _laid_out(group, "dbt-statsig") + "\n"


def _help(command: click.Command, name: str) -> str:
    return f"```text\n{_laid_out(command, name)}\n```"


def _laid_out(command: click.Command, name: str) -> str:
    settings = {**group.context_settings, "terminal_width": 100, "max_content_width": 100}
    return command.get_help(click.Context(command, info_name=name, **settings))


PAGES: dict[str, Callable[[], str]] = {
    "meta.md": meta_page,
    "settings.md": settings_page,
    "findings.md": findings_page,
    "cli.md": cli_page,
    "json.md": json_page,
    "macros.md": macros_page,
    "../dbt_statsig/cli/help.txt": help_text,
    **{f"findings/{code}.md": partial(finding_page, code) for code in sorted(RULES)},
}

SCHEMAS: dict[str, Callable[[], dict[str, Any]]] = {
    "meta": meta_schema,
    "properties": properties_schema,
    "settings": settings_schema,
    "report": report_schema,
}

if __name__ == "__main__":
    (FOLDER / "findings").mkdir(exist_ok=True)
    for gone in {*FOLDER.glob("findings/*.md")} - {FOLDER / page for page in PAGES}:
        gone.unlink()
    for page, make in PAGES.items():
        (FOLDER / page).write_text(make(), encoding="utf-8")
    for name, schema in SCHEMAS.items():
        (FOLDER / "schema" / f"{name}.schema.json").write_text(render(schema()), encoding="utf-8")
