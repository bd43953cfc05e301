"""Reads SQL, or remembers what reading it gave; sqlglot is imported when the first text has to be parsed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from dbt_statsig.columns.budget import MAX_CHARACTERS
from dbt_statsig.columns.evidence import QUERY, Facts, decide, decide_in
from dbt_statsig.columns.expand import Known
from dbt_statsig.columns.items import LiveQuery, Opaque, Shape
from dbt_statsig.columns.memory import key_of
from dbt_statsig.vocabulary.adapters import adapter_for
from dbt_statsig.vocabulary.verdicts import ColumnSet, SqlCheck

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from dbt_statsig.columns.memory import Memory
    from dbt_statsig.vocabulary.adapters import Adapter
    from dbt_statsig.vocabulary.verdicts import Verdict


BATCH = 64
"""Queries that a process takes at once."""

MIN_CHARS_FOR_PROCESSES = 2_000_000
"""SQL of this length takes about as long to read as two processes take to start."""


class _Query(Struct, frozen=True, kw_only=True):
    """A check of a query, and the answers about the tables that it asked for: the same answers give the same result."""

    asked: tuple[tuple[tuple[str, ...], Known], ...]
    check: SqlCheck


class Reader:
    """Everything that needs a parser, for one adapter."""

    def __init__(self, adapter: Adapter, memory: Memory | None = None) -> None:
        """Without a memory every text is parsed."""
        self._adapter = adapter
        self._memory = memory
        self._ready: dict[str, Shape] = {}

    def shape(self, sql: str) -> Shape:
        """The shape of a compiled query."""
        ready = self._ready.pop(sql, None)
        if ready is not None:
            return ready
        found = self._recalled(sql)
        if found is None:
            from dbt_statsig.columns.walk import shape_of  # sqlglot, only when needed

            found = shape_of(self._adapter, sql)
            self._keep(sql, found)
        return found

    def prepare(self, texts: Sequence[str], *, jobs: int) -> None:
        """Have the shapes of many queries ready, read by several processes where that is faster."""
        missing = list(self._unread(texts))
        if not is_worth_it(missing, jobs):
            return
        shapes = shapes_in_processes(self._adapter.name, missing, jobs=jobs)
        for text, shape in zip(missing, shapes, strict=False):
            self._ready[text] = shape
            self._keep(text, shape)

    def predicate(
        self, sql: str, *, macros: frozenset[str], tables: frozenset[str], known: Facts | ColumnSet, of_row: bool
    ) -> SqlCheck:
        """The faults of a predicate or formula over a node of which so much is known, or over a query's columns."""
        key = key_of("predicate", self._adapter, sql, macros, tables, known, of_row)
        found = self._memory.recall(key, SqlCheck) if self._memory else None
        if found is None:
            from dbt_statsig.columns.predicates import check_predicate  # sqlglot, only when needed

            found = check_predicate(
                self._adapter,
                sql,
                macros=macros,
                tables=tables,
                verdict=lambda name: self._verdict(name, known),
                of_row=of_row,
            )
            if self._memory and not _failed(found):
                self._memory.keep(key, found)
        return found

    def _verdict(self, name: str, known: Facts | ColumnSet) -> Verdict:
        if isinstance(known, ColumnSet):
            return decide_in(self._adapter, name, known, QUERY)
        return decide(self._adapter, name, known)

    def query(self, sql: str, *, macros: frozenset[str], tables: Callable[[tuple[str, ...]], Known]) -> SqlCheck:
        """The faults of a user's own query and its columns; `tables` says what is known of each table that it reads."""
        key = key_of("query", self._adapter, sql, macros)
        found = self._memory.recall(key, _Query) if self._memory else None
        if found is not None and all(tables(table) == known for table, known in found.asked):
            return found.check
        from dbt_statsig.columns.queries import check_query  # sqlglot, only when needed

        asked: dict[tuple[str, ...], Known] = {}

        def noted(table: tuple[str, ...]) -> Known:
            if table not in asked:
                asked[table] = tables(table)
            return asked[table]

        check = check_query(self._adapter, sql, macros=macros, tables=noted)
        if self._memory and not _failed(check):
            self._memory.keep(key, _Query(asked=tuple(asked.items()), check=check))
        return check

    def live_query(self, sql: str) -> LiveQuery:
        """What a query reads and gives."""
        key = key_of("live", self._adapter, sql)
        found = self._memory.recall(key, LiveQuery) if self._memory and len(sql) <= MAX_CHARACTERS else None
        if found is not None:
            return found
        from dbt_statsig.columns.live_query import read_query  # sqlglot, only when needed

        query = read_query(self._adapter, sql)
        if self._memory and not query.fault:
            self._memory.keep(key, query)
        return query

    def cast(self, sql: str, column: str) -> str:
        """What a compiled query casts a column to: date, timestamp, integer, or empty."""
        key = key_of("cast", self._adapter, sql, column)
        found = self._memory.recall(key, str) if self._memory else None
        if found is None:
            from dbt_statsig.columns.casts import cast_of  # sqlglot, only when needed

            found = cast_of(self._adapter, sql, column)
            if self._memory:
                self._memory.keep(key, found)
        return found

    def _key(self, sql: str) -> bytes:
        return key_of("shape", self._adapter, sql)

    def _recalled(self, sql: str) -> Shape | None:
        # What is too long to be read is not even copied for its key, or for another process.
        is_short = len(sql) <= MAX_CHARACTERS
        return self._memory.recall(self._key(sql), Shape) if self._memory and is_short else None

    def _unread(self, texts: Iterable[str]) -> Iterator[str]:
        return (text for text in dict.fromkeys(texts) if len(text) <= MAX_CHARACTERS and self._recalled(text) is None)

    def _keep(self, sql: str, shape: Shape) -> None:
        # How deeply SQL may nest depends on the caller too; whatever failed is tried again.
        failed = len(shape.items) == 1 and isinstance(shape.items[0], Opaque)
        if self._memory and not failed:
            self._memory.keep(self._key(sql), shape)


def _failed(check: SqlCheck) -> bool:
    return any(problem.code == "bad-sql" for problem in check.problems)


def is_worth_it(texts: Sequence[str], jobs: int) -> bool:
    """Whether several processes are faster than one."""
    return jobs > 1 and sum(map(len, texts)) >= MIN_CHARS_FOR_PROCESSES


def shapes_in_processes(adapter_type: str, texts: Sequence[str], *, jobs: int) -> list[Shape]:
    """The shapes of the queries in their order; empty where this process may start no others."""
    from concurrent import futures  # with multiprocessing, only where many texts are read
    from multiprocessing import get_context

    batches = [texts[start : start + BATCH] for start in range(0, len(texts), BATCH)]
    try:
        # Whoever calls this may have threads, which forked processes do not survive.
        with futures.ProcessPoolExecutor(min(jobs, len(batches)), mp_context=get_context("spawn")) as pool:
            parts = list(pool.map(encoded_shapes, [adapter_type] * len(batches), batches))
    except (OSError, AssertionError, futures.BrokenExecutor):
        return []
    return [shape for part in parts for shape in msgspec.msgpack.decode(part, type=list[Shape])]


def encoded_shapes(adapter_type: str, texts: Sequence[str]) -> bytes:
    """The shapes of one batch, as bytes."""
    from dbt_statsig.columns.walk import shape_of  # sqlglot, only in the processes that read

    adapter = adapter_for(adapter_type)
    return msgspec.msgpack.encode([shape_of(adapter, text) for text in texts])
