"""Hostile texts in every place where a text enters: an end in time, a finding or "not read", never a traceback."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from dbt_statsig.cli import main
from tests.hostile import ENDLESS
from tests.integration.faults.inprocess import call
from tests.integration.faults.project import Project
from tests.unit.project.artifacts.build import manifest_bytes, node

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dbt_statsig.emulator import Running
    from tests.integration.faults.project import Done

NIGHTLY = bool(os.environ.get("DBT_STATSIG_NIGHTLY"))
SIZE = 5_000_000 if NIGHTLY else 30_000
LARGE = 1_000_000 if NIGHTLY else SIZE // 4
"""The same in each of some twenty fields: an answer of more than 64 MiB is refused."""
MOST = 60.0 if NIGHTLY else 40.0
"""Processor seconds of one run, many times what any of these takes; a quadratic scan takes far more."""
MOST_FINDINGS = 30
FACTS: dict[str, Any] = {"timestamp_column": "ts", "id_type_mapping": {"userID": "user_id"}}
SQL = "select 1 as ts, 2 as user_id"


def block(**keys: Any) -> dict[str, Any]:
    """A node whose one block has these keys."""
    meta = {"statsig": {"metric_source": {"name": "Orders", **FACTS, **keys}}}
    return {"config": {"materialized": "table", "enabled": True, "meta": meta}}


PLACES: dict[str, Callable[[str], dict[str, Any]]] = {
    "model SQL": lambda text: {"compiled_code": f"{SQL} from a where {text}"},
    "whole model SQL": lambda text: {"compiled_code": text},
    "sql": lambda text: block(sql=f"{SQL} where {text}"),
    "where": lambda text: block(where=text),
    "where of many faults": lambda text: block(where=f"{{{{ x }}}} ; {{nope}} ) {text}"),
    "formula": lambda text: block(custom_field_mapping={"total": text}),
    "partition_column": lambda text: block(partition_column=text),
    "timestamp_column": lambda text: block(timestamp_column=text),
    "unit": lambda text: block(id_type_mapping={text: "user_id"}),
    "columns": lambda text: block(columns=[text, "ts"]),
    "description": lambda text: block(description=text),
    "name": lambda text: block(name=text),
    "tags": lambda text: block(tags=[text]),
    "an unknown key": lambda text: block(**{text: text}),
    "an unknown kind": lambda text: {"config": {"meta": {"statsig": {text: {"name": text}}}}},
    "table_name": lambda text: block(source_type="table", table_name=text),
    "relation_name": lambda text: {"relation_name": text},
    "the node's description": lambda text: {"description": text},
    "the node's tags": lambda text: {"tags": [text]},
    "data_type": lambda text: {
        **block(partition_column="day"),
        "columns": {"day": {"name": "day", "data_type": text}},
        "contract": {"enforced": True},
    },
    "a column's name": lambda text: {
        "columns": {text: {"name": text, "config": {"meta": {"statsig": {"unit_id": text}}}}}
    },
    "the path of the YAML": lambda text: {"patch_path": f"shop://{text}"},
}


def run(project: Path, *words: str) -> str:
    """The output of a command that ends in time with a verdict of its own, and without a traceback."""
    started = time.process_time()
    with CliRunner().isolation() as streams, pytest.raises(SystemExit) as ended:
        main([*words, "--project-dir", str(project), "--no-cache"])
    assert time.process_time() - started < MOST
    output, errors = (stream.getvalue().decode() for stream in streams[:2])
    assert ended.value.code in (0, 1, 2)
    assert "Traceback" not in output + errors
    assert "internal error" not in errors.lower()
    return output


def write(project: Path, changed: list[dict[str, Any]]) -> None:
    """A manifest of one good model for each of the changes, changed so."""
    good: dict[str, Any] = {**block(), "relation_name": "shop.orders", "compiled_code": SQL, "compiled": True}
    models = [node(f"model.shop.m{number}", **{**good, **changes}) for number, changes in enumerate(changed)]
    (project / "dbt_project.yml").write_text("name: shop\n", encoding="utf-8")
    (project / "target").mkdir(exist_ok=True)
    content = manifest_bytes(*models, metadata={"adapter_type": "snowflake"})
    (project / "target" / "manifest.json").write_bytes(content)


@pytest.mark.timeout(3600 if NIGHTLY else 300)
@pytest.mark.parametrize("name", ENDLESS)
def test_declared_texts(tmp_path: Path, name: str) -> None:
    """A hostile text in every declared place ends in time, and is reported once."""
    text = ENDLESS[name](SIZE)
    together = [[place] for place in PLACES] if NIGHTLY else [list(PLACES)]
    for places in together:
        write(tmp_path, [PLACES[place](text) for place in places])
        findings = json.loads(run(tmp_path, "validate", "--output", "json"))["validation"]["findings"]
        shown = Counter((one["unique_id"], one["code"], one["message"], one["key"]) for one in findings)
        assert set(shown.values()) <= {1}
        assert max(Counter(unique_id for unique_id, *_ in shown).values(), default=0) <= MOST_FINDINGS


@pytest.mark.parametrize("option", ["--select", "--exclude", "--target"])
def test_words_of_a_command_line(tmp_path: Path, option: str) -> None:
    """A hostile text as a word of a selection ends in time; it is refused, or names nothing but by `*`."""
    write(tmp_path, [{}])
    ready = "1 source ready"
    assert ready in run(tmp_path, "validate")
    for make in ENDLESS.values():
        text = make(60_000)
        output = run(tmp_path, "validate", option, text)
        is_named = "*" in text.split()
        is_ready = {"--select": is_named, "--exclude": not is_named, "--target": True}[option]
        assert not output or (ready in output) == is_ready


LIVE: dict[str, Callable[[str], dict[str, Any]]] = {
    "sql": lambda text: {"sql": text},
    "sql that goes on": lambda text: {"sql": f'SELECT * FROM "db"."main"."m01" WHERE {text}'},
    "description": lambda text: {"description": f"{text}\n\nManaged by dbt: shop/model.shop.m02"},
    "owner": lambda text: {"description": f"Managed by dbt: {text}/{text}"},
    "tags": lambda text: {"tags": [text]},
    "column": lambda text: {"timestampColumn": text},
    "mapping": lambda text: {"idTypeMapping": [{"statsigUnitID": text, "column": text}]},
    "formula": lambda text: {"customFieldMapping": [{"key": text, "formula": text}]},
    "table": lambda text: {"sourceType": "table", "tableName": text},
}
"""What somebody may have written into an object in the console; the sources S00, S01 and so on are such objects."""


@pytest.fixture
def pushed(server: Running, tmp_path: Path) -> Project:
    """A project whose sources are in the console, one for each place."""
    project = Project(tmp_path / "shop", server.url)
    project.declare_many(len(LIVE))
    assert call(project, "sync").code == 0
    return project


def timed(project: Project, *words: str) -> Done:
    """How a command ends, in time."""
    started = time.process_time()
    done = call(project, *words)
    assert time.process_time() - started < MOST
    assert "Traceback" not in done.stdout + done.stderr
    return done


@pytest.mark.timeout(7200 if NIGHTLY else 300)
def test_live_texts(server: Running, pushed: Project) -> None:
    """A hostile text in every field of a live object ends in time, and is one change of that object."""
    sources = server.state.sources["metric_sources"]
    whole = dict(sources)
    for make in ENDLESS.values():
        text = make(LARGE)
        sources.clear()
        sources.update({name: dict(held) for name, held in whole.items()})
        for place, name in zip(LIVE, whole, strict=True):
            sources[name].update(LIVE[place](text))
        sources[text] = {**whole["S00"], "name": text, "description": text}
        done = timed(pushed, "plan", "--output", "json")
        changes = Counter(change["name"] for change in done.answer["plan"]["changes"])
        assert done.code in (0, 1)
        assert set(whole) <= set(changes)
        assert max(changes.values()) == 1
        if NIGHTLY:
            timed(pushed, "plan")


@pytest.mark.timeout(7200 if NIGHTLY else 300)
def test_texts_of_the_server(server: Running, pushed: Project) -> None:
    """A hostile text in an answer ends in time, and of a long message the beginning is shown."""
    pushed.declare("other", "Other")
    for make in ENDLESS.values():
        text = make(SIZE)
        body = {"message": text, "errors": [{"property": text, "errorMessage": f"{number} {text}"} for number in "123"]}
        server.inject({"match": {"method": "POST"}, "action": "status", "status": 400, "body": body})
        done = timed(pushed, "sync", "--output", "json")
        assert done.code == 1
        assert done.statuses == {"Other": "failed"}
        assert len(done.entry("Other")["message"]) < 20_000
    server.inject()


SETTINGS = ("namespace", "name_prefix", "hidden_tags", "allowed_schemas", "docs_url", "base_url", "defaults", "strict")


@pytest.mark.timeout(3600 if NIGHTLY else 300)
def test_texts_of_the_settings(tmp_path: Path) -> None:
    """A hostile text as a key or a value of dbt_statsig.yml ends in time, with findings about each place."""
    project = Project(tmp_path / "shop", "http://127.0.0.1:9")
    project.declare("orders")
    for make in ENDLESS.values():
        text = make(SIZE)
        places: list[dict[str, Any]] = [{key: text} for key in (*SETTINGS, text)]
        lists = {"hidden_tags": [text], "allowed_schemas": [text], "namespace": {text: text}}
        for values in [*places, lists] if NIGHTLY else [dict.fromkeys((*SETTINGS, text), text), lists]:
            project.settings(**values)
            assert timed(project, "validate", "--output", "json").code in (0, 1, 2)
