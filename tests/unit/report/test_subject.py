"""What a report is about."""

from __future__ import annotations

import pytest
from msgspec import structs

from dbt_statsig.report.field_diff import FieldDiff, field_diffs
from dbt_statsig.report.formats import FORMATS, format_named
from dbt_statsig.report.run_findings import problems
from dbt_statsig.report.subject import Subject
from dbt_statsig.report.text.report import headline
from dbt_statsig.vocabulary.changes import Action, Plan
from dbt_statsig.vocabulary.findings import Location
from dbt_statsig.vocabulary.results import Outcome, Planned, Skipped, Synced, Validation
from tests.unit.report import hostile, many, samples

RESULTS: dict[str, Validation | Planned | Synced] = {
    "validate": samples.VALIDATION,
    "plan": samples.PLANNED,
    "sync": samples.SYNCED,
}


@pytest.mark.parametrize("command", RESULTS)
def test_result_and_command(command: str) -> None:
    """A subject knows which command its result is of, and gives it back."""
    subject = Subject.of(RESULTS[command])
    assert (subject.command, subject.result) == (command, RESULTS[command])


def test_paths() -> None:
    """A place's file is named from the repository's root."""
    assert Subject.of(samples.CLEAN).path_of(Location("a.yml")) == "a.yml"
    assert Subject.of(samples.CLEAN, root="dbt").path_of(Location("a.yml")) == "dbt/a.yml"


def test_headlines() -> None:
    """The headline is the last line of the text report, whatever the command."""
    left = Skipped(kind=samples.UPDATE.kind, name="Orders", unique_id="model.shop.fct_orders", reason="Not built.")
    none = Planned(validation=samples.CLEAN, plan=Plan(project="shop", changes=()), requests=1, skipped=(left,))
    dry = Synced(planned=samples.PLANNED, outcome=Outcome(objects=()))
    subjects = [*map(Subject.of, [*RESULTS.values(), none, many.synced(90)]), Subject.of(dry, dry_run=True)]
    for subject in subjects:
        assert headline(subject) == format_named("text").render(subject).splitlines()[-1]


@pytest.mark.parametrize("form", FORMATS)
def test_every_form_of_every_result(form: str) -> None:
    """Each form renders each command's result, ends with a line break and is the same the second time."""
    for subject in (*map(Subject.of, RESULTS.values()), hostile.subject("word"), Subject.of(many.planned(0))):
        text = format_named(form).render(subject)
        assert text.endswith("\n")
        assert text == format_named(form).render(subject)


def test_problems_are_reported_once() -> None:
    """A source that is blocked by its findings is reported by these; one that is blocked otherwise by its reason."""
    blocked = structs.replace(samples.BLOCKED, name="Orders")
    subject = Subject.of(structs.replace(samples.PLANNED, plan=Plan(project="shop", changes=(blocked,))))
    assert [found.code for found in problems(subject)] == [
        "column-absent",
        "console-warning",
        "column-unknown",
        "not-compiled",
    ]


def test_problems_of_a_sync() -> None:
    """Each write that did not end well is a problem with the place of its source, and so is an early end."""
    codes = [found.code for found in problems(Subject.of(samples.SYNCED))]
    assert {"write-failed", "not-started", "stopped-early", "not-ours", "not-pushed", "no-longer-declared"} <= set(
        codes
    )
    failed = structs.replace(samples.OUTCOME.objects[1], change=samples.CREATE, message="", fix="")
    synced = structs.replace(samples.SYNCED, outcome=Outcome(objects=(failed,)))
    (found,) = (one for one in problems(Subject.of(synced)) if one.code == "write-failed")
    assert found.location == samples.SOURCES[0].location
    assert found.message == "assignment source Checkout exposures: Statsig refused a write, or the write failed."


def test_fields_of_a_new_object() -> None:
    """A new object shows all that is declared; without a payload, what the plan says; nothing for one that goes."""
    names = [field.field for field in field_diffs(samples.CREATE)]
    assert names[:3] == ["description", "tags", "sql"]
    bare = structs.replace(samples.UPDATE, action=Action.CREATE, desired=None)
    assert FieldDiff(field="is_verified", before="not set", after="true") in field_diffs(bare)
    assert field_diffs(samples.DELETE) == []
