"""Where reports may be written, and writing them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import click
import pytest

from dbt_statsig.cli import report_files
from dbt_statsig.cli.report_files import (
    ReportFile,
    add_step_summary,
    check_places,
    known_form,
    report_file,
    repository_of,
    root_in_repository,
    write_reports,
)
from dbt_statsig.errors import DbtStatsigError, UsageError


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dbt project in a folder of a git repository, which is the current folder."""
    folder = tmp_path / "repo" / "dbt"
    (folder / "target").mkdir(parents=True)
    (tmp_path / "repo" / ".git").mkdir()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(folder)
    return folder


def check(path: Path | str) -> None:
    """Ask whether one report could be written there."""
    check_places([ReportFile(form="json", path=Path(path))])


@pytest.mark.parametrize(
    "path", ["x.json", "target/x.json", "../x.json", "../../elsewhere/x.json", "link/x.json", "/{}/elsewhere/x.json"]
)
def test_wherever_the_user_may_write(project: Path, tmp_path: Path, path: str) -> None:
    """A report may go into any folder that is there, in the project or not, through links too."""
    (project / "link").symlink_to(tmp_path / "elsewhere")
    check(path.format(tmp_path))
    assert write_reports({Path(path.format(tmp_path)): "a"}) == []


def test_fault_43_a_link_in_the_files_place(project: Path, tmp_path: Path) -> None:
    """A link in the file's place, which whoever changes the project can make, is replaced and never followed."""
    theirs = tmp_path / "elsewhere" / "x.json"
    theirs.write_text("theirs", encoding="utf-8")
    (project / "x.json").symlink_to(theirs)
    check("x.json")
    assert write_reports({Path("x.json"): "a"}) == []
    assert (theirs.read_text(encoding="utf-8"), (project / "x.json").is_symlink()) == ("theirs", False)


@pytest.mark.usefixtures("project")
def test_what_could_not_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing folder, what is no file, two reports to one file and a closed folder are refused before."""
    with pytest.raises(UsageError, match="no folder gone"):
        check("gone/x.json")
    with pytest.raises(UsageError, match="target is a folder"):
        check("target")
    os.mkfifo("pipe")
    for path in ("pipe", os.devnull):
        with pytest.raises(UsageError, match=f"{path} is a pipe or a device, not a file"):
            check(path)
    twice = [report_file("json:x"), report_file("html:target/../x")]
    with pytest.raises(UsageError, match="Two reports go to"):
        check_places(twice)
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(UsageError, match="Nothing can be written into target"):
        check("target/x.json")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("htlm:x", "Unknown format 'htlm'. Did you mean \"html\"?"),
        ("zzz:x", "Unknown format 'zzz'. Choose one of: text, json,"),
        ("html", "'html' is not FORMAT:PATH, such as html:target/statsig.html."),
        ("html:", "'html:' is not FORMAT:PATH"),
    ],
)
def test_unknown_forms(value: str, message: str) -> None:
    """A form that does not exist and a missing path are usage errors that say what would be right."""
    with pytest.raises(click.BadParameter) as refused:
        report_file(value)
    assert message in refused.value.message


def test_known_forms() -> None:
    """A report is its form and its path, which may hold colons itself."""
    assert report_file("sarif:a:b") == ReportFile(form="sarif", path=Path("a:b"))
    assert known_form("text") == "text"


def test_root_in_repository(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The project's folder is named from the root of its repository, or of GitHub's workspace, or of this folder."""
    assert root_in_repository(project, {}) == "dbt"
    assert root_in_repository(project.parent, {}) == ""
    (project.parent / ".git").rmdir()
    assert repository_of(tmp_path / "elsewhere") is None or root_in_repository(project, {})
    monkeypatch.setattr(report_files, "repository_of", lambda _: None)
    assert root_in_repository(project, {"GITHUB_WORKSPACE": str(tmp_path)}) == "repo/dbt"
    assert root_in_repository(project, {}) == ""
    assert root_in_repository(project, {"GITHUB_WORKSPACE": str(tmp_path / "elsewhere")}) == ""


def test_fault_44_a_report_that_fails_leaves_the_others(project: Path) -> None:
    """What could not be written is handed back with its path; the other reports stand, readable for others."""
    os.umask(umask := os.umask(0o022))
    faults = write_reports({Path("gone/x"): "a", Path("x"): "b \ud800"})
    assert [fault.message.startswith("gone/x could not be written") for fault in faults] == [True]
    assert (project / "x").read_text(encoding="utf-8") == "b \\ud800"
    assert stat.S_IMODE((project / "x").stat().st_mode) == 0o666 & ~umask


def test_step_summary(project: Path) -> None:
    """The Markdown is added to the file that GitHub names; elsewhere nothing happens."""
    summary = project / "summary.md"
    summary.write_text("before\n", encoding="utf-8")
    add_step_summary("after\n", {"GITHUB_STEP_SUMMARY": str(summary)})
    add_step_summary("never\n", {})
    assert summary.read_text(encoding="utf-8") == "before\nafter\n"
    with pytest.raises(DbtStatsigError, match="could not be written"):
        add_step_summary("x", {"GITHUB_STEP_SUMMARY": str(project)})
