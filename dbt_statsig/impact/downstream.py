"""What a change does to Statsig's sources: the artifacts of two branches, compared without any call to Statsig. Pure.

Columns are compared as code: contracts and compiled SQL, not what the warehouse held when a catalog was written.
Databases and schemas are left out, since a pull request is mostly built in another one than its base. A column
counts as dropped only where one side has it and all columns of the other are known and it is not one of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET, Struct, structs

from dbt_statsig.columns.prover import Prover
from dbt_statsig.errors import ArtifactError
from dbt_statsig.impact.blocks import changed_keys, changed_types
from dbt_statsig.impact.sql_changes import SqlChanges
from dbt_statsig.impact.upstream import Side, upstream_effects
from dbt_statsig.planning.asked import Desired
from dbt_statsig.planning.shifts import chained, shifted
from dbt_statsig.project.artifacts import Manifest
from dbt_statsig.project.declarations import Declaration
from dbt_statsig.vocabulary.findings import CODES, Finding, Severity, finding, listed
from dbt_statsig.vocabulary.kinds import SPECS
from dbt_statsig.vocabulary.results import ColumnEffect, Impact, SourceReport, Validation
from dbt_statsig.vocabulary.sources import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dbt_statsig.project.request import Request
    from dbt_statsig.vocabulary.sources import Source

_Key = tuple[Kind, str]


def base_request(request: Request, *, target: str) -> Request:
    """The request that reads the other side: the whole project as the artifacts in `request.state` hold it."""
    folder = request.state or request.project_dir
    manifest = folder / "manifest.json"
    packed = manifest.with_suffix(".json.gz")
    if not manifest.is_file() and not packed.is_file():
        inside = folder / "target"
        near = f"Did you mean {inside}?" if (inside / manifest.name).is_file() else ""
        fix = near or "Name the folder with the artifacts of before, such as a copy of the base branch's target/."
        raise ArtifactError(f"--state: there is no {manifest.name} in {folder}.", fix=fix)
    catalogs = (folder / name for name in ("catalog.json", "catalog.json.gz"))
    return structs.replace(
        request,
        manifest=packed if packed.is_file() and not manifest.is_file() else manifest,
        catalog=next((path for path in catalogs if path.is_file()), None),
        dbt_target=target or None,
        state=None,
        select=(),
        exclude=(),
        selector=None,
        selected=None,
        results=None,
        run_results=None,
        lineage=False,
    )


class State(Struct, frozen=True, kw_only=True):
    """One side of a comparison; its prover goes by the code alone."""

    validation: Validation
    declarations: tuple[Declaration, ...]
    manifest: Manifest
    prover: Prover


def with_impact(now: State, base: State, *, whole: bool) -> Validation:
    """The validation with what has changed for its sources since `base`; of all sources, where it has the `whole`.

    The findings keep their weight under --strict: they say what a change does, not that it is wrong.
    """
    comparison = _Comparison(now, base, whole=whole)
    effects = tuple(sorted(comparison.effects(), key=lambda found: found.sort_key))
    impact = Impact(
        base=base.validation.manifest_path,
        compared=comparison.compared,
        effects=effects,
        columns=tuple(comparison.columns),
        renamed=tuple((old[0], old[1], new[1]) for old, new in comparison.renamed.items()),
    )
    findings = sorted((*now.validation.findings, *effects), key=lambda found: found.sort_key)
    return structs.replace(now.validation, findings=tuple(findings), impact=impact)


def _by_name(validation: Validation) -> dict[_Key, SourceReport]:
    return {(source.kind, source.name): source for source in validation.sources}


class _Comparison:
    """Each source of the base, with what became of it."""

    def __init__(self, now: State, base: State, *, whole: bool) -> None:
        self.here, self.there = (Side(manifest=one.manifest, prover=one.prover) for one in (now, base))
        self.whole = whole
        self.now, self.before = _by_name(now.validation), _by_name(base.validation)
        self.blocks, self.old_blocks = ({(one.kind, one.name): one for one in x.declarations} for x in (now, base))
        self.sql = SqlChanges(self.here.manifest, self.there.manifest)
        self.renamed = self._renamed()
        self.pairs = [
            (old, new) for key, old in self.before.items() if (new := self.now.get(self.renamed.get(key, key)))
        ]
        self.compared = len(self.pairs)
        self.columns: list[ColumnEffect] = []

    def _renamed(self) -> Mapping[_Key, _Key]:
        """Sources of the base whose model now declares just one other source of that kind, or whose names moved on."""
        found = {key: new for kind, spec in SPECS.items() if spec.can_rename for key, new in self._shifted(kind)}
        gone: dict[_Key, list[_Key]] = {}
        new: dict[_Key, list[_Key]] = {}
        for homes, mine, other, known in (
            (gone, self.before, self.now, {*found}),
            (new, self.now, self.before, {*found.values()}),
        ):
            for key, source in mine.items():
                if key not in other and key not in known:
                    homes.setdefault((key[0], source.unique_id), []).append(key)
        one = {keys[0]: new[home][0] for home, keys in gone.items() if len(keys) == len(new.get(home, ())) == 1}
        return found | one

    def _shifted(self, kind: Kind) -> Iterator[tuple[_Key, _Key]]:
        """Names that moved on within a model, as a plan takes it, by the blocks: the schemas may differ."""
        before = {one.name: one for one in self.before.values() if one.kind is kind and one.payload is not None}
        wanted = [
            Desired(kind=kind, name=one.name, unique_id=one.unique_id, payload=one.payload)
            for one in self.now.values()
            if one.kind is kind
        ]

        def gives(item: Desired, old: Source) -> bool:
            was, is_now = self.old_blocks[kind, str(old.name)], self.blocks[kind, item.name]
            return next(changed_keys(was.meta, is_now.meta), None) is None

        names = {one.name for one in wanted}
        movable = {name: one.unique_id for name, one in before.items()}
        live = {name: one.payload for name, one in before.items() if one.payload is not None}
        moves = shifted(wanted, movable, live, names, {}, gives=gives)
        # Names that are exchanged are no renames.
        for new, old in chained(((old, new) for new, old in moves.items()), names, movable, live).items():
            yield (kind, old), (kind, new)

    def effects(self) -> Iterator[Finding]:
        if self.whole:
            yield from self._removed()
        for old, new in self.pairs:
            yield from self._names(old, new)
            yield from self._block(old, new)
            yield from self._columns(old, new)
            yield from self._types(old, new)
            yield from self._sql(old, new)
        yield from upstream_effects(self.pairs, self.here, self.there)

    def _removed(self) -> Iterator[Finding]:
        for key, old in self.before.items():
            if key not in self.now and key not in self.renamed:
                yield _effect("impact-source-removed", old, "is no longer declared.")

    def _names(self, old: SourceReport, new: SourceReport) -> Iterator[Finding]:
        if old.name != new.name:
            then = "renamed" if SPECS[new.kind].can_rename else "created as a new object; the old one stays"
            yield _effect("impact-source-renamed", new, f'was called "{old.name}" before; in Statsig it is {then}.')
        if old.unique_id != new.unique_id:
            yield _effect("impact-model-renamed", new, f"now reads {new.unique_id} (was {old.unique_id}).")
            return
        was, is_now = self.there.manifest.node(old.unique_id), self.here.manifest.node(new.unique_id)
        if was and is_now and was.identifier != is_now.identifier:
            yield _effect(
                "impact-table-renamed", new, f'now reads the table "{is_now.identifier}" (was "{was.identifier}").'
            )

    def _block(self, old: SourceReport, new: SourceReport) -> Iterator[Finding]:
        """Other columns in roles, other rows, another query, other formulas."""
        was, is_now = self.old_blocks[old.kind, old.name], self.blocks[new.kind, new.name]
        changed = dict(changed_keys(was.meta, is_now.meta))
        for key, text in changed.items():
            _, is_formula, field = key.partition("custom_field_mapping.")
            found = _effect("impact-source-changed", new, text, key=key)
            yield self._about(found, [field]) if is_formula else found
        for role, text in self._roles(old, new):
            # A predicate or formula that reads other columns is another one, which has been reported.
            if role not in changed:
                yield _effect("impact-source-changed", new, text, key=role)

    def _roles(self, old: SourceReport, new: SourceReport) -> Iterator[tuple[str, str]]:
        same = self.here.prover.adapter.key
        roles: dict[str, list[list[str]]] = {}
        for index, report in enumerate((old, new)):
            for use in report.columns:
                roles.setdefault(use.role, [[], []])[index].append(use.verdict.name)
        for role, (was, is_now) in roles.items():
            if sorted(map(same, was)) != sorted(map(same, is_now)):
                yield role, f"now reads {role} from {_quoted(is_now)} (was {_quoted(was)})."

    def _types(self, old: SourceReport, new: SourceReport) -> Iterator[Finding]:
        """Columns to which the model's contract gives another type: each that is mapped, and the rest in one."""
        was, is_now = self.there.manifest.node(old.unique_id), self.here.manifest.node(new.unique_id)
        same = self.here.prover.adapter.key
        types = changed_types(was, is_now, self.here.prover.adapter) if was and is_now else {}
        for use in new.columns:
            before, after = types.get(same(use.verdict.name), ("", ""))
            if after and use.role != "columns":
                text = f'maps "{use.verdict.name}" ({use.role}), whose contract type is now {after} (was {before}).'
                found = _effect("impact-column-type-changed", new, text, key=use.role)
                yield self._about(found, [use.verdict.name, *_field(use.role)])
        mapped = {same(use.verdict.name) for use in new.columns if use.role != "columns"}
        rest = [name for name in new.selected if same(name) in types and same(name) not in mapped]
        if rest:
            shown = ", ".join(f'"{name}" ({types[same(name)][1]}, was {types[same(name)][0]})' for name in rest)
            text = f"selects columns whose type changes in the contract: {shown}."
            yield self._about(_effect("impact-column-type-changed", new, text, severity=Severity.NOTE), rest)

    def _sql(self, old: SourceReport, new: SourceReport) -> Iterator[Finding]:
        """Other SQL behind the source: its columns may be the same, and their values others."""
        names = self.sql.behind(new.unique_id) if old.unique_id == new.unique_id else []
        if names:
            yield _effect("impact-sql-changed", new, f"may have other values: the SQL of {listed(names)} changed.")

    def _columns(self, old: SourceReport, new: SourceReport) -> Iterator[Finding]:
        """Columns that the model loses while the source still maps them, and those that only its SQL selected."""
        lost = self._lost(old, new)
        same = self.here.prover.adapter.key
        mapped: set[str] = set()
        for use in new.columns:
            if same(use.verdict.name) in lost:
                mapped.add(same(use.verdict.name))
                text = f'maps the column "{use.verdict.name}" ({use.role}), which {new.unique_id} loses.'
                found = _effect("impact-column-dropped", new, text, key=use.role)
                yield self._about(found, [use.verdict.name, *_field(use.role)])
        if new.selected:
            still = {same(name) for name in new.selected}
            dropped = [name for name in old.selected if same(name) not in still and same(name) not in mapped]
        else:
            dropped = [name for key, name in lost.items() if self._reads_all(old, new) and key not in mapped]
        if dropped:
            noun = "column" if len(dropped) == 1 else "columns"
            text = f"no longer selects the {noun} {_quoted(dropped)}."
            yield self._about(_effect("impact-selected-column-dropped", new, text), dropped)

    def _reads_all(self, old: SourceReport, new: SourceReport) -> bool:
        """Whether the source is a table on both sides: it has each column of its node."""
        return all(getattr(payload, "source_type", UNSET) == "table" for payload in (old.payload, new.payload))

    def _about(self, effect: Finding, columns: Iterable[str]) -> Finding:
        """The effect, noted as one about these columns."""
        about = {"code": effect.code, "kind": effect.kind, "source": effect.source, "key": effect.key}
        self.columns.append(ColumnEffect(**about, columns=tuple(columns)))
        return effect

    def _lost(self, old: SourceReport, new: SourceReport) -> dict[str, str]:
        """The columns that the model loses, by their keys; none where that is not known."""
        was, is_now = self.there.columns(old.unique_id), self.here.columns(new.unique_id)
        if was is None or is_now is None or not is_now.is_complete:
            return {}
        same = self.here.prover.adapter.key
        still = {same(column.name) for column in is_now.columns}
        return {key: column.name for column in was.columns if (key := same(column.name)) not in still}


def _field(role: str) -> list[str]:
    """The custom field whose formula reads a column in this role: metrics read the field."""
    _, is_formula, field = role.partition("custom_field_mapping.")
    return [field] if is_formula else []


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names) or "nothing"


def _effect(code: str, source: SourceReport, text: str, *, key: str = "", severity: Severity | None = None) -> Finding:
    return finding(
        code,
        f'The {source.kind.label} "{source.name}" {text}',
        severity=severity,
        fix=CODES[code].remedy,
        unique_id=source.unique_id,
        kind=source.kind.value,
        source=source.name,
        key=f"statsig.{source.kind.value}.{key}" if key else "",
        location=source.location,
    )
