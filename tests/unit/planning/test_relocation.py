"""Whether live objects read the schemas that the manifest has."""

from __future__ import annotations

from typing import Any

import pytest

from dbt_statsig.planning.elsewhere import relocated
from dbt_statsig.planning.matching import Live, Scope
from dbt_statsig.project.artifacts import Node
from dbt_statsig.vocabulary.kinds import AssignmentSource, MetricSource
from dbt_statsig.vocabulary.sources import Kind

SCOPE = Scope(project="shop")


def node(name: str, relation: str = "", *, kind: str = "model") -> Node:
    """A model in the schema `dev` of the database `wh`."""
    return Node(
        unique_id=f"{kind}.shop.{name}",
        name=name,
        resource_type=kind,
        package_name="shop",
        identifier=name,
        relation_name=relation or f'"wh"."dev"."{name}"',
    )


NODES = {one.unique_id: one for one in (node("orders"), node("visits"), node("odd.name"))}


def metric(name: str, sql: str | None, *, project: str = "shop", unique_id: str = "", **more: Any) -> MetricSource:
    """A live metric source of a node."""
    line = f"Managed by dbt: {project}/{unique_id or f'model.shop.{name}'}"
    return MetricSource(name=name, description=line, sql=sql, **more)


def doubt(*items: MetricSource, nodes: dict[str, Node] = NODES) -> str:
    """The answer for these metric sources."""
    return relocated({Kind.METRIC_SOURCE: Live(items=items)}, nodes.get, SCOPE)


def beside(read: str, **nodes: Node) -> str:
    """The answer for an assignment source that reads the model `visits` so, beside one metric source that has moved."""
    line = "Managed by dbt: shop/model.shop.visits"
    visits = AssignmentSource(name="v", description=line, sql=f"select * from {read}")
    live = {
        Kind.ASSIGNMENT_SOURCE: Live(items=(visits,)),
        Kind.METRIC_SOURCE: Live(items=(metric("orders", "select * from prod.orders"),)),
    }
    return relocated(live, ({**NODES} | {one.unique_id: one for one in nodes.values()}).get, SCOPE)


def test_one_object_of_a_kind_may_have_been_edited() -> None:
    """A kind's only object does not count where another object reads what the manifest has in the same place."""
    assert beside("dev.visits") == ""
    assert "every assignment source" in beside("prod.visits")
    assert "every metric source" in beside("fixed.visits", visits=node("visits", '"wh"."fixed"."visits"'))
    assert "every metric source" in beside("somewhere_else")


def test_all_of_a_kind_are_elsewhere() -> None:
    """Where several objects of one kind all read another schema the manifest is doubted, whatever other kinds do."""
    found = doubt(metric("orders", 'SELECT * FROM "wh"."prod"."orders"'), metric("visits", "select 1 from prod.visits"))
    assert "every metric source" in found
    assert '"orders": wh.prod in Statsig, wh.dev in the manifest' in found
    line = "Managed by dbt: shop/model.shop.visits"
    well = AssignmentSource(name="v", description=line, sql="select * from dev.visits")
    live = {
        Kind.ASSIGNMENT_SOURCE: Live(items=(well,)),
        Kind.METRIC_SOURCE: Live(
            items=(metric("orders", "select * from prod.orders"), metric("visits", "select * from prod.visits"))
        ),
    }
    assert "every metric source" in relocated(live, NODES.get, SCOPE)


@pytest.mark.parametrize(
    "sql",
    [
        'SELECT * FROM "WH"."DEV"."ORDERS"',
        "SELECT * FROM `wh.dev.orders`",
        "SELECT * FROM [dev].[orders]",
        "SELECT orders.orders FROM other.orders JOIN dev.orders",
    ],
)
def test_one_that_reads_the_same(sql: str) -> None:
    """One object that reads its node's table where the manifest has it is enough: the others have moved."""
    assert doubt(metric("orders", sql), metric("visits", "select * from prod.visits")) == ""
    assert doubt(metric("orders", sql)) == ""


def test_another_database() -> None:
    """The database counts where both name one."""
    assert "other.dev in Statsig, wh.dev in the manifest" in doubt(metric("orders", "select * from other.dev.orders"))
    item = metric("orders", "select 1 from x.dev.orders")
    assert doubt(item, nodes={"model.shop.orders": node("orders", "dev.orders")}) == ""


def test_names_that_are_no_plain_words() -> None:
    """A dot in a table's name, and a relation that does not end with the identifier, are read all the same."""
    assert "wh.prod in Statsig" in doubt(metric("odd.name", 'select * from "wh"."prod"."odd.name"'))
    other = {"model.shop.orders": node("orders", "wh.dev.orders_v2")}
    assert "prod in Statsig, wh.dev in the manifest" in doubt(metric("orders", "from prod.orders_v2"), nodes=other)


def test_a_table_by_its_name() -> None:
    """A source that names a table is read like one with SQL."""
    assert "every metric source" in doubt(metric("orders", None, table_name="wh.prod.orders"))


@pytest.mark.parametrize(
    "item",
    [
        metric("orders", "select * from my_orders"),
        metric("orders", "select * from prod.orders_old"),
        metric("orders", None),
        metric("orders", "select * from prod.orders", project="other"),
        metric("gone", "select * from prod.gone"),
        metric("orders", "select * from raw.t", unique_id="source.shop.raw.t"),
    ],
)
def test_what_proves_nothing(item: MetricSource) -> None:
    """Objects of others, of nodes that are gone or that dbt does not build, and SQL without the table tell nothing."""
    source = node("t", "wh.land.t", kind="source")
    assert doubt(item, nodes={**NODES, "source.shop.raw.t": source}) == ""
