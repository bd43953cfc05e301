"""The schema of a whole dbt property file, as an editor uses it."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from dbt_statsig.project.schema import properties_schema, render

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = properties_schema()
VALIDATOR: Any = Draft202012Validator(SCHEMA)

GOOD = """
version: 2
models:
  - name: fct_orders
    description: Anything else is dbt's own business.
    docs: {node_color: purple}
    config:
      materialized: table
      meta:
        owner: "@data"
        statsig:
          metric_source:
            name: Orders
            timestamp_column: ordered_at
            id_type_mapping: {userID: user_id}
        statsig_defaults: {tags: [core]}
    columns:
      - name: user_id
        data_tests: [not_null]
        config: {meta: {statsig: {unit_id: userID}}}
      - name: ordered_at
        meta: {statsig: {role: timestamp}}
    versions:
      - v: 2
        columns: [{include: all}, {name: x, config: {meta: {statsig: {role: group_id}}}}]
  - name: older
    meta: {statsig: {qualifying_event: Checkout opened}}
seeds: [{name: s, config: {meta: {statsig: {metric_source: Seeds}}}}]
snapshots: [{name: s, config: {meta: {statsig: {entity_property_source: {name: Users}}}}}]
sources:
  - name: raw
    meta: {statsig_defaults: {team: Data}}
    tables: [{name: refunds, config: {meta: {statsig: {metric_source: {name: Refunds}}}}}]
metrics: [{name: anything, type: simple}]
exposures: 3
"""


def faults(text: str) -> list[str]:
    """Where the schema finds fault with a property file."""
    content = yaml.safe_load(dedent(text))
    return sorted("/".join(map(str, error.absolute_path)) for error in VALIDATOR.iter_errors(content))


def test_the_committed_schema_is_the_generated_one() -> None:
    """docs/schema holds what `dbt-statsig schema properties` prints, and it is a schema."""
    Draft202012Validator.check_schema(SCHEMA)
    committed = ROOT / "docs" / "schema" / "properties.schema.json"
    assert committed.read_text(encoding="utf-8") == render(SCHEMA)


def test_a_good_file_is_good() -> None:
    """Blocks in every place where they may stand are good, and what is not ours is left alone."""
    assert faults(GOOD) == []


@pytest.mark.parametrize("file", sorted((ROOT / "example_project").glob("models/**/*.yml")), ids=lambda file: file.name)
def test_the_example_project_is_good(file: Path) -> None:
    """Every property file of the example project is good."""
    assert faults(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (
            "models: [{name: a, config: {meta: {statsig: {metric_sorce: {name: A}}}}}]",
            "models/0/config/meta/statsig",
        ),
        (
            "models: [{name: a, config: {meta: {statsig: {metric_source: {name: A, timestamp_colum: b}}}}}]",
            "models/0/config/meta/statsig/metric_source",
        ),
        ("models: [{name: a, config: {meta: {statsigs: {}}}}]", "models/0/config/meta"),
        ("models: [{name: a, meta: {statsig: {metric_source: {}}}}]", "models/0/meta/statsig/metric_source"),
        (
            "models: [{name: a, columns: [{name: b, config: {meta: {statsig: {role: timestmp}}}}]}]",
            "models/0/columns/0/config/meta/statsig/role",
        ),
        (
            "models: [{name: a, versions: [{v: 1, columns: [{name: b, meta: {statsig: {unit: x}}}]}]}]",
            "models/0/versions/0/columns/0/meta/statsig",
        ),
        ("seeds: [{name: a, config: {meta: {statsig: []}}}]", "seeds/0/config/meta/statsig"),
        (
            "sources: [{name: a, tables: [{name: b, meta: {statsig: {metric_source: {name: 3}}}}]}]",
            "sources/0/tables/0/meta/statsig/metric_source",
        ),
        ("snapshots: [{name: a, meta: {statsig_defaults: {name: A}}}]", "snapshots/0/meta/statsig_defaults"),
        (
            "metrics: [{name: a, config: {meta: {statsig: {metric: {aggregation: sum}}}}}]",
            "metrics/0/config/meta/statsig/metric",
        ),
        (
            "models: [{name: a, metrics: [{name: b, config: {meta: {statsig: {metrics: {}}}}}]}]",
            "models/0/metrics/0/config/meta/statsig",
        ),
        (
            "semantic_models: [{name: a, entities: [{name: b, config: {meta: {statsig: {unit: x}}}}]}]",
            "semantic_models/0/entities/0/config/meta/statsig",
        ),
        (
            "models: [{name: a, semantic_model: {config: {meta: {statsig: {metric_source: {nam: b}}}}}}]",
            "models/0/semantic_model/config/meta/statsig/metric_source",
        ),
    ],
)
def test_a_fault_is_found_where_it_is(text: str, place: str) -> None:
    """A wrong key or value is found, at its own place and nowhere else."""
    assert faults(text) == [place]
