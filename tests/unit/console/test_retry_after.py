"""Tests of the Retry-After header."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_statsig.console.retry_after import seconds_asked

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        (" 12 ", 12.0),
        ("1.5", 1.5),
        (formatdate(NOW + 40, usegmt=True), 40.0),
        (formatdate(NOW + 40), 40.0),
        (formatdate(NOW - 40, usegmt=True), None),
        ("-5", None),
        ("+5", None),
        ("soon", None),
        ("", None),
        ("1e3", None),
        ("\u0663", None),
        ("Thu, 99 Foo 2026 99:99:99 GMT", None),
        ("Thu, 01 Jan 99999 00:00:00 GMT", None),
        ("9" * 5000, float("inf")),
    ],
)
def test_9_both_forms_are_read_and_garbage_is_none(value: str, seconds: float | None) -> None:
    """Fault 9: seconds and dates are read; negative, past and garbled values are no answer."""
    assert seconds_asked({"retry-after": value}, wall=NOW) == seconds


def test_a_missing_header_is_no_answer() -> None:
    """Without the header nothing was asked."""
    assert seconds_asked({}, wall=NOW) is None


def test_a_date_counts_from_the_servers_own_clock() -> None:
    """A date is counted from the answer's Date header, so that a wrong local clock does not stretch the wait."""
    headers = {"retry-after": formatdate(NOW + 40, usegmt=True), "date": formatdate(NOW + 30, usegmt=True)}
    assert seconds_asked(headers, wall=0.0) == 10.0


@given(st.text())
def test_no_header_breaks_it(value: str) -> None:
    """Any text gives a number that is not negative, or None."""
    seconds = seconds_asked({"retry-after": value, "date": value}, wall=NOW)
    assert seconds is None or seconds >= 0
