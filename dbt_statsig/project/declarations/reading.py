"""One node's meta into declarations, with every fault on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbt_statsig.project.artifacts.manifest import is_misspelled
from dbt_statsig.project.conversion import Fault, dotted, printable, show, unknown_key
from dbt_statsig.project.declarations.layers import (
    KINDS,
    Defaults,
    Layer,
    fields_of,
    merged,
    moved,
    read_defaults,
    read_layer,
)
from dbt_statsig.project.declarations.marks import Marks, apply_marks, read_marks
from dbt_statsig.project.declarations.metrics import read_metric
from dbt_statsig.project.declarations.model import Declaration, DeclaredName, FaultyBlock
from dbt_statsig.project.declarations.places import PROJECT, SETTINGS, NodePlaces, Places
from dbt_statsig.vocabulary.findings import CODES, Finding, finding
from dbt_statsig.vocabulary.kinds import BLOCK_KINDS, SPECS, column_roles
from dbt_statsig.vocabulary.sources import Kind, Role, fields_with

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dbt_statsig.project.artifacts.nodes import Node
    from dbt_statsig.project.declarations.places import KeyPath
    from dbt_statsig.project.declarations.semantic import SemanticBlocks

META_KEYS = ("statsig", "statsig_defaults")
_NO_KIND = f"Name the kind, for example `statsig: {{{KINDS[0]}: {{name: …}}}}`. Kinds: {', '.join(KINDS)}."


class NodeReader:
    """Reads one node; what it finds gathers in `declarations`, `findings` and `faulty`."""

    def __init__(self, node: Node, defaults: Defaults, places: Places, added: SemanticBlocks | None = None) -> None:
        """`defaults` are those of the settings; `added` is the meta with what the semantic layer adds to it."""
        self.node = node
        self.meta = node.meta if added is None else added.meta
        self.defaults = defaults
        self.places = NodePlaces(node, places, {} if added is None else added.origins)
        self.declarations: list[Declaration] = []
        self.findings: list[Finding] = []
        self.faulty: list[FaultyBlock] = []
        self.disabled: list[DeclaredName] = []
        self._roles_taken: set[str] = set()
        self._enabled_blocks = 0

    def read(self) -> None:
        """Read all blocks of the node; of one that is disabled, only which kinds it names."""
        meta = self.meta
        if not self.node.enabled:
            self._disabled(meta.get("statsig"))
            return
        marks = read_marks(self.node)
        own = (
            read_defaults(meta["statsig_defaults"], ("statsig_defaults",)) if "statsig_defaults" in meta else Defaults()
        )
        if "statsig" not in meta:
            faults = list(self._misspelt())
            if marks.present and not faults:
                message = "is missing: columns are marked, but no kind of source is named."
                faults.append(Fault(path=("statsig",), code="missing-key", message=message, fix=_NO_KIND))
            for fault in (*faults, *marks.faults):
                self._report(fault)
            if faults:
                self._all_kinds_faulty()
            return
        blocks = list(self._blocks(meta["statsig"]))
        for kind, raw, path in blocks:
            self._block(kind, raw, path, own, marks)
        if not self._enabled_blocks and not self.findings and blocks:
            return
        misspelt = list(self._misspelt())
        if misspelt:
            self._all_kinds_faulty()
        for fault in (*own.faults, *marks.faults, *misspelt, *self._unused(marks)):
            self._report(fault)
        self._check_relation()
        self._duplicate_keys()

    def note_version(self) -> None:
        """Note that the block of this version counts for nothing, as another version is the latest."""
        version, latest = self.node.version, self.node.latest_version
        message = f"is on version {version} of {self.node.name}, whose latest version is {latest}: it is ignored."
        self._report(Fault(path=("statsig",), code="not-latest-version", message=message))

    def _disabled(self, raw: object) -> None:
        """Note that the node is disabled in this target. What it owns in Statsig stays."""
        kinds = [kind for kind in BLOCK_KINDS if isinstance(raw, dict) and kind.value in raw]
        message = "is on a node that is disabled in this target: it is ignored."
        self._report(Fault(path=("statsig",), code="node-disabled", message=message))
        self.faulty.extend(FaultyBlock(kind=kind, unique_id=self.node.unique_id) for kind in kinds)

    def reject(self, code: str, message: str, fix: str) -> None:
        """Note that no block of this node can be a source."""
        self._report(Fault(path=("statsig",), code=code, message=message, fix=fix))
        self._all_kinds_faulty()

    def _report(self, fault: Fault, *, below: int = 0, kind: str = "", source: str = "") -> None:
        subject = dotted(fault.path[below:]) or dotted(fault.path)
        location = self.places.at(fault.path)
        # A folder's defaults reach many nodes: their place does not say which.
        whose = f" It applies to {self.node.unique_id}." if location and location.path == PROJECT else ""
        self.findings.append(
            finding(
                fault.code,
                f"`{subject}` {fault.message}{whose}",
                fix=fault.fix or CODES[fault.code].remedy,
                unique_id=self.node.unique_id,
                kind=kind,
                source=source,
                key=dotted(fault.path),
                location=location,
            )
        )

    def _all_kinds_faulty(self) -> None:
        self.faulty.extend(FaultyBlock(kind=kind, unique_id=self.node.unique_id) for kind in BLOCK_KINDS)

    def _blocks(self, raw: object) -> Iterator[tuple[Kind, Any, KeyPath]]:
        """Each block as it was written, with its path; faults of the frame around them are reported."""
        if not isinstance(raw, dict) or not raw:
            message = "does not name a kind of source." if raw == {} else f"takes a mapping, not {show(raw)}."
            code = "missing-key" if raw == {} else "wrong-type"
            self.reject(code, message, _NO_KIND)
            return
        for key, value in raw.items():
            if not isinstance(key, str) or key not in KINDS:
                fault = unknown_key(key, KINDS, message="is not a kind of source.")
                self._report(moved(fault, ("statsig",)))
                self._all_kinds_faulty()
                continue
            kind = Kind(key)
            if isinstance(value, (list, tuple)):
                if not value:
                    fault = Fault(path=("statsig", key), code="wrong-type", message="is an empty list.")
                    self._report(fault, kind=key)
                    self.faulty.append(FaultyBlock(kind=kind, unique_id=self.node.unique_id))
                yield from ((kind, item, ("statsig", key, index)) for index, item in enumerate(value))
            else:
                yield kind, value, ("statsig", key)

    def _block(self, kind: Kind, raw: object, path: KeyPath, own: Defaults, marks: Marks) -> None:
        before, disabled = len(self.declarations), len(self.disabled)
        holds_metrics = kind is Kind.METRIC_SOURCE and isinstance(raw, dict) and "metrics" in raw
        metrics = raw["metrics"] if holds_metrics and isinstance(raw, dict) else ()
        if holds_metrics and isinstance(raw, dict):
            raw = {key: value for key, value in raw.items() if key != "metrics"}
        self._source(kind, raw, path, own, marks)
        source = self.declarations[-1] if len(self.declarations) > before else None
        if len(self.disabled) > disabled:
            listed = metrics if isinstance(metrics, (list, tuple)) else ()
            names = [one.get("name") for one in listed if isinstance(one, dict)]
            self.disabled.extend(
                DeclaredName(kind=Kind.METRIC, unique_id=self.node.unique_id, name=name)
                for name in names
                if isinstance(name, str)
            )
        elif holds_metrics:
            self._metrics(metrics, (*path, "metrics"), own, source)

    def _metrics(self, raw: object, path: KeyPath, own: Defaults, source: Declaration | None) -> None:
        """The metrics of one metric source; without the source, none of them can be declared."""
        if not isinstance(raw, (list, tuple)):
            fix = "Write a list: `metrics: [{name: …, aggregation: …}]`."
            fault = Fault(path=path, code="wrong-type", message=f"takes a list of mappings, not {show(raw)}.", fix=fix)
            self._report(fault, kind=Kind.METRIC.value)
            self.faulty.append(FaultyBlock(kind=Kind.METRIC, unique_id=self.node.unique_id))
            return
        for index, one in enumerate(raw):
            below = (*path, index)
            if not isinstance(one, dict):
                message = f"takes a mapping, not {show(one)}."
                fault = Fault(path=below, code="wrong-type", message=message, fix="Write `name` and `aggregation`.")
                self._report(fault, kind=Kind.METRIC.value)
                self.faulty.append(FaultyBlock(kind=Kind.METRIC, unique_id=self.node.unique_id))
                continue
            defaults = (*self.defaults.layers(Kind.METRIC), *own.layers(Kind.METRIC))
            whole = read_metric(one, below, defaults)
            if whole.values.get("enabled") is False:
                name = whole.values.get("name", "")
                self.disabled.append(DeclaredName(kind=Kind.METRIC, unique_id=self.node.unique_id, name=name))
            elif source is None:
                self.faulty.append(FaultyBlock(kind=Kind.METRIC, unique_id=self.node.unique_id))
            else:
                self._finish(Kind.METRIC, below, whole, whole.faults, one, within=source)

    def _source(self, kind: Kind, raw: object, path: KeyPath, own: Defaults, marks: Marks) -> None:
        if isinstance(raw, str):
            block = read_layer({"name": raw}, fields_of(kind), path)
            block = Layer(
                values=block.values,
                origins=dict.fromkeys(block.origins, path),
                faulty=block.faulty,
                faults=tuple(
                    moved(Fault(path=(), code=f.code, message=f.message, fix=f.fix), path) for f in block.faults
                ),
            )
        elif isinstance(raw, dict):
            block = read_layer(raw, fields_of(kind), path)
        else:
            message = f"takes a mapping (or just a name), not {show(raw)}."
            fault = Fault(path=path, code="wrong-type", message=message, fix="Write at least `name`.")
            self._report(fault, kind=kind.value)
            self.faulty.append(FaultyBlock(kind=kind, unique_id=self.node.unique_id))
            return
        defaults = merged((self._event_time(), *self.defaults.layers(kind), *own.layers(kind)))
        if merged((defaults, block)).values.get("enabled") is False:
            name = block.values.get("name", "")
            self.disabled.append(DeclaredName(kind=kind, unique_id=self.node.unique_id, name=name))
            return
        self._enabled_blocks += 1
        table = merged((defaults, block)).values.get("source_type") == "table"
        applied = apply_marks(marks, kind, block, path, table=table)
        self._roles_taken |= applied.taken
        self._finish(kind, path, _together(defaults, applied.layer, block), (*block.faults, *applied.faults), raw)

    def _finish(
        self,
        kind: Kind,
        path: KeyPath,
        whole: Layer,
        faults: tuple[Fault, ...],
        raw: object,
        *,
        within: Declaration | None = None,
    ) -> None:
        given = raw if isinstance(raw, str) else raw.get("name") if isinstance(raw, dict) else None
        name = whole.values.get("name", "")
        source = name or (printable(given) if isinstance(given, str) else "")
        values = dict(whole.values)
        # As a default it would rule out every source with fixed properties.
        fixed = "timestamp_column" not in SPECS[kind].required and not values.get("timestamp_column")
        if fixed and whole.origins.get("timestamp_as_day", path)[: len(path)] != path:
            values.pop("timestamp_as_day", None)
        block = Layer(values=values, origins=whole.origins, faulty=whole.faulty)
        for fault in (*faults, *check(kind, block, path)):
            below = len(path) if fault.path[: len(path)] == path else 0
            self._report(fault, below=below, kind=kind.value, source=source)
        if not name:
            self.faulty.append(FaultyBlock(kind=kind, unique_id=self.node.unique_id, name=source))
            return
        self.declarations.append(
            Declaration(
                kind=kind,
                node=self.node,
                meta=SPECS[kind].block(**values),
                name=name,
                key=dotted(path),
                path=path,
                places=self.places,
                origins=whole.origins,
                within=within,
            )
        )

    def _event_time(self) -> Layer:
        if not self.node.event_time.strip():
            return Layer()
        return Layer(values={"timestamp_column": self.node.event_time}, origins={"timestamp_column": ("event_time",)})

    def _misspelt(self) -> Iterator[Fault]:
        if "statsig" in self.node.config:
            why, fix = "is under `config`, where it is not read.", "Move it under `meta`, to `config.meta.statsig`."
            yield Fault(path=("statsig",), code="unknown-key", message=why, fix=fix)
        owners: list[tuple[KeyPath, dict[str, Any], tuple[str, ...]]] = [((), self.node.meta, META_KEYS)]
        owners.extend((("columns", column.name), column.meta, ("statsig",)) for column in self.node.columns.values())
        for prefix, meta, known in owners:
            for key, value in meta.items():
                resembles = str(key).casefold().startswith("statsig") or (not prefix and is_misspelled(key, value))
                if resembles and key not in META_KEYS:
                    yield unknown_key(key, known, prefix)

    def _unused(self, marks: Marks) -> Iterator[Fault]:
        for field, mark in marks.roles.items():
            if field not in self._roles_taken and self._enabled_blocks:
                message = f"gives `{field}`, which no block of this node takes."
                yield Fault(path=mark.path, code="key-not-allowed", message=message, fix="Remove the mark.")

    def _check_relation(self) -> None:
        if self.node.materialized == "ephemeral":
            why = "is on an ephemeral model: dbt builds no table for it."
        elif not self.node.relation_name:
            why = "is on a node for which dbt names no table or view."
        else:
            return
        fix = "Materialise it as a table or view, or set `enabled: false` in the block."
        self._report(Fault(path=("statsig",), code="not-a-relation", message=why, fix=fix))

    def _duplicate_keys(self) -> None:
        for path, first, place in self.places.duplicates():
            holders = [found for found in self.declarations if path[: len(found.path)] == found.path]
            self.findings.append(
                finding(
                    "duplicate-key",
                    f"`{dotted(path)}` is already given in line {first}. YAML keeps only the last one.",
                    fix="Remove or merge one of the two.",
                    unique_id=self.node.unique_id,
                    kind=holders[0].kind.value if holders else "",
                    source=holders[0].name if holders else "",
                    key=dotted(path),
                    location=place,
                )
            )


def _together(defaults: Layer, marks: Layer, block: Layer) -> Layer:
    """Defaults below marks below the block; the mapping of marks already holds the block's."""
    mapping = "id_type_mapping"
    if mapping in marks.values:
        values = {key: value for key, value in block.values.items() if key != mapping}
        origins = {key: path for key, path in block.origins.items() if key != mapping}
        block = Layer(values=values, origins=origins, faulty=block.faulty)
    return merged((defaults, marks, block))


