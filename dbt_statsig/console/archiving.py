"""Archives: taking an object out of use with a way back. No answer of the API says that an object is archived."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from dbt_statsig.console.reader import object_path, title
from dbt_statsig.console.sender import Envelope, NoAnswer, Request
from dbt_statsig.errors import ConsoleError, OutcomeUnknown, Refused
from dbt_statsig.vocabulary.ownership import archived

if TYPE_CHECKING:
    from dbt_statsig.console.sender import Sender
    from dbt_statsig.console.writer import Writer, Written
    from dbt_statsig.vocabulary.sources import Kind, Source

_LEAST_FAULT = 400


class Archiver:
    """Archives and brings back, and lets the writer mark it in the description."""

    def __init__(self, sender: Sender, writer: Writer) -> None:
        self._sender = sender
        self._writer = writer

    def archive(self, kind: Kind, live: Source) -> Written:
        """See `ConsoleClient.archive`. The mark comes first: what is archived without it could not be brought back."""
        text = archived(live.description if isinstance(live.description, str) else "")
        marked = structs.replace(live, description=text)
        written = self._writer.update(kind, live.name, marked, before=live, dry_run=False)
        try:
            self._put(kind, live.name, "schedule_archive")
        except ConsoleError as error:
            if isinstance(error, Refused) and self._is_unmarked(kind, live, written.live):
                raise
            message = error.message.removeprefix(f"{title(kind, live.name)}: ")
            raise OutcomeUnknown(
                f"{title(kind, live.name)}: it is marked as archived, but perhaps not archived: {message}",
                fix="Archive it in Statsig, or declare it again and run a sync.",
            ) from None
        return written

    def _is_unmarked(self, kind: Kind, live: Source, marked: Source | None) -> bool:
        try:
            self._writer.update(kind, live.name, live, before=marked, dry_run=False)
        except ConsoleError:
            return False
        return True

    def unarchive(self, kind: Kind, name: str) -> str:
        """See `ConsoleClient.unarchive`."""
        try:
            self._put(kind, name, "unarchive")
        except Refused as error:
            refused = error
        else:
            return ""
        try:
            # What was scheduled for the next day, and has not happened yet.
            self._put(kind, name, "cancel_archive")
        except Refused as error:
            if {refused.status, error.status} != {_LEAST_FAULT}:
                raise refused from None
            return refused.message
        return ""

    def _put(self, kind: Kind, name: str, verb: str) -> None:
        """One of the requests that can be repeated and that no object answers."""
        request = Request(
            method="PUT", path=f"{object_path(kind, name)}/{verb}", what=title(kind, name), repeatable=True
        )
        result = self._sender.write(request)
        fault = result.detail if isinstance(result, NoAnswer) else result.fault
        if fault:
            raise Refused(f"{request.what}: Statsig refused it ({fault}).", status=_LEAST_FAULT)
        if isinstance(result, Envelope) and (doubt := _doubt(result, name)):
            raise OutcomeUnknown(f"{request.what}: {doubt}", fix="Check it in Statsig.")


def _doubt(answer: Envelope, name: str) -> str:
    """Why a success is none yet; empty where it is one."""
    other = answer.data.get("name", name) if isinstance(answer.data, dict) else name
    if answer.is_pending:
        return "Statsig accepted it, and it waits for a review."
    return "the answer says nothing." if answer.is_empty else "" if other == name else f'the answer is about "{other}".'
