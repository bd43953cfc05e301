"""Servers that keep the comments of one pull request as GitHub, GitLab and Azure DevOps publish it."""

from __future__ import annotations

import contextlib
import json
import re
import threading
from abc import ABC, abstractmethod
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REPORT = "<!-- dbt-statsig -->\n<!-- dbt-statsig plan project=shop -->\n\n### ✅ Statsig: nothing to do\n"
KEY = "shop ci"
TOKEN = "token-of-the-job"  # noqa: S105 - of these servers
Answer = tuple[int, Any]
FORBIDDEN: Answer = (403, {"message": "No."})


class Handler(BaseHTTPRequestHandler):
    """One request: its token, then the fault that was asked for, then the server's own answer."""

    server: Server
    protocol_version = "HTTP/1.1"

    def handle_one(self) -> None:
        """Answer it. A fault in place of a write's answer comes after the write, as if the answer were lost."""
        server = self.server
        content = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        parts = urlsplit(self.path)
        server.requests.append(f"{self.command} {parts.path}")
        server.asked.set()
        if not server.held.wait(30):
            raise AssertionError("nobody let the server go on")
        status, reply = self.answered(parts.path, content)
        headers: dict[str, str] = {}
        if server.failures and (failure := server.failures.pop(0)):
            (status, headers), reply = failure, {"message": f"Later, {TOKEN}."}
        data = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(BrokenPipeError):  # the command was interrupted
            self.wfile.write(data)

    def answered(self, path: str, content: bytes) -> Answer:
        """The answer of a server without faults."""
        server = self.server
        if self.headers.get(server.key_header) != server.token_value:
            return 401, {"message": f"401 Unauthorized: {self.headers.get(server.key_header)}"}
        if self.command == "GET":
            query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
            return server.read(path, query)
        if self.headers["Content-Type"] != "application/json":
            return 415, {"message": "Unsupported Media Type"}
        if server.refusal:
            return server.refusal, {"message": "No."}
        return server.write(self.command, self.path, json.loads(content))

    do_GET = do_POST = do_PATCH = do_PUT = handle_one  # noqa: N815 - names that http.server calls

    def log_message(self, *_: Any) -> None:
        """Nothing."""


class Server(ThreadingHTTPServer, ABC):
    """One service.

    `failures` are answered in place of the next answers, each a status and headers, or None for none. `refusal` is the
    status of the answer to every write, which is not carried out. Nothing is answered while `held` is not set.
    `head` begins a comment with KEY; `another` is somebody else.
    """

    daemon_threads = True
    key_header = "Authorization"
    token_value = f"Bearer {TOKEN}"
    name: ClassVar[str]
    mine: ClassVar[dict[str, Any]]
    another: ClassVar[dict[str, Any]]
    limit: ClassVar[int]
    head: ClassVar = f"<!-- dbt-statsig -->\n<!-- comment-key: {KEY} -->\n"
    size_status = 400

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.comments: list[dict[str, Any]] = []
        self.requests: list[str] = []
        self.failures: list[tuple[int, dict[str, str]] | None] = []
        self.refusal = 0
        self.me = self.mine
        self.asked = threading.Event()
        self.held = threading.Event()
        self.held.set()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def writes(self) -> list[str]:
        """The methods of the requests that wrote."""
        return [method for request in self.requests if (method := request.partition(" ")[0]) != "GET"]

    @abstractmethod
    def variables(self, folder: Path) -> dict[str, str]:
        """The environment of a job for the pull request."""

    @abstractmethod
    def read(self, path: str, query: dict[str, str]) -> Answer:
        """The answer to a GET."""

    @abstractmethod
    def write(self, method: str, target: str, content: dict[str, Any]) -> Answer:
        """Carry out a write."""

    @abstractmethod
    def add(self, text: str, author: dict[str, Any], **more: Any) -> dict[str, Any]:
        """A comment that is there already."""

    def texts(self) -> list[str]:
        """The texts of all comments."""
        return [str(one["body"]) for one in self.comments]

    def changed(self, comment: dict[str, Any] | None, field: str, content: dict[str, Any]) -> Answer:
        """A comment with another text, if it is the token's own and the text is not too long."""
        text = content.get(field)
        if comment is None:
            return 404, {"message": "404 Not found"}
        if content.keys() != {field} or not isinstance(text, str) or not text:
            return 400, {"message": f"{field} is missing"}
        if len(text.encode("utf-16-le")) // 2 > self.limit:
            return self.size_status, {"message": f"too long (maximum is {self.limit} characters)"}
        if self.author_of(comment) != self.me:
            return FORBIDDEN
        comment[field] = text
        return 200, comment

    def author_of(self, comment: dict[str, Any]) -> Any:
        """Who wrote it."""
        return comment["user"]

    def by_id(self, path: str) -> dict[str, Any] | None:
        """The comment that a path ends with."""
        return next((one for one in self.comments if path.endswith(f"/{one['id']}")), None)

    def page(self, query: dict[str, str], known: set[str]) -> Answer:
        """One page of the comments."""
        if not {"page", "per_page"} <= query.keys() <= known | {"page", "per_page"}:
            return 400, {"message": "no such parameter"}
        page, size = int(query["page"]), min(int(query["per_page"]), 100)
        return 200, self.comments[(page - 1) * size : page * size]


