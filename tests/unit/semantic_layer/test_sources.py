"""The metric source of a semantic model: the block on its dbt model, or one that is made of the semantic model."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from dbt_statsig.project.settings import SemanticLayerSettings
from dbt_statsig.semantic_layer import semantic_layer
from dbt_statsig.vocabulary.sources import Kind
from tests.semantic import ALL, made, simple, taken

METRIC = simple("revenue")
NODE = "model.shop.fct_orders"


def source(node_statsig: Any = None, model: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """The metric source of `orders`, or `refused` with the reason."""
    meta = {} if node_statsig is None else {"config": {"meta": {"statsig": node_statsig}}}
    metrics = more.pop("metrics", [METRIC])
    found = taken(made(metrics, node={**meta, **more.pop("node", {})}, model=model, **more))
    if found["refused"]:
        return {"refused": next(iter(found["refused"].values()))}
    result: dict[str, Any] = found["sources"][NODE]
    return result


def on_model(**block: Any) -> dict[str, Any]:
    """The config of a semantic model that gives keys of its source."""
    return {"config": {"meta": {"statsig": {"metric_source": block}}}}


def test_built() -> None:
    """Without a block, name, text, timestamp and unit IDs come from the semantic model."""
    assert source(model={"description": "Orders.\n"}) == {
        "name": "orders",
        "description": "Orders.",
        "timestamp_column": "ordered_at",
        "id_type_mapping": {"userID": "user_id"},
        "metrics": [{"name": "revenue", "aggregation": "sum", "value_column": "amount"}],
    }


def test_its_own_keys_win() -> None:
    """What the semantic model's meta gives for the source wins over what is taken from it."""
    given = on_model(name="All orders", timestamp_column="paid_at", id_type_mapping={"stableID": "device"})
    found = source(model=given)
    assert [found[key] for key in ("name", "timestamp_column", "id_type_mapping")] == [
        "All orders",
        "paid_at",
        {"stableID": "device"},
    ]


@pytest.mark.parametrize(
    ("block", "path"),
    [({"name": "Orders"}, ()), ("Orders", ()), ([{"name": "Gifts"}, {"name": "Orders"}], (1,))],
)
def test_the_block_on_the_model(block: Any, path: tuple[int, ...]) -> None:
    """A block on the dbt model keeps its keys and gets the metrics; of several the semantic model names one."""
    found: Any = source({"metric_source": block}, model=on_model(name="Orders") if path else None)
    for part in path:
        found = found[part]
    assert found == {"name": "Orders", "metrics": [{"name": "revenue", "aggregation": "sum", "value_column": "amount"}]}


def test_own_metrics_come_first() -> None:
    """The block's own metrics and custom fields stay; a formula that is there is not given twice."""
    own = {"name": "by_hand", "aggregation": "count"}
    block = {"name": "Orders", "metrics": [own], "custom_field_mapping": {"net": "amount  - discount"}}
    found = source({"metric_source": block}, metrics=[simple("revenue", expr="amount - discount")])
    assert found["metrics"] == [own, {"name": "revenue", "aggregation": "sum", "value_column": "net"}]
    assert found["custom_field_mapping"] == {"net": "amount  - discount"}


def test_a_field_is_not_named_like_a_column() -> None:
    """A formula under the name of a column that it reads, or that is documented, gets another name."""
    node = {"columns": {"gross": {"name": "gross"}}}
    metrics = [simple("amount", expr="amount - discount"), simple("gross", expr="amount + discount")]
    assert source(node=node, metrics=metrics)["custom_field_mapping"] == {
        "amount_value": "amount - discount",
        "gross_value": "amount + discount",
    }


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (
            {"node_statsig": {"metric_source": [{"name": "A"}, {"name": "B"}]}},
            "model.shop.fct_orders has several metric sources.",
        ),
        (
            {"node_statsig": {"metric_source": {"name": "A"}}, "model": on_model(name="B")},
            'model.shop.fct_orders has no metric source named "B"',
        ),
        (
            {"node_statsig": {"metric_source": {"name": "A"}}, "model": on_model(columns=["a"], name="A")},
            "has its own metric source, beside which the semantic model gives columns",
        ),
        ({"model": {"defaults": None}}, "semantic model orders has no agg_time_dimension"),
        (
            {"model": {"dimensions": [{"name": "ordered_at", "type": "time", "expr": "cast(at as date)"}]}},
            "the time of semantic model orders is an expression, `cast(at as date)`",
        ),
        (
            {"entities": [{"name": "order", "type": "primary"}]},
            "no entity of semantic model orders has a Statsig unit ID (entities: order)",
        ),
        ({"model": {"depends_on": {}}}, "semantic model orders is on no model, which is not in the project"),
        ({"node": {"config": {"enabled": False}}}, "is on model.shop.fct_orders, which is not in the project"),
        (
            {"node": {"version": 1, "latest_version": 2}},
            "semantic model orders is on version 1 of fct_orders, whose latest version is 2",
        ),
    ],
)
def test_refused(arguments: dict[str, Any], reason: str) -> None:
    """A semantic model that cannot be a source refuses its metrics, with what to do."""
    assert reason in source(**arguments)["refused"]


