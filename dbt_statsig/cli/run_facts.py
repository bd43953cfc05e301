"""What a report says about its own run: the time, the command line, the commit, and the CI job.

Facts: the documented variables of GitHub Actions, GitLab CI, Azure Pipelines and Bitbucket Pipelines; elsewhere git
itself is asked.
"""

from __future__ import annotations

import json
import re
import shlex
from datetime import datetime, timezone
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from dbt_statsig.vocabulary.run import Run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dbt_statsig.project.request import Request

SHOW_RUN = frozenset({"html", "markdown", "github"})
"""The forms that show it: what GitHub's form adds to the step's summary is Markdown."""
PAGE_VARIABLE = "DBT_STATSIG_REPORT_URL"
_GIT_TIMEOUT_SECONDS = 10
_BRANCH_PREFIX = re.compile(r"^refs/(heads|tags)/")
_SCP = re.compile(r"^(?:[\w.-]+@)?(?P<host>[\w.-]+):(?!/)(?P<path>.+)$")
# What follows the repository's address, by a word in its host: a file at a commit, and the commit.
_PAGES = {
    "github": ("/blob/{commit}/{path}#L{line}", "/commit/{commit}"),
    "gitlab": ("/-/blob/{commit}/{path}#L{line}", "/-/commit/{commit}"),
    "bitbucket": ("/src/{commit}/{path}#lines-{line}", "/commits/{commit}"),
    "dev.azure": ("?path=/{path}&version=GC{commit}&line={line}", "/commit/{commit}"),
}


class _System(NamedTuple):
    """A CI system: the variable that only it sets, then templates, the first of which that can be filled counts."""

    mark: str
    repository: str
    commit: tuple[str, ...]
    branch: tuple[str, ...]
    job: str


_GITHUB = _System(
    mark="GITHUB_ACTIONS",
    repository="{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}",
    commit=("{GITHUB_SHA}",),
    branch=("{GITHUB_HEAD_REF}", "{GITHUB_REF_NAME}"),
    job="{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}",
)
_SYSTEMS = (
    _GITHUB,
    _System(
        mark="GITLAB_CI",
        repository="{CI_PROJECT_URL}",
        commit=("{CI_MERGE_REQUEST_SOURCE_BRANCH_SHA}", "{CI_COMMIT_SHA}"),
        branch=("{CI_MERGE_REQUEST_SOURCE_BRANCH_NAME}", "{CI_COMMIT_REF_NAME}"),
        job="{CI_JOB_URL}",
    ),
    _System(
        mark="TF_BUILD",
        repository="{BUILD_REPOSITORY_URI}",
        commit=("{SYSTEM_PULLREQUEST_SOURCECOMMITID}", "{BUILD_SOURCEVERSION}"),
        branch=("{SYSTEM_PULLREQUEST_SOURCEBRANCH}", "{BUILD_SOURCEBRANCH}"),
        job="{SYSTEM_COLLECTIONURI}{SYSTEM_TEAMPROJECT}/_build/results?buildId={BUILD_BUILDID}",
    ),
    _System(
        mark="BITBUCKET_BUILD_NUMBER",
        repository="{BITBUCKET_GIT_HTTP_ORIGIN}",
        commit=("{BITBUCKET_COMMIT}",),
        branch=("{BITBUCKET_BRANCH}",),
        job="{BITBUCKET_GIT_HTTP_ORIGIN}/pipelines/results/{BITBUCKET_BUILD_NUMBER}",
    ),
)


def run_of(project_dir: Path, environ: Mapping[str, str], arguments: Sequence[str], selection: str = "") -> Run:
    """All that can be known without asking anybody but git; never raises."""
    system = next((one for one in _SYSTEMS if environ.get(one.mark)), None)
    git = _git_status(project_dir)
    commit, branch, repository, job = git.commit, git.branch, "", ""
    if system is not None:
        repository, job = _filled(system.repository, environ), _filled(system.job, environ)
        branch = _BRANCH_PREFIX.sub("", _first(system.branch, environ)) or branch
        commit = _ci_commit(system, environ, commit)
    pages = _pages(_web_address(repository or _remote(project_dir)), system, commit)
    return Run(
        at=datetime.now(timezone.utc),
        command=shlex.join(["dbt-statsig", *arguments]),
        selection=selection,
        commit=commit,
        branch=branch,
        is_dirty=git.is_dirty,
        blob=pages[0],
        commit_url=pages[1],
        job=job,
        page=environ.get(PAGE_VARIABLE, ""),
    )


