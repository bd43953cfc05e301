"""Whether a model's SQL depends on what the warehouse, or the dbt command, answered while it was compiled.

Such SQL may give other columns the next time: what it gives now counts, what it does not give is not proven absent.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dbt_statsig.project.artifacts import Manifest
    from dbt_statsig.project.artifacts.nodes import Node

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
