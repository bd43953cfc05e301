"""Annotations in GitHub's own form: workflow commands that Actions shows beside the line of a file.

Facts: GitHub's documented workflow commands; of each severity a step shows ten, hence the worst first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbt_statsig.report.escape import one_line
from dbt_statsig.report.run_findings import page_of, problems, sentence
from dbt_statsig.report.text.report import headline
from dbt_statsig.vocabulary.findings import Severity

if TYPE_CHECKING:
    from dbt_statsig.report.subject import Subject
    from dbt_statsig.vocabulary.findings import Finding
    from dbt_statsig.vocabulary.results import Failure

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
_BREAKS = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_SEPARATORS = str.maketrans({":": "%3A", ",": "%2C"})


def render(subject: Subject) -> str:
    """One command a line: every finding, refusal and failure, then the sums as a notice."""
    lines = [_annotation(found, subject) for found in problems(subject)]
    lines.append(annotation("notice", f"dbt-statsig {subject.command}", headline(subject)))
    return "\n".join(lines) + "\n"


def render_failure(failure: Failure) -> str:
    """One error."""
    return annotation("error", "dbt-statsig", failure.text) + "\n"


def annotation(command: str, title: str, message: str, **properties: int | str) -> str:
    """One workflow command; no text in it can begin another."""
    given = {**properties, "title": title}
    words = ",".join(f"{name}={_property(str(value))}" for name, value in given.items() if value)
    return f"::{command} {words}::{_data(message)}"


def _annotation(found: Finding, subject: Subject) -> str:
    place: dict[str, int | str] = {}
    if found.location:
        place = {"file": subject.path_of(found.location), "line": found.location.line, "col": found.location.column}
    message = "\n".join([sentence(found, between="\n"), page_of(found.code)])
    return annotation(_COMMANDS[found.severity], f"dbt-statsig {found.code}", message, **place)


def _data(text: str) -> str:
    return "\n".join(map(one_line, text.splitlines())).translate(_BREAKS)


def _property(text: str) -> str:
    return _data(text).translate(_SEPARATORS)
