"""Nothing that a user can type, write or meet is left undocumented."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click
import pytest
import yaml

from dbt_statsig.cli.group import COMMANDS, group
from dbt_statsig.project.declarations.marks import ColumnMark
from dbt_statsig.project.settings import Settings
from dbt_statsig.report.documents import Document
from dbt_statsig.report.run_findings import RULES
from dbt_statsig.vocabulary.kinds import SPECS
from tests.integration.shop import ROOT, macro_names

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import msgspec

DOCS = ROOT / "docs"


def missing(names: Iterable[str], page: Path) -> list[str]:
    """The names that a page does not show as code."""
    text = page.read_text(encoding="utf-8")
    return [name for name in names if f"`{name}`" not in text]


def options(command: click.Command) -> list[str]:
    """Every option of a command, in each of its spellings."""
    return [name for option in command.params for name in option.opts if name.startswith("-")]


def keys(struct: type[msgspec.Struct]) -> tuple[str, ...]:
    """The keys of a struct as they are written."""
    return struct.__struct_encode_fields__


def test_every_command_is_documented() -> None:
    """README.md and docs/cli.md show every command."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"`dbt-statsig {name}" not in readme] == []
    assert missing([f"dbt-statsig {name}" for name in COMMANDS], DOCS / "cli.md") == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_documented(name: str) -> None:
    """The section of each command in docs/cli.md shows every option of it, with a sentence."""
    command = group.get_command(click.Context(group), name)
    assert command is not None
    text = (DOCS / "cli.md").read_text(encoding="utf-8")
    section = text.partition(f"## `dbt-statsig {name}`")[2].partition("\n## ")[0]
    assert [option for option in options(command) if not re.search(rf"(?<![\w-]){option}(?![\w-])", section)] == []
    assert [one.name for one in command.params if isinstance(one, click.Option) and not one.help] == []


def test_every_key_is_documented() -> None:
    """docs/meta.md shows every key of every kind and every column mark, docs/settings.md every setting."""
    page = (DOCS / "meta.md").read_text(encoding="utf-8")
    for kind, spec in SPECS.items():
        section = page.partition(f"## `{kind.value}`")[2].partition("\n## ")[0]
        assert [key for key in keys(spec.block) if f"[`{key}`](#{kind.value}-{key})" not in section] == []
    assert missing(keys(ColumnMark), DOCS / "meta.md") == []
    assert missing(keys(Settings), DOCS / "settings.md") == []


def test_every_finding_is_documented() -> None:
    """docs/findings.md shows every code, those of plans and syncs included."""
    assert missing(RULES, DOCS / "findings.md") == []


def test_every_macro_is_documented() -> None:
    """Every macro and generic test but the internal ones is described in macros/_macros.yml and shown in a document."""
    macros = macro_names()
    described = yaml.safe_load((ROOT / "macros" / "_macros.yml").read_text(encoding="utf-8"))["macros"]
    assert {macro["name"] for macro in described if macro["description"]} == macros
    public = {
        macro["name"].removeprefix("test_") for macro in described if macro.get("docs", {}).get("show") is not False
    }
    text = "".join(file.read_text(encoding="utf-8") for file in DOCS.rglob("*.md"))
    assert [name for name in sorted(public) if name not in text] == []


def test_every_key_of_the_answers_is_documented() -> None:
    """docs/json.md shows every part of an answer."""
    assert missing(keys(Document), DOCS / "json.md") == []


def test_every_page_is_reached() -> None:
    """Every page of docs/ has its place in the site; those of findings are reached from their list."""
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = {str(file.relative_to(DOCS)) for file in DOCS.rglob("*.md") if not file.name.endswith(".intro.md")}
    text += (DOCS / "findings.md").read_text(encoding="utf-8").replace("](", ": ").replace(")", "\n")
    assert [page for page in sorted(pages) if f": {page}\n" not in text] == []
