"""Metrics over the client: the form on the wire, lists of many types, archives, SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest

from dbt_statsig.console.bodies import create_body, decoded, unpublished, update_body
from dbt_statsig.console.client import ConsoleClient
from dbt_statsig.console.key import ApiKey
from dbt_statsig.errors import ConnectionFailed, ConsoleError, NotFound, OutcomeUnknown, Refused
from dbt_statsig.vocabulary.comparison import differences, fill_undeclared_from, fingerprint
from dbt_statsig.vocabulary.kinds import Metric
from dbt_statsig.vocabulary.kinds.metric import Criterion, DimensionLimit, MetricPart
from dbt_statsig.vocabulary.ownership import archived, is_archived, is_of, owner_of
from dbt_statsig.vocabulary.sources import Kind
from tests.integration.faults.memory import MemoryConsole
from tests.unit.console.service import UNPACED

if TYPE_CHECKING:
    from collections.abc import Iterator


LINE = "Managed by dbt: shop/model.shop.orders"
SOURCE = {"name": "orders", "sql": "select 1", "timestampColumn": "ts", "idTypeMapping": [{"statsigUnitID": "userID", "column": "u"}]}  # fmt: skip  # noqa: E501
REVENUE = Metric(
    name="Revenue",
    description=LINE,
    aggregation="sum",
    metric_sources=(MetricPart(metric_source_name="orders", criteria=(), value_column="amount"),),
)


@pytest.fixture
def console() -> MemoryConsole:
    """A console with a metric source."""
    return MemoryConsole(seed={"metric_sources": [SOURCE]})


@pytest.fixture
def client(console: MemoryConsole) -> Iterator[ConsoleClient]:
    """A client of it."""
    with console.client() as one:
        yield one


def test_the_form_on_the_wire() -> None:
    """The definition stands under `warehouseNative`; the type is in a creation alone, the schedule in updates alone."""
    metric = msgspec.structs.replace(REVENUE, scheduled_reload_hour=3, is_permanent=True)
    native = {
        "aggregation": "sum",
        "metricSources": [{"metricSourceName": "orders", "criteria": [], "valueColumn": "amount"}],
    }
    common = {"description": LINE, "isPermanent": True, "warehouseNative": native}
    created = msgspec.json.decode(create_body(metric, dry_run=False))
    assert created == {"name": "Revenue", "type": "user_warehouse", **common}
    updated = msgspec.json.decode(update_body("Revenue", metric, dry_run=True))
    assert updated == {**common, "scheduledReloadHour": 3, "dryRun": True}
    assert decoded(Kind.METRIC, {**created, "owner": {"name": "Ann"}}, "x") == msgspec.structs.replace(
        metric, scheduled_reload_hour=msgspec.UNSET
    )


def test_what_means_the_same() -> None:
    """Empty parts, the order of limits, white space in predicates and the default direction are no differences."""
    where = Criterion(type="metadata", condition="sql_filter", values=("amount  > 1",))
    part = MetricPart(metric_source_name="orders", criteria=(where,))
    limits = (DimensionLimit(name="a", limit=0), DimensionLimit(name="b", limit=2))
    desired = msgspec.structs.replace(
        REVENUE, metric_sources=(part,), metric_dimension_limits=limits, directionality="increase"
    )
    same = msgspec.structs.replace(where, values=("amount > 1",), column=None, null_vacuous_override=False)
    live = msgspec.structs.replace(
        desired,
        metric_sources=(msgspec.structs.replace(part, criteria=(same,), value_column=""),),
        metric_dimension_limits=limits[::-1],
        directionality=msgspec.UNSET,
    )
    assert differences(desired, live) == ()
    assert fingerprint(desired) == fingerprint(live)
    other = msgspec.structs.replace(live, metric_dimension_limits=(DimensionLimit(name="a", limit=1), limits[1]))
    assert [one.field for one in differences(desired, other)] == ["metric_dimension_limits"]


def test_what_an_update_sends_along() -> None:
    """Undeclared fields go back as they were read, but none of another aggregation's."""
    live = msgspec.structs.replace(REVENUE, cap=3, team="Growth", aggregation="mean")
    assert fill_undeclared_from(REVENUE, live) == msgspec.structs.replace(REVENUE, team="Growth")
    assert fill_undeclared_from(REVENUE, msgspec.structs.replace(live, aggregation="sum")).cap == 3  # type: ignore[attr-defined]


def test_what_no_write_can_send() -> None:
    """Values of the definition that no write can send are reported by their places; beside it none is lost."""
    data = {"id": "x", "lineage": {"events": ["e"]}, "extra": 1, "warehouseNative": {"criteria": [], "newest": 2}}
    assert unpublished(Kind.METRIC, data) == {"warehouseNative.newest": 2}
    assert unpublished(Kind.METRIC_SOURCE, {"warehouseNative": {"a": 1}}) == {"warehouseNative": {"a": 1}}
    assert decoded(Kind.METRIC, {"name": "x", "warehouseNative": None}, "x") == Metric(name="x")


