"""How each dbt adapter's warehouse spells, quotes and compares names. No SQL library is needed here.

Folding and matching were measured on real catalogs; an adapter that is not in the table is never guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import ascii_lowercase, ascii_uppercase
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

Folding: TypeAlias = Literal["upper", "lower", "keep"]

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*\Z")
_WIDE_PLAIN = re.compile(r"[A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_$\u0080-\U0010ffff]*\Z")
_ASCII_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)


class Adapter(Struct, frozen=True, kw_only=True):
    """One adapter. `dialect` is sqlglot's name for its SQL, or None where columns must not be inferred.

    `case_sensitive` is about stored names: False where `a` and `A` cannot be two columns. `ascii_case` is True where
    only A to Z are folded and compared without case: `Ä` stays, and is not `ä`. `quotes_ignored` is True
    where a quoted identifier is folded too, `backslash` where one escapes inside of quotes. `note` is a warning for
    the user, or empty. `pseudo` are columns that tables have though no catalog lists them, casefolded, with their
    types where these are documented; a name that ends with `*` stands for all that begin so. `lists_paths`: catalogs
    and contracts list the fields of structs too.
    """

    name: str
    dialect: str | None
    folding: Folding = "keep"
    case_sensitive: bool = False
    ascii_case: bool = False
    quotes_ignored: bool = False
    open_quote: str = '"'
    close_quote: str = '"'
    backslash: bool = False
    max_bytes: int = 0
    note: str = ""
    pseudo: Mapping[str, str] = {}
    lists_paths: bool = False

    def quote(self, name: str) -> str:
        """`name` as a quoted identifier, the closing character inside doubled, or behind a backslash."""
        escape = "\\" if self.backslash else self.close_quote
        inside = name.replace("\\", "\\\\") if self.backslash else name
        return f"{self.open_quote}{inside.replace(self.close_quote, escape + self.close_quote)}{self.close_quote}"

    def as_day(self, column: str) -> str:
        """A quoted column as a day. ClickHouse's CAST fails at the first NULL; its toDate gives NULL."""
        return f"toDate({column})" if self.dialect == "clickhouse" else f"CAST({column} AS DATE)"

    def stored(self, name: str, *, quoted: bool) -> str:
        """How the warehouse stores an identifier that was written so in SQL."""
        if self.max_bytes:
            name = name.encode(errors="surrogatepass")[: self.max_bytes].decode(errors="ignore")
        if self.folding == "keep" or (quoted and not self.quotes_ignored):
            return name
        return name.upper() if self.folding == "upper" else self._lower(name)

    def assumed(self, name: str) -> str:
        """How the warehouse stores a column of which nothing but a plain mention of `name` is known.

        Quoted, this is what the name means in SQL without quotes; what is no identifier can only exist with quotes.
        """
        plain = _WIDE_PLAIN if self.ascii_case else _PLAIN
        return self.stored(name, quoted=plain.match(name) is None)

    def key(self, stored: str) -> str:
        """Equal for two stored names exactly when they mean one column."""
        return stored if self.case_sensitive else self._lower(stored)

    def _lower(self, name: str) -> str:
        """In lower case. Never `casefold`: to no warehouse is `straße` the column `strasse`."""
        return name.translate(_ASCII_LOWER) if self.ascii_case and not name.isascii() else name.lower()

    def same(self, one: str, other: str) -> bool:
        """Whether two stored names mean one column."""
        return self.key(one) == self.key(other)

    def is_pseudo(self, name: str) -> bool:
        """Whether it is a column that exists without being listed."""
        folded = name.casefold()
        return folded in self.pseudo or any(
            folded.startswith(known[:-1]) for known in self.pseudo if known.endswith("*")
        )


def _of(dialect: str, *names: str, like: Adapter | None = None, note: str = "", **rules: object) -> list[Adapter]:
    """One row of the table: the names share a dialect and its rules."""
    base = like if like is not None else Adapter(name="", dialect=None)
    return [replace(base, name=name, dialect=dialect, note=note, **rules) for name in names or (dialect,)]


def _untyped(names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), "")


