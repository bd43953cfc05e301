"""Reports as GitHub's annotations."""

from __future__ import annotations

import re

from hypothesis import given, settings
from msgspec import structs

from dbt_statsig.report.github import annotation, render
from dbt_statsig.report.subject import Subject
from dbt_statsig.vocabulary.findings import Finding, Severity
from tests.unit.report import hostile, samples
from tests.unit.report.golden import assert_golden

COMMAND = re.compile(r"::(?P<command>error|warning|notice) (?P<properties>[^\r\n]*?)::(?P<message>[^\r\n]*)")


def test_golden() -> None:
    """Every finding, refusal and failure is an annotation at its line, the worst first, and the sums end it."""
    assert_golden("sync.github", render(Subject.of(samples.SYNCED)))


def test_paths_start_at_the_repository() -> None:
    """Where the project is a folder of its repository, the file is named from the repository's root."""
    text = render(Subject.of(samples.VALIDATION, root="analytics/dbt"))
    assert "::error file=analytics/dbt/models/marts/_marts.yml,line=33,col=31,title=" in text


def test_an_annotation_without_a_line_names_its_node() -> None:
    """What has no line of a file begins with its node; each annotation ends with the page of its code."""
    found = Finding(code="not-compiled", severity=Severity.NOTE, message="No SQL.", unique_id="model.shop.a")
    text = render(Subject.of(structs.replace(samples.CLEAN, findings=(found,))))
    assert re.search(r"::model\.shop\.a: No SQL\.%0Ahttps://\S+/findings/not-compiled/\n", text)


def test_escapes() -> None:
    """Percent signs, line breaks, colons and commas are written as GitHub documents."""
    assert annotation("error", "a:b,c", "1%\n2\r\n3", file="x:y") == "::error file=x%3Ay,title=a%3Ab%2Cc::1%25%0A2%0A3"


@settings(deadline=None)
@given(hostile.ANY_WORD)
def test_fault_40_no_word_begins_a_command(word: str) -> None:
    """Whatever is in names and messages, each line is one annotation and nothing else."""
    lines = render(hostile.subject(word)).removesuffix("\n").split("\n")
    for line in lines:
        found = COMMAND.fullmatch(line)
        assert found is not None, line
        for pair in found["properties"].split(","):
            assert re.fullmatch(r"(file|line|col|title)=[^:,]*", pair), line
        assert not any(map(hostile.is_unsafe, line))
