"""Reports as JUnit XML."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from msgspec import structs

from dbt_statsig.report.junit import render
from dbt_statsig.report.subject import Subject
from dbt_statsig.vocabulary.changes import Plan
from dbt_statsig.vocabulary.findings import Finding, Severity
from dbt_statsig.vocabulary.results import Outcome, Planned, Synced
from tests.unit.report import hostile, many, samples
from tests.unit.report.golden import assert_golden


def parsed(text: str) -> ET.Element:
    """The root element, as any XML reader sees it."""
    return ET.fromstring(text.encode("utf-8"))  # noqa: S314 - our own text


def test_golden() -> None:
    """Each source, each planned change and each write is a case, with its faults as failures."""
    assert_golden("sync.xml", render(Subject.of(samples.SYNCED)))


@pytest.mark.parametrize(
    "subject", [Subject.of(samples.VALIDATION), Subject.of(samples.SYNCED), Subject.of(many.synced(120))]
)
def test_counts_agree_with_the_cases(subject: Subject) -> None:
    """The numbers in the heads are those of the cases below them."""
    root = parsed(render(subject))
    for element in (root, *root.iter("testsuite")):
        assert int(element.attrib["tests"]) == len(list(element.iter("testcase")))
        for word, result in {"failures": "failure", "errors": "error", "skipped": "skipped"}.items():
            assert int(element.attrib[word]) == len(list(element.iter(result)))


def test_findings_of_no_source_are_cases_too() -> None:
    """A finding about the whole project is a case of its own, and fails only when it is an error."""
    root = parsed(render(Subject.of(samples.VALIDATION)))
    (case,) = (case for case in root.iter("testcase") if case.attrib["name"] == "project")
    assert case.find("failure") is None
    assert "not-compiled" in (case.findtext("system-out") or "")


def test_what_gitlab_shows() -> None:
    """A source with warnings alone is a skipped case with their text; no two cases have one class and name."""
    warning = Finding(
        code="slow-view", severity=Severity.WARNING, message="Slow.", unique_id="m", kind="metric_source", source="A"
    )
    note = structs.replace(warning, code="not-compiled", severity=Severity.NOTE, message="Not compiled.")
    subject = Subject.of(structs.replace(samples.CLEAN, sources=(), findings=(warning, note)))
    (case,) = parsed(render(subject)).iter("testcase")
    assert "warning slow-view m Slow. https://" in (case.findtext("skipped") or "")
    assert "not-compiled" in (case.findtext("system-out") or "")
    for synced in (samples.SYNCED, many.synced(120)):
        cases = [case.attrib for case in parsed(render(Subject.of(synced))).iter("testcase")]
        assert len({(case["classname"], case["name"]) for case in cases}) == len(cases)


def test_nothing_planned() -> None:
    """A plan of zero has suites without cases, and a dry run no suite of writes."""
    empty = Planned(validation=samples.CLEAN, plan=Plan(project="shop", changes=()), requests=1)
    synced = Synced(planned=empty, outcome=Outcome(objects=()))
    suites = parsed(render(Subject.of(synced, dry_run=True))).findall("testsuite")
    assert [(suite.attrib["name"], suite.attrib["tests"]) for suite in suites] == [
        ("dbt-statsig validate", "1"),
        ("dbt-statsig plan", "0"),
    ]


@settings(deadline=None)
@given(hostile.ANY_WORD)
def test_any_word_is_well_formed(word: str) -> None:
    """Whatever is in names and messages, the XML parses and holds the same elements."""
    tags = [element.tag for element in parsed(render(hostile.subject("word"))).iter()]
    assert [element.tag for element in parsed(render(hostile.subject(word or "-"))).iter()] == tags
