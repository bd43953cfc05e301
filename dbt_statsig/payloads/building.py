"""Declarations and columns to what Statsig should hold. Pure.

A payload names every column as the warehouse stores it, and holds only fields that were declared (all others stay
UNSET), plus the description with the ownership line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import UNSET, Struct, structs

from dbt_statsig.columns.relations import is_relation_name
from dbt_statsig.payloads.select import (
    PartitionType,
    SelectList,
    as_known,
    date_filter,
    equal_filters,
    from_where,
    hand_written,
    hidden_columns,
    may_be,
    partition_type,
    select_list,
    select_statement,
)
from dbt_statsig.planning.basis import Basis, Query, WrittenColumn
from dbt_statsig.project.conversion import show
from dbt_statsig.vocabulary.findings import CODES, Finding, Severity, finding
from dbt_statsig.vocabulary.kinds import SPECS
from dbt_statsig.vocabulary.ownership import Ownership, claim, docs_link
from dbt_statsig.vocabulary.results import ColumnUse, Filter
from dbt_statsig.vocabulary.sources import CustomField, IdType, Owner, Role, Source
from dbt_statsig.vocabulary.verdicts import ColumnSet, KnownColumn, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dbt_statsig.columns.prover import Prover
    from dbt_statsig.project.declarations import Declaration
    from dbt_statsig.vocabulary.kinds import OwnerMeta
    from dbt_statsig.vocabulary.verdicts import SqlCheck

BUILT_IN_UNITS = {"userid": "userID", "stableid": "stableID"}


class Context(Struct, frozen=True, kw_only=True):
    """What holds for every payload of a run: whose it is, tags of columns to hide, where dbt's docs are."""

    project: str
    namespace: str = ""
    hidden_tags: frozenset[str] = frozenset()
    docs_url: str = ""
    read_only: bool = False


class Built(Struct, frozen=True, kw_only=True):
    """The payload of one declaration (None where its SQL could not be built), with the proof of every column.

    `selected` are the stored names of the columns in the SQL, empty where it selects every column or is the user's;
    `hidden` those that it leaves out for their tags. `unproven` says what the payload needs and nothing proves: it
    may be compared, but must not be pushed. `basis` says which parts of the payload follow from evidence. `output` is
    what its rows have: what the SQL or the table gives. `filters` are a metric's predicates.
    """

    payload: Source | None
    basis: Basis
    uses: tuple[ColumnUse, ...]
    selected: tuple[str, ...]
    findings: tuple[Finding, ...]
    hidden: tuple[str, ...] = ()
    unproven: str = ""
    output: ColumnSet = ColumnSet(columns=(), closed=False)
    filters: tuple[Filter, ...] = ()


def build_payload(declaration: Declaration, prover: Prover, context: Context) -> Built:
    """What the console should hold for one declaration, and the findings about its columns and its SQL."""
    return _Builder(declaration, prover, context).build()


