"""Tests of blocks: their forms, their keys, and what is reported of wrong ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec import UNSET

from dbt_statsig.vocabulary.findings import Location
from dbt_statsig.vocabulary.kinds import OwnerMeta
from dbt_statsig.vocabulary.sources import Kind
from tests.unit.project.declarations.project import FILE, declared, one_model, output

if TYPE_CHECKING:
    from pathlib import Path

METRIC = "name: Orders, timestamp_column: at, id_type_mapping: {userID: user_id}"


def test_every_key_of_an_assignment_source(tmp_path: Path) -> None:
    """All keys arrive typed; what was not written is UNSET."""
    found = one_model(
        """
        statsig:
          assignment_source:
            name: Checkout exposures
            description: Who saw what.
            tags: [growth, web]
            timestamp_column: exposed_at
            experiment_id_column: experiment
            group_id_column: variant
            group_name_column: variant_name
            id_type_mapping: {userID: user_id, stableID: device_id}
            is_verified: true
            is_read_only: "False"
            team: null
            owner: {owner_id: u1, owner_email: a@b.c}
            scheduled_reload_hour: "7"
            columns: [country]
            exclude_columns: [email]
            where: country <> 'XX'
            partition_column: day
        """,
        tmp_path,
    )
    assert found.findings == ()
    (block,) = found.declarations
    assert (block.kind, block.name, block.key) == (
        Kind.ASSIGNMENT_SOURCE,
        "Checkout exposures",
        "statsig.assignment_source",
    )
    meta = block.meta
    assert meta.tags == ("growth", "web")
    assert meta.id_type_mapping == {"userID": "user_id", "stableID": "device_id"}
    assert meta.is_read_only is False
    assert meta.team is None
    assert meta.team_id is UNSET
    assert meta.owner == OwnerMeta(owner_id="u1", owner_email="a@b.c")
    assert getattr(meta, "scheduled_reload_hour", None) == 7
    assert meta.sql is UNSET
    assert repr(block) == "Declaration(model.shop.fct_orders, statsig.assignment_source, 'Checkout exposures')"


def test_every_key_of_the_other_kinds(tmp_path: Path) -> None:
    """Metric sources and qualifying events take the keys of tables and queries, entity sources theirs."""
    found = one_model(
        """
        statsig:
          metric_source:
            name: Orders
            timestamp_column: at
            timestamp_as_day: true
            id_type_mapping: {userID: user_id}
            source_type: table
            table_name: db.main.orders
            date_partition_column: day
            custom_field_mapping: {net: amount - tax}
            disable_cure: true
            skip_validation: false
            is_verified: false
            team_id: t1
          qualifying_event: {name: Opened, timestamp_column: at, id_type_mapping: {userID: user_id}, sql: select 1}
          entity_property_source: {name: Users, timestamp_column: null, id_type_mapping: {userID: user_id}}
        """,
        tmp_path,
        fields={"fct_orders": {"config": {"event_time": "at"}}},
    )
    assert [output(one) for one in found.findings] == []
    by_kind = {one.kind: one.meta for one in found.declarations}
    assert getattr(by_kind[Kind.METRIC_SOURCE], "custom_field_mapping", None) == {"net": "amount - tax"}
    assert by_kind[Kind.QUALIFYING_EVENT].sql == "select 1"
    assert getattr(by_kind[Kind.ENTITY_PROPERTY_SOURCE], "timestamp_column", UNSET) is None


def test_forms_of_a_block(tmp_path: Path) -> None:
    """A kind takes one mapping, a list of them, or just a name that columns and defaults complete."""
    found = one_model(
        """
        statsig:
          entity_property_source: Users
          qualifying_event:
            - {name: Opened, where: opened}
            - Closed
        """,
        tmp_path,
        columns="""
        - {name: user_id, config: {meta: {statsig: {unit_id: userID}}}}
        - {name: at, config: {meta: {statsig: {role: timestamp}}}}
        """,
    )
    assert found.findings == ()
    assert [(one.key, one.name, str(one.location)) for one in found.declarations] == [
        ("statsig.entity_property_source", "Users", f"{FILE}:6:11"),
        ("statsig.qualifying_event[0]", "Opened", f"{FILE}:8:15"),
        ("statsig.qualifying_event[1]", "Closed", f"{FILE}:9:15"),
    ]
    assert found.declarations[2].locate("name") == Location(FILE, 9, 15)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("timestamp_colum: at", 'unknown-key 7:5 `timestamp_colum` … Did you mean "timestamp_column"?'),
        ("on: x", "unknown-key 7:5 `true` … YAML reads an unquoted on"),
        ("zzz: x", "unknown-key 7:5 `zzz` … Known keys: name, enabled"),
        ("group_id_column: g", "unknown-key 7:5 `group_id_column` is only a key of assignment sources. … Remove it."),
        ("description: 12", "wrong-type 7:5 `description` takes text, not the number 12. … Put quotes"),
        ("where: yes", "wrong-type 7:5 `where` takes SQL as text, not true. … Put quotes"),
        ("where: ' '", "wrong-type 7:5 `where` is empty. … Give SQL as text."),
        ("is_verified: 1", "wrong-type 7:5 `is_verified` takes true or false, not the number 1."),
        ("is_verified: yep", 'wrong-type 7:5 `is_verified` takes true or false, not "yep".'),
        ("tags: growth", 'wrong-type 7:5 `tags` takes a list, each entry a tag, not "growth". … Write [growth].'),
        ("columns: [a, a]", 'wrong-type 7:18 `columns[1]` is in the list twice: "a". … Remove'),
        ("tags: ['']", "wrong-type 7:12 `tags[0]` is empty."),
        ("columns: []", "wrong-type 7:5 `columns` is an empty list."),
        (
            'columns: "*"',
            "wrong-type 7:5 `columns` takes a list, each entry a column's name, not *. … Remove `columns`",
        ),
        (
            'columns: ["*"]',
            "wrong-type 7:5 `columns` takes a list, each entry a column's name, not *. … Remove `columns`",
        ),
        ("columns: [' a']", 'wrong-type 7:15 `columns[0]` begins or ends with a blank: " a". … Remove it.'),
        ("columns: {a: b}", "wrong-type 7:5 `columns` takes a list, each entry a column's name, not a mapping."),
        ("source_type: tabel", 'wrong-type 7:5 `source_type` takes one of "query", "table", not "tabel". … "table"?'),
        ("owner: {owner_nam: x}", 'unknown-key 7:13 `owner.owner_nam` … Did you mean "owner_name"?'),
        ("owner: me", 'wrong-type 7:5 `owner` takes a mapping, not "me".'),
        ("custom_field_mapping: {net: 1}", "wrong-type 7:28 `custom_field_mapping.net` takes SQL as text, not the"),
        ("partition_column: null", "wrong-type 7:5 `partition_column` takes a column's name, not an empty value."),
        ("team: '{{ var(\"t\") }}'", "unrendered-jinja 7:5 `team` contains {{ or {%: dbt did not render it."),
        ('team: "a\\tb"', 'wrong-type 7:5 `team` contains a control character: "a\\tb".'),
        ('description: "a\\0b"', 'wrong-type 7:5 `description` is not valid text: "a\\x00b".'),
        ("exclude_columns: 3.5", "wrong-type 7:5 `exclude_columns` takes a list, each entry a column's name, not the"),
    ],
)
def test_a_wrong_key(tmp_path: Path, keys: str, expected: str) -> None:
    """Each wrong key or value gives one finding with its place, what is wrong, and the next step."""
    meta = f"statsig:\n  metric_source:\n    {keys}\n    name: Orders\n    timestamp_column: at\n"
    found = one_model(meta + "    id_type_mapping: {userID: user_id}\n", tmp_path)
    (fault,) = found.findings
    message, _, fix = expected.partition(" … ")
    code, place, rest = message.split(" ", 2)
    line, column = place.split(":")
    assert (fault.code, fault.location) == (code, Location(FILE, int(line), int(column) + 8))
    assert fault.message.startswith(rest)
    assert fix in fault.fix
    assert fault.fix
    assert (fault.unique_id, fault.kind, fault.source) == ("model.shop.fct_orders", "metric_source", "Orders")
    assert fault.key.startswith("statsig.metric_source.")
    assert [one.name for one in found.declarations] == ["Orders"]


@pytest.mark.parametrize("hour", ["24", "-1", "7.5", "seven", "true", "'99'", "1" + "0" * 400])
def test_a_wrong_hour(tmp_path: Path, hour: str) -> None:
    """The hour of a scan is a whole number from 0 to 23."""
    meta = f"statsig: {{assignment_source: {{name: A, scheduled_reload_hour: {hour}}}}}"
    found = one_model(meta, tmp_path)
    (fault,) = (one for one in found.findings if one.code == "wrong-type")
    assert "takes a whole number from 0 to 23" in fault.message


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("''", "is empty"),
        ("'  '", "is empty"),
        ("' Orders'", "begins or ends with a blank"),
        ("x" * 256, "has 256 characters; at most 255 are allowed"),
        ('"a\\nb"', "contains a control character"),
        ("LIST", "the Console API reserves it"),
        (".", "the Console API reserves it"),
        ("'..'", "the Console API reserves it"),
    ],
)
def test_a_bad_name(tmp_path: Path, name: str, message: str) -> None:
    """A name that the API could not hold is refused, and the block protected from counting as an orphan."""
    found = one_model(f"statsig: {{metric_source: {{{METRIC.replace('Orders', name)}}}}}", tmp_path)
    (fault,) = found.findings
    assert fault.code == "bad-name"
    assert message in fault.message
    assert fault.source.isprintable()
    assert found.declarations == ()
    (block,) = found.faulty
    assert (block.kind, block.unique_id, block.name) == (Kind.METRIC_SOURCE, "model.shop.fct_orders", fault.source)


def test_list_is_a_name_elsewhere(tmp_path: Path) -> None:
    """Only the metric source `list` collides with a route of the API."""
    found = one_model("statsig: {entity_property_source: {name: list, id_type_mapping: {userID: id}}}", tmp_path)
    assert found.findings == ()


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        (
            "statsig: {metric_sourc: {}}",
            'unknown-key `statsig.metric_sourc` is not a kind of source. | "metric_source"?',
        ),
        ("statsig: {}", "missing-key `statsig` does not name a kind of source. | Name the kind"),
        ("statsig: true", "wrong-type `statsig` takes a mapping, not true. | Name the kind"),
        ("statsig: null", "wrong-type `statsig` takes a mapping, not an empty value. | Name the kind"),
        ("statsig: {metric_source: []}", "wrong-type `statsig.metric_source` is an empty list. | Write the value"),
        ("statsig: {metric_source: 3}", "wrong-type `statsig.metric_source` takes a mapping (or just a name) | `name`"),
        ("statsig: {metric_source: [null]}", "wrong-type `statsig.metric_source[0]` takes a mapping (or just | `name`"),
    ],
)
def test_a_wrong_frame(tmp_path: Path, meta: str, expected: str) -> None:
    """What is no block at all is reported, and nothing of the node counts as an orphan meanwhile."""
    found = one_model(meta, tmp_path)
    (fault,) = found.findings
    message, _, fix = expected.partition(" | ")
    assert f"{fault.code} {fault.message}".startswith(message)
    assert fix in fault.fix
    assert found.declarations == ()
    assert Kind.METRIC_SOURCE in {block.kind for block in found.faulty}


def test_all_faults_at_once(tmp_path: Path) -> None:
    """No fault hides another."""
    meta = """
    statsigs: 1
    statsig:
      metric_source: {tags: 1, where: [], nmae: x, is_verified: maybe}
      event: {}
    """
    found = one_model(meta, tmp_path)
    assert sorted(one.code for one in found.findings) == [
        "missing-key",
        "missing-key",
        "unknown-key",
        "unknown-key",
        "unknown-key",
        "wrong-type",
        "wrong-type",
        "wrong-type",
    ]


def test_an_unquoted_key_of_a_live_manifest(tmp_path: Path) -> None:
    """A key that YAML read as true is named so, whether it comes from JSON or from dbt's own objects."""
    found = one_model(f"statsig: {{metric_source: {{{METRIC}, True: x}}}}", tmp_path)
    assert "put quotes around it" in found.findings[0].fix


