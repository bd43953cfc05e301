"""The metric endpoints: the published contract, archives, and the SQL that a warehouse can run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import duckdb
import msgspec
import pytest

from dbt_statsig.emulator.core import Emulator
from dbt_statsig.emulator.metric_contract import AGGREGATIONS, NATIVE
from dbt_statsig.emulator.options import Options
from dbt_statsig.emulator.page import page
from dbt_statsig.emulator.replies import Call

if TYPE_CHECKING:
    from pathlib import Path

    from dbt_statsig.emulator.replies import Reply

ORDERS = {
    "name": "orders",
    "sql": "select * from orders",
    "timestampColumn": "ts",
    "idTypeMapping": [{"statsigUnitID": "userID", "column": "user_id"}],
    "customFieldMapping": [{"key": "net", "formula": "amount - 1"}],
}
PART: dict[str, Any] = {"metricSourceName": "orders", "criteria": []}
VALUED = {**PART, "valueColumn": "amount"}
DEFINITIONS: dict[str, dict[str, Any]] = {
    "count": {"metricSources": [PART]},
    "daily_participation": {"metricSources": [PART], "rollupTimeWindow": "max"},
    "retention": {"metricSources": [PART], "retentionEnd": 14, "retentionLength": 7},
    "percentile": {"metricSources": [VALUED], "percentile": 0.5},
    "ratio": {
        "metricSources": [VALUED],
        "numeratorAggregation": "sum",
        "denominatorAggregation": "count",
        "denominatorMetricSourceName": "orders",
    },
    "funnel": {"funnelEvents": [{**PART, "name": "start"}, {**PART, "name": None}], "funnelCountDistinct": "users"},
    "composite": {"components": [{**VALUED, "operator": "+", "aggregation": "sum"}]},
    **{
        name: {"metricSources": [VALUED]}
        for name in ("sum", "mean", "count_distinct", "first_value", "latest_value", "max", "min")
    },
}


def body(aggregation: str, **more: Any) -> dict[str, Any]:
    """A metric of an aggregation."""
    native = {"aggregation": aggregation, **DEFINITIONS[aggregation]}
    return {"name": f"a {aggregation}", "type": "user_warehouse", "warehouseNative": native, **more}


class Service:
    """An emulator with one metric source, without a socket."""

    def __init__(self, **options: Any) -> None:
        self.emulator = Emulator(Options(seed={"metric_sources": [ORDERS]}, **options))

    def call(self, method: str, path: str, content: Any = None, query: str = "") -> Reply:
        """The answer to one request."""
        return self.emulator.api.answer(
            Call(
                method=method,
                path=f"/console/v1/metrics{path}",
                query=query,
                headers={"statsig-api-key": self.emulator.options.key},
                body=b"" if content is None else msgspec.json.encode(content),
            )
        )

    def names(self, *, hidden: bool = False) -> list[str]:
        """What the list shows."""
        query = "limit=100&page=1" + ("&showHiddenMetrics=true" if hidden else "")
        return [one["name"] for one in self.call("GET", "/list", query=query).payload["data"]]


def item(name: str) -> str:
    """The path of a metric."""
    return f"/{quote(name + '::user_warehouse', safe='')}"


@pytest.mark.parametrize("aggregation", [one for one in AGGREGATIONS if one])
def test_every_aggregation(aggregation: str) -> None:
    """Each aggregation is taken in a dry run, a create and an update, and read as it was sent."""
    service, sent = Service(), body(aggregation)
    assert service.call("POST", "", {**sent, "dryRun": True}).status == 201
    assert service.names() == []
    assert service.call("POST", "", sent).status == 201
    assert service.call("POST", "", sent).status == 400  # the name is taken
    update = {"warehouseNative": sent["warehouseNative"], "description": "x", "scheduledReloadHour": 3}
    assert service.call("POST", item(sent["name"]), update).status == 200
    for path in (item(sent["name"]), f"/{quote(sent['name'])}/user_warehouse"):
        read = service.call("GET", path).payload["data"]
        assert (read["description"], read["warehouseNative"]) == ("x", sent["warehouseNative"])
    assert [one["name"] for one in service.call("GET", "/metric_source/orders/metrics", query="limit=9&page=1").payload["data"]] == [sent["name"]]  # fmt: skip  # noqa: E501


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"name": "abc"}, "name", "String must contain at least 4 character(s)"),
    ({"name": "a" * 201}, "name", "String must contain at most 200 character(s)"),
    ({"name": "Umsatz €"}, "name", "Invalid"),
    ({"description": "x" * 1001}, "description", "String must contain at most 1000 character(s)"),
    ({"directionality": "up"}, "directionality", "Invalid enum value. Expected 'increase' | 'decrease', received 'up'"),
    ({"directionality": 1}, "directionality", "Expected 'increase' | 'decrease', received number"),
    ({"tags": 1}, "tags", "Expected array, received number"),
    ({"name": None}, "name", "Expected string, received null"),
    ({"rows": 1}, "", "Unrecognized key(s) in object: 'rows'"),
    ({"scheduledReloadHour": 3}, "", "Unrecognized key(s) in object: 'scheduledReloadHour'"),
]
NATIVE_WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"winsorizationHigh": 2}, "winsorizationHigh", "Number must be less than or equal to 1"),
    ({"winsorizationLow": -1}, "winsorizationLow", "Number must be greater than or equal to 0"),
    ({"metricBakeDays": 0.5}, "metricBakeDays", "Expected integer, received float"),
    ({"cap": "1"}, "cap", "Expected number, received string"),
    ({"metricSources": [{"metricSourceName": "orders"}]}, "metricSources[0].criteria", "Required"),
    ({"metricSources": 1}, "metricSources", "Expected array, received number"),
    ({"components": [1]}, "components[0]", "Expected object, received number"),
    ({"aggregation": ""}, "aggregation", "Required"),
    ({"metricSources": []}, "metricSources", "Required"),
    ({"metricSources": [PART]}, "metricSources", "valueColumn is required for sum"),
    ({"metricSources": [{**VALUED, "metricSourceName": "x"}]}, "", "metric source 'x' does not exist"),
]


@pytest.mark.parametrize(
    ("change", "place", "message"),
    [
        *WRONG,
        *(
            (
                {"warehouseNative": {**body("sum")["warehouseNative"], **change}},
                ".".join(filter(None, ["warehouseNative", place])),
                message,
            )
            for change, place, message in NATIVE_WRONG
        ),
    ],
)
def test_what_is_refused(change: dict[str, Any], place: str, message: str) -> None:
    """A body that breaks the published contract is refused with zod's words, and nothing is kept."""
    service = Service()
    reply = service.call("POST", "", {**body("sum"), **change})
    assert (reply.status, service.names()) == (400, [])
    assert {"property": place, "errorMessage": message} in reply.payload["errors"]


