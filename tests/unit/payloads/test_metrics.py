"""Metric blocks: what is typed and checked of them, and what is proven on the columns of their sources."""

from __future__ import annotations

from typing import Any

import pytest

from dbt_statsig.columns.prover import Prover
from dbt_statsig.payloads.building import Context
from dbt_statsig.payloads.metrics import Payloads, proposed_name
from dbt_statsig.project.declarations import Declared, declare
from dbt_statsig.project.settings import Settings
from dbt_statsig.vocabulary.findings import Finding, Severity
from dbt_statsig.vocabulary.kinds import Metric
from dbt_statsig.vocabulary.sources import Kind
from tests.unit.payloads.warehouse_cases import project

SOURCE: dict[str, Any] = {
    "name": "Amounts",
    "timestamp_column": "exposed_at",
    "id_type_mapping": {"userID": "user_id"},
    "columns": ["amount", "variant"],
    "custom_field_mapping": {"cents": "amount * 100"},
}
DEVICES = {"name": "Devices", "timestamp_column": "exposed_at", "id_type_mapping": {"stableID": "device_id"}}
SUM: dict[str, Any] = {"name": "Revenue", "aggregation": "sum", "value_column": "amount"}


def declared(*metrics: Any, source: dict[str, Any] | None = None, settings: Settings | None = None) -> Declared:
    """What a model with two metric sources declares, the first with these metrics."""
    meta = {"metric_source": [{**SOURCE, **(source or {}), "metrics": list(metrics)}, DEVICES]}
    manifest, _ = project("duckdb", meta=meta)
    return declare(manifest, settings=settings or Settings(), project_dir=None)


def built(
    *metrics: Any, adapter: str = "duckdb", source: dict[str, Any] | None = None, catalog: bool = True, **context: Any
) -> tuple[list[Metric | None], list[Finding]]:
    """The payloads of the metrics, and all findings."""
    meta = {"metric_source": [{**SOURCE, **(source or {}), "metrics": list(metrics)}, DEVICES]}
    manifest, evidence = project(adapter, meta=meta, catalog=catalog)
    found = declare(manifest, settings=Settings(), project_dir=None)
    made = Payloads(Prover(manifest, evidence), Context(project="shop", **context)).of(found.declarations)
    payloads = [one.payload for declaration, one in made if declaration.kind is Kind.METRIC]
    findings = [*found.findings, *(one for _, result in made for one in result.findings)]
    return [one if isinstance(one, Metric) else None for one in payloads], findings


def shown(findings: Any) -> list[tuple[str, str, str]]:
    """Code, key below the metrics and message of each finding."""
    return [(one.code, one.key.rpartition("metrics")[2].lstrip("."), one.message) for one in findings]


