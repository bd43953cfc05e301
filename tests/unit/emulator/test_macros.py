"""Statsig's SQL macros."""

from __future__ import annotations

from dbt_statsig.emulator.kinds import KINDS
from dbt_statsig.emulator.warehouse import refused_macros, resolved


def test_macros_become_literals() -> None:
    """Dates, whole-number dates and the experiment's start; other braces stay."""
    assert resolved("{statsig_start_date} {statsig_end_date}") == "DATE '2024-01-01' DATE '2024-01-31'"
    assert resolved("{statsig_start_date_int} {statsig_end_date_int}") == "20240101 20240131"
    assert resolved("{statsig_experiment_start_timestamp}") == "TIMESTAMP '2024-01-01 00:00:00'"
    assert resolved("{a} {statsig_x} { statsig_start_date }") == "{a} {statsig_x} { statsig_start_date }"


def test_macros_are_refused_by_kind() -> None:
    """The experiment's start is for metric and entity sources only; unknown macros are for none."""
    sql = "{statsig_experiment_start_timestamp} {statsig_start_date} {statsig_typo} {statsig_typo}"
    refused = {name: refused_macros(sql, kind.macros) for name, kind in KINDS.items()}
    assert refused == {
        "assignment_sources": ["statsig_experiment_start_timestamp", "statsig_typo"],
        "qualifying_events": ["statsig_experiment_start_timestamp", "statsig_typo"],
        "entity_property_sources": ["statsig_typo"],
        "metric_sources": ["statsig_typo"],
    }
