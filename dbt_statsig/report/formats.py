"""The forms that an answer can take, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbt_statsig.report.text.style import Style
from dbt_statsig.vocabulary.results import Planned, Synced, Validation

if TYPE_CHECKING:
    from dbt_statsig.report.subject import Subject

FORMATS = ("text", "json", "markdown", "github", "junit", "sarif", "html")


def rendered(form: str, subject: Subject, style: Style | None = None) -> str:
    """The whole report in one of `FORMATS`; `style` is for text alone. Each renderer is loaded when it is asked for."""
    return _RENDERERS[form](subject, style or Style())


def _text(subject: Subject, style: Style) -> str:
    from dbt_statsig.report.text.report import plan_text, sync_text, validation_text

    result = subject.result
    if isinstance(result, Synced):
        return sync_text(result, style, dry_run=subject.dry_run)
    return plan_text(result, style) if isinstance(result, Planned) else validation_text(result, style)


def _json(subject: Subject, _: Style) -> str:
    from dbt_statsig.report.json import plan_json, sync_json, validation_json

    result = subject.result
    if isinstance(result, Synced):
        return sync_json(result, dry_run=subject.dry_run, exit_code=subject.exit_code)
    if isinstance(result, Validation):
        return validation_json(result, exit_code=subject.exit_code)
    return plan_json(result, exit_code=subject.exit_code)


def _markdown(subject: Subject, _: Style) -> str:
    from dbt_statsig.report.markdown import markdown_report

    return markdown_report(subject)


def _github(subject: Subject, _: Style) -> str:
    from dbt_statsig.report.github import github_report

    return github_report(subject)


def _junit(subject: Subject, _: Style) -> str:
    from dbt_statsig.report.junit import junit_report

    return junit_report(subject)


def _sarif(subject: Subject, _: Style) -> str:
    from dbt_statsig.report.sarif import sarif_report

    return sarif_report(subject)


def _html(subject: Subject, _: Style) -> str:
    from dbt_statsig.report.html import html_report  # with it comes Jinja

    return html_report(subject)


_RENDERERS = {
    "text": _text,
    "json": _json,
    "markdown": _markdown,
    "github": _github,
    "junit": _junit,
    "sarif": _sarif,
    "html": _html,
}
