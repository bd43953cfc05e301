"""Whole reports as text."""

from __future__ import annotations

import click
import pytest
from msgspec import structs

from dbt_statsig.report.text.report import diagnosis_text, plan_text, sync_text, validation_text
from dbt_statsig.report.text.style import Style
from dbt_statsig.vocabulary.changes import Action, Change, Plan
from dbt_statsig.vocabulary.findings import Finding, Location, Severity
from dbt_statsig.vocabulary.inspections import Diagnosis
from dbt_statsig.vocabulary.results import ObjectOutcome, Outcome, Planned, Status, Synced, Validation
from tests.unit.report import samples
from tests.unit.report.golden import assert_golden

REPORTS = {
    "validation.txt": lambda style: validation_text(samples.VALIDATION, style),
    "plan.txt": lambda style: plan_text(samples.PLANNED, style),
    "sync.txt": lambda style: sync_text(samples.SYNCED, style),
    "debug.txt": lambda style: diagnosis_text(samples.DIAGNOSIS, style),
}


@pytest.mark.parametrize("name", REPORTS)
def test_golden(name: str) -> None:
    """Each report reads as its golden file does."""
    assert_golden(name, REPORTS[name](Style()))


@pytest.mark.parametrize("name", REPORTS)
def test_golden_quiet(name: str) -> None:
    """A quiet report holds only what needs attention, and the sums."""
    assert_golden(f"quiet_{name}", REPORTS[name](Style(quiet=True)))


@pytest.mark.parametrize("name", REPORTS)
def test_colours_change_nothing_but_colours(name: str) -> None:
    """A coloured report without its colours is the plain one."""
    coloured = REPORTS[name](Style(colour=True))
    assert "\x1b[" in coloured
    assert click.unstyle(coloured) == REPORTS[name](Style())


@pytest.mark.parametrize("name", REPORTS)
def test_ascii(name: str) -> None:
    """Where the terminal knows only ASCII, so does the report."""
    assert REPORTS[name](Style(unicode=False)).isascii()


def test_the_last_line_has_the_colour_of_the_worst() -> None:
    """Green only where nothing needs attention, yellow for warnings, red for what fails the command."""
    warned = _with_findings(samples.FINDINGS[0])
    reports = {
        "green": validation_text(samples.CLEAN, Style(colour=True)),
        "yellow": validation_text(warned, Style(colour=True)),
        "red": validation_text(samples.VALIDATION, Style(colour=True)),
    }
    for colour, report in reports.items():
        last = report.rstrip("\n").splitlines()[-1]
        assert last.startswith(click.style("", fg=colour, reset=False)), last
    unchanged = structs.replace(
        samples.PLANNED, validation=warned, plan=structs.replace(samples.PLAN, changes=(samples.UNCHANGED,))
    )
    done = structs.replace(
        samples.SYNCED, planned=unchanged, outcome=structs.replace(samples.OUTCOME, objects=(), stopped="")
    )
    for last in (plan_text(unchanged, Style(colour=True)), sync_text(done, Style(colour=True))):
        assert last.rstrip("\n").splitlines()[-1].startswith(click.style("", fg="yellow", reset=False))
    failed = sync_text(samples.SYNCED, Style(colour=True)).rstrip("\n").splitlines()[-1]
    assert failed.startswith(click.style("", fg="red", reset=False))


def test_a_plan_explains_its_signs() -> None:
    """Each sign that the plan shows has its meaning, no other; a plan without signs, and a quiet one, explain none."""
    assert "Signs: + create, ~ update, > rename, - delete," in plan_text(samples.PLANNED)
    only = structs.replace(samples.PLAN, changes=(samples.CREATE,))
    assert "\nSigns: + create.\n" in plan_text(structs.replace(samples.PLANNED, plan=only))
    assert "Signs:" not in plan_text(samples.PLANNED, Style(quiet=True))
    same = structs.replace(samples.PLAN, changes=(samples.UNCHANGED,))
    assert "Signs:" not in plan_text(structs.replace(samples.PLANNED, plan=same))


def test_clean_validation() -> None:
    """A validation without findings says how many sources are ready."""
    assert validation_text(samples.CLEAN).splitlines()[-1] == "1 source ready, no findings."


def test_warnings_alone_are_ready() -> None:
    """Warnings without errors leave the sources ready, and are counted."""
    validation = _with_findings(samples.FINDINGS[0])
    assert validation_text(validation).splitlines()[-1] == "1 source ready; 1 warning."


def test_plan_without_changes() -> None:
    """A plan in which everything is as declared says so in one line."""
    assert plan_text(_planned(samples.UNCHANGED)) == "Nothing to do: 1 source as declared.\n"


