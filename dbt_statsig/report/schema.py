"""The JSON Schema (draft 2020-12) of the JSON answers, from the types that they are made of."""

from __future__ import annotations

from typing import Any

import msgspec

from dbt_statsig.report.documents import SCHEMA_VERSION, Document


def report_schema() -> dict[str, Any]:
    """What `--output json` prints, version `SCHEMA_VERSION`; keys may be added within a version, never removed."""
    _, components = msgspec.json.schema_components([Document], ref_template="#/$defs/{name}")
    document = components.pop("Document")
    document["properties"]["schema_version"] = {"const": SCHEMA_VERSION}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **document,
        "title": "An answer of dbt-statsig",
        "$defs": dict(sorted(components.items())),
    }
