"""What of a payload rests on evidence, and whether a live object means the same. Pure.

The list of columns, their spelling and the form of the date filter follow from compiled SQL and the catalog, and both
come and go with the dbt commands that run: `dbt test` leaves no compiled SQL behind. So a live object keeps its own
form wherever it means the same, or wherever the evidence at hand is too weak to say that it does not.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, Struct, structs

from dbt_statsig.vocabulary.adapters import Adapter
from dbt_statsig.vocabulary.comparison import canonical, normal_sql
from dbt_statsig.vocabulary.findings import listed
from dbt_statsig.vocabulary.kinds import Metric
from dbt_statsig.vocabulary.kinds.metric import DimensionLimit
from dbt_statsig.vocabulary.sources import IdType, Role, Source, fields_with

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MAPPING = "id_type_mapping"

_SELECT = re.compile(r"\s*SELECT\b", re.IGNORECASE)
_FROM = re.compile(r"FROM\b", re.IGNORECASE)
_ITEM = re.compile(r"\s*(\*|\"(?:[^\"]|\"\")*\"|`(?:[^`]|``)*`|\[(?:[^\]]|\]\])*\]|[^\W\d][\w$]*)\s*")
_CLOSING = {'"': '"', "`": "`", "[": "]"}


class WrittenColumn(Struct, frozen=True, kw_only=True):
    """A column as it stands in the SQL; `proven` where the warehouse's spelling is known."""

    written: str
    proven: bool


class Query(Struct, frozen=True, kw_only=True):
    """The parts of a SQL that was built for a source.

    `columns` is empty where every column is selected. `is_open`: that, or a list of only what is `needed`, stands for a
    list that is not known. `is_closed`: nothing but these belongs into it, whatever else the table may have.
    `is_whole`: it leaves out none. `needed` are the columns that the source maps or computes with, `left_out` those
    that must not be selected.

    `after` is the SQL from FROM on, up to the date filter; `filters` are the texts before and after the partition
    column in each form of that filter that is right by what is known of its type, and `type_known` says whether that is
    anything.
    """

    columns: tuple[WrittenColumn, ...]
    is_open: bool
    is_closed: bool
    is_whole: bool
    needed: tuple[WrittenColumn, ...]
    left_out: tuple[str, ...]
    after: str
    partition: WrittenColumn | None = None
    filters: tuple[tuple[str, str], ...] = ()
    type_known: bool = True


class Basis(Struct, frozen=True, kw_only=True):
    """How a payload was built: by which warehouse's rules, on which evidence.

    `unproven` are the fields (`timestamp_column`, `id_type_mapping.userID`) whose column nothing proves. `query` is
    None where the SQL is the user's own or there is none. `uncompiled` are the nodes above the source whose SQL the
    manifest lacks, where that is why something is not known. `forms` gives a SQL that was written by hand in the ways
    in which a query of the same meaning is built; nothing where it cannot be built.
    """

    adapter: Adapter
    unproven: frozenset[str] = frozenset()
    query: Query | None = None
    uncompiled: tuple[str, ...] = ()
    forms: Callable[[str], tuple[str, ...]] | None = None

    @property
    def is_weak(self) -> bool:
        """Whether compiled SQL could give other columns, or another spelling of them."""
        return bool(self.unproven or (self.query and self.query.is_open))

    @property
    def doubt(self) -> str:
        """Why the payload cannot be compared or created."""
        if self.uncompiled:
            return f"its columns depend on SQL that the last dbt command did not compile: {listed(self.uncompiled)}"
        return "not all of its columns and their types are known"

    @property
    def remedy(self) -> str:
        """The dbt command that gives the evidence."""
        return "dbt compile" if self.uncompiled else "dbt docs generate"

    @property
    def fix(self) -> str:
        """The next step where something is not written."""
        return f"Run `{self.remedy}`, then run this again. --force writes it as it is now."


class Settled(Struct, frozen=True, kw_only=True):
    """A payload with the live object's form of all that means the same.

    `kept` says that the live SQL was kept because the evidence does not tell, `lacking` that what differs rests on
    weaker evidence than what is live; `reason` and `fix` go with either.
    """

    payload: Source
    kept: bool = False
    lacking: bool = False
    reason: str = ""
    fix: str = ""


