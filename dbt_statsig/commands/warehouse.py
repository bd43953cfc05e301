"""`validate --warehouse`: every source's SQL, formulas and predicates, put to the user's own warehouse without rows.

What comes back is the strongest evidence about columns. What is pushed does not change by it: the SQL that is tried is
the one that `sync` builds from dbt's files.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, Struct, structs

from dbt_statsig.columns.evidence import REGENERATE
from dbt_statsig.columns.prover import Live
from dbt_statsig.commands.proving import payloads_of, prover_of
from dbt_statsig.commands.querying import dbt_of, macros, runnable, with_macros, within
from dbt_statsig.payloads.select import select_statement
from dbt_statsig.project.dbt_queries import Query, ask
from dbt_statsig.vocabulary.adapters import adapter_for
from dbt_statsig.vocabulary.findings import CODES, Finding, Severity, finding
from dbt_statsig.vocabulary.kinds import SPECS
from dbt_statsig.vocabulary.verdicts import Presence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dbt_statsig.commands.pipeline import ProvenProject
    from dbt_statsig.payloads.building import Built
    from dbt_statsig.project.artifacts.nodes import Node
    from dbt_statsig.project.dbt_queries import Answer
    from dbt_statsig.project.declarations import Declaration
    from dbt_statsig.vocabulary.results import Filter

# What dbt's files must prove for a sync, whatever the warehouse says now.
_OF_FILES = frozenset({"partition-type-unknown", "hidden-columns-open", "skip-validation-unproven"})

_ABSENT = frozenset({"column-absent", "column-not-built"})


class _Try(Struct, frozen=True):
    """A statement, the key that it comes from, how a message names it, and the statements that must run first."""

    sql: str
    path: tuple[str | int, ...]
    label: str
    after: tuple[str, ...] = ()


def check_in_warehouse(project: ProvenProject) -> ProvenProject:
    """The project with what the warehouse says of each source in scope, in one dbt command.

    Raises UsageError (no dbt to ask) and QueryFailed (a warehouse that cannot be reached).
    """
    dbt = dbt_of(project.request)
    writer = _Writer(project)
    tries = [(one, built, tuple(writer.tries(one, built))) for one, built in project.built]
    texts = tuple(dict.fromkeys(each.sql for *_, some in tries for each in some))
    version = project.manifest.dbt_version
    given = ask(dbt, [Query(text) for text in texts], project_dir=project.request.project_dir, dbt_version=version)
    answers = dict(zip(texts, given, strict=True))
    live = writer.live(project.built, answers)
    seen = payloads_of(
        (one for one, _ in project.built),
        prover_of(project.inputs, project.memory, live=live),
        project=project.inputs.project,
        settings=project.settings,
        target=project.target.name,
    )
    built = tuple(
        (one, _merged(before, after, tuple(_refused(one, after, some, answers))))
        for (one, before, some), (_, after) in zip(tries, seen, strict=True)
    )
    return structs.replace(project, built=built)


class _Writer:
    """The statements of one project."""

    def __init__(self, project: ProvenProject) -> None:
        today = datetime.now(timezone.utc).date()
        self._macros = macros(today - timedelta(days=1), today)
        self._adapter = adapter_for(project.manifest.adapter_type)

    def tries(self, one: Declaration, built: Built) -> Iterator[_Try]:
        """The statements of a declaration; none of one whose SQL could not be built."""
        if SPECS[one.kind].within is not None:
            yield from self._filters(built)
            return
        own, where = _given(one, "sql"), _given(one, "where")
        table = "" if own is not None else self._table(one.node)
        if table:
            yield _Try(table, (), one.node.relation_name or one.node.name)
        first = [table]
        if table and where is not None:
            first.append(f"{table}\nWHERE ({with_macros(where, self._macros)}\n)")
            yield _Try(first[1], ("where",), "`where`", (table,))
        sql = runnable(built.payload, self._macros)
        if not sql:
            return
        yield _Try(sql, () if own is None else ("sql",), "its SQL", tuple(first))
        for key, formula in (_given(one, "custom_field_mapping") or {}).items():
            text = select_statement([f"({with_macros(formula, self._macros)}\n) AS statsig_field"], within(sql), ())
            yield _Try(text, ("custom_field_mapping", key), f"the formula of `{key}`", (sql,))

    def _filters(self, built: Built) -> Iterator[_Try]:
        for each in built.filters:
            sql = self._with_fields(each)
            if sql:
                text = select_statement((), within(sql), [f"({each.sql}\n)"])
                yield _Try(sql, (), "")  # its own source says what is wrong with it
                yield _Try(text, each.path, "the filter", (sql,))

    def _with_fields(self, one: Filter) -> str:
        """The rows that a metric's filter is about, with those of the custom fields that it names."""
        sql = runnable(one.source, self._macros)
        fields = getattr(one.source, "custom_field_mapping", UNSET)
        added = [
            f"({with_macros(each.formula, self._macros)}\n) AS {self._adapter.quote(self._adapter.assumed(each.key))}"
            for each in (fields or () if fields is not UNSET else ())
            if each.key.casefold() in one.sql.casefold()
        ]
        return select_statement(["statsig_source.*", *added], within(sql), ()) if sql and added else sql

    def live(self, built: Iterable[tuple[Declaration, Built]], answers: Mapping[str, Answer]) -> Live:
        """The columns that came back."""
        tables, queries = {}, {}
        for one, result in built:
            own = _given(one, "sql")
            text = self._table(one.node) if own is None else runnable(result.payload, self._macros)
            answer = answers.get(text)
            if answer is not None and not answer.error and answer.columns is not None:
                if own is None:
                    tables[one.node.unique_id] = answer.columns
                else:
                    queries[own] = answer.columns
        return Live(tables=tables, queries=queries)

    def _table(self, node: Node) -> str:
        return select_statement((), node.relation_name, ()) if node.relation_name else ""


