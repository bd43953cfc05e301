"""What `dbt-statsig run` reads from a dbt command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbt_statsig.cli.run import _invocation, _passed_through, _places
from dbt_statsig.errors import DbtStatsigError, UsageError
from dbt_statsig.project.dbt_command import dbt_of
from dbt_statsig.project.request import Request


@pytest.mark.parametrize(
    ("line", "words", "options"),
    [
        ("dbt build -t prod --select a", ("dbt",), ("--target", "prod")),
        ("uv run /opt/bin/dbt --quiet run --profiles-dir=p", ("uv", "run", "/opt/bin/dbt"), ("--profiles-dir", "p")),
        ("python -m dbt.cli.main build", ("python", "-m", "dbt.cli.main"), ()),
        ("dbt build -xtprod", ("dbt",), ("--target", "prod")),
        ("dbt build -t=prod -t last", ("dbt",), ("--target", "last")),
        ("dbt -q --profile dbt build --select a dbt -qtprod", ("dbt",), ("--profile", "dbt", "--target", "prod")),
        (
            "uvx --from dbt-core --with dbt-snowflake dbt build",
            ("uvx", "--from", "dbt-core", "--with", "dbt-snowflake", "dbt"),
            (),
        ),
        ("uvx --from dbt dbt build", ("uvx", "--from", "dbt", "dbt"), ()),
        ("C:\\dbt\\dbt.exe build", ("C:\\dbt\\dbt.exe",), ()),
        ("dbtf build -- -tprod", ("dbtf",), ()),
        ("dbt --version", ("dbt",), ()),
    ],
)
def test_dbt_is_found(line: str, words: tuple[str, ...], options: tuple[str, ...]) -> None:
    """All words up to dbt call it, and the options that name the project go along."""
    found = dbt_of(line.split())
    assert (found.words, found.options) == (words, options)


@pytest.mark.parametrize("line", ["make build", "./dbt_nightly.sh build", "dbt-core build", "python dbt.cli.main", ""])
def test_no_dbt_among_the_words(line: str) -> None:
    """A command line without dbt itself is an error of usage: a script of such a name is not run to ask it anything."""
    with pytest.raises(UsageError, match="There is no dbt command to run"):
        dbt_of(line.split())


@pytest.fixture
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PROJECT_DIR", "TARGET_PATH", "TARGET", "EMPTY"):
        for prefix in ("DBT_", "DBT_ENGINE_"):
            monkeypatch.delenv(prefix + name, raising=False)


@pytest.mark.usefixtures("_no_variables")
def test_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """Project, target folder and target come from the options in any spelling, else from dbt's own variables."""
    assert _places(dbt_of(["dbt", "build"])) == {"project_dir": Path.cwd(), "target_path": None, "target": None}
    words = ["dbt", "build", "--project-dir=/p", "--target-path", "t", "-xtprod", "--select", "x"]
    assert _places(dbt_of(words)) == {"project_dir": Path("/p"), "target_path": Path("t"), "target": "prod"}
    monkeypatch.setenv("DBT_PROJECT_DIR", "/q")
    monkeypatch.setenv("DBT_TARGET_PATH", "u")
    monkeypatch.setenv("DBT_TARGET", "ci")
    expected = {"project_dir": Path("/q"), "target_path": Path("u"), "target": "ci"}
    assert _places(dbt_of(["dbt", "build", "--target"])) == expected


@pytest.mark.usefixtures("_no_variables")
def test_the_project_is_found_upwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a subfolder the project is that of the nearest folder above which has one, as for dbt."""
    (tmp_path / "dbt_project.yml").touch()
    (tmp_path / "models").mkdir()
    monkeypatch.chdir(tmp_path / "models")
    assert _places(dbt_of(["dbt", "build"]))["project_dir"] == tmp_path


@pytest.mark.usefixtures("_no_variables")
@pytest.mark.parametrize(
    ("line", "variable", "is_empty"),
    [
        ("dbt build", "", False),
        ("dbt build --empty", "", True),
        ("dbt build -q --empty --select a", "", True),
        ("dbt build --no-empty", "true", False),
        ("dbt build --empty --no-empty", "", False),
        ("dbt build --no-empty --empty", "", True),
        ("dbt build", "1", True),
        ("dbt build", "False", False),
        ("dbt build --select --empty", "", True),
        ("dbt build --vars --empty", "", False),
    ],
)
def test_builds_without_rows(line: str, variable: str, *, is_empty: bool) -> None:
    """`--empty` is known from the command line, else from dbt's variable, as neither dbt 2 nor 1.8.0 records it."""
    assert dbt_of(line.split()).line.is_on("--empty", {"DBT_EMPTY": variable}) == is_empty


def test_exit_codes() -> None:
    """An exit code is passed through; one that a signal gave becomes what a shell makes of it."""
    assert _passed_through(["sh", "-c", "exit 3"]) == (3, False)
    assert _passed_through(["sh", "-c", "kill -9 $$"]) == (137, False)
    with pytest.raises(DbtStatsigError, match="cannot be run"):
        _passed_through(["/no/such/dbt"])


def test_no_run_results(tmp_path: Path) -> None:
    """Where there are no run results, no dbt command wrote them."""
    assert _invocation(Request(project_dir=tmp_path)) == ""
