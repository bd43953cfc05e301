"""A plan of any number of sources, of a shape that real projects have: mostly unchanged, some changes, a few faults."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from msgspec import structs

from dbt_statsig.vocabulary.changes import Action, Change, FieldChange, Plan
from dbt_statsig.vocabulary.experiments import Experiment, Person
from dbt_statsig.vocabulary.findings import Finding, Location, Severity, finding
from dbt_statsig.vocabulary.kinds import BLOCK_KINDS, SPECS
from dbt_statsig.vocabulary.results import (
    Binding,
    ColumnUse,
    ExperimentUse,
    Impact,
    Lineage,
    ObjectOutcome,
    Outcome,
    Planned,
    Reached,
    SourceReport,
    Status,
    Synced,
    Upstream,
    Validation,
)
from dbt_statsig.vocabulary.run import Run
from dbt_statsig.vocabulary.sources import CustomField, IdType, Kind, Source
from dbt_statsig.vocabulary.verdicts import Evidence, Presence
from tests.unit.report.samples import use

AREAS = ("checkout", "search", "onboarding", "billing", "catalog", "growth", "support", "mobile", "returns", "loyalty")
THINGS = ("exposures", "orders", "sessions", "signups", "refunds", "page views", "accounts", "payments", "trials")
KINDS = list(BLOCK_KINDS)
COLUMNS = ("event_id", "occurred_at", "user_id", "device_id", "country", "amount_usd", "is_first", "platform")
# One in this many is of that state; the rest is unchanged.
STATES = {
    Action.UPDATE: 11,
    Action.CREATE: 13,
    Action.RENAME: 97,
    Action.BLOCKED: 41,
    Action.FOREIGN: 89,
    Action.DELETE: 113,
    Action.ORPHAN: 101,
}


RUN = Run(
    at=datetime(2026, 11, 27, 7, 4, tzinfo=timezone.utc),
    command="dbt-statsig plan --state base --report html:target/statsig.html",
    commit="4f2c9a1be07d5544a3c8f1e2d6b7a8899c0d1e2f",  # pragma: allowlist secret
    branch="orders-by-device",
    commit_url="https://github.com/acme/shop/commit/4f2c9a1be07d5544a3c8f1e2d6b7a8899c0d1e2f",
    blob="https://github.com/acme/shop/blob/4f2c9a1be07d5544a3c8f1e2d6b7a8899c0d1e2f/{path}#L{line}",
    job="https://github.com/acme/shop/actions/runs/99",
)


def names(number: int) -> tuple[str, str]:
    """The source's name and its model's."""
    area, thing = AREAS[number % len(AREAS)], THINGS[number // len(AREAS) % len(THINGS)]
    more = number // (len(AREAS) * len(THINGS))
    suffix = f" {more + 1}" if more else ""
    return f"{area.capitalize()} {thing}{suffix}", f"fct_{area}_{thing.replace(' ', '_')}{suffix.replace(' ', '_v')}"


def sql_of(model: str, *columns: str) -> str:
    """A query as the payloads have it."""
    listed = ",\n".join(f'  "{column}"' for column in columns)
    return f'select\n{listed}\nfrom "analytics"."marts"."{model}"'


def _payload(kind: Kind, name: str, model: str) -> Source:
    payload = SPECS[kind].payload(
        name=name,
        description=f"One row per event of {name.lower()}.\n\nManaged by dbt: shop/model.shop.{model}",
        tags=("core", "growth"),
        sql=sql_of(model, *COLUMNS),
        timestamp_column="occurred_at",
        id_type_mapping=(
            IdType(statsig_unit_id="userID", column="user_id"),
            IdType(statsig_unit_id="stableID", column="device_id"),
        ),
        is_read_only=True,
    )
    if kind is Kind.METRIC_SOURCE:
        return structs.replace(payload, custom_field_mapping=(CustomField(key="net", formula="amount_usd * 0.81"),))
    return payload


def _columns(kind: Kind, number: int) -> tuple[ColumnUse, ...]:
    proofs = (Evidence.CONTRACT, Evidence.CATALOG, Evidence.INFERRED)
    proof = proofs[number % len(proofs)]
    uses = [
        use("timestamp_column", "occurred_at", Presence.PRESENT, proof, data_type="timestamp"),
        use("id_type_mapping.userID", "user_id", Presence.PRESENT, proof, data_type="varchar"),
        use("id_type_mapping.stableID", "device_id", Presence.PRESENT, proof, data_type="varchar"),
        *(use("columns", column, Presence.PRESENT, proof) for column in COLUMNS),
    ]
    if kind is Kind.ASSIGNMENT_SOURCE:
        uses.insert(1, use("experiment_id_column", "experiment_key", Presence.PRESENT, proof, data_type="varchar"))
        uses.insert(2, use("group_id_column", "variant", Presence.PRESENT, proof, data_type="varchar"))
    if number % STATES[Action.BLOCKED] == 3:
        uses[1] = use("id_type_mapping.userID", "usr_id", Presence.ABSENT, Evidence.CATALOG)
    if number % 23 == 5:
        uses[2] = use("id_type_mapping.stableID", "device_id", Presence.UNKNOWN, Evidence.DOCUMENTED)
    return tuple(uses)


def _lineage(model: str, area: str) -> Lineage:
    own = f"model.shop.{model}"
    staged, raw = f"model.shop.stg_{area}_events", f"source.shop.raw.{area}_events"
    return Lineage(
        nodes=(
            Upstream(unique_id=staged, name=f"stg_{area}_events", resource_type="model", feeds=(own,)),
            Upstream(unique_id="model.shop.dim_users", name="dim_users", resource_type="model", feeds=(own,)),
            Upstream(unique_id=raw, name=f"raw.{area}_events", resource_type="source", feeds=(staged,)),
            Upstream(
                unique_id="seed.shop.countries",
                name="countries",
                resource_type="seed",
                feeds=("model.shop.dim_users", staged),
            ),
        ),
        more=2,
    )


def _source(number: int) -> SourceReport:
    name, model = names(number)
    kind = KINDS[number % len(KINDS)]
    return SourceReport(
        kind=kind,
        name=name,
        unique_id=f"model.shop.{model}",
        relation_name=f'"analytics"."marts"."{model}"',
        location=Location(f"models/{AREAS[number % len(AREAS)]}/_models.yml", 12 + number % 300, 11),
        columns=_columns(kind, number),
        payload=_payload(kind, name, model),
        blocked=number % STATES[Action.BLOCKED] == 3,
        selected=COLUMNS,
        lineage=_lineage(model, AREAS[number % len(AREAS)]),
    )


def _change(number: int, source: SourceReport) -> Change:
    action = next((action for action, step in STATES.items() if number % step == 3), Action.UNCHANGED)
    if source.blocked:
        action = Action.BLOCKED
    model = names(number)[1]
    fields: tuple[FieldChange, ...] = ()
    if action is Action.UPDATE:
        fields = (
            FieldChange(field="sql", before=sql_of(model, *COLUMNS[:5]), after=sql_of(model, *COLUMNS)),
            FieldChange(field="tags", before=("core", "legacy"), after=("core", "growth")),
            FieldChange(field="timestamp_column", before="created_at", after="occurred_at"),
        )
    if action is Action.RENAME:
        fields = (FieldChange(field="name", before=f"Old {source.name}", after=source.name),)
    reasons = {
        Action.FOREIGN: "Not managed by this project: it has no ownership line.",
        Action.BLOCKED: "It has errors.",
        Action.ORPHAN: "It is no longer declared.",
        Action.DELETE: "It is no longer declared.",
    }
    fixes = {Action.FOREIGN: f'To take it over, run again with --adopt "{source.name}".'}
    gone = action in (Action.DELETE, Action.ORPHAN)
    return Change(
        action=action,
        kind=source.kind,
        name=source.name,
        live_name=f"Old {source.name}" if action is Action.RENAME else source.name,
        unique_id=source.unique_id,
        fields=fields,
        reason=reasons.get(action, ""),
        fix=fixes.get(action, ""),
        desired=None if gone else source.payload,
        live=source.payload if gone else None,
    )


def _finding(source: SourceReport, use: ColumnUse) -> Finding:
    is_absent = use.verdict.presence is Presence.ABSENT
    return Finding(
        code="column-absent" if is_absent else "column-documented-only",
        severity=Severity.ERROR if is_absent else Severity.WARNING,
        message=f'{source.unique_id} has no column "{use.verdict.name}".'
        if is_absent
        else f'No proof that {source.unique_id} has the column "{use.verdict.name}".',
        fix='Did you mean "user_id"?' if is_absent else "Run `dbt docs generate`.",
        unique_id=source.unique_id,
        kind=source.kind.value,
        source=source.name,
        key=f"statsig.{source.kind.value}.{use.role}",
        location=source.location,
    )


def planned(count: int) -> Planned:
    """A plan of `count` sources."""
    sources = [_source(number) for number in range(count)]
    changes = [_change(number, source) for number, source in enumerate(sources)]
    gone = {change.name for change in changes if change.action in (Action.DELETE, Action.ORPHAN)}
    findings = [
        _finding(source, column)
        for source in sources
        for column in source.columns
        if column.verdict.presence is not Presence.PRESENT
    ]
    validation = Validation(
        project="shop",
        adapter="snowflake",
        dbt_version="1.11.16",
        manifest_path="target/manifest.json",
        sources=tuple(source for source in sources if source.name not in gone),
        findings=tuple(sorted(findings, key=lambda one: one.sort_key)),
        manifest_at=RUN.at - timedelta(minutes=12) if RUN.at else None,
    )
    binding = Binding(project="shop", target="prod", base_url="https://statsigapi.net", declared=(), settings="")
    return Planned(
        validation=validation, plan=Plan(project="shop", changes=tuple(changes)), requests=24, binding=binding
    )


def _effects(change: Change, number: int) -> tuple[Finding, ...]:
    """What a change of this source means, as a comparison with the base finds it."""
    about: dict[str, Any] = {"unique_id": change.unique_id, "kind": change.kind.value, "source": change.name}
    called = f'The {change.kind.label} "{change.name}"'
    found = [finding("impact-sql-changed", f"{called} may have other values: the SQL of {number} changed.", **about)]
    if change.action is Action.UPDATE:
        text = f'{called} now reads id_type_mapping.userID from "device_id" (was "user_id").'
        found.append(finding("impact-source-changed", text, **about))
    return tuple(found)


def compared(count: int) -> Planned:
    """The same plan of a change that was compared with its base: every other source changed is in an experiment."""
    plan = planned(count)
    touched = [change for change in plan.plan.changes if change.action.touches]
    effects = [one for number, change in enumerate(touched) for one in _effects(change, number)]
    experiments = [
        Experiment(
            id=f"exp_{number}",
            name=f"New flow {number}",
            status="active",
            owner=Person(name="Ada Byron", email="ada@shop.example"),
            permalink=f"https://console.statsig.com/shop/experiments/exp_{number}",
        )
        for number in range(2)
    ]
    reached = [
        Reached(
            kind=change.kind,
            name=change.name,
            live_name=change.live_name,
            unique_id=change.unique_id,
            experiments=tuple(
                ExperimentUse(experiment=one.id, uses=("assignment source",), metrics=())
                for one in experiments[: 1 + number % 4 // 2]
            ),
        )
        for number, change in enumerate(touched)
        if number % 2 == 0
    ]
    effects += [
        finding(
            "impact-experiment",
            f'{len(one.experiments)} running experiments use the {one.kind.label} "{one.live_name}".',
            unique_id=one.unique_id,
            kind=one.kind.value,
            source=one.name,
        )
        for one in reached
    ]
    impact = Impact(
        base="base/manifest.json",
        compared=count,
        effects=tuple(effects),
        experiments=tuple(experiments),
        reached=tuple(reached),
    )
    findings = tuple(sorted((*plan.validation.findings, *effects), key=lambda one: one.sort_key))
    return structs.replace(plan, validation=structs.replace(plan.validation, findings=findings, impact=impact))


def synced(count: int) -> Synced:
    """The same plan applied; one write in ten failed."""
    plan = planned(count)
    written = [
        change
        for change in plan.plan.changes
        if change.action in (Action.CREATE, Action.UPDATE, Action.RENAME, Action.DELETE)
    ]
    objects = [
        ObjectOutcome(change=change, status=Status.DONE)
        if place % 10
        else ObjectOutcome(change=change, status=Status.FAILED, message="Statsig refused it: sql: not found.")
        for place, change in enumerate(written)
    ]
    return Synced(planned=plan, outcome=Outcome(objects=tuple(objects)))
