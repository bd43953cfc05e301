"""Secrets in what the command line says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_statsig.cli.redaction import HIDDEN, redacted

KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=6, max_size=60)


@given(st.text(), KEYS, st.text())
def test_the_key_is_hidden_wherever_it_stands(before: str, key: str, after: str) -> None:
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
    """Short and unrelated values are left as they are."""
    environ = {"STATSIG_API_KEY": "1", "HOME": "some-folder-of-mine"}
    assert redacted("1 of 11 in some-folder-of-mine", environ) == "1 of 11 in some-folder-of-mine"