BAD: list[tuple[dict[str, Any], str, str, str]] = [
    (
        {**SUM, "criteria": [{"column": "amount", "condition": "is_null", "values": ["1"]}]},
        "key-not-allowed",
        "[0].criteria[0].values",
        '`criteria[0].values` has no meaning for the condition "is_null".',
    ),
    (
        {**SUM, "criteria": [{"column": "amount", "condition": "sql_filter", "values": ["amount > 1"]}]},
        "key-not-allowed",
        "[0].criteria[0].column",
        '`criteria[0].column` has no meaning for the condition "sql_filter".',
    ),
    (
        {**SUM, "rollup_time_window": "custom", "custom_roll_up_start": 9, "custom_roll_up_end": 2},
        "contradiction",
        "[0].custom_roll_up_start",
        "`custom_roll_up_start` (9) is above `custom_roll_up_end` (2).",
    ),
    (
        {**SUM, "winsorization_low": 0.9, "winsorization_high": 0.1},
        "contradiction",
        "[0].winsorization_low",
        "`winsorization_low` (0.9) is above `winsorization_high` (0.1).",
    ),
    (
        {"aggregation": "sum"},
        "missing-key",
        "[0].value_column",
        "`value_column` is missing: `aggregation: sum` needs it.",
    ),
    ({"aggregation": "summe"}, "wrong-type", "[0].aggregation", '`aggregation` takes one of "composite", "count"'),
    ({}, "missing-key", "[0].aggregation", "`aggregation` is missing: every metric needs it."),
    (
        {"aggregation": "percentile", "value_column": "amount"},
        "missing-key",
        "[0].percentile",
        "`percentile` is missing",
    ),
    (
        {"aggregation": "ratio", "denominator": {"aggregation": "count"}},
        "missing-key",
        "[0].numerator",
        "`numerator` is",
    ),
    ({"aggregation": "funnel"}, "missing-key", "[0].steps", "`steps` is missing: `aggregation: funnel` needs it."),
    ({"aggregation": "funnel", "steps": [{"name": "a"}]}, "missing-key", "[0].steps", "`steps` has one step"),
    ({"aggregation": "composite"}, "missing-key", "[0].components", "`components` is missing"),
    (
        {"aggregation": "retention", "use_secondary_retention_event": True},
        "missing-key",
        "[0].denominator",
        "`denominator` is missing",
    ),
    (
        {"aggregation": "count", "value_column": "amount"},
        "key-not-allowed",
        "[0].value_column",
        "`value_column` is only for `count_distinct`, `first_value`, `latest_value`, `max`, `mean`, `min`,",
    ),
    ({"aggregation": "count", "steps": [{}, {}]}, "key-not-allowed", "[0].steps", "`steps` is only for `funnel`, but"),
    (
        {"aggregation": "sum", "value_column": "amount", "metric_sources": [{"value_column": "amount"}]},
        "key-not-allowed",
        "[0].value_column",
        "`value_column` cannot be combined with `metric_sources`",
    ),
    (
        {"aggregation": "sum", "metric_sources": [{}]},
        "missing-key",
        "[0].metric_sources[0].value_column",
        "`metric_sources[0].value_column` is missing",
    ),
    (
        {"aggregation": "composite", "components": [{"aggregation": "sum"}, {}]},
        "missing-key",
        "[0].components[1].aggregation",
        "`components[1].aggregation` is missing: `components` needs it.",
    ),
    (
        {"aggregation": "composite", "components": [{"aggregation": "count", "value_column": "amount"}]},
        "key-not-allowed",
        "[0].components[0].value_column",
        "`components[0].value_column` has no meaning for `aggregation: count`.",
    ),
    (
        {"aggregation": "count", "criteria": [{}]},
        "missing-key",
        "[0].criteria[0].condition",
        "`criteria[0].condition` is",
    ),
    (
        {"aggregation": "count", "criteria": [{"condition": "in", "values": ["a"]}]},
        "missing-key",
        "[0].criteria[0].column",
        '`criteria[0].column` is missing: the condition "in" needs it.',
    ),
    (
        {"aggregation": "count", "criteria": [{"condition": "=", "column": "variant"}]},
        "missing-key",
        "[0].criteria[0].values",
        "`criteria[0].values` is missing",
    ),
    (
        {"aggregation": "count", "agregation": 1},
        "unknown-key",
        "[0].agregation",
        "`agregation` is not a key that exists.",
    ),
    (
        {"aggregation": "ratio", "numerator": {"aggregation": "mean"}, "denominator": {"aggregation": "count"}},
        "wrong-type",
        "[0].numerator.aggregation",
        "`numerator.aggregation` takes one of",
    ),
    (
        {"aggregation": "count", "winsorization_high": 2},
        "wrong-type",
        "[0].winsorization_high",
        "`winsorization_high` takes",
    ),
]


@pytest.mark.parametrize(("metric", "code", "key", "message"), BAD)
def test_bad_blocks(metric: dict[str, Any], code: str, key: str, message: str) -> None:
    """Each fault of a metric is an error at its key that says what is wrong; its source is not touched by it."""
    found = declared({"name": "Revenue", **metric})
    (one,) = [one for one in shown(found.findings) if one[0] == code and one[1] == key]
    assert one[2].startswith(message)
    assert {(one.kind, one.source, one.severity) for one in found.findings} == {("metric", "Revenue", Severity.ERROR)}
    assert found.findings[0].fix


