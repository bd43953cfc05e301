"""The content of target/statsig.json, and its published schema."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import msgspec

from dbt_statsig.dbt_runtime.declared import DeclaredFile, declared_file
from dbt_statsig.project.artifacts import Manifest
from dbt_statsig.project.settings import resolve
from tests.unit.project.artifacts.build import manifest_bytes, node

SCHEMA = Path(__file__).resolve().parents[3] / "docs" / "schema" / "statsig-json.schema.json"
COLUMNS = {name: {"name": name, "data_type": "text"} for name in ("ts", "user_id", "amount")}


def marked(name: str, block: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A model with one metric source."""
    config = {"materialized": "table", "meta": {"statsig": {"metric_source": block}}, **fields.pop("config", {})}
    return node(f"model.shop.{name}", relation_name=f'"d"."s"."{name}"', config=config, **fields)


def declared(folder: Path, *nodes: dict[str, Any], target: str = "dev") -> DeclaredFile:
    """What is declared by some nodes."""
    manifest = Manifest.from_bytes(manifest_bytes(*nodes))
    settings = resolve(folder, os.environ, {}).settings
    return declared_file(manifest, settings=settings, target=target, fingerprint="f")


BLOCK = {"timestamp_column": "ts", "id_type_mapping": {"userID": "user_id"}}


def test_the_schema_is_published() -> None:
    """docs/schema holds the schema that the types give; UPDATE_GOLDEN=1 writes it."""
    text = json.dumps(msgspec.json.schema(DeclaredFile), indent=2) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        SCHEMA.write_text(text, encoding="utf-8")
    assert SCHEMA.read_text(encoding="utf-8") == text


def test_what_is_known_before_compiling(tmp_path: Path) -> None:
    """SQL is given where a contract closes the columns or the user wrote it, else it is null; the schema holds."""
    (tmp_path / "dbt_statsig.yml").write_text("name_prefix: {dev: 'Dev '}", encoding="utf-8")
    contract = {"contract": {"enforced": True}}
    found = declared(
        tmp_path,
        marked("closed", {"name": "Closed", **BLOCK}, config=contract, columns=COLUMNS),
        marked("open", {"name": "Open", "where": "nonsense ((", **BLOCK}),
        marked("own", {"name": "Own", "sql": "select 1 as ts, 2 as user_id", **BLOCK}),
        marked("table", {"name": "Table", "source_type": "table", **BLOCK}),
    )
    sources = {source.name: source for source in found.sources}
    assert set(sources) == {"Dev Closed", "Dev Open", "Dev Own", "Dev Table"}
    sql = {name: (source.payload or {})["sql"] for name, source in sources.items()}
    assert '"amount"' in sql["Dev Closed"]
    assert sql["Dev Open"] is None
    assert sql["Dev Own"] == "select 1 as ts, 2 as user_id"
    assert sql["Dev Table"] == ""
    assert [source.is_proven for source in found.sources] == [True, False, False, False]
    jsonschema.validate(json.loads(msgspec.json.encode(found)), json.loads(SCHEMA.read_text(encoding="utf-8")))


def test_only_certain_findings(tmp_path: Path) -> None:
    """A column that a contract lacks is an error already; what only compiling would tell is not mentioned."""
    contract = {"contract": {"enforced": True}}
    found = declared(
        tmp_path,
        marked("closed", {"name": "Closed", **BLOCK, "timestamp_column": "tss"}, config=contract, columns=COLUMNS),
        marked("open", {"name": "Open", **BLOCK, "timestamp_column": "tss"}),
        marked("faulty", {"nam": "x"}),
    )
    codes = {(finding.unique_id, finding.code) for finding in found.findings if finding.severity == "error"}
    assert ("model.shop.closed", "column-absent") in codes
    assert not [code for unique_id, code in codes if unique_id == "model.shop.open"]
    assert [code for unique_id, code in codes if unique_id == "model.shop.faulty"]


def test_findings_name_sources_as_they_are_called(tmp_path: Path) -> None:
    """A finding names its source with the prefix of the dbt target, as the list of sources does."""
    (tmp_path / "dbt_statsig.yml").write_text("name_prefix: {dev: 'Dev '}", encoding="utf-8")
    found = declared(tmp_path, marked("one", {"name": "Same", **BLOCK}), marked("two", {"name": "Same", **BLOCK}))
    assert {source.name for source in found.sources} == {"Dev Same"}
    assert {finding.source for finding in found.findings if finding.code == "duplicate-name"} == {"Dev Same"}