class _Builder:
    """The steps for one declaration; findings and column uses are collected on the way."""

    def __init__(self, declaration: Declaration, prover: Prover, context: Context) -> None:
        self.declaration = declaration
        self.node = declaration.node
        self.spec = SPECS[declaration.kind]
        self.meta: Any = declaration.meta
        self.prover = prover
        self.adapter = prover.adapter
        self.context = context
        self.findings: list[Finding] = []
        self.uses: list[ColumnUse] = []
        self.query: SqlCheck | None = None
        self.columns: ColumnSet = ColumnSet(columns=(), closed=False)
        self.left_out: list[str] = []
        self.is_relation = True
        self.unproven = ""
        self.parts: Query | None = None
        self.partition: tuple[Verdict, PartitionType] | None = None

    def build(self) -> Built:
        if self.given("sql") is not None:
            self.query = self.prover.check_query(self.node, self.meta.sql, macros=self.macros)
            self.report(self.query, "sql")
            self.columns = self.query.columns
        else:
            self.columns = self.prover.columns(self.node)
        fields = self.column_fields()
        sql, selected = self.sql_text(self.formula_columns())
        payload = self.payload(fields, sql, selected)
        unproven = (use.role for use in self.uses if not use.verdict.spelling_proven)
        return Built(
            payload=payload,
            basis=Basis(adapter=self.adapter, unproven=frozenset(unproven), query=self.parts, forms=self.forms()),
            uses=tuple(self.uses),
            selected=tuple(column.name for column in selected),
            findings=tuple(self.findings),
            hidden=tuple(self.left_out),
            unproven=self.unproven,
            output=ColumnSet(columns=tuple(selected), closed=True) if self.parts and selected else self.columns,
        )

    def forms(self) -> Callable[[str], tuple[str, ...]] | None:
        return hand_written(self.prover, self.node) if self.parts is not None else None

    @property
    def macros(self) -> frozenset[str]:
        return self.spec.macros

    def given(self, key: str) -> Any:
        """The declared value of a key; None where it was not declared or the kind does not have it."""
        value = getattr(self.meta, key, UNSET)
        return None if value is UNSET else value

    def find(self, code: str, message: str, *path: str | int, fix: str = "", severity: Severity | None = None) -> None:
        self.findings.append(
            finding(
                code,
                message,
                severity=severity,
                fix=fix or CODES[code].remedy,
                unique_id=self.node.unique_id,
                kind=self.declaration.kind.value,
                source=self.declaration.name,
                key=".".join([self.declaration.key, *map(str, path)]),
                location=self.declaration.locate(*path),
            )
        )

    def report(self, check: SqlCheck, *path: str | int) -> None:
        for problem in check.problems:
            where = f" (line {problem.line}, column {problem.column} of the text)" if problem.line else ""
            self.find(problem.code, f"{problem.message}{where}", *path, fix=problem.fix)

    def prove(self, name: str, *path: str | int) -> Verdict:
        """The proof of one column named under a key; what is wrong with it becomes a finding."""
        if self.query is None:
            verdict = self.prover.verdict(self.node, name)
        else:
            verdict = self.prover.verdict_in(self.columns, name)
        if verdict.code:
            self.find(verdict.code, verdict.message, *path, fix=verdict.fix)
        return verdict if verdict.spelling_proven else self.spelled(verdict)

    def spelled(self, verdict: Verdict) -> Verdict:
        """A verdict without a proven spelling: as `quote: true` says, else as the warehouse folds a plain name."""
        documented = self.node.columns.get(verdict.name) if self.query is None else None
        if documented is not None and documented.quote:
            return structs.replace(verdict, stored=documented.name, spelling_proven=True)
        return structs.replace(verdict, stored=self.adapter.assumed(verdict.stored))

    def use(self, name: str, *path: str | int) -> Verdict:
        """As `prove`, and noted as used."""
        verdict = self.prove(name, *path)
        self.uses.append(ColumnUse(role=".".join(map(str, path)), verdict=verdict))
        return verdict

    def column_fields(self) -> dict[str, Any]:
        """The fields that name columns, with the spelling that the warehouse has."""
        fields: dict[str, Any] = {}
        for key in self.spec.fields(Role.COLUMN):
            name = self.given(key)
            if name is not None:
                fields[key] = self.use(name, key).stored
        mapping = self.given("id_type_mapping") or {}
        for unit in mapping:
            built_in = BUILT_IN_UNITS.get(unit.replace("_", "").casefold(), unit)
            if built_in != unit:
                message = f'"{unit}" is not Statsig\'s unit ID "{built_in}": unit IDs are case-sensitive.'
                self.find("unit-id-spelling", message, "id_type_mapping", unit, fix=f'Did you mean "{built_in}"?')
        units = {unit: self.use(column, "id_type_mapping", unit).stored for unit, column in mapping.items()}
        first: dict[str, str] = {}
        for unit, column in units.items():
            if (other := first.setdefault(self.adapter.key(column), unit)) != unit:
                message = f'The unit IDs "{other}" and "{unit}" both read the column "{column}".'
                self.find("unit-id-twice", message, "id_type_mapping", unit)
        return {**fields, "id_type_mapping": tuple(IdType(statsig_unit_id=unit, column=units[unit]) for unit in units)}

    def sql_text(self, formulas: Sequence[Verdict]) -> tuple[str, Sequence[KnownColumn]]:
        """The SQL to send, and the columns that it is known to give (none where they are not all known)."""
        if self.query is not None:
            return self.meta.sql, self.columns.columns if self.columns.closed else ()
        if self.given("source_type") == "table":
            if self.given("table_name") is None:
                self.judge_relation()
            self.judge_table()
            return "", self.columns.columns if self.columns.closed else ()
        self.judge_relation()
        predicates = self.predicates()
        mapped = [use.verdict for use in self.uses if not use.role.startswith("partition_column")]
        left_out, hidden = self.excluded(), []
        wanted = self.given("columns")
        if wanted is not None:
            wanted = [self.use(name, "columns", index) for index, name in enumerate(wanted)]
        else:
            hidden = [column.name for column in self.hidden()]
            left_out += hidden
        chosen = select_list(self.columns, self.adapter, used=[*mapped, *formulas], wanted=wanted, left_out=left_out)
        if chosen.cannot_leave_out:
            names = ", ".join(chosen.cannot_leave_out)
            message = f"Not all columns of {self.node.name} are known, so these cannot be excluded: {names}."
            self.find("hidden-columns-open", message)
        if chosen.only_used:
            message = (
                f"Some columns of {self.node.name} must be excluded, and its other columns are not proven. Only "
                "mapped or named columns are selected."
            )
            self.find(
                "hidden-columns-open",
                message,
                severity=Severity.WARNING,
                fix="Run `dbt docs generate`, or name the columns to select with `columns`.",
            )
        self.left_out = self.not_used(hidden) if chosen.columns else []
        self.parts = self.query_parts(chosen, [*mapped, *formulas], left_out)
        written = [column.written for column in self.parts.columns]
        return select_statement(written, self.node.relation_name or "", predicates), chosen.columns

    def judge_relation(self) -> None:
        """A relation name that holds more than a name would change what the SQL around it means."""
        name = self.node.relation_name or ""
        if name and not is_relation_name(name, self.adapter):
            message = f"The relation_name of {self.node.unique_id} does not name a table or view: {show(name)}."
            fix = "Check `database`, `schema`, `alias` or `identifier` of the node, or write `sql` in the block."
            self.find("not-a-relation", message, fix=fix)
            self.is_relation = False

    def query_parts(self, chosen: SelectList, needed: Sequence[Verdict], left_out: Sequence[str]) -> Query:
        """The SQL as its parts, for comparing it with one that was built on other evidence."""
        is_listed, where = self.given("columns") is not None, self.given("where")
        predicates = [f"({where.strip()})"] if where is not None else []
        partition, kind = self.partition or (None, PartitionType.OTHER)
        return Query(
            columns=tuple(map(self.written, chosen.columns)),
            is_open=not chosen.columns or chosen.only_used,
            is_closed=is_listed or self.columns.closed,
            is_whole=not is_listed and not left_out,
            needed=tuple(self.written(as_known(verdict)) for verdict in needed),
            left_out=tuple(left_out),
            after=from_where(self.node.relation_name or "", [*predicates, *([""] if partition else [])]),
            partition=self.written(as_known(partition)) if partition else None,
            filters=equal_filters(self.adapter, kind),
            type_known=kind is not PartitionType.UNKNOWN,
        )

    def written(self, column: KnownColumn) -> WrittenColumn:
        return WrittenColumn(written=self.adapter.quote(column.name), proven=column.spelling_proven)

    def judge_table(self) -> None:
        hidden = ", ".join(column.name for column in self.hidden())
        if hidden:
            message = f"Statsig reads the whole table, including columns tagged as hidden: {hidden}."
            self.find("hidden-columns-shown", message, "source_type")

    def formula_columns(self) -> list[Verdict]:
        """Checks every formula, and gives the columns that the formulas need."""
        needed: dict[str, Verdict] = {}
        for key, formula in (self.given("custom_field_mapping") or {}).items():
            check = self.prover.check_predicate(self.node, formula, macros=self.macros, columns=self.columns)
            self.report(check, "custom_field_mapping", key)
            needed |= {verdict.stored: verdict for verdict in check.used}
        return list(needed.values())

    def predicates(self) -> list[str]:
        predicates = []
        where = self.given("where")
        if where is not None:
            self.report(self.prover.check_predicate(self.node, where, macros=self.macros, of_row=True), "where")
            predicates.append(f"({where.strip()})")
        partition = self.given("partition_column")
        if partition is not None:
            verdict = self.use(partition, "partition_column")
            kind = self.partition_type(verdict)
            self.partition = verdict, kind
            predicates.append(date_filter(self.adapter, verdict.stored, kind))
        return predicates

    def partition_type(self, verdict: Verdict) -> PartitionType:
        """How the partition column is compared; what nothing proves, and what cannot be compared, is a finding."""
        declared, data_type = self.given("partition_type"), verdict.data_type
        kind = partition_type(data_type)
        if declared is not None:
            kind = PartitionType(declared)
            if not may_be(kind, partition_type(data_type)):
                message = f'`partition_type` is {declared}, but "{verdict.stored}" is of type {data_type}.'
                self.find("contradiction", message, "partition_type", fix="Correct or remove `partition_type`.")
        elif kind is PartitionType.UNKNOWN:
            kind = PartitionType(self.prover.cast(self.node, verdict.stored) or "unknown")
        if kind is PartitionType.UNKNOWN:
            self.unproven = f'No proof of the type of partition column "{verdict.stored}".'
            # What is not compiled may hold the cast that tells.
            severity = Severity.WARNING if self.node.is_uncompiled else None
            self.find("partition-type-unknown", self.unproven, "partition_column", severity=severity)
        elif kind in {PartitionType.TEXT, PartitionType.OTHER}:
            message = f'"{verdict.stored}" is of type {data_type}, which is not a date, timestamp or integer.'
            severity = Severity.ERROR if kind is PartitionType.OTHER else None
            self.find("partition-type", message, "partition_column", severity=severity)
        return kind

    def excluded(self) -> list[str]:
        """The columns to leave out; one that is used elsewhere, or does not exist, is reported."""
        used = {self.adapter.key(use.verdict.stored): use.role for use in self.uses}
        excluded = []
        for index, name in enumerate(self.given("exclude_columns") or ()):
            stored = self.prove(name, "exclude_columns", index).stored
            if (role := used.get(self.adapter.key(stored))) is not None:
                self.find("contradiction", f'"{name}" is excluded but used as {role}.', "exclude_columns", index)
            excluded.append(stored)
        return excluded

    def hidden(self) -> tuple[KnownColumn, ...]:
        return hidden_columns(self.node, self.columns, self.adapter, self.context.hidden_tags)

    def not_used(self, names: Sequence[str]) -> list[str]:
        used = {self.adapter.key(use.verdict.stored) for use in self.uses}
        return [name for name in names if self.adapter.key(name) not in used]

    def payload(self, fields: dict[str, Any], sql: str, selected: Sequence[KnownColumn]) -> Source | None:
        faulty = (
            found.severity is Severity.ERROR and found.key.endswith((".sql", ".where")) for found in self.findings
        )
        if not self.is_relation or any(faulty):
            return None
        known = set(self.spec.payload.__struct_fields__)
        as_declared = filter(self.is_declared, self.spec.fields(Role.AS_DECLARED))
        values: dict[str, Any] = {key: self.given(key) for key in as_declared}
        values |= fields
        values |= {"name": self.declaration.name, "sql": sql, "description": self.description()}
        if self.is_declared("is_read_only") or self.context.read_only:
            values["is_read_only"] = self.meta.is_read_only if self.is_declared("is_read_only") else True
        if self.is_declared("owner"):
            values["owner"] = _owner(self.meta.owner)
        if self.given("source_type") == "table":
            values["table_name"] = self.given("table_name") or self.node.relation_name
        if self.is_declared("custom_field_mapping"):
            formulas = self.meta.custom_field_mapping
            values["custom_field_mapping"] = tuple(CustomField(key=key, formula=text) for key, text in formulas.items())
        values |= self.skip_validation(selected)
        for key in filter(self.is_declared, self.spec.fields(Role.READ_ONLY)):
            message = f"Statsig refuses `{key}` in an {self.declaration.kind.label}; it is not sent."
            self.find("owner-not-sent", message, key)
            known.discard(key)
        return self.spec.payload(**{key: value for key, value in values.items() if key in known})

    def is_declared(self, key: str) -> bool:
        return getattr(self.meta, key, UNSET) is not UNSET

    def description(self) -> str:
        base = self.context.docs_url.rstrip("/")
        link = docs_link(f"{base}/#!/{self.node.resource_type}/{self.node.unique_id}") if base else ""
        owner = Ownership(self.context.project, self.node.unique_id, self.context.namespace)
        text = self.given("description") if self.is_declared("description") else self.node.description
        return claim(text or "", owner, link=link)

    def skip_validation(self, selected: Sequence[KnownColumn]) -> dict[str, Any]:
        """The three fields that go together, where they were asked for and every column and type is proven."""
        if not self.given("skip_validation"):
            return {}
        types = [column.data_type for column in selected]
        if not selected or not all(types) or not all(column.spelling_proven for column in selected):
            self.find(
                "skip-validation-unproven",
                "Not every column and type of the query is proven, so Statsig validates it as usual.",
                "skip_validation",
            )
            return {}
        return {
            "skip_validation": True,
            "all_columns": tuple(column.name for column in selected),
            "column_types": tuple(types),
        }


def _owner(declared: OwnerMeta | None) -> Owner | None:
    if declared is None:
        return None
    return Owner(**{key: value for key, value in structs.asdict(declared).items() if value is not UNSET})
