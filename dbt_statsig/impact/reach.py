"""What an effect on a source means for running experiments: which it reaches, in words, and its weight. Pure."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from dbt_statsig.columns.budget import Unparsable
from dbt_statsig.columns.metric_expressions import measured
from dbt_statsig.vocabulary.experiments import Metric, SourceRead
from dbt_statsig.vocabulary.findings import Finding, Severity, listed
from dbt_statsig.vocabulary.kinds import SPECS
from dbt_statsig.vocabulary.sources import Kind, Role, fields_with
from dbt_statsig.vocabulary.uses import Use

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dbt_statsig.vocabulary.adapters import Adapter
    from dbt_statsig.vocabulary.experiments import ColumnRead

_UNIT = "id_type_mapping."
_ROLES = frozenset({"timestamp_column", "experiment_id_column", "group_id_column"})
_OTHER_TABLE = frozenset({"impact-model-renamed", "impact-table-renamed"})
_READ = "read it"
_BY_UNIT = {"assignment": "assign by it", "ID resolution": "join their units by it"}
_BY_COLUMN = {
    "filter": "filter their exposures by it",
    "user dimension": "break results down by it",
    "stratified sampling": "use it for stratified sampling",
}


class Touched(Struct, frozen=True, kw_only=True):
    """A source with its running users, and all metrics that read it."""

    uses: tuple[Use, ...]
    readers: tuple[tuple[Metric, SourceRead], ...]

    def joined(self, other: Touched) -> Touched:
        """The users of both: one source may have a name in each dbt target."""
        return Touched(uses=(*self.uses, *other.uses), readers=(*self.readers, *other.readers))


def weighed(effect: Finding, columns: Sequence[str], touched: Touched, adapter: Adapter, *, strict: bool) -> Finding:
    """The effect with what it means for running experiments, and the weight that this gives it."""
    role = effect.key.removeprefix(f"statsig.{effect.kind}.")
    if columns and role not in _ROLES and not role.startswith(_UNIT):
        clause, reaches = _through_columns(columns, touched, adapter)
    else:
        clause, reaches = _of_all(role, "metric" if effect.kind == Kind.METRIC.value else "source", touched)
    if not clause:
        return effect
    severity = effect.severity
    if reaches and (columns or _is_grave(effect, role)):
        severity = Severity.ERROR if strict else max(severity, Severity.WARNING)
    return structs.replace(effect, message=f"{effect.message.removesuffix('.')}; {clause}.", severity=severity)


def _is_grave(effect: Finding, role: str) -> bool:
    """Whether results before and after the change cannot be compared: another unit, time, group or assignment."""
    if role in _ROLES or role.startswith(_UNIT):
        return True
    is_query = role == "sql" or role in fields_with(SPECS[Kind.ASSIGNMENT_SOURCE].block, Role.ROWS)
    return effect.kind == Kind.ASSIGNMENT_SOURCE.value and (is_query or effect.code in _OTHER_TABLE)


def _of_all(role: str, noun: str, touched: Touched) -> tuple[str, bool]:
    """What uses the whole source, or a unit ID of it."""
    is_unit, unit = role.startswith(_UNIT), role.removeprefix(_UNIT)
    verbs: dict[str, str] = {}
    for use in touched.uses:
        if not is_unit:
            verbs[use.experiment.id] = f"use this {noun}"
        elif use.experiment.counts_by(unit):
            known = verbs.get(use.experiment.id, _READ)
            verbs[use.experiment.id] = _BY_UNIT.get(use.read.use, known)
    found = Counter(verbs.values())
    return ", ".join(f"{_running(count)} {_verb(verb, count)}" for verb, count in found.items()), bool(found)


def _through_columns(columns: Sequence[str], touched: Touched, adapter: Adapter) -> tuple[str, bool]:
    """What reads one of these columns: metrics, and what experiments say themselves."""
    reading = _Columns(columns, adapter)
    parts: list[str] = []
    by_verb: dict[str, dict[str, None]] = {}
    for use in touched.uses:
        for found in reading.of(use.read) if use.metric is None else ():
            by_verb.setdefault(_BY_COLUMN.get(found.use, _READ), {})[use.experiment.id] = None
    parts += [f"{_running(len(found))} {_verb(verb, len(found))}" for verb, found in by_verb.items()]
    metrics = {
        metric.name: sorted({found.use for found in reads})
        for metric, read in touched.readers
        if (reads := reading.of(read))
    }
    watching = {
        use.experiment.id for use in touched.uses if use.metric and use.metric.name in metrics and reading.of(use.read)
    }
    if metrics:
        names = listed([f'"{name}" ({", ".join(uses)})' for name, uses in metrics.items()])
        several = len(metrics) > 1
        count = len(watching)
        who = f"{_running(count)} {'watch' if count != 1 else 'watches'}" if count else "no running experiment watches"
        parts.append(
            f"the metric{'s' if several else ''} {names} read{'' if several else 's'} "
            f"{'it' if len(columns) == 1 else 'some of them'}, and {who} "
            f"{'them' if several else 'that metric'}"
        )
    return "; ".join(parts), bool(by_verb or watching)


class _Columns:
    """Some columns, and what reads them."""

    def __init__(self, columns: Iterable[str], adapter: Adapter) -> None:
        self._names = {name.casefold() for name in columns}
        self._adapter = adapter
        self._sql: dict[str, bool] = {}
        self._known: dict[int, list[ColumnRead]] = {}

    def of(self, read: SourceRead) -> list[ColumnRead]:
        """What of a reading is about these columns; the same reading stands behind many experiments."""
        if id(read) not in self._known:
            self._known[id(read)] = [
                one for one in read.columns if one.name.casefold() in self._names or (one.sql and self._in_sql(one.sql))
            ]
        return self._known[id(read)]

    def _in_sql(self, sql: str) -> bool:
        """Whether a predicate names one of them; a word decides where it does not parse."""
        if sql not in self._sql:
            try:
                names = measured(self._adapter, sql).reads
            except Unparsable:
                names = frozenset(re.findall(r"\w+", sql.casefold()))
            self._sql[sql] = not self._names.isdisjoint(names)
        return self._sql[sql]


def _running(count: int) -> str:
    return f"{count:,} running experiment{'' if count == 1 else 's'}"


def _verb(plural: str, count: int) -> str:
    """The verb for one or for several: `read it`, `reads it`."""
    word, _, rest = plural.partition(" ")
    return plural if count != 1 else f"{word}s {rest.replace('their', 'its')}"
