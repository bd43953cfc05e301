"""`preview`: rows of a source from the user's own warehouse, through the user's own dbt. Nothing is written."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from msgspec import Struct, structs

from dbt_statsig.commands.pipeline import declare_project, load_project, prove_project
from dbt_statsig.commands.querying import dbt_of, macros, runnable, within
from dbt_statsig.errors import QueryFailed, UsageError
from dbt_statsig.payloads.select import select_statement
from dbt_statsig.project.dbt_queries import Answer, Query, ask, unreachable, unusable
from dbt_statsig.vocabulary.adapters import Adapter, adapter_for
from dbt_statsig.vocabulary.findings import did_you_mean
from dbt_statsig.vocabulary.kinds import SPECS
from dbt_statsig.vocabulary.previews import Estimate, Preview, PreviewColumn, Previewed, UnitCount
from dbt_statsig.vocabulary.sources import Kind, folded
from dbt_statsig.vocabulary.verdicts import Presence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dbt_statsig.commands.pipeline import ProvenProject
    from dbt_statsig.payloads.building import Built
    from dbt_statsig.project.dbt_command import DbtCommand
    from dbt_statsig.project.declarations import Declaration
    from dbt_statsig.project.request import Request

_MAPPING = "id_type_mapping."
MOST_COUNTS = 1_000


class Asked(Struct, frozen=True, kw_only=True):
    """Which sources by name (none: all in scope), how many rows of how many days, and whether rows are counted.

    With `cost`, no row is read: the warehouse says what it would read.
    """

    names: tuple[str, ...] = ()
    limit: int = 20
    days: int = 7
    counts: bool = False
    cost: bool = False


def preview(request: Request, asked: Asked) -> Previewed:
    """Rows of the sources in scope, by the very SQL that Statsig would have, its macros as dates.

    A query that the warehouse refuses is in its source's `error`. Raises SettingsError, ArtifactError, UsageError (a
    name that no source has, no dbt to ask, no estimate to be had) and QueryFailed (the warehouse cannot be asked).
    """
    project = prove_project(declare_project(load_project(request)))
    # A metric has no rows but those of its source.
    sources = [(one, built) for one, built in project.built if SPECS[one.kind].within is None]
    _check_names([one.name for one, _ in sources], asked)
    chosen = [(one, built) for one, built in sources if _is_asked_for(one, asked)]
    dbt = dbt_of(request)
    last = datetime.now(timezone.utc).date()
    first = last - timedelta(days=asked.days)
    asking = _Asking(dbt, adapter_for(project.manifest.adapter_type), asked, macros(first, last))
    if asked.cost:
        found = asking.estimates(project, chosen)
    else:
        found = tuple(asking.preview(one, built) for one, built in chosen)
    return Previewed(sources=found, first_day=first.isoformat(), last_day=last.isoformat(), unmatched=project.unmatched)


def _is_asked_for(declaration: Declaration, asked: Asked) -> bool:
    return not asked.names or folded(declaration.name) in {folded(name) for name in asked.names}


def _check_names(known: Sequence[str], asked: Asked) -> None:
    for name in asked.names:
        if folded(name) not in {folded(one) for one in known}:
            raise UsageError(
                f'No source in scope is named "{name}".',
                fix=did_you_mean(name, known) or "`validate` lists the sources.",
            )


class _Asking:
    """One warehouse, asked for one source after the other."""

    def __init__(self, dbt: DbtCommand, adapter: Adapter, asked: Asked, macros: Mapping[str, str]) -> None:
        self._dbt = dbt
        self._adapter = adapter
        self._asked = asked
        self._macros = macros
        self._reached = False

    def estimates(self, project: ProvenProject, chosen: Sequence[tuple[Declaration, Built]]) -> tuple[Preview, ...]:
        """What the SQL of each source would read, as the warehouse's own plan says, in one dbt command."""
        explain = self._adapter.explain
        if not explain:
            raise UsageError(
                f"dbt cannot ask {self._adapter.name} for an estimate.",
                fix="Ask in the console of the warehouse: `preview --output json` shows the SQL.",
            )
        empty = [(self._empty(one, built), built) for one, built in chosen]
        texts = [Query(f"{explain} {one.sql}", rows=True) for one, _ in empty if one.sql]
        request = project.request
        given = iter(ask(self._dbt, texts, project_dir=request.project_dir, dbt_version=project.manifest.dbt_version))
        return tuple(self._estimated(one, built, next(given)) if one.sql else one for one, built in empty)

    def _estimated(self, one: Preview, built: Built, answer: Answer) -> Preview:
        if answer.error:
            return structs.replace(one, error=answer.error)
        number = self._adapter.estimate("\n".join("\t".join(row) for row in answer.rows))
        if number is None:
            return structs.replace(one, error="The plan of its SQL has no estimate.")
        is_rows = self._adapter.explains == "rows"
        found = Estimate(
            rows=number if is_rows else None,
            bytes=None if is_rows else number,
            could_filter=SPECS[one.kind].scans_by_date and one.sql == runnable(built.payload, {}),
        )
        return structs.replace(one, estimate=found)

    def _empty(self, one: Declaration, built: Built) -> Preview:
        """A preview with its SQL, or with the reason why there is none."""
        sql = runnable(built.payload, self._macros)
        error = "" if sql else built.unproven or "Its SQL could not be built. Run `dbt-statsig validate`."
        return Preview(kind=one.kind, name=one.name, unique_id=one.node.unique_id, sql=sql, error=error)

    def _refused(self, one: Preview, failed: QueryFailed) -> Preview:
        """The source with the warehouse's message. Raises QueryFailed where dbt answers no query at all."""
        if not self._reached:
            try:
                self._dbt.show("select 1 as one", 1)
            except QueryFailed as away:
                raise (unusable if self._dbt.connects() else unreachable)(away.message) from failed
            self._reached = True
        return structs.replace(one, error=failed.message)

    def preview(self, declaration: Declaration, built: Built) -> Preview:
        """The rows of one source, and what is counted."""
        empty = self._empty(declaration, built)
        if not empty.sql:
            return empty
        sql = empty.sql
        roles = dict(_roles(built))
        try:
            rows = self._dbt.show(select_statement((), within(sql), ()), self._asked.limit)
            counted = self._counted(declaration.kind, sql, roles) if self._asked.counts else {}
        except QueryFailed as failed:
            return self._refused(empty, failed)
        columns = self._columns(rows, roles)
        cells = tuple(tuple(row.get(column.name) for column in columns) for row in rows)
        return structs.replace(empty, columns=columns, rows=cells, **counted)

    def _columns(self, rows: Sequence[Mapping[str, Any]], roles: Mapping[str, str]) -> tuple[PreviewColumn, ...]:
        """The columns that came back, those with a role first, in the order of the roles."""
        of_column: dict[str, list[str]] = {}
        for role, column in roles.items():
            of_column.setdefault(self._adapter.key(column), []).append(role)
        names = list(rows[0]) if rows else list(dict.fromkeys(roles.values()))
        # dbt gives the names of some warehouses in another case than they are stored in.
        found = [(name, of_column.get(self._adapter.key(name)) or of_column.get(name.upper(), [])) for name in names]
        order = list(roles)
        found.sort(key=lambda one: order.index(one[1][0]) if one[1] else len(order))
        return tuple(PreviewColumn(name=name, roles=tuple(given)) for name, given in found)

    def _counted(self, kind: Kind, sql: str, roles: Mapping[str, str]) -> dict[str, Any]:
        units = {role.removeprefix(_MAPPING): self._quoted(one) for role, one in roles.items() if _is_unit(role)}
        parts = ["count(*) as n"]
        for index, column in enumerate(units.values()):
            parts.append(f"count(distinct {column}) as units_{index}")
            parts.append(f"sum(case when {column} is null then 1 else 0 end) as empty_{index}")
        if "timestamp_column" in roles:
            parts.append(f"max({self._quoted(roles['timestamp_column'])}) as newest")
        given = self._dbt.show(select_statement(parts, within(sql), ()), 1)
        row = {name.casefold(): value for name, value in given[0].items()}
        found: dict[str, Any] = {
            "rows_read": int(row["n"]),
            "newest": row.get("newest"),
            "units": tuple(
                UnitCount(unit_id=unit, units=int(row[f"units_{at}"] or 0), empty_rows=int(row[f"empty_{at}"] or 0))
                for at, unit in enumerate(units)
            ),
        }
        if kind is Kind.ASSIGNMENT_SOURCE and units and "experiment_id_column" in roles and "group_id_column" in roles:
            found["groups"] = self._groups(sql, roles, next(iter(units.values())))
        return found

    def _groups(self, sql: str, roles: Mapping[str, str], unit: str) -> tuple[tuple[Any, ...], ...]:
        """Units of the first unit ID by experiment, group and day."""
        keys = [self._quoted(roles["experiment_id_column"]), self._quoted(roles["group_id_column"])]
        keys.append(self._adapter.as_day(self._quoted(roles["timestamp_column"])))
        names = ("experiment", "group_id", "exposure_day")
        parts = [f"{key} as {name}" for key, name in zip(keys, names, strict=True)]
        query = select_statement([*parts, f"count(distinct {unit}) as units"], within(sql), ())
        rows = self._dbt.show(f"{query}\ngroup by {', '.join(keys)}", MOST_COUNTS)
        return tuple(sorted((tuple(row.values()) for row in rows), key=lambda row: [str(value) for value in row[:3]]))

    def _quoted(self, column: str) -> str:
        return self._adapter.quote(column)


def _is_unit(role: str) -> bool:
    return role.startswith(_MAPPING)


def _roles(built: Built) -> Iterator[tuple[str, str]]:
    """Each role with the stored name of its column, unit IDs first."""
    uses = [use for use in built.uses if use.verdict.presence is not Presence.ABSENT]
    uses = [use for use in uses if use.role.endswith("_column") or _is_unit(use.role)]
    for use in sorted(uses, key=lambda use: not _is_unit(use.role)):
        yield use.role, use.verdict.stored