def settings_findings(defaults: Defaults, places: Places) -> list[Finding]:
    """The faults in the settings' own defaults; they concern the whole project."""
    return [
        finding(
            fault.code,
            f"`{dotted(fault.path[1:])}` {fault.message}",
            fix=fault.fix or CODES[fault.code].remedy,
            key=dotted(fault.path[1:]),
            location=places.setting(fault.path[1:]),
        )
        for fault in defaults.faults
        if fault.path[0] == SETTINGS
    ]


def misspelt_mark(node: Node | None) -> str:
    """The meta key of an unmarked node that holds a block of some kind: `statsig` misspelt; or empty."""
    if node is None or META_KEYS[0] in node.meta:
        return ""
    blocks = (key for key, value in node.meta.items() if isinstance(value, dict) and not value.keys().isdisjoint(KINDS))
    return next((str(key) for key in blocks if key not in META_KEYS), "")


def check(kind: Kind, block: Layer, path: KeyPath) -> Iterator[Fault]:
    """Every fault of a merged block whose keys are right each by itself."""
    yield from _missing(kind, block, path)
    yield from _ruled_out(kind, block, path)
    if block.origins.get("partition_type", ())[:-1] == path and "partition_column" not in block.values:
        yield Fault(
            path=(*path, "partition_type"),
            code="key-not-allowed",
            message="says how to read a partition column, but the block has no partition_column.",
            fix="Add partition_column, or remove partition_type.",
        )
    # Where a timestamp is required, its absence has its own finding.
    needed = {*SPECS[kind].required, *block.faulty}
    fixed = "timestamp_column" not in needed and not block.values.get("timestamp_column")
    if fixed and block.values.get("timestamp_as_day"):
        yield Fault(
            path=block.origins.get("timestamp_as_day", path),
            code="key-not-allowed",
            message="says how to read a timestamp, but the block has no timestamp_column.",
            fix="Add timestamp_column, or remove timestamp_as_day.",
        )


