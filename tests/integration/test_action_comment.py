"""The action's comment: one of it in each pull request, whoever else writes there."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.integration.cli_process import environment
from tests.integration.shop import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BOT = {"login": "github-actions[bot]", "type": "Bot"}
ANN = {"login": "ann", "type": "User"}
MARK = "<!-- dbt-statsig -->"
BODY = f"{MARK}\n## 1 to create\n"
KEYED = f"{MARK}\n<!-- comment-key: shop ci -->\n"
PATHS = ("/repos/acme/shop/issues/7/comments", "/repos/acme/shop/issues/comments/", "/user")


class Handler(BaseHTTPRequestHandler):
    """GitHub's REST API, as far as the comment needs it."""

    server: GitHub

    def do_GET(self) -> None:
        """A page of comments, or the user of a personal token."""
        if not self.is_known() or self.has_failed():
            return
        if self.path == "/user":
            is_app = self.server.user["type"] == "Bot"
            refusal = {"message": "Resource not accessible by integration"}
            self.reply(403 if is_app else 200, refusal if is_app else self.server.user)
            return
        query = parse_qs(urlsplit(self.path).query)
        page, size = int(query["page"][0]), int(query["per_page"][0])
        self.reply(200, self.server.comments[(page - 1) * size : page * size])

    def do_POST(self) -> None:
        """A new comment."""
        self.write({"id": len(self.server.comments), "user": self.server.user}, self.server.comments.append)

    def do_PATCH(self) -> None:
        """Another text of a comment."""
        self.write(self.server.comments[int(self.path.rsplit("/", 1)[1])], lambda _: None)

    def write(self, comment: dict[str, Any], then: Callable[[dict[str, Any]], object]) -> None:
        """Carry out a write, unless it is refused, and answer it, unless the answer is to fail."""
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.is_known():
            return
        if self.server.refusal:
            self.reply(self.server.refusal, {"message": "No."})
            return
        comment.update(content)
        then(comment)
        if not self.has_failed():
            self.reply(200, comment)

    def is_known(self) -> bool:
        """Note the request; whether its token is one."""
        self.server.requests.append(f"{self.command} {urlsplit(self.path).path}")
        assert urlsplit(self.path).path.startswith(PATHS), self.path
        if self.headers["Authorization"] == "Bearer secret":
            return True
        self.reply(401, {"message": "Bad credentials"})
        return False

    def has_failed(self) -> bool:
        """Whether the next failure was the answer."""
        status, headers = self.server.failures.pop(0) if self.server.failures else (0, {})
        if status:
            self.reply(status, {"message": "Later."}, **headers)
        return bool(status)

    def reply(self, status: int, content: Any, **headers: str) -> None:
        """One answer in JSON."""
        data = json.dumps(content).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


class GitHub(ThreadingHTTPServer):
    """The comments of pull request 7 of one repository."""

    def __init__(self) -> None:
        """Without a comment, and with every write allowed, to the token of GitHub Actions.

        `failures` are answered in place of the next answers (0: none); a write is carried out all the same, as if its
        answer were lost. `refusal` is the answer to every write, which is not carried out.
        """
        super().__init__(("127.0.0.1", 0), Handler)
        self.comments: list[dict[str, Any]] = []
        self.requests: list[str] = []
        self.user = BOT
        self.refusal = 0
        self.failures: list[tuple[int, dict[str, str]]] = []

    @property
    def writes(self) -> list[str]:
        """The methods of the requests that wrote."""
        return [method for request in self.requests if (method := request.partition(" ")[0]) != "GET"]


@pytest.fixture
def github() -> Iterator[GitHub]:
    """A server that ends with the test."""
    github = GitHub()
    thread = threading.Thread(target=github.serve_forever)
    thread.start()
    yield github
    github.shutdown()
    github.server_close()
    thread.join()