def selection_of(request: Request) -> str:
    """The options of the request that leave some sources out; empty where it takes all."""
    groups = {
        "--select": request.select,
        "--exclude": request.exclude,
        "--selector": [request.selector] if request.selector else [],
        "--kind": sorted(kind.value for kind in request.kinds),
    }
    words = [word for option, values in groups.items() if values for word in (option, *values)]
    return shlex.join(words)


def _filled(template: str, environ: Mapping[str, str]) -> str:
    """The template with the variables that it names; empty where one is not set."""
    names = [name for _, name, _, _ in Formatter().parse(template) if name]
    return template.format_map(environ) if all(environ.get(name) for name in names) else ""


def _first(templates: tuple[str, ...], environ: Mapping[str, str]) -> str:
    return next(filter(None, (_filled(one, environ) for one in templates)), "")


def _ci_commit(system: _System, environ: Mapping[str, str], checked_out: str) -> str:
    """The commit of the branch, where that is what the job checked out, itself or merged; else what it checked out."""
    named = _first(system.commit, environ)
    head = _proposed(environ) if system is _GITHUB else ""
    if checked_out and checked_out not in {
        named,
        head,
        environ.get("BUILD_SOURCEVERSION"),
        environ.get("CI_COMMIT_SHA"),
    }:
        return checked_out
    return head or named or checked_out


def _proposed(environ: Mapping[str, str]) -> str:
    """The last commit of the pull request that GitHub's event is about; empty where it is about none."""
    try:
        event = json.loads(Path(environ["GITHUB_EVENT_PATH"]).read_bytes())
        found = event["pull_request"]["head"]["sha"]
    except (KeyError, OSError, ValueError, TypeError):
        return ""
    return found if isinstance(found, str) else ""


class _Git(NamedTuple):
    commit: str = ""
    branch: str = ""
    is_dirty: bool = False


def _git_status(folder: Path) -> _Git:
    """Commit, branch and whether files of the folder have changed since; nothing where there is no repository."""
    lines = _git(folder, "status", "--porcelain=v2", "--branch", "--untracked-files=no", "--", ".").splitlines()
    heads = dict(line[2:].split(" ", 1) for line in lines if line.startswith("# branch."))
    commit, branch = heads.get("branch.oid", ""), heads.get("branch.head", "")
    return _Git(
        commit="" if commit == "(initial)" else commit,
        branch="" if branch == "(detached)" else branch,
        is_dirty=any(not line.startswith("#") for line in lines),
    )


def _remote(folder: Path) -> str:
    return _git(folder, "config", "--get", "remote.origin.url").strip()


def _git(folder: Path, *arguments: str) -> str:
    import subprocess  # only where a report is made that shows it

    # A repository may name a program that watches its files: nothing of it is run.
    command = ["git", "-C", str(folder), "--no-optional-locks", "-c", "core.fsmonitor=false", *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - git itself, with words of ours
            command, capture_output=True, encoding="utf-8", errors="replace", timeout=_GIT_TIMEOUT_SECONDS, check=False
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _web_address(remote: str) -> str:
    """The web address of a repository from any form of a remote's, without user or password; empty for a path."""
    found = _SCP.match(remote)
    parts = urlsplit(f"https://{found['host']}/{found['path']}" if found and "://" not in remote else remote)
    try:
        host, port = parts.hostname or "", parts.port if parts.scheme in {"http", "https"} else None
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https", "ssh", "git"} or not host:
        return ""
    path = parts.path.strip("/").removesuffix(".git")
    scheme = "http" if parts.scheme == "http" else "https"
    return f"{scheme}://{host}{f':{port}' if port else ''}/{path}"


def _pages(repository: str, system: _System | None, commit: str) -> tuple[str, str]:
    """The templates of a file and of the commit; empty where the host is not known."""
    host = urlsplit(repository).hostname or ""
    own = {"GITHUB_ACTIONS": "github", "GITLAB_CI": "gitlab"}.get(system.mark, "") if system else ""
    name = own or next((word for word in _PAGES if word in host), "")
    if not (repository and name and commit):
        return "", ""
    blob, page = (f"{repository}{one}".replace("{commit}", commit) for one in _PAGES[name])
    return blob, page