def test_a_list_of_many_types(console: MemoryConsole, client: ConsoleClient) -> None:
    """Of all metrics those of the warehouse are listed, hidden ones too, and the list is complete."""
    others: list[dict[str, Any]] = [
        {"id": f"m{number}::sum", "name": "Revenue", "type": "sum"} for number in range(150)
    ]
    console.emulator.state.lists["metrics"] += [*others, {"name": "no type"}, {"name": "no type either"}]
    client.create(Kind.METRIC, REVENUE)
    client.archive(Kind.METRIC, REVENUE)
    console.emulator.state.archived["Revenue::user_warehouse"] = "archived"
    found = client.list(Kind.METRIC)
    assert ([one.name for one in found.items], found.complete, found.pages) == (["Revenue"], True, 2)
    assert client.get(Kind.METRIC, "Gone") is None


def test_archives(console: MemoryConsole, client: ConsoleClient) -> None:
    """An archive leaves its mark in the description; it is undone whether it has happened or is still scheduled."""
    client.create(Kind.METRIC, REVENUE)
    for state in ("scheduled", "archived"):
        live = client.archive(Kind.METRIC, REVENUE).live
        assert live is not None
        assert is_archived(live.description)
        console.emulator.state.archived["Revenue::user_warehouse"] = state
        client.unarchive(Kind.METRIC, "Revenue")
        assert console.emulator.state.archived == {}
        client.update(Kind.METRIC, "Revenue", REVENUE)
    assert "not archived" in client.unarchive(Kind.METRIC, "Revenue")
    with pytest.raises(NotFound):
        client.unarchive(Kind.METRIC, "Gone")


@pytest.mark.parametrize(
    ("armed", "error", "is_marked"),
    [
        (["400"], Refused, False),
        (["", "400"], Refused, False),
        (["", "400", "400"], OutcomeUnknown, True),
        (["", *["drop before"] * 9], OutcomeUnknown, True),
    ],
)
def test_an_archive_that_fails(
    console: MemoryConsole,
    client: ConsoleClient,
    armed: list[str],
    error: type[ConsoleError],
    is_marked: bool,  # noqa: FBT001
) -> None:
    """What is archived has the mark, whatever fails; a mark without an archive is taken out, or reported as unknown."""
    client.create(Kind.METRIC, REVENUE)
    console.armed = armed
    with pytest.raises(error):
        client.archive(Kind.METRIC, REVENUE)
    console.armed = []
    live = client.get(Kind.METRIC, "Revenue")
    assert live is not None
    assert (is_archived(live.description), console.emulator.state.archived) == (is_marked, {})


def test_an_archive_whose_answer_is_lost(console: MemoryConsole, client: ConsoleClient) -> None:
    """It is asked for again, as long as the budget for waiting lasts; an error in an answer of success is a refusal."""
    client.create(Kind.METRIC, REVENUE)
    console.armed = ["drop after"]
    assert client.archive(Kind.METRIC, REVENUE).live is not None
    console.armed = ["drop before"] * 50
    with pytest.raises(ConnectionFailed):
        client.unarchive(Kind.METRIC, "Revenue")


def test_an_archive_that_is_refused_with_200() -> None:
    """A success that reports an error is a refusal."""
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, json={"success": False, "message": "No."}))
    with ConsoleClient(ApiKey("console-x", origin="here"), transport=transport, rates=UNPACED) as client:
        assert "reports an error: No" in client.unarchive(Kind.METRIC, "Revenue")


@pytest.mark.parametrize(
    ("status", "body", "doubt"),
    [
        (202, {"message": "Submitted for review."}, "waits for a review"),
        (200, {}, "the answer says nothing"),
        (200, {"message": "Done.", "data": {"name": "Other"}}, 'the answer is about "Other"'),
    ],
)
def test_a_success_that_shows_no_archive(status: int, body: dict[str, Any], doubt: str) -> None:
    """An answer that is no evidence leaves the outcome unknown, and one about this metric is a success."""
    transport = httpx.MockTransport(lambda _request: httpx.Response(status, json=body))
    with ConsoleClient(ApiKey("console-x", origin="here"), transport=transport, rates=UNPACED) as client:
        with pytest.raises(OutcomeUnknown, match=doubt):
            client.unarchive(Kind.METRIC, "Revenue")
        body |= {"message": "Done.", "data": {"name": "Revenue"}}
        if status != 202:
            assert client.unarchive(Kind.METRIC, "Revenue") == ""


def test_sql(client: ConsoleClient) -> None:
    """The SQL that Statsig generates comes by unit type."""
    client.create(Kind.METRIC, REVENUE)
    ((unit, sql),) = client.sql_of("Revenue")
    assert (unit, sql.startswith("SELECT")) == ("userID", True)


def test_the_mark_of_an_archive() -> None:
    """The mark stands after the ownership line, which is read with it and without it; other texts bear none."""
    text = archived(f"Text.\n\n{LINE}")
    owner = owner_of(LINE)
    assert owner is not None
    assert (owner_of(text), is_of(text, owner), archived(text)) == (owner, True, text)
    assert [
        is_archived(one) for one in (text, f"{text} (kept tags=1a2b3c4d5e6f)", LINE, "By hand (archived)", None)
    ] == [
        True,
        True,
        False,
        False,
        False,
    ]
