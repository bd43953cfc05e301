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
# The same with all that is not ASCII; written as what there must not be, it compiles in no time.
_WIDE_PLAIN = re.compile(r"[^\x00-@\[-^`{-\x7f][^\x00-#%-/:-@\[-^`{-\x7f]*\Z")
_ASCII_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)


class Adapter(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One adapter. `dialect` is sqlglot's name for its SQL, or None where columns must not be inferred.

    `case_sensitive` is about stored names: False where `a` and `A` cannot be two columns. `ascii_case` is True where
    only A to Z are folded and compared without case: `Ä` stays, and is not `ä`. `quotes_ignored` is True
    where a quoted identifier is folded too, `backslash` where one escapes inside of quotes. `note` is a warning for
    the user, or empty. `pseudo` are columns that tables have though no catalog lists them, casefolded, with their
    types where these are documented; a name that ends with `*` stands for all that begin so. `lists_paths`: catalogs
    and contracts list the fields of structs too. The fields below it are about the SQL; each says what is so there.
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

    # Names of tables, and types.
    more_quotes: str = ""
    """Further opening quotes around names: dbt-sqlserver writes double quotes."""
    dashed_names: bool = False
    """A name without quotes may have dashes, as BigQuery's projects do."""
    tables_as_written: bool = False
    """Two tables may have names that differ only in case."""
    reads_files: bool = False
    """A file or a table function may stand where a table does; a database is named after its file."""
    day: str = "CAST({} AS DATE)"
    """A column as a day. ClickHouse's CAST fails at the first NULL; its toDate gives NULL."""
    truncated: str = "DATE_TRUNC('{grain}', {value})"
    """A time cut to a grain; empty where no one function does that."""
    week: str = "week"
    """What `truncated` calls a week that begins on Monday."""
    date_has_time: bool = False
    """A DATE has a time of day."""
    str_to_date_has_time: bool = False
    """STR_TO_DATE gives a time of day where its format has one."""
    seeds_quoted: bool | None = None
    """Whether dbt quotes a seed's names where `quote_columns` does not say: its documentation. None: not known."""
    ingestion_time: bool = False
    """A table that is partitioned by ingestion time lacks the field that it is partitioned by."""
    explain: str = ""
    """What stands before a query to see its plan; empty where that gives no estimate, or is not known to."""
    explained: str = r"rows=(\d+)"
    """What an estimate looks like in a plan."""
    explains: Literal["rows", "bytes"] = "rows"
    """What it is an estimate of."""

    # What an entry of a SELECT list without an alias is called, and whether one can be several columns.
    cast_keeps_name: bool = False
    """An unaliased cast of a plain column keeps the column's name."""
    parentheses_keep_name: bool = False
    """`(a)` is called a."""
    function_names: bool = False
    """An unaliased call of a function is called like the function."""
    dot_loses_name: bool = False
    """`(a).b`, or `a[0].b`, is not called b."""
    generators: bool = False
    """An unaliased function may give several columns."""
    unnest_spreads: bool = False
    """An aliased UNNEST of structs gives their fields as columns."""
    numbers_repeats: bool = False
    """Of columns with one name, all but the first get a number where a table in FROM gives them on."""

    # Stars and joins.
    except_fields: bool = False
    """A qualified name in EXCEPT may be the field of a struct: the struct stays a column."""
    qualifies_joined: bool = False
    """A star or column of a join keeps its table's name before a name that several tables have."""
    using_in_place: bool = False
    """A star keeps the columns of USING in the left table's place; elsewhere they come first, as the standard says."""
    using_leaves: bool = False
    """`t.*` leaves out the columns of USING."""
    semi_shows_both: bool = False
    """A SEMI or ANTI join may give the columns of both sides."""
    by_name_keeps_left: bool = False
    """A set operation BY NAME gives the left query's columns, unless it is FULL; with INNER the common ones."""

    # Tables in FROM.
    correlated_tables: bool = False
    """`FROM t, t.items` reads an array of t."""
    short_lists: bool = False
    """An alias's list of columns may be shorter than the columns are."""
    values_names: tuple[str, int] | None = None
    """Documented names of the columns of VALUES: prefix and first number."""
    flatten: tuple[str, ...] = ()
    """The columns of FLATTEN."""
    unnest_as_listed: bool = False
    """UNNEST gives as many columns as its alias names."""

    # PIVOT and UNPIVOT.
    pivot_aliases: bool = False
    """An aliased aggregate in PIVOT makes one kind of names; elsewhere they differ from version to version."""
    pivot_numbers: bool = False
    """A number in PIVOT's IN makes a name that the text tells."""
    unpivot_values_first: bool = False
    """UNPIVOT puts the values before the name."""

    def quote(self, name: str) -> str:
        """`name` as a quoted identifier, the closing character inside doubled, or behind a backslash."""
        escape = "\\" if self.backslash else self.close_quote
        inside = name.replace("\\", "\\\\") if self.backslash else name
        return f"{self.open_quote}{inside.replace(self.close_quote, escape + self.close_quote)}{self.close_quote}"

    def estimate(self, plan: str) -> int | None:
        """The largest number of rows, or of bytes, that a step of this plan is said to read; None where it has none."""
        found = re.findall(self.explained, plan, re.MULTILINE)
        return max((int(number.replace(",", "") or 0) for number in found), default=None)

    def as_day(self, column: str) -> str:
        """A quoted column as a day."""
        return self.day.format(column)

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

_BORROWED = "The {0} adapter is read with the SQL dialect of PostgreSQL, which is similar but not the same."
_BACKTICK = Adapter(name="", dialect=None, open_quote="`", close_quote="`")
_BRACKETS = Adapter(name="", dialect=None, open_quote="[", close_quote="]", more_quotes='"', truncated="")
# Everywhere in the family of PostgreSQL.
_FAMILY = Adapter(
    name="", dialect=None, explain="EXPLAIN", cast_keeps_name=True, parentheses_keep_name=True, short_lists=True
)
_POSTGRES_SQL = replace(_FAMILY, function_names=True, pivot_numbers=True, values_names=("column", 1))
# PostgreSQL cuts identifiers to 63 bytes without failing.
_POSTGRES = replace(
    _POSTGRES_SQL, case_sensitive=True, folding="lower", ascii_case=True, max_bytes=63, pseudo=_POSTGRES_PSEUDO
)
_STREAMING = replace(_FAMILY, case_sensitive=True, folding="lower", values_names=("column", 1))
_TRINO = Adapter(
    name="",
    dialect=None,
    folding="lower",
    quotes_ignored=True,
    pseudo=_FILE_PSEUDO,
    using_leaves=True,
    unnest_as_listed=True,
)
_SPARK = replace(
    _BACKTICK,
    pseudo=_SPARK_PSEUDO,
    cast_keeps_name=True,
    generators=True,
    except_fields=True,
    values_names=("col", 1),
    pivot_aliases=True,
    pivot_numbers=True,
)

_ROWS: list[Adapter] = [
    *_of(
        "snowflake",
        case_sensitive=True,
        folding="upper",
        pseudo=_untyped("metadata$*"),
        seeds_quoted=False,
        explain="EXPLAIN USING JSON",
        explained=r'"bytesAssigned":\s*(\d+)',
        explains="bytes",
        dot_loses_name=True,
        correlated_tables=True,
        values_names=("COLUMN", 1),
        flatten=("SEQ", "KEY", "PATH", "INDEX", "VALUE", "THIS"),
        pivot_numbers=True,
    ),
    *_of("oracle", case_sensitive=True, folding="upper", pseudo=_ORACLE_PSEUDO, date_has_time=True, truncated=""),
    *_of("postgres", like=_POSTGRES, seeds_quoted=True),
    *_of("postgres", "greenplum", like=_POSTGRES, note=_BORROWED.format("greenplum")),
    *_of("postgres", "vertica", like=_POSTGRES_SQL, note=_BORROWED.format("vertica")),
    *_of("materialize", like=_STREAMING),
    *_of("risingwave", like=_STREAMING),
    *_of(
        "redshift",
        like=_FAMILY,
        folding="lower",
        quotes_ignored=True,
        ascii_case=True,
        pseudo=_POSTGRES_PSEUDO | _FILE_PSEUDO,
        function_names=True,
        correlated_tables=True,
    ),
    *_of("trino", "trino", "starburst", like=_TRINO),
    *_of("athena", like=_TRINO),
    *_of(
        "hive", like=_BACKTICK, folding="lower", quotes_ignored=True, pseudo=_HIVE_PSEUDO, generators=True, truncated=""
    ),
    *_of(
        "bigquery",
        like=_BACKTICK,
        ascii_case=True,
        pseudo=_BIGQUERY_PSEUDO,
        lists_paths=True,
        backslash=True,
        dashed_names=True,
        tables_as_written=True,
        ingestion_time=True,
        truncated="DATETIME_TRUNC({value}, {grain})",
        week="isoweek",
        by_name_keeps_left=True,
        correlated_tables=True,
        pivot_aliases=True,
        unpivot_values_first=True,
    ),
    *_of(
        "duckdb",
        "duckdb",
        "motherduck",
        ascii_case=True,
        explain="EXPLAIN",
        explained=r"~([\d,]+) rows?|EMPTY_RESULT",
        pseudo={"rowid": "BIGINT"},
        reads_files=True,
        parentheses_keep_name=True,
        dot_loses_name=True,
        generators=True,
        unnest_spreads=True,
        numbers_repeats=True,
        using_in_place=True,
        short_lists=True,
        values_names=("col", 0),
        unnest_as_listed=True,
        pivot_aliases=True,
        pivot_numbers=True,
    ),
    *_of("databricks", like=_SPARK),
    *_of("spark", "spark", "glue", "fabricspark", like=_SPARK),
    *_of("tsql", "sqlserver", "synapse", like=_BRACKETS),
    *_of("fabric", like=_BRACKETS, case_sensitive=True),
    *_of(
        "clickhouse",
        like=_BACKTICK,
        case_sensitive=True,
        pseudo=_CLICKHOUSE_PSEUDO,
        backslash=True,
        more_quotes='"',
        day="toDate({})",
        explain="EXPLAIN ESTIMATE",
        explained=r"\t(\d+)\t\d+$",
        dot_loses_name=True,
        generators=True,
        qualifies_joined=True,
        using_in_place=True,
        semi_shows_both=True,
        correlated_tables=True,
    ),
    *_of("mysql", like=_BACKTICK, str_to_date_has_time=True, truncated=""),
    *_of("starrocks", like=_BACKTICK, str_to_date_has_time=True),
]
ADAPTERS: dict[str, Adapter] = {adapter.name: adapter for adapter in _ROWS}


def adapter_for(adapter_type: str) -> Adapter:
    """The rules of the adapter that dbt's manifest names; without a dialect where it is not in the table."""
    known = ADAPTERS.get(adapter_type.strip().lower())
    if known is not None:
        return known
    fact = (
        f"dbt-statsig does not know the adapter {adapter_type!r}"
        if adapter_type
        else "The manifest does not name an adapter"
    )
    return Adapter(
        name=adapter_type,
        dialect=None,
        note=f"{fact}: columns are taken only from the catalog.",
        more_quotes='"`[',
        dashed_names=True,
        truncated="",
    )