def _given(one: Declaration, key: str) -> Any:
    value = getattr(one.meta, key, UNSET)
    return None if value is UNSET else value


def _merged(before: Built, after: Built, refused: tuple[Finding, ...]) -> Built:
    """What is pushed as before, with the columns and findings that the warehouse's answers give."""
    keys = {found.key for found in after.findings}
    lacking = (
        _outdated(found)
        for found in before.findings
        if found.key not in keys and (found.code in _OF_FILES or found.severity is Severity.ERROR)
    )
    return structs.replace(before, uses=after.uses, findings=(*after.findings, *lacking, *refused))


def _outdated(found: Finding) -> Finding:
    """A finding that the warehouse has refuted, and that a sync would still stop at."""
    message = f"{found.message} The warehouse knows it now, but `sync` goes by dbt's files."
    is_proof = found.code in _OF_FILES
    return structs.replace(
        found,
        code=found.code if is_proof else "catalog-stale",
        severity=Severity.WARNING,
        message=message,
        fix=found.fix if is_proof else REGENERATE,
    )


def _refused(one: Declaration, seen: Built, tries: Iterable[_Try], answers: Mapping[str, Answer]) -> Iterator[Finding]:
    """A finding for each statement that the warehouse refuses, unless an earlier one says the same."""
    proven = {found.key for found in seen.findings if found.code in _ABSENT}
    absent = [use.verdict.stored for use in seen.uses if use.verdict.presence is Presence.ABSENT]
    failed: set[str] = set()
    for each in tries:
        message = answers[each.sql].error
        if not message or not failed.isdisjoint(each.after):
            failed.update({each.sql} if message else ())
            continue
        failed.add(each.sql)
        key = ".".join([one.key, *map(str, each.path)])
        named = any(f'"{name}"' in message or f"'{name}'" in message for name in absent)
        if not each.label or named or key in proven:
            continue  # the warehouse has just proven it, with the line of the column
        yield finding(
            "warehouse-refused",
            f"The warehouse refuses {each.label}: {message}",
            severity=Severity.ERROR,
            fix=CODES["warehouse-refused"].remedy,
            unique_id=one.node.unique_id,
            kind=one.kind.value,
            source=one.name,
            key=key,
            location=one.locate(*each.path),
        )
