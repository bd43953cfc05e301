"""Experiments and metrics of Statsig as dbt exposures, and the tables that Statsig writes as dbt sources. Pure."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from dbt_statsig.vocabulary.experiments import Experiment, Person
from dbt_statsig.vocabulary.exposures import EVENTS_TABLE, EXPOSURES_TABLE, STATSIG_TABLES_SCHEMA, Exposure
from dbt_statsig.vocabulary.findings import listed
from dbt_statsig.vocabulary.sources import Kind
from dbt_statsig.vocabulary.yaml_text import in_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from dbt_statsig.project.artifacts.nodes import Node
    from dbt_statsig.vocabulary.experiments import Metric, SourceRead
    from dbt_statsig.vocabulary.uses import Uses

MARK = "# Made by dbt-statsig exposures. Do not edit: the next run writes it again."
TABLES = ("statsig.exposures", "statsig.events")
"""The tables that Statsig writes, as dbt sources."""
_NAME = re.compile(r"[^A-Za-z0-9_]+")
_JINJA = re.compile(r"\{(?=[{%#])")
_URL = re.compile(r"https?://[!-~]+")
_LONGEST_TEXT = 200
_BUILT_IN_UNITS = ("user_id", "stable_id")


class Nodes(Struct, frozen=True, kw_only=True):
    """The dbt nodes behind sources of Statsig: by kind and name the unique_ids, and for these what dbt calls them.

    `unfit` are nodes that no exposure can name, each with the reason.
    """

    by_source: Mapping[tuple[Kind, str], str]
    refs: Mapping[str, str]
    unfit: Mapping[str, str]


def nodes_of(by_source: Mapping[tuple[Kind, str], str], node: Callable[[str], Node | None], project: str) -> Nodes:
    """What a project's sources read: `by_source` has their unique_ids by kind and name."""
    refs: dict[str, str] = {}
    unfit: dict[str, str] = {}
    for unique_id in sorted(set(by_source.values())):
        found = node(unique_id)
        if found is None:
            unfit[unique_id] = "is not in the manifest"
        elif not found.enabled:
            unfit[unique_id] = "is disabled"
        elif found.resource_type == "model" and found.config.get("access") == "private":
            unfit[unique_id] = "is a private model"
        else:
            refs[unique_id] = ref_of(found, project)
    return Nodes(by_source=by_source, refs=refs, unfit=unfit)


def ref_of(node: Node, project: str) -> str:
    """A node as `depends_on` names it."""
    if node.resource_type == "source":
        return f"source('{node.source_name}', '{node.name}')"
    package = "" if node.package_name in ("", project) else f"'{node.package_name}', "
    version = "" if node.version is None else f", v={node.version!r}"
    return f"ref({package}'{node.name}'{version})"


def exposures_of(uses: Uses, nodes: Nodes, *, metrics: bool) -> tuple[tuple[Exposure, ...], list[str]]:
    """One exposure for each active experiment that reads a node, and with `metrics` for each such metric; warnings."""
    running = [one for one in uses.experiments if one.is_running]
    named = _names("statsig", {one.id: one.id for one in running})
    found = [_of_experiment(one, named[one.id], _refs([use.read for use in uses.by(one)], nodes)) for one in running]
    if metrics:
        named = _names("statsig_metric", {one.id: one.name for one in uses.metrics})
        found += [
            _of_metric(one, named[one.id], _refs([*one.reads, *_parts(one, uses)], nodes)) for one in uses.metrics
        ]
    kept = sorted((one for one in found if one.nodes), key=lambda one: (one.of, one.name))
    return tuple(kept), list(_warnings(uses, running, nodes, {one.id for one in kept if one.of == "experiment"}))


def exposures_yaml(exposures: Sequence[Exposure], *, tags_in_config: bool) -> str:
    """The whole file, always the same for the same exposures."""
    lines = [MARK, "version: 2", "", "exposures:" if exposures else "exposures: []"]
    for one in exposures:
        lines += [f"  - name: {one.name}", f"    label: {_text(one.label)}", "    type: analysis"]
        lines += [f"    maturity: {one.maturity}"]
        # A part of an address would lead elsewhere.
        lines += [f"    url: {in_yaml(one.url)}"] if _URL.fullmatch(one.url) and not _JINJA.search(one.url) else []
        lines += [f"    description: {_text(one.description)}", "    owner:"]
        owner = {"name": one.owner.name or (not one.owner.email and "Statsig"), "email": one.owner.email}
        lines += [f"      {key}: {_text(value)}" for key, value in owner.items() if value]
        tags = f"tags: [{', '.join(_text(tag) for tag in ('statsig', *one.tags))}]"
        lines += ["    config:", f"      {tags}"] if tags_in_config else [f"    {tags}"]
        lines += ["    depends_on:", *(f"      - {ref}" for ref in one.refs)]
    return "\n".join(lines) + "\n"


class Tables(Struct, frozen=True, kw_only=True):
    """Where Statsig writes its tables; without a database, that of the dbt target. `units` are custom unit IDs."""

    schema: str = STATSIG_TABLES_SCHEMA
    database: str = ""
    exposures: str = EXPOSURES_TABLE
    events: str = EVENTS_TABLE
    units: tuple[str, ...] = ()


