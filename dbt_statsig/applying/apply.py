"""Plan to outcome: writes each change through the Console client and says of each what became of it."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING

from msgspec import UNSET, structs

from dbt_statsig.applying.freshness import FRESH_SECONDS, Freshness, elapsed
from dbt_statsig.applying.reading_back import read_back
from dbt_statsig.console.confirming import NotShown
from dbt_statsig.console.writer import Written
from dbt_statsig.errors import (
    AuthenticationFailed,
    ConnectionFailed,
    ConsoleError,
    Forbidden,
    NotFound,
    OutcomeUnknown,
    Stopped,
    Throttled,
)
from dbt_statsig.planning.kept import Compared, compared, suited
from dbt_statsig.planning.stages import StageKind, stages_of
from dbt_statsig.support.threads import in_background, side_by_side
from dbt_statsig.vocabulary.changes import Action, Change, Plan
from dbt_statsig.vocabulary.comparison import fill_undeclared_from
from dbt_statsig.vocabulary.kinds import SPECS
from dbt_statsig.vocabulary.ownership import is_archived
from dbt_statsig.vocabulary.results import ObjectOutcome, Outcome, Status
from dbt_statsig.vocabulary.sources import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from dbt_statsig.console.client import ConsoleClient
    from dbt_statsig.planning.asked import Desired
    from dbt_statsig.vocabulary.sources import Kind, Source

_STOPPERS = (AuthenticationFailed, ConnectionFailed, Throttled)
_INTERRUPTED = "Interrupted: running writes were finished, and no other was started."
_INTERRUPTED_TWICE = "Interrupted twice: running writes were not waited for, and their outcome is not known."
_MOST_FORBIDDEN = 5
"""After so many 403 in a row no further write is tried: the key may write nothing, and refused attempts count too."""

_NOT_TAKEN = "the note could not be added to the ownership line"
_ACCEPT = "Declare the value that Statsig keeps, or find out why it keeps another one."

_TAG_DESCRIPTION = "Used by sources that a dbt project declares."


def apply_plan(
    client: ConsoleClient,
    plan: Plan,
    asked: Iterable[Desired] = (),
    *,
    read_at: float | None = None,
    concurrency: int = 8,
    on_done: Callable[[int], None] | None = None,
    fresh_for: float = FRESH_SECONDS,
) -> Outcome:
    """Write the plan; what became of every change that writes, in the plan's order.

    `asked` is what the plan was made from. What it was compared with was read at `read_at` (as `elapsed` counts; None:
    just now) and is fresh for so long. `on_done` is given how many objects have ended, from the thread that wrote the
    last of them. The caller closes the client.

    An interrupt (KeyboardInterrupt in this thread) lets the writes under way end, starts no others, and is named in
    `stopped`; a second one does not wait for them, and they are reported as unknown.
    """
    freshness = Freshness(client, read_at=elapsed() if read_at is None else read_at, fresh_for=fresh_for)
    return _Run(client, freshness, asked, concurrency=concurrency, on_done=on_done).apply(plan)


class _Run:
    """Writes one plan stage by stage: the sources side by side, all else in order.

    What requires another change is written only after that one was done in this run. After an answer that every further
    write would meet too (a refused key, no connection, endless throttling), nothing more is started.
    """

    def __init__(
        self,
        client: ConsoleClient,
        freshness: Freshness,
        asked: Iterable[Desired],
        *,
        concurrency: int,
        on_done: Callable[[int], None] | None,
    ) -> None:
        self._client = client
        self._freshness = freshness
        self._asked = {(item.kind, item.name): item for item in asked if not item.is_idle}
        self._concurrency = concurrency
        self._on_done = on_done
        self._stop = threading.Event()
        self._stopped = ""
        self._notes: list[str] = []
        self._started: set[tuple[Kind, str, Action]] = set()
        self._done: set[tuple[Kind, str]] = set()
        self._outcomes: dict[tuple[Kind, str, Action], ObjectOutcome] = {}
        self._forbidden = 0

    def apply(self, plan: Plan) -> Outcome:
        writes = [change for change in plan.changes if change.action.writes]
        # Waited for in place of the thread: one whose join was interrupted counts as ended in Python 3.10 to 3.12.
        ended: Future[None] = Future()
        try:
            # The requests go out from other threads: an interrupt never tears one, as it would in the main thread.
            in_background(lambda: self._apply_all(plan), into=ended)
            wait([ended])
        except KeyboardInterrupt:
            self._halt(_INTERRUPTED)
            try:
                wait([ended])
            except KeyboardInterrupt:
                self._stopped = _INTERRUPTED_TWICE
        if ended.done():
            ended.result()
        objects = tuple(self._outcome_of(change) for change in writes)
        return Outcome(objects=objects, stopped=self._stopped, notes=tuple(self._notes))

    def _outcome_of(self, change: Change) -> ObjectOutcome:
        ended = self._outcomes.get(_identity(change))
        if ended is not None:
            return ended
        if _identity(change) in self._started:
            return ObjectOutcome(
                change=change,
                status=Status.UNKNOWN,
                message="The write was running when the run ended.",
                fix="Run it again: it compares first and writes only differences.",
            )
        return ObjectOutcome(change=change, status=Status.NOT_STARTED, message=self._stopped)

    def _apply_all(self, plan: Plan) -> None:
        for stage in stages_of(plan):
            self._ensure_tags(stage.tags)
            if stage.kind in {StageKind.SOURCES, StageKind.METRICS}:
                wait(side_by_side(self._apply_one, stage.changes, at_once=self._concurrency))
            else:
                for change in stage.changes:
                    self._apply_one(change)
        self._confirm(plan)

    def _confirm(self, plan: Plan) -> None:
        """Look at the lists once: an answer that only repeats what was sent is no proof."""
        sent = [change for change in plan.changes if change.action.sends and (change.kind, change.name) in self._done]
        done = [change for change in sent if change.adopted or not self._stop.is_set()]
        seen = read_back(self._client, done, self._differing)
        self._notes += seen.notes
        self._outcomes.update((_identity(one.change), one) for one in seen.outcomes)

    def _differing(self, change: Change, live: Source) -> list[str]:
        return [one.field for one in self._beside(change, _present(change.desired), live).open]

    def _halt(self, why: str) -> None:
        self._stopped = self._stopped or why
        self._stop.set()
        self._client.stop()

    def _ensure_tags(self, wanted: Sequence[str]) -> None:
        """Create the tags that do not exist yet."""
        if not wanted:
            return
        # Best effort: sources can be written all the same, as most versions of the API create what is missing.
        try:
            for tag in sorted(set(wanted) - self._client.tags()):
                self._client.create_tag(tag, _TAG_DESCRIPTION)
        except (AuthenticationFailed, Throttled) as error:
            self._halt(error.message)
        except ConsoleError as error:
            self._notes.append(f"Could not create missing tags: {error.message}")

    def _apply_one(self, change: Change) -> None:
        if self._stop.is_set():
            return
        missing = [change.called(needed) for needed in change.needed if needed not in self._done]
        if missing:
            message = f"{missing[0]} must be written first, but was not. Nothing was sent."
            message = f"{message[0].upper()}{message[1:]}"
            outcome = ObjectOutcome(change=change, status=Status.REFUSED, message=message, fix=f"See {missing[0]}.")
        else:
            self._started.add(_identity(change))
            outcome = self._attempt(change)
        self._outcomes[_identity(change)] = outcome
        if outcome.status is Status.DONE:
            self._done.add((change.kind, change.name))
        if self._on_done is not None:
            # Whoever watches cannot end what is watched.
            with contextlib.suppress(Exception):
                self._on_done(len(self._outcomes))

    def _attempt(self, change: Change) -> ObjectOutcome:
        try:
            if stale := self._freshness.changed(change):
                return refused(change, stale)
            done = self._settled(change)
        except ConsoleError as error:
            self._count(error)
            return _ended(change, error)
        except Exception as error:  # noqa: BLE001 - one object's unexpected error must not lose the report of the others
            message = f"Internal error ({type(error).__name__}); it may or may not have been written."
            return ObjectOutcome(change=change, status=Status.UNKNOWN, message=message, fix="Plan again; report it.")
        self._forbidden = 0
        return done

    def _count(self, error: ConsoleError) -> None:
        """Halt after what every further write would meet too."""
        self._forbidden = self._forbidden + 1 if isinstance(error, Forbidden) else 0
        if isinstance(error, _STOPPERS):
            self._halt(error.message)
        elif self._forbidden >= _MOST_FORBIDDEN:
            self._halt(f"Statsig answered {self._forbidden} writes in a row with 403: the key may not write.")

    def _settled(self, change: Change) -> ObjectOutcome:
        """Write one change; where Statsig keeps other values than are declared, note that once."""
        doubt: NotShown | None = None
        try:
            written = self._call_api(change)
        except NotShown as error:
            # With reviews in force, what does not show may wait for one.
            if error.live is None or self._client.respects_reviews:
                raise
            doubt, written = error, Written(live=error.live)
        if change.desired is None or written.live is None:
            return _done(change, written)
        beside = self._beside(change, change.desired, written.live)
        if doubt is not None and not (beside.open and beside.is_ours):
            raise doubt
        if not beside.open:
            self._correct_note(change, beside)
            return _done(change, written, beside)
        if not beside.is_ours:
            return _unnoted(change, beside, "the ownership line is not kept either")
        try:
            return self._noted(change, beside)
        except NotShown:
            if doubt is not None:
                raise doubt from None
            return _unnoted(change, beside, _NOT_TAKEN)
        except ConsoleError as error:
            self._count(error)
            return _unnoted(change, beside, error.message.rstrip("."))

    def _noted(self, change: Change, beside: Compared) -> ObjectOutcome:
        """Send what is not kept once more, with a note of it in the ownership line.

        This ends: at most a note that turns out not to be true is taken out again.
        """
        fields = frozenset({"description", *(one.field for one in beside.found)})
        written = self._put(change.kind, beside.live.name, beside.noted, beside.live, fields)
        after = self._beside(change, beside.payload, _present(written.live))
        if after.open:
            return _unnoted(change, after, _NOT_TAKEN)
        self._correct_note(change, after)
        return _done(change, written, after)

    def _correct_note(self, change: Change, beside: Compared) -> None:
        """Take out of the note what is kept as sent after all. If this fails, a later sync does it."""
        if beside.fields:
            with contextlib.suppress(ConsoleError):
                self._put(change.kind, beside.live.name, beside.desired, beside.live, frozenset({"description"}))

    def _beside(self, change: Change, payload: Source, live: Source) -> Compared:
        """The differences of what was sent and what is there, as the next plan will see them."""
        item = self._asked.get((change.kind, change.name))
        if item is not None and item.payload is not None:
            payload = suited(item, item.payload, live).payload
        return compared(payload, live)

    def _call_api(self, change: Change) -> Written:
        if change.action is Action.DELETE:
            return self._client.delete(change.kind, change.live_name)
        if change.action is Action.ARCHIVE:
            return self._client.archive(change.kind, _present(change.live))
        desired = _present(change.desired)
        if change.action is Action.CREATE:
            return self._created(change.kind, desired)
        fields = frozenset(field.field for field in change.fields)
        if not (SPECS[change.kind].archives and is_archived(_present(change.live).description)):
            return self._put(change.kind, change.live_name, desired, _present(change.live), fields)
        if refusal := self._client.unarchive(change.kind, change.live_name):
            self._notes.append(f"It was marked as archived. {refusal}")
        with self._second("It was brought back from the archive, but is not updated."):
            return self._put(change.kind, change.live_name, desired, _present(change.live), fields)

    def _created(self, kind: Kind, desired: Source) -> Written:
        """Create an object; what only an update can set is sent after that."""
        later = [name for name in SPECS[kind].fields(Role.UPDATE_ONLY) if getattr(desired, name) is not UNSET]
        if not later:
            return self._client.create(kind, desired)
        written = self._client.create(kind, structs.replace(desired, **dict.fromkeys(later, UNSET)))
        with self._second("It was created, but without what only an update can set."):
            return self._client.update(kind, desired.name, desired, before=written.live)

    @contextlib.contextmanager
    def _second(self, done: str) -> Iterator[None]:
        """The second request for one object: its error says what the first has done."""
        try:
            yield
        except NotShown:
            raise
        except ConsoleError as error:
            self._count(error)
            raise OutcomeUnknown(f"{done} {error.message}", fix=error.fix) from None

    def _put(self, kind: Kind, name: str, desired: Source, live: Source, fields: frozenset[str]) -> Written:
        if SPECS[kind].can_send(fields):
            return self._client.patch(kind, name, desired, fields=fields, before=live)
        return self._client.update(kind, name, fill_undeclared_from(desired, live), before=live)


def refused(change: Change, why: str) -> ObjectOutcome:
    """A change that was not sent, as its object is not as the plan saw it."""
    return ObjectOutcome(change=change, status=Status.REFUSED, message=why, fix="Plan again and compare.")


def _identity(change: Change) -> tuple[Kind, str, Action]:
    return change.kind, change.name, change.action


def _present(source: Source | None) -> Source:
    if source is None:
        raise ValueError("a change that writes holds the object that it writes")
    return source


def _ended(change: Change, error: ConsoleError) -> ObjectOutcome:
    statuses = {OutcomeUnknown: Status.UNKNOWN, NotShown: Status.UNKNOWN, Stopped: Status.NOT_STARTED}
    fix = "It was deleted after the plan was made. Plan again." if isinstance(error, NotFound) else error.fix
    status = statuses.get(type(error), Status.FAILED)
    return ObjectOutcome(change=change, status=status, message=error.message, fix=fix)


def _done(change: Change, written: Written, beside: Compared | None = None) -> ObjectOutcome:
    echo = () if beside is None else beside.found
    message, fix = "", ""
    if echo:
        message, fix = (
            "Statsig keeps other values than are declared. The ownership line notes it; no sync writes because of it.",
            _ACCEPT,
        )
    elif written.already:
        message = "It was already deleted."
    return ObjectOutcome(
        change=change,
        status=Status.DONE,
        message=message,
        fix=fix,
        echo=echo,
        reconciled=written.reconciled,
        already=written.already,
    )


def _unnoted(change: Change, beside: Compared, why: str) -> ObjectOutcome:
    """A write after which Statsig keeps other values, which could not be noted: the next run does not know it."""
    return ObjectOutcome(
        change=change,
        status=Status.UNKNOWN,
        message=f"Statsig keeps other values than are declared, and this could not be noted: {why}.",
        fix=f"{_ACCEPT} Until then each sync tries again.",
        echo=beside.found,
    )
