"""What `dbt-statsig run` reads from a dbt command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbt_statsig.cli.run import _invocation, _passed_through, _places, dbt_of
from dbt_statsig.errors import DbtStatsigError, UsageError
from dbt_statsig.request import Request


@pytest.mark.parametrize(
    ("line", "words", "options"),
    [
        ("dbt build -t prod --select a", ("dbt",), ("--target", "prod")),
        ("uv run /opt/bin/dbt --quiet run --profiles-dir=p", ("uv", "run", "/opt/bin/dbt"), ("--profiles-dir", "p")),
        ("python -m dbt.cli.main build", ("python", "-m", "dbt.cli.main"), ()),
    ],
)
def test_dbt_is_found(line: str, words: tuple[str, ...], options: tuple[str, ...]) -> None:
    """All words up to dbt call it, and the options that name the project go along."""
    found = dbt_of(line.split())
    assert (found.words, found.options) == (words, options)


def test_no_dbt_among_the_words() -> None:
    """A command line without dbt is an error of usage."""
    with pytest.raises(UsageError):
        dbt_of(["make", "build"])


def test_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """Project, target folder and target come from the options in any spelling, else from dbt's own variables."""
    for name in ("DBT_PROJECT_DIR", "DBT_TARGET_PATH", "DBT_TARGET"):
        monkeypatch.delenv(name, raising=False)
    assert _places(["dbt", "build"]) == {"project_dir": Path.cwd(), "target_path": None, "target": None}
    given = _places(["dbt", "build", "--project-dir=/p", "--target-path", "t", "-t", "prod", "--select", "x"])
    assert given == {"project_dir": Path("/p").absolute(), "target_path": Path("t"), "target": "prod"}
    monkeypatch.setenv("DBT_PROJECT_DIR", "/q")
    monkeypatch.setenv("DBT_TARGET_PATH", "u")
    monkeypatch.setenv("DBT_TARGET", "ci")
    expected = {"project_dir": Path("/q").absolute(), "target_path": Path("u"), "target": "ci"}
    assert _places(["dbt", "build", "--target"]) == expected


def test_exit_codes() -> None:
    """An exit code is passed through; one that a signal gave becomes what a shell makes of it."""
    assert _passed_through(["sh", "-c", "exit 3"]) == (3, False)
    assert _passed_through(["sh", "-c", "kill -9 $$"]) == (137, False)
    with pytest.raises(DbtStatsigError, match="cannot be run"):
        _passed_through(["/no/such/dbt"])


def test_no_run_results(tmp_path: Path) -> None:
    """Where there are no run results, no dbt command wrote them."""
    assert _invocation(Request(project_dir=tmp_path)) == ""
