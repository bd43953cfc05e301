"""Errors as messages and exit codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from dbt_statsig.cli.app import run
from dbt_statsig.cli.group import COMMANDS
from dbt_statsig.commands import validate
from dbt_statsig.errors import SettingsError, TargetRefused

if TYPE_CHECKING:
    from pathlib import Path

KEY = "console-very-secret-1234"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty dbt project to be in, and a key in the environment."""
    (tmp_path / "dbt_project.yml").write_text("name: shop\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STATSIG_CONSOLE_API_KEY", KEY)
    monkeypatch.setenv("NO_COLOR", "1")
    return tmp_path


def _raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(validate, "validate", fail)


def test_unknown_command(capsys: pytest.CaptureFixture[str]) -> None:
    """A mistyped command is answered with the nearest one, and 2."""
    assert run(["valdiate"]) == 2
    assert "No such command 'valdiate'. Did you mean \"validate\"?" in capsys.readouterr().err


def test_far_off_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Where no command is near, all are listed."""
    assert run(["xyz"]) == 2
    assert f"Choose one of: {', '.join(COMMANDS)}." in capsys.readouterr().err


def test_unknown_option(capsys: pytest.CaptureFixture[str]) -> None:
    """A mistyped option is named with its neighbours, and gives 2."""
    assert run(["plan", "--chekc"]) == 2
    shown = capsys.readouterr()
    assert "--check" in shown.err
    assert shown.out == ""


def test_usage_error_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """With JSON asked for, even a usage error is one JSON object on stdout."""
    assert run(["plan", "--chekc", "--output", "json"]) == 2
    answer = json.loads(capsys.readouterr().out)
    assert (answer["command"], answer["exit_code"], answer["error"]["type"]) == ("plan", 2, "UsageError")


def test_click_error_outside_of_usage(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Any other complaint of the command-line library is reported in our form."""
    import click  # only this test needs it

    monkeypatch.setattr(
        "dbt_statsig.cli.options.find_project", lambda *_, **__: (_ for _ in ()).throw(click.ClickException("No luck."))
    )
    assert run(["validate"]) == 2
    assert capsys.readouterr().err == "Error: No luck.\n"


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(("kind", "code"), [(SettingsError, 2), (TargetRefused, 1)])
def test_known_errors(
    kind: type[SettingsError], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error of ours gives its message, its next step and its exit code, on stderr only."""
    _raising(monkeypatch, kind("Two faults:\n- one\x1b[2J\n- two", fix="Fix both."))
    assert run(["validate"]) == code
    shown = capsys.readouterr()
    assert shown.err == "Error: Two faults:\n  - one\\x1b[2J\n  - two\n  → Fix both.\n"
    assert shown.out == ""


@pytest.mark.usefixtures("project")
def test_known_error_as_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The JSON form has the class, the message and the next step."""
    _raising(monkeypatch, TargetRefused("Not dev.", fix="Use prod."))
    assert run(["validate", "--output=json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["error"] == {"type": "TargetRefused", "message": "Not dev.", "fix": "Use prod."}
    assert answer["exit_code"] == 1


@pytest.mark.usefixtures("project")
def test_surprise(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """An unexpected exception is one message without traceback and without the key."""
    _raising(monkeypatch, RuntimeError(f"header {KEY} is bad\x07"))
    assert run(["validate"]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("Error: internal error: RuntimeError: header <key hidden> is bad\\x07.\n")
    assert "DBT_STATSIG_TRACEBACK=1" in shown
    assert "Traceback" not in shown
    assert KEY not in shown


@pytest.mark.usefixtures("project")
def test_surprise_with_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The traceback shows where it is asked for, and is redacted too."""
    monkeypatch.setenv("DBT_STATSIG_TRACEBACK", "1")
    _raising(monkeypatch, RuntimeError(KEY))
    assert run(["validate"]) == 2
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert KEY not in shown


@pytest.mark.usefixtures("project")
def test_a_failure_that_cannot_be_reported(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Where even the report of a failure fails, the failure is reported first, and its exit code stands."""
    _raising(monkeypatch, TargetRefused("Not dev.", fix="Use prod."))

    def fail(*_: object, **__: object) -> None:
        raise OSError(f"{KEY} is gone")

    monkeypatch.setattr("dbt_statsig.cli.app.emit_failure", fail)
    assert run(["validate", "--report", "json:x.json"]) == 1
    shown = capsys.readouterr().err
    assert shown.startswith("Error: Not dev.\n")
    assert shown.endswith("Error: the reports could not be written: OSError: <key hidden> is gone.\n")


@pytest.mark.usefixtures("project")
def test_interrupt(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C gives 130 and one word."""
    _raising(monkeypatch, KeyboardInterrupt())
    assert run(["validate"]) == 130
    assert capsys.readouterr().err.strip() == "Interrupted."


@pytest.mark.usefixtures("project")
def test_help_of_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    """`-h` works on every command and gives 0."""
    assert run(["sync", "-h"]) == 0
    assert "--dry-run" in capsys.readouterr().out


def test_version_among_other_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` is answered wherever it stands before a command."""
    assert run(["--version", "plan"]) == 0
    assert capsys.readouterr().out.startswith("dbt-statsig ")
