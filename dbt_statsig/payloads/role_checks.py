"""What dbt's own facts (types, tests, constraints, materialisations) say about the roles that columns are put in. Pure.

Every check needs a fact that speaks against the declaration; where nothing is known, nothing is reported.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, Struct

from dbt_statsig.payloads.select import PartitionType, partition_type, unwrapped
from dbt_statsig.project.artifacts import ColumnTest
from dbt_statsig.vocabulary.adapters import adapter_for
from dbt_statsig.vocabulary.findings import CODES, Finding, Severity, finding
from dbt_statsig.vocabulary.imports import FIT, PACKAGE
from dbt_statsig.vocabulary.kinds import SPECS
from dbt_statsig.vocabulary.results import ColumnUse
from dbt_statsig.vocabulary.sources import Role
from dbt_statsig.vocabulary.sql_pieces import PieceKind, pieces
from dbt_statsig.vocabulary.verdicts import Presence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dbt_statsig.project.artifacts import Manifest
    from dbt_statsig.project.artifacts.nodes import Node
    from dbt_statsig.project.declarations import Declaration
    from dbt_statsig.vocabulary.verdicts import Verdict

TIMESTAMP = "timestamp_column"
MAPPING = "id_type_mapping."

# Types of which no warehouse makes a point in time; what is not listed here is not judged.
_NO_TIME = re.compile(
    r"(var|n|nvar|long ?var|b?p)?char(acter)?2?( varying)?\b.*|n?text|string|bool(ean)?|bit|"
    r"(number|numeric|decimal|float|double|real|money)\b.*|float\d+|json.*|array.*|struct.*|map.*|record|object|super|"
    r"variant|uuid|uniqueidentifier|(var)?binary.*|bytes|bytea|blob|time(\s*\(.*|\s+with.*)?",
    re.IGNORECASE | re.DOTALL,
)
_FLAG = re.compile(r"bool(ean)?", re.IGNORECASE)
_HEAVY = re.compile(r"\bjoin\b|\bgroup\s+by\b|\bover\s*\(|\bdistinct\b|\bqualify\b", re.IGNORECASE)
_DATE_MACRO = re.compile(r"\{\s*statsig_(start|end)_date(_int)?\s*\}")


class RoleFacts(Struct, frozen=True, kw_only=True):
    """What is known around one declaration.

    `selected` are the columns that its SQL gives, empty where they are not all known. `tests` is None where the
    manifest tells of no test at all. `lacks_row_test` is asked for with `guides` alone.
    """

    adapter: str
    uses: tuple[ColumnUse, ...]
    selected: tuple[str, ...] = ()
    tests: tuple[ColumnTest, ...] | None = None
    lacks_row_test: bool = False

    @classmethod
    def of(
        cls,
        manifest: Manifest,
        node: Node,
        *,
        uses: tuple[ColumnUse, ...],
        selected: tuple[str, ...],
        guides: bool = False,
    ) -> RoleFacts:
        """The facts about a node's declaration. Raises ArtifactError where a test is not as dbt writes it."""
        tests = manifest.column_tests(node.unique_id) if manifest.has_tests else None
        package = guides and f"macro.{PACKAGE}.test_{FIT}" in manifest.macros
        lacks_row_test = package and FIT not in manifest.generic_tests(node.unique_id)
        return cls(
            adapter=manifest.adapter_type, uses=uses, selected=selected, tests=tests, lacks_row_test=lacks_row_test
        )


def role_findings(declaration: Declaration, facts: RoleFacts, *, guides: bool = False) -> tuple[Finding, ...]:
    """All that speaks against the roles of one declaration's columns; with `guides`, also against its cost."""
    checks = _RoleChecks(declaration, facts)
    found = [*checks.timestamp(), *checks.empty_values(), *checks.properties()]
    return tuple([*found, *checks.cost(), *checks.rows()] if guides else found)