def settled(payload: Source, basis: Basis | None, live: Source) -> Settled:
    """The payload to compare with a live object and to write in its place."""
    if basis is None:
        return Settled(payload=payload)
    if isinstance(payload, Metric):
        return Settled(payload=spelled_as(payload, live) if basis.unproven else payload)
    return _Settling(payload, basis, live).settled()


def spelled_as(payload: Metric, live: Source) -> Metric:
    """The metric with the live one's form of each field that differs in the case of columns' letters alone."""
    values = {
        field: getattr(live, field, UNSET)
        for field in (*fields_with(Metric, Role.NESTED), "denominator_value_column", "metric_dimension_columns")
        if _letters(getattr(payload, field)) == _letters(getattr(live, field, UNSET)) != _letters(UNSET)
    }
    return structs.replace(payload, **values)


def _letters(value: Any) -> Any:
    """The value with its columns in small letters; those of filters and of names of steps mean what they are."""
    if isinstance(value, tuple):
        return tuple(map(_letters, value))
    if not isinstance(value, Struct):
        return value.casefold() if isinstance(value, str) else value
    columns = {
        "column",
        "value_column",
        "session_identifier_field",
        *(("name",) if type(value) is DimensionLimit else ()),
    }
    return tuple(
        _letters(part) if field in columns or field == "criteria" else part
        for field, part in structs.asdict(value).items()
    )


