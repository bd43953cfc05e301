"""Tests of the addresses that may get the key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_statsig.console.base_url import DEFAULT_BASE_URL, checked_base_url, is_clear_text
from dbt_statsig.errors import SettingsError


@pytest.mark.parametrize(
    ("given_text", "kept"),
    [
        (DEFAULT_BASE_URL, DEFAULT_BASE_URL),
        ("https://statsigapi.net/", "https://statsigapi.net"),
        ("HTTPS://proxy.example:8443/statsig/", "https://proxy.example:8443/statsig"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://localhost:1", "http://localhost:1"),
        ("http://[::1]:1", "http://[::1]:1"),
        ("http://[::ffff:127.0.0.1]:1", "http://[::ffff:127.0.0.1]:1"),
        ("https://10.0.0.1", "https://10.0.0.1"),
    ],
)
def test_usable_addresses_are_kept(given_text: str, kept: str) -> None:
    """Addresses with https anywhere and http on this machine are taken, without the last slash."""
    assert checked_base_url(given_text) == kept
    assert is_clear_text(kept) == kept.startswith("http://")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "begin with https"),
        ("statsigapi.net", "begin with https"),
        ("file:///etc/passwd", "begin with https"),
        ("ftp://statsigapi.net", "begin with https"),
        ("http://statsigapi.net", "clear text"),
        ("http://0.0.0.0", "clear text"),
        ("http://localhost.evil.example", "clear text"),
        ("http://[::ffff:10.0.0.1]", "clear text"),
        ("https://user:hunter2@statsigapi.net", "user name or password"),  # pragma: allowlist secret
        ("https://statsigapi.net?x=hunter2", "query or a fragment"),
        ("https://statsigapi.net#hunter2", "query or a fragment"),
        ("https://statsigapi.net?", "query or a fragment"),
        ("https://169.254.169.254", "credentials"),
        ("https://2852039166", "credentials"),
        ("https://0xA9FEA9FE", "credentials"),
        ("https://0251.0376.0251.0376", "credentials"),
        ("https://[::ffff:169.254.169.254]", "credentials"),
        ("https://[fe80::1%25eth0]", "credentials"),
        ("https://[fd00:ec2::254]", "credentials"),
        ("https://metadata.google.internal.", "credentials"),
        ("https://statsigapi.net/console/v1/", "is added"),
        ("https://statsigapi.net/a/../b", "ambiguous"),
        ("https://statsigapi.net/%2e%2e", "ambiguous"),
        ("https://statsigapi.net//a", "ambiguous"),
        ("https:///path", "no host"),
        ("https://statsigapi.net:notaport", "cannot be read"),
        ("https://statsigapi.net:99999", "cannot be read"),
        ("https://[::1", "cannot be read"),
        ("https://statsig api.net", "blank"),
        ("https://statsigapi.net\n", "blank"),
        ("https://statsigapi.net\\@evil.example", "blank or a character"),
    ],
)
def test_30_no_other_address_gets_the_key(text: str, fault: str) -> None:
    """Fault 30: user info, metadata addresses in all notations, `file:`, clear text and the like are refused."""
    with pytest.raises(SettingsError, match=fault) as caught:
        checked_base_url(text)
    assert "hunter2" not in str(caught.value)
    assert caught.value.fix


@given(st.text(max_size=30), st.sampled_from(["", "https://", "http://"]))
def test_any_text_is_taken_or_refused(text: str, scheme: str) -> None:
    """No text gives another error than SettingsError, and clear text is for loopback only."""
    try:
        address = checked_base_url(scheme + text)
    except SettingsError:
        return
    assert address.startswith("https://") or "localhost" in address or "127" in address or "::1" in address
