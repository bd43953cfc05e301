"""One small project's validation, plan and outcome, as the commands would hand them to the renderers."""

from __future__ import annotations

from dbt_statsig.vocabulary.changes import Action, Change, FieldChange, Plan
from dbt_statsig.vocabulary.findings import Finding, KnownFinding, Location, Severity
from dbt_statsig.vocabulary.inspections import Check, Diagnosis, SettingOrigin
from dbt_statsig.vocabulary.kinds import AssignmentSource, MetricSource, QualifyingEvent
from dbt_statsig.vocabulary.results import (
    Baseline,
    ColumnUse,
    ExperimentUse,
    ObjectOutcome,
    Outcome,
    Planned,
    Reached,
    SourceReport,
    Status,
    Synced,
    Validation,
)
from dbt_statsig.vocabulary.sources import CustomField, IdType, Kind, Owner
from dbt_statsig.vocabulary.verdicts import Evidence, Presence, Verdict

EXPOSURES = AssignmentSource(
    name="Checkout exposures",
    description="One row per unit and exposure.\n\nManaged by dbt: shop/model.shop.fct_exposures",
    tags=("core", "growth"),
    sql='select\n  "exposed_at",\n  "user_id"\nfrom "shop"."marts"."fct_exposures"',
    timestamp_column="exposed_at",
    id_type_mapping=(IdType(statsig_unit_id="userID", column="user_id"),),
    is_read_only=True,
    owner=Owner(owner_name="Ann"),
)
ORDERS_BEFORE = "select\n" + "".join(f'  "column_{number}",\n' for number in range(12)) + '  "amount"\nfrom orders'
ORDERS_AFTER = ORDERS_BEFORE.replace('"amount"', '"amount_usd"')
ORDERS = MetricSource(name="Orders", sql=ORDERS_AFTER)


def use(role: str, name: str, presence: Presence, evidence: Evidence, **more: str) -> ColumnUse:
    """One column in one role, stored as it is named unless `stored` says otherwise."""
    verdict = Verdict(
        name=name,
        stored=more.get("stored", name),
        presence=presence,
        evidence=evidence,
        data_type=more.get("data_type"),
    )
    return ColumnUse(role=role, verdict=verdict)


FINDINGS = (
    Finding(
        code="column-unknown",
        severity=Severity.WARNING,
        message='No proof that model.shop.fct_orders has a column "country".',
        fix="Run `dbt compile` and `dbt docs generate`, or enforce a contract.",
        unique_id="model.shop.fct_orders",
        kind="metric_source",
        source="Orders",
        key="statsig.metric_source.where",
        location=Location("models/marts/_marts.yml", 31, 20),
    ),
    Finding(
        code="column-absent",
        severity=Severity.ERROR,
        message='model.shop.fct_orders has no column "ordered_att".',
        fix='Did you mean "ordered_at"?',
        unique_id="model.shop.fct_orders",
        kind="metric_source",
        source="Orders",
        key="statsig.metric_source.timestamp_column",
        location=Location("models/marts/_marts.yml", 33, 31),
    ),
    Finding(
        code="not-compiled",
        severity=Severity.NOTE,
        message="The manifest has no compiled SQL for 3 models.",
        fix="Run `dbt compile` first.",
    ),
)
SOURCES = (
    SourceReport(
        kind=Kind.ASSIGNMENT_SOURCE,
        name="Checkout exposures",
        unique_id="model.shop.fct_exposures",
        relation_name='"shop"."marts"."fct_exposures"',
        location=Location("models/marts/_marts.yml", 12, 11),
        columns=(
            use("timestamp_column", "exposed_at", Presence.PRESENT, Evidence.CONTRACT, data_type="timestamp"),
            use("id_type_mapping.userID", "user_id", Presence.PRESENT, Evidence.CATALOG, stored="USER_ID"),
            use("columns", "country", Presence.PRESENT, Evidence.INFERRED),
            use("columns", "device", Presence.PRESENT, Evidence.INFERRED),
        ),
        payload=EXPOSURES,
        blocked=False,
        selected=("exposed_at", "USER_ID", "country", "device"),
        hidden=("email", "birth_date"),
    ),
    SourceReport(
        kind=Kind.METRIC_SOURCE,
        name="Orders",
        unique_id="model.shop.fct_orders",
        relation_name='"shop"."marts"."fct_orders"',
        location=Location("models/marts/_marts.yml", 29, 11),
        columns=(
            use("timestamp_column", "ordered_att", Presence.ABSENT, Evidence.CATALOG),
            use("where", "country", Presence.UNKNOWN, Evidence.DOCUMENTED),
            use("id_type_mapping.userID", "user_id", Presence.UNKNOWN, Evidence.NONE),
        ),
        payload=None,
        blocked=True,
    ),
)
VALIDATION = Validation(
    project="shop",
    adapter="duckdb",
    dbt_version="1.11.2",
    manifest_path="target/manifest.json",
    sources=SOURCES,
    findings=FINDINGS,
)
CLEAN = Validation(
    project="shop",
    adapter="duckdb",
    dbt_version="",
    manifest_path="target/manifest.json",
    sources=SOURCES[:1],
    findings=(),
)

