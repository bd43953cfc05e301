"""The Console API as typed methods: dicts, retries and doubts end here."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from dbt_statsig.console.archiving import Archiver
from dbt_statsig.console.audit import read_audit_log
from dbt_statsig.console.base_url import DEFAULT_BASE_URL, checked_base_url
from dbt_statsig.console.bodies import Entry
from dbt_statsig.console.confirming import CONFIRMATIONS
from dbt_statsig.console.listing import Listing
from dbt_statsig.console.pace import Rates
from dbt_statsig.console.pulse import Pulse
from dbt_statsig.console.reader import Reader
from dbt_statsig.console.rights import about
from dbt_statsig.console.sender import Envelope, Sender
from dbt_statsig.console.waiting import Clock, SystemClock, Turns, WaitBudget, Waiting, duration
from dbt_statsig.console.wire import Wire
from dbt_statsig.console.writer import READ_BACK_DELAYS, Writer, Written
from dbt_statsig.vocabulary.comparison import differences
from dbt_statsig.vocabulary.kinds import SPECS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from types import TracebackType

    import httpx
    from typing_extensions import Self

    from dbt_statsig.console.key import ApiKey
    from dbt_statsig.console.rights import About
    from dbt_statsig.vocabulary.audit import AuditLog
    from dbt_statsig.vocabulary.experiments import Experiment, Metric
    from dbt_statsig.vocabulary.reloads import Load, LoadJob, Refresh
    from dbt_statsig.vocabulary.sources import Kind, Source

__all__ = ["DEFAULT_BASE_URL", "ConsoleClient", "Entry", "Listing", "Rates", "Waiting", "Written", "duration"]

_first_use = threading.Lock()


def warm_types() -> None:
    """Let msgspec build what it knows of each type that threads decode, before there are threads.

    It does so at a type's first use and without a lock: two threads that are first at the same time can end the
    process with SIGSEGV (msgspec 0.18 to 0.22).
    """
    with _first_use:
        for kind in (Envelope, *(spec.payload for spec in SPECS.values())):
            with contextlib.suppress(msgspec.ValidationError):
                msgspec.convert(None, kind)


def means_the_same(payload: Source, live: Source) -> bool:
    """True where the live object has the payload's name and holds every field that the payload declares."""
    return payload.name == live.name and not differences(payload, live)


