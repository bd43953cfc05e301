"""What a model's SQL does not say about its table. Pure.

A materialization gives a table a history. And SQL may depend on what the warehouse, or the dbt command, answered while
it was compiled: what it gives now counts, what it does not give is not proven absent.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, Any

from dbt_statsig.columns.expand import Known

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from dbt_statsig.project.artifacts import Manifest
    from dbt_statsig.project.artifacts.nodes import Node
    from dbt_statsig.vocabulary.adapters import Adapter

SNAPSHOT_COLUMNS = ("dbt_scd_id", "dbt_updated_at", "dbt_valid_from", "dbt_valid_to")
DELETED_COLUMN = "dbt_is_deleted"
_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
# `adapter.dispatch` and its kind ask nobody.
_ASKS = re.compile(
    r"\b(run_query|statement|load_result|load_relation|load_cached_relation|relation_exists|get_column_values"
    r"|get_columns_in_\w+|get_filtered_columns_in_relation|get_relations_by_\w+|get_query_results_as_dict"
    r"|get_single_value|(?<=dbt_utils\.)star|flags\.WHICH|invocation_args_dict|selected_resources"
    r"|adapter\.(?!dispatch\b|quote|type\b|config\b|Relation\b)\w+)\b"
)
# A macro of Fivetran's packages: it gives the columns in its arguments, whatever the table has.
_FILLS = re.compile(r"\bfill_staging_columns\s*\(\s*source_columns\s*=\s*adapter\.get_columns_in_relation\b")
# What betas of dbt 2 write in place of a node's SQL.
_WITHHELD = "--placeholder--"
# What these ask decides about rows, never about columns.
_HARMLESS = frozenset({"is_incremental", "should_full_refresh", "date_spine", "get_intervals_between"})


class History(str, Enum):
    """How a table's columns follow its SQL from build to build."""

    REBUILT = "rebuilt"
    """Exactly the SQL's, after each build."""
    KEPT = "kept"
    """Those of the first build, until `--full-refresh`."""
    EXTENDED = "extended"
    """New ones are added; old ones stay until `--full-refresh`."""
    SNAPSHOT = "snapshot"
    """New ones are added; old ones stay for good."""
    OTHER = "other"
    """The SQL's, and whatever else a materialization that is not dbt's own adds."""
    NONE = "none"
    """There is no table."""


_BUILT = {
    "": History.REBUILT,
    "table": History.REBUILT,
    "view": History.REBUILT,
    "ephemeral": History.REBUILT,
    "seed": History.REBUILT,
    "external": History.REBUILT,
    "distributed_table": History.REBUILT,
    "snapshot": History.SNAPSHOT,
    # dbt refreshes these; it compares their settings, not their SQL.
    "materialized_view": History.KEPT,
    "dynamic_table": History.KEPT,
    "streaming_table": History.KEPT,
    "table_function": History.NONE,
}
_INCREMENTAL = {
    "append_new_columns": History.EXTENDED,
    "sync_all_columns": History.REBUILT,
    "fail": History.REBUILT,
}
_MORE = {
    History.KEPT: "{0} is {1}: its table has the columns that it was first built with, until `--full-refresh`",
    History.EXTENDED: "{0} is {1}: its table keeps old columns until `--full-refresh`",
    History.SNAPSHOT: "{0} is a snapshot: its table keeps old columns",
    History.OTHER: "the materialization {1} of {0} is not dbt's own and may add columns",
}
_NO_TABLE = "{0} is a {1}, which makes no table"


def history_of(node: Node, *, overridden: Collection[str] = ()) -> History:
    """How the columns of a model's or snapshot's table follow its SQL.

    `overridden` are materializations that a project or package defines itself.
    """
    made = node.materialized
    if node.resource_type == "snapshot":
        return History.SNAPSHOT
    if made in overridden:
        return History.OTHER
    if made in {"incremental", "distributed_incremental"}:
        return _INCREMENTAL.get(str(node.config.get("on_schema_change")), History.KEPT)
    return _BUILT.get(made, History.OTHER)


def why_more(node: Node, history: History) -> tuple[str, ...]:
    """Why the table may have columns that the SQL does not give; empty where it has none."""
    kind = "incremental" if "incremental" in node.materialized else f"a {node.materialized}"
    more = _MORE.get(history)
    return (more.format(node.name, node.materialized if history is History.OTHER else kind),) if more else ()


def as_built(adapter: Adapter, node: Node, known: Known, history: History, *, asks: str = "") -> Known:
    """The table's columns where its SQL gives `known`; `asks` says why the SQL itself may give others."""
    if history is History.NONE:
        return Known(reasons=(_NO_TABLE.format(node.name, node.materialized),))
    names = list(known.names)
    if node.resource_type == "snapshot":
        names = _snapshot(adapter, node, names)
    field = ingestion_field(adapter, node)
    if field:
        names = [name for name in names if not adapter.same(name, field)]
    unsure = frozenset(names) if history is History.KEPT else known.unsure
    others = (*((asks,) if asks else ()), *why_more(node, history), *known.others)
    return Known(names=tuple(names), reasons=known.reasons, others=others, unsure=unsure, dated=known.dated)