@pytest.mark.parametrize("value", ["false", "'False'", "' FALSE '"])
def test_a_block_that_is_not_enabled(tmp_path: Path, value: str) -> None:
    """`enabled: false`, also as Jinja writes it, leaves the block out with all its faults and marks."""
    meta = f"statsig: {{metric_source: {{enabled: {value}, nonsense: 1}}}}\nstatsigs: 1"
    columns = "- {name: a, config: {meta: {statsig: {role: nonsense}}}}"
    found = one_model(meta, tmp_path, columns=columns)
    assert (found.declarations, found.findings, found.faulty, found.names) == ((), (), (), ())


@pytest.mark.parametrize("key", ["statsgi", "Satsig", "stats_ig"])
def test_a_misspelled_marker(tmp_path: Path, key: str) -> None:
    """A block under a key that is nearly `statsig` is named, although nothing else says that the node is meant."""
    text = f"""
    models:
      - name: orders
        config: {{meta: {{{key}: {{metric_source: {{name: Orders}}}}}}}}
    """
    (fault,) = declared(text, tmp_path).findings
    assert (fault.code, fault.unique_id, fault.fix) == ("unknown-key", "model.shop.orders", 'Did you mean "statsig"?')
    assert str(fault.location) == f"{FILE}:4:21"