class _Settling:
    """One payload beside one live object."""

    def __init__(self, payload: Source, basis: Basis, live: Source) -> None:
        self.payload = payload
        self.basis = basis
        self.adapter = basis.adapter
        self.live = live
        self.kept = False
        self.loses = False

    def settled(self) -> Settled:
        values: dict[str, Any] = dict(self._columns())
        query = self.basis.query
        differs = query is not None and (self._differs("sql") or not query.type_known)
        if query is not None and differs and self._means_the_same(query):
            # What is only written describes the SQL that was built, not the one that stays.
            values |= dict.fromkeys(fields_with(type(self.payload), Role.WRITE_ONLY), UNSET)
            values["sql"] = self.live.sql
        self.payload = payload = structs.replace(self.payload, **values)
        if self._is_lacking():
            reason = f"It differs from what is declared, but {self.basis.doubt}."
            return Settled(payload=payload, lacking=True, reason=reason, fix=self.basis.fix)
        if not self.kept or "sql" not in values:
            return Settled(payload=payload)
        reason = f"Its SQL is not compared: {self.basis.doubt}. Run `{self.basis.remedy}` to compare it."
        return Settled(payload=payload, kept=True, reason=reason)

    def _differs(self, field: str) -> bool:
        value, has = getattr(self.payload, field, UNSET), getattr(self.live, field, UNSET)
        payload = type(self.payload)
        return bool(canonical(payload, field, value) != canonical(payload, field, has))

    def _is_lacking(self) -> bool:
        """Whether a difference remains that rests on weaker evidence than what is live, or than there will be."""
        if self.basis.query is not None and self._differs("sql"):
            return self.loses or bool(self.basis.uncompiled)
        return bool(self.basis.uncompiled and self.basis.unproven.intersection(self._differing()))

    def _differing(self) -> Iterator[str]:
        """The fields whose column is another one than in the live object."""
        yield from filter(self._differs, fields_with(type(self.payload), Role.COLUMN))
        has = set(self.live.id_type_mapping or ())
        entries = self.payload.id_type_mapping or ()
        yield from (f"{MAPPING}.{entry.statsig_unit_id}" for entry in entries if entry not in has)

    def _columns(self) -> Iterator[tuple[str, Any]]:
        for field in fields_with(type(self.payload), Role.COLUMN):
            value, has = getattr(self.payload, field, UNSET), getattr(self.live, field, UNSET)
            if isinstance(value, str) and isinstance(has, str):
                yield field, self._spelling(value, has, proven=field not in self.basis.unproven)
        entries, has = self.payload.id_type_mapping, self.live.id_type_mapping
        if isinstance(entries, tuple) and isinstance(has, tuple):
            by_unit = {entry.statsig_unit_id: entry.column for entry in has}
            yield MAPPING, tuple(self._entry(entry, by_unit.get(entry.statsig_unit_id)) for entry in entries)

    def _entry(self, entry: IdType, has: str | None) -> IdType:
        if has is None:
            return entry
        proven = f"{MAPPING}.{entry.statsig_unit_id}" not in self.basis.unproven
        return structs.replace(entry, column=self._spelling(entry.column, has, proven=proven))

    def _spelling(self, value: str, has: str, *, proven: bool) -> str:
        return has if self._is_same(value, has, proven=proven) else value

    def _is_same(self, name: str, other: str, *, proven: bool) -> bool:
        return self.adapter.same(name, other) or (not proven and name.casefold() == other.casefold())

    def _means_the_same(self, query: Query) -> bool:
        """Whether the live SQL is the query in another form, as far as the evidence tells."""
        sql = self.live.sql if isinstance(self.live.sql, str) else ""
        if self._is_form(query, sql):
            return True
        forms = self.basis.forms(sql) if self.basis.forms is not None and sql else ()
        return any(self._is_form(query, form) for form in forms)

    def _is_form(self, query: Query, sql: str) -> bool:
        items, rest = read_list(sql)
        if items is None or not self._is_same_list(query, [] if items == ["*"] else [*map(self._stored, items)]):
            return False
        has = normal_sql(rest)
        self.kept = self.loses or not query.type_known
        return any(has == normal_sql(after) for after in self._afters(query, items))

    def _is_same_list(self, query: Query, names: list[str]) -> bool:
        """The same of the live list of columns, empty where it is every column."""
        if not names:
            return query.is_whole
        needed = query.needed if query.is_open else query.columns
        if not query.is_open and self._holds(names, needed) and len(set(names)) == len(needed):
            return True
        self.loses = query.is_open or not (query.is_closed or self._is_within(names, query.columns))
        shown = {name.casefold() for name in names}.intersection(name.casefold() for name in query.left_out)
        return self.loses and not shown and self._holds(names, needed)

    def _afters(self, query: Query, items: Iterable[str]) -> Iterator[str]:
        """All that may stand from FROM on: each form of the date filter, around each spelling of its column."""
        column = query.partition
        if column is None:
            yield query.after
            return
        name = self._stored(column.written)
        spellings = {column.written, self.adapter.quote(name)}
        spellings |= {one for one in items if self._is_same(name, self._stored(one), proven=column.proven)}
        for before, behind in query.filters:
            yield from (f"{query.after}{before}{spelling}{behind}" for spelling in sorted(spellings))

    def _holds(self, names: list[str], columns: Iterable[WrittenColumn]) -> bool:
        exact = {self.adapter.key(name) for name in names}
        letters = {name.casefold() for name in names}
        return all(
            self.adapter.key(name := self._stored(column.written)) in exact
            or (not column.proven and name.casefold() in letters)
            for column in columns
        )

    def _is_within(self, names: Iterable[str], columns: Sequence[WrittenColumn]) -> bool:
        """Whether all names are among these columns."""
        exact = {self.adapter.key(self._stored(column.written)) for column in columns}
        letters = {self._stored(column.written).casefold() for column in columns if not column.proven}
        return all(self.adapter.key(name) in exact or name.casefold() in letters for name in names)

    def _stored(self, written: str) -> str:
        closing = _CLOSING.get(written[:1])
        if closing is None:
            return self.adapter.stored(written, quoted=False)
        return self.adapter.stored(written[1:-1].replace(closing * 2, closing), quoted=True)


def read_list(sql: str) -> tuple[list[str] | None, str]:
    """The columns that a `SELECT <columns> FROM …` lists, as written, and the SQL from FROM on; None for all others."""
    begun = _SELECT.match(sql)
    items: list[str] = []
    place = begun.end() if begun else len(sql)
    while found := _ITEM.match(sql, place):
        items.append(found[1])
        place = found.end()
        if not sql.startswith(",", place):
            break
        place += 1
    return (items, sql[place:]) if items and _FROM.match(sql, place) else (None, "")
