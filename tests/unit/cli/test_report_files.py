"""Where reports may be written, and writing them."""

from __future__ import annotations

import os
import stat
import tempfile
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
    # The system's temporary folder, where pytest's own folders are too, is a place that may be written to.
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.chdir(folder)
    return folder


def check(path: Path | str, project: Path, **environ: str) -> None:
    """Ask whether one report may go there."""
    check_places([ReportFile(form="json", path=Path(path))], project_dir=project, environ=environ)


@pytest.mark.parametrize("path", ["x.json", "target/x.json", "./target/../x.json", "../x.json"])
def test_inside_of_the_repository(project: Path, path: str) -> None:
    """A path in the project or in its repository is taken, as written or as an absolute one."""
    check(path, project)
    check(Path(os.path.abspath(path)), project)  # noqa: PTH100 - resolve() would follow links


def test_temporary_folders(project: Path, tmp_path: Path) -> None:
    """The system's temporary folder and that of GitHub's runner are taken when they are named in full."""
    check(tmp_path / "temporary" / "x.json", project)
    check(tmp_path / "elsewhere" / "x.json", project, RUNNER_TEMP=str(tmp_path / "elsewhere"))
    with pytest.raises(UsageError, match="leads out of the project"):
        check("../../temporary/x.json", project)


@pytest.mark.parametrize("path", ["../../x.json", "target/../../../x.json", "../../elsewhere/x.json"])
def test_fault_43_through_dots(project: Path, path: str) -> None:
    """A path that leads out through `..` is refused, and told where reports may go."""
    with pytest.raises(UsageError, match="leads out of the project") as refused:
        check(path, project)
    assert "temporary folder" in refused.value.fix


def test_fault_43_named_in_full(project: Path, tmp_path: Path) -> None:
    """An absolute path elsewhere is refused."""
    with pytest.raises(UsageError, match="leads out of the project"):
        check(tmp_path / "elsewhere" / "x.json", project)


def test_fault_43_through_links(project: Path, tmp_path: Path) -> None:
    """A link out of the project, of a folder or of the file itself, is refused; one that stays inside is taken."""
    (project / "out").symlink_to(tmp_path / "elsewhere")
    (project / "file.json").symlink_to(tmp_path / "elsewhere" / "x.json")
    (project / "temp.json").symlink_to(tmp_path / "temporary" / "x.json")
    (project / "in").symlink_to(project / "target")
    for path in ("out/x.json", "file.json", "temp.json", project / "out" / "x.json"):
        with pytest.raises(UsageError, match="leads out of the project"):
            check(path, project)
    check("in/x.json", project)


def test_fault_43_a_project_in_the_temporary_folder(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the project itself is below the temporary folder, a link out of it is refused all the same."""
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    (project / "out").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="leads out of the project"):
        check(project / "out" / "x.json", project)
    check(tmp_path / "elsewhere" / "x.json", project)


def test_a_project_behind_a_link(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project that is reached through a link is a project like any other."""
    (tmp_path / "link").symlink_to(project)
    monkeypatch.chdir(tmp_path / "link")
    check("target/x.json", tmp_path / "link")
    check(tmp_path / "link" / "x.json", tmp_path / "link")


def test_outside_of_any_repository(project: Path) -> None:
    """Without a repository the project alone may be written to."""
    (project.parent / ".git").rmdir()
    check("target/x.json", project)
    with pytest.raises(UsageError, match="leads out of the project"):
        check("../x.json", project)


def test_what_could_not_be_written(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing folder, a folder in the file's place, two reports to one file and a closed folder are told before."""
    with pytest.raises(UsageError, match="no folder gone"):
        check("gone/x.json", project)
    with pytest.raises(UsageError, match="target is a folder"):
        check("target", project)
    twice = [report_file("json:x"), report_file("html:target/../x")]
    with pytest.raises(UsageError, match="Two reports go to"):
        check_places(twice, project_dir=project, environ={})
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(UsageError, match="Nothing can be written into target"):
        check("target/x.json", project)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("htlm:x", "There is no format 'htlm'. Did you mean \"html\"?"),
        ("zzz:x", "There is no format 'zzz'. There are: text, json,"),
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
