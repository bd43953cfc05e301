"""An object of the console as a block of YAML: every value that no default gives, under the names of the columns. Pure.

Who owns an object is not written: it stays as it is in Statsig, and is a person's name and address.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, Struct

from dbt_statsig.payloads.select import PartitionType, partition_type
from dbt_statsig.project.artifacts.nodes import Node
from dbt_statsig.vocabulary.kinds import SPECS, SourceMeta
from dbt_statsig.vocabulary.ownership import text_above
from dbt_statsig.vocabulary.sources import Kind, Role
from dbt_statsig.vocabulary.verdicts import Verdict

if TYPE_CHECKING:
    from dbt_statsig.importing.matching import Match
    from dbt_statsig.vocabulary.sources import Source


class Setting(Struct, frozen=True, kw_only=True):
    """What holds where a block is to stand.

    `defaults` are the keys that a block gets without saying them. `stored` gives the spelling that a column's name
    is sent with, `verdict` the proof of one.
    """

    kind: Kind
    node: Node
    defaults: SourceMeta
    verdict: Callable[[str], Verdict]
    stored: Callable[[str], str]
    read_only: bool = False


def block_of(live: Source, match: Match, setting: Setting, *, name: str, verbatim: bool) -> dict[str, Any]:
    """The block of one object; `verbatim` with its SQL as it is, else as keys that say the same."""
    return _Block(live, match, setting, name=name, verbatim=verbatim).ordered()


class _Block:
    """The values of one block."""

    def __init__(self, live: Source, match: Match, setting: Setting, *, name: str, verbatim: bool) -> None:
        self.live = live
        self.setting = setting
        self.spec = SPECS[setting.kind]
        self.values: dict[str, Any] = {"name": name}
        self._texts()
        self._columns()
        for key in self.spec.fields(Role.AS_DECLARED):
            if key not in {"tags", "team_id"}:
                self._say(key, self._has(key))
        if not self._has("team"):
            self._say("team_id", self._has("team_id"))
        if match.is_table:
            self._table()
        elif verbatim or match.plain is None:
            self.values["sql"] = live.sql
        else:
            self._query(match)

    def ordered(self) -> dict[str, Any]:
        """The block with its keys in the order of the reference."""
        return {key: self.values[key] for key in self.spec.block.__struct_fields__ if key in self.values}

    def _has(self, key: str) -> Any:
        """The live value; None for all that stands for nothing."""
        value = getattr(self.live, key, UNSET)
        return None if value is UNSET or value in ("", (), False) else value

    def _default(self, key: str) -> Any:
        value = getattr(self.setting.defaults, key, UNSET)
        return None if value is UNSET or value in ("", (), False) else value

    def _say(self, key: str, value: Any) -> None:
        """Write a value that is not the default's. Nothing is written as what stands for nothing of its kind."""
        if value == self._default(key) or (key == "source_type" and value == (self._default(key) or "query")):
            return
        nothing: dict[str, Any] = {"team": None, "team_id": None, "scheduled_reload_hour": None, "source_type": "query"}
        self.values[key] = nothing.get(key, False) if value is None else value

    def _texts(self) -> None:
        node = self.setting.node
        declared = getattr(self.setting.defaults, "description", UNSET)
        default = (node.description if declared is UNSET else declared).strip()
        if (text := text_above(self.live.description)) != default:
            self.values["description"] = text
        tags = self.live.tags or ()
        if set(tags) != set(self._default("tags") or ()):
            self.values["tags"] = list(tags)
        read_only = getattr(self.setting.defaults, "is_read_only", UNSET)
        default_flag = self.setting.read_only if read_only is UNSET else read_only
        if bool(self._has("is_read_only")) != default_flag:
            self.values["is_read_only"] = not default_flag
        formulas = {one.key: one.formula for one in self._has("custom_field_mapping") or () if one.key}
        if formulas != (self._default("custom_field_mapping") or {}):
            self.values["custom_field_mapping"] = formulas

    def _columns(self) -> None:
        for key in self.spec.fields(Role.COLUMN):
            is_query = getattr(self.live, "source_type", None) != "table"
            if key in self.spec.fields(Role.TABLE_ONLY) and is_query:
                continue
            name, default = self._has(key), self._default(key)
            if name is None and default is not None and key not in self.spec.required:
                self.values[key] = None
            elif name is not None and not (default is not None and self.setting.stored(default) == name):
                self.values[key] = self._spelled(name)
        mapping = {entry.statsig_unit_id: entry.column for entry in self.live.id_type_mapping or ()}
        default = self._default("id_type_mapping") or {}
        if mapping != {unit: self.setting.stored(column) for unit, column in default.items()}:
            self.values["id_type_mapping"] = {unit: self._spelled(column) for unit, column in mapping.items()}

    def _spelled(self, name: str) -> str:
        """A column's name as the project writes it, where that is sent in the live spelling."""
        documented = {column.casefold(): column for column in self.setting.node.columns}
        for candidate in (documented.get(name.casefold(), name), name.lower()):
            if self.setting.stored(candidate) == name and not self.setting.verdict(candidate).code:
                return candidate
        return name

    def _table(self) -> None:
        if self._has("table_name") != self.setting.node.relation_name:
            self.values["table_name"] = self._has("table_name")

    def _query(self, match: Match) -> None:
        if match.plain is None:
            return
        mapped = [getattr(self.live, key, None) for key in self.spec.fields(Role.COLUMN)]
        mapped += [entry.column for entry in self.live.id_type_mapping or ()]
        if match.plain.columns:
            others = [name for name in match.plain.columns if name not in mapped]
            self.values["columns"] = [self._spelled(name) for name in others or match.plain.columns[:1]]
        predicate = match.plain.predicate
        kind = self._partition(match)
        where = predicate.rest if kind else predicate.where
        if kind and predicate.date_filter is not None:
            self.values["partition_column"] = self._spelled(predicate.date_filter.column)
            if kind != "known":
                self.values["partition_type"] = kind
        if where:
            self.values["where"] = where

    def _partition(self, match: Match) -> str:
        """How a date filter becomes a key: `known` by the column's type, else by its `partition_type`; empty: not."""
        found = match.plain.predicate.date_filter if match.plain is not None else None
        if found is None:
            return ""
        written = PartitionType(found.kind)
        known = partition_type(self.setting.verdict(found.column).data_type)
        if known is PartitionType.UNKNOWN:
            # A cast to a day says what is meant whatever the type; a bare column does not.
            return "timestamp" if written is PartitionType.TIMESTAMP else ""
        cast = known in {PartitionType.DATE, PartitionType.TEXT} and written is PartitionType.TIMESTAMP
        return "known" if cast or known is written else ""
