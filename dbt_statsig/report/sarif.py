"""Findings as SARIF 2.1.0, which code scanning services and editors read.

Facts: the OASIS standard SARIF 2.1.0. Columns count code points, as YAML's marks do.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dbt_statsig import __version__
from dbt_statsig.report.escape import one_line
from dbt_statsig.report.run_findings import (
    COULD_NOT_RUN,
    fingerprint,
    fingerprint_of,
    page_of,
    problems,
    project_file,
    rule,
    sentence,
)
from dbt_statsig.vocabulary.code import DOCS
from dbt_statsig.vocabulary.findings import Severity

if TYPE_CHECKING:
    from dbt_statsig.report.subject import Subject
    from dbt_statsig.vocabulary.findings import Finding
    from dbt_statsig.vocabulary.results import Failure

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def render(subject: Subject) -> str:
    """One run with every finding, refusal and failure; paths are relative to the repository's root."""
    found = problems(subject)
    codes = sorted({one.code for one in found})
    return _log(
        [_rule(code) for code in codes],
        category=f"{subject.command}/{one_line(subject.validation.owner)}",
        invocation={"executionSuccessful": True, "exitCode": subject.exit_code},
        results=[_result(one, codes, subject) for one in found],
    )


def render_failure(failure: Failure) -> str:
    """One run that did not succeed, with the reason as a notification of the tool and as its only result.

    Viewers show results, few of them notifications.
    """
    message = {"text": " ".join(map(one_line, failure.text.splitlines()))}
    location = {"physicalLocation": _project_place(failure.root)}
    notification = {"level": "error", "message": message, "locations": [location]}
    return _log(
        [_rule(COULD_NOT_RUN)],
        category=failure.command,
        invocation={
            "executionSuccessful": False,
            "exitCode": failure.exit_code,
            "toolExecutionNotifications": [notification],
        },
        results=[
            {
                "ruleId": COULD_NOT_RUN,
                "ruleIndex": 0,
                "level": "error",
                "message": message,
                "locations": [location],
                "partialFingerprints": {"dbtStatsig/v1": fingerprint(COULD_NOT_RUN, failure.command)},
            }
        ],
    )


def _log(rules: list[dict[str, Any]], *, category: str, invocation: dict[str, Any], results: list[Any]) -> str:
    run = {
        "tool": {
            "driver": {
                "name": "dbt-statsig",
                "version": __version__,
                "semanticVersion": __version__,
                "informationUri": f"{DOCS}/",
                "rules": rules,
            }
        },
        "automationDetails": {"id": f"dbt-statsig/{category}"},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The root of the repository."}}},
        "invocations": [invocation],
        "results": results,
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _rule(code: str) -> dict[str, Any]:
    known = rule(code)
    whole = f"{known.meaning} {known.remedy}".rstrip()
    return {
        "id": code,
        "name": "".join(word.capitalize() for word in code.split("-")),
        "shortDescription": {"text": known.meaning},
        "fullDescription": {"text": whole},
        "help": {"text": known.remedy or known.meaning, "markdown": f"{whole}\n\n[More]({page_of(code)})"},
        "helpUri": page_of(code),
        "defaultConfiguration": {"level": _LEVELS[known.severity]},
    }


def _result(found: Finding, codes: list[str], subject: Subject) -> dict[str, Any]:
    location: dict[str, Any] = {"physicalLocation": _place(found, subject)}
    if found.unique_id:
        logical = {"fullyQualifiedName": one_line(found.unique_id), "kind": "resource"}
        location["logicalLocations"] = [{"name": one_line(found.source or found.unique_id), **logical}]
    return {
        "ruleId": found.code,
        "ruleIndex": codes.index(found.code),
        "level": _LEVELS[found.severity],
        "message": {"text": sentence(found)},
        "locations": [location],
        "partialFingerprints": {"dbtStatsig/v1": fingerprint_of(found)},
    }


def _place(found: Finding, subject: Subject) -> dict[str, Any]:
    if found.location is None:
        return _project_place(subject.root)
    path = subject.path_of(found.location)
    # Code scanning wants a line; where none is known it shows the first.
    region = {"startLine": found.location.line or 1}
    if found.location.line and found.location.column:
        region["startColumn"] = found.location.column
    return {"artifactLocation": _artifact(path), "region": region}


def _project_place(root: str) -> dict[str, Any]:
    return {"artifactLocation": _artifact(project_file(root)), "region": {"startLine": 1}}


def _artifact(path: str) -> dict[str, str]:
    return {"uri": quote(one_line(path), safe="/-._~"), "uriBaseId": "%SRCROOT%"}
