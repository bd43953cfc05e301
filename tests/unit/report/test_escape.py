"""Hostile names in reports."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from dbt_statsig.report.escape import clipped, lines_of, no_commands, one_line
from dbt_statsig.report.json import render
from dbt_statsig.report.subject import Subject
from dbt_statsig.report.text.report import diagnosis_text, plan_text, sync_text, validation_text
from dbt_statsig.report.text.style import Style
from dbt_statsig.vocabulary.changes import FieldChange, Plan
from dbt_statsig.vocabulary.findings import Location
from dbt_statsig.vocabulary.inspections import Check, Diagnosis, SettingOrigin
from dbt_statsig.vocabulary.results import Outcome, Planned, Synced
from tests.unit.report import samples

HOSTILE = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=30),
    st.sampled_from(
        ["\x1b[31mred", "a\rb", "x\ny", "\u202egnp.exe", "\ud800", "[/foo]", "::set-env name=X::y", "\x9b2J"]
    ),
)


def _is_raw(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} or character in "\u202e\u2066\u200b\ufeff"


def _synced(word: str) -> Synced:
    """The sample project with one hostile word in every place that a user fills."""
    change = structs.replace(
        samples.UPDATE,
        name=word,
        live_name=word,
        unique_id=word,
        reason=word,
        fix=word,
        fields=(
            FieldChange(field="team", before=word, after=word + "x"),
            FieldChange(field="sql", before=word, after=f"select\t1\n{word}"),
            FieldChange(field="tags", before=(word,), after=("a", word + "b")),
        ),
    )
    created = structs.replace(
        samples.CREATE, name=word, desired=structs.replace(samples.EXPOSURES, sql=word, team=word)
    )
    renamed = structs.replace(samples.RENAME, live_name=word)
    source = structs.replace(
        samples.SOURCES[0],
        name=word,
        unique_id=word,
        relation_name=word,
        location=Location(word, 1),
        selected=(word,),
        hidden=(word,),
    )
    finding = structs.replace(samples.FINDINGS[0], message=word, fix=word, key=word, location=Location(word, 1, 1))
    validation = structs.replace(
        samples.VALIDATION, project=word, sources=(source,), findings=(finding,), adapter=word, dbt_version=word
    )
    objects = tuple(
        structs.replace(entry, change=change, message=word, fix=word, echo=change.fields)
        for entry in samples.OUTCOME.objects
    )
    plan = Plan(project=word, changes=(change, created, renamed))
    planned = Planned(validation=validation, plan=plan, requests=1)
    return Synced(planned=planned, outcome=Outcome(objects=objects, stopped=word, notes=(word,)))


@settings(deadline=None)
@given(HOSTILE)
def test_no_control_character_reaches_the_terminal(word: str) -> None:
    """Whatever a project's names hold, the text holds line breaks and printable characters only."""
    synced = _synced(word)
    diagnosis = Diagnosis(
        checks=(Check(name=word, ok=False, message=word, fix=word),),
        settings=(SettingOrigin(key=word, value=word, origin=word),),
    )
    for text in (
        validation_text(synced.planned.validation),
        plan_text(synced.planned),
        sync_text(synced),
        diagnosis_text(diagnosis),
    ):
        assert not [character for character in text.replace("\n", "") if _is_raw(character)]


@given(HOSTILE)
def test_a_name_takes_one_line(word: str) -> None:
    """No name can add a line of its own to a plan's heading lines."""
    assert "\n" not in one_line(word)
    assert "\n" not in clipped(word, 10)


@settings(deadline=None)
@given(HOSTILE)
def test_json_of_hostile_names_is_json(word: str) -> None:
    """Whatever a project's names hold, the answer is one JSON object that gives them back."""
    synced = _synced(word)
    for text in (render(Subject.of(result)) for result in (synced.planned.validation, synced.planned, synced)):
        document = json.loads(text)
        assert document["validation"]["project"] == word


def test_joiners_stay() -> None:
    """The joiners of emoji are printed as they are; they hide nothing."""
    assert one_line("👩\u200d🔬") == "👩\u200d🔬"


def test_markup_is_printed_as_it_is() -> None:
    """Square brackets mean nothing here, whatever other libraries make of them."""
    assert one_line("[/foo] [bold]") == "[/foo] [bold]"


def test_lines_of() -> None:
    """Tabs become blanks and both kinds of line breaks part lines; nothing gives no line."""
    assert lines_of("a\tb\r\nc\rd") == ["a   b", "c\\rd"]
    assert lines_of("") == []


def test_clipped() -> None:
    """What is cut off is counted."""
    assert clipped("x" * 2000, 5) == "xxxxx... (1,995 more characters)"


def test_plain_style_wraps_to_its_width() -> None:
    """Prose stays within the width, apart from words that are longer."""
    lines = Style(width=40).wrap("word " * 30, indent=4)
    assert max(map(len, lines)) <= 40


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::add-mask::x", ": :add-mask::x"),
        ("a\n      ::set-env name=A::b", "a\n      : :set-env name=A::b"),
        ("\x1b[31m  ::error::x", "\x1b[31m  : :error::x"),
        ("select a::date, b", "select a::date, b"),
        ("x ##vso[task.setvariable variable=a]b", "x ##vso [task.setvariable variable=a]b"),
        ("##[group]a ##[error]b", "## [group]a ## [error]b"),
    ],
)
def test_fault_40_commands_of_ci_systems(text: str, shown: str) -> None:
    """What GitHub or Azure would take from a log as a command is broken by a blank; a cast in SQL is left alone."""
    assert no_commands(text) == shown


def test_fault_40_text_reports_hold_no_commands() -> None:
    """A line of SQL that looks like a command is none in a text report, even where it does not change."""
    before = "select 1\n::add-mask::a\n##vso[task.complete]"
    change = structs.replace(samples.UPDATE, fields=(FieldChange(field="sql", before=before, after=f"{before}\nx"),))
    planned = structs.replace(samples.PLANNED, plan=Plan(project="shop", changes=(change,)))
    text = plan_text(planned, Style(colour=True))
    assert ": :add-mask::a" in text
    assert "##vso [task.complete]" in text
