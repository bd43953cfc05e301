"""What a report says about its own run."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from dbt_statsig.cli.run_facts import run_of, selection_of
from dbt_statsig.project.request import Request
from dbt_statsig.vocabulary.run import Run
from dbt_statsig.vocabulary.sources import Kind

HEAD = "4f" * 20
GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.example.com",
    "GITHUB_REPOSITORY": "acme/shop",
    "GITHUB_SHA": "aa" * 20,
    "GITHUB_REF_NAME": "7/merge",
    "GITHUB_RUN_ID": "99",
}
GITLAB = {
    "GITLAB_CI": "true",
    "CI_PROJECT_URL": "https://git.acme.io/data/shop",
    "CI_COMMIT_SHA": HEAD,
    "CI_COMMIT_REF_NAME": "main",
    "CI_JOB_URL": "https://git.acme.io/data/shop/-/jobs/5",
}
AZURE = {
    "TF_BUILD": "True",
    "BUILD_REPOSITORY_URI": "https://user@dev.azure.com/acme/data/_git/shop",
    "BUILD_SOURCEVERSION": "bb" * 20,
    "SYSTEM_PULLREQUEST_SOURCECOMMITID": HEAD,
    "SYSTEM_PULLREQUEST_SOURCEBRANCH": "refs/heads/orders",
    "SYSTEM_COLLECTIONURI": "https://dev.azure.com/acme/",
    "SYSTEM_TEAMPROJECT": "data",
    "BUILD_BUILDID": "12",
}
BITBUCKET = {
    "BITBUCKET_BUILD_NUMBER": "3",
    "BITBUCKET_GIT_HTTP_ORIGIN": "http://bitbucket.org/acme/shop",
    "BITBUCKET_COMMIT": HEAD,
    "BITBUCKET_BRANCH": "main",
}


def git(folder: Path, *words: str) -> str:
    """Run git in a folder."""
    named = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "init.defaultBranch=main")
    command = ["git", "-C", str(folder), *named, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit on `main`."""
    git(tmp_path, "init")
    (tmp_path / "a.yml").write_text("a: 1\n")
    git(tmp_path, "add", "a.yml")
    git(tmp_path, "commit", "-m", "One")
    return tmp_path


@pytest.mark.parametrize(
    ("environ", "branch", "job", "blob"),
    [
        (
            GITLAB,
            "main",
            "https://git.acme.io/data/shop/-/jobs/5",
            f"https://git.acme.io/data/shop/-/blob/{HEAD}/m%20x/a.yml#L3",
        ),
        (
            AZURE,
            "orders",
            "https://dev.azure.com/acme/data/_build/results?buildId=12",
            f"https://dev.azure.com/acme/data/_git/shop?path=/m%20x/a.yml&version=GC{HEAD}&line=3",
        ),
        (
            BITBUCKET,
            "main",
            "http://bitbucket.org/acme/shop/pipelines/results/3",
            f"http://bitbucket.org/acme/shop/src/{HEAD}/m%20x/a.yml#lines-3",
        ),
    ],
)
def test_ci_systems(tmp_path: Path, environ: dict[str, str], branch: str, job: str, blob: str) -> None:
    """Each CI system's own variables give commit, branch, job and a link to a line; no password is in an address."""
    run = run_of(tmp_path, environ, ["plan"])
    assert (run.commit, run.short_commit, run.branch, run.job) == (HEAD, HEAD[:9], branch, job)
    assert run.file_url("m x/a.yml", 3) == blob
    assert HEAD in run.commit_url


def test_a_pull_request_on_github(tmp_path: Path) -> None:
    """The commit is the last one of the pull request, not the merge that GitHub makes of it for the job."""
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"head": {"sha": HEAD}}}))
    named = {**GITHUB, "GITHUB_EVENT_PATH": str(event), "GITHUB_HEAD_REF": "orders"}
    run = run_of(tmp_path, named, ["plan"])
    assert (run.commit, run.branch) == (HEAD, "orders")
    assert run.file_url("a.yml") == f"https://github.example.com/acme/shop/blob/{HEAD}/a.yml#L1"
    assert run.commit_url == f"https://github.example.com/acme/shop/commit/{HEAD}"
    assert run.job == "https://github.example.com/acme/shop/actions/runs/99"


