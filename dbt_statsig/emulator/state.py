"""What the emulated project holds: plain values under one lock."""

from __future__ import annotations

import copy
from threading import RLock
from typing import TYPE_CHECKING, Any

from dbt_statsig.emulator.audit import KEY, AuditLog
from dbt_statsig.emulator.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dbt_statsig.emulator.audit import Actor

__all__ = ["LISTS", "State"]

LISTS = ("tags", "unit_id_types", "experiments", "metrics", "teams", "pulse_loads")


class State:
    """All objects, by collection.

    `sources[collection][name]` is a source as the API gives it; `lists[name]` is one of `LISTS`;
    `archived` has the IDs of metrics whose archive is scheduled or done, `load_ends` how the loads of an experiment are
    to end, `reviews` the changed sources that wait for a review, by collection and name.
    Hold `lock` to read and write more than one thing at once.
    """

    def __init__(self, content: Mapping[str, Any], *, audit_details: bool = True) -> None:
        self.lock = RLock()
        self.audit = AuditLog(details=audit_details)
        self._start = copy.deepcopy(dict(content))
        self.sources: dict[str, dict[str, dict[str, Any]]] = {}
        self.lists: dict[str, list[dict[str, Any]]] = {}
        self.archived: dict[str, str] = {}
        self.load_ends: dict[str, dict[str, Any]] = {}
        self.reviews: dict[tuple[str, str], dict[str, Any]] = {}
        self.reset()

    def reset(self) -> None:
        """Go back to the seed."""
        with self.lock:
            start = copy.deepcopy(self._start)
            self.sources = {name: {item["name"]: item for item in start[name]} for name in KINDS}
            self.lists = {name: start[name] for name in LISTS}
            self.archived = {}
            self.load_ends = {}
            self.reviews = {}
            self.audit.clear()

    def as_seed(self) -> dict[str, Any]:
        """All that is held, in the seed's format."""
        with self.lock:
            held = {name: list(items.values()) for name, items in self.sources.items()} | self.lists
            return copy.deepcopy(held)

    def add_tags(self, names: list[str]) -> None:
        """Make the tags that are not there yet."""
        with self.lock:
            new = [name for name in dict.fromkeys(names) if name not in self.tag_names()]
            self.lists["tags"] += [{"name": name, "description": ""} for name in new]

    def tag_names(self) -> set[str]:
        """The tags that are there."""
        with self.lock:
            return {tag["name"] for tag in self.lists["tags"]}

    def create(self, collection: str, item: dict[str, Any], actor: Actor = KEY) -> None:
        """Put a new `item` at the end of the list."""
        with self.lock:
            self.sources[collection][item["name"]] = item
            self.audit.source(collection, None, item, actor)

    def delete(self, collection: str, name: str, actor: Actor = KEY) -> dict[str, Any]:
        """Take `name` out; what it was."""
        with self.lock:
            gone = self.sources[collection].pop(name)
            self.audit.source(collection, gone, None, actor)
            return gone

    def replace(self, collection: str, name: str, item: dict[str, Any], actor: Actor = KEY) -> None:
        """Put `item` where `name` was, in the same place of the list even if its name is another."""
        with self.lock:
            items = self.sources[collection]
            self.audit.source(collection, items[name], item, actor)
            if item["name"] == name:
                items[name] = item
                return
            self.sources[collection] = {
                (item["name"] if key == name else key): (item if key == name else value) for key, value in items.items()
            }