def _missing(kind: Kind, block: Layer, path: KeyPath) -> Iterator[Fault]:
    for key in SPECS[kind].required:
        if block.values.get(key) is not None or key in block.faulty:
            continue
        fix = f"Add `{key}` to the block."
        if key == "id_type_mapping":
            fix = "Add `id_type_mapping: {userID: <column>}`, or mark the column with `unit_id`."
        elif role := next((role for role, field in column_roles().items() if field == key), ""):
            fix = f"Add `{key}`, or mark the column with `role: {role}`."
        message = f"is missing: every {kind.label} needs it."
        yield Fault(path=(*path, key), code="missing-key", message=message, fix=fix)


def _ruled_out(kind: Kind, block: Layer, path: KeyPath) -> Iterator[Fault]:
    values = block.values
    built = fields_with(SPECS[kind].block, Role.QUERY_PART)
    table = values.get("source_type") == "table"
    if "sql" in values:
        for key in (key for key in built if key in values):
            yield _clash(block, path, key, "sql", "is part of the query that is built, but `sql` gives its own.")
    if table:
        for key in (key for key in ("sql", *built) if key in values):
            yield _clash(block, path, key, "source_type", "needs a query, but `source_type` is table.")
    else:
        for key in (key for key in SPECS[kind].fields(Role.TABLE_ONLY) if key in values):
            yield _clash(block, path, key, "source_type", "is only for `source_type: table`.")


def _clash(block: Layer, path: KeyPath, key: str, other: str, message: str) -> Fault:
    origin, against = block.origins.get(key, (*path, key)), block.origins.get(other, (*path, other))
    given = "" if against[:-1] == path or other not in block.values else f" ({against[0]} gives `{other}`.)"
    return Fault(path=origin, code="key-not-allowed", message=message + given, fix=f"Remove `{key}` or `{other}`.")
