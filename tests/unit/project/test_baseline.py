"""Known findings: recognised by what they are about, counted, kept apart."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from dbt_statsig.errors import UsageError
from dbt_statsig.project.baseline import baseline_of, compared, read_baseline, rendered, write_baseline
from dbt_statsig.vocabulary.findings import Finding, KnownFinding, Location, Severity, finding

if TYPE_CHECKING:
    from pathlib import Path

ABSENT = finding(
    "column-absent",
    "The model fct_orders has no column x.",
    unique_id="model.shop.fct_orders",
    kind="metric_source",
    source="Orders",
    key="statsig.metric_source[1].timestamp_column",
    location=Location("models/_shop.yml", 4, 9),
)
findings = st.lists(
    st.builds(
        Finding,
        code=st.sampled_from(["column-absent", "unknown-key", "column-unknown"]),
        severity=st.sampled_from(Severity),
        message=st.text(max_size=5),
        unique_id=st.sampled_from(["", "model.shop.a", "model.shop.b"]),
        source=st.sampled_from(["", "A", "\u00e9\ud800"]),
        key=st.sampled_from(["", "statsig.metric_source[0].name", "statsig.metric_source[1].name"]),
    ),
    max_size=12,
).map(tuple)


def test_what_is_recorded_is_known() -> None:
    """A finding that the baseline holds is known, under another message, another line and another place in the list."""
    moved = structs.replace(
        ABSENT,
        message="Worded otherwise.",
        key="statsig.metric_source[0].timestamp_column",
        location=Location("models/_other.yml", 90),
    )
    result = compared(baseline_of([ABSENT]), [moved])
    assert (result.new, result.known, result.stale) == ((), (moved,), ())


@pytest.mark.parametrize(
    "other", [{"code": "column-case"}, {"unique_id": "model.shop.b"}, {"kind": ""}, {"source": "B"}, {"key": "x"}]
)
def test_another_finding_is_new(other: dict[str, str]) -> None:
    """A finding of another code, node, kind, source or key is new, and the entry that it does not match is stale."""
    found = structs.replace(ABSENT, **other)
    entries = baseline_of([ABSENT])
    result = compared(entries, [found])
    assert (result.new, result.known, result.stale) == ((found,), (), entries)


def test_one_more_of_the_same_is_new() -> None:
    """Of more equal findings than were recorded, the number that is over is new."""
    result = compared(baseline_of([ABSENT, ABSENT]), [ABSENT] * 3)
    assert (len(result.known), len(result.new)) == (2, 1)
    (left,) = compared(baseline_of([ABSENT] * 3), [ABSENT]).stale
    assert left.count == 2


def test_a_part_of_the_project_makes_nothing_stale() -> None:
    """Where only a part was looked at, entries without a finding are not called stale."""
    assert compared(baseline_of([ABSENT]), [], whole=False).stale == ()


def test_notes_and_effects_are_not_recorded() -> None:
    """Notes need no entry, and what a change does is new each time."""
    note = structs.replace(ABSENT, severity=Severity.NOTE)
    effect = structs.replace(ABSENT, code="impact-column-dropped", severity=Severity.WARNING)
    assert baseline_of([note, effect]) == ()
    assert compared(baseline_of([ABSENT]), [note, effect]).new == (note, effect)


@given(findings)
def test_a_baseline_of_everything_leaves_nothing_new(found: tuple[Finding, ...]) -> None:
    """Whatever was found, right after recording it only notes are left, and nothing is stale."""
    result = compared(baseline_of(found), found)
    assert all(one.severity is Severity.NOTE for one in result.new)
    assert len(result.new) + len(result.known) == len(found)
    assert result.stale == ()


@given(findings)
def test_the_file_keeps_its_entries(found: tuple[Finding, ...]) -> None:
    """What is written is sorted, one entry to a line, and is read as it was, half characters included."""
    entries = baseline_of(found)
    text = rendered(reversed(entries))
    content = json.loads(text)
    assert msgspec.convert(content["findings"], tuple[KnownFinding, ...]) == entries
    assert content["schema_version"] == 1
    assert len(text.splitlines()) == (len(entries) + 5 if entries else 4)
    assert [entry["count"] for entry in content["findings"]] == [entry.count for entry in entries]


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Writing and reading gives the same entries."""
    path = tmp_path / "known.json"
    entries = baseline_of([ABSENT, structs.replace(ABSENT, source="Reféréndum")])
    write_baseline(path, entries)
    assert read_baseline(path) == entries
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_baseline(path) == entries


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is not a baseline"),
        (b"[]", "is not a baseline"),
        (b'{"schema_version": 1, "findings": [{"code": 1}]}', "is not a baseline"),
        (b'{"schema_version": 1, "findings": [{"code": "a", "colour": "b"}]}', "is not a baseline"),
        (b'{"schema_version": 2}', "version 1"),
        (b'{"findings": []}', "version 1"),
        (b"\xff\xfe", "is not a baseline"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    """A damaged, foreign or newer file is refused with its name and the way to a new one."""
    path = tmp_path / "known.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=says) as caught:
        read_baseline(path)
    assert "--write-baseline" in caught.value.fix


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A file that is not there is an error that says so."""
    with pytest.raises(UsageError, match=r"none\.json cannot be read"):
        read_baseline(tmp_path / "none.json")
