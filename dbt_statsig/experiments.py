"""Experiments, as far as they say which sources they use.

Facts: Statsig's published Console API description, version 20240601; it lists no values of `status`, these are those
that Statsig's own documents speak of.
"""

from __future__ import annotations

from msgspec import Struct

from dbt_statsig.sources import Kind

OVER = frozenset(
    {"setup", "decision_made", "abandoned", "archived", "deleted", "experiment_stopped", "assignment_stopped"}
)
"""The states in which no result is being computed; any other, an unknown one too, counts as running."""


class Experiment(Struct, frozen=True, kw_only=True):
    """One experiment of the console; an empty text stands for what the answer did not hold."""

    id: str
    name: str = ""
    status: str = ""
    assignment_source: str = ""
    entity_property_source: str = ""

    @property
    def is_running(self) -> bool:
        """Whether somebody may be looking at its results now."""
        return self.status.strip().casefold().replace(" ", "_") not in OVER

    def uses(self, kind: Kind, name: str) -> bool:
        """Whether it reads that source; which metric sources it reads, its metrics would have to say."""
        used = {
            Kind.ASSIGNMENT_SOURCE: self.assignment_source,
            Kind.ENTITY_PROPERTY_SOURCE: self.entity_property_source,
        }
        return bool(name) and used.get(kind, "") == name
