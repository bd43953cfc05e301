"""Running experiments in the JSON documents, and how they use what a change touches."""

from __future__ import annotations

from msgspec import Struct


class ExperimentDocument(Struct, frozen=True, kw_only=True):
    """One running experiment that uses a source which the change touches, itself or through its metrics."""

    id: str
    name: str
    status: str
    assignment_source: str
    entity_property_source: str
    owner: str
    owner_email: str
    permalink: str


class ExperimentUseDocument(Struct, frozen=True, kw_only=True):
    """How a running experiment, by its ID, uses a source: what for, and through which metrics."""

    experiment: str
    uses: tuple[str, ...]
    metrics: tuple[str, ...]


class ReachedDocument(Struct, frozen=True, kw_only=True):
    """A source or a metric that the change touches and running experiments use; `live_name` is its name in Statsig."""

    kind: str
    name: str
    live_name: str
    unique_id: str
    experiments: tuple[ExperimentUseDocument, ...]
