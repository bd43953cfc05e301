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
from dbt_statsig.report.html.details import TEXT_BUDGET, bodies
from dbt_statsig.report.html.rows import loose_findings, rows_of, tiles
from dbt_statsig.report.text.report import headline
from dbt_statsig.vocabulary.kinds import SPECS
from dbt_statsig.vocabulary.sources import Kind

if TYPE_CHECKING:
    from jinja2 import Template

    from dbt_statsig.report.html.rows import Row
    from dbt_statsig.report.subject import Subject
    from dbt_statsig.vocabulary.results import Failure

LARGEST = 5_000_000
_VERBS = {"validate": "Validation", "plan": "Plan", "sync": "Sync", "release": "Release", "run": "Sync after dbt"}


def render(subject: Subject) -> str:
    """One self-contained page; where the texts of very many objects would make it too large, they are cut short."""
    rows = rows_of(subject)
    budget = TEXT_BUDGET
    text = _page(subject, rows, budget)
    while len(text.encode("utf-8", "replace")) > LARGEST and budget:
        budget //= 4
        text = _page(subject, rows, budget)
    return text


def render_failure(failure: Failure) -> str:
    """A page that says why the command could not run, and nothing else."""
    style = _style()
    return _template("failure.html").render(
        policy=_policy(style),
        style=Markup(style),  # noqa: S704 - this package's own file, no part of any project
        verb=_VERBS.get(failure.command, "dbt-statsig"),
        message=[clipped(line, 2_000) for line in failure.message.splitlines()],
        fix=[clipped(line, 2_000) for line in failure.fix.splitlines()],
        type=failure.type,
        exit_code=failure.exit_code,
        version=__version__,
    )


def _page(subject: Subject, rows: list[Row], budget: int) -> str:
    style, script = _style(), _asset("page.js")
    return _template("page.html").render(
        policy=_policy(style, script),
        style=Markup(style),  # noqa: S704 - this package's own file, no part of any project
        script=Markup(script),  # noqa: S704 - as above
        title=f"{_VERBS[subject.command]}: {clipped(subject.validation.owner, 100)}",
        verb=_VERBS[subject.command],
        project=clipped(subject.validation.owner, 200),
        headline=headline(subject),
        facts=_facts(subject),
        warnings=_warnings(subject),
        loose=loose_findings(subject, rows),
        impact=subject.validation.impact,
        baseline=subject.validation.baseline,
        tiles=list(tiles(rows)),
        kinds=[kind for kind in Kind if any(row.kind is kind for row in rows)],
        groups=_grouped(rows, budget),
        total=len(rows),
        version=__version__,
    )


def _grouped(rows: list[Row], budget: int) -> list[tuple[str, list[tuple[int, Row, Markup]]]]:
    """Section by section the rows with their numbers and what is below them."""
    below = (Markup(body) for body in bodies(rows, budget=budget))  # noqa: S704 - escaped where it is made
    numbered = zip(range(len(rows)), rows, below, strict=True)
    return [(group.value, list(members)) for group, members in groupby(numbered, lambda one: one[1].group)]


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
    return [clipped(text, 2_000) for text in found]


def _policy(style: str, script: str = "") -> str:
    scripts = f"script-src '{_digest(script)}'; " if script else ""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; {scripts}img-src data:; base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@functools.cache
def _style() -> str:
    """The style sheet, with the colour of each kind on light and on dark paper."""
    light = [f".{kind.value} {{ --k: {spec.colours[0]}; }}" for kind, spec in SPECS.items()]
    dark = [f".{kind.value} {{ --k: {spec.colours[1]}; }}" for kind, spec in SPECS.items()]
    by_system = "\n".join(f'  :root:not([data-theme="light"]) {rule}' for rule in dark)
    by_choice = "\n".join(f':root[data-theme="dark"] {rule}' for rule in dark)
    of_kinds = "\n".join([*light, f"@media (prefers-color-scheme: dark) {{\n{by_system}\n}}", by_choice])
    return f"{_asset('page.css')}{of_kinds}\n"


@functools.cache
def _asset(name: str) -> str:
    return files(__package__).joinpath("templates").joinpath(name).read_text(encoding="utf-8")


@functools.cache
def _template(name: str) -> Template:
    filters: dict[str, Any] = {"one_line": one_line}
    environment = Environment(
        keep_trailing_newline=True, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(filters)
    return environment.from_string(_asset(name))