def comment(
    github: GitHub, tmp_path: Path, body: str = BODY, event: dict[str, Any] | None = None, **more: str
) -> subprocess.CompletedProcess[str]:
    """One run of action/comment.py."""
    (tmp_path / "report.md").write_text(body, encoding="utf-8")
    (tmp_path / "event.json").write_text(json.dumps(event or {"pull_request": {"number": 7}}), encoding="utf-8")
    host, port = github.server_address[:2]
    variables = {
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "GITHUB_API_URL": f"http://{host!s}:{port}",
        "GITHUB_REPOSITORY": "acme/shop",
        "GITHUB_TOKEN": "secret",
        "COMMENT_KEY": "shop ci",
        "COMMENT_WAIT": "0.01",
    }
    done = subprocess.run(
        [sys.executable, ROOT / "action" / "comment.py", tmp_path / "report.md"],
        env=environment(**variables | more),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stdout + done.stderr
    return done


def test_one_comment_is_kept(github: GitHub, tmp_path: Path) -> None:
    """The first run writes a comment, an equal report changes nothing, another one updates it."""
    said = [comment(github, tmp_path, body).stdout for body in (BODY, BODY, BODY + "more\n")]
    assert said == ["Comment created.\n", "Comment unchanged.\n", "Comment updated.\n"]
    assert github.writes == ["POST", "PATCH"]
    assert [one["body"] for one in github.comments] == [f"{KEYED}## 1 to create\nmore\n"]


def test_others_are_not_touched(github: GitHub, tmp_path: Path) -> None:
    """A person's comment that bears the marker is not ours, nor is a bot's without it; ours may be pages away."""
    others = [{"id": place, "user": ANN, "body": KEYED} for place in range(150)]
    others[3] = {"id": 3, "user": BOT, "body": f"Quoted: {KEYED}"}
    others[4] = {"id": 4, "user": None, "body": None}
    github.comments = [*others, {"id": 150, "user": BOT, "body": KEYED.replace("\n", "\r\n")}]
    assert comment(github, tmp_path).stdout == "Comment updated.\n"
    assert github.comments[:150] == others
    assert github.comments[150]["body"] == f"{KEYED}## 1 to create\n"


def test_a_personal_token_finds_its_own(github: GitHub, tmp_path: Path) -> None:
    """With a personal access token the comment is that user's; those of bots and of other users are not touched."""
    github.user = ANN
    others = [{"id": 0, "user": BOT, "body": KEYED}, {"id": 1, "user": {"login": "bo", "type": "User"}, "body": KEYED}]
    github.comments = [*others]
    said = [comment(github, tmp_path, body).stdout for body in (BODY, BODY + "more\n")]
    assert said == ["Comment created.\n", "Comment updated.\n"]
    assert github.comments[:2] == others
    assert [one["user"] for one in github.comments] == [BOT, others[1]["user"], ANN]


def test_each_project_and_target_has_its_comment(github: GitHub, tmp_path: Path) -> None:
    """Two projects, or two targets of one, keep two comments of one pull request, whatever is in their keys."""
    keys = ("shop ci", "shop prod", "--> @ann")
    for body in (BODY, BODY + "more\n"):
        for key in keys:
            comment(github, tmp_path, body + key, COMMENT_KEY=key)
    assert github.writes == ["POST"] * 3 + ["PATCH"] * 3
    assert [one["body"].splitlines()[-1] for one in github.comments] == ["shop ci", "shop prod", "--> @ann"]
    assert github.comments[2]["body"].splitlines()[1] == "<!-- comment-key: --%3E %40ann -->"


def test_the_artifact_is_linked(github: GitHub, tmp_path: Path) -> None:
    """The comment ends with the address of the HTML report where it is an artifact."""
    comment(github, tmp_path, ARTIFACT_URL="https://github.example/runs/1/artifacts/2")
    assert github.comments[0]["body"].endswith(
        "\n[The whole report as an HTML page](https://github.example/runs/1/artifacts/2)\n"
    )


def test_a_token_that_may_not_write(github: GitHub, tmp_path: Path) -> None:
    """In a pull request from a fork the token may not write: a notice at once, and no failure."""
    github.refusal = 403
    done = comment(github, tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("::notice title=dbt-statsig::The comment was not written")
    assert github.writes == ["POST"]


@pytest.mark.parametrize(
    ("failures", "writes"),
    [
        # The list of comments answers late, then the answer to the creation is lost: it is found, not made again.
        ([(502, {}), (0, {}), (0, {}), (503, {})], ["POST"]),
        ([(429, {"Retry_After": "0"}), (403, {"Retry_After": "0"})], ["POST"]),
    ],
)
def test_an_outage_that_ends(
    github: GitHub, tmp_path: Path, failures: list[tuple[int, dict[str, str]]], writes: list[str]
) -> None:
    """After a server's fault, or a limit of requests, it is tried again, and there is still one comment."""
    github.user, github.failures = ANN, failures
    done = comment(github, tmp_path)
    assert (done.returncode, done.stdout[:8]) == (0, "Comment ")
    assert github.writes == writes
    assert len(github.comments) == 1


def test_an_outage_that_lasts(github: GitHub, tmp_path: Path) -> None:
    """An outage that lasts is a warning after four attempts, and does not fail the job."""
    github.refusal = 502
    done = comment(github, tmp_path)
    assert (done.returncode, done.stdout.startswith("::warning ")) == (0, True)
    assert github.writes == ["POST"] * 4


def test_no_connection(tmp_path: Path) -> None:
    """An address that nobody listens at is a warning, and does not fail the job."""
    github = GitHub()
    github.server_close()
    done = comment(github, tmp_path)
    assert done.returncode == 0
    assert "ConnectError" in done.stdout


def test_no_pull_request(github: GitHub, tmp_path: Path) -> None:
    """A run for a branch has no comment to write."""
    done = comment(github, tmp_path, event={"ref": "refs/heads/main"})
    assert (done.returncode, done.stdout) == (0, "No pull request: no comment.\n")
