"""Reading sources, tags and unit IDs through a sender."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from dbt_statsig.console.bodies import Entry, decoded, read_entry, text_at, unpublished
from dbt_statsig.console.experiments import read_experiment, read_metric
from dbt_statsig.console.listing import Listing, Pages, all_pages, page_path
from dbt_statsig.errors import AuthenticationFailed, ConsoleError, Forbidden, NotFound, ProtocolError, Refused
from dbt_statsig.vocabulary.kinds import SPECS
from dbt_statsig.vocabulary.sources import API_PREFIX, Kind, Source

if TYPE_CHECKING:
    from collections.abc import Callable

    from dbt_statsig.console.sender import Envelope, Sender
    from dbt_statsig.vocabulary.experiments import Experiment, Metric

TAGS_PATH = f"{API_PREFIX}/tags"
_UNIT_IDS_PATH = f"{API_PREFIX}/unit_id_types"
_EXPERIMENTS_PATH = f"{API_PREFIX}/experiments"
# An experiment may watch a metric that the console hides.
_METRICS_PATH = f"{API_PREFIX}/metrics/list?showHiddenMetrics=true"
_BAD_REQUEST = 400


def title(kind: Kind, name: str) -> str:
    """How messages name an object."""
    return f'{kind.label.capitalize()} "{name.encode(errors="backslashreplace").decode()}"'


def object_path(kind: Kind, name: str) -> str:
    """The object's path. Raises Refused (status 0) for a name that would address something else, or nothing."""
    fault = ""
    if not name:
        fault = "an empty name would address the whole collection"
    elif name in SPECS[kind].reserved:
        fault = f"the API takes this name for its list of {kind.label}s"
    elif not name.isprintable() and any("\ud800" <= character <= "\udfff" for character in name):
        fault = "an unpaired surrogate cannot be sent"
    if fault:
        raise Refused(f"{title(kind, name)}: {fault}.", status=0, fix="Choose another name.")
    return SPECS[kind].object_path(name)


