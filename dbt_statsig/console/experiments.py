"""Experiments and metrics out of the API's answers: a field that is missing or of another type is taken as not said."""

from __future__ import annotations

from typing import Any

from dbt_statsig.errors import ProtocolError
from dbt_statsig.experiments import Experiment, Metric


def read_experiment(entry: Any, place: str) -> tuple[str, Experiment]:
    """One entry of the list under its ID. Raises ProtocolError where it has neither ID nor name."""
    content = entry if isinstance(entry, dict) else {}
    name = _text(content, "name")
    identifier = _text(content, "id") or name
    if not identifier:
        raise ProtocolError(f"{place}: it has neither ID nor name.", fix="Check `base_url` and any proxy in between.")
    return identifier, Experiment(
        id=identifier,
        name=name or identifier,
        status=_text(content, "status"),
        assignment_source=_text(content, "assignmentSourceName"),
        entity_property_source=_text(content, "stratifiedSampling", "entityPropertySource", "propertySourceName"),
        metrics=tuple(
            (_text(one, "name"), _text(one, "type"))
            for key in ("primaryMetrics", "secondaryMetrics")
            for one in _list(content, key)
            if _text(one, "name")
        ),
    )


def read_metric(entry: Any, place: str) -> tuple[str, Metric]:
    """One entry of the list under its ID. Raises ProtocolError where it has neither ID nor name."""
    content = entry if isinstance(entry, dict) else {}
    name, native = _text(content, "name"), content.get("warehouseNative")
    identifier = _text(content, "id") or name
    if not identifier:
        raise ProtocolError(f"{place}: it has neither ID nor name.", fix="Check `base_url` and any proxy in between.")
    found = [_text(native, key) for key in ("metricSourceName", "denominatorMetricSourceName")]
    found += [_text(one, "metricSourceName") for key in ("metricSources", "funnelEvents") for one in _list(native, key)]
    sources = tuple(dict.fromkeys(filter(None, found)))
    return identifier, Metric(name=name or identifier, type=_text(content, "type"), metric_sources=sources)


def _list(content: Any, key: str) -> list[Any]:
    found = content.get(key) if isinstance(content, dict) else None
    return found if isinstance(found, list) else []


def _text(content: Any, *path: str) -> str:
    for key in path:
        content = content.get(key) if isinstance(content, dict) else None
    return content if isinstance(content, str) else ""