@pytest.mark.parametrize(
    ("entity", "mapping"),
    [
        ({"name": "user", "type": "foreign", "expr": "user_id"}, {"userID": "user_id"}),
        (
            {
                "name": "user",
                "expr": "user_id",
                "config": {"meta": {"statsig": {"unit_id": ["companyID", "stableID"]}}},
            },
            {"companyID": "user_id", "stableID": "user_id"},
        ),
    ],
)
def test_unit_ids(entity: dict[str, Any], mapping: dict[str, str]) -> None:
    """An entity's unit ID is its own mark, else that of the settings."""
    assert source(entities=[entity])["id_type_mapping"] == mapping


def test_a_mark_of_a_column() -> None:
    """A column of the dbt model that is marked with a unit ID is enough; a count of it is a participation."""
    node = {"columns": {"device": {"name": "device", "config": {"meta": {"statsig": {"unit_id": "stableID"}}}}}}
    found = source(node=node, entities=[], metrics=[simple("devices", "count_distinct", "DEVICE")])
    assert "id_type_mapping" not in found
    assert found["metrics"][0]["unit_types"] == ["stableID"]


def test_two_semantic_models_on_one_model() -> None:
    """Without a block on the dbt model the second one is refused; with one, both add their metrics to it."""
    manifest = made([METRIC, simple("other", params={"semantic_model": "more"})])
    more = structs.replace(manifest.semantic_models[0], name="more")
    manifest.semantic_models = (*manifest.semantic_models, more)
    found = taken(manifest)
    assert [one["name"] for one in found["sources"][NODE]["metrics"]] == ["other"]
    assert "semantic models more and orders are on one dbt model" in found["refused"]["revenue"]


def test_a_refused_metric_adds_nothing() -> None:
    """A metric that is refused adds neither its metric source nor its custom fields."""
    broken = simple("net", expr="amount - discount", params={"non_additive_dimension": {"name": "x"}})
    assert taken(made([broken]))["sources"] == {}
    ratio = {"name": "bad", "type": "ratio", "type_params": {"numerator": "net", "denominator": "average_amount"}}
    net = simple("net", expr="amount - discount")
    manifest = made([ratio, net, simple("average_amount", "average"), METRIC])
    settings = structs.replace(ALL, semantic_layer=SemanticLayerSettings(metrics="all", exclude=("net",)))
    found = taken(manifest, settings)
    assert "custom_field_mapping" not in found["sources"][NODE]
    assert found["refused"].keys() == {"bad"}


@pytest.mark.parametrize("block", [{"custom_field_mapping": []}, {"metrics": {}}])
def test_a_block_with_other_faults(block: dict[str, Any]) -> None:
    """What cannot be added to is kept as it is: reading the block reports it."""
    assert source({"metric_source": block}, metrics=[simple("revenue", expr="a + b")]).items() >= block.items()


def test_one_finding_for_a_semantic_model() -> None:
    """A semantic model that cannot be a source is one finding that names its metrics, each of them."""
    many = [simple(f"m{number}") for number in range(30)]
    (fault,) = semantic_layer(made(many, entities=[]), ALL).faults
    assert fault.message.endswith(f"Not sent: {', '.join(sorted(one['name'] for one in many))}.")
    found = semantic_layer(made([simple("one"), simple("two")], entities=[]), ALL)
    assert [(fault.names, fault.source) for fault in found.faults] == [(("one", "two"), "orders")]
    assert found.faults[0].message == (
        'Semantic model "orders" cannot be a metric source: no entity of semantic model orders has a Statsig unit ID '
        "(entities: none). Not sent: one, two."
    )
    assert found.refused == (
        (Kind.METRIC, NODE, "one"),
        (Kind.METRIC, NODE, "two"),
        (Kind.METRIC_SOURCE, NODE, "orders"),
    )