# What SQL may name though no catalog lists it: the documentation of each warehouse.
_BIGQUERY_PSEUDO = {
    "_partitiontime": "TIMESTAMP",
    "_partitiondate": "DATE",
    "_table_suffix": "STRING",
    "_file_name": "STRING",
}
_CLICKHOUSE_PSEUDO = _untyped(
    "_part _part_index _part_uuid _part_offset _part_data_version _partition_id _partition_value _sample_factor "
    "_block_number _block_offset _row_exists _row_id _path _file _size _time _etag _table _database"
)
_FILE_PSEUDO = _untyped("$*")
_HIVE_PSEUDO = _untyped("input__file__name block__offset__inside__file")
_ORACLE_PSEUDO = _untyped("rowid rownum ora_rowscn level")
_POSTGRES_PSEUDO = _untyped("ctid xmin xmax cmin cmax tableoid oid")
_SPARK_PSEUDO = _untyped("_metadata")

_BORROWED = "The {0} adapter is read with the SQL dialect of PostgreSQL, which is near to its own but not the same."
_BACKTICK = Adapter(name="", dialect=None, open_quote="`", close_quote="`")
_BRACKETS = Adapter(name="", dialect=None, open_quote="[", close_quote="]")
_SENSITIVE = Adapter(name="", dialect=None, case_sensitive=True)
_LOWER = Adapter(name="", dialect=None, folding="lower", quotes_ignored=True)
# PostgreSQL cuts identifiers to 63 bytes without failing.
_POSTGRES = replace(_SENSITIVE, folding="lower", ascii_case=True, max_bytes=63, pseudo=_POSTGRES_PSEUDO)

_ROWS: list[Adapter] = [
    *_of("snowflake", like=_SENSITIVE, folding="upper", pseudo=_untyped("metadata$*")),
    *_of("oracle", like=_SENSITIVE, folding="upper", pseudo=_ORACLE_PSEUDO),
    *_of("postgres", like=_POSTGRES),
    *_of("postgres", "greenplum", like=_POSTGRES, note=_BORROWED.format("greenplum")),
    *_of("postgres", "vertica", note=_BORROWED.format("vertica")),
    *_of("materialize", like=_SENSITIVE, folding="lower"),
    *_of("risingwave", like=_SENSITIVE, folding="lower"),
    *_of("redshift", like=_LOWER, ascii_case=True, pseudo=_POSTGRES_PSEUDO | _FILE_PSEUDO),
    *_of("trino", "trino", "starburst", like=_LOWER, pseudo=_FILE_PSEUDO),
    *_of("athena", like=_LOWER, pseudo=_FILE_PSEUDO),
    *_of(
        "hive",
        like=_BACKTICK,
        folding="lower",
        quotes_ignored=True,
        pseudo=_HIVE_PSEUDO,
    ),
    *_of("bigquery", like=_BACKTICK, ascii_case=True, pseudo=_BIGQUERY_PSEUDO, lists_paths=True, backslash=True),
    *_of("duckdb", "duckdb", "motherduck", ascii_case=True, pseudo={"rowid": "BIGINT"}),
    *_of("databricks", like=_BACKTICK, pseudo=_SPARK_PSEUDO),
    *_of("spark", "spark", "glue", "fabricspark", like=_BACKTICK, pseudo=_SPARK_PSEUDO),
    *_of("tsql", "sqlserver", "synapse", like=_BRACKETS),
    *_of("fabric", like=_BRACKETS, case_sensitive=True),
    *_of("clickhouse", like=_BACKTICK, case_sensitive=True, pseudo=_CLICKHOUSE_PSEUDO, backslash=True),
    *_of("mysql", like=_BACKTICK),
    *_of("starrocks", like=_BACKTICK),
]
ADAPTERS: dict[str, Adapter] = {adapter.name: adapter for adapter in _ROWS}


def adapter_for(adapter_type: str) -> Adapter:
    """The rules of the adapter that dbt's manifest names; without a dialect where it is not in the table."""
    known = ADAPTERS.get(adapter_type.strip().lower())
    if known is not None:
        return known
    said = (
        f"The adapter {adapter_type!r} is not known here" if adapter_type else "The manifest does not name an adapter"
    )
    return Adapter(name=adapter_type, dialect=None, note=f"{said}: columns are taken from the catalog alone.")
