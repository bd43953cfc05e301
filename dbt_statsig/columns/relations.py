"""Relation names of dbt's manifest: checked, taken apart, and compared with the tables that SQL names."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dbt_statsig.columns.budget import Unparsable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dbt_statsig.project.artifacts import Manifest
    from dbt_statsig.project.artifacts.nodes import Node
    from dbt_statsig.vocabulary.adapters import Adapter

_QUOTES = {'"': '"', "`": "`", "[": "]"}
_PART = re.compile(r"""\s*("(?:[^"]|"")+"|`[^`]+`|\[(?:[^\]]|\]\])+\]|[^\s."`\[\]]+)\s*(?=\.|\Z)""")
MAX_CHARACTERS = 10_000
"""Of a whole relation name. Four names of the longest kind have 1,200; a table function may list files."""
_MAX_PARTS = 4
_INSIDE = r"[^{closing}\x00-\x1f\x7f\u2028\u2029]|{closing}{closing}"
# A backslash may escape the closing character: it hides whatever follows it.
_ESCAPING = r"[^{closing}\\\x00-\x1f\x7f\u2028\u2029]|{closing}{closing}|\\[^\x00-\x1f\x7f\u2028\u2029]"
_PLAIN = r"\w[\w$#]*"
_DASHED = r"\w[\w$#]*(?:-[\w$#]+)*"


def parts_of(relation_name: str) -> tuple[str, ...]:
    """The parts of a relation name as dbt renders it, without their quotes; dots inside backticks part names too."""
    parts: list[str] = []
    text, position = relation_name, 0
    current = ""
    while position < len(text):
        character = text[position]
        closing = _QUOTES.get(character)
        if closing is not None and not current:
            current, position = _quoted(text, position + 1, closing)
            if character == "`" and "." in current:
                *before, current = current.split(".")
                parts.extend(before)
            continue
        if character == ".":
            parts.append(current)
            current = ""
        else:
            current += character
        position += 1
    return (*parts, current)


def _quoted(text: str, start: int, closing: str) -> tuple[str, int]:
    """The name that begins at `start`, and where the text goes on; a doubled closing character is one of the name."""
    position = start
    while (end := text.find(closing, position)) >= 0:
        if not text.startswith(closing, end + 1):
            return text[start:end].replace(closing * 2, closing), end + 1
        position = end + 2
    return text[start:].replace(closing * 2, closing), len(text)


def node_parts(node: Node) -> tuple[str, ...]:
    """The parts of a node's relation, from its relation name or from what dbt makes it of."""
    if node.relation_name:
        return parts_of(node.relation_name)
    if node.materialized == "ephemeral":
        return ()
    return tuple(part for part in (node.database, node.schema, node.identifier or node.name) if part)


def matches(table: tuple[str, ...], relation: tuple[str, ...]) -> int:
    """How well a table in SQL fits a relation: 0 not at all, 1 without regard to case, 2 exactly.

    A part that either leaves out in front is fine where two trailing parts agree.
    """
    shared = min(len(table), len(relation))
    if not shared or (shared == 1 and len(table) != len(relation)):
        return 0
    ours, theirs = table[-shared:], relation[-shared:]
    if ours == theirs:
        return 2
    folded = [part.casefold() for part in ours] == [part.casefold() for part in theirs]
    return 1 if folded else 0


def stored_parts(adapter: Adapter, relation_name: str) -> tuple[str, ...]:
    """The parts of a relation's name as the warehouse stores them; empty where it is no name."""
    parts: list[str] = []
    place = 0
    while found := _PART.match(relation_name, place):
        written = found[1]
        quoted = written[0] in _QUOTES
        name = written[1:-1].replace(written[-1] * 2, written[-1]) if quoted else written
        # dbt and people write `project.dataset.table` in one pair of backticks.
        names = name.split(".") if written[0] == "`" else [name]
        parts += (adapter.stored(one, quoted=quoted) for one in names)
        place = found.end()
        if place == len(relation_name):
            return tuple(parts)
        place += 1
    return ()


def means(adapter: Adapter, table: tuple[str, ...], relation: tuple[str, ...]) -> bool:
    """Whether a table's stored name is the relation's, either without the parts in front; the schema must be there."""
    shared = min(len(table), len(relation))
    if not shared or (shared == 1 and len(table) != len(relation)):
        return False
    ours, theirs = table[-shared:], relation[-shared:]
    if adapter.tables_as_written or ours == theirs:
        return ours == theirs
    return [adapter.key(part) for part in ours] == [adapter.key(part) for part in theirs]


def find(table: tuple[str, ...], candidates: Iterable[Node]) -> Node | None:
    """The one candidate that `table` names; None where none or several could be meant."""
    scored = [(matches(table, node_parts(node)), node) for node in candidates]
    best = max((score for score, _ in scored), default=0)
    if not best:
        return None
    found = [node for score, node in scored if score == best]
    relations = {node_parts(node) for node in found}
    return found[0] if len(relations) == 1 else None