def test_plan_with_refusals_only() -> None:
    """A plan that only refuses says that nothing is written."""
    text = plan_text(_planned(samples.UNCHANGED, samples.ORPHAN))
    assert text.endswith("Nothing to write: 1 unchanged, 1 no longer declared.\n")


def test_empty_plan() -> None:
    """A plan of a project that declares nothing says that; one that is about none of what is declared says so."""
    assert plan_text(_planned()) == "Nothing to do: no declared source is part of this run.\n"
    nothing = Finding(code="nothing-declared", severity=Severity.WARNING, message="No model is marked for Statsig.")
    validation = structs.replace(samples.CLEAN, sources=(), findings=(nothing,))
    text = plan_text(structs.replace(_planned(), validation=validation))
    assert text.endswith("Nothing to do: no source is declared.\n")


def test_a_plan_of_errors_only() -> None:
    """Where errors let no source be read, the plan does not say that none is declared."""
    validation = structs.replace(samples.VALIDATION, sources=())
    text = plan_text(structs.replace(_planned(), validation=validation))
    assert text.endswith("Nothing to do: no declared source could be read.\n")


def test_dry_run() -> None:
    """A dry run shows the plan and that nothing was written."""
    text = sync_text(Synced(planned=_planned(samples.DELETE), outcome=Outcome(objects=())), dry_run=True)
    assert text.splitlines()[-1] == "Dry run, nothing was written: 1 to delete."


def test_sync_without_writes() -> None:
    """A sync that had nothing to write ends with the plan's own line."""
    synced = Synced(planned=_planned(samples.UNCHANGED), outcome=Outcome(objects=()))
    assert sync_text(synced) == "Nothing to do: 1 source as declared.\n"


def test_what_was_so_already() -> None:
    """What a saved plan's change finds done is neither called created nor counted as unchanged once more."""
    entry = ObjectOutcome(
        change=structs.replace(samples.UNCHANGED, action=Action.CREATE), status=Status.DONE, already=True
    )
    synced = Synced(planned=_planned(samples.UNCHANGED), outcome=Outcome(objects=(entry,)))
    text = sync_text(synced)
    assert "created" not in text
    assert text.endswith("1 already applied.\n")


def test_sync_stopped_before_the_first_write() -> None:
    """A sync that stopped without an outcome of any object still says why."""
    outcome = Outcome(objects=(), stopped="The key was refused.")
    text = sync_text(Synced(planned=_planned(samples.UNCHANGED), outcome=outcome))
    assert "Stopped early: The key was refused." in text
    assert text.endswith("\nNothing was written: the run stopped early.\n")


@pytest.mark.parametrize(
    ("checks", "expected"), [(slice(0, 1), "All checks passed."), (slice(0, 3, 2), "All checks passed, 1 skipped.")]
)
def test_diagnosis_verdict(checks: slice, expected: str) -> None:
    """The last line of `debug` says whether a check failed and how many were left out."""
    diagnosis = Diagnosis(checks=samples.DIAGNOSIS.checks[checks], settings=())
    assert diagnosis_text(diagnosis).splitlines()[-1] == expected


def test_a_key_that_a_terminal_would_break() -> None:
    """In 80 columns a finding's key has a line of its own where the first line has no room for it."""
    lines = validation_text(samples.VALIDATION, Style(width=80)).splitlines()
    first = lines.index("  error  column-absent  models/marts/_marts.yml:33:31")
    assert lines[first + 1] == "    statsig.metric_source.timestamp_column"
    assert [line for line in lines if len(line) > 80] == []


def test_finding_without_place() -> None:
    """A finding about a node whose file is not known stands under the node."""
    found = Finding(code="bad-name", severity=Severity.ERROR, message="Fault.", unique_id="model.shop.x")
    lines = validation_text(_with_findings(found), Style(quiet=True)).splitlines()
    assert lines[:3] == ["model.shop.x", "  error  bad-name  model.shop.x", "    Fault."]


def _with_findings(*findings: Finding) -> Validation:
    return Validation(
        project="shop",
        adapter="duckdb",
        dbt_version="1.11.2",
        manifest_path="",
        sources=samples.SOURCES[:1],
        findings=findings,
    )


def _planned(*changes: Change) -> Planned:
    return Planned(validation=samples.CLEAN, plan=Plan(project="shop", changes=changes), requests=1)


@pytest.mark.parametrize("place", [None, Location("models/_m.yml")])
@pytest.mark.parametrize("count", [1, 40])
def test_a_finding_without_a_line_names_its_node(place: Location | None, count: int) -> None:
    """Where no line is known, the node says whom a finding concerns, in short lists too."""
    found = structs.replace(samples.FINDINGS[1], location=place, message="No such column.")
    validation = structs.replace(samples.CLEAN, findings=(found,) * count)
    assert "model.shop.fct_orders" in validation_text(validation)
