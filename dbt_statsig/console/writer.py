"""Writing sources and tags: each write ends as done, refused, or honestly unknown."""

from __future__ import annotations

import re
from enum import Enum
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from dbt_statsig.console.bodies import create_body, decoded, keep_fields, patch_body, update_body
from dbt_statsig.console.confirming import NotShown, Sent, confirm, took_effect
from dbt_statsig.console.reader import TAGS_PATH, Reader, object_path, title
from dbt_statsig.console.sender import NoAnswer, Request, Sender
from dbt_statsig.errors import Conflict, ConsoleError, OutcomeUnknown, ProtocolError, Refused, Stopped, UsageError
from dbt_statsig.vocabulary.kinds import SPECS
from dbt_statsig.vocabulary.ownership import is_of, owner_of
from dbt_statsig.vocabulary.sources import Kind, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dbt_statsig.console.sender import Envelope
    from dbt_statsig.console.waiting import WaitBudget

READ_BACK_DELAYS = (0.0, 1.0, 2.0, 4.0)
"""Seconds before each reading: a commit can show later than its answer was lost."""

_MORE = 15.0
_TAKEN = re.compile(r"already (?:in use|exists|taken|there)|(?:is|name) (?:in use|taken)", re.IGNORECASE)
_CONFLICT = 409


class State(Enum):
    """What a look at the console says about a write."""

    HAPPENED = "happened"
    PENDING = "not there yet"
    FOREIGN = "somebody else's"
    UNCLEAR = "neither certainly ours nor certainly the old one"


class Observation(Struct, frozen=True, kw_only=True):
    """The state, and the object that showed it, if there was one."""

    state: State
    live: Source | None = None


class Confirmed(Struct, frozen=True, kw_only=True):
    """A write that certainly happened, learned by reading."""

    live: Source | None


def confirm_write(
    attempt: Callable[[], Envelope | NoAnswer],
    read_back: Callable[[], Observation],
    *,
    what: str,
    wait_budget: WaitBudget,
    delays: tuple[float, ...] = READ_BACK_DELAYS,
) -> Envelope | Confirmed:
    """The answer of a write, or what reading back shows after a lost one; one more attempt where it did not happen.

    Where that attempt finds the name taken, the first one may have happened: then it is looked for as long as the
    budget for waiting allows.

    Raises OutcomeUnknown where reading shows nothing certain, Conflict where it shows a third value, and what
    `attempt` raises.
    """
    first = attempt()
    if not isinstance(first, NoAnswer):
        return first
    seen = _read_until_certain(read_back, first, what, wait_budget, delays)
    if seen.state is not State.PENDING:
        return _result_of(seen, first, what)
    second, refused, unsent = _second_attempt(attempt)
    if second is not None and not isinstance(second, NoAnswer):
        return second
    if unsent is not None:
        raise _outcome_unknown(what, first, f"it was not there when read back, and not sent again: {unsent}")
    is_taken = refused is not None and _is_taken(refused)
    if is_taken:
        seen = _read_until_certain(read_back, first, what, wait_budget, chain(delays, repeat(_MORE)), stoppable=True)
    else:
        seen = _read_until_certain(read_back, first, what, wait_budget, delays[:1] if refused else delays)
    if is_taken and seen.state is State.PENDING:
        raise _outcome_unknown(what, first, "sent again, its name was taken, and it is not there when read back")
    if refused is not None and seen.state is State.PENDING:
        raise refused
    if seen.state is State.PENDING:
        raise _outcome_unknown(what, first, "it was sent twice, and is not there when read back")
    return _result_of(seen, first, what)


def _second_attempt(
    attempt: Callable[[], Envelope | NoAnswer],
) -> tuple[Envelope | NoAnswer | None, Refused | None, str | None]:
    try:
        return attempt(), None, None
    except Refused as error:
        return None, error, None
    except ConsoleError as error:
        return None, None, error.message


def _is_taken(refused: Refused) -> bool:
    """Whether a refusal says that there is an object of this name."""
    texts = (refused.message, *refused.problems)
    return refused.status == _CONFLICT or any(_TAKEN.search(text) for text in texts)


def _may_wait(wait_budget: WaitBudget, seconds: float, reason: str, *, stoppable: bool) -> bool:
    try:
        return wait_budget.pause(seconds, reason, stoppable=stoppable)
    except Stopped:
        return False


