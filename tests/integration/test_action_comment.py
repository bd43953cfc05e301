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
    from collections.abc import Iterator
    from pathlib import Path

BOT = {"login": "github-actions[bot]", "type": "Bot"}
ANN = {"login": "ann", "type": "User"}
MARK = "<!-- dbt-statsig -->"
BODY = f"{MARK}\n## 1 to create\n"


class GitHub:
    """The comments of pull request 7 of one repository, served as GitHub's REST API serves them."""

    def __init__(self) -> None:
        """Without a comment, and with every write allowed."""
        self.comments: list[dict[str, Any]] = []
        self.writes: list[str] = []
        self.refusal = 0
        github = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = parse_qs(urlsplit(self.path).query)
                page, size = int(query["page"][0]), int(query["per_page"][0])
                self.reply(200, github.comments[(page - 1) * size : page * size])

            def do_POST(self) -> None:
                assert urlsplit(self.path).path == "/repos/acme/shop/issues/7/comments"
                self.write({"id": len(github.comments), "user": BOT}, github.comments.append)

            def do_PATCH(self) -> None:
                assert self.path.startswith("/repos/acme/shop/issues/comments/")
                self.write(github.comments[int(self.path.rsplit("/", 1)[1])], lambda _: None)

            def write(self, comment: dict[str, Any], then: Any) -> None:
                content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if github.refusal or self.headers["Authorization"] != "Bearer secret":
                    self.reply(github.refusal or 401, {"message": "No."})
                    return
                comment.update(content)
                then(comment)
                github.writes.append(self.command)
                self.reply(200, comment)

            def reply(self, status: int, content: Any) -> None:
                data = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)


@pytest.fixture
def github() -> Iterator[GitHub]:
    """A server that ends with the test."""
    github = GitHub()
    thread = threading.Thread(target=github.server.serve_forever)
    thread.start()
    yield github
    github.server.shutdown()
    github.server.server_close()
    thread.join()


def comment(
    github: GitHub, tmp_path: Path, body: str = BODY, event: dict[str, Any] | None = None
) -> subprocess.CompletedProcess[str]:
    """One run of action/comment.py."""
    (tmp_path / "report.md").write_text(body, encoding="utf-8")
    (tmp_path / "event.json").write_text(json.dumps(event or {"pull_request": {"number": 7}}), encoding="utf-8")
    host, port = github.server.server_address[:2]
    variables = {
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "GITHUB_API_URL": f"http://{host!s}:{port}",
        "GITHUB_REPOSITORY": "acme/shop",
        "GITHUB_TOKEN": "secret",
    }
    done = subprocess.run(
        [sys.executable, ROOT / "action" / "comment.py", tmp_path / "report.md"],
        env=environment(**variables),
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
    assert [one["body"] for one in github.comments] == [BODY + "more\n"]


def test_others_are_left_alone(github: GitHub, tmp_path: Path) -> None:
    """A person's comment that bears the marker is not ours, nor is a bot's without it; ours may be pages away."""
    others = [{"id": place, "user": ANN, "body": BODY} for place in range(150)]
    others[3] = {"id": 3, "user": BOT, "body": f"Quoted: {MARK}"}
    others[4] = {"id": 4, "user": None, "body": None}
    github.comments = [*others, {"id": 150, "user": BOT, "body": MARK}]
    assert comment(github, tmp_path).stdout == "Comment updated.\n"
    assert github.comments[:150] == others
    assert github.comments[150]["body"] == BODY


def test_a_token_that_may_not_write(github: GitHub, tmp_path: Path) -> None:
    """In a pull request from a fork the token may not write: a notice, and no failure."""
    github.refusal = 403
    done = comment(github, tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("::notice title=dbt-statsig::The comment was not written")


def test_an_outage_of_github(github: GitHub, tmp_path: Path) -> None:
    """Another refusal is a warning and fails the step."""
    github.refusal = 502
    done = comment(github, tmp_path)
    assert (done.returncode, done.stdout.startswith("::warning ")) == (1, True)


def test_no_connection(tmp_path: Path) -> None:
    """An address that nobody listens at is a warning and fails the step."""
    github = GitHub()
    github.server.server_close()
    done = comment(github, tmp_path)
    assert done.returncode == 1
    assert "ConnectError" in done.stdout


def test_no_pull_request(github: GitHub, tmp_path: Path) -> None:
    """A run for a branch has no comment to write."""
    done = comment(github, tmp_path, event={"ref": "refs/heads/main"})
    assert (done.returncode, done.stdout) == (0, "No pull request: no comment.\n")
