"""A report as JUnit XML, for CI systems that show test results: one case for each declared source and each write.

Facts: GitLab's documented subset. It shows the content of `failure`, `error` and `skipped`, the output of failed cases
only, and of two cases with one class and name the first; so a warning is `skipped`, and classes begin with the suite.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from dbt_statsig.report.escape import lines_of, one_line
from dbt_statsig.report.run_findings import COULD_NOT_RUN, page_of, place_of
from dbt_statsig.report.text.reloads import ending, remarks
from dbt_statsig.vocabulary.changes import Action
from dbt_statsig.vocabulary.findings import Severity
from dbt_statsig.vocabulary.results import Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dbt_statsig.report.subject import Subject
    from dbt_statsig.vocabulary.changes import Change
    from dbt_statsig.vocabulary.findings import Finding
    from dbt_statsig.vocabulary.reloads import Reloaded
    from dbt_statsig.vocabulary.results import Failure

_XML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;"})
# XML 1.0 has no way to write these, not even as references.
_FORBIDDEN = re.compile("[\ufffe\uffff]")
_FAULTS = {
    Status.FAILED: "failure",
    Status.REFUSED: "failure",
    Status.UNKNOWN: "error",
    Status.NOT_STARTED: "skipped",
}


class _Case(Struct, frozen=True, kw_only=True):
    name: str
    classname: str
    file: str = ""
    result: str = ""
    message: str = ""
    text: str = ""
    output: str = ""


def render(subject: Subject) -> str:
    """A suite for the validation, for the plan and for the sync, as far as there is one."""
    suites = [("validate", list(_validation(subject)))]
    if subject.planned is not None:
        suites.append(("plan", [_change(change) for change in subject.changes]))
    if subject.outcome is not None and subject.outcome.objects:
        suites.append(("sync", list(_outcome(subject))))
    if subject.reloaded is not None:
        suites.append(("reload", list(_reload(subject.reloaded))))
    return _document(suites)


def render_failure(failure: Failure) -> str:
    """One suite with one case that is in error."""
    case = _Case(
        name=COULD_NOT_RUN,
        classname=f"dbt-statsig.{failure.command}".rstrip("."),
        result="error",
        message=" ".join(failure.message.splitlines()),
        text=failure.text,
    )
    return _document([(failure.command, [case])])


def _document(suites: list[tuple[str, list[_Case]]]) -> str:
    body = [line for name, cases in suites for line in _suite(f"dbt-statsig {name}".rstrip(), cases)]
    cases = [case for _, some in suites for case in some]
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    return "\n".join([head, f"<testsuites {_counts('dbt-statsig', cases)}>", *body, "</testsuites>", ""])


def _validation(subject: Subject) -> Iterable[_Case]:
    by_source: dict[tuple[str, str, str], list[Finding]] = {}
    for found in subject.validation.findings:
        by_source.setdefault((found.unique_id, found.kind, found.source), []).append(found)
    for source in subject.validation.sources:
        mine = by_source.pop((source.unique_id, source.kind.value, source.name), [])
        file = subject.path_of(source.location) if source.location else ""
        yield _judged(source.name, f"{source.kind.value}.{source.unique_id}", mine, file)
    for (unique_id, kind, source_name), rest in by_source.items():
        where = ".".join(filter(None, (kind, unique_id))) or "project"
        yield _judged(source_name or unique_id or "project", where, rest)


def _judged(name: str, classname: str, findings: list[Finding], file: str = "") -> _Case:
    worst = max((found.severity for found in findings), default=Severity.NOTE)
    shown = [found for found in findings if found.severity is worst is not Severity.NOTE]
    return _Case(
        name=name,
        classname=f"validate.{classname}",
        file=file,
        result={Severity.ERROR: "failure", Severity.WARNING: "skipped"}.get(worst, ""),
        message="; ".join(f"{found.code}: {found.message}" for found in shown),
        text=_lines(shown),
        output=_lines([found for found in findings if found not in shown]),
    )


def _lines(findings: list[Finding]) -> str:
    return "\n".join(
        " ".join(
            filter(
                None,
                (f"{one.severity.label} {one.code}", place_of(one), one.message, one.fix, page_of(one.code)),
            )
        )
        for one in findings
    )


def _change(change: Change) -> _Case:
    refused = change.action in (Action.FOREIGN, Action.BLOCKED)
    fields = ", ".join(field.field for field in change.fields)
    words = "\n".join(filter(None, (change.action.label, fields, change.reason, change.fix)))
    return _Case(
        name=change.name,
        classname=f"plan.{change.kind.value}.{change.unique_id}".rstrip("."),
        result="failure" if refused else "",
        message=change.reason if refused else "",
        text=words if refused else "",
        output="" if refused else words,
    )


def _outcome(subject: Subject) -> Iterable[_Case]:
    for entry in subject.outcome.objects if subject.outcome else ():
        result = _FAULTS.get(entry.status, "")
        words = "\n".join(filter(None, (entry.change.action.label, entry.status.value, entry.message, entry.fix)))
        yield _Case(
            name=entry.change.name,
            classname=f"sync.{entry.change.kind.value}.{entry.change.unique_id}".rstrip("."),
            result=result,
            message=entry.message,
            text=words if result else "",
            output="" if result else words,
        )


def _reload(reloaded: Reloaded) -> Iterable[_Case]:
    """A case for each experiment, and one for what concerns all."""
    for one in reloaded.experiments:
        kind = f" ({one.refresh.value})" if one.refresh else ""
        words = "\n".join(filter(None, (f"{ending(one)}{kind}", *remarks(one), one.fix)))
        result = "failure" if one.is_problem else ""
        yield _Case(
            name=one.name,
            classname=f"reload.{one.id}",
            result=result,
            message=f"experiment {one.name}: {one.state.value}" if result else "",
            text=words if result else "",
            output="" if result else words,
        )
    for why in filter(None, (reloaded.stopped, reloaded.refused)):
        yield _Case(name=reloaded.project, classname="reload", result="error", message=why, text=why)


def _suite(name: str, cases: list[_Case]) -> list[str]:
    return [f"  <testsuite {_counts(name, cases)}>", *(_case(case) for case in cases), "  </testsuite>"]


def _counts(name: str, cases: list[_Case]) -> str:
    results = [case.result for case in cases]
    counts = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    words = " ".join(f'{word}="{results.count(result)}"' for word, result in counts.items())
    return f'name="{_attribute(name)}" tests="{len(cases)}" {words} time="0"'


def _case(case: _Case) -> str:
    file = f' file="{_attribute(case.file)}"' if case.file else ""
    inner = ""
    if case.result:
        inner = f'<{case.result} message="{_attribute(case.message)}">{_xml_text(case.text)}</{case.result}>'
    inner += f"<system-out>{_xml_text(case.output)}</system-out>" if case.output else ""
    return (
        f'    <testcase name="{_attribute(case.name)}" classname="{_attribute(case.classname)}"{file} time="0">'
        f"{inner}</testcase>"
    )


def _attribute(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", one_line(text)).translate(_XML)


def _xml_text(text: str) -> str:
    return "\n".join(_attribute(line) for line in lines_of(text))
