"""`--report FORMAT:PATH`: what may be asked for, whether it can be written, and writing it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import Struct

from dbt_statsig.errors import DbtStatsigError, UsageError
from dbt_statsig.report.formats import FORMATS
from dbt_statsig.support.files import write_whole
from dbt_statsig.vocabulary.findings import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

_READ = frozenset(
    f"{name}{packed}"
    for name in ("manifest.json", "catalog.json", "run_results.json", "dbt_project.yml", "dbt_statsig.yml")
    for packed in ("", ".gz")
)
"""The files that a run starts from."""


class ReportFile(Struct, frozen=True, kw_only=True):
    """One report to write: its form and where to."""

    form: str
    path: Path


def known_form(value: str, forms: Sequence[str] = FORMATS) -> str:
    """The name of a form as it was given; raises click's BadParameter with the nearest one where there is none."""
    if value not in forms:
        hint = did_you_mean(value, forms) or f"Choose one of: {', '.join(forms)}."
        raise click.BadParameter(f"Unknown format {value!r}. {hint}")
    return value


def report_file(value: str) -> ReportFile:
    """`FORMAT:PATH`; raises click's BadParameter where one of the two is missing or unknown."""
    form, colon, path = value.partition(":")
    if not colon or not path:
        raise click.BadParameter(f"{value!r} is not FORMAT:PATH, such as html:target/statsig.html.")
    return ReportFile(form=known_form(form), path=Path(path))


def repository_of(project_dir: Path) -> Path | None:
    """The folder of the git repository that the project is in; None where it is in none."""
    folder = Path(os.path.realpath(project_dir))
    return next((one for one in (folder, *folder.parents) if (one / ".git").exists()), None)


def root_in_repository(project_dir: Path, environ: Mapping[str, str]) -> str:
    """The project's folder as seen from the root of its repository, empty where it is the root itself."""
    repository = repository_of(project_dir)
    workspace = environ.get("GITHUB_WORKSPACE")
    base = repository or (Path(os.path.realpath(workspace)) if workspace else Path.cwd())
    try:
        inside = Path(os.path.realpath(project_dir)).relative_to(os.path.realpath(base)).as_posix()
    except ValueError:
        return ""
    return "" if inside == "." else inside


def check_places(reports: Sequence[ReportFile], others: Collection[Path] = ()) -> None:
    """Before anything runs: raise UsageError for reports that could not be written."""
    faults = misplaced(reports, others).values()
    if faults:
        raise UsageError(
            "\n".join(fault.message for fault in faults), fix="\n".join(dict.fromkeys(fault.fix for fault in faults))
        )


def unusable(path: Path, others: Iterable[Path]) -> UsageError | None:
    """Why a file cannot be written: it has no folder, is no file, is one that a run reads, or is one of `others`."""
    folder = path.parent
    if not folder.is_dir():
        return UsageError(f"There is no folder {folder} for {path.name}.", fix="Create it, or name another one.")
    if path.is_dir():
        return UsageError(f"{path} is a folder.", fix="Name a file in it.")
    if path.exists() and not path.is_file():
        return UsageError(f"{path} is a pipe or a device, not a file.", fix="Name a file.")
    if not os.access(folder, os.W_OK):
        return UsageError(f"Nothing can be written into {folder}.", fix="Name a file in another folder.")
    place = os.path.realpath(path)
    if Path(place).name in _READ or place in map(os.path.realpath, others):
        return UsageError(f"{path} would replace a file that this run uses.", fix="Name another file.")
    return None


def misplaced(reports: Sequence[ReportFile], others: Collection[Path] = ()) -> dict[int, UsageError]:
    """What is wrong with the places of reports, by their numbers in the sequence; the rest may be written.

    `others` are the files beside reports that the run reads or writes.
    """
    seen: set[str] = set()
    faults: dict[int, UsageError] = {}
    for number, report in enumerate(reports):
        place = os.path.realpath(report.path)
        fault = (
            UsageError(f"Two reports go to {report.path}.", fix="Give each report a path of its own.")
            if place in seen
            else unusable(report.path, others)
        )
        seen.add(place)
        if fault is not None:
            faults[number] = fault
    return faults


def write_reports(reports: Mapping[Path, str]) -> list[DbtStatsigError]:
    """Write each report whole; what could not be written is handed back, the others stand."""

    def fault(path: Path, text: str) -> DbtStatsigError | None:
        try:
            write_whole(path, text.encode("utf-8", "backslashreplace"), private=False)
        except DbtStatsigError as error:
            return error
        return None

    return [failed for path, text in reports.items() if (failed := fault(path, text)) is not None]


def add_step_summary(text: str, environ: Mapping[str, str]) -> None:
    """Add Markdown to the summary of a GitHub Actions step, if this is one. Raises DbtStatsigError where it fails.

    GitHub's documentation: each step appends to the file that $GITHUB_STEP_SUMMARY names.
    """
    name = environ.get("GITHUB_STEP_SUMMARY")
    if not name:
        return
    try:
        with Path(name).open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as error:
        raise DbtStatsigError(
            f"The step's summary {name} could not be written: {error.strerror}.", fix="Check $GITHUB_STEP_SUMMARY."
        ) from error
