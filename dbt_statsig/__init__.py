"""dbt-statsig keeps Statsig's warehouse-native sources in agreement with a dbt project."""

from __future__ import annotations

__version__ = "0.1.0"
