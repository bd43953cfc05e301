"""dbt-statsig keeps Statsig's warehouse-native sources in agreement with a dbt project.

`validate`, `plan`, `sync`, `reload`, `init`, `import_objects`, `release`, `exposures`, `statsig_tables`, `debug` and
`list_columns` each take a `Request` and return a value; what can go wrong is raised as `DbtStatsigError`.
`docs/python.md` describes all names. They are imported when first used, because dbt imports this package with every
command.
"""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dbt_statsig.commands.api import (
        Request,
        debug,
        exposures,
        import_objects,
        init,
        list_columns,
        plan,
        release,
        reload,
        statsig_tables,
        sync,
        validate,
    )
    from dbt_statsig.errors import (
        AnswerLost,
        ArtifactError,
        AuthenticationFailed,
        Conflict,
        ConnectionFailed,
        ConsoleError,
        DbtStatsigError,
        Forbidden,
        NotFound,
        OutcomeUnknown,
        ProtocolError,
        QueryFailed,
        Refused,
        SettingsError,
        Stopped,
        TargetNotAllowed,
        TargetRefused,
        Throttled,
        UsageError,
    )
    from dbt_statsig.vocabulary.changes import Action, Change, FieldChange, Origin, Plan, Where
    from dbt_statsig.vocabulary.experiments import ColumnRead, Experiment, MetricRef, Person, SourceRead, TagRef
    from dbt_statsig.vocabulary.exposures import DbtYaml, Exposure
    from dbt_statsig.vocabulary.findings import Finding, KnownFinding, Location, Severity
    from dbt_statsig.vocabulary.imports import (
        Candidate,
        Exactness,
        FirstBlocks,
        Guess,
        Imported,
        ImportedFile,
        ImportedObject,
        Proposed,
    )
    from dbt_statsig.vocabulary.inspections import Check, Diagnosis, ListedNode, Listing, SettingOrigin
    from dbt_statsig.vocabulary.kinds import (
        AssignmentSource,
        EntityPropertySource,
        Metric,
        MetricSource,
        QualifyingEvent,
    )
    from dbt_statsig.vocabulary.kinds.metric import Component, Criterion, DimensionLimit, FunnelEvent, MetricPart
    from dbt_statsig.vocabulary.progress import Progress
    from dbt_statsig.vocabulary.reloads import ExperimentReload, FailingSource, Load, Refresh, Reloaded, ReloadState
    from dbt_statsig.vocabulary.results import (
        Baseline,
        Binding,
        ColumnEffect,
        ColumnUse,
        ExperimentUse,
        Impact,
        Lineage,
        ObjectOutcome,
        Outcome,
        Planned,
        Reached,
        Skipped,
        SourceReport,
        Status,
        Synced,
        Upstream,
        Validation,
    )
    from dbt_statsig.vocabulary.sources import CustomField, IdType, Kind, Owner, Source
    from dbt_statsig.vocabulary.verdicts import ColumnSet, Evidence, KnownColumn, Presence, Verdict

