"""Tests of the choice of a proxy."""

from __future__ import annotations

import pytest

from dbt_statsig.console.client import ConsoleClient
from dbt_statsig.console.wire import chosen_proxy
from tests.unit.console.service import KEY

PROXY = "http://proxy:3128"
HOST = "https://statsigapi.net"


@pytest.mark.parametrize(
    ("no_proxy", "address", "expected"),
    [
        ("", HOST, True),
        ("localhost, 127.0.0.1,::1", HOST, True),
        ("*", HOST, False),
        ("localhost,*", HOST, False),
        ("statsigapi.net", HOST, False),
        ("STATSIGAPI.NET.", HOST, False),
        (".statsigapi.net", "https://eu.statsigapi.net", False),
        ("*.statsigapi.net", "https://eu.statsigapi.net", False),
        ("sigapi.net", HOST, True),
        ("net", HOST, False),
        ("statsigapi.net:443", HOST, True),
        ("statsigapi.net:8443", f"{HOST}:8443", False),
        ("10.0.0.0/8", "https://10.1.2.3", False),
        ("10.0.0.0/8", "https://11.1.2.3", True),
        ("10.0.0.0/8", HOST, True),
        ("10.0.0.0/8", "https://[fd00::1]", True),
        ("fd00::/8", "https://[fd00::1]", False),
        ("[fd00::1]", "https://[fd00::1]", False),
    ],
)
def test_no_proxy(no_proxy: str, address: str, *, expected: bool) -> None:
    """NO_PROXY takes hosts, domains with or without a dot, ports, addresses and networks, and a star for all."""
    assert chosen_proxy(address, {"https": PROXY, "no": no_proxy}) == (PROXY if expected else None, ())


@pytest.mark.parametrize(
    ("proxies", "expected"),
    [({}, None), ({"http": PROXY}, None), ({"all": "proxy:3128"}, PROXY), ({"https": PROXY, "all": "http://x"}, PROXY)],
)
def test_the_proxy_of_the_scheme_goes_first(proxies: dict[str, str], expected: str | None) -> None:
    """HTTPS_PROXY goes before ALL_PROXY, and one without a scheme speaks http."""
    assert chosen_proxy(HOST, proxies) == (expected, ())


def test_entries_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry of NO_PROXY that is none is passed over with one warning; without a proxy nobody needs to know."""
    for name in ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "localhost,[::1]]],fe80::/10,http://x y")
    with ConsoleClient(KEY) as console:
        assert console.warnings == ()
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    with ConsoleClient(KEY) as console:
        (warning,) = console.warnings
    assert warning.startswith('Ignored in NO_PROXY: "[::1]]]", "http://x y".')
