"""dbt's semantic layer as blocks of Statsig metrics: what a user would write in the metric sources themselves."""

from __future__ import annotations

from dbt_statsig.semantic_layer.taking import semantic_layer

__all__ = ["semantic_layer"]