@pytest.mark.parametrize("metrics", [{"name": "x"}, "Revenue", ["Revenue"], [None]])
def test_what_is_no_metric(metrics: Any) -> None:
    """What is no list of mappings is an error; the source is declared all the same."""
    manifest, _ = project("duckdb", meta={"metric_source": {**SOURCE, "metrics": metrics}})
    found = declare(manifest, settings=Settings(), project_dir=None)
    assert [one.code for one in found.findings] == ["wrong-type"]
    assert [one.kind for one in found.declarations] == [Kind.METRIC_SOURCE]
    assert [one.kind for one in found.faulty] == [Kind.METRIC]


def test_without_a_name() -> None:
    """A metric without a name is an error, and nothing of its node is an orphan."""
    found = declared({"aggregation": "count"})
    assert [one.code for one in found.findings] == ["missing-key"]
    assert [(one.kind, one.name) for one in found.faulty] == [(Kind.METRIC, "")]


def test_without_a_source() -> None:
    """Where the source has no name, its metrics cannot be declared."""
    manifest, _ = project("duckdb", meta={"metric_source": {"timestamp_column": "exposed_at", "metrics": [SUM]}})
    found = declare(manifest, settings=Settings(), project_dir=None)
    assert [one.kind for one in found.faulty] == [Kind.METRIC_SOURCE, Kind.METRIC]


def test_disabled() -> None:
    """A metric that is disabled, by itself or with its source, is only named."""
    assert [one.name for one in declared({**SUM, "enabled": False}).disabled] == ["Revenue"]
    found = declared(SUM, {"aggregation": "count"}, source={"enabled": False})
    assert [one.name for one in found.disabled] == ["Amounts", "Revenue"]
    manifest, _ = project("duckdb", meta={"metric_source": {**SOURCE, "enabled": False, "metrics": 1}})
    assert declare(manifest, settings=Settings(), project_dir=None).findings == ()


def test_two_of_one_name() -> None:
    """Two metrics of one name are an error for both, whatever the case."""
    found = declared(SUM, {**SUM, "name": "REVENUE"})
    assert [(one.code, one.source) for one in found.findings] == [
        ("duplicate-name", "Revenue"),
        ("duplicate-name", "REVENUE"),
    ]


def test_defaults() -> None:
    """Common defaults reach metrics, but `where` is only for sources; those under `metric` are for metrics alone."""
    settings = Settings(defaults={"team": "Growth", "where": "amount > 0", "metric": {"unit_types": ["userID"]}})
    found = declared(SUM, settings=settings)
    metas = {one.kind: one.meta for one in found.declarations}
    assert (metas[Kind.METRIC].team, metas[Kind.METRIC].unit_types) == ("Growth", ("userID",))
    assert declared(SUM, settings=Settings(defaults={"metrics": []})).findings[0].code == "key-not-allowed"
    faults = declared({**SUM, "criteria": 1}, settings=Settings(defaults={"metric": {"percentile": 0.5}})).findings
    assert [one.code for one in faults] == ["wrong-type"]


@pytest.mark.parametrize(
    ("name", "proposed"),
    [
        ("abc", "abc metric"),
        ("Umsatz (€)", "Umsatz (_)"),
        ("Café & Bar", "Cafe _ Bar"),
        ("x" * 201, "x" * 200),
        ("日本", "metric"),
    ],
)
def test_names(name: str, proposed: str) -> None:
    """A name that Statsig refuses is an error with one that it takes."""
    _, findings = built({**SUM, "name": name})
    (found,) = findings
    assert (found.code, found.fix) == ("metric-name", f'Use "{proposed}".')
    assert proposed_name(proposed) == proposed