def tables_yaml(tables: Tables) -> str:
    """A dbt source with the tables that Statsig forwards exposures and events to."""
    units = (*_BUILT_IN_UNITS, *(unit for unit in tables.units if _snake(unit) not in _BUILT_IN_UNITS))
    shared = [(unit, f"Unit ID {unit} of the row, if it has one.", False) for unit in units]
    exposures = [
        ("experiment_id", "The experiment, gate or layer.", True),
        ("group_id", "The ID of the group that the unit is in.", True),
        ("group_name", "The name of that group.", False),
        *shared,
        ("timestamp", "When the unit was first exposed (UTC).", True),
        ("user_dimensions", "What the SDK knew about the user (an object).", False),
    ]
    events = [
        *shared,
        ("timestamp", "When the event was logged (UTC).", True),
        ("event_name", "The event.", True),
        ("event_value", "Its value, if it has one.", False),
        ("user_object", "The user as the SDK knew them (an object).", False),
        ("statsig_metadata", "What the SDK knew about the device and the session (an object).", False),
        ("company_metadata", "What was logged with the event (an object).", False),
    ]
    lines = [MARK, "version: 2", "", "sources:", "  - name: statsig", "    description: What Statsig writes."]
    lines += [f"    database: {_text(tables.database)}"] if tables.database else []
    lines += [f"    schema: {_text(tables.schema)}", "    tables:"]
    lines += _table("exposures", tables.exposures, "First exposures of units to experiments.", exposures)
    lines += _table("events", tables.events, "Events that Statsig's SDKs logged.", events)
    return "\n".join(lines) + "\n"


def _table(name: str, identifier: str, about: str, columns: Iterable[tuple[str, str, bool]]) -> list[str]:
    lines = [f"      - name: {name}", f"        identifier: {_text(identifier)}", f"        description: {about}"]
    lines.append("        columns:")
    for column, description, filled in columns:
        lines += [f"          - name: {_text(column)}", f"            description: {_text(description)}"]
        lines += ["            data_tests:", "              - not_null"] if filled else []
    return lines


def _of_experiment(one: Experiment, name: str, reads: Mapping[str, str]) -> Exposure:
    status = f", status {one.status}" if one.status else ""
    return Exposure(
        name=name,
        of="experiment",
        id=one.id,
        label=one.name or one.id,
        description=f"Statsig experiment {one.id}{status}.",
        maturity="high" if one.status == "active" else "medium",
        owner=one.owner if str(one.owner) else Person(name=one.team),
        url=one.permalink,
        tags=tuple(sorted(set(one.tags))),
        nodes=tuple(reads),
        refs=tuple(reads.values()),
    )


def _of_metric(one: Metric, name: str, reads: Mapping[str, str]) -> Exposure:
    return Exposure(
        name=name,
        of="metric",
        id=one.id,
        label=one.name,
        description=f"Statsig metric {one.name}.",
        maturity="medium",
        owner=Person(),
        tags=tuple(sorted(set(one.tags))),
        nodes=tuple(reads),
        refs=tuple(reads.values()),
    )


def _parts(metric: Metric, uses: Uses) -> Iterator[SourceRead]:
    """What the metrics read that a metric combines, which an experiment that watched it alone would read too."""
    for use in uses.by(Experiment(id="", metrics=metric.components)):
        yield use.read


def _refs(reads: Iterable[SourceRead], nodes: Nodes) -> dict[str, str]:
    """The nodes that are read, each with what dbt calls it, by unique_id."""
    ids = {nodes.by_source.get((read.kind, read.name), "") for read in reads}
    return {unique_id: nodes.refs[unique_id] for unique_id in sorted(ids & nodes.refs.keys())}


def _names(prefix: str, ids: Mapping[str, str]) -> dict[str, str]:
    """For each ID a name of letters, digits and underscores, made of its text.

    Those that would be alike end with a digest of the ID.
    """
    plain = {one: f"{prefix}_{_NAME.sub('_', text).strip('_')}".rstrip("_") for one, text in ids.items()}
    counts = Counter(name.casefold() for name in plain.values())
    return {
        one: name if counts[name.casefold()] == 1 else f"{name}_{hashlib.sha256(one.encode()).hexdigest()[:8]}"
        for one, name in plain.items()
    }


def _warnings(uses: Uses, running: Sequence[Experiment], nodes: Nodes, written: set[str]) -> Iterator[str]:
    """What is not in the file, or not known, in a line each."""
    others = [one for one in running if one.id not in written]
    if others:
        yield f"No exposure, as they use no source of this project: {_shown(others)}."
    if bare := [one for one in running if one.id in written and not one.assignment_source]:
        yield f"Experiments without an assignment source in Statsig: {_shown(bare)}."
    missing: dict[str, None] = {}
    unfit: set[str] = set()
    for one in running:
        for use in uses.by(one) if one.id in written else ():
            unique_id = nodes.by_source.get((use.read.kind, use.read.name))
            if unique_id is None:
                missing[f'{use.read.kind.label} "{use.read.name}"'] = None
            elif unique_id in nodes.unfit:
                unfit.add(unique_id)
    if missing:
        yield f"Not managed by this project, so not among the nodes: {listed(sorted(missing))}."
    for unique_id in sorted(unfit):
        yield f"{unique_id} {nodes.unfit[unique_id]}, so no exposure names it."
    if unread := sorted({ref.name for one in running for ref in uses.unknown(one)}):
        yield f"Statsig lists no such metrics, so their sources are not known: {listed(unread)}."


def _shown(experiments: Iterable[Experiment]) -> str:
    return listed(sorted(one.name or one.id for one in experiments))


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _text(value: object) -> str:
    """A text of Statsig's in one line of YAML, in which dbt finds no Jinja."""
    line = " ".join(str(value).encode("utf-8", "replace").decode().split())
    shown = line if len(line) <= _LONGEST_TEXT else f"{line[:_LONGEST_TEXT]}…"
    return in_yaml(_JINJA.sub("{ ", shown))
