"""One valid body of each kind, and where its requests go."""

from __future__ import annotations

from typing import Any

PREFIX = "/console/v1"
UNITS = [{"statsigUnitID": "userID", "column": "user_id"}]

LISTS = {
    "assignment_sources": f"{PREFIX}/experiments/assignment_sources",
    "entity_property_sources": f"{PREFIX}/experiments/entity_properties",
    "qualifying_events": f"{PREFIX}/experiments/qualifying_events",
    "metric_sources": f"{PREFIX}/metrics/metric_source/list",
}
CREATES = {**LISTS, "metric_sources": f"{PREFIX}/metrics/metric_source"}
ITEMS = {
    "assignment_sources": f"{PREFIX}/experiments/assignment_source",
    "entity_property_sources": f"{PREFIX}/experiments/entity_property",
    "qualifying_events": f"{PREFIX}/experiments/qualifying_events",
    "metric_sources": f"{PREFIX}/metrics/metric_source",
}
BODIES: dict[str, dict[str, Any]] = {
    "assignment_sources": {
        "name": "Exposures",
        "sql": "select user_id, ts, experiment, variant from exposures",
        "timestampColumn": "ts",
        "experimentIDColumn": "experiment",
        "groupIDColumn": "variant",
        "idTypeMapping": UNITS,
    },
    "entity_property_sources": {"name": "Users", "sql": "select user_id, plan from users", "idTypeMapping": UNITS},
    "qualifying_events": {
        "name": "Page loaded",
        "sql": "select user_id, ts from events",
        "timestampColumn": "ts",
        "idTypeMapping": UNITS,
    },
    "metric_sources": {
        "name": "Orders",
        "sql": "select user_id, ts, amount from orders",
        "timestampColumn": "ts",
        "idTypeMapping": UNITS,
    },
}
COLLECTIONS = tuple(BODIES)
RENAMING = ("assignment_sources", "entity_property_sources")
FIXED = ("qualifying_events", "metric_sources")
READABLE = ("entity_property_sources", "qualifying_events", "metric_sources")
PAGE = {"page": "1", "limit": "100"}
