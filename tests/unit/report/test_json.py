"""Answers as JSON."""

from __future__ import annotations

import msgspec

from dbt_statsig.report.documents import SCHEMA_VERSION, Document
from dbt_statsig.report.json import diagnosis_json, render, render_failure
from dbt_statsig.report.subject import Subject
from dbt_statsig.vocabulary.results import Failure
from tests.unit.report import samples
from tests.unit.report.golden import assert_golden

FAILURE = Failure(command="schema", type="UsageError", message="No.", fix="Yes.", exit_code=2)


def test_golden_sync() -> None:
    """The largest answer, that of `sync`, is as in its golden file."""
    assert_golden("sync.json", render(Subject.of(samples.SYNCED, exit_code=2)))


def test_every_answer_fits_the_documented_types() -> None:
    """Each answer can be read back as a `Document` without a key left over."""
    for command, text in {
        "validate": render(Subject.of(samples.VALIDATION, exit_code=1)),
        "plan": render(Subject.of(samples.PLANNED, exit_code=1)),
        "sync": render(Subject.of(samples.SYNCED, exit_code=2)),
        "debug": diagnosis_json(samples.DIAGNOSIS, exit_code=2),
        "schema": render_failure(FAILURE),
    }.items():
        document = msgspec.json.decode(text, type=Document)
        assert document.schema_version == SCHEMA_VERSION
        assert document.command == command
        assert msgspec.json.format(msgspec.json.encode(document), indent=2) == text.strip().encode()


def test_place_not_known() -> None:
    """A finding without a place has nulls there, not zeros."""
    finding = msgspec.json.decode(render(Subject.of(samples.VALIDATION)))["validation"]["findings"][2]
    assert (finding["path"], finding["line"], finding["column"]) == (None, None, None)


def test_key_order_is_stable() -> None:
    """Two runs print the same bytes."""
    assert render(Subject.of(samples.SYNCED)) == render(Subject.of(samples.SYNCED))
