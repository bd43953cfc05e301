"""The command `import`: what it shows, writes, sends and refuses."""

from __future__ import annotations

import json
import re
import runpy
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from dbt_statsig import Exactness, Request, UsageError, import_objects
from dbt_statsig.cli.app import run
from dbt_statsig.emulator import running
from tests.integration.imports.project import UNITS, imported, metric, parse
from tests.integration.shop import EXAMPLE

if TYPE_CHECKING:
    from pathlib import Path

    from dbt_statsig.emulator import Running
    from dbt_statsig.vocabulary.imports import ImportedObject


def objects(folder: Path, server: Running, **chosen: Any) -> dict[str, ImportedObject]:
    """What an import makes of each object, by name."""
    return {one.name: one for one in imported(folder, server, **chosen).objects}


def blocks(folder: Path, node: str = "fct_orders") -> Any:
    """What is under `statsig` of a model."""
    entries = yaml.safe_load((folder / "models" / "schema.yml").read_text(encoding="utf-8"))["models"]
    return next(entry for entry in entries if entry["name"] == node)["config"]["meta"]["statsig"]


@pytest.mark.usefixtures("server")
def test_it_shows_and_writes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --write the blocks are a diff, every object has a line with its reason, and no file changes."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert run(["import", "--no-cache"]) == 0
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    out = capsys.readouterr().out
    shown = out + " ".join(out.split())
    for text in (
        "+++ b/models/schema.yml",
        "- name: Shop orders",
        "Joined",
        "It joins.",
        'has no column "orderd_at"',
        'Did you mean "ordered_at"?',
        'It belongs to the dbt project "sales".',
        "No dbt node is the table crm.orders.",
        "    - name: crm\n      tables:\n        - name: leads\n        - name: orders",
        "7 objects: 2 exact, 1 as SQL, 1 with other differences, 1 not imported, 1 of other dbt projects, 1 owned",
        "3 blocks to write in 2 files.",
        "--write",
    ):
        assert text in shown
    assert "Ours" not in shown


def test_it_only_reads_statsig(folder: Path, server: Running) -> None:
    """It sends one request for each page of each list, and nothing but reads."""
    assert imported(folder, server, write=True).requests == 5
    assert [(one.method, one.status) for one in server.requests] == [("GET", 200)] * 5