def test_descriptions() -> None:
    """The description and the ownership line together may have 1,000 characters."""
    line = len("\n\nManaged by dbt: shop/model.shop.fct_exposures")
    assert built({**SUM, "description": "x" * (1000 - line)})[1] == []
    _, (found,) = built({**SUM, "description": "x" * (1001 - line)})
    assert (found.code, found.fix) == ("metric-description", "Shorten it by 1.")
    (payload,), _ = built(SUM, docs_url="https://docs", read_only=True)
    assert payload is not None
    assert str(payload.description).startswith("dbt docs: https://docs/#!/model/model.shop.fct_exposures\n")
    assert payload.is_read_only is True


UNPROVEN: list[tuple[dict[str, Any], str, str]] = [
    ({**SUM, "value_column": "device_id"}, "column-absent", "[0].value_column"),
    ({**SUM, "criteria": [{"column": "city", "condition": "is_null"}]}, "column-absent", "[0].criteria.0.column"),
    ({**SUM, "metric_dimension_columns": ["city"]}, "column-absent", "[0].metric_dimension_columns.0"),
    ({**SUM, "metric_dimension_limits": {"city": 3}}, "column-absent", "[0].metric_dimension_limits.city"),
    ({**SUM, "where": "city = 'x'"}, "column-absent", "[0].where"),
    (
        {**SUM, "criteria": [{"condition": "sql_filter", "values": ["city > 1"]}]},
        "column-absent",
        "[0].criteria.0.values.0",
    ),
    ({**SUM, "where": "amount >"}, "bad-sql", "[0].where"),
    ({**SUM, "value_column": "variant"}, "metric-column-type", "[0].value_column"),
    ({**SUM, "unit_types": ["userId"]}, "metric-unit", "[0].unit_types.0"),
    (
        {"name": "Funnel", "aggregation": "funnel", "steps": [{}, {"session_identifier_field": "city"}]},
        "column-absent",
        "[0].steps.1.session_identifier_field",
    ),
    (
        {
            "name": "Rate",
            "aggregation": "ratio",
            "numerator": {"aggregation": "sum", "value_column": "amount"},
            "denominator": {"aggregation": "count", "metric_source_name": "Devices"},
        },
        "metric-unit",
        "[0]",
    ),
]


@pytest.mark.parametrize(("metric", "code", "key"), UNPROVEN)
def test_proof(metric: dict[str, Any], code: str, key: str) -> None:
    """Columns, predicates, types and unit IDs are held against what the source's SQL really gives."""
    _, findings = built(metric)
    assert [one[:2] for one in shown(findings)] == [(code, key)]


def test_what_is_present() -> None:
    """Custom fields count as columns, also in predicates; counting texts is fine, and names are the warehouse's."""
    metrics = (
        {**SUM, "value_column": "cents", "where": "cents > 100"},
        {"name": "Variants", "aggregation": "count_distinct", "value_column": "Variant"},
    )
    payloads, findings = built(*metrics, adapter="snowflake")
    assert findings == []
    values = [one.metric_sources[0].value_column for one in payloads if one is not None and one.metric_sources]
    assert values == ["cents", "VARIANT"]


def test_without_evidence() -> None:
    """Where nothing is known of the columns, that is no error, and the spelling is the warehouse's usual one."""
    source = {"columns": ["amount"], "custom_field_mapping": {}}
    (payload,), findings = built({**SUM, "value_column": "amount"}, adapter="snowflake", source=source, catalog=False)
    assert payload is not None
    assert payload.metric_sources
    assert payload.metric_sources[0].value_column == "AMOUNT"
    assert all(one.severity is not Severity.ERROR for one in findings)


def test_a_source_that_is_not_declared() -> None:
    """A metric source that the project does not declare is a warning, once, and nothing of it is checked."""
    part = {"metric_source_name": "Amount", "where": "x > 1", "value_column": "y"}
    (payload,), findings = built({"name": "Revenue", "aggregation": "sum", "metric_sources": [part, part]})
    assert [(one.code, one.severity) for one in findings] == [("metric-source-undeclared", Severity.WARNING)]
    assert payload is not None
    assert payload.sources == ("Amount",)