class GitHub(Server):
    """Pull request 7 of acme/shop, with the token of GitHub Actions; `me` may be a user with a personal token."""

    name: ClassVar = "GitHub"
    mine: ClassVar = {"login": "github-actions[bot]", "type": "Bot"}
    another: ClassVar = {"login": "ann", "type": "User"}
    limit: ClassVar = 65_536
    size_status = 422

    def variables(self, folder: Path) -> dict[str, str]:
        """Those of GitHub Actions."""
        event = folder / "event.json"
        event.write_text(json.dumps({"pull_request": {"number": 7}}), encoding="utf-8")
        return {
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_API_URL": self.url,
            "GITHUB_REPOSITORY": "acme/shop",
            "GITHUB_TOKEN": TOKEN,
        }

    def read(self, path: str, query: dict[str, str]) -> Answer:
        """The comments, or the user of a personal token."""
        if path == "/user":
            return FORBIDDEN if self.me["type"] == "Bot" else (200, {"id": 1, **self.me})
        return self.page(query, set()) if path == "/repos/acme/shop/issues/7/comments" else (404, {"message": "?"})

    def write(self, method: str, target: str, content: dict[str, Any]) -> Answer:
        """A new comment, or another body."""
        if (method, target) == ("POST", "/repos/acme/shop/issues/7/comments"):
            status, reply = self.changed({"id": len(self.comments) + 1, "user": self.me}, "body", content)
            self.comments += [reply] if status == 200 else []
            return 201 if status == 200 else status, reply
        is_edit = method == "PATCH" and target.startswith("/repos/acme/shop/issues/comments/")
        return self.changed(self.by_id(target) if is_edit else None, "body", content)

    def add(self, text: str, author: dict[str, Any], **more: Any) -> dict[str, Any]:
        """A comment that is there already."""
        self.comments.append({"id": len(self.comments) + 1, "user": author, "body": text, **more})
        return self.comments[-1]


class GitLab(Server):
    """Merge request 7 of project 42, with a project access token."""

    key_header = "PRIVATE-TOKEN"
    token_value = TOKEN
    name: ClassVar = "GitLab"
    mine: ClassVar = {"id": 9, "username": "project_42_bot"}
    another: ClassVar = {"id": 5, "username": "ann"}
    limit: ClassVar = 1_000_000

    def variables(self, folder: Path) -> dict[str, str]:  # noqa: ARG002 - this job needs no file
        """Those of GitLab CI, in a merge request's pipeline."""
        return {
            "GITLAB_CI": "true",
            "CI_API_V4_URL": f"{self.url}/api/v4",
            "CI_MERGE_REQUEST_PROJECT_ID": "42",
            "CI_MERGE_REQUEST_IID": "7",
            "GITLAB_TOKEN": TOKEN,
        }

    def read(self, path: str, query: dict[str, str]) -> Answer:
        """The notes, or the token's user."""
        if path == "/api/v4/user":
            return 200, self.me
        is_known = path == "/api/v4/projects/42/merge_requests/7/notes"
        return self.page(query, {"sort", "order_by"}) if is_known else (404, {"message": "404 Project Not Found"})

    def write(self, method: str, target: str, content: dict[str, Any]) -> Answer:
        """A new note, or another body; a quick action would be carried out."""
        path = target.removeprefix("/api/v4/projects/42/merge_requests/7")
        assert not re.search(r"(?m)^/[a-z]", content["body"])
        if (method, path) == ("POST", "/notes"):
            note = {"id": 300 + len(self.comments), "author": self.me, "system": False}
            status, reply = self.changed(note, "body", content)
            self.comments += [reply] if status == 200 else []
            return 201 if status == 200 else status, reply
        is_edit = method == "PUT" and re.fullmatch(r"/notes/\d+", path)
        return self.changed(self.by_id(path) if is_edit else None, "body", content)

    def author_of(self, comment: dict[str, Any]) -> Any:
        """Who wrote it."""
        return comment["author"]

    def add(self, text: str, author: dict[str, Any], **more: Any) -> dict[str, Any]:
        """A note that is there already."""
        note = {"id": 300 + len(self.comments), "author": author, "body": text, "system": False}
        self.comments.append(note | more)
        return self.comments[-1]