@pytest.mark.usefixtures("server")
def test_written_blocks(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --write the blocks are in the files, and listed; the next import finds them declared and keeps its list."""
    assert run(["import", "--write", "--no-cache", "--name-pattern", "Shop *"]) == 0
    assert "2 blocks written in 2 files" in capsys.readouterr().out
    assert blocks(folder) == {
        "metric_source": {
            "name": "Shop orders",
            "id_type_mapping": {"userID": "user_id"},
            "columns": ["user_id"],
            "timestamp_column": "ordered_at",
        }
    }
    listed = json.loads((folder / "target" / "statsig_import.json").read_text(encoding="utf-8"))
    orders, payments = listed
    assert orders == {
        "kind": "metric_source",
        "name": "Shop orders",
        "unique_id": "model.shop.fct_orders",
        "exactness": "exact",
    }
    assert payments["unique_id"] == "source.shop.raw.payments"
    parse(folder, "duckdb")
    assert run(["import", "--write", "--no-cache", "--kind", "metric_source"]) == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert "model.shop.fct_orders declares this name." in shown
    assert "it is not overwritten" in shown  # the block of the joined query: the model has one of the kind
    assert json.loads((folder / "target" / "statsig_import.json").read_text(encoding="utf-8")) == listed


@pytest.mark.usefixtures("server")
def test_choosing_objects(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--name, --name-pattern and --kind choose objects; a name that Statsig does not have is a warning."""
    assert folder.is_dir()
    assert run(["import", "--no-cache", "--output", "json", "--name", "Joined", "--name", "Shop orders"]) == 0
    answer = json.loads(capsys.readouterr().out)["imported"]
    assert [one["name"] for one in answer["objects"]] == ["Joined", "Shop orders"]
    assert (answer["counts"], answer["wrote"]) == ({"exact": 1, "sql": 1}, False)
    assert run(["import", "--no-cache", "--name", "Shop order"]) == 0
    output = capsys.readouterr()
    assert output.err.startswith('Warning: --name "Shop order": Statsig has no object of this name. Did you mean "Shop')
    assert "0 objects" in output.out
    assert run(["import", "--no-cache", "--kind", "assignment_source", "--report", "json:answer.json"]) == 0
    assert import_objects(Request(project_dir=folder, kinds="metric")).objects == ()
    assert json.loads((folder / "answer.json").read_text(encoding="utf-8"))["imported"]["objects"] == []


def test_changes_need_a_word(folder: Path, server: Running) -> None:
    """A block that would change more is written only with --accept-changes, and its differences are shown."""
    assert not objects(folder, server, write=True, names=frozenset({"Misspelled"}))["Misspelled"].is_written
    found = objects(folder, server, write=True, accept_changes=True, names=frozenset({"Misspelled"}))["Misspelled"]
    assert (found.is_written, found.exactness) == (True, Exactness.CHANGES)
    assert 'no column "orderd_at"' in found.reason
    assert blocks(folder)["metric_source"]["timestamp_column"] == "orderd_at"


def test_only_what_defaults_do_not_give(folder: Path, server: Running) -> None:
    """Values that settings, marks and the node give are not repeated; what differs from them is written."""
    (folder / "dbt_statsig.yml").write_text("read_only: true\ndefaults: {is_verified: true, tags: [dbt]}\n")
    text = (folder / "models" / "schema.yml").read_text(encoding="utf-8")
    marked = "      - {name: order_id}\n      - {name: user_id, config: {meta: {statsig: {unit_id: userID}}}}\n"
    marked += "      - {name: ordered_at, config: {meta: {statsig: {role: timestamp}}}}\n    description: Sales.\n"
    (folder / "models" / "schema.yml").write_text(text.replace("      - {name: order_id}\n", marked))
    parse(folder, "duckdb")
    server.state.sources["metric_sources"] = {
        "Same": metric("Same", description="Sales.", isReadOnly=True, isVerified=True, tags=["dbt"]),
        "Other": metric("Other", description="", isReadOnly=False, isVerified=False),
    }
    found = objects(folder, server)
    assert found["Same"].block == {"name": "Same", "columns": ["user_id"]}
    assert found["Other"].block == {
        "name": "Other",
        "description": "",
        "tags": [],
        "is_read_only": False,
        "columns": ["user_id"],
        "is_verified": False,
    }


def test_fixed_properties_stay_fixed(folder: Path, server: Running) -> None:
    """An entity property source without a timestamp keeps to that where a default would give one."""
    (folder / "dbt_statsig.yml").write_text("defaults: {timestamp_column: updated_at}\n")
    server.state.sources["metric_sources"].clear()
    live = {"name": "Users", "sql": "SELECT user_id, plan FROM marts.dim_users", "idTypeMapping": UNITS, "tags": []}
    server.state.sources["entity_property_sources"]["Users"] = live | {"timestampColumn": ""}
    found = objects(folder, server)["Users"]
    assert (found.exactness, found.block["timestamp_column"]) == (Exactness.EXACT, None)


def test_names_of_another_target(folder: Path, server: Running) -> None:
    """With a prefix for this dbt target, other names are not imported, and the prefix is not part of the block's."""
    (folder / "dbt_statsig.yml").write_text("name_prefix: {dev: 'dev ', prod: ''}\n")
    server.state.sources["metric_sources"]["dev Shop orders"] = metric("dev Shop orders")
    environ = {"STATSIG_CONSOLE_API_KEY": server.key}
    flags = {"base_url": server.url, "cache": False}
    request = Request(project_dir=folder, target="dev", environ=environ, flags=flags)
    found = {one.name: one for one in import_objects(request, name_pattern="*Shop orders").objects}
    assert found["dev Shop orders"].block["name"] == "Shop orders"
    assert found["Shop orders"].reason == 'In this dbt target, names begin with "dev ".'


def test_what_a_write_would_lose(folder: Path, server: Running) -> None:
    """An object with a value that no write can send is not exact where taking it over sends the whole object."""
    server.state.sources["metric_sources"] = {"Shop orders": metric("Shop orders", novelty="x")}
    found = objects(folder, server)["Shop orders"]
    assert found.exactness is Exactness.CHANGES
    assert "novelty" in found.reason


def test_an_object_that_cannot_be_read(folder: Path, server: Running) -> None:
    """An object of which only the name can be read is not imported, with the fault."""
    server.state.sources["metric_sources"] = {"Odd": metric("Odd", timestampColumn=5)}
    found = objects(folder, server)["Odd"]
    assert found.exactness is Exactness.NOT_IMPORTED
    assert found.reason.startswith("It cannot be read: ")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("models:\n\t- name: fct_orders\n", "models/schema.yml:2"),
        ("models:\n  - name: fct_orders\n  - name: fct_orders\n", "models/schema.yml"),
        ("models:\n  - name: {{ x }}\n", "models/schema.yml"),
    ],
)
def test_a_file_that_cannot_be_edited(folder: Path, server: Running, text: str, reason: str) -> None:
    """An object whose property file cannot take a block is not imported, with the place; the others are written."""
    (folder / "models" / "schema.yml").write_text(text)
    result = imported(folder, server, write=True, pattern="Shop *")
    found = {one.name: one for one in result.objects}
    assert reason in found["Shop orders"].reason
    assert (found["Shop orders"].exactness, result.exit_code) == (Exactness.NOT_IMPORTED, 1)
    assert found["Shop payments"].is_written
    assert (folder / "models" / "schema.yml").read_text() == text


