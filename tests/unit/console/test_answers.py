"""Tests of the API's answer forms."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_statsig.console.key import HIDDEN
from dbt_statsig.console.sender import Envelope, envelope, refusal
from dbt_statsig.console.wire import Answer
from dbt_statsig.errors import AuthenticationFailed, ConsoleError, Forbidden, NotFound, Refused
from tests.unit.console.service import KEY, SECRET


def answer(status: int, content: Any) -> Answer:
    """An answer with this JSON, or these bytes."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Answer(status=status, headers={"content-type": "text/html; charset=utf-8"}, body=body)


def test_a_success_is_taken_apart() -> None:
    """Data and pagination come out as they are; what is missing is null."""
    parts = envelope(answer(200, {"message": "m", "data": [1], "more": 2}), KEY)
    assert isinstance(parts, Envelope)
    assert parts == Envelope(data=[1])


def test_a_byte_order_mark_is_passed_over() -> None:
    """A body that begins with a byte order mark is read like any other."""
    assert envelope(answer(200, b'\xef\xbb\xbf{"data": [1]}'), KEY) == Envelope(data=[1])


@pytest.mark.parametrize("body", [b"<html>", b"", b'{"data": [', b"[]", b"null", b"\xff", b"[" * 9000])
def test_20_other_bodies_are_described(body: bytes) -> None:
    """Fault 20: a body that is not the published JSON is described by type and size, not quoted."""
    described = envelope(answer(200, body), KEY)
    assert isinstance(described, str)
    assert described.endswith(f"(text/html, {len(body)} bytes)")


def test_20_cut_json_is_described_with_its_fault() -> None:
    """Fault 20: where the body says that it is JSON, what is wrong with it is reported."""
    described = envelope(Answer(status=200, headers={"content-type": "application/json"}, body=b'{"data": ['), KEY)
    assert isinstance(described, str)
    assert "application/json, 10 bytes: " in described


@pytest.mark.parametrize("number", ["NaN", "1e999", "9" * 400, '"\\ud800"'])
def test_one_odd_value_does_not_spoil_a_body(number: str) -> None:
    """Numbers and texts that the standard does not know are read all the same: one object must not hide the others."""
    parts = envelope(answer(200, f'{{"data": [{number}, "other"]}}'.encode()), KEY)
    assert isinstance(parts, Envelope)
    assert parts.data[1] == "other"


@pytest.mark.parametrize(
    "body",
    [
        {"status": 400, "message": "No such table."},
        {"success": False, "message": "No such table."},
        {"errors": ["No such table."]},
        {"status": 500, "message": "No such table.", "data": {"name": "a"}},
    ],
)
def test_50_an_error_inside_a_success_is_found(body: Any) -> None:
    """Fault 50: a body that reports an error is none of a success, whatever the answer's status."""
    parts = envelope(answer(200, body), KEY)
    assert isinstance(parts, Envelope)
    assert "reports an error" in parts.fault
    assert parts.fault.endswith("No such table")


@pytest.mark.parametrize("body", [{}, {"status": 200}, {"status": True}, {"errors": [], "data": {}}, {"success": True}])
def test_a_success_reports_no_error(body: Any) -> None:
    """Other bodies report none."""
    assert envelope(answer(200, body), KEY) == Envelope(data=body.get("data"), is_empty=not body)


def test_both_error_shapes_are_read() -> None:
    """The message, and each entry of the errors list where there is one, are kept."""
    errors = [
        {"property": "sql", "errorMessage": "bad"},
        {"errorMessage": "only text"},
        {"property": "tags"},
        "a text",
        7,
        {},
    ]
    error = refusal(answer(400, {"status": 400, "message": "Invalid.", "errors": errors}), KEY, "Source")
    assert isinstance(error, Refused)
    assert error.message == "Source: Statsig refused it (400): Invalid; sql: bad; only text; tags; a text."
    assert error.problems == ("sql: bad", "only text", "tags", "a text")
    assert error.status == 400


def test_a_message_that_adds_nothing_is_not_repeated() -> None:
    """What Statsig writes beside a list of problems is shown only where there is none."""
    body: dict[str, Any] = {"status": 400, "message": "Bad Request Exception"}
    assert refusal(answer(400, body), KEY, "Source").message.endswith("(400): Bad Request Exception.")
    body["errors"] = [{"property": "sql", "errorMessage": "Required"}]
    assert refusal(answer(400, body), KEY, "Source").message.endswith("(400): sql: Required.")


def test_lines_are_joined() -> None:
    """A message of several lines, as databases have them, comes in one."""
    error = refusal(answer(400, {"message": "Invalid.\r\n\n  LINE 1: select x\n  ^ "}), KEY, "Source")
    assert error.message == "Source: Statsig refused it (400): Invalid. LINE 1: select x ^."


@pytest.mark.parametrize(("status", "kind"), [(401, AuthenticationFailed), (403, Forbidden)])
def test_13_a_refused_key_is_not_repeated(status: int, kind: type[ConsoleError]) -> None:
    """Fault 13: 401 and 403 say which variable held the key, and hide the key that the answer quotes."""
    error = refusal(answer(status, {"status": status, "message": f"Invalid key {SECRET}"}), KEY, "Source")
    assert isinstance(error, kind)
    assert SECRET not in str(error)
    assert HIDDEN in str(error)
    assert "STATSIG_CONSOLE_API_KEY" in str(error)


def test_keys_are_hidden_in_problems_too() -> None:
    """The per-field texts of an error are redacted as its message is."""
    errors = [{"property": SECRET, "errorMessage": SECRET}]
    error = refusal(answer(400, {"message": [SECRET, 1, "b"], "errors": errors}), KEY, "Source")
    assert isinstance(error, Refused)
    assert SECRET not in str(error) + "".join(error.problems)
    assert error.message.endswith(f"(400): {HIDDEN}; b; {HIDDEN}: {HIDDEN}.")


@pytest.mark.parametrize("content", [b"<html>gone</html>", [], {"message": 5}, {"message": ""}, {"errors": {}}])
def test_an_error_without_words_is_still_an_error(content: Any) -> None:
    """An error body of any other form gives the status alone."""
    error = refusal(answer(404, content), KEY, "Source")
    assert isinstance(error, NotFound)
    assert error.message == "Source: Statsig does not have it (404)."


def test_a_long_message_is_cut() -> None:
    """An error message of a megabyte does not flood the terminal."""
    error = refusal(answer(400, {"message": "x" * 1_000_000}), KEY, "Source")
    assert len(str(error)) < 2100


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.integers(400, 499), st.one_of(_JSON, st.fixed_dictionaries({"message": _JSON, "errors": _JSON})))
def test_no_error_body_breaks_it(status: int, content: Any) -> None:
    """Any JSON as an error's body gives one of our errors."""
    assert isinstance(refusal(answer(status, content), KEY, "Source"), (Refused, AuthenticationFailed))


@given(st.binary(max_size=200))
def test_no_success_body_breaks_it(body: bytes) -> None:
    """Any bytes as a success's body give its parts or a description."""
    assert isinstance(envelope(answer(200, body), KEY), (Envelope, str))
