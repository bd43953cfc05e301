"""The page itself: a Jinja template with autoescape, and a policy that lets only its own style and script run."""

from __future__ import annotations

import base64
import functools
import hashlib
from importlib.resources import files
from itertools import groupby
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from dbt_statsig import __version__
from dbt_statsig.report.escape import clipped, one_line
from dbt_statsig.report.html.details import CHUNK, TEXT_BUDGET, details_json
from dbt_statsig.report.html.rows import loose_findings, rows_of, tiles
from dbt_statsig.sources import Kind

if TYPE_CHECKING:
    from jinja2 import Template

    from dbt_statsig.report.html.rows import Row
    from dbt_statsig.report.subject import Subject

LARGEST = 5_000_000
_VERBS = {"validate": "Validation", "plan": "Plan", "sync": "Sync"}


def html_report(subject: Subject) -> str:
    """One self-contained page; where the texts of very many objects would make it too large, they are cut short."""
    rows = rows_of(subject)
    budget = TEXT_BUDGET
    text = _page(subject, rows, budget)
    while len(text.encode("utf-8", "replace")) > LARGEST and budget:
        budget //= 4
        text = _page(subject, rows, budget)
    return text


def _page(subject: Subject, rows: list[Row], budget: int) -> str:
    style, script = _asset("page.css"), _asset("page.js")
    return _template().render(
        policy=_policy(style, script),
        style=Markup(style),  # noqa: S704 - this package's own file, no part of any project
        script=Markup(script),  # noqa: S704 - as above
        chunk=CHUNK,
        data=[Markup(part) for part in details_json(rows, budget=budget)],  # noqa: S704 - escaped where it is made
        title=f"{_VERBS[subject.command]}: {clipped(subject.validation.project, 100)}",
        verb=_VERBS[subject.command],
        project=clipped(subject.validation.project, 200),
        headline=subject.headline(),
        facts=_facts(subject),
        warnings=_warnings(subject),
        loose=loose_findings(subject, rows),
        impact=subject.validation.impact,
        baseline=subject.validation.baseline,
        tiles=list(tiles(rows)),
        kinds=[kind for kind in Kind if any(row.kind is kind for row in rows)],
        groups=[(group.value, list(members)) for group, members in groupby(_numbered(rows), lambda one: one[1].group)],
        total=len(rows),
        version=__version__,
    )


def _numbered(rows: list[Row]) -> list[tuple[int, Row]]:
    return list(enumerate(rows))


def _facts(subject: Subject) -> list[tuple[str, str]]:
    validation = subject.validation
    binding = subject.planned.binding if subject.planned else None
    found = [
        ("warehouse", validation.adapter),
        ("dbt", validation.dbt_version),
        ("target", binding.target if binding else ""),
        ("console", binding.base_url if binding else ""),
        ("manifest", validation.manifest_path),
    ]
    return [(name, clipped(value, 200)) for name, value in found if value]


def _warnings(subject: Subject) -> list[str]:
    planned, outcome = subject.planned, subject.outcome
    found = [f"Stopped early: {outcome.stopped}"] if outcome and outcome.stopped else []
    found += [*planned.warnings, *planned.notes] if planned else []
    found += outcome.notes if outcome else ()
    found += [f'The selection "{pattern}" matches no node.' for pattern in subject.validation.unmatched]
    return [clipped(text, 2_000) for text in found]


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@functools.cache
def _asset(name: str) -> str:
    return files(__package__).joinpath("templates").joinpath(name).read_text(encoding="utf-8")


@functools.cache
def _template() -> Template:
    filters: dict[str, Any] = {"one_line": one_line}
    environment = Environment(
        keep_trailing_newline=True, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(filters)
    return environment.from_string(_asset("page.html"))
