"""Metrics to what Statsig should hold: every column proven on what their metric sources really give. Pure."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, Struct, structs

from dbt_statsig.payloads.building import Built, Context, build_payload
from dbt_statsig.payloads.role_checks import is_no_number
from dbt_statsig.planning.basis import Basis
from dbt_statsig.project.conversion import show
from dbt_statsig.project.declarations import Declaration
from dbt_statsig.vocabulary.findings import CODES, Finding, Severity, did_you_mean, finding
from dbt_statsig.vocabulary.kinds import SPECS, Metric
from dbt_statsig.vocabulary.kinds.metric import (
    Component,
    Criterion,
    DimensionLimit,
    FunnelEvent,
    MetricPart,
)
from dbt_statsig.vocabulary.kinds.metric_block import (
    LONGEST_DESCRIPTION,
    LONGEST_NAME,
    NAME_PATTERN,
    NUMERIC,
    SHORTEST_NAME,
    VALUED,
)
from dbt_statsig.vocabulary.ownership import Ownership, claim, docs_link
from dbt_statsig.vocabulary.results import ColumnUse, Filter
from dbt_statsig.vocabulary.sources import Kind, Role, Source
from dbt_statsig.vocabulary.verdicts import ColumnSet, Evidence, KnownColumn, Presence

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from dbt_statsig.columns.prover import Prover
    from dbt_statsig.project.declarations.places import KeyPath

_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_.\-()/ %:]+")
_SQL_FILTER = "sql_filter"
_SPECIAL = ("metric_dimension_columns", "metric_dimension_limits")


class Payloads:
    """The payloads of declarations; a source that several metrics read is built once."""

    def __init__(self, prover: Prover, context: Context) -> None:
        self._prover = prover
        self._context = context
        self._built: dict[tuple[str, str], Built] = {}
        self._sources: list[str] = []

    def of(self, declarations: Iterable[Declaration]) -> tuple[tuple[Declaration, Built], ...]:
        """Each declaration with its payload and the proof of its columns."""
        listed = list(declarations)
        self._sources = [one.name for one in listed if one.kind is Kind.METRIC_SOURCE]
        return tuple((one, self.build(one)) for one in listed)

    def build(self, declaration: Declaration) -> Built:
        """The payload of one declaration."""
        key = (declaration.node.unique_id, declaration.key)
        if key not in self._built:
            if declaration.kind is Kind.METRIC:
                built = _MetricBuilder(declaration, self._prover, self._context, self.build, self._sources).build()
            else:
                built = build_payload(declaration, self._prover, self._context)
            self._built[key] = built
        return self._built[key]


class _Rows(Struct, frozen=True, kw_only=True):
    """One metric source as a metric sees it; its columns are None where nothing here declares it."""

    name: str
    declaration: Declaration | None = None
    columns: ColumnSet | None = None
    fields: frozenset[str] = frozenset()
    units: frozenset[str] = frozenset()
    payload: Source | None = None


class _MetricBuilder:
    """The steps for one metric; findings and column uses are collected on the way."""

    def __init__(
        self,
        declaration: Declaration,
        prover: Prover,
        context: Context,
        build: Callable[[Declaration], Built],
        sources: Collection[str],
    ) -> None:
        self.declaration = declaration
        self.sources = sources
        self.meta: Any = declaration.meta
        self.prover = prover
        self.context = context
        self.build_source = build
        self.findings: list[Finding] = []
        self.uses: list[ColumnUse] = []
        self.rows: dict[str, _Rows] = {}
        self.is_faulty = False
        self.filters: list[Filter] = []

    def build(self) -> Built:
        self.check_name()
        values = self.definition()
        payload = Metric(**values, name=self.declaration.name, description=self.description())
        self.check_units(payload.sources)
        unproven = (use.role for use in self.uses if not use.verdict.spelling_proven)
        return Built(
            payload=None if self.is_faulty else payload,
            basis=Basis(adapter=self.prover.adapter, unproven=frozenset(unproven)),
            uses=tuple(self.uses),
            selected=(),
            findings=tuple(self.findings),
            filters=tuple(self.filters),
        )

    def declared(self, key: str, part: Any = None) -> Any:
        value = getattr(self.meta if part is None else part, key, UNSET)
        return None if value is UNSET else value

    def find(self, code: str, message: str, *path: str | int, fix: str = "") -> None:
        one = self.declaration
        self.findings.append(
            finding(
                code,
                message,
                fix=fix or CODES[code].remedy,
                unique_id=one.node.unique_id,
                kind=one.kind.value,
                source=one.name,
                key=".".join([one.key, *map(str, path)]),
                location=one.locate(*path),
            )
        )

    def check_name(self) -> None:
        """A name that Statsig refuses, with one that it takes."""
        name = self.declaration.name
        if not name.strip():
            fault = "is blank"
        elif len(name) < SHORTEST_NAME:
            fault = f"is shorter than {SHORTEST_NAME} characters"
        elif len(name) > LONGEST_NAME:
            fault = f"has {len(name)} characters; Statsig takes at most {LONGEST_NAME}"
        elif re.search(NAME_PATTERN, name) is None:
            others = "".join(dict.fromkeys(_NOT_IN_NAMES.findall(name)))
            fault = f"has characters that Statsig does not take: {show(others)}"
        else:
            return
        self.find("metric-name", f"`name` {show(name)} {fault}.", "name", fix=f'Use "{proposed_name(name)}".')

    def description(self) -> str:
        base, node = self.context.docs_url.rstrip("/"), self.declaration.node
        link = docs_link(f"{base}/#!/{node.resource_type}/{node.unique_id}") if base else ""
        owner = Ownership(self.context.project, node.unique_id, self.context.namespace)
        text = claim(self.declared("description") or "", owner, link=link)
        if len(text) > LONGEST_DESCRIPTION:
            message = f"The description has {len(text)} characters with the ownership line; Statsig takes "
            message += f"{LONGEST_DESCRIPTION}."
            fix = f"Shorten it by {len(text) - LONGEST_DESCRIPTION}."
            self.find("metric-description", message, "description", fix=fix)
        return text

    def definition(self) -> dict[str, Any]:
        """The fields of the payload, with every column as the warehouse spells it."""
        payload = SPECS[Kind.METRIC].payload
        fields = SPECS[Kind.METRIC].fields(Role.AS_DECLARED)
        values = {key: value for key in fields if (value := getattr(self.meta, key, UNSET)) is not UNSET}
        if "is_read_only" not in values and self.context.read_only:
            values["is_read_only"] = True
        aggregation = self.declared("aggregation")
        if aggregation == "ratio":
            values |= self.ratio()
        elif aggregation == "funnel":
            steps = enumerate(self.declared("steps") or ())
            values["funnel_events"] = tuple(self.step(step, ("steps", place)) for place, step in steps)
        elif aggregation == "composite":
            parts = enumerate(self.declared("components") or ())
            values["components"] = tuple(self.component(part, ("components", place)) for place, part in parts)
        elif (parts := self.declared("metric_sources")) is not None:
            listed = enumerate(parts)
            values["metric_sources"] = tuple(
                self.part(part, ("metric_sources", place), aggregation) for place, part in listed
            )
        else:
            values["metric_sources"] = (self.part(None, (), aggregation),)
        if aggregation == "retention" and (start := self.declared("denominator")) is not None:
            values |= self.denominator(start)
        values |= self.dimensions()
        return {key: value for key, value in values.items() if key in payload.__struct_fields__}

    def ratio(self) -> dict[str, Any]:
        above, below = self.declared("numerator"), self.declared("denominator")
        values = {} if below is None else self.denominator(below)
        if above is not None:
            counted = self.declared("aggregation", above)
            values |= {
                "numerator_aggregation": counted,
                "metric_sources": (self.part(above, ("numerator",), counted),),
            }
        return values

    def denominator(self, part: Any) -> dict[str, Any]:
        counted = self.declared("aggregation", part)
        rows = self.part(part, ("denominator",), counted)
        values = {
            "aggregation": UNSET if counted is None else counted,
            "metric_source_name": rows.metric_source_name,
            "value_column": rows.value_column,
            "criteria": rows.criteria,
            "rollup_time_window": part.rollup_time_window,
            "custom_rollup_start": part.custom_rollup_start,
            "custom_rollup_end": part.custom_rollup_end,
            "custom_rollup_measure_in_minutes": part.custom_rollup_measure_in_minutes,
        }
        shares = {f"{key}_denominator": getattr(part, key) for key in ("winsorization_high", "winsorization_low")}
        return {f"denominator_{key}": value for key, value in values.items()} | shares

    def part(self, part: Any, path: KeyPath, aggregation: str | None) -> MetricPart:
        """Rows of one source with the column that counts; None stands for the block itself."""
        rows = self.rows_of(part, path)
        column = self.declared("value_column", part)
        return MetricPart(
            metric_source_name=rows.name,
            criteria=self.criteria(part, rows, path),
            value_column=UNSET
            if column is None or aggregation not in VALUED
            else self.counted(column, rows, (*path, "value_column"), aggregation),
        )

    def counted(self, column: str, rows: _Rows, path: KeyPath, aggregation: str | None) -> str:
        """The column whose values count; one that holds no numbers is a finding where numbers are needed."""
        stored, data_type = self.column(column, rows, path)
        if data_type and aggregation in NUMERIC and is_no_number(data_type):
            message = f'"{stored}" is of type {data_type}, which `{aggregation}` cannot compute with.'
            self.find("metric-column-type", message, *path)
        return stored

    def step(self, step: Any, path: KeyPath) -> FunnelEvent:
        rows = self.rows_of(step, path)
        session = self.declared("session_identifier_field", step)
        return FunnelEvent(
            name=step.name,
            metric_source_name=rows.name,
            criteria=self.criteria(step, rows, path),
            session_identifier_field=UNSET
            if session is None
            else self.column(session, rows, (*path, "session_identifier_field"))[0],
        )

    def component(self, part: Any, path: KeyPath) -> Component:
        counted = self.declared("aggregation", part)
        rows = self.part(part, path, counted)
        return Component(
            operator=self.declared("operator", part) or "+",
            aggregation=counted,
            metric_source_name=rows.metric_source_name,
            value_column=rows.value_column,
            criteria=rows.criteria,
            name=part.name,
        )

    def dimensions(self) -> dict[str, Any]:
        own = self.rows_of(None, ())
        columns, limits = (self.declared(key) for key in _SPECIAL)
        values: dict[str, Any] = {}
        if columns is not None:
            listed = enumerate(columns)
            values[_SPECIAL[0]] = tuple(self.column(one, own, (_SPECIAL[0], place))[0] for place, one in listed)
        if limits is not None:
            values[_SPECIAL[1]] = tuple(
                DimensionLimit(name=self.column(name, own, (_SPECIAL[1], name))[0], limit=limit)
                for name, limit in limits.items()
            )
        return values

    def criteria(self, part: Any, rows: _Rows, path: KeyPath) -> tuple[Criterion, ...]:
        return tuple(self._criteria(part, rows, path))

    def _criteria(self, part: Any, rows: _Rows, path: KeyPath) -> Iterator[Criterion]:
        where = self.declared("where", part)
        if where is not None:
            self.predicate(where, rows, (*path, "where"))
            yield Criterion(type="metadata", condition=_SQL_FILTER, values=(where.strip(),))
        for index, one in enumerate(self.declared("criteria", part) or ()):
            below = (*path, "criteria", index)
            column = self.declared("column", one)
            if self.declared("condition", one) == _SQL_FILTER:
                for number, text in enumerate(self.declared("values", one) or ()):
                    self.predicate(text, rows, (*below, "values", number))
            yield Criterion(
                type="metadata",
                column=UNSET if column is None else self.column(column, rows, (*below, "column"))[0],
                condition=one.condition,
                values=one.values,
                null_vacuous_override=one.null_vacuous_override,
            )

    def predicate(self, sql: str, rows: _Rows, path: KeyPath) -> None:
        if rows.declaration is None or rows.columns is None:
            return
        if rows.payload is not None:
            self.filters.append(Filter(path, sql, rows.payload))
        node = rows.declaration.node
        check = self.prover.check_predicate(node, sql, macros=frozenset(), columns=rows.columns, of_row=True)
        for problem in check.problems:
            where = f" (line {problem.line}, column {problem.column} of the text)" if problem.line else ""
            self.find(problem.code, f"{problem.message}{where}", *path, fix=problem.fix)
            self.is_faulty = self.is_faulty or CODES[problem.code].severity is Severity.ERROR

    def column(self, name: str, rows: _Rows, path: KeyPath) -> tuple[str, str]:
        """The column as the warehouse spells it, and its type where it is known."""
        if rows.columns is None or name in rows.fields:
            return name, ""
        verdict = self.prover.verdict_in(rows.columns, name, f'The metric source "{rows.name}"')
        if verdict.code:
            self.find(verdict.code, verdict.message, *path, fix=verdict.fix)
        if not verdict.spelling_proven:
            verdict = structs.replace(verdict, stored=self.prover.adapter.assumed(verdict.stored))
        self.uses.append(ColumnUse(role=".".join(map(str, path)), verdict=verdict))
        return verdict.stored, (verdict.data_type or "") if verdict.presence is Presence.PRESENT else ""

    def rows_of(self, part: Any, path: KeyPath) -> _Rows:
        """The source that a part reads: the one around the metric, or the one that it names."""
        within = self.declaration.within
        name = self.declared("metric_source_name", part) if part is not None else None
        source = within if name is None else self.declaration.others.get(name)
        if source is None:
            if name not in self.rows:
                message = f'No metric source "{name}" is declared in this project, so its columns are not checked.'
                near = did_you_mean(str(name), self.sources) or CODES["metric-source-undeclared"].remedy
                self.find("metric-source-undeclared", message, *path, "metric_source_name", fix=near)
            return self.rows.setdefault(str(name), _Rows(name=str(name)))
        if source.name not in self.rows:
            built, meta = self.build_source(source), source.meta
            fields: Any = getattr(meta, "custom_field_mapping", UNSET)
            names = frozenset(() if fields is UNSET else fields)
            units: Any = getattr(meta, "id_type_mapping", UNSET)
            # How Statsig's SQL spells a custom field is not known: as it is declared, or as the warehouse folds it.
            spelled = dict.fromkeys(one for name in sorted(names) for one in (name, self.prover.adapter.assumed(name)))
            more = tuple(KnownColumn(name=name, evidence=Evidence.INFERRED) for name in spelled)
            self.rows[source.name] = _Rows(
                name=source.name,
                declaration=source,
                columns=structs.replace(built.output, columns=(*built.output.columns, *more)),
                fields=names,
                units=frozenset(() if units is UNSET else units),
                payload=built.payload,
            )
        return self.rows[source.name]

    def check_units(self, names: Iterable[str]) -> None:
        """Unit IDs that a source which it reads does not have; and sources that have none in common."""
        known = [rows for name in names if (rows := self.rows[name]).units]
        wanted = self.declared("unit_types")
        for index, unit in enumerate(wanted or ()):
            for rows in known:
                if unit not in rows.units:
                    message = f'The metric source "{rows.name}" has no unit ID "{unit}", only {_listed(rows.units)}.'
                    self.find("metric-unit", message, "unit_types", index, fix=did_you_mean(unit, rows.units))
        if wanted is None and len(known) > 1 and not frozenset.intersection(*(rows.units for rows in known)):
            names = ", ".join(f'"{rows.name}" ({_listed(rows.units)})' for rows in known)
            self.find("metric-unit", f"Its metric sources have no unit ID in common: {names}.")


def _listed(units: Iterable[str]) -> str:
    return ", ".join(f'"{unit}"' for unit in sorted(units))


def proposed_name(name: str) -> str:
    """A name near to this one that Statsig takes."""
    letters = (unicodedata.normalize("NFKD", letter) for letter in unicodedata.normalize("NFC", name))
    plain = "".join(letter.encode("ascii", "ignore").decode() or "_" for letter in letters)
    cleaned = _NOT_IN_NAMES.sub("_", plain).strip("_ ") or "metric"
    longer = cleaned if len(cleaned) >= SHORTEST_NAME else f"{cleaned} metric".strip()
    return longer[:LONGEST_NAME].rstrip()
