"""Requests to the service that hosts a pull request: what it answers, or why not and whether to try again."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from dbt_statsig.console.sender import described
from dbt_statsig.console.waiting import seconds_asked
from dbt_statsig.console.wire import Answer, Failure, Trouble, Wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dbt_statsig.console.key import ApiKey
    from dbt_statsig.console.waiting import Clock

T = TypeVar("T")

_TIMEOUT_SECONDS = 30.0
_PAGE, _MOST_PAGES = 100, 50
_DONE = frozenset({200, 201, 202, 204})
_NO_TOKEN = frozenset({203, *range(300, 400), 401, 403, 404})
"""The token may not do this; without a usable one Azure answers with a page to sign in, or leads to it."""
_PASSING = frozenset({408, 429, *range(500, 600)})
_FORBIDDEN, _NOT_FOUND = 403, 404


class Unanswered(Exception):
    """A request that did not do what it should; its text says why, for after a colon, and holds no secret.

    `is_refusal`: the token may not do this. `is_passing`: another try can help, after `wait` seconds where the service
    says so.
    """

    def __init__(
        self, why: str, *, is_refusal: bool = False, is_passing: bool = False, wait: float | None = None
    ) -> None:
        super().__init__(why)
        self.is_refusal = is_refusal
        self.is_passing = is_passing
        self.wait = wait


class Api:
    """JSON in and out of one service, one try a request. Every method may raise Unanswered."""

    def __init__(self, wire: Wire, key: ApiKey, clock: Clock) -> None:
        self._wire = wire
        self._key = key
        self._clock = clock

    def get(self, path: str, form: type[T]) -> T:
        """What is there."""
        body = self._exchange("GET", path)
        try:
            return msgspec.json.decode(body, type=form)
        except (msgspec.DecodeError, RecursionError):
            raise Unanswered("the answer is not the JSON that the API documents") from None

    def pages(self, path: str, form: type[T], query: str = "") -> Iterator[T]:
        """The entries of a list that is read in pages.

        Raises Unanswered where there are more than are read: a comment that is not found may be among them.
        """
        for number in range(1, _MOST_PAGES + 1):
            entries = self.get(f"{path}?per_page={_PAGE}&page={number}{query}", list[form])  # type: ignore[valid-type]
            yield from entries
            if len(entries) < _PAGE:
                return
        raise Unanswered(f"the pull request has more than {_PAGE * _MOST_PAGES:,} comments")

    def send(self, method: str, path: str, content: object) -> None:
        """Write something."""
        self._exchange(method, path, msgspec.json.encode(content))

    def _exchange(self, method: str, path: str, content: bytes | None = None) -> bytes:
        answer = self._wire.exchange(method, path, content, timeout=_TIMEOUT_SECONDS)
        if isinstance(answer, Failure):
            raise Unanswered(answer.detail, is_passing=answer.trouble is not Trouble.TLS)
        if answer.status in _DONE:
            return answer.body
        raise self._unanswered(answer, is_edit=method not in ("GET", "POST"))

    def _unanswered(self, answer: Answer, *, is_edit: bool) -> Unanswered:
        wait = seconds_asked(answer.headers, wall=self._clock.wall())
        why = described(answer, self._key)
        # GitHub answers 403 when too many requests were made; a comment that was listed and is gone was deleted since.
        is_limit = answer.status == _FORBIDDEN and (wait is not None or "rate limit" in why.lower())
        is_passing = answer.status in _PASSING or is_limit or (answer.status == _NOT_FOUND and is_edit)
        is_refusal = answer.status in _NO_TOKEN and not is_passing
        return Unanswered(why, is_refusal=is_refusal, is_passing=is_passing, wait=wait)
