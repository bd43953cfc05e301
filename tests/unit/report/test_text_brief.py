"""Reports of many sources: one line each, and nothing twice."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from dbt_statsig.report.text.report import diagnosis_text, plan_text, sync_text, validation_text
from dbt_statsig.report.text.style import Style
from dbt_statsig.vocabulary.changes import Action, FieldChange, Plan
from dbt_statsig.vocabulary.findings import Finding, Severity
from dbt_statsig.vocabulary.inspections import Diagnosis, SettingOrigin
from dbt_statsig.vocabulary.kinds import BLOCK_KINDS
from dbt_statsig.vocabulary.results import Planned, Skipped
from dbt_statsig.vocabulary.sources import CustomField, Kind
from tests.unit.report import many, samples

VERBOSE = Style(verbose=True)


def all_of(action: Action, count: int, reason: str = "", fix: str = "") -> Planned:
    """A plan in which the same happens to every source."""
    planned = many.planned(count)
    changes = tuple(
        structs.replace(change, action=action, reason=reason, fix=fix.format(name=change.name))
        for change in planned.plan.changes
    )
    return structs.replace(planned, plan=structs.replace(planned.plan, changes=changes))


@pytest.mark.parametrize("action", [Action.CREATE, Action.UPDATE, Action.DELETE, Action.BLOCKED, Action.FOREIGN])
def test_sixty_sources_fit(action: Action) -> None:
    """A plan of 60 sources has at most 150 lines, whatever happens to all of them."""
    planned = all_of(action, 60, reason="It has errors.", fix='Run again with --adopt "{name}".')
    text = plan_text(planned)
    assert text.count("\n") <= 150
    assert all(change.name in text for change in planned.plan.changes)


def test_a_shared_reason_is_given_once() -> None:
    """A reason, and a next step that differs only by the object's own name, stand once for all that share them."""
    text = plan_text(all_of(Action.FOREIGN, 60, reason="Not ours.", fix='Run again with --adopt "{name}".'))
    assert text.count("15 sources: Not ours.") == len(BLOCK_KINDS)
    assert text.count('--adopt "NAME"') == len(BLOCK_KINDS)


def test_few_changes_of_many_sources_are_shown_in_full() -> None:
    """Where few of many sources change, the plan still shows each changed line; one source more does not hide it."""
    planned = many.planned(60)
    few = tuple(
        change if number == 16 else structs.replace(change, action=Action.UNCHANGED)
        for number, change in enumerate(planned.plan.changes)
    )
    text = plan_text(structs.replace(planned, plan=structs.replace(planned.plan, changes=few)))
    assert '+ from "analytics"."marts"."fct_support_orders"' in text


def test_fields_are_named() -> None:
    """One line of an update names the fields that change."""
    assert "~ Growth sessions      model.shop.fct_growth_sessions  sql, tags, timestamp_column" in plan_text(
        many.planned(400)
    )


def test_verbose_shows_all() -> None:
    """With --verbose every change is in full and every warning is there."""
    planned = many.planned(400)
    brief, full = plan_text(planned), plan_text(planned, VERBOSE)
    assert "and 15 more; --verbose shows all" in brief
    assert full.count("column-documented-only") == 18
    assert '+ from "analytics"."marts"."fct_support_orders"' in full


def test_errors_are_never_left_out() -> None:
    """However many errors share a code, each has its line."""
    findings = tuple(
        Finding(
            code="column-absent",
            severity=Severity.ERROR,
            message=f"No column c{number}.",
            fix=f"Add c{number}.",
            unique_id="",
            kind="",
            source="",
            key="",
            location=None,
        )
        for number in range(60)
    )
    planned = many.planned(1)
    text = plan_text(structs.replace(planned, validation=structs.replace(planned.validation, findings=findings)))
    assert all(f"No column c{number}. Add c{number}." in text for number in range(60))


def test_sync_does_not_repeat_the_plan() -> None:
    """A sync of many changes shows each once: as its result, with the fields; what was not written as planned."""
    synced = many.synced(1000)
    text = sync_text(synced)
    for entry in synced.outcome.objects:
        assert (
            text.count(f"{entry.change.kind.label} {entry.change.name}  ")
            + text.count(f"{entry.change.kind.label} {entry.change.name}\n")
            == 1
        )
    assert "+ Support orders" not in text
    assert "! Catalog refunds" in text


