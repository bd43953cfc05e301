"""What one entry of a SELECT list gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from dbt_statsig.columns.items import Anonymous, Drop, Items, Name, Once, Opaque, Rename
from dbt_statsig.columns.operations import drop, once, rename
from dbt_statsig.columns.sql import EXPANDED_COLUMNS, Node, arg

if TYPE_CHECKING:
    from dbt_statsig.columns.adapters import Adapter
    from dbt_statsig.columns.sources_in_scope import Scope

# Where an unaliased cast of a plain column keeps the column's name.
_CAST_KEEPS_NAME = frozenset({"postgres", "redshift", "materialize", "risingwave", "spark", "databricks"})
_PAREN_KEEPS_NAME = frozenset({"postgres", "redshift", "materialize", "risingwave", "duckdb"})
# Where an unaliased call of a function is called like the function.
_FUNCTION_NAMES = frozenset({"postgres", "redshift"})
_FUNCTIONS = {
    exp.Count: "count",
    exp.Sum: "sum",
    exp.Max: "max",
    exp.Min: "min",
    exp.Avg: "avg",
    exp.Lower: "lower",
    exp.Upper: "upper",
    exp.RowNumber: "row_number",
}
# Where an unaliased function may give several columns.
_GENERATORS = frozenset({"spark", "databricks", "hive", "duckdb", "clickhouse"})
# Where `(a).b`, or `a[0].b`, is not called b.
_DOT_LOSES_NAME = frozenset({"duckdb", "snowflake", "clickhouse"})
_STAR_FILTERS = ("ilike", "like")


def stored(adapter: Adapter, identifier: Node) -> str:
    """The stored name of an identifier, or of what wraps one."""
    inner = identifier
    while not isinstance(inner, exp.Identifier) and isinstance(inner.this, exp.Expression):
        inner = inner.this
    quoted = bool(inner.args.get("quoted")) or isinstance(inner, exp.Literal)
    return adapter.stored(inner.name, quoted=quoted)


def project(adapter: Adapter, node: Node, scope: Scope) -> Items:
    """The items that the SELECT-list entry `node` gives."""
    if isinstance(node, exp.Column):
        return _column(adapter, node, scope)
    if isinstance(node, exp.Alias):
        return _alias(adapter, node)
    if isinstance(node, exp.Star):
        return star(adapter, node, scope.everything)
    if isinstance(node, exp.Aliases):
        return tuple(Name(stored(adapter, alias)) for alias in node.expressions)
    return _unnamed(adapter, node)


def star(adapter: Adapter, node: Node, items: Items) -> Items:
    """`*` over the items, with what EXCEPT, RENAME and REPLACE make of it."""
    if any(node.args.get(name) for name in _STAR_FILTERS):
        return (Opaque("a star that is filtered by a pattern"),)
    excepted = frozenset(adapter.key(stored(adapter, entry)) for entry in _listed(arg(node, "except")))
    if any(not isinstance(entry, (exp.Identifier, exp.Column)) for entry in _listed(arg(node, "except"))):
        return (Opaque("a star with an EXCEPT that is computed"),)
    items = drop(adapter, items, Drop(excepted)) if excepted else items
    replaced = frozenset(
        adapter.key(stored(adapter, entry.args["alias"]))
        for entry in _listed(node.args.get("replace"))
        if isinstance(entry, exp.Alias)
    )
    items = once(adapter, items, Once(replaced)) if replaced and adapter.dialect == "duckdb" else items
    pairs = _renamed(adapter, _listed(arg(node, "rename")))
    return rename(adapter, items, Rename(pairs)) if pairs else items


def _renamed(adapter: Adapter, entries: list[Node]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (adapter.key(stored(adapter, entry.this)), stored(adapter, entry.args["alias"]))
        for entry in entries
        if isinstance(entry, exp.Alias)
    )


def _listed(value: object) -> list[Node]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _column(adapter: Adapter, node: Node, scope: Scope) -> Items:
    if not isinstance(node.this, exp.Star):
        return (_field(adapter, node.this),)
    found = scope.named(node.table) if not node.args.get("catalog") else None
    if found is None:
        return (Opaque(f"{node.table}.*: fields of a struct, or of a table that is not in FROM"),)
    return star(adapter, node.this, found)


def _field(adapter: Adapter, identifier: Node) -> Name | Anonymous:
    name = identifier.name
    if not name or name.startswith("$") or not isinstance(identifier, exp.Identifier):
        return Anonymous("a column given by its position")
    return Name(stored(adapter, identifier))


def _alias(adapter: Adapter, node: Node) -> Items:
    value = node.this
    if adapter.dialect in _GENERATORS and _expands(value):
        return (Opaque("COLUMNS(…)"),)
    if adapter.dialect == "duckdb" and (isinstance(value, (exp.Explode, exp.Unnest)) or _calls(value, "unnest")):
        return (Opaque("UNNEST of what may be a struct"),)
    return (Name(stored(adapter, node.args["alias"])),)


def _calls(node: Node, name: str) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.lower() == name


def _expands(node: Node) -> bool:
    """Whether COLUMNS(…) stands in the expression, outside of queries in it."""
    return any(
        (EXPANDED_COLUMNS is not None and isinstance(part, EXPANDED_COLUMNS)) or _calls(part, "columns")
        for part in node.walk(prune=lambda part: isinstance(part, exp.Query))
    )


def _unnamed(adapter: Adapter, node: Node) -> Items:
    """An expression without an alias: a name only where the warehouse is known to keep the column's."""
    if isinstance(node, exp.Dot):
        return _last_field(adapter, node)
    inner = node
    while (isinstance(inner, exp.Paren) and adapter.dialect in _PAREN_KEEPS_NAME) or (
        isinstance(inner, (exp.Cast, exp.TryCast)) and adapter.dialect in _CAST_KEEPS_NAME
    ):
        inner = inner.this
    if isinstance(inner, exp.Column) and not isinstance(inner.this, exp.Star):
        return (_field(adapter, inner.this),)
    named = _function_name(inner) if adapter.dialect in _FUNCTION_NAMES else None
    if named is not None:
        return (Name(named),)
    if adapter.dialect in _GENERATORS and (_expands(inner) or inner.find(exp.Func, exp.Star, exp.Unnest)):
        return (Opaque("an unnamed expression that may give several columns"),)
    return (Anonymous("an unnamed expression"),)


def _last_field(adapter: Adapter, node: Node) -> Items:
    if isinstance(node.expression, exp.Star):
        return (Opaque("all fields of a struct"),)
    if isinstance(node.expression, exp.Identifier) and adapter.dialect not in _DOT_LOSES_NAME:
        return (_field(adapter, node.expression),)
    return (Anonymous("an unnamed expression"),)


def _function_name(node: Node) -> str | None:
    """The name of the function that an expression is a call of, where sqlglot keeps it apart from its synonyms."""
    while isinstance(node, (exp.Window, exp.Filter)):
        node = node.this
    return _FUNCTIONS.get(type(node))