class Reader:
    """Typed reads; each raises ConsoleError in all its forms but OutcomeUnknown and Stopped."""

    def __init__(self, sender: Sender, *, lists_hidden: bool = True) -> None:
        self._sender = sender
        self._lists_hidden = lists_hidden

    def list(self, kind: Kind) -> Listing:
        """All objects of one kind, each name once, in the answers' order."""
        numbers = count(1)

        spec = SPECS[kind]

        def decode(data: Any, _place: str) -> tuple[str, Entry | None]:
            type_ = text_at(data, "type") if spec.type_ else ""
            if type_ != spec.type_:
                return f"{text_at(data, 'id') or next(numbers)}::{type_}", None
            entry = read_entry(kind, data, next(numbers))
            return f"{entry.source.name}{spec.suffix}", entry

        what = f"The list of {kind.label}s"
        path = f"{spec.list_path}?{spec.list_query}" if spec.list_query and self._lists_hidden else spec.list_path
        found = all_pages(lambda address: self._page(address, what), path, what, decode)
        entries = {entry.source.name: entry for entry in found.entries.values() if entry is not None}
        if len(entries) > 1 and not any(entry.is_named for entry in entries.values()):
            raise ProtocolError(
                f"{what}: no object in it has a name.", fix="Check `base_url` and any proxy in between."
            )
        return Listing(
            items=tuple(entry.source for entry in entries.values()),
            pages=found.pages,
            complete=not found.doubt,
            doubt=found.doubt,
            unread={name: entry.fault for name, entry in entries.items() if entry.fault},
            unpublished={name: entry.unpublished for name, entry in entries.items() if entry.unpublished},
        )

    def get(self, kind: Kind, name: str) -> Source | None:
        """One object; None where it certainly is not there. Raises as `find`."""
        found = self.find(kind, name)
        return None if found is None else found.source

    def find(self, kind: Kind, name: str) -> Entry | None:
        """One object with what no write of it can send; None where it certainly is not there.

        For a missing one the API publishes 404 for two kinds only, so a 400 is checked against the list, which also
        serves the kind that has no read endpoint, and after an answer without an object. Raises ProtocolError where
        the list is incomplete and lacks it.
        """
        path = object_path(kind, name)
        if not SPECS[kind].can_read:
            return self._picked(kind, name)
        try:
            answer = self._sender.read(path, title(kind, name))
        except NotFound:
            return None
        except Refused as error:
            if error.status != _BAD_REQUEST:
                raise
            refused: ConsoleError = error
        else:
            if answer.data is not None:
                return self._named(kind, name, answer.data)
            refused = ProtocolError(f"{title(kind, name)}: the answer contains no object.", fix="Try again later.")
        if self._picked(kind, name) is None:
            return None
        raise refused

    def _named(self, kind: Kind, name: str, data: Any) -> Entry:
        """The object that was asked for. Raises ProtocolError where it is another one."""
        source = decoded(kind, data, title(kind, name))
        if source.name != name:
            raise ProtocolError(f'{title(kind, name)}: the answer is about "{source.name}".', fix="Try again later.")
        return Entry(source, unpublished=unpublished(kind, data))

    def sql_of(self, name: str) -> tuple[tuple[str, str], ...]:
        """See `ConsoleClient.sql_of`."""
        found = self._sender.read(f"{object_path(Kind.METRIC, name)}/sql", title(Kind.METRIC, name)).data
        listed = found if isinstance(found, list) else []
        return tuple((text_at(one, "idType"), text_at(one, "sql")) for one in listed if text_at(one, "sql"))

    def tags(self) -> frozenset[str]:
        """The names of all tags."""
        # Unlike of the other lists, a refusal of this one says nothing about the key: tags are best effort.
        what = "The list of tags"
        return frozenset(self._names(lambda path: self._sender.read(path, what), TAGS_PATH, what).entries)

    def unit_ids(self) -> tuple[str, ...]:
        """The names of the unit IDs that the project lists; built-in ones such as userID may be missing."""
        what = "The list of unit IDs"
        return tuple(self._names(lambda path: self._page(path, what), _UNIT_IDS_PATH, what).entries)

    def experiments(self) -> Pages[Experiment]:
        """All experiments by their IDs; `doubt` says why some may be missing."""
        what = "The list of experiments"
        return all_pages(lambda path: self._page(path, what), _EXPERIMENTS_PATH, what, read_experiment)

    def metrics(self) -> Pages[Metric]:
        """All metrics by their IDs; `doubt` says why some may be missing."""
        what = "The list of metrics"
        return all_pages(lambda path: self._page(path, what), _METRICS_PATH, what, read_metric)

    def ping(self) -> None:
        """Return when the key is accepted: the smallest read that needs one."""
        self._page(page_path(_UNIT_IDS_PATH, 1, size=1), "The list of unit IDs")

    def _picked(self, kind: Kind, name: str) -> Entry | None:
        listing = self.list(kind)
        if name in listing.unread:
            raise ProtocolError(f"{title(kind, name)}: {listing.unread[name]}.", fix="Check this object in Statsig.")
        found = next((source for source in listing.items if source.name == name), None)
        if found is None and not listing.complete:
            raise ProtocolError(
                f"{title(kind, name)}: it is not in the list, but the list is not complete ({listing.doubt}).",
                fix="Try again when no other client changes sources.",
            )
        return None if found is None else Entry(found, unpublished=listing.unpublished.get(name, {}))

    def _page(self, path: str, what: str) -> Envelope:
        """One page of a list; lists are always there, so that a refusal of one is nothing about an object."""
        try:
            return self._sender.read(path, what)
        except Forbidden as error:
            failed: ConsoleError = AuthenticationFailed(error.message, fix="Use a Console API key with read access.")
        except Refused as error:
            fix = "Check `base_url`, and that this Statsig project is warehouse-native."
            failed = ProtocolError(error.message, fix=fix)
        raise failed

    def _names(self, fetch: Callable[[str], Envelope], path: str, what: str) -> Pages[None]:
        def decode(entry: Any, place: str) -> tuple[str, None]:
            name = entry.get("name") if isinstance(entry, dict) else None
            return name if isinstance(name, str) else f"({place}: no name)", None

        return all_pages(fetch, path, what, decode)