CREATE = Change(
    action=Action.CREATE,
    kind=Kind.ASSIGNMENT_SOURCE,
    name="Checkout exposures",
    unique_id="model.shop.fct_exposures",
    desired=EXPOSURES,
)
UPDATE = Change(
    action=Action.UPDATE,
    kind=Kind.METRIC_SOURCE,
    name="Orders",
    live_name="Orders",
    unique_id="model.shop.fct_orders",
    adopted=True,
    desired=ORDERS,
    fields=(
        FieldChange(field="sql", before=ORDERS_BEFORE, after=ORDERS_AFTER),
        FieldChange(field="timestamp_column", before="created_at", after="ordered_at"),
        FieldChange(field="tags", before=("core", "legacy"), after=("core", "growth")),
        FieldChange(
            field="id_type_mapping",
            before=(
                IdType(statsig_unit_id="userID", column="user"),
                IdType(statsig_unit_id="stableID", column="device"),
            ),
            after=(
                IdType(statsig_unit_id="userID", column="user_id"),
                IdType(statsig_unit_id="companyID", column="org"),
            ),
        ),
        FieldChange(field="custom_field_mapping", before=None, after=(CustomField(key="net", formula="gross - tax"),)),
        FieldChange(field="is_verified", before=None, after=True),
        FieldChange(field="team", before="Growth ", after=None),
    ),
)
RENAME = Change(
    action=Action.RENAME,
    kind=Kind.ASSIGNMENT_SOURCE,
    name="Search exposures",
    live_name="Find exposures",
    unique_id="model.shop.fct_search",
    fields=(
        FieldChange(field="name", before="Find exposures", after="Search exposures"),
        FieldChange(field="description", before="Old text.", after="New text."),
    ),
)
DELETE = Change(
    action=Action.DELETE,
    kind=Kind.QUALIFYING_EVENT,
    name="Basket opened",
    live_name="Basket opened",
    unique_id="model.shop.events",
    reason="It is no longer declared.",
)
FOREIGN = Change(
    action=Action.FOREIGN,
    kind=Kind.QUALIFYING_EVENT,
    name="Checkout opened",
    unique_id="model.shop.events",
    reason="Not managed by this project: it has no ownership line.",
    fix='To take it over, run again with --adopt "Checkout opened".',
    desired=QualifyingEvent(name="Checkout opened"),
)
BLOCKED = Change(
    action=Action.BLOCKED,
    kind=Kind.METRIC_SOURCE,
    name="Refunds",
    unique_id="model.shop.fct_refunds",
    reason="It has errors: column-absent.",
    fix="Fix them, then run again.",
)
ORPHAN = Change(
    action=Action.ORPHAN,
    kind=Kind.METRIC_SOURCE,
    name="Visits",
    live_name="Visits",
    unique_id="model.shop.fct_visits",
    reason="It is no longer declared.",
    fix="To delete it, run `sync --prune`.",
)
UNCHANGED = Change(action=Action.UNCHANGED, kind=Kind.METRIC_SOURCE, name="Carts", unique_id="model.shop.fct_carts")

PLAN = Plan(project="shop", changes=(CREATE, RENAME, DELETE, FOREIGN, UNCHANGED, UPDATE, BLOCKED, ORPHAN))
PLANNED = Planned(validation=VALIDATION, plan=PLAN, requests=4, warnings=("The tags could not be listed.",))
OUTCOME = Outcome(
    objects=(
        ObjectOutcome(change=CREATE, status=Status.DONE, reconciled=True),
        ObjectOutcome(
            change=RENAME,
            status=Status.FAILED,
            message="The API refused it: name: already in use.",
            fix="Choose another name.",
        ),
        ObjectOutcome(
            change=UPDATE,
            status=Status.DONE,
            message="The console now shows other values than were sent.",
            fix="Compare the fields, then plan again.",
            echo=(FieldChange(field="team", before=None, after="Growth"),),
        ),
        ObjectOutcome(change=DELETE, status=Status.NOT_STARTED, message="The key was refused."),
    ),
    stopped="The key was refused.",
    notes=("Could not create missing tags: 500.",),
)
SYNCED = Synced(planned=PLANNED, outcome=OUTCOME)
DIAGNOSIS = Diagnosis(
    checks=(
        Check(name="manifest", ok=True, message="target/manifest.json, dbt 1.11.2, 2 sources"),
        Check(name="key", ok=False, message="No key is set.", fix="Set STATSIG_CONSOLE_API_KEY to a Console API key."),
        Check(name="unit IDs", ok=None, message="Not checked: there is no key."),
    ),
    settings=(
        SettingOrigin(key="base_url", value="https://statsigapi.net", origin="default"),
        SettingOrigin(key="strict", value="true", origin="dbt_statsig.yml:3"),
    ),
)

REACHED = Reached(
    kind=Kind.METRIC_SOURCE,
    name="Orders",
    live_name="Orders",
    unique_id="model.shop.fct_orders",
    experiments=(ExperimentUse(experiment="1", uses=("metrics",), metrics=("revenue", "aov")),),
)
STALE = KnownFinding(code="bad-name", unique_id="model.shop.x", kind="", source="", key="", count=1)
BASELINE = Baseline(path="known.json", known=FINDINGS, stale=(STALE,))
