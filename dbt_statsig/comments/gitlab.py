"""Notes of a merge request in GitLab. The token of a CI job may not write them, so it takes one of its own."""

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

# A note may begin a line with a quick action, such as /merge, which GitLab carries out.
_QUICK_ACTION = re.compile(r"^/(?=\w)", re.MULTILINE)


class _Note(Struct, frozen=True):
    id: int
    author: User | None = None
    body: str | None = None
    system: bool = False


class GitLab(Struct, frozen=True, kw_only=True):
    """One merge request; `notes` is the path of its notes."""

    address: str
    notes: str

    name: ClassVar = "GitLab"
    token: ClassVar = "GITLAB_TOKEN"  # noqa: S105 - the name of a variable
    needs: ClassVar = "It has to be a project access token with the scope `api` and a role that may comment."
    limit: ClassVar = 1_000_000
    service: ClassVar = Service(key_header="PRIVATE-TOKEN", headers={})

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> GitLab | str:
        """The merge request of this job, or in words why there is none."""
        if not (number := environ.get("CI_MERGE_REQUEST_IID")):
            return "No merge request: no comment."
        values = values_of(environ, "CI_API_V4_URL", "CI_MERGE_REQUEST_PROJECT_ID")
        if isinstance(values, str):
            return values
        address, project = values
        return cls(address=address, notes=f"/projects/{quote(project, '')}/merge_requests/{quote(number, '')}/notes")

    def written(self, text: str) -> str:
        """No line of it is a quick action."""
        return _QUICK_ACTION.sub("&#47;", text)

    def own(self, api: Api) -> Iterator[Comment]:
        """The notes of the token's user."""
        me = api.get("/user", User).id
        for note in api.pages(self.notes, _Note, "&sort=asc&order_by=created_at"):
            if note.author and note.author.id == me and not note.system:
                yield Comment(path=f"{self.notes}/{note.id}", text=note.body or "")

    def create(self, api: Api, wanted: Wanted) -> None:
        """A note of the merge request."""
        api.send("POST", self.notes, {"body": wanted.text})

    def update(self, api: Api, comment: Comment, wanted: Wanted) -> bool:
        """Another body."""
        return comment.put(api, "PUT", "body", wanted.text)