@pytest.mark.parametrize("event", ["{}", "[]", '{"pull_request": null}', '{"pull_request": {"head": {"sha": 1}}}', "{"])
def test_an_event_of_another_sort(tmp_path: Path, event: str) -> None:
    """Where GitHub's event names no pull request, or cannot be read, the commit is that of the job."""
    (tmp_path / "event.json").write_text(event)
    found = run_of(tmp_path, {**GITHUB, "GITHUB_EVENT_PATH": str(tmp_path / "event.json")}, [])
    assert (found.commit, found.branch) == (GITHUB["GITHUB_SHA"], "7/merge")


def test_what_the_job_checked_out_counts(repository: Path) -> None:
    """Where a job checked out another commit than its event is about, that is the commit of the report."""
    commit = git(repository, "rev-parse", "HEAD")
    assert run_of(repository, GITHUB, []).commit == commit
    assert run_of(repository, {**GITLAB, "CI_COMMIT_SHA": commit}, []).commit == commit


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("git@github.com:acme/shop.git", "https://github.com/acme/shop/blob/{}/a.yml#L1"),
        ("ssh://git@github.com:22/acme/shop.git", "https://github.com/acme/shop/blob/{}/a.yml#L1"),
        (
            "https://ann:pa55word@gitlab.com/acme/shop",  # pragma: allowlist secret
            "https://gitlab.com/acme/shop/-/blob/{}/a.yml#L1",
        ),
        ("https://git.acme.io/shop", ""),
        ("https://github.com:port/shop", ""),
        ("../shop", ""),
        ("file:///srv/github/shop", ""),
    ],
)
def test_a_checkout(repository: Path, remote: str, address: str) -> None:
    """Outside of CI git is asked; a link is made only for hosts whose addresses are known, and without a password."""
    git(repository, "remote", "add", "origin", remote)
    run = run_of(repository, {"DBT_STATSIG_REPORT_URL": "https://x.example.com"}, ["plan", "--select", "a b"])
    commit = git(repository, "rev-parse", "HEAD")
    assert (run.commit, run.branch, run.is_dirty, run.job) == (commit, "main", False, "")
    assert run.file_url("a.yml") == address.format(commit)
    assert "pa55" not in repr(run)
    assert run.command == "dbt-statsig plan --select 'a b'"
    assert (run.page, run.at is None) == ("https://x.example.com", False)


def test_changes_that_are_not_committed(repository: Path) -> None:
    """A file that has changed since the commit is reported; a new one, such as an artifact, is not."""
    (repository / "new.yml").write_text("b: 1\n")
    assert not run_of(repository, {}, []).is_dirty
    (repository / "a.yml").write_text("a: 2\n")
    git(repository, "checkout", "--detach")
    found = run_of(repository, {}, [])
    assert (found.is_dirty, found.branch) == (True, "")


def test_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a repository, in an empty one, and without git, nothing is known, and nothing fails."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    for _ in range(2):
        found = run_of(tmp_path, {}, [])
        assert (found.commit, found.blob, found.commit_url) == ("", "", "")
        git(tmp_path, "init")
    monkeypatch.setenv("PATH", "")
    assert run_of(tmp_path, {}, []).commit == ""


def test_links_need_a_path() -> None:
    """A finding without a file has no link."""
    assert Run(blob="https://x/{path}").file_url("") == ""


def test_selection() -> None:
    """The selection is shown as options of the command line; without one it is empty."""
    assert selection_of(Request(project_dir=Path())) == ""
    request = Request(project_dir=Path(), select=("a b", "c"), selector="s", kinds=frozenset({Kind.METRIC_SOURCE}))
    assert selection_of(request) == "--select 'a b' c --selector s --kind metric_source"
