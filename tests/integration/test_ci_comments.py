"""The comment that GitLab's component and Azure's template write, with dbt-statsig itself in their jobs."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.integration.cli_process import COMMAND, edit_manifest, environment, own_copy
from tests.integration.pull_requests import TOKEN, Server, serving
from tests.integration.test_ci_documents import azure_step, gitlab_component

if TYPE_CHECKING:
    from pathlib import Path

EXPOSURES = "model.tea_shop.fct_exposures"


def job(script: str, folder: Path, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """One script of a job, as a runner's shell runs it; pip and dbt do nothing."""
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    for name in ("pip", "dbt"):
        (programs / name).write_text("#!/bin/sh\n", encoding="utf-8")
        (programs / name).chmod(0o755)
    known = environment(PATH=f"{programs}:{COMMAND.parent}:/usr/bin:/bin", **variables)
    return subprocess.run(
        ["/bin/sh", "-euc", script], cwd=folder, env=known, capture_output=True, text=True, check=False
    )


def gitlab_job(server: Server, folder: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """The component's job for a merge request of a fork, or without a key."""
    jobs = gitlab_component(**{"project-dir": "shop", **inputs})
    both = jobs[".dbt-statsig"]
    lines = [*both["before_script"], *jobs["dbt-statsig-check"]["script"]]
    own = {
        "CI_PROJECT_DIR": str(folder),
        "CI_JOB_URL": "https://gitlab.example/-/jobs/3",
        "STATSIG_CONSOLE_API_KEY": "",
    }
    return job("\n".join(lines), folder, {**both["variables"], **own, **server.variables(folder)})


def azure_job(server: Server, folder: Path, **parameters: str) -> subprocess.CompletedProcess[str]:
    """The template's two steps for a pull request without a key; the first one does not get the token."""
    (folder / "staging").mkdir(exist_ok=True)
    own = {
        "BUILD_ARTIFACTSTAGINGDIRECTORY": str(folder / "staging"),
        "BUILD_REASON": "PullRequest",
        "BUILD_SOURCEBRANCH": "refs/pull/7/merge",
        "BUILD_BUILDID": "3",
    }
    known = {**own, **server.variables(folder)}
    token = known.pop("SYSTEM_ACCESSTOKEN")
    check, check_env = azure_step("Check or push", projectDir="shop", **parameters)
    done = job(check, folder, {**check_env, **known})
    comment, comment_env = azure_step("Comment", projectDir="shop", **parameters)
    assert comment_env["SYSTEM_ACCESSTOKEN"] == "$(System.AccessToken)"
    assert "System.AccessToken" not in "".join(check_env.values())
    commented = job(comment, folder, {**comment_env, **known, "SYSTEM_ACCESSTOKEN": token})
    assert commented.returncode == 0
    done.stdout += commented.stdout
    return done


JOBS = {"GitLab": gitlab_job, "Azure DevOps": azure_job}
PAGES = {
    "GitLab": "https://gitlab.example/-/jobs/3/artifacts/file/dbt-statsig/statsig.html",
    "Azure DevOps": "/_build/results?buildId=3&view=artifacts",
}


@pytest.mark.parametrize("service", JOBS)
def test_the_job_keeps_one_comment(shop: Path, tmp_path: Path, service: str) -> None:
    """A job writes the report as a comment and links the page; a later one that fails updates it, and still fails."""
    project = own_copy(shop, tmp_path)
    with serving(service) as server:
        done = JOBS[service](server, tmp_path)
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith("Comment created.\n")
        assert server.texts()[0].startswith(server.head.replace("shop ci", "shop"))
        assert PAGES[service] in server.texts()[0].splitlines()[-1]
        edit_manifest(project, EXPOSURES, assignment_source={"timestamp_column": "exposed_att"})
        done = JOBS[service](server, tmp_path)
        assert (done.returncode, done.stdout.endswith("Comment updated.\n")) == (1, True), done.stderr
        assert "exposed_att" in server.texts()[0]
        assert TOKEN not in done.stdout + done.stderr
        assert len(server.comments) == 1


@pytest.mark.parametrize("service", JOBS)
def test_a_service_that_refuses_fails_no_job(shop: Path, tmp_path: Path, service: str) -> None:
    """A comment that the service refuses is one line, and the job's result is that of the check."""
    own_copy(shop, tmp_path)
    with serving(service) as server:
        server.refusal = 403
        done = JOBS[service](server, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith(f"The comment was not written: {service} refused the token ")


def test_the_jobs_of_two_projects_do_not_replace_each_other() -> None:
    """Included twice, with a `job-prefix` each, GitLab's component has two jobs of each sort."""
    assert gitlab_component().keys() == {".dbt-statsig", "dbt-statsig-check", "dbt-statsig-sync"}
    other = gitlab_component(**{"job-prefix": "shop-statsig"})
    assert other.keys() == {".shop-statsig", "shop-statsig-check", "shop-statsig-sync"}
    assert other["shop-statsig-sync"]["extends"] == ".shop-statsig"
    assert other["shop-statsig-sync"]["resource_group"] == gitlab_component()["dbt-statsig-sync"]["resource_group"]


def test_two_jobs_of_gitlab_have_two_comments(shop: Path, tmp_path: Path) -> None:
    """Each target, or each `comment-key`, has its own note; with `comment` false there is none."""
    own_copy(shop, tmp_path)
    with serving("GitLab") as server:
        gitlab_job(server, tmp_path, **{"comment-key": "shop one"})
        gitlab_job(server, tmp_path, **{"comment-key": "shop two"})
        gitlab_job(server, tmp_path, comment="false")
        assert [text.splitlines()[1] for text in server.texts()] == [
            f"<!-- comment-key: shop {number} -->" for number in ("one", "two")
        ]