class ConsoleClient:
    """One connection to one Statsig project; safe to use from several threads.

    Every method may raise ConnectionFailed, AuthenticationFailed (after which nothing more is sent), Throttled (the
    budget is spent), ProtocolError, and Refused or NotFound for one object. Writes may also raise OutcomeUnknown,
    Conflict and Stopped; after any other error nothing was written.
    """

    def __init__(
        self,
        key: ApiKey,
        *,
        base_url: str = DEFAULT_BASE_URL,
        respect_review_settings: bool = False,
        transport: httpx.BaseTransport | None = None,
        write_timeout: float = 60.0,
        read_timeout: float = 30.0,
        budget: float = 900.0,
        on_wait: Callable[[Waiting], None] | None = None,
        same: Callable[[Source, Source], bool] = means_the_same,
        rates: Rates | None = None,
        delays: tuple[float, ...] = READ_BACK_DELAYS,
        clock: Clock | None = None,
        lists_hidden: bool = True,
    ) -> None:
        """Open it; raises SettingsError for an address that must not get the key.

        `budget` is the seconds that may be spent on waiting and retrying in all; `on_wait` is called before each pause,
        from the thread that waits. `rates` are those of writes, `looks` the pauses before each look at what became of
        a write whose answer was lost. Without `lists_hidden`, lists lack what is hidden in Statsig.
        """
        address = checked_base_url(base_url)
        self.respects_reviews = respect_review_settings
        warm_types()
        self._wait_budget = WaitBudget(budget=budget, clock=clock or SystemClock(), on_wait=on_wait)
        self._wire = Wire(key, address, respect_review_settings=respect_review_settings, transport=transport)
        self._sender = sender = Sender(
            self._wire,
            key=key,
            host=urlsplit(address).netloc,
            wait_budget=self._wait_budget,
            turns=Turns(self._wait_budget, rates or Rates()),
            read_timeout=read_timeout,
            write_timeout=write_timeout,
        )
        self._reader = Reader(sender, lists_hidden=lists_hidden)
        self._writer = Writer(sender, self._reader, wait_budget=self._wait_budget, same=same, delays=delays)
        self._archiver = Archiver(sender, self._writer)
        self._pulse = Pulse(sender, self._wait_budget, delays)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Let nothing more be sent, and close all connections: those in use after the answer that they wait for."""
        self._wait_budget.close()
        self._wire.close()

    def stop(self) -> None:
        """Let no further write start: those that wait for their turn raise Stopped, those on their way are settled."""
        self._wait_budget.stop()

    @property
    def requests(self) -> int:
        """How many requests were begun, repeated ones included."""
        return self._wire.requests

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is odd about the way to Statsig."""
        entries = ", ".join(f'"{entry}"' for entry in self._wire.unread_no_proxy)
        return (f"Ignored in NO_PROXY: {entries}. Write a host, a domain or a network.",) if entries else ()

    def list(self, kind: Kind) -> Listing:
        """All objects of one kind, each name once, and whether they certainly are all there is."""
        return self._reader.list(kind)

    def list_until(self, kind: Kind, shows: Callable[[Listing], bool]) -> Listing:
        """The list as soon as it shows something, else after so many delays: it can lag behind a write."""
        listing = self.list(kind)
        for seconds in filter(None, CONFIRMATIONS):
            if shows(listing) or not self._wait_budget.pause(
                seconds, f"{kind.label}s: not visible yet", stoppable=True
            ):
                break
            listing = self.list(kind)
        return listing

    def get(self, kind: Kind, name: str) -> Source | None:
        """One object, None where it certainly is not there; the list is read for a kind without a read endpoint."""
        return self._reader.get(kind, name)

    def find(self, kind: Kind, name: str) -> Entry | None:
        """As `get`, with the values of the object that no write can send."""
        return self._reader.find(kind, name)

    def create(self, kind: Kind, payload: Source, *, dry_run: bool = False) -> Written:
        """Create an object; with `dry_run` Statsig checks it and keeps nothing."""
        return self._writer.create(kind, payload, dry_run=dry_run)

    def update(
        self, kind: Kind, name: str, payload: Source, *, before: Source | None = None, dry_run: bool = False
    ) -> Written:
        """Put every declared field of the object called `name`; another name in the payload renames it.

        With `before`, the object as it was read, a lost update is known from somebody else's, and sent once more.
        """
        return self._writer.update(kind, name, payload, before=before, dry_run=dry_run)

    def patch(
        self,
        kind: Kind,
        name: str,
        payload: Source,
        *,
        fields: frozenset[str],
        before: Source | None = None,
        dry_run: bool = False,
    ) -> Written:
        """Put only the named fields (snake_case; `name` renames), for the kinds that can be patched.

        Raises UsageError for a kind that cannot, for `sql`, which the API refuses here, and for unknown fields.
        """
        return self._writer.patch(kind, name, payload, fields, before=before, dry_run=dry_run)

    def delete(self, kind: Kind, name: str) -> Written:
        """Delete an object; where it is not there (any more), `already` is True."""
        return self._writer.delete(kind, name)

    def archive(self, kind: Kind, live: Source) -> Written:
        """Take an object out of use, with a way back, and mark that in its ownership line: no answer says so."""
        return self._archiver.archive(kind, live)

    def unarchive(self, kind: Kind, name: str) -> str:
        """Bring an archived object back, whether its archive has happened or is still scheduled.

        Gives Statsig's words where neither seems to be so: a run that was interrupted, or somebody, brought it back.
        """
        return self._archiver.unarchive(kind, name)

    def sql_of(self, name: str) -> tuple[tuple[str, str], ...]:
        """The SQL that Statsig generates for a metric: unit type and text."""
        return self._reader.sql_of(name)

    def tags(self) -> frozenset[str]:
        """The names of all tags, as they are written."""
        return self._reader.tags()

    def create_tag(self, name: str, description: str) -> None:
        """Make sure that a tag exists: one that somebody else has just created is as good."""
        self._writer.create_tag(name, description)

    def unit_ids(self) -> tuple[str, ...]:
        """The unit IDs that the project lists; built-in ones such as userID may be missing."""
        return self._reader.unit_ids()

    def experiments(self) -> tuple[tuple[Experiment, ...], str]:
        """All experiments, and why some may be missing (or an empty text)."""
        found = self._reader.experiments()
        return tuple(found.entries.values()), found.doubt

    def metrics(self) -> tuple[tuple[Metric, ...], str]:
        """All metrics, and why some may be missing (or an empty text)."""
        found = self._reader.metrics()
        return tuple(found.entries.values()), found.doubt

    def audit_log(self, kinds: Collection[Kind], enough: Callable[[AuditLog], bool]) -> AuditLog:
        """The newest entries about objects of these kinds; in two requests at most, one where that is `enough`."""
        return read_audit_log(self._sender, kinds, enough)

    def about(self) -> About:
        """What Statsig's project is and what the key may do; best effort, the last use of a client."""
        return about(self._sender)

    def loads(self, experiment: str) -> tuple[Load, ...]:
        """The loads of an experiment's results, newest first; at least the newest hundred."""
        return self._pulse.history(experiment)

    def load_jobs(self, experiment: str, dag: str) -> tuple[LoadJob, ...]:
        """The jobs of one load."""
        return self._pulse.jobs(experiment, dag)

    def begin_load(
        self,
        experiment: str,
        refresh: Refresh,
        *,
        known: Collection[str],
        metric_ids: Collection[str] = (),
        turbo: bool = False,
    ) -> bool:
        """Start a load, once; True where the answer was lost and the history shows a load that is not `known`.

        `known` are the keys of the loads before. Raises OutcomeUnknown where no new one shows: it is not sent twice.
        """
        return self._pulse.begin(experiment, refresh, metric_ids=metric_ids, turbo=turbo, known=known)

    def rest(self, seconds: float) -> None:
        """Wait for something in Statsig, which costs no budget. Raises Stopped after `stop`."""
        self._wait_budget.queue(seconds, "")

    def ping(self) -> None:
        """Return when Statsig accepts the key: the smallest read that needs one."""
        self._reader.ping()
