"""Writes that a warehouse proves or refuses: the same on every database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tests.integration.emulator.samples import BODIES, CREATES, ITEMS, UNITS

if TYPE_CHECKING:
    import httpx

TABLES = (
    "create table orders (user_id text, device_id text, ts timestamp, day date, day_number int, gross int, tax int)",
    "create table exposures (user_id text, ts timestamp, experiment text, variant text, variant_name text)",
    "create table users (user_id text, plan text, since timestamp)",
)

METRIC = {**BODIES["metric_sources"], "sql": "select user_id, ts, gross, tax from orders"}
TABLE = {**METRIC, "sql": "", "sourceType": "table", "tableName": "orders"}


class Case(NamedTuple):
    """One body to create, and the properties that are refused (none: it is accepted)."""

    name: str
    collection: str
    body: dict[str, Any]
    refused: tuple[str, ...] = ()


def metric(name: str, *refused: str, **fields: Any) -> Case:
    """A case that differs from a good metric source by these fields."""
    return Case(name, "metric_sources", {**METRIC, **fields}, refused)


CASES = (
    metric("good query"),
    Case(
        "good assignment",
        "assignment_sources",
        {
            **BODIES["assignment_sources"],
            "groupNameColumn": "variant_name",
            "sql": "select * from exposures where ts >= {statsig_start_date}",
        },
    ),
    Case("good fixed properties", "entity_property_sources", BODIES["entity_property_sources"]),
    Case(
        "date macros",
        "qualifying_events",
        {
            **METRIC,
            "name": "Ordered",
            "sql": "select * from orders where day between {statsig_start_date} and {statsig_end_date}",
        },
    ),
    metric("macros as numbers", sql="select * from orders where day_number >= {statsig_start_date_int}"),
    metric("start of the experiment", sql="select * from orders where ts < {statsig_experiment_start_timestamp}"),
    metric("a comment at the end", sql="select user_id, ts from orders -- all of them"),
    metric(
        "formulas", customFieldMapping=[{"key": "net", "formula": "gross - tax"}, {"key": "one", "formula": "1 -- x"}]
    ),
    Case("a table", "metric_sources", {**TABLE, "datePartitionColumn": "day"}),
    metric("syntax error", "sql", sql="selec user_id"),
    metric("absent table", "sql", sql="select user_id, ts from nowhere"),
    metric("absent column in the query", "sql", sql="select user_id, nope as ts from orders"),
    metric("absent timestamp", "timestampColumn", timestampColumn="at"),
    metric(
        "absent unit column",
        "idTypeMapping[1].column",
        idTypeMapping=[*UNITS, {"statsigUnitID": "d", "column": "device_id"}],
    ),
    Case(
        "absent columns of an assignment",
        "assignment_sources",
        {**BODIES["assignment_sources"], "sql": "select user_id, ts from exposures", "groupNameColumn": "variant_name"},
        ("experimentIDColumn", "groupIDColumn", "groupNameColumn"),
    ),
    Case(
        "absent properties' time",
        "entity_property_sources",
        {**BODIES["entity_property_sources"], "timestampColumn": "since"},
        ("timestampColumn",),
    ),
    metric(
        "a formula on what is not selected",
        "customFieldMapping[0].formula",
        customFieldMapping=[{"key": "d", "formula": "device_id"}, {"key": "g", "formula": "gross"}],
    ),
    Case("absent table source", "metric_sources", {**TABLE, "tableName": "nowhere"}, ("tableName",)),
    Case("absent partition", "metric_sources", {**TABLE, "datePartitionColumn": "week"}, ("datePartitionColumn",)),
    metric("unknown macro", "sql", sql="select user_id, ts from orders where day > {statsig_begin_date}"),
    metric(
        "unknown macro in a formula",
        "customFieldMapping[0].formula",
        customFieldMapping=[{"key": "x", "formula": "{statsig_x}"}],
    ),
    Case(
        "a macro of other kinds",
        "assignment_sources",
        {
            **BODIES["assignment_sources"],
            "sql": "select * from exposures where ts < {statsig_experiment_start_timestamp}",
        },
        ("sql",),
    ),
    metric("two statements", "sql", sql="select 1) as q; drop table orders; select * from (select 1"),
    metric("a statement that writes", "sql", sql="drop table orders"),
    Case(
        "a table that is a statement",
        "metric_sources",
        {**TABLE, "tableName": "orders; drop table orders"},
        ("tableName",),
    ),
    metric("a trailing semicolon", "sql", sql="select user_id, ts from orders;"),
)


def assert_judged(client: httpx.Client, case: Case) -> None:
    """Create `case` as a dry run and for good; both must answer as it says, and only the latter persist."""
    for dry in (True, False):
        answer = client.post(CREATES[case.collection], json={**case.body, "dryRun": dry})
        assert answer.status_code == (400 if case.refused else 201), answer.text
        if case.refused:
            errors = answer.json()["errors"]
            assert tuple(error["property"] for error in errors) == case.refused
            assert all(error["errorMessage"] for error in errors)


ANSWERS_TO_UPDATES = [
    (400, ["experimentIDColumn", "groupIDColumn", "idTypeMapping[0].column"]),
    (400, ["groupNameColumn"]),
    (200, []),
]


def answers_to_updates(client: httpx.Client) -> list[tuple[int, list[str]]]:
    """Status and refused properties of an update without a column, and of two partial ones; the last one is right."""
    client.post(CREATES["assignment_sources"], json=BODIES["assignment_sources"]).raise_for_status()
    path = f"{ITEMS['assignment_sources']}/Exposures"
    broken = client.post(path, json={**BODIES["assignment_sources"], "sql": "select 1 as ts"})
    missing = client.patch(path, json={"groupNameColumn": "group"})
    good = client.patch(path, json={"groupNameColumn": "variant"})
    return [
        (one.status_code, [error["property"] for error in one.json().get("errors", ())])
        for one in (broken, missing, good)
    ]


def answers_to_broken_sql(client: httpx.Client) -> tuple[int, int, set[str]]:
    """The status without and with `skip_validation`, and what is stored of that key and of its columns."""
    refused = client.post(CREATES["metric_sources"], json={**METRIC, "sql": "selec"})
    unchecked = {"skip_validation": True, "all_columns": ["ts"], "column_types": ["timestamp"]}
    answer = client.post(CREATES["metric_sources"], json={**METRIC, "sql": "selec", **unchecked})
    return refused.status_code, answer.status_code, unchecked.keys() & answer.json()["data"]
