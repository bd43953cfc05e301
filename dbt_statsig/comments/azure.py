"""Comments of a pull request in Azure Repos: the first comment of a thread, by the REST API of Azure DevOps 5.0."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote

from msgspec import Struct

from dbt_statsig.comments.place import Comment, User, values_of
from dbt_statsig.console.wire import Service

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dbt_statsig.comments.api import Api
    from dbt_statsig.comments.place import Wanted

# A server refuses versions that are newer than itself: 7.1 is beyond Azure DevOps Server 2022.
_VERSION = "api-version=5.0"
_WHO_AM_I = "/_apis/connectionData?api-version=5.0-preview.1"
_HIDDEN_LINE = re.compile(r"^<!-- (.*) -->$", re.MULTILINE)
_OWN_STATUSES = ("active", "closed")
"""Those that are set here: any other one is a person's choice, and stays."""


class _Connection(Struct, frozen=True, rename="camel"):
    authenticated_user: User


class _Reply(Struct, frozen=True, rename="camel"):
    id: int
    author: User | None = None
    content: str | None = None
    is_deleted: bool = False


class _Thread(Struct, frozen=True, rename="camel"):
    id: int
    comments: list[_Reply] | None = None
    status: str | None = None
    is_deleted: bool = False


class _Threads(Struct, frozen=True):
    value: list[_Thread]


class AzureRepos(Struct, frozen=True, kw_only=True):
    """One pull request; `threads` is the path of its threads. A thread is active while something is to be done."""

    address: str
    threads: str

    name: ClassVar = "Azure DevOps"
    token: ClassVar = "SYSTEM_ACCESSTOKEN"  # noqa: S105 - the name of a variable
    needs: ClassVar = "The build service needs the permission `Contribute to pull requests` in this repository."
    limit: ClassVar = 150_000
    service: ClassVar = Service(scheme="Bearer ", headers={"X-TFS-FedAuthRedirect": "Suppress"})

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> AzureRepos | str:
        """The pull request of this job, or in words why there is none."""
        if environ.get("BUILD_REPOSITORY_PROVIDER", "TfsGit") != "TfsGit":
            return "The repository is not in Azure Repos: no comment."
        if not (number := environ.get("SYSTEM_PULLREQUEST_PULLREQUESTID")):
            return "No pull request: no comment."
        values = values_of(environ, "SYSTEM_COLLECTIONURI", "SYSTEM_TEAMPROJECTID", "BUILD_REPOSITORY_ID")
        if isinstance(values, str):
            return values
        project, repository, pull = (quote(value, "") for value in (*values[1:], number))
        threads = f"/{project}/_apis/git/repositories/{repository}/pullRequests/{pull}/threads"
        return cls(address=values[0], threads=threads)

    def written(self, text: str) -> str:
        """Its hidden lines are link definitions, which no form of Markdown shows."""
        return _HIDDEN_LINE.sub(r"[//]: <> (\1)", text)

    def own(self, api: Api) -> Iterator[Comment]:
        """The comments that begin a thread and are by the token's identity."""
        me = api.get(_WHO_AM_I, _Connection).authenticated_user.id
        for thread in api.get(f"{self.threads}?{_VERSION}", _Threads).value:
            first = thread.comments[0] if thread.comments else None
            if first and first.author and first.author.id == me and not (thread.is_deleted or first.is_deleted):
                path = f"{self.threads}/{thread.id}/comments/{first.id}"
                yield Comment(path=path, text=first.content or "", status=thread.status or "")

    def create(self, api: Api, wanted: Wanted) -> None:
        """A thread with one comment."""
        comment = {"parentCommentId": 0, "content": wanted.text, "commentType": "text"}
        api.send("POST", f"{self.threads}?{_VERSION}", {"comments": [comment], "status": _status(wanted)})

    def update(self, api: Api, comment: Comment, wanted: Wanted) -> bool:
        """Another content, and another status of the thread."""
        is_new = comment.put(api, "PATCH", "content", wanted.text, query=f"?{_VERSION}")
        if comment.status not in _OWN_STATUSES or comment.status == _status(wanted):
            return is_new
        thread = comment.path.partition("/comments/")[0]
        api.send("PATCH", f"{thread}?{_VERSION}", {"status": _status(wanted)})
        return True


def _status(wanted: Wanted) -> str:
    active, closed = _OWN_STATUSES
    return active if wanted.is_open else closed