__all__ = [
    "Action",
    "AnswerLost",
    "ArtifactError",
    "AssignmentSource",
    "AuthenticationFailed",
    "Baseline",
    "Binding",
    "Candidate",
    "Change",
    "Check",
    "ColumnEffect",
    "ColumnRead",
    "ColumnSet",
    "ColumnUse",
    "Component",
    "Conflict",
    "ConnectionFailed",
    "ConsoleError",
    "Criterion",
    "CustomField",
    "DbtStatsigError",
    "DbtYaml",
    "Diagnosis",
    "DimensionLimit",
    "EntityPropertySource",
    "Evidence",
    "Exactness",
    "Experiment",
    "ExperimentReload",
    "ExperimentUse",
    "Exposure",
    "FailingSource",
    "FieldChange",
    "Finding",
    "FirstBlocks",
    "Forbidden",
    "FunnelEvent",
    "Guess",
    "IdType",
    "Impact",
    "Imported",
    "ImportedFile",
    "ImportedObject",
    "Kind",
    "KnownColumn",
    "KnownFinding",
    "Lineage",
    "ListedNode",
    "Listing",
    "Load",
    "Location",
    "Metric",
    "MetricPart",
    "MetricRef",
    "MetricSource",
    "NotFound",
    "ObjectOutcome",
    "Origin",
    "Outcome",
    "OutcomeUnknown",
    "Owner",
    "Person",
    "Plan",
    "Planned",
    "Presence",
    "Progress",
    "Proposed",
    "ProtocolError",
    "QualifyingEvent",
    "QueryFailed",
    "Reached",
    "Refresh",
    "Refused",
    "ReloadState",
    "Reloaded",
    "Request",
    "SettingOrigin",
    "SettingsError",
    "Severity",
    "Skipped",
    "Source",
    "SourceRead",
    "SourceReport",
    "Status",
    "Stopped",
    "Synced",
    "TagRef",
    "TargetNotAllowed",
    "TargetRefused",
    "Throttled",
    "Upstream",
    "UsageError",
    "Validation",
    "Verdict",
    "Where",
    "__version__",
    "debug",
    "exposures",
    "import_objects",
    "init",
    "list_columns",
    "plan",
    "release",
    "reload",
    "statsig_tables",
    "sync",
    "validate",
]

_HOMES = {
    "commands.api": (
        "Request debug exposures import_objects init list_columns plan release reload statsig_tables sync validate"
    ),
    "errors": (
        "AnswerLost ArtifactError AuthenticationFailed Conflict ConnectionFailed ConsoleError "
        "DbtStatsigError Forbidden NotFound OutcomeUnknown ProtocolError QueryFailed Refused SettingsError "
        "Stopped TargetNotAllowed TargetRefused Throttled UsageError"
    ),
    "vocabulary.changes": "Action Change FieldChange Origin Plan Where",
    "vocabulary.experiments": "ColumnRead Experiment MetricRef Person SourceRead TagRef",
    "vocabulary.exposures": "DbtYaml Exposure",
    "vocabulary.findings": "Finding KnownFinding Location Severity",
    "vocabulary.imports": "Candidate Exactness FirstBlocks Guess Imported ImportedFile ImportedObject Proposed",
    "vocabulary.inspections": "Check Diagnosis ListedNode Listing SettingOrigin",
    "vocabulary.kinds": "AssignmentSource EntityPropertySource Metric MetricSource QualifyingEvent",
    "vocabulary.kinds.metric": "Component Criterion DimensionLimit FunnelEvent MetricPart",
    "vocabulary.progress": "Progress",
    "vocabulary.reloads": "ExperimentReload FailingSource Load Refresh ReloadState Reloaded",
    "vocabulary.results": (
        "Baseline Binding ColumnEffect ColumnUse ExperimentUse Impact Lineage ObjectOutcome Outcome Planned Reached "
        "Skipped SourceReport Status Synced Upstream Validation"
    ),
    "vocabulary.sources": "CustomField IdType Kind Owner Source",
    "vocabulary.verdicts": "ColumnSet Evidence KnownColumn Presence Verdict",
}


def __getattr__(name: str) -> Any:
    if name == "plugins":
        return _plugins()
    for home, names in _HOMES.items():
        if name in names.split():
            from importlib import import_module  # dbt imports this file with every command

            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names, for completion."""
    return __all__


def _plugins() -> list[Any]:
    """What dbt looks for in every module whose name begins with `dbt_`; empty where this dbt is not one we know."""
    try:
        from dbt_statsig.dbt_runtime.plugin import plugins  # only dbt asks for it
    except Exception as error:  # noqa: BLE001 - dbt would abort the user's command
        import sys  # only for this

        sys.stderr.write(f"Warning: dbt-statsig is not active in this dbt: {type(error).__name__}: {error}\n")
        return []
    return list(plugins)