def _read_until_certain(
    read_back: Callable[[], Observation],
    lost: NoAnswer,
    what: str,
    wait_budget: WaitBudget,
    delays: Iterable[float],
    *,
    stoppable: bool = False,
) -> Observation:
    """The first look that is certain, or the last one; one that is `stoppable` ends with the run too."""
    seen: Observation = Observation(state=State.PENDING)
    for seconds in delays:
        if seconds and not _may_wait(wait_budget, seconds, f"{what}: its answer was lost", stoppable=stoppable):
            break
        try:
            seen = read_back()
        except ConsoleError as error:
            failed = error.message.removeprefix(f"{what}: ")
        else:
            failed = ""
        if failed:
            raise _outcome_unknown(what, lost, f"reading it back failed: {failed}")
        if seen.state in {State.HAPPENED, State.FOREIGN}:
            break
    return seen


def _result_of(seen: Observation, lost: NoAnswer, what: str) -> Confirmed:
    if seen.state is State.HAPPENED:
        return Confirmed(live=seen.live)
    if seen.state is State.FOREIGN:
        raise Conflict(
            f"{what}: the answer was lost ({lost.detail}), and Statsig now has values that are not ours.",
            status=409,
            fix="Another client wrote at the same time. Plan again and compare.",
        )
    raise _outcome_unknown(what, lost, "what is there when read back is not what was sent")


def _outcome_unknown(what: str, lost: NoAnswer, why: str) -> OutcomeUnknown:
    why = why.rstrip(".")
    return OutcomeUnknown(
        f"{what}: it is not known whether this was written; the answer was lost ({lost.detail}), and {why}.",
        fix="Run it again: it compares first and writes only differences.",
    )


_MISSING = frozenset({400, 404, 410})
"""How a missing object can be answered: 404 is published for two kinds only."""


class Written(Struct, frozen=True, kw_only=True):
    """A write that happened.

    `live` is the object that the answer (or the reading back) holds, None for a deletion; `reconciled` says that the
    answer did not show the outcome, which was learned by reading, `already` that an object to delete was not there.
    """

    live: Source | None
    reconciled: bool = False
    already: bool = False


