"""Secrets in what the command line says."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_statsig.console.key import HIDDEN, redacted, without_keys
from dbt_statsig.report.formats import FORMATS, format_named
from tests.unit.report import hostile

KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=6, max_size=60)


@given(st.text(), KEYS, st.text())
def test_the_key_is_hidden_wherever_it_is(before: str, key: str, after: str) -> None:
    """The value of the key's variable is in no text, unless the mask itself holds it."""
    text = redacted(before + key + after, {"STATSIG_CONSOLE_API_KEY": key})
    assert key not in text.replace(HIDDEN, "\n")


@pytest.mark.parametrize("name", ["STATSIG_API_KEY", "DBT_ENV_SECRET_STATSIG_CONSOLE_API_KEY", "DBT_ENV_SECRET_GIT"])
def test_every_secret_variable_counts(name: str) -> None:
    """The other variables that hold a key are hidden too, and so is what dbt calls a secret."""
    assert redacted("a s3cr3t-value b", {name: " s3cr3t-value\n"}) == f"a {HIDDEN} b"


def test_anything_like_a_console_key() -> None:
    """What looks like a Console key is hidden even where no variable holds it."""
    assert redacted("key console-AbC123_x refused", {}) == f"key {HIDDEN} refused"


def test_innocent_text_stays() -> None:
    """Short and unrelated values are skipped."""
    environ = {"STATSIG_API_KEY": "1", "HOME": "some-folder-of-mine"}
    assert redacted("1 of 11 in some-folder-of-mine", environ) == "1 of 11 in some-folder-of-mine"


KEY = "console-AbC123dEf456GhI789"  # pragma: allowlist secret


@pytest.mark.parametrize("form", FORMATS)
def test_no_report_shows_a_key(form: str) -> None:
    """A key that a declared text, a live object or an answer holds, plainly or in base64, is in no form of report."""
    encoded = base64.b64encode(f"user:{KEY}".encode()).decode()
    subject = hostile.subject(f"select '{KEY}' as a, '{encoded}' as b, '{KEY[:7]}%2D{KEY[8:]}' as c")
    text = without_keys(format_named(form).render(subject), {"STATSIG_CONSOLE_API_KEY": KEY})
    # A marker holds the letters of the dbt project's name, which is no place for a key.
    shown = [line for line in text.splitlines() if not line.startswith("<!-- dbt-statsig ")]
    assert not any(KEY[8:17] in line for line in shown)
    assert encoded not in text
    assert "(key hidden)" in text
    if form == "json":
        json.loads(text)


def test_a_report_keeps_what_only_looks_like_a_key() -> None:
    """A table called `console-events` is no key, and a secret that is not Statsig's may stand for a schema."""
    environ = {"STATSIG_CONSOLE_API_KEY": KEY, "DBT_ENV_SECRET_USER": "analytics"}  # pragma: allowlist secret
    assert without_keys("analytics.console-events", environ) == "analytics.console-events"
