"""The facts in a report's head: which run it is of, and which version of the code. Pure."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from dbt_statsig.report.escape import clipped
from dbt_statsig.report.text.style import counted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from dbt_statsig.report.subject import Subject
    from dbt_statsig.vocabulary.run import Run

_LONGEST = 300
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60))


class Fact(NamedTuple):
    """A name, its value, and the web address that it leads to (empty: none); `is_code` where it is no prose."""

    name: str
    value: str
    url: str = ""
    is_code: bool = False


def facts(subject: Subject) -> list[Fact]:
    """Project and target, then the run, then what it read; what is not known is not there."""
    validation, run = subject.validation, subject.run
    binding = subject.planned.binding if subject.planned else None
    found = [
        Fact("project", validation.owner, is_code=True),
        Fact("target", binding.target if binding else "", is_code=True),
        *run_facts(run),
        Fact("selection", run.selection, is_code=True),
        Fact("manifest", _manifest(validation.manifest_path, validation.manifest_at, run.at)),
        Fact("compared with", validation.impact.base if validation.impact else ""),
        Fact("warehouse", validation.adapter),
        Fact("dbt", validation.dbt_version),
        Fact("console", binding.base_url if binding else "", is_code=True),
    ]
    return [one._replace(value=clipped(one.value, _LONGEST)) for one in found if one.value]


def run_facts(run: Run) -> list[Fact]:
    """Commit, time, command, job and page of a run."""
    found = [
        Fact("commit", _commit(run), run.commit_url),
        Fact("run", f"{run.at:%d %b %Y, %H:%M} UTC" if run.at else ""),
        Fact("command", run.command, is_code=True),
        Fact("job", "CI job" if run.job else "", run.job),
        Fact("page", "HTML report" if run.page else "", run.page),
    ]
    return [one._replace(value=clipped(one.value, _LONGEST)) for one in found if one.value]


def _commit(run: Run) -> str:
    """`a1b2c3d4e on main`, and whether files have changed since."""
    words = [run.short_commit, f"on {run.branch}" if run.commit and run.branch else run.branch]
    if run.is_dirty:
        words.append("with uncommitted changes")
    return " ".join(filter(None, words))


def _manifest(path: str, written: datetime | None, at: datetime | None) -> str:
    """File and folder of the manifest, as a report is read elsewhere, and its age."""
    shown = "/".join(PurePath(path).parts[-2:]) or path
    return f"{shown}, {_age((at - written).total_seconds())}" if path and written and at else shown


def _age(seconds: float) -> str:
    """How old something was, in the largest unit that it has one of."""
    units: Iterator[str] = (
        f"{counted(int(seconds // size), unit)} old" for unit, size in _UNITS if int(seconds // size) > 0
    )
    return next(units, "less than a minute old")