@pytest.mark.parametrize("meta", ["", ", meta: {statsig: {metric_source: {name: Orders, enabled: true}}}"])
def test_a_block_under_config(tmp_path: Path, meta: str) -> None:
    """A `statsig` under `config`, beside `meta`, is named with its place, and the node's objects stay."""
    misplaced = {"statsig": {"metric_source": {"name": "Orders"}}}
    text = f"""
    models:
      - name: orders
        config: {{statsig: {{metric_source: {{name: Orders}}}}{meta}}}
    """
    found = declared(text, tmp_path, fields={"orders": {"config": misplaced}})
    fault = next(one for one in found.findings if one.code == "unknown-key")
    assert fault.message == "`statsig` is under `config`, where it is not read."
    assert fault.fix == "Move it under `meta`, to `config.meta.statsig`."
    assert fault.location is not None
    assert fault.location.line == 4
    assert found.faulty


@pytest.mark.parametrize("meta", ["{lineage: {metric_source: {name: A}}}", "{statsgi: {other: 1}}", "{statsgi: 1}"])
def test_another_tool_s_meta(tmp_path: Path, meta: str) -> None:
    """A key that is not nearly `statsig`, or that holds no block, is somebody else's."""
    found = declared(f"models:\n  - name: orders\n    config: {{meta: {meta}}}\n", tmp_path)
    assert (found.findings, found.declarations) == ((), ())
