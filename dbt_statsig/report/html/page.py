"""The page itself: a Jinja template with autoescape, and a policy that lets only its own style and script run."""

from __future__ import annotations

import base64
import functools
import hashlib
from importlib.resources import files
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from dbt_statsig import __version__
from dbt_statsig.report.escape import clipped, one_line
from dbt_statsig.report.html.details import TEXT_BUDGET, bodies, findings_list
from dbt_statsig.report.html.heads import head
from dbt_statsig.report.html.markup import escaped, linked, paragraphs, prose, worded
from dbt_statsig.report.html.rows import Group, loose_findings, opened, rows_of, tiles
from dbt_statsig.report.run_facts import facts, run_facts
from dbt_statsig.report.text.reloads import ending, remarks, summary
from dbt_statsig.report.text.report import headline
from dbt_statsig.report.verdict import verdict
from dbt_statsig.vocabulary.kinds import SPECS
from dbt_statsig.vocabulary.reloads import ReloadState
from dbt_statsig.vocabulary.sources import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jinja2 import Template

    from dbt_statsig.report.html.rows import Row
    from dbt_statsig.report.subject import Subject
    from dbt_statsig.vocabulary.findings import Finding
    from dbt_statsig.vocabulary.reloads import ExperimentReload
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
        message=failure.message.splitlines(),
        fix=failure.fix.splitlines(),
        facts=run_facts(failure.run),
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
        verdict=verdict(subject),
        headline=headline(subject),
        facts=facts(subject),
        warnings=_warnings(subject),
        loose=[_loose(subject, some) for some in loose_findings(subject, rows)],
        impact=subject.validation.impact,
        reloaded=_reloaded(subject),
        baseline=subject.validation.baseline,
        tiles=list(tiles(rows)),
        kinds=[kind for kind in Kind if any(row.kind is kind for row in rows)],
        sections=_sections(subject, rows, budget),
        total=len(rows),
        version=__version__,
    )


class _Section(NamedTuple):
    """A section of the page: `reasons` are shared by its rows; where it `folds`, only its heading is seen at first."""

    heading: str
    total: int
    reasons: list[str]
    folds: bool
    rows: Markup


def _sections(subject: Subject, rows: list[Row], budget: int) -> list[_Section]:
    """The rows section by section, as markup: a template would take several times as long for them."""
    below = zip(rows, bodies(subject, rows, budget=budget), strict=True)
    first_open = opened(rows)
    found = []
    for group, members in groupby(below, lambda one: one[0].group):
        some = [_row(row, body, is_open=group in first_open) for row, body in members]
        mine = [row for row in rows if row.group is group]
        found.append(
            _Section(
                heading=group.value,
                total=len(some),
                reasons=_reasons(mine) if group is Group.HELD else [],
                folds=group is Group.FORCE,
                rows=Markup("".join(some)),  # noqa: S704 - escaped where it is made
            )
        )
    return found


def _row(row: Row, body: str, *, is_open: bool) -> str:
    look = " open" if is_open else ""
    return (
        f'<details class=row id="{row.anchor}" data-state="{row.state}"{look}>{head(row)}'
        f"<noscript>{body}</noscript></details>\n"
    )


def _reasons(rows: Iterable[Row]) -> list[str]:
    """Why the limit holds rows back, and what to do; each reason once."""
    changes = [row.change for row in rows if row.change]
    return [f"{reason} {fix}" for reason, fix in dict.fromkeys((one.reason, one.fix) for one in changes)]


def _loose(subject: Subject, some: list[Finding]) -> Markup:
    return Markup(findings_list(subject, some) if some else "")  # noqa: S704 - escaped where it is made


def _warnings(subject: Subject) -> list[str]:
    planned, outcome = subject.planned, subject.outcome
    found = [f"Stopped early: {outcome.stopped}"] if outcome and outcome.stopped else []
    found += [*planned.warnings, *planned.notes] if planned else []
    found += outcome.notes if outcome else ()
    if reloaded := subject.reloaded:
        found += [f"Reload: {text}" for text in (*reloaded.stops, *reloaded.warnings)]
    return found


def _reloaded(subject: Subject) -> tuple[str, Markup] | None:
    """The sums of a reload and its experiments, what went wrong first; None where there is none to show."""
    reloaded = subject.reloaded
    if reloaded is None or not reloaded.experiments:
        return None
    listed = sorted(reloaded.experiments, key=lambda one: not one.is_problem)
    return summary(reloaded), Markup("".join(map(_experiment, listed)))  # noqa: S704 - escaped where it is made


def _experiment(one: ExperimentReload) -> str:
    look = "error" if one.is_problem else "warning" if one.state is ReloadState.HELD else "note"
    refresh = f" <span class=quiet>{one.refresh.value}</span>" if one.refresh else ""
    fix = f"<p class=fix>{prose(one.fix)}</p>" if one.fix else ""
    head = f"<b>{ending(one)}</b> {linked(worded(one.name or one.id), one.permalink)}{refresh}"
    return f"<li class={look}><p>{head}</p>{paragraphs(remarks(one))}{fix}</li>"


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
    by_choice = "\n".join(f'  :root[data-theme="dark"] {rule}' for rule in dark)
    on_screens = f"@media screen and (prefers-color-scheme: dark) {{\n{by_system}\n}}"
    of_kinds = "\n".join([*light, on_screens, f"@media screen {{\n{by_choice}\n}}"])
    return f"{_asset('page.css')}{of_kinds}\n"


def _prose(text: str) -> Markup:
    return Markup(prose(text))  # noqa: S704 - escaped there


def _linked(text: str, url: str) -> Markup:
    return Markup(linked(escaped(one_line(text)), url))  # noqa: S704 - escaped here


@functools.cache
def _asset(name: str) -> str:
    return files(__package__).joinpath("templates").joinpath(name).read_text(encoding="utf-8")


@functools.cache
def _template(name: str) -> Template:
    filters: dict[str, Any] = {"one_line": one_line, "linked": _linked, "prose": _prose}
    environment = Environment(
        keep_trailing_newline=True, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(filters)
    return environment.from_string(_asset(name))
