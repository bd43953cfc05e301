"""`dbt-statsig comment` as a command of a CI job, and as the step of the GitHub Action."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.integration.cli_process import COMMAND, environment, run
from tests.integration.pull_requests import KEY, REPORT, TOKEN, Azure, GitHub, GitLab, Server, github, server
from tests.integration.shop import ROOT

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["github", "server"]


def command(server: Server, folder: Path, *options: str, report: str = REPORT) -> subprocess.CompletedProcess[str]:
    """One run of the command."""
    (folder / "statsig.md").write_text(report, encoding="utf-8")
    return run("comment", "statsig.md", *options, cwd=folder, **server.variables(folder))


def test_the_command_in_each_ci_system(server: Server, tmp_path: Path) -> None:
    """It finds the pull request in the job's variables, links the HTML report and says in one line what it did."""
    done = command(server, tmp_path, "--key", " shop  ci ", "--link", "https://ci.example/1")
    assert (done.returncode, done.stdout, done.stderr) == (0, "Comment created.\n", "")
    (text,) = server.texts()
    assert text.startswith(server.head)
    assert text.endswith("\n[The whole report as an HTML page](<https://ci.example/1>)\n")


def test_the_step_of_the_action(github: Server, tmp_path: Path) -> None:
    """The GitHub Action's step writes the comment with its key and the artifact's address."""
    steps = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["runs"]["steps"]
    (step,) = (step for step in steps if step.get("name") == "Comment")
    report = tmp_path / "statsig.md"
    report.write_text(REPORT, encoding="utf-8")
    given = {
        "REPORT": str(report),
        "COMMENT_KEY": KEY,
        "ARTIFACT_URL": "https://ci.example/1",
        "PYTHON": sys.executable,
    }
    variables = {**github.variables(tmp_path), **given}
    assert {name for name, value in step["env"].items() if "${{" in value} == {"GITHUB_TOKEN", *given}
    words = ["/bin/bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    done = subprocess.run(words, cwd=tmp_path, env=environment(**variables), capture_output=True, text=True, check=True)
    assert done.stdout == "Comment created.\n"
    assert github.texts()[0].startswith(github.head)
    assert github.texts()[0].endswith("(<https://ci.example/1>)\n")


def test_a_refusal_fails_no_job(server: Server, tmp_path: Path) -> None:
    """What the service does not allow is a notice in the form of the CI system, and the exit code is 0."""
    server.refusal = 403
    done = command(server, tmp_path)
    lead = "::notice title=dbt-statsig::" if isinstance(server, GitHub) else ""
    assert done.returncode == 0
    assert done.stdout.startswith(f"{lead}The comment was not written: ")
    assert TOKEN not in done.stdout + done.stderr


def test_a_warning_is_shown_as_one(server: Server, tmp_path: Path) -> None:
    """A fault of the service is a warning in the form of the CI system; what it says is no command of the log."""
    server.write = lambda *_: (400, {"message": "##vso[task.complete]\n::stop-commands::x"})  # type: ignore[method-assign]
    done = command(server, tmp_path)
    lead = {GitHub: "::warning title=dbt-statsig::", GitLab: "Warning: ", Azure: "##vso[task.logissue type=warning]"}
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1)
    said = done.stdout.removeprefix(lead[type(server)])
    assert said.startswith("The comment was not written: ")
    assert isinstance(server, GitHub) or "##vso[" not in said


@pytest.mark.parametrize(
    ("content", "variables", "message"),
    [
        (None, {"GITLAB_CI": "true"}, "statsig.md cannot be read: No such file or directory."),
        ("{}", {"GITLAB_CI": "true"}, "The file is not a Markdown report of dbt-statsig."),
        (REPORT, {}, "This is not a job of GitHub Actions, GitLab CI or Azure Pipelines."),
    ],
)
def test_what_makes_no_sense(tmp_path: Path, content: str | None, variables: dict[str, str], message: str) -> None:
    """A file that is missing or no report, and a run outside of CI, are errors of usage (exit code 2)."""
    if content is not None:
        (tmp_path / "statsig.md").write_text(content, encoding="utf-8")
    nowhere = dict.fromkeys(("GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD"), "")
    done = run("comment", "statsig.md", cwd=tmp_path, **nowhere | variables)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_ctrl_c(github: Server, tmp_path: Path) -> None:
    """Ctrl-C while the service does not answer ends the command at once, with exit code 130 and no traceback."""
    github.held.clear()
    (tmp_path / "statsig.md").write_text(REPORT, encoding="utf-8")
    words: list[Path | str] = [COMMAND, "comment", "statsig.md"]
    variables = environment(**github.variables(tmp_path))
    with subprocess.Popen(words, cwd=tmp_path, env=variables, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        github.asked.wait(30)
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert (process.returncode, said) == (130, "\nInterrupted.\n")