def test_without_a_key(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a key nothing is asked, and the message names the variable."""
    monkeypatch.delenv("STATSIG_CONSOLE_API_KEY", raising=False)
    assert folder.is_dir()
    assert run(["import", "--write"]) == 2
    assert "STATSIG_CONSOLE_API_KEY" in capsys.readouterr().err


def test_the_examples_console() -> None:
    """The hand-made console of the example project is a seed of the emulator, with two hundred objects of all kinds."""
    console = runpy.run_path(str(EXAMPLE / "hand_made.py"))["console"]()
    with running(seed=console) as one:
        held = {collection: len(items) for collection, items in one.state.sources.items()}
    assert sum(held.values()) >= 200
    assert all(held.values())


def test_new_models(folder: Path, server: Running) -> None:
    """A query that belongs to no node becomes a model where a folder is named: its text with references, no more."""
    (folder / "models" / "made").mkdir()
    equal = "select o.order_id || u.country as u,\n  now() as t -- all\nfrom marts.fct_orders o, MARTS.dim_users u;\n"
    units = [{"statsigUnitID": "userID", "column": "u"}]
    server.state.sources["metric_sources"] = {
        "Both: 1": metric("Both: 1", equal, timestampColumn="t", idTypeMapping=units),
        "Leads": metric("Leads", "SELECT user_id, ordered_at FROM crm.leads JOIN raw.twin USING (user_id)"),
        "Crm": metric("Crm", "SELECT user_id, ordered_at FROM crm.leads"),
        "fct orders": metric("fct orders", "SELECT user_id, ordered_at FROM crm.leads"),
        "Dated": metric("Dated", "SELECT user_id, ordered_at FROM crm.a WHERE d >= {statsig_start_date}"),
    }
    found = objects(folder, server)
    assert found["Crm"].fix == "--models-path DIR makes a model of its SQL."
    found = objects(folder, server, write=True, models_path="models/made/")
    assert {name: one.exactness.value for name, one in found.items()} == {
        "Both: 1": "new_model",
        "Crm": "new_model",
        "Dated": "not_imported",
        "Leads": "not_imported",
        "fct orders": "not_imported",
    }
    assert "date macros" in found["Dated"].reason
    assert '"fct_orders" cannot be the name of a new one' in found["fct orders"].reason
    made = (folder / "models" / "made" / "both_1.sql").read_text(encoding="utf-8")
    assert made == (
        "select o.order_id || u.country as u,\n  now() as t -- all\n"
        "from {{ ref('fct_orders') }} o, {{ ref('dim_users') }} u\n"
    )
    entries = yaml.safe_load((folder / "models" / "made" / "_statsig.yml").read_text(encoding="utf-8"))["models"]
    assert {entry["name"]: entry["config"]["meta"]["statsig"] for entry in entries}["both_1"] == {
        "metric_source": {"name": "Both: 1", "id_type_mapping": {"userID": "u"}, "timestamp_column": "t"}
    }
    assert json.loads((folder / "target" / "statsig_import.json").read_text(encoding="utf-8")) == []
    again = objects(folder, server, models_path="models/made")
    assert again["Crm"].reason == "models/made/crm.sql already exists."


def test_a_folder_for_models_must_exist(folder: Path, server: Running) -> None:
    """A folder that is not there, or not in the project, is refused before anything is read."""
    for name in ("models/nowhere", ".."):
        with pytest.raises(UsageError, match="is not a folder of the project"):
            objects(folder, server, models_path=name)
    assert server.requests == []


@pytest.mark.parametrize("name", ["list", "..", " x ", "a\nb", "{{ x }}", "x" * 300])
def test_names_that_cannot_be_declared(folder: Path, server: Running, name: str) -> None:
    """An object whose name no block can have is not imported, not even with --accept-changes."""
    server.state.sources["metric_sources"] = {name: metric(name)}
    found = objects(folder, server, write=True, accept_changes=True)[name]
    assert (found.exactness, found.is_written, dict(found.block)) == (Exactness.NOT_IMPORTED, False, {})
    assert "name" in found.reason


@pytest.mark.parametrize(
    "sql",
    [
        "",
        ";",
        "(",
        "-- only",
        "SELECT 1; SELECT 2",
        "INSERT INTO t SELECT 1",
        "SELECT '\0'",
        "SELECT " + "(" * 3000,
        "SELECT user_id FROM marts.fct_orders WHERE d = {statsig_day}",
        "SELECT {{ x }}",
        "VALUES (1)",
        "SELECT [user_id] FROM [marts].[fct_orders]",
        "/* x",
    ],
)
def test_sql_that_cannot_be_read(folder: Path, server: Running, sql: str) -> None:
    """An object whose SQL is no query over a table is not imported, with one sentence that says why."""
    server.state.sources["metric_sources"] = {"Odd": metric("Odd", sql)}
    found = objects(folder, server)["Odd"]
    assert found.exactness is Exactness.NOT_IMPORTED
    assert re.match(r"Its SQL cannot be read: |It reads no table", found.reason)
    assert "Token" not in found.reason


def test_keys_that_would_say_something_else(folder: Path, server: Running) -> None:
    """A query that reads a hidden column as one of all columns keeps its SQL, as a block would exclude the column."""
    text = (folder / "models" / "schema.yml").read_text(encoding="utf-8")
    tagged = "      - {name: order_id}\n      - {name: email, config: {tags: [pii]}}\n"
    (folder / "models" / "schema.yml").write_text(text.replace("      - {name: order_id}\n", tagged))
    parse(folder, "duckdb")
    server.state.sources["metric_sources"] = {"All": metric("All", "SELECT * FROM marts.fct_orders")}
    found = objects(folder, server)["All"]
    assert (found.exactness, found.reason) == (Exactness.SQL, "As keys it would change: sql.")
    assert found.block["sql"] == "SELECT * FROM marts.fct_orders"


def test_disabled_blocks(folder: Path, server: Running) -> None:
    """An object whose block is disabled is declared; where the defaults disable all blocks, none is made."""
    text = (folder / "models" / "schema.yml").read_text(encoding="utf-8")
    block = "{metric_source: {name: Shop orders, enabled: false}}"
    held = text.replace("  - name: fct_orders\n", f"  - name: fct_orders\n    config: {{meta: {{statsig: {block}}}}}\n")
    (folder / "models" / "schema.yml").write_text(held, encoding="utf-8")
    parse(folder, "duckdb")
    assert objects(folder, server)["Shop orders"].exactness is Exactness.DECLARED
    (folder / "dbt_statsig.yml").write_text("defaults: {enabled: false}\n")
    found = objects(folder, server, models_path="models")
    assert {found[name].exactness for name in ("Shop payments", "Elsewhere")} == {Exactness.NOT_IMPORTED}
    assert "disable" in found["Shop payments"].reason
    assert "disable" in found["Elsewhere"].reason
