"""`dbt-statsig comment`: one comment for each key in a pull request, on GitHub, in GitLab and in Azure Repos."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbt_statsig.commands.comment import Commented, comment
from tests.integration.pull_requests import KEY, TOKEN, GitHub, GitLab, Server, github, server, serving
from tests.integration.pull_requests import REPORT as GOOD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from threading import Event

__all__ = ["github", "server"]

BAD = GOOD.replace("✅ Statsig: nothing to do", "❌ Statsig: 1 error")


class NoPause:
    """A clock that notes pauses and makes none."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    def now(self) -> float:
        """No time passes."""
        return 0.0

    def wall(self) -> float:
        """No time passes."""
        return 0.0

    def sleep(self, seconds: float, until: Event) -> None:  # noqa: ARG002 - the clock's signature
        """Note it."""
        self.pauses.append(seconds)


@pytest.fixture
def azure() -> Iterator[Server]:
    """Azure DevOps."""
    with serving("Azure DevOps") as server:
        yield server


def keep(
    server: Server,
    folder: Path,
    report: str = GOOD,
    key: str = KEY,
    *,
    clock: NoPause | None = None,
    more: dict[str, str] | None = None,
) -> Commented:
    """What the command does in a job for the server's pull request."""
    variables = {**server.variables(folder), **(more or {})}
    done = comment(report, key=key, link="", environ=variables, clock=clock or NoPause())
    assert TOKEN not in done.line
    return done


def test_one_comment_is_kept(server: Server, tmp_path: Path) -> None:
    """The first run writes a comment, an equal report changes nothing, another one updates it."""
    lines = [keep(server, tmp_path, report) for report in (GOOD, GOOD, f"{GOOD}more\n")]
    assert lines == [Commented(f"Comment {what}.") for what in ("created", "unchanged", "updated")]
    assert server.writes == ["POST", "PUT" if isinstance(server, GitLab) else "PATCH"]
    (text,) = server.texts()
    assert text.startswith(server.head)
    assert text.endswith("\n### ✅ Statsig: nothing to do\nmore\n")


def test_others_are_not_touched(server: Server, tmp_path: Path) -> None:
    """What somebody else wrote is not changed, whatever marks it has, nor what quotes them; ours may be pages away."""
    head = server.head
    for _ in range(150):
        server.add(f"{head}\nby another", server.another)
    server.add(f"Quoted: {head}", server.me)
    server.add(f"{head.replace('shop ci', 'shop prod')}\nof another key", server.me)
    before = server.texts()
    server.add(head.replace("\n", "\r\n"), server.me)
    assert keep(server, tmp_path).line == "Comment updated."
    assert server.texts()[:-1] == before
    assert server.texts()[-1].endswith("nothing to do\n")