def with_old_catalog(known: Known, cataloged: tuple[str, ...], history: History, key: Callable[[str], str]) -> Known:
    """The table's columns where its SQL gives `known`, and a catalog older than the manifest listed `cataloged`."""
    given = {key(name) for name in known.names}
    listed = {key(name) for name in cataloged}
    old = tuple(name for name in cataloged if key(name) not in given)
    if history is History.KEPT:
        names = tuple(name for name in cataloged if key(name) in given)
        new = [name for name in known.names if key(name) not in listed]
        resolved = (
            (f"the SQL also selects {', '.join(new)}, which the catalog, older than the manifest, does not have",)
            if new
            else ()
        )
        return Known(names=names + old, others=resolved + known.others, unsure=frozenset(old), dated=known.dated)
    if history is History.EXTENDED:
        unsure = known.unsure | frozenset(old)
        return Known(names=known.names + old, others=known.others, unsure=unsure, dated=known.dated)
    if history is History.SNAPSHOT:
        return Known(names=known.names + old, others=known.others, unsure=known.unsure, dated=known.dated)
    return known


def ingestion_field(adapter: Adapter, node: Node) -> str:
    """The field that BigQuery's partitioning by ingestion time takes out of the table; empty where there is none."""
    partition: Any = node.config.get("partition_by")
    if not adapter.ingestion_time or "incremental" not in node.materialized or not isinstance(partition, dict):
        return ""
    return str(partition.get("field") or "") if partition.get("time_ingestion_partitioning") is True else ""


def _snapshot(adapter: Adapter, node: Node, names: list[str]) -> list[str]:
    """With the columns that dbt adds to a snapshot's query."""
    added = list(SNAPSHOT_COLUMNS)
    if node.config.get("hard_deletes") == "new_record":
        added.append(DELETED_COLUMN)
    keys = {adapter.key(name) for name in names}
    for column in added:
        name = adapter.stored(node.snapshot_meta_column_names.get(column) or column, quoted=False)
        if adapter.key(name) not in keys:
            names.append(name)
    return names


class Introspection:
    """The question for any node of one manifest; macros are read as far as the nodes in question reach them."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._macros: dict[str, tuple[str, tuple[str, ...]]] = {}

    def reason(self, node: Node) -> str:
        """Why the node's SQL may give other columns the next time; empty where nothing says so."""
        waiting, seen = [node], {node.unique_id}
        while waiting:
            current = waiting.pop()
            found = asked(current.raw_code) or self._by_macros(current.macros)
            whose = "its SQL" if current is node else f"the SQL of {current.name}"
            if found:
                return f"{whose} depends on what `{found}` gives while dbt compiles it"
            if current.raw_code.strip() == _WITHHELD:
                return f"the manifest does not have {whose} as written, which may query the warehouse"
            for unique_id in current.depends_on:
                parent = self._manifest.node(unique_id) if unique_id not in seen else None
                seen.add(unique_id)
                # dbt puts the SQL of an ephemeral parent into that of its children.
                if parent is not None and parent.materialized == "ephemeral":
                    waiting.append(parent)
        return ""

    def _by_macros(self, macros: tuple[str, ...]) -> str:
        waiting, seen = list(macros), set(macros)
        while waiting:
            unique_id = waiting.pop()
            if unique_id.rpartition(".")[2] in _HARMLESS:
                continue
            found, calls = self._macro(unique_id)
            if found:
                return found
            new = [called for called in calls if called not in seen]
            seen.update(new)
            waiting += new
        return ""

    def _macro(self, unique_id: str) -> tuple[str, tuple[str, ...]]:
        """What a macro itself asks, and what it calls; of one that the manifest lacks its name has to tell."""
        if unique_id not in self._macros:
            macro = self._manifest.macro(unique_id)
            if macro is None:
                name = unique_id.rpartition(".")[2]
                self._macros[unique_id] = (asked(f"{{{{ dbt_utils.{name} }}}}"), ())
            else:
                calls = macro.depends_on.called if macro.depends_on else ()
                self._macros[unique_id] = (asked(macro.macro_sql or ""), calls)
        return self._macros[unique_id]


def asked(code: str) -> str:
    """The first call in some Jinja that asks the warehouse or the command; empty where there is none."""
    if "{" not in code:
        return ""
    text = _FILLS.sub("", _COMMENT.sub("", code))
    found = next((found for block in _JINJA.finditer(text) if (found := _ASKS.search(block[0]))), None)
    return found[0] if found else ""
