"""Experiments and metrics of the console, as far as they say which sources, metrics, tags and columns they use.

Facts: Statsig's published Console API description, version 20240601, in its forms of 2026. `console/experiments.py`
reads an answer into these values; `vocabulary/uses.py` follows them from a source to experiments, and back.
"""

from __future__ import annotations

from msgspec import Struct

from dbt_statsig.vocabulary.sources import Kind

STATUSES = (
    "active",
    "setup",
    "decision_made",
    "abandoned",
    "archived",
    "experiment_stopped",
    "assignment_stopped",
)
"""The published values of `status`."""

_OVER = frozenset({"setup", "decision_made", "abandoned", "archived", "deleted", "experiment_stopped"})


def status_is_over(status: str) -> bool:
    """Whether an experiment in this state computes no results, yet or any more; an unknown state computes.

    `assignment_stopped` takes no new units and goes on with the analysis; `experiment_stopped` ("concluded, decision
    deferred") collects nothing more.
    """
    return status.strip().casefold().replace(" ", "_") in _OVER


class ColumnRead(Struct, frozen=True, kw_only=True):
    """One column that is read of a source, or (`sql`) a predicate over its columns; `use` says what for."""

    use: str
    name: str = ""
    sql: str = ""


class SourceRead(Struct, frozen=True, kw_only=True):
    """One source that an experiment or a metric reads: what for, and which columns it names beside the mapped ones."""

    kind: Kind
    name: str
    use: str
    columns: tuple[ColumnRead, ...] = ()


class MetricRef(Struct, frozen=True, kw_only=True):
    """A metric by name, and by type where the answer holds one; `use` says what for (`primary`)."""

    name: str
    type: str = ""
    use: str = ""


class TagRef(Struct, frozen=True, kw_only=True):
    """All metrics that have a tag; `use` says what for (`primary`)."""

    name: str
    use: str = ""


class Metric(Struct, frozen=True, kw_only=True):
    """One metric of the console; an empty text stands for what the answer did not hold.

    `reads` are the metric sources that it is computed from: one entry for each side, step or component. `components`
    are the metrics that it combines.
    """

    name: str
    id: str = ""
    type: str = ""
    tags: tuple[str, ...] = ()
    unit_types: tuple[str, ...] = ()
    reads: tuple[SourceRead, ...] = ()
    components: tuple[MetricRef, ...] = ()

    @property
    def metric_sources(self) -> tuple[str, ...]:
        """The names of the metric sources, each once."""
        return tuple(dict.fromkeys(read.name for read in self.reads))

    def is_meant_by(self, ref: MetricRef) -> bool:
        """Whether a reference may mean this one: of two with one name the type decides, where both sides have it."""
        return ref.name == self.name and (ref.type == self.type or not ref.type or not self.type)


class Person(Struct, frozen=True, kw_only=True):
    """Who can be asked; both texts may be empty."""

    name: str = ""
    email: str = ""

    def __str__(self) -> str:
        """`Ada Byron <ada@shop.example>`, or what is known of it."""
        if self.name and self.email and self.name != self.email:
            return f"{self.name} <{self.email}>"
        return self.name or self.email


class Experiment(Struct, frozen=True, kw_only=True):
    """One experiment of the console; an empty text stands for what the answer did not hold.

    `reads` are the sources that it names itself; `metrics` and `metric_tags` what it watches. Which metric sources it
    reads only these metrics can say. `owner` is whom the answer names, else who created it. `turbo`: its loads on a
    schedule are in turbo mode; None where the answer does not say.
    """

    id: str
    name: str = ""
    status: str = ""
    id_type: str = ""
    secondary_id_type: str = ""
    owner: Person = Person()
    team: str = ""
    permalink: str = ""
    tags: tuple[str, ...] = ()
    reads: tuple[SourceRead, ...] = ()
    metrics: tuple[MetricRef, ...] = ()
    metric_tags: tuple[TagRef, ...] = ()
    turbo: bool | None = None

    @property
    def is_running(self) -> bool:
        """Whether its results are being computed now, as far as its status says."""
        return not status_is_over(self.status)

    @property
    def label(self) -> str:
        """Its name, with what is known of status, owner and place: `"Button" (active, Ada Byron, https://…)`."""
        known = ", ".join(filter(None, (self.status, str(self.owner), self.permalink)))
        return f'"{self.name}"{f" ({known})" if known else ""}'

    @property
    def assignment_source(self) -> str:
        """The name of its assignment source; empty where it has none."""
        return self._first(Kind.ASSIGNMENT_SOURCE)

    @property
    def entity_property_source(self) -> str:
        """The name of the first entity property source that it reads; empty where it reads none."""
        return self._first(Kind.ENTITY_PROPERTY_SOURCE)

    def counts_by(self, unit_id: str) -> bool:
        """Whether it is about units of this ID, or joins them through it; so does one that does not say."""
        return unit_id in {self.id_type, self.secondary_id_type} or not self.id_type

    def _first(self, kind: Kind) -> str:
        return next((read.name for read in self.reads if read.kind is kind), "")
