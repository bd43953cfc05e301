"""The way there and back: what was declared and pushed, stripped of its owner and imported, is the same again."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dbt_statsig.commands.sync import sync
from dbt_statsig.commands.validate import validate
from dbt_statsig.emulator import running
from dbt_statsig.vocabulary.comparison import differences
from dbt_statsig.vocabulary.ownership import text_above
from tests.integration.imports.project import (
    FIELDS,
    MODELS,
    TABLES,
    adopting,
    imported,
    parse,
    request_of,
    write_project,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dbt_statsig.emulator import Running

NIGHTLY = bool(os.environ.get("DBT_STATSIG_NIGHTLY"))
EXAMPLES = 600 if NIGHTLY else 9
ADAPTERS = ("duckdb", "snowflake", "bigquery")
NODES = {
    "assignment_source": "fct_exposures",
    "metric_source": "fct_orders",
    "qualifying_event": "fct_events",
    "entity_property_source": "dim_users",
}
KEYS = {
    "assignment_source": {"timestamp_column": "exposed_at", "experiment_id_column": "experiment_id"}
    | {"group_id_column": "group_id"},
    "metric_source": {"timestamp_column": FIELDS["metric"]["timestampColumn"]},
    "qualifying_event": {"timestamp_column": FIELDS["event"]["timestampColumn"]},
    "entity_property_source": {},
}
WHERE = (
    "platform = 'web'",
    "user_id IS NOT NULL AND (user_id <> 'x' OR user_id LIKE 'a%')",
    "user_id = 'it -- is' -- why\nAND 1 = 1",
    "CASE WHEN user_id = '1' THEN 1 END = 1",
)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=30)
OPTIONAL: dict[str, st.SearchStrategy[Any]] = {
    "description": TEXTS.map(str.strip),
    "tags": st.lists(st.sampled_from(["core", "web", "a: b", "no"]), unique=True),
    "is_read_only": st.booleans(),
    "team": st.just("Growth"),
}
TABLE_LIKE: dict[str, st.SearchStrategy[Any]] = {
    "is_verified": st.booleans(),
    "timestamp_as_day": st.booleans(),
    "disable_cure": st.booleans(),
    "custom_field_mapping": st.just({"upper id": "upper(user_id)"}),
}


@st.composite
def blocks(draw: st.DrawFn, kind: str, name: str) -> dict[str, Any]:
    """A block of a kind on its node, that proves."""
    columns = [entry.split(":") for entry in TABLES[f"model.shop.{NODES[kind]}"].split()]
    names = [column for column, _ in columns]
    optional = OPTIONAL | (TABLE_LIKE if kind in {"metric_source", "qualifying_event"} else {})
    block = {"name": name, "id_type_mapping": {"userID": "user_id"}, **KEYS[kind]}
    if kind in {"assignment_source", "qualifying_event"} and draw(st.booleans()):
        block["id_type_mapping"] = {"stableID": "device_id", "userID": "user_id"}
    block |= draw(st.fixed_dictionaries({}, optional=optional))
    if kind in {"metric_source", "qualifying_event"} and draw(st.integers(0, 3)) == 0:
        return block | {"source_type": "table"}
    if draw(st.integers(0, 4)) == 0:
        listed = ", ".join([*names[:1], *names[1:]])
        return block | {"sql": f"SELECT {listed}, 1 AS one\nFROM marts.{NODES[kind]} -- all\nWHERE 1 = 1"}
    if draw(st.booleans()):
        block["columns"] = draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    if draw(st.booleans()):
        where = draw(st.sampled_from(WHERE))
        block["where"] = where.replace("platform", names[0])
    dated = [
        column for column, kind_of in columns if kind_of in {"date", "timestamp", "integer"} and column != "amount"
    ]
    if draw(st.booleans()):
        block["partition_column"] = draw(st.sampled_from(dated))
    return block


@st.composite
def declarations(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    """Blocks by node and kind; several of a kind are a list."""
    found: dict[str, dict[str, Any]] = {}
    for kind, node in NODES.items():
        count = draw(st.integers(0, 2))
        listed = [draw(blocks(kind, f"{kind} {number}")) for number in range(count)]
        if listed:
            found[node] = {kind: listed}
    return found


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    """A console for all examples."""
    with running() as one:
        yield one


def declare(folder: Path, found: dict[str, dict[str, Any]]) -> None:
    """The project's property file with these blocks."""
    content = yaml.safe_load(MODELS)
    listed = {entry["name"]: entry for entry in content["models"]}
    for node, declared in found.items():
        entry = listed.setdefault(node, {"name": node})
        if entry not in content["models"]:
            content["models"].append(entry)
        entry.setdefault("config", {})["meta"] = {"statsig": declared}
    (folder / "models" / "schema.yml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")


@pytest.mark.parametrize("adapter", ADAPTERS)
@settings(max_examples=EXAMPLES // len(ADAPTERS), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=declarations())
def test_imported_is_what_was_declared(
    tmp_path_factory: pytest.TempPathFactory, server: Running, adapter: str, found: dict[str, dict[str, Any]]
) -> None:
    """Pushed objects without an owner, imported into the project without blocks, have the payloads that were pushed."""
    folder = write_project(tmp_path_factory.mktemp("shop"), adapter)
    server.reset()
    declare(folder, found)
    parse(folder, adapter)
    request = request_of(folder, server)
    pushed = {(one.kind, one.name): one.payload for one in validate(request).sources}
    assert sync(request).exit_code == 0
    for items in server.state.sources.values():
        for item in items.values():
            item["description"] = text_above(item["description"])
    (folder / "models" / "schema.yml").write_text(MODELS, encoding="utf-8")
    parse(folder, adapter)
    result = imported(folder, server, write=True)
    assert [(one.name, one.reason, one.differences) for one in result.objects if not one.is_written] == []
    parse(folder, adapter)
    again = {(one.kind, one.name): one.payload for one in validate(request).sources}
    assert again.keys() == pushed.keys()
    changes = adopting(folder, server).plan.changes
    assert [[field.field for field in change.fields] for change in changes] == [["description"]] * len(again)
    for key, payload in pushed.items():
        new = again[key]
        assert payload is not None
        assert new is not None
        fields = {one.field for one in differences(new, payload)}
        assert fields <= {"sql"}, (key, fields)
    shutil.rmtree(folder)
