"""Findings as GitLab's Code Quality report, which a merge request shows beside its lines.

Facts: GitLab's documented format. Of entries with one fingerprint GitLab shows the first only.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from dbt_statsig.report.escape import one_line
from dbt_statsig.report.run_findings import (
    COULD_NOT_RUN,
    fingerprint,
    fingerprint_of,
    page_of,
    problems,
    project_file,
    sentence,
)
from dbt_statsig.vocabulary.findings import Severity

if TYPE_CHECKING:
    from dbt_statsig.report.subject import Subject
    from dbt_statsig.vocabulary.results import Failure

_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.NOTE: "info"}


def render(subject: Subject) -> str:
    """A list with an entry for every finding, refusal and failure; paths begin at the repository's root."""
    entries: list[dict[str, Any]] = []
    seen: Counter[str] = Counter()
    for found in problems(subject):
        first = fingerprint_of(found)
        seen[first] += 1
        entries.append(
            _entry(
                found.code,
                sentence(found),
                severity=_SEVERITIES[found.severity],
                mark=first if seen[first] == 1 else fingerprint(first, str(seen[first])),
                path=(found.location and subject.path_of(found.location)) or project_file(subject.root),
                line=found.location.line if found.location else 0,
            )
        )
    return json.dumps(entries, indent=1) + "\n"


def render_failure(failure: Failure) -> str:
    """A list with one entry."""
    text = " ".join(map(one_line, failure.text.splitlines()))
    mark, path = fingerprint(COULD_NOT_RUN, failure.command), project_file(failure.root)
    return json.dumps([_entry(COULD_NOT_RUN, text, severity="blocker", mark=mark, path=path)], indent=1) + "\n"


def _entry(code: str, text: str, *, severity: str, mark: str, path: str, line: int = 0) -> dict[str, Any]:
    return {
        "type": "issue",
        "check_name": code,
        "description": text,
        "content": {"body": page_of(code)},
        "categories": ["Bug Risk"],
        "severity": severity,
        "fingerprint": mark,
        "location": {"path": one_line(path), "lines": {"begin": line or 1}},
    }
