"""Whether a node's relation name is the name of one relation: it is in the FROM of the SQL that Statsig runs."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from dbt_statsig.columns.budget import Unparsable

if TYPE_CHECKING:
    from dbt_statsig.columns.sql import Node
    from dbt_statsig.vocabulary.adapters import Adapter

MAX_CHARACTERS = 10_000
"""Of a whole relation name. Four names of the longest kind have 1,200; a table function may list files."""
_MAX_PARTS = 4
_INSIDE = r"[^{closing}\x00-\x1f\x7f\u2028\u2029]|{closing}{closing}"
# A backslash may escape the closing character: it hides whatever follows it.
_ESCAPING = r"[^{closing}\\\x00-\x1f\x7f\u2028\u2029]|{closing}{closing}|\\[^\x00-\x1f\x7f\u2028\u2029]"
_QUOTES = {'"': '"', "`": "`", "[": "]"}
_PLAIN = r"\w[\w$#]*"
_DASHED = r"\w[\w$#]*(?:-[\w$#]+)*"


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


def _reads_one(select: Node) -> bool:
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


def _has_only(node: Node, kind: type, *names: str) -> bool:
    """Whether a node is of that kind and has no other parts than these."""
    return {name.rstrip("_") for name, value in node.args.items() if value} == set(names) and type(node) is kind