def test_sides_of_a_ratio() -> None:
    """A mean is no side of a ratio, and a sum needs its column."""
    sent = body("ratio")
    sent["warehouseNative"] |= {"numeratorAggregation": "mean", "denominatorAggregation": "sum"}
    errors = Service().call("POST", "", sent).payload["errors"]
    assert [one["errorMessage"] for one in errors] == ["mean cannot be a side of a ratio", "Required"]


def test_the_type_cannot_be_updated() -> None:
    """An update refuses `type`, and a metric that is not there is 404; a new name gives a new ID."""
    service = Service()
    service.call("POST", "", body("sum", tags="core"))
    assert service.call("POST", item("a sum"), {"type": "user_warehouse"}).status == 400
    assert service.call("POST", item("no such"), {}).status == 404
    service.call("POST", "", body("count"))
    assert service.call("POST", item("a sum"), {"name": "a count"}).status == 400
    assert service.call("POST", item("a sum"), {"name": "Revenue"}).payload["data"]["id"] == "Revenue::user_warehouse"
    assert (service.names(), service.emulator.state.tag_names()) == (["Revenue", "a count"], {"core"})
    assert service.call("DELETE", item("Revenue")).status == 200
    assert service.call("DELETE", item("Revenue")).status == 404
    assert service.call("PUT", item("a count") + "/reload").status == 404


def test_the_deprecated_form_overwrites_the_list() -> None:
    """`metricSourceName` beside the list becomes the list; an update keeps the rest, or resets it where asked to."""
    flat = {"aggregation": "sum", "metricSourceName": "orders", "valueColumn": "amount", "cap": 9}
    for resets, kept in ((False, {"cap": 9}), (True, {})):
        service = Service(full_update_resets=resets)
        service.call("POST", "", {**body("sum"), "warehouseNative": flat})
        held = service.call("GET", item("a sum")).payload["data"]["warehouseNative"]
        assert held == {"aggregation": "sum", "cap": 9, "metricSources": [VALUED]}
        native = body("sum")["warehouseNative"]
        changed = service.call("POST", item("a sum"), {"warehouseNative": native}).payload["data"]
        assert changed["warehouseNative"] == {**native, **kept}


@pytest.mark.parametrize("at_once", [False, True])
def test_archiving(at_once: bool) -> None:  # noqa: FBT001
    """An archive is scheduled and can be cancelled; once done, it can be undone, and a list hides it."""
    service = Service(archives_at_once=at_once)
    service.call("POST", "", body("sum"))
    undo, wrong = ("unarchive", "cancel_archive") if at_once else ("cancel_archive", "unarchive")
    assert service.call("PUT", item("a sum") + f"/{undo}").status == 400
    assert service.call("PUT", item("a sum") + "/schedule_archive").status == 200
    assert (service.names(), service.names(hidden=True)) == ([] if at_once else ["a sum"], ["a sum"])
    service.call("POST", item("a sum"), {"name": "Revenue"})
    assert service.call("PUT", item("Revenue") + f"/{wrong}").status == 400
    assert service.call("PUT", item("Revenue") + f"/{undo}").status == 200
    assert service.names() == ["Revenue"]


