"""The schemas as an editor shows them, by the YAML language server itself."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from dbt_statsig.project.schema import properties_schema, render, settings_schema
from dbt_statsig.vocabulary.kinds import BLOCK_KINDS, SPECS
from tests.integration.language_server import LanguageServer, language_server

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVER = Path(__file__).resolve().parents[2] / ".venv/share/node_modules/yaml-language-server/bin/yaml-language-server"
NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(
    NODE is None or not SERVER.is_file(),
    reason="no language server here: npm install --prefix .venv/share yaml-language-server@1.25.0",
)
HEAD = "models:\n  - name: fct_orders\n    config:\n      meta:\n        statsig:\n"
FOREIGN = {
    "title": "a schema of dbt's own",
    "type": "object",
    "properties": {
        "models": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "access": {"enum": ["private", "public"]},
                    "config": {"type": "object", "properties": {"meta": {"type": "object"}}},
                },
                "additionalProperties": False,
            },
        }
    },
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageServer]:
    """One server, with our schema and another one for the same files."""
    folder = tmp_path_factory.mktemp("editor")
    contents = {
        "statsig.schema.json": render(properties_schema()),
        "settings.schema.json": render(settings_schema()),
        "dbt.json": json.dumps(FOREIGN),
    }
    for name, content in contents.items():
        (folder / name).write_text(content, encoding="utf-8")
    schemas = {
        (folder / "statsig.schema.json").as_uri(): "*.yml",
        (folder / "dbt.json").as_uri(): "*.yml",
        (folder / "settings.schema.json").as_uri(): "dbt_statsig.yaml",
    }
    settings = {
        "schemas": schemas,
        "schemaStore": {"enable": False},
        "validate": True,
        "completion": True,
        "hover": True,
    }
    with language_server([str(NODE), str(SERVER)], settings) as started:
        yield started


def test_a_completed_kind_brings_the_keys_that_it_must_have(server: LanguageServer, tmp_path: Path) -> None:
    """Each kind is offered, with a line for every key without which a block is refused."""
    uri = server.open(tmp_path / "kinds.yml", HEAD + "          s\n")
    offered = {item["label"]: item["insertText"] for item in server.completions(uri, 5, 11)}
    for kind in BLOCK_KINDS:
        written = [line.strip().partition(":")[0] for line in offered[kind.value].splitlines()]
        assert written[0] == kind.value
        assert set(SPECS[kind].required) <= set(written), offered[kind.value]


def test_a_fault_says_what_to_write(server: LanguageServer, tmp_path: Path) -> None:
    """Where a text has the wrong form, its message is a sentence, not a pattern."""
    block = """
    metric_source:
      name: list
      tags: [' a']
      where: ' '
      metrics: [{name: tür, aggregation: count}]
    """
    uri = server.open(tmp_path / "faults.yml", HEAD + indented(block))
    found = server.faults(uri)
    assert not [fault for fault in found if "pattern" in fault]
    assert "Write one line of text, without blanks at its start or end; not `.` or `..` or `list`." in found
    assert "Write one line of text, without blanks at its start or end." in found
    assert "Write SQL: this is empty." in found
    assert "Use letters without accents, digits, blanks and `_ . - ( ) / % :` only." in found


def test_settings_say_what_to_write(server: LanguageServer, tmp_path: Path) -> None:
    """The schema of dbt_statsig.yml has sentences, too."""
    uri = server.open(tmp_path / "dbt_statsig.yaml", "namespace: {dev: 'a b'}\n")
    assert server.faults(uri) == ['Use letters, digits, ".", "_", "-" and {target}.']


def test_hover_tells_what_a_key_is(server: LanguageServer, tmp_path: Path) -> None:
    """A kind and a key are explained where they stand."""
    block = """
    metric_source:
      name: Orders
      timestamp_column: ordered_at
    """
    uri = server.open(tmp_path / "hover.yml", HEAD + indented(block))
    assert "Rows from which metrics are computed." in server.hover(uri, 5, 12)
    assert "The column that holds the row's time (in UTC)." in server.hover(uri, 7, 15)


def test_dbt_own_schema_works_beside_ours(server: LanguageServer, tmp_path: Path) -> None:
    """Keys of both schemas are offered for one file, and the faults of both are shown."""
    text = "models:\n  - name: fct_orders\n    acess: public\n    config: {meta: {statsig: {metric_sources: Orders}}}\n"
    found = server.faults(server.open(tmp_path / "both.yml", text))
    assert any("acess" in fault for fault in found)
    assert any("metric_sources" in fault for fault in found)
    uri = server.open(tmp_path / "more.yml", "models:\n  - name: fct_orders\n    a\n")
    assert {"access", "config"} <= {item["label"] for item in server.completions(uri, 2, 5)}
    good = HEAD + indented("metric_source: {name: Orders}")
    assert server.faults(server.open(tmp_path / "good.yml", good)) == []


def indented(text: str) -> str:
    """A block below the key `statsig` of HEAD."""
    return "".join(f"          {line}\n" for line in dedent(text).strip().splitlines())
