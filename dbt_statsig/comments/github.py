"""Comments of a pull request on GitHub, or a GitHub Enterprise Server: the REST API of issue comments."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote

import msgspec
from msgspec import Struct

from dbt_statsig.comments.api import Unanswered
from dbt_statsig.comments.place import Comment, User, values_of
from dbt_statsig.console.wire import Service

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dbt_statsig.comments.api import Api
    from dbt_statsig.comments.place import Wanted


class _Entry(Struct, frozen=True):
    id: int
    user: User | None = None
    body: str | None = None


class _PullRequest(Struct, frozen=True):
    number: int


class _Event(Struct, frozen=True):
    pull_request: _PullRequest


class GitHub(Struct, frozen=True, kw_only=True):
    """One pull request."""

    address: str
    repository: str
    number: int

    name: ClassVar = "GitHub"
    token: ClassVar = "GITHUB_TOKEN"  # noqa: S105 - the name of a variable
    needs: ClassVar = "It needs `pull-requests: write`, which a pull request from a fork does not get."
    limit: ClassVar = 65_536
    service: ClassVar = Service(
        scheme="Bearer ", headers={"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
    )

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> GitHub | str:
        """The pull request of this job, or in words why there is none."""
        path = values_of(environ, "GITHUB_EVENT_PATH")
        if isinstance(path, str):
            return path
        try:
            event = msgspec.json.decode(Path(*path).read_bytes(), type=_Event)
        except OSError as error:
            return f"No comment: the file of GITHUB_EVENT_PATH cannot be read: {error.strerror}."
        except (msgspec.DecodeError, RecursionError):
            return "No pull request: no comment."
        repository = values_of(environ, "GITHUB_REPOSITORY")
        if isinstance(repository, str):
            return repository
        address = environ.get("GITHUB_API_URL") or "https://api.github.com"
        return cls(address=address, repository=quote(*repository), number=event.pull_request.number)

    def written(self, text: str) -> str:
        """As it is."""
        return text

    def own(self, api: Api) -> Iterator[Comment]:
        """Those of a personal token's user; the token of an app, such as GitHub Actions, has none: those of bots."""
        login = self._login(api)
        for entry in api.pages(self._comments, _Entry):
            user = entry.user or User()
            if user.login == login if login else user.type == "Bot":
                yield Comment(path=f"/repos/{self.repository}/issues/comments/{entry.id}", text=entry.body or "")

    def create(self, api: Api, wanted: Wanted) -> None:
        """A comment of the pull request."""
        api.send("POST", self._comments, {"body": wanted.text})

    def update(self, api: Api, comment: Comment, wanted: Wanted) -> bool:
        """Another body."""
        return comment.put(api, "PATCH", "body", wanted.text)

    @property
    def _comments(self) -> str:
        return f"/repos/{self.repository}/issues/{self.number}/comments"

    def _login(self, api: Api) -> str:
        try:
            return api.get("/user", User).login
        except Unanswered as error:
            if error.is_refusal:
                return ""
            raise
