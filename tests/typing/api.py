"""How callers use the public API; mypy checks it, nothing runs it."""

from __future__ import annotations

from pathlib import Path

import dbt_statsig
from dbt_statsig import (
    Action,
    Change,
    Check,
    ConsoleError,
    DbtStatsigError,
    DbtYaml,
    ExperimentReload,
    Exposure,
    FieldChange,
    Finding,
    FirstBlocks,
    Kind,
    Listing,
    Load,
    Location,
    Metric,
    MetricPart,
    ObjectOutcome,
    Planned,
    Refused,
    Reloaded,
    Request,
    Severity,
    SourceReport,
    Status,
    Synced,
    UsageError,
    Validation,
)

Request(project_dir="shop")
Request(project_dir=Path("shop"), manifest="target/manifest.json", state=Path("base"), catalog=None)
Request(project_dir="shop", select="orders", exclude=["visits"], adopt="Orders", kinds=Kind.METRIC_SOURCE)
Request(project_dir="shop", select=("orders",), adopt={"Orders"}, kinds=["metric_source", Kind.QUALIFYING_EVENT])
KEY = {"STATSIG_CONSOLE_API_KEY": "key"}  # pragma: allowlist secret
Request(project_dir="shop", flags={"cache": False}, environ=KEY, dry_run=True)
Request(project_dir=7)  # type: ignore[arg-type]
Request(project_dir="shop", select=7)  # type: ignore[arg-type]
Request(project_dir="shop", strict="yes")  # type: ignore[arg-type]
Request("shop")  # type: ignore[misc]

request = Request(project_dir="shop")
version: str = dbt_statsig.__version__


class Log:
    """A progress of the caller's own."""

    def say(self, text: str) -> None:
        """One step."""

    def done(self, count: int, total: int) -> None:
        """One object."""


def confirm(planned: Planned) -> bool:
    """Whether the plan may be written."""
    return planned.pending and not planned.problems


validation: Validation = dbt_statsig.validate(request)
findings: tuple[Finding, ...] = validation.findings
severity: Severity = findings[0].severity
location: Location | None = findings[0].location
source: SourceReport = validation.sources[0]
if isinstance(source.payload, Metric) and source.payload.metric_sources:
    part: MetricPart = source.payload.metric_sources[0]
planned: Planned = dbt_statsig.plan(request, progress=Log())
change: Change = planned.plan.changes[0]
action: Action = change.action
field: FieldChange = change.fields[0]
synced: Synced = dbt_statsig.sync(request, progress=Log(), confirm=confirm)
entry: ObjectOutcome = synced.outcome.objects[0]
status: Status = entry.status
code: int = synced.exit_code
first: FirstBlocks = dbt_statsig.init(request, "orders", kind="metric_source")
released: Synced = dbt_statsig.release(request, ["Orders"], confirm=confirm)
reloaded: Reloaded = dbt_statsig.reload(request, refresh="full", wait=True, timeout=60, synced=None, progress=Log())
experiment: ExperimentReload = reloaded.experiments[0]
load: Load | None = experiment.load
exposures: DbtYaml = dbt_statsig.exposures(request, metrics=True, write="models/statsig.yml", progress=Log())
exposure: Exposure = exposures.exposures[0]
tables: DbtYaml = dbt_statsig.statsig_tables(request, schema="statsig", write=Path("models/tables.yml"))
verdict: bool = synced.ok()
check: Check = dbt_statsig.debug(request).checks[0]
listing: Listing = dbt_statsig.list_columns(request, only_inferred=True, jobs=2)

try:
    dbt_statsig.sync(request)
except UsageError as usage:
    step: str = usage.fix
except Refused as refused:
    number: int = refused.status
except ConsoleError as failure:
    message: str = failure.message
except DbtStatsigError as error:
    exit_code: int = error.exit_code