class Writer:
    """Typed writes; `same` tells whether a live object holds every field that a payload declares."""

    def __init__(
        self,
        sender: Sender,
        reader: Reader,
        *,
        wait_budget: WaitBudget,
        same: Callable[[Source, Source], bool],
        delays: tuple[float, ...] = READ_BACK_DELAYS,
    ) -> None:
        """Write through `sender`, and read back through `reader`."""
        self._sender = sender
        self._reader = reader
        self._wait_budget = wait_budget
        self._same = same
        self._delays = delays

    def create(self, kind: Kind, payload: Source, *, dry_run: bool) -> Written:
        """See `ConsoleClient.create`."""
        object_path(kind, payload.name)
        request = Request(
            method="POST",
            path=SPECS[kind].create_path,
            what=title(kind, payload.name),
            body=create_body(payload, dry_run=dry_run),
            repeatable=dry_run,
        )

        def read_back() -> Observation:
            live = self._reader.get(kind, payload.name)
            if live is None:
                return Observation(state=State.PENDING)
            if self._same(payload, live):
                return Observation(state=State.HAPPENED, live=live)
            # With our line in it, it may be ours, with other values than were sent.
            owner = owner_of(payload.description)
            is_likely = owner is not None and is_of(live.description, owner)
            return Observation(state=State.UNCLEAR if is_likely else State.FOREIGN, live=live)

        sent = Sent(payload=payload, before=None, echo=None, creates=True)
        return self._write(kind, request, read_back, sent)

    def update(self, kind: Kind, name: str, payload: Source, *, before: Source | None, dry_run: bool) -> Written:
        """See `ConsoleClient.update`."""
        body = update_body(name, payload, dry_run=dry_run)
        sent = Sent(payload=payload, before=before, echo=None)
        return self._change(kind, "POST", name, sent, body=body, dry_run=dry_run)

    def patch(
        self, kind: Kind, name: str, payload: Source, fields: frozenset[str], *, before: Source | None, dry_run: bool
    ) -> Written:
        """See `ConsoleClient.patch`."""
        if not SPECS[kind].can_patch:
            raise UsageError(f"The API has no partial update for a {kind.label}.", fix="Use update.")
        if "sql" in fields:
            raise UsageError("The API refuses sql in a partial update.", fix="Use update.")
        unknown = fields - set(payload.__struct_fields__)
        if unknown or not fields:
            raise UsageError(
                f"No such fields to change in a {kind.label}: {', '.join(sorted(unknown)) or 'none named'}."
            )
        body = patch_body(payload, fields, dry_run=dry_run)
        declared = keep_fields(payload, fields)
        if "name" not in fields:
            declared = msgspec.structs.replace(declared, name=name)
        sent = Sent(payload=declared, before=before, echo=None, whole=payload)
        return self._change(kind, "PATCH", name, sent, body=body, dry_run=dry_run)

    def delete(self, kind: Kind, name: str) -> Written:
        """See `ConsoleClient.delete`."""
        path = object_path(kind, name)
        request = Request(method="DELETE", path=path, what=title(kind, name))

        def read_back() -> Observation:
            live = self._reader.get(kind, name)
            return Observation(state=State.HAPPENED if live is None else State.PENDING, live=live)

        try:
            result = self._send(request, read_back)
        except Refused as error:
            if not self._is_gone(kind, name, error):
                raise
            return Written(live=None, already=True)
        if isinstance(result, Confirmed):
            return Written(live=None, reconciled=True)
        confirm(
            read_back,
            lambda seen: seen.live is None,
            what=request.what,
            fault=result.fault,
            shown="the object is still there",
            wait_budget=self._wait_budget,
        )
        return Written(live=None)

    def _is_gone(self, kind: Kind, name: str, error: Refused) -> bool:
        """Whether a deletion was refused because there is nothing to delete."""
        if error.status not in _MISSING:
            return False
        try:
            return self._reader.get(kind, name) is None
        except ConsoleError:
            return False

    def create_tag(self, name: str, description: str) -> None:
        """See `ConsoleClient.create_tag`."""
        what = f'Tag "{name}"'
        body = msgspec.json.encode({"name": name, "description": description})
        request = Request(method="POST", path=TAGS_PATH, what=what, body=body)
        try:
            result = self._sender.write(request)
        except Refused as error:
            refused = error
        else:
            detail = result.detail if isinstance(result, NoAnswer) else result.fault
            if detail and name not in self._reader.tags():
                raise OutcomeUnknown(f"{what}: the answer does not show it ({detail}), and it is not in the list.")
            return
        if name not in self._reader.tags():
            raise refused

    def _change(
        self,
        kind: Kind,
        method: str,
        name: str,
        sent: Sent,
        *,
        body: bytes,
        dry_run: bool,
    ) -> Written:
        payload = sent.payload
        if payload.name != name:
            object_path(kind, payload.name)
            if not SPECS[kind].can_rename:
                raise Refused(f"{title(kind, name)}: the API cannot rename a {kind.label}.", status=0)
        path = object_path(kind, name)
        request = Request(method=method, path=path, what=title(kind, name), body=body, repeatable=dry_run)

        def read_back() -> Observation:
            live = self._reader.get(kind, payload.name)
            if live is None and payload.name != name:
                live = self._reader.get(kind, name)
            return Observation(state=self._state(payload, sent.before, live), live=live)

        return self._write(kind, request, read_back, sent)

    def _state(self, payload: Source, before: Source | None, live: Source | None) -> State:
        if live is None:
            return State.FOREIGN
        if self._same(payload, live):
            return State.HAPPENED
        if before is None:
            return State.UNCLEAR
        return State.PENDING if self._same(before, live) else State.FOREIGN

    def _write(self, kind: Kind, request: Request, read_back: Callable[[], Observation], sent: Sent) -> Written:
        result = self._send(request, read_back)
        if isinstance(result, Confirmed):
            return Written(live=result.live, reconciled=True)
        echo = _object(kind, result.data)
        if request.repeatable:
            if result.fault:
                raise Refused(f"{request.what}: Statsig refused it ({result.fault}).", status=400)
            return Written(live=echo)
        if echo is not None and not result.fault and self._shows(echo, sent):
            return Written(live=echo)
        answered = msgspec.structs.replace(sent, echo=echo)
        seen: list[Source | None] = []

        def read_again() -> Source | None:
            seen.append(self._reader.get(kind, sent.payload.name))
            return seen[-1]

        try:
            live = confirm(
                read_again,
                lambda live: took_effect(answered, live, self._same),
                what=request.what,
                fault=result.fault,
                shown="it does not show what was sent",
                wait_budget=self._wait_budget,
            )
        except NotShown as error:
            last = seen[-1]
            if echo is not None and last is not None and echo.name == last.name and self._same(echo, last):
                error.live = last
            raise
        return Written(live=live, reconciled=echo is None)

    def _shows(self, echo: Source, sent: Sent) -> bool:
        """Whether an answer shows the write; one that lacks what was there before is no evidence of the object."""
        whole = sent.payload if sent.whole is None or sent.before is None else sent.whole
        return self._same(sent.payload, echo) and self._same(whole, echo)

    def _send(self, request: Request, read_back: Callable[[], Observation]) -> Envelope | Confirmed:
        return confirm_write(
            lambda: self._sender.write(request),
            read_back,
            what=request.what,
            wait_budget=self._wait_budget,
            delays=self._delays,
        )


def _object(kind: Kind, data: Any) -> Source | None:
    try:
        return decoded(kind, data, "")
    except ProtocolError:
        return None