@pytest.mark.parametrize("service", ["GitHub", "GitLab"])
def test_a_list_that_is_too_long_gives_no_second_comment(
    tmp_path: Path, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there are more comments than are read, nothing is written: ours may be among the rest."""
    monkeypatch.setattr("dbt_statsig.comments.api._MOST_PAGES", 1)
    with serving(service) as server:
        for _ in range(100):
            server.add("Hello", server.another)
        done = keep(server, tmp_path)
        assert (done.weight, server.writes) == ("warning", [])
        assert "the pull request has more than 100 comments" in done.line


def test_each_key_has_its_comment(server: Server, tmp_path: Path) -> None:
    """Two projects, or two targets of one, keep two comments of one pull request, whatever is in their keys."""
    keys = ("shop ci", "shop prod", "--> @ann) /merge")
    for report in (GOOD, f"{GOOD}more\n"):
        for key in keys:
            keep(server, tmp_path, report + key, key)
    assert server.writes[:3] == ["POST"] * 3
    assert [text.splitlines()[-1] for text in server.texts()] == [*keys]
    assert "comment-key: --%3E %40ann%29 /merge" in server.texts()[2].splitlines()[1]


def test_a_personal_token_finds_its_own(github: Server, tmp_path: Path) -> None:
    """With a personal access token on GitHub the comment is that user's; those of bots are not touched."""
    theirs = github.add(f"{github.head}\nof a bot", {**github.me})
    ghost = github.add(github.head, {})
    ghost.update(user=None, body=None)
    github.me = {"login": "ann", "type": "User"}
    lines = [keep(github, tmp_path, report).line for report in (GOOD, BAD)]
    assert lines == ["Comment created.", "Comment updated."]
    assert (theirs["body"], ghost["body"]) == (f"{github.head}\nof a bot", None)


@pytest.mark.parametrize(
    ("failures", "writes", "pauses"),
    [
        # The list answers late, then the answer to the creation is lost: it is found, not made again.
        ([None, (502, {}), None, None, (503, {})], 1, [2.0, 4.0]),
        ([(429, {"Retry-After": "7"}), (403, {"Retry-After": "300"})], 1, [7.0, 60.0]),
        ([(500, {})] * 3, 1, [2.0, 4.0, 8.0]),
    ],
)
def test_an_outage_that_ends(
    server: Server,
    tmp_path: Path,
    failures: list[tuple[int, dict[str, str]] | None],
    writes: int,
    pauses: list[float],
) -> None:
    """After a server's fault, or a limit of requests, it is tried again, and there is still one comment."""
    server.failures = [*failures]
    clock = NoPause()
    if isinstance(server, GitHub):
        server.me = {"login": "ann", "type": "User"}
    done = keep(server, tmp_path, clock=clock)
    assert done.line in ("Comment created.", "Comment unchanged.")
    assert (clock.pauses, len(server.writes), len(server.comments)) == (pauses, writes, 1)


def test_an_outage_that_lasts(server: Server, tmp_path: Path) -> None:
    """An outage that lasts is a warning after four attempts, with what the service says and without the token."""
    server.refusal = 502
    done = keep(server, tmp_path)
    assert done.weight == "warning"
    assert done.line == (f"The comment was not written: {server.name}: answer 502: No. Run the job again to write it.")
    assert server.writes == ["POST"] * 4


@pytest.mark.parametrize(
    ("service", "status"),
    [("GitHub", 403), ("GitHub", 404), ("GitLab", 404), ("Azure DevOps", 403), ("Azure DevOps", 203), ("GitLab", 302)],
)
def test_a_token_that_may_not_write(tmp_path: Path, service: str, status: int) -> None:
    """A token that may not write, as in a pull request from a fork, is a notice at once, with what it needs."""
    with serving(service) as server:
        server.refusal = status
        done = keep(server, tmp_path)
        assert done.weight == "notice"
        assert done.line.startswith(f"The comment was not written: {service} refused the token (answer {status}: No). ")
        assert server.writes == ["POST"]


def test_a_token_that_is_none(server: Server, tmp_path: Path) -> None:
    """A token that the service does not know is a notice, and the service's quotation of it is not shown."""
    variable = next(name for name, value in server.variables(tmp_path).items() if value == TOKEN)
    done = keep(server, tmp_path, more={variable: "token-of-another-job"})
    assert (done.weight, server.writes) == ("notice", [])
    assert (
        f"refused the token (answer 401: 401 Unauthorized: {'' if variable == 'GITLAB_TOKEN' else 'Bearer '}<key"
        in (done.line)
    )
    wrong = keep(server, tmp_path, more={variable: "token of a job"})
    assert wrong == Commented(f"The comment was not written: The key in {variable} contains a blank.", "warning")


@pytest.mark.parametrize("value", ["", "$(System.AccessToken)"])
def test_no_token(server: Server, tmp_path: Path, value: str) -> None:
    """Without a token, as in a fork, nothing is asked, and a notice names the variable and what it has to be."""
    variable = next(name for name, one in server.variables(tmp_path).items() if one == TOKEN)
    done = keep(server, tmp_path, more={variable: value})
    assert (done.weight, server.requests) == ("notice", [])
    assert done.line.startswith(f"No comment: {variable} is not set. ")


def test_a_refused_text(server: Server, tmp_path: Path) -> None:
    """Any other refusal is a warning with the service's own words, and is not tried again."""
    server.refusal = 422
    done = keep(server, tmp_path)
    assert (done.weight, server.writes) == ("warning", ["POST"])
    assert "answer 422: No." in done.line


def test_an_answer_that_is_none(server: Server, tmp_path: Path) -> None:
    """An answer of another form than the published one is a warning: nothing is written on a guess."""
    server.read = lambda *_: (200, b"<html>")  # type: ignore[method-assign]
    done = keep(server, tmp_path)
    assert (done.weight, server.writes) == ("warning", [])
    assert "the answer is not the JSON that the API documents" in done.line


def test_no_connection(server: Server, tmp_path: Path) -> None:
    """An address that nobody listens at is a warning after four attempts."""
    variables = server.variables(tmp_path)
    clock = NoPause()
    gone = {name: value.replace(server.url, "http://127.0.0.1:1") for name, value in variables.items()}
    done = comment(GOOD, key=KEY, link="", environ=gone, clock=clock)
    assert (done.weight, len(clock.pauses)) == ("warning", 3)
    assert "ConnectError" in done.line


def test_the_token_stays_off_the_network_in_clear(server: Server, tmp_path: Path) -> None:
    """A token is not sent by http to another machine."""
    variables = server.variables(tmp_path)
    away = {name: value.replace(server.url, "http://ci.example") for name, value in variables.items()}
    done = comment(GOOD, key=KEY, link="", environ=away, clock=NoPause())
    assert done.line == (
        f"The comment was not written: the address of {server.name} is not an https:// address. Serve its API by https."
    )
    for address in ("https://[ci", "https://", "ci.example"):
        wrong = {name: value.replace(server.url, address) for name, value in variables.items()}
        assert "is not an https:// address" in comment(GOOD, key=KEY, link="", environ=wrong, clock=NoPause()).line


@pytest.mark.parametrize(
    ("service", "gone", "line"),
    [
        ("GitLab", "CI_MERGE_REQUEST_IID", "No merge request: no comment."),
        ("Azure DevOps", "SYSTEM_PULLREQUEST_PULLREQUESTID", "No pull request: no comment."),
        ("Azure DevOps", "BUILD_REPOSITORY_PROVIDER", "The repository is not in Azure Repos: no comment."),
        *(
            (service, name, f"No comment: the job has no variable {name}. A container must be given it.")
            for service, name in (
                ("GitHub", "GITHUB_EVENT_PATH"),
                ("GitHub", "GITHUB_REPOSITORY"),
                ("GitLab", "CI_API_V4_URL"),
                ("GitLab", "CI_MERGE_REQUEST_PROJECT_ID"),
                ("Azure DevOps", "SYSTEM_COLLECTIONURI"),
                ("Azure DevOps", "SYSTEM_TEAMPROJECTID"),
                ("Azure DevOps", "BUILD_REPOSITORY_ID"),
            )
        ),
    ],
)
def test_no_pull_request(tmp_path: Path, service: str, gone: str, line: str) -> None:
    """A job for a branch has no comment to write; a variable that the job should have is named."""
    with serving(service) as server:
        assert keep(server, tmp_path, more={gone: ""}) == Commented(line)
        assert server.requests == []


@pytest.mark.parametrize("event", ["{}", '{"pull_request": null}', "[", '{"pull_request": {"number": "7"}}'])
def test_an_event_without_a_pull_request(github: Server, tmp_path: Path, event: str) -> None:
    """GitHub's event of a push, or one that cannot be read, has no pull request."""
    variables = github.variables(tmp_path)
    (tmp_path / "event.json").write_text(event, encoding="utf-8")
    assert comment(GOOD, key=KEY, link="", environ=variables).line == "No pull request: no comment."
    (tmp_path / "event.json").unlink()
    line = "No comment: the file of GITHUB_EVENT_PATH cannot be read: No such file or directory."
    assert comment(GOOD, key=KEY, link="", environ=variables).line == line


def test_a_comment_that_goes_while_it_is_looked_at(server: Server, tmp_path: Path) -> None:
    """A comment that somebody deletes between the list and the update is written again."""
    keep(server, tmp_path)
    write = server.write

    def deleted(method: str, target: str, content: dict[str, object]) -> tuple[int, object]:
        if method != "POST":
            server.comments.clear()
        return write(method, target, content)

    server.write = deleted  # type: ignore[method-assign]
    assert keep(server, tmp_path, BAD).line == "Comment created."
    assert len(server.comments) == 1


def test_a_limit_of_requests_without_a_time(github: Server, tmp_path: Path) -> None:
    """GitHub's 403 for too many requests is no refusal of the token, also where it names no time to wait."""
    answers = [(403, {"message": "You have exceeded a secondary rate limit."})]
    write = github.write
    github.write = lambda *given: answers.pop() if answers else write(*given)  # type: ignore[method-assign]
    assert keep(github, tmp_path).line == "Comment created."


def test_an_address_in_a_folder(server: Server, tmp_path: Path) -> None:
    """The address may end with a slash, as on a server with a path of its own."""
    variables = server.variables(tmp_path)
    name = next(name for name in ("GITHUB_API_URL", "CI_API_V4_URL", "SYSTEM_COLLECTIONURI") if name in variables)
    assert keep(server, tmp_path, more={name: f"{variables[name]}/"}).line == "Comment created."


def test_a_link_that_is_none(server: Server, tmp_path: Path) -> None:
    """A link that no browser opens is not in the comment, and a notice says so."""
    done = comment(GOOD, key=KEY, link="report.html", environ=server.variables(tmp_path), clock=NoPause())
    assert done == Commented("Comment created. It has no link: --link is not an http(s) address.", "notice")
    assert "whole report" not in server.texts()[0]


def test_comments_without_author_or_text(server: Server, tmp_path: Path) -> None:
    """What a deleted user wrote, or what has no text, is somebody else's."""
    for author in (None, server.me):
        one = server.add(server.head, author)  # type: ignore[arg-type]
        for part in (one, *one.get("comments", ())):
            part.update({name: None for name in ("body", "content") if name in part})
    assert keep(server, tmp_path).line == "Comment created."


def test_a_thread_of_azure_is_open_while_there_is_something_to_do(azure: Server, tmp_path: Path) -> None:
    """A thread is active for a failed check and closed for any other; a status that a person chose stays."""
    statuses = []
    for report in (BAD, GOOD, BAD):
        keep(azure, tmp_path, report)
        statuses.append(azure.comments[0]["status"])
    assert statuses == ["active", "closed", "active"]
    azure.comments[0]["status"] = "wontFix"
    assert keep(azure, tmp_path, GOOD).line == "Comment updated."
    assert azure.comments[0]["status"] == "wontFix"
    azure.comments[0]["status"] = "active"
    assert keep(azure, tmp_path, GOOD).line == "Comment updated."
    assert azure.comments[0]["status"] == "closed"
    assert keep(azure, tmp_path, GOOD).line == "Comment unchanged."


def test_deleted_comments_of_azure_are_none(azure: Server, tmp_path: Path) -> None:
    """A thread or a comment that somebody deleted is not written into: there is a new one."""
    azure.add(azure.head, azure.me, isDeleted=True)
    azure.add(azure.head, azure.me)["comments"][0]["isDeleted"] = True
    azure.add("", azure.me)["comments"].clear()
    azure.add("", azure.me)["comments"][0]["content"] = None
    assert keep(azure, tmp_path).line == "Comment created."
    assert len(azure.comments) == 5


def test_no_line_is_a_command_of_gitlab(tmp_path: Path) -> None:
    """What a report quotes is carried out by nobody: no line of a note begins with a quick action."""
    with serving("GitLab") as gitlab:
        keep(gitlab, tmp_path, f"{GOOD}/merge\n/* a comment */\n")
        assert gitlab.texts()[0].endswith("\n&#47;merge\n/* a comment */\n")


def test_a_long_report_is_cut_to_what_the_service_takes(server: Server, tmp_path: Path) -> None:
    """A report that is too long is cut at a line, with what it leaves open closed, the reason and the link."""
    long = f"{GOOD}\n<details><summary>All</summary>\n\n````diff\n<details>\n```\n" + "+ 🍵 tea\n" * (server.limit // 8)
    url = "https://ci.example/runs/1?a=(b)"
    done = comment(long, key=KEY, link=url, environ=server.variables(tmp_path), clock=NoPause())
    assert done.line == "Comment created."
    (text,) = server.texts()
    assert server.limit - 300 < len(text.encode("utf-16-le")) // 2 <= server.limit
    end = f"\n\nThe rest does not fit into a comment.\n\n[The whole report as an HTML page](<{url}>)\n"
    assert text.endswith(f"+ 🍵 tea\n````\n\n</details>{end}")
