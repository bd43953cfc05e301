"""dbt as another process, stood in for by small programs where dbt would not fail in that way."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from dbt_statsig.errors import DbtStatsigError, UsageError
from dbt_statsig.project import dbt_command
from dbt_statsig.project.dbt_command import DbtCommand, DbtContext

if TYPE_CHECKING:
    from pathlib import Path

CONTEXT = '{"dbt_statsig": 1, "target": "prod", "database": "d", "adapter": "duckdb", "newer": 1}'


def program(text: str) -> DbtCommand:
    """A command that runs a little Python in dbt's place."""
    environ = {"PATH": "", "STATSIG_CONSOLE_API_KEY": "secret"}  # pragma: allowlist secret
    return DbtCommand(words=(sys.executable, "-c", text), environ=environ)


def test_the_context_is_found_among_other_lines() -> None:
    """The handshake's line is found whatever else is printed, and keys of a newer form are let pass."""
    lines = ["Running with dbt", "{broken", "[1]", '{"dbt_statsig": 2, "target": "x"}', CONTEXT]
    found = program(f"print({chr(10).join(lines)!r})").context()
    assert found == DbtContext(target="prod", database="d", adapter="duckdb")
    assert program("print('{}')").context() is None


def test_selection_is_refused_with_dbts_words() -> None:
    """Where dbt fails, its last words are in the error; where it says nothing, its exit code."""
    with pytest.raises(UsageError, match="no selector named"):
        program("print('no selector named x'); raise SystemExit(2)").selected(
            select=(), exclude=(), selector="x", state=None
        )
    with pytest.raises(UsageError, match="exit code 3"):
        program("raise SystemExit(3)").selected(select=("a",), exclude=("b",), selector=None, state=None)


def test_selected_nodes() -> None:
    """Each line of JSON with a unique_id is a node; all else is let pass."""
    text = "print('Warning'); print('{\"unique_id\": \"model.a.b\"}'); print('{\"name\": 1}')"
    found = program(text).selected(select=("a",), exclude=(), selector=None, state=None)
    assert found == {"model.a.b"}


def test_a_command_that_does_not_exist(tmp_path: Path) -> None:
    """A dbt that is not there is distinguished beforehand, and is one clear error when it is called."""
    missing = DbtCommand(words=(str(tmp_path / "dbt"),))
    assert not missing.is_there
    assert DbtCommand(words=(sys.executable,)).is_there
    with pytest.raises(DbtStatsigError, match="cannot be run"):
        missing.context()


def test_a_dbt_that_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dbt that does not end is given up."""
    monkeypatch.setattr(dbt_command, "DBT_TIMEOUT_SECONDS", 0.2)
    with pytest.raises(DbtStatsigError, match="did not end"):
        program("import time; time.sleep(60)").context()


def test_no_key_in_its_text() -> None:
    """The environment, which holds the key, is in no text of the command."""
    assert "secret" not in repr(program("pass"))
