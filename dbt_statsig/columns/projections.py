"""What one entry of a SELECT list gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from dbt_statsig.columns.from_clause import Source
from dbt_statsig.columns.items import Anonymous, Items, Name, Opaque
from dbt_statsig.columns.sql import EXPANDED_COLUMNS, Node, arg, stored
from dbt_statsig.columns.stars import joined_names, star

if TYPE_CHECKING:
    from dbt_statsig.columns.from_clause import Scope
    from dbt_statsig.vocabulary.adapters import Adapter

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


def project(adapter: Adapter, node: Node, scope: Scope) -> Items:
    """The items that the SELECT-list entry `node` gives."""
    if isinstance(node, exp.Column):
        return _column(adapter, node, scope)
    if isinstance(node, exp.Alias):
        return _alias(adapter, node)
    if isinstance(node, exp.Star):
        return star(adapter, node, scope)
    if isinstance(node, exp.Aliases):
        return tuple(Name(stored(adapter, alias)) for alias in node.expressions)
    return _unnamed(adapter, node)


def _column(adapter: Adapter, node: Node, scope: Scope) -> Items:
    if adapter.qualifies_joined and node.table and not isinstance(node.this, exp.Star):
        return _qualified_column(adapter, node, scope)
    if not isinstance(node.this, exp.Star):
        return (_field(adapter, node.this),)
    found = scope.named(node.table) if not node.args.get("catalog") else None
    if found is None:
        return (Opaque(f"{node.table}.*: fields of a struct, or of a table that is not in FROM"),)
    return star(adapter, node.this, scope, found) if isinstance(found, Source) else (found,)


def _qualified_column(adapter: Adapter, node: Node, scope: Scope) -> Items:
    """A qualified column: a path below a column keeps the path, a column of a join may keep its table's name."""
    parts = [part for name in ("catalog", "db", "table", "this") if (part := arg(node, name)) is not None]
    names = [part.name for part in parts]
    place = next((at for at in range(len(names) - 1) if scope.named(names[at]) is not None), None)
    if place is not None and place + 1 < len(names) - 1 and scope.named(names[place + 1]) is not None:
        place += 1
    source = None if place is None else scope.named(names[place])
    own = names if place is None else names[place + 1 :]
    if isinstance(source, Opaque) or (place is None and len(parts) > 2):  # noqa: PLR2004 - a table that is not in FROM
        return (Opaque("a table that is not in FROM"),)
    path: Items = (_field(adapter, parts[-1]),) if len(own) == 1 else (Name(".".join(own)),)
    if len(scope.sources) == 1:
        return path
    if source is None or len(own) > 1 or (scope.using and len(scope.sources) > 2):  # noqa: PLR2004 - a join of two
        return (Anonymous("a column that may keep its table's name before it"),)
    return joined_names(scope, source, path)


def _field(adapter: Adapter, identifier: Node) -> Name | Anonymous:
    name = identifier.name
    if not name or name.startswith("$") or not isinstance(identifier, exp.Identifier):
        return Anonymous("a column given by its position")
    return Name(stored(adapter, identifier))


def _alias(adapter: Adapter, node: Node) -> Items:
    value = node.this
    if adapter.generators and _expands(value):
        return (Opaque("COLUMNS(…)"),)
    if adapter.unnest_spreads and (isinstance(value, (exp.Explode, exp.Unnest)) or _calls(value, "unnest")):
        return (Opaque("UNNEST of what may be a struct"),)
    return (Name(stored(adapter, node.args["alias"])),)


def _calls(node: Node, name: str) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.lower() == name


def _expands(node: Node) -> bool:
    """Whether COLUMNS(…) is in the expression, outside of queries in it."""
    return any(
        (EXPANDED_COLUMNS is not None and isinstance(part, EXPANDED_COLUMNS)) or _calls(part, "columns")
        for part in node.walk(prune=lambda part: isinstance(part, exp.Query))
    )


def _unnamed(adapter: Adapter, node: Node) -> Items:
    """An expression without an alias: a name only where the warehouse is known to keep the column's."""
    if isinstance(node, exp.Dot):
        return _last_field(adapter, node)
    inner = node
    while (isinstance(inner, exp.Paren) and adapter.parentheses_keep_name) or (
        isinstance(inner, (exp.Cast, exp.TryCast)) and adapter.cast_keeps_name
    ):
        inner = inner.this
    if isinstance(inner, exp.Column) and not isinstance(inner.this, exp.Star):
        return (_field(adapter, inner.this),)
    named = _function_name(inner) if adapter.function_names else None
    if named is not None:
        return (Name(named),)
    if adapter.generators and (_expands(inner) or inner.find(exp.Func, exp.Star, exp.Unnest)):
        return (Opaque("an unnamed expression that may give several columns"),)
    return (Anonymous("an unnamed expression"),)


def _last_field(adapter: Adapter, node: Node) -> Items:
    if isinstance(node.expression, exp.Star):
        return (Opaque("all fields of a struct"),)
    if isinstance(node.expression, exp.Identifier) and not adapter.dot_loses_name:
        return (_field(adapter, node.expression),)
    return (Anonymous("an unnamed expression"),)


def _function_name(node: Node) -> str | None:
    """The name of the function that an expression is a call of, where sqlglot keeps it apart from its synonyms."""
    while isinstance(node, (exp.Window, exp.Filter)):
        node = node.this
    return _FUNCTIONS.get(type(node))