def test_unknown_tags() -> None:
    """Where unknown tags are refused, a metric's are too."""
    assert Service(refuse_unknown_tags=True).call("POST", "", body("sum", tags=["new"])).status == 400


def criterion(condition: str, *values: str, column: str = "city") -> dict[str, Any]:
    """One criterion."""
    return {"type": "metadata", "condition": condition, "column": column, "values": list(values)}


VALUES: list[tuple[dict[str, Any], float]] = [
    ({"aggregation": "count", "metricSources": [PART]}, 4),
    ({"aggregation": "sum", "metricSources": [VALUED]}, 100),
    ({"aggregation": "sum", "metricSources": [VALUED, VALUED]}, 200),
    ({"aggregation": "sum", "metricSources": [{**VALUED, "valueColumn": "net"}]}, 96),
    ({"aggregation": "mean", "metricSources": [VALUED]}, 25),
    ({"aggregation": "count_distinct", "metricSources": [{**PART, "valueColumn": "user_id"}]}, 2),
    ({"aggregation": "ratio", **DEFINITIONS["ratio"]}, 25),
    *(
        ({"aggregation": "count", "metricSources": [{**PART, "criteria": [one]}]}, count)
        for one, count in (
            (criterion("sql_filter", "amount > 15", column=""), 3),
            (criterion("in", "Bern", "Basel"), 3),
            (criterion("not_in", "Bern"), 1),
            (criterion("=", "Bern"), 2),
            (criterion(">=", "30", column="amount"), 2),
            (criterion("is_null"), 1),
            (criterion("non_null"), 3),
            (criterion("contains", "e"), 3),
            (criterion("not_contains", "s"), 2),
            (criterion("starts_with", "Ba"), 1),
            (criterion("ends_with", "n"), 2),
            (criterion("after_exposure"), 4),
        )
    ),
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DuckDB file with four orders."""
    path = tmp_path_factory.mktemp("shop") / "shop.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table orders (user_id int, ts timestamp, amount int, city text)")
        rows = "(1, now(), 10, 'Bern'), (1, now(), 20, 'Bern'), (2, now(), 30, 'Basel'), (2, now(), 40, null)"
        connection.execute(f"insert into orders values {rows}")
    return path


@pytest.mark.parametrize(("native", "value"), VALUES)
def test_values(shop: Path, native: dict[str, Any], value: float) -> None:
    """What the warehouse computes for a plain aggregate is its value, on the page too, and its SQL can be read."""
    service = Service(warehouse=str(shop))
    metric = {**body("sum"), "warehouseNative": native}
    assert service.call("POST", "", metric).status == 201
    metrics = service.emulator.api.metrics
    assert metrics.value(service.call("GET", item("a sum")).payload["data"]) == value
    assert f"<td>{value}" in page(service.emulator.state.as_seed(), metrics.value)
    (sql,) = service.call("GET", item("a sum") + "/sql").payload["data"]
    with duckdb.connect(str(shop), read_only=True) as connection:
        units = {unit for unit, _ in connection.execute(sql["sql"]).fetchall()}
    assert sql["idType"] == "userID"
    assert units
    assert units <= {1, 2}


def test_what_the_warehouse_refuses(shop: Path) -> None:
    """A column that the source does not have is refused with the database's words."""
    native = {"aggregation": "sum", "metricSources": [{**VALUED, "valueColumn": "amout"}]}
    reply = Service(warehouse=str(shop)).call("POST", "", {**body("sum"), "warehouseNative": native})
    assert reply.status == 400
    assert 'column "amout" not found' in reply.payload["errors"][0]["errorMessage"]


def test_no_sql_for_other_aggregations() -> None:
    """What is no plain aggregate has no SQL here and no value, nor has a unit that the source does not have."""
    service = Service()
    service.call("POST", "", body("funnel"))
    service.call("POST", "", body("sum", unitTypes=["companyID"]))
    assert [service.call("GET", f"{item(name)}/sql").payload["data"] for name in ("a funnel", "a sum")] == [[], []]
    assert service.emulator.api.metrics.value({"warehouseNative": {"aggregation": "sum"}}) is None
    gone = {"aggregation": "count", "metricSources": [{**PART, "metricSourceName": "gone"}]}
    assert service.emulator.api.metrics.value({"warehouseNative": gone}) is None


def test_the_published_fields() -> None:
    """A definition has the published fields and no others."""
    assert len(NATIVE) == 48
