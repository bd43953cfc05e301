"""Reading sources, tags and unit IDs through a sender."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbt_statsig.console.bodies import decoded, plain
from dbt_statsig.console.experiments import read_experiment, read_metric
from dbt_statsig.console.listing import Listing, Pages, all_pages, page_path
from dbt_statsig.errors import NotFound, ProtocolError, Refused
from dbt_statsig.sources import API_PREFIX, SPECS, Kind, Source

if TYPE_CHECKING:
    from dbt_statsig.console.answers import Envelope
    from dbt_statsig.console.sender import Sender
    from dbt_statsig.experiments import Experiment, Metric

TAGS_PATH = f"{API_PREFIX}/tags"
_UNIT_IDS_PATH = f"{API_PREFIX}/unit_id_types"
_EXPERIMENTS_PATH = f"{API_PREFIX}/experiments"
_METRICS_PATH = f"{API_PREFIX}/metrics/list"
_BAD_REQUEST = 400


def title(kind: Kind, name: str) -> str:
    """How messages name an object."""
    return f'{kind.label.capitalize()} "{name.encode(errors="backslashreplace").decode()}"'


def object_path(kind: Kind, name: str) -> str:
    """The object's path. Raises Refused (status 0) for a name that would address something else, or nothing."""
    fault = ""
    if not name:
        fault = "an empty name would address the whole collection"
    elif kind is Kind.METRIC_SOURCE and name == "list":
        fault = "the API takes this name for its list of metric sources"
    elif not name.isprintable() and any("\ud800" <= character <= "\udfff" for character in name):
        fault = "half a character (a lone surrogate) cannot be sent"
    if fault:
        raise Refused(f"{title(kind, name)}: {fault}.", status=0, fix="Choose another name.")
    return SPECS[kind].object_path(name)


class Reader:
    """Typed reads; each raises ConsoleError in all its forms but OutcomeUnknown and Stopped."""

    def __init__(self, sender: Sender) -> None:
        """Read through `sender`."""
        self._sender = sender

    def list(self, kind: Kind) -> Listing:
        """All objects of one kind, each name once, in the answers' order."""

        def decode(entry: Any, place: str) -> tuple[str, Source]:
            source = decoded(kind, entry, place)
            return source.name, source

        spec = SPECS[kind]
        what = f"The list of {kind.label}s"
        found = all_pages(lambda path: self._page(path, what), spec.list_path, what, decode)
        return Listing(
            items=tuple(found.entries.values()), pages=found.pages, complete=not found.doubt, doubt=found.doubt
        )

    def get(self, kind: Kind, name: str) -> Source | None:
        """One object; None where it certainly is not there.

        For a missing one the API publishes 404 for two kinds only, so a 400 is checked against the list, which also
        serves the kind that has no read endpoint. Raises ProtocolError where the list is incomplete and lacks it.
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
            refused = error
        else:
            data = plain(answer.data)
            return None if data is None else decoded(kind, data, title(kind, name))
        found = self._picked(kind, name)
        if found is None:
            return None
        raise refused

    def tags(self) -> frozenset[str]:
        """The names of all tags."""
        return frozenset(self._names(TAGS_PATH, "The list of tags").entries)

    def unit_ids(self) -> tuple[str, ...]:
        """The names of the unit IDs that the project lists; built-in ones such as userID may be missing."""
        return tuple(self._names(_UNIT_IDS_PATH, "The list of unit IDs").entries)

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

    def _picked(self, kind: Kind, name: str) -> Source | None:
        listing = self.list(kind)
        found = next((source for source in listing.items if source.name == name), None)
        if found is None and not listing.complete:
            raise ProtocolError(
                f"{title(kind, name)}: it is not in the list, but the list is not complete ({listing.doubt}).",
                fix="Try again when nobody else is changing sources.",
            )
        return found

    def _page(self, path: str, what: str) -> Envelope:
        """One page of a list; lists are always there, so that a refusal of one is nothing about an object."""
        try:
            return self._sender.read(path, what)
        except Refused as error:
            message = error.message
        raise ProtocolError(message, fix="Check base_url, and that this Statsig project is warehouse-native.")

    def _names(self, path: str, what: str) -> Pages[None]:
        def decode(entry: Any, place: str) -> tuple[str, None]:
            name = entry.get("name") if isinstance(entry, dict) else None
            if not isinstance(name, str):
                raise ProtocolError(f"{place}: it has no name.", fix="Check base_url, and what stands between.")
            return name, None

        return all_pages(lambda page: self._page(page, what), path, what, decode)
