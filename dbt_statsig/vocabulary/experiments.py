"""Experiments and metrics, as far as they say which sources they use.

Facts: Statsig's published Console API description, version 20240601; it lists no values of `status`, these are those
that Statsig's own documents speak of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from dbt_statsig.vocabulary.kinds import SPECS

if TYPE_CHECKING:
    from dbt_statsig.vocabulary.sources import Kind

OVER = frozenset(
    {"setup", "decision_made", "abandoned", "archived", "deleted", "experiment_stopped", "assignment_stopped"}
)
"""The states in which no result is being computed; any other, an unknown one too, counts as running."""


class Metric(Struct, frozen=True, kw_only=True):
    """One metric of the console with the metric sources that it is computed from; an empty type is unknown."""

    name: str
    type: str = ""
    metric_sources: tuple[str, ...] = ()


class Experiment(Struct, frozen=True, kw_only=True):
    """One experiment of the console; an empty text stands for what the answer did not hold.

    `metrics` are name and type of each metric that it watches. Which metric sources it reads they alone can say.
    """

    id: str
    name: str = ""
    status: str = ""
    assignment_source: str = ""
    entity_property_source: str = ""
    metrics: tuple[tuple[str, str], ...] = ()

    @property
    def is_running(self) -> bool:
        """Whether somebody may be looking at its results now."""
        return self.status.strip().casefold().replace(" ", "_") not in OVER

    def uses(self, kind: Kind, name: str) -> bool:
        """Whether it reads that source itself, not through a metric."""
        field = SPECS[kind].experiment_field
        return bool(name and field) and getattr(self, field) == name

    def watches(self, metric: Metric) -> bool:
        """Whether it is one of its metrics; of two with one name the type decides, where both sides say it."""
        return any(
            name == metric.name and (type_ == metric.type or not type_ or not metric.type)
            for name, type_ in self.metrics
        )
