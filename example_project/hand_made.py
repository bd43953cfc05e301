"""A console full of things made by hand for the tea shop, in all shapes: `python hand_made.py FILE` writes it.

The file is for `dbt-statsig emulator --seed FILE`. What a person would click and type over a year: tables, plain
queries, filters in every form, joins, a table that dbt does not know, sources of another dbt project.
"""

from __future__ import annotations

import json
import sys
from itertools import product
from pathlib import Path
from typing import Any

USER = [{"statsigUnitID": "userID", "column": "user_id"}]
BOTH = [*USER, {"statsigUnitID": "stableID", "column": "device_id"}]
BETWEEN = "BETWEEN {statsig_start_date} AND {statsig_end_date}"
FILTERS = {
    "": "",
    "by day": f"occurred_on {BETWEEN}",
    "by cast": f"occurred_at::date {BETWEEN}",
    "by DATE()": "DATE(occurred_at) >= {statsig_start_date} AND DATE(occurred_at) <= {statsig_end_date}",
    "by time": "occurred_at >= {statsig_start_date}",
}
EVENTS = ("product_viewed", "added_to_basket", "checkout_opened", "search_used", "newsletter_opened", "account_opened")
TABLES = ("main.fct_shop_events", "tea_shop.main.fct_shop_events", '"tea_shop"."main"."fct_shop_events"')


def source(name: str, sql: str, time: str, units: list[dict[str, str]], **more: Any) -> dict[str, Any]:
    """One object as the API gives it."""
    fields = {"sql": sql, "timestampColumn": time, "idTypeMapping": units, "tags": [], **more}
    return {"name": name, "description": f"Made by hand: {name}.", **fields}


def events() -> list[dict[str, Any]]:
    """A qualifying event for each event, form of the date filter and way to write the table."""
    found = []
    for event, (how, dated), (place, table) in product(EVENTS, FILTERS.items(), enumerate(TABLES, 1)):
        where = " AND ".join(part for part in (f"event_name = '{event}'", dated) if part)
        sql = f"SELECT user_id, device_id, occurred_at, page\nFROM {table}\nWHERE {where}"
        name = f"{event.replace('_', ' ').capitalize()} {how}".strip()
        found.append(source(f"{name} ({place})", sql, "occurred_at", BOTH, isVerified=place == 1))
    return found


def metric_sources() -> list[dict[str, Any]]:
    """Metric sources of all shapes."""
    found = [
        source(
            f"Orders over {amount}", f"SELECT * FROM main.fct_orders WHERE gross_amount > {amount}", "ordered_at", BOTH
        )
        for amount in range(10, 1010, 10)
    ]
    found += [
        source("Sessions", "", "started_at", BOTH, sourceType="table", tableName="main.fct_sessions"),
        source("Orders with the discount computed", "SELECT user_id, ordered_at, discount_amount / 100 AS discount\n"
               "FROM main.fct_orders", "ordered_at", USER),
        source("First orders", "SELECT user_id, ordered_at, items FROM main.fct_orders\n"
               "QUALIFY row_number() OVER (PARTITION BY user_id ORDER BY ordered_at) = 1", "ordered_at", USER),
        source("Orders by country", "SELECT o.user_id, o.ordered_at, c.country FROM main.fct_orders o\n"
               "JOIN main.dim_customers c ON c.user_id = o.user_id", "ordered_at", USER),
        source("Leads", "SELECT user_id, created_at FROM crm.leads", "created_at", USER),
        source("Misspelled", "SELECT user_id, orderd_at FROM main.fct_orders", "orderd_at", USER),
        source("Revenue", "SELECT user_id, day FROM sales.revenue", "day", USER,
               description="Managed by dbt: sales/model.sales.revenue"),
    ]  # fmt: skip
    return found


def metrics() -> list[dict[str, Any]]:
    """Metrics over sources that can be imported, and one over a source that cannot."""
    definitions: dict[str, dict[str, Any]] = {
        "Visits": {"aggregation": "count", "metricSources": [rows("Sessions")]},
        "Clicks of visitors": {"aggregation": "sum", "metricSources": [rows("Sessions", valueColumn="clicks")]},
        "Large orders per visit": {
            "aggregation": "ratio",
            "numeratorAggregation": "count",
            "metricSources": [rows("Orders over 500", "items >= 2")],
            "denominatorAggregation": "count",
            "denominatorMetricSourceName": "Sessions",
            "denominatorCriteria": [],
        },
        "Leads": {"aggregation": "count", "metricSources": [rows("Leads")]},
    }
    return [
        {"id": f"{name}::user_warehouse", "name": name, "type": "user_warehouse", "description": "", "tags": []}
        | {"warehouseNative": native}
        for name, native in definitions.items()
    ]


def rows(source: str, predicate: str = "", **more: Any) -> dict[str, Any]:
    """The rows of a metric source that count."""
    criteria = [{"type": "metadata", "condition": "sql_filter", "values": [predicate]}] if predicate else []
    return {"metricSourceName": source, "criteria": criteria, **more}


def console() -> dict[str, list[dict[str, Any]]]:
    """The whole console."""
    exposures = {"experimentIDColumn": "experiment_key", "groupIDColumn": "group_key"}
    listed = "user_id, device_id, experiment_key, group_key, exposed_at"
    return {
        "assignment_sources": [
            source("Exposures", f"SELECT {listed} FROM main.fct_exposures", "exposed_at", BOTH, **exposures),
            source("Exposures of the checkout", f"SELECT {listed} FROM main.fct_exposures\n"
                   "WHERE experiment_key LIKE 'checkout%'", "exposed_at", BOTH, tags=["checkout"], **exposures),
        ],
        "entity_property_sources": [
            source("Customers", "SELECT user_id, country FROM main.dim_customers", "", USER),
        ],
        "qualifying_events": events(),
        "metric_sources": metric_sources(),
        "metrics": metrics(),
    }  # fmt: skip


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(console(), indent=2) + "\n", encoding="utf-8")
