"""What an emulator may be reported, and what it cannot start with."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

import dbt_statsig.emulator as package
from dbt_statsig.emulator.failures import CannotStart
from dbt_statsig.emulator.options import OLDER_WINDOWS, PUBLISHED_WINDOWS, Options
from dbt_statsig.emulator.warehouse import database_of


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"key": "secret-abc"}, "must start with 'console-'"),
        ({"latency": -1.0}, "0 seconds or more"),
        ({"rate_limit": "odd"}, "published or older"),
        ({"scope": "odd"}, "omni_read_write or omni_read_only"),
    ],
)
def test_values_that_cannot_work(options: dict[str, Any], expected: str) -> None:
    """A key of another form and a negative latency are refused."""
    with pytest.raises(CannotStart, match=expected):
        Options(**options)


def test_rate_windows() -> None:
    """Off by default; on request the newest published ones, the older ones, or any others."""
    assert Options().windows == ()
    assert Options(rate_limit=True).windows == PUBLISHED_WINDOWS
    assert Options(rate_limit="older").windows == OLDER_WINDOWS
    assert Options(rate_limit=[(2, 1.0)]).windows == ((2, 1.0),)


def test_unknown_names_are_attribute_errors() -> None:
    """The package's lazy names do not swallow mistakes."""
    with pytest.raises(AttributeError, match="no attribute 'sevre'"):
        _ = package.sevre


@pytest.mark.parametrize(("warehouse", "driver"), [("shop.duckdb", "duckdb"), ("postgresql://x/y", "psycopg")])
def test_an_absent_driver_is_named(monkeypatch: pytest.MonkeyPatch, warehouse: str, driver: str) -> None:
    """A warehouse whose driver is not installed says what to install."""
    monkeypatch.setitem(sys.modules, driver, None)
    with pytest.raises(CannotStart, match=f"pip install {driver}"):
        database_of(warehouse, 1.0)


def test_without_the_extra_the_message_says_what_to_install() -> None:
    """Importing the package works, using it names the extra."""
    code = (
        "import sys; sys.modules['uvicorn'] = None\n"
        "from dbt_statsig.emulator.failures import CannotStart\n"
        "try:\n    from dbt_statsig.emulator import serve\n"
        "except CannotStart as fault:\n    print(fault)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "The emulator needs the Python package uvicorn: pip install 'dbt-statsig[emulator]'\n"


def test_it_imports_nothing_of_ours() -> None:
    """The emulator cannot agree with this package's mistakes: it does not know them."""
    code = (
        "import sys, dbt_statsig.emulator.server\n"
        "ours = [m for m in sys.modules if m.startswith('dbt_statsig.') and not m.startswith('dbt_statsig.emulator')]\n"
        "print(ours)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