_TABLES = frozenset({"model", "seed", "snapshot", "source"})
NOT_BUILT_BY_QUERIES = frozenset({"seed", "source"})


class RelationIndex:
    """An index of relations; the manifest's summaries are read when it is first asked."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._by_name: dict[str, list[str]] | None = None
        self._seeds: dict[tuple[str, ...], Node] | None = None

    def named(self, table: tuple[str, ...], *, kinds: frozenset[str] = _TABLES) -> Node | None:
        """The node of one of the kinds that a table in SQL names; None where none or several could be meant."""
        return find(table, self._candidates(table, kinds))

    def meant(self, adapter: Adapter, table: tuple[str, ...]) -> tuple[Node, ...]:
        """The nodes whose relation the stored name of a table means."""
        if not table:
            return ()
        return tuple(
            node
            for node in self._candidates(table, _TABLES)
            if node.materialized != "ephemeral"
            and means(adapter, table, stored_parts(adapter, node.relation_name or ""))
        )

    def same_relation(self, node: Node) -> list[Node]:
        """Other seeds and sources that stand for the same table in the warehouse."""
        parts = node_parts(node)
        others = self._candidates(parts, NOT_BUILT_BY_QUERIES)
        return [other for other in others if other.unique_id != node.unique_id and node_parts(other) == parts]

    def seed_of(self, node: Node) -> Node | None:
        """The seed that makes the very table that a source refers to."""
        if self._seeds is None:
            seeds = (self._manifest.node(one) for one in self._manifest.unique_ids if one.startswith("seed."))
            self._seeds = {node_parts(seed): seed for seed in seeds if seed is not None}
        return self._seeds.get(node_parts(node))

    def _candidates(self, table: tuple[str, ...], kinds: frozenset[str]) -> list[Node]:
        found = (self._manifest.node(unique_id) for unique_id in self._index().get(table[-1].casefold(), ()))
        return [node for node in found if node is not None and node.resource_type in kinds]

    def _index(self) -> dict[str, list[str]]:
        if self._by_name is None:
            self._by_name = {}
            for unique_id, summary in self._manifest.summaries().items():
                if summary.resource_type in _TABLES:
                    name = parts_of(summary.relation_name)[-1] if summary.relation_name else summary.name
                    self._by_name.setdefault(name.casefold(), []).append(unique_id)
        return self._by_name


def is_relation_name(text: str, adapter: Adapter) -> bool:
    """Whether it is one to four identifiers with dots between; on DuckDB also a quoted file or a table function."""
    if len(text) > MAX_CHARACTERS:
        return False
    return _names(adapter).fullmatch(text) is not None or (
        adapter.reads_files and _is_table_function(text, adapter.dialect or "")
    )


@lru_cache
def _names_of(quotes: str, *, dashes: bool, backslash: bool) -> re.Pattern[str]:
    inside = _ESCAPING if backslash else _INSIDE
    quoted = [
        f"{re.escape(sign)}(?:{inside.format(closing=re.escape(_QUOTES[sign]))})+{re.escape(_QUOTES[sign])}"
        for sign in dict.fromkeys(quotes)
    ]
    name = "|".join([*quoted, _DASHED if dashes else _PLAIN])
    return re.compile(rf"(?:{name})(?:\.(?:{name})){{0,{_MAX_PARTS - 1}}}")


def _names(adapter: Adapter) -> re.Pattern[str]:
    return _names_of(adapter.open_quote + adapter.more_quotes, dashes=adapter.dashed_names, backslash=adapter.backslash)


def _is_table_function(text: str, dialect: str) -> bool:
    """Whether DuckDB's FROM takes it as one function call or one file, without a query, comment or alias in it."""
    if "(" not in text and not text.startswith("'"):
        return False
    from dbt_statsig.columns.sql import parse_statements, quiet, tokenize  # few projects read files

    try:
        if any(token.comments or text[token.start] == ";" for token in tokenize(text, dialect)):
            return False
        statements = parse_statements(f"SELECT * FROM {text}", dialect)  # noqa: S608 - it is only parsed
        with quiet():
            return len(statements) == 1 and _reads_one(statements[0])
    except Unparsable:
        return False


def _reads_one(select: Any) -> bool:
    """Whether a parsed `SELECT * FROM …` has nothing but a file or a function call behind its FROM."""
    from sqlglot import exp

    from dbt_statsig.columns.sql import arg

    if not _has_only(select, exp.Select, "expressions", "from"):
        return False
    table = arg(select, "from").this
    if not _has_only(table, exp.Table, "this"):
        return False
    is_function = isinstance(table.this, exp.Func)
    return not is_function or (table.find(exp.Query) is None and table.this.name.lower() != "query")


def _has_only(node: Any, kind: type, *names: str) -> bool:
    """Whether a node is of that kind and has no other parts than these."""
    return {name.rstrip("_") for name, value in node.args.items() if value} == set(names) and type(node) is kind
