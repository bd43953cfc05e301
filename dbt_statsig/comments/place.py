"""What GitHub, GitLab and Azure Repos have in common for a comment that is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dbt_statsig.comments.api import Api
    from dbt_statsig.console.wire import Service


class Wanted(Struct, frozen=True, kw_only=True):
    """What the comment shall say, and whether that asks for something to be done."""

    text: str
    is_open: bool


class Comment(Struct, frozen=True, kw_only=True):
    """A comment by the token's own user: the path to change it, its text, and its thread's status where it has one."""

    path: str
    text: str
    status: str = ""

    def put(self, api: Api, method: str, field: str, text: str, *, query: str = "") -> bool:
        """Let it have this text; False where it has. Services change how lines end. May raise Unanswered."""
        if self.text.replace("\r\n", "\n").rstrip() == text.rstrip():
            return False
        api.send(method, f"{self.path}{query}", {field: text})
        return True


class User(Struct, frozen=True):
    """Who wrote a comment."""

    id: int | str = ""
    login: str = ""
    type: str = ""


def values_of(environ: Mapping[str, str], *names: str) -> tuple[str, ...] | str:
    """The values of variables that every such job has, or in words which of them this one has not."""
    missing = [name for name in names if not environ.get(name)]
    if missing:
        return f"No comment: the job has no variable {' and no '.join(missing)}. A container must be given it."
    return tuple(environ[name] for name in names)


class Place(Protocol):
    """One pull request. `token` is the variable that holds the token, and `needs` says what that has to be.

    `limit` is how many characters a comment may have. The methods that take an Api raise Unanswered.
    """

    name: ClassVar[str]
    token: ClassVar[str]
    needs: ClassVar[str]
    limit: ClassVar[int]
    service: ClassVar[Service]

    @property
    def address(self) -> str:
        """The base address of the API."""

    def written(self, text: str) -> str:
        """The text as it has to be sent."""

    def own(self, api: Api) -> Iterator[Comment]:
        """The comments of the token's own user."""

    def create(self, api: Api, wanted: Wanted) -> None:
        """Write a new comment."""

    def update(self, api: Api, comment: Comment, wanted: Wanted) -> bool:
        """Let a comment say what is wanted; False where it does."""