def test_quiet_names_what_changes() -> None:
    """In quiet style a plan and a sync name each object that changes, in one line."""
    quiet = Style(quiet=True)
    assert "+ Support orders" in plan_text(many.planned(60), quiet)
    assert "created      assignment source Support orders" in sync_text(many.synced(60), quiet)


def test_validation_in_brief() -> None:
    """From 15 sources on each has one line that names what is not proven; the verbose form lists all columns."""
    validation = many.planned(60).validation
    text = validation_text(validation)
    assert "? Growth exposures       qualifying event  model.shop.fct_growth_exposures  not proven: device_id" in text
    assert "metric source  model.shop.fct_billing_exposures  absent: usr_id  cannot be pushed" in text
    assert "selects 8 columns" not in text
    assert "selects 8 columns" in validation_text(validation, VERBOSE)
    assert "selects 8 columns" in validation_text(many.planned(14).validation)


def test_skipped_sources_share_their_reason() -> None:
    """Sources that are skipped for one reason are listed together, with the reason once."""
    left = tuple(
        Skipped(kind=Kind.METRIC_SOURCE, name=f"m{number}", unique_id=f"model.a.m{number}", reason="Not compiled.")
        for number in range(20)
    )
    text = plan_text(structs.replace(many.planned(1), skipped=left))
    assert text.count("Not compiled.") == 1
    assert "20 sources: Not compiled." in text


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("count", [9, 60])
def test_no_line_is_wider_than_a_terminal(count: int, *, colour: bool) -> None:
    """On a terminal of 80 columns every line fits, and has the words that a log has in one line."""
    planned, synced = many.compared(count), many.synced(count)
    terminal, log = Style(width=80, folds=True, colour=colour), Style(width=80)
    shown, logged = (
        [validation_text(planned.validation, style), plan_text(planned, style), sync_text(synced, style)]
        for style in (terminal, log)
    )
    for text, whole in zip(shown, logged, strict=True):
        plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
        assert [line for line in plain.splitlines() if len(line) > 80] == []
        assert plain.split() == whole.split()


def test_long_values_fit_a_terminal() -> None:
    """Values, tags, entries of mappings, skipped names, the project's line and settings fold; SQL does not."""
    words = "a long value of many words " * 6
    tags = tuple(f"tag number {number}" for number in range(12))
    fields = (
        FieldChange(field="team", before="Growth", after=words),
        FieldChange(field="tags", before=(), after=tags),
        FieldChange(
            field="custom_field_mapping", before=None, after=(CustomField(key="net", formula="amount_usd * 1 + " * 9),)
        ),
        FieldChange(field="sql", before="select 1", after=f"select '{words}'"),
    )
    change = structs.replace(samples.UPDATE, fields=fields)
    created = structs.replace(samples.CREATE, desired=structs.replace(samples.EXPOSURES, tags=tags, team=words))
    skipped = Skipped(kind=Kind.METRIC_SOURCE, name=words, unique_id="model.a.m", reason="Not compiled.")
    validation = structs.replace(samples.CLEAN, namespace=words, impact=None)
    planned = Planned(
        validation=validation, plan=Plan(project="shop", changes=(change, created)), requests=1, skipped=(skipped,)
    )
    setting = SettingOrigin(key="defaults", value="{a: b}", origin=words)
    terminal, log = Style(width=80, folds=True), Style(width=80)

    def shown(style: Style) -> list[str]:
        diagnosis = Diagnosis(checks=(), settings=(setting,))
        texts = (validation_text(validation, style), plan_text(planned, style), diagnosis_text(diagnosis, style))
        return "".join(texts).splitlines()

    assert [line for line in shown(terminal) if len(line) > 80] == [f"        + select '{words}'"]
    assert " ".join(shown(terminal)).split() == " ".join(shown(log)).split()


@given(line=st.text("ab  ✓.", max_size=120), hang=st.integers(0, 8))
def test_a_folded_line_loses_nothing(line: str, hang: int) -> None:
    """Whatever a row of a table holds, its words stay in order, and only a word that is too long is wider."""
    style = Style(width=40, folds=True)
    folded = style.folded(line, hang=hang)
    assert " ".join(folded).split() == line.split()
    assert all(len(one) <= 40 or len(one.split()) == 1 for one in folded if one.strip())