STATUSES = {"active", "fixed", "wontFix", "closed", "byDesign", "pending"}


class Azure(Server):
    """Pull request 7 of an Azure Repos repository, with the token of the build service; `comments` are threads."""

    name: ClassVar = "Azure DevOps"
    mine: ClassVar = {"id": "5a1f8a3c-0000-4000-8000-000000000001", "displayName": "shop Build Service (acme)"}
    another: ClassVar = {"id": "5a1f8a3c-0000-4000-8000-000000000002", "displayName": "Ann"}
    limit: ClassVar = 150_000
    head: ClassVar = f"[//]: <> (dbt-statsig)\n[//]: <> (comment-key: {KEY})\n"
    THREADS = "/acme/project-id/_apis/git/repositories/repository-id/pullRequests/7/threads"

    def variables(self, folder: Path) -> dict[str, str]:  # noqa: ARG002 - as above
        """Those of Azure Pipelines, in a pull request's build."""
        return {
            "TF_BUILD": "True",
            "SYSTEM_COLLECTIONURI": f"{self.url}/acme/",
            "SYSTEM_TEAMPROJECTID": "project-id",
            "BUILD_REPOSITORY_PROVIDER": "TfsGit",
            "BUILD_REPOSITORY_ID": "repository-id",
            "SYSTEM_PULLREQUEST_PULLREQUESTID": "7",
            "SYSTEM_ACCESSTOKEN": TOKEN,
        }

    def read(self, path: str, query: dict[str, str]) -> Answer:
        """All threads, or who the token is."""
        if path == "/acme/_apis/connectionData" and query == {"api-version": "5.0-preview.1"}:
            return 200, {"authenticatedUser": self.me, "instanceId": "x"}
        is_known = path == self.THREADS and query == {"api-version": "5.0"}
        return (200, {"value": self.comments, "count": len(self.comments)}) if is_known else (404, {"message": "?"})

    def write(self, method: str, target: str, content: dict[str, Any]) -> Answer:
        """A new thread, another content of a comment, or another status of a thread."""
        path, _, query = target.partition("?")
        if query != "api-version=5.0":
            return 400, {"message": "The api-version is missing."}
        if (method, path) == ("POST", self.THREADS):
            return self.created(content)
        found = re.fullmatch(rf"{re.escape(self.THREADS)}/(\d+)(/comments/(\d+))?", path)
        thread = next((one for one in self.comments if found and str(one["id"]) == found[1]), None)
        if method != "PATCH" or found is None or thread is None:
            return 404, {"message": "?"}
        if found[2]:
            comment = next((one for one in thread["comments"] if str(one["id"]) == found[3]), None)
            return self.changed(comment, "content", content)
        if content.keys() != {"status"} or content["status"] not in STATUSES:
            return 400, {"message": "status"}
        thread.update(content)
        return 200, thread

    def created(self, content: dict[str, Any]) -> Answer:
        """A new thread with one comment."""
        (given,) = content["comments"]
        if content.keys() != {"comments", "status"} or content["status"] not in STATUSES:
            return 400, {"message": "status"}
        if given.pop("parentCommentId") != 0 or given.pop("commentType") != "text":
            return 400, {"message": "comment"}
        status, reply = self.changed({"id": 1, "author": self.me, "commentType": "text"}, "content", given)
        if status != 200:
            return status, reply
        self.comments.append({"id": 70 + len(self.comments), "status": content["status"], "comments": [reply]})
        return 200, self.comments[-1]

    def author_of(self, comment: dict[str, Any]) -> Any:
        """Who wrote it."""
        return comment["author"]

    def add(self, text: str, author: dict[str, Any], **more: Any) -> dict[str, Any]:
        """A thread that is there already."""
        comment = {"id": 1, "author": author, "content": text, "commentType": "text"}
        thread = {"id": 70 + len(self.comments), "status": "active", "isDeleted": False, "comments": [comment]}
        self.comments.append(thread | more)
        return self.comments[-1]

    def texts(self) -> list[str]:
        """The first comments of all threads."""
        return [str(one["comments"][0]["content"]) if one["comments"] else "" for one in self.comments]


SERVERS: dict[str, type[Server]] = {one.name: one for one in (GitHub, GitLab, Azure)}


@contextmanager
def serving(name: str) -> Iterator[Server]:
    """One of the servers, which ends with the block."""
    server = SERVERS[name]()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.held.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Each of the services."""
    with serving(request.param) as server:
        yield server


@pytest.fixture
def github() -> Iterator[Server]:
    """GitHub."""
    with serving("GitHub") as server:
        yield server