class _RoleChecks:
    """The checks of one declaration."""

    def __init__(self, declaration: Declaration, facts: RoleFacts) -> None:
        self._declaration = declaration
        self._spec = SPECS[declaration.kind]
        self._node: Node = declaration.node
        self._facts = facts
        self._present = {use.role: use.verdict for use in facts.uses if use.verdict.presence is Presence.PRESENT}

    def timestamp(self) -> Iterator[Finding]:
        """The timestamp's type against what it is used as; only a contract or the catalog gives a type."""
        verdict = self._present.get(TIMESTAMP)
        if verdict is None or not verdict.data_type:
            return
        kind, as_day = partition_type(verdict.data_type), self._given("timestamp_as_day")
        what = f'"{verdict.stored}" is of type {verdict.data_type}'
        if _is_no_time(verdict.data_type) or kind is PartitionType.INTEGER:
            yield self._found("timestamp-type", f"{what}, which is not a date or timestamp.", TIMESTAMP)
        elif kind is PartitionType.TIMESTAMP and as_day:
            message = f"{what}: `timestamp_as_day` ignores its time of day."
            yield self._found("timestamp-as-day", message, "timestamp_as_day", severity=Severity.NOTE)
        elif kind is PartitionType.DATE and self._is_day_lost():
            message = (
                f"{what}, which is read as midnight: rows of the day of exposure come before the exposure and are "
                "ignored."
            )
            yield self._found("timestamp-as-day", message, TIMESTAMP)

    def _is_day_lost(self) -> bool:
        """Whether nothing says how to read a date. Oracle's DATE has a time of day."""
        has_key = hasattr(self._declaration.meta, "timestamp_as_day")
        return (
            has_key and self._given("timestamp_as_day") is None and not adapter_for(self._facts.adapter).date_has_time
        )

    def empty_values(self) -> Iterator[Finding]:
        """Columns that must not be empty and that neither a test nor a constraint keeps from it."""
        if self._facts.tests is None or self._given("sql") is not None:
            return
        for role in self._spec.fields(Role.NEVER_EMPTY):
            verdict = self._present.get(role)
            if verdict is not None and not self._is_kept_filled(verdict):
                yield self._untested(f'No `not_null` test covers "{verdict.stored}".', role)
        units = {role: verdict for role, verdict in self._present.items() if role.startswith(MAPPING)}
        if units and not any(map(self._is_kept_filled, units.values())):
            names = ", ".join(f'"{verdict.stored}"' for verdict in units.values())
            which, where = ("column", "it is") if len(units) == 1 else ("columns", "all are")
            message = f"No `not_null` test covers unit ID {which} {names}. "
            message += f"Rows where {where} NULL are missing from every result."
            yield self._untested(message, "id_type_mapping")

    def _is_kept_filled(self, verdict: Verdict) -> bool:
        folded = verdict.stored.casefold()
        tests = self._facts.tests or ()
        if any(_bare(test.column) == folded and test.name == "not_null" and not test.is_partial for test in tests):
            return True
        if self._node.contract_enforced:
            columns = self._node.columns.values()
            if any(column.name.casefold() == folded and column.not_null for column in columns):
                return True
        pattern = rf"(?<!\w){re.escape(folded)}[\"'`\]]?\s+is\s+not\s+null\b"
        return re.search(pattern, str(self._given("where") or "").casefold()) is not None

    def properties(self) -> Iterator[Finding]:
        """An entity property source that gives no property."""
        if not self._spec.gives_properties or not self._facts.selected:
            return
        roles = (TIMESTAMP, MAPPING, "partition_column")
        taken = {verdict.stored for role, verdict in self._present.items() if role.startswith(roles)}
        if not set(self._facts.selected) - taken:
            message = f"{self._node.name} has no column besides the unit IDs and the timestamp."
            yield self._found("no-properties", message)

    def cost(self) -> Iterator[Finding]:
        """What Statsig's guides advise against: it makes scans slow, not wrong."""
        parts = pieces(self._node.compiled_code or "", escapes=False)
        sql = "".join(" " if part.kind is PieceKind.COMMENT else part.text for part in parts)
        if self._spec.scans_often and self._node.materialized == "view" and _HEAVY.search(sql):
            message = f"{self._node.name} is a view with a join or aggregate, which every scan runs again."
            yield self._found("slow-view", message)
        texts = f"{self._given('sql') or ''} {self._given('where') or ''}"
        is_filtered = self._given("partition_column") is not None or _DATE_MACRO.search(texts)
        if self._spec.scans_by_date and self._given("source_type") != "table" and not is_filtered:
            yield self._found("unfiltered-scan", f"Every scan reads all rows of {self._node.name}.")

    def rows(self) -> Iterator[Finding]:
        """A node whose rows no test looks at, though the project has the dbt package."""
        if self._facts.lacks_row_test:
            yield self._found("rows-untested", f"{self._node.name} has no test `{PACKAGE}.{FIT}`.")

    def _given(self, key: str) -> Any:
        value = getattr(self._declaration.meta, key, UNSET)
        return None if value is UNSET else value

    def _untested(self, message: str, role: str) -> Finding:
        return self._found("not-null-untested", message, role)

    def _found(self, code: str, message: str, *path: str, severity: Severity | None = None) -> Finding:
        return finding(
            code,
            message,
            severity=severity,
            fix=CODES[code].remedy,
            unique_id=self._node.unique_id,
            kind=self._declaration.kind.value,
            source=self._declaration.name,
            key=".".join([self._declaration.key, *path]),
            location=self._declaration.locate(*path),
        )


def _is_no_time(data_type: str) -> bool:
    name = unwrapped(data_type)
    return partition_type(name) in {PartitionType.OTHER, PartitionType.TEXT} and _NO_TIME.fullmatch(name) is not None


def is_no_number(data_type: str) -> bool:
    """Whether no warehouse computes with values of this type: text, days, times, flags."""
    name = unwrapped(data_type)
    kind = partition_type(name)
    return kind in {PartitionType.TEXT, PartitionType.DATE, PartitionType.TIMESTAMP} or bool(_FLAG.fullmatch(name))


def _bare(column: str) -> str:
    """A column of a test without the quotes that its YAML may give it, in folded case."""
    return column.strip('"`[]').casefold()
