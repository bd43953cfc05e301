"""What a change does upstream of the sources: models that lose columns, are renamed, or are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from dbt_statsig.columns.prover import Prover
from dbt_statsig.project.artifacts import Manifest
from dbt_statsig.vocabulary.findings import CODES, Finding, Location, finding, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dbt_statsig.project.artifacts import Node
    from dbt_statsig.vocabulary.results import SourceReport
    from dbt_statsig.vocabulary.verdicts import ColumnSet

_WITH_SQL = frozenset({"model", "snapshot"})


class Side(Struct, frozen=True, kw_only=True):
    """One side of a comparison."""

    manifest: Manifest
    prover: Prover

    def columns(self, unique_id: str) -> ColumnSet | None:
        """What the code says of a node's columns; None where there is no such node."""
        node = self.manifest.node(unique_id)
        return None if node is None else self.prover.columns(node)

    def above(self, unique_id: str) -> dict[str, Node]:
        """The models and snapshots that stand above a node."""
        found: dict[str, Node] = {}
        node = self.manifest.node(unique_id)
        todo = list(node.depends_on) if node else []
        while todo:
            current = todo.pop()
            parent = None if current in found else self.manifest.node(current)
            if parent is not None and parent.resource_type in _WITH_SQL:
                found[current] = parent
                todo += parent.depends_on
        return found


def upstream_effects(pairs: Iterable[tuple[SourceReport, SourceReport]], here: Side, there: Side) -> Iterator[Finding]:
    """One note for each model above a source that changed in a way that may reach it."""
    readers: dict[str, list[SourceReport]] = {}
    parents: dict[str, Node] = {}
    compared: set[str] = set()
    for old, new in pairs:
        if old.unique_id == new.unique_id:
            compared.add(new.unique_id)
        for unique_id, parent in there.above(old.unique_id).items():
            parents[unique_id] = parent
            readers.setdefault(unique_id, []).append(new)
    unclear = [unique_id for unique_id in sorted(compared) if _is_unclear(unique_id, here, there)]
    for unique_id, sources in sorted(readers.items()):
        node = here.manifest.node(unique_id)
        if node is None or not node.enabled:
            yield _note(
                "impact-upstream-gone", unique_id, f"{unique_id} {_fate(parents[unique_id], here, there)}", sources
            )
            continue
        lost = _lost(unique_id, here, there)
        if lost is None:
            unclear.append(unique_id)
        elif lost:
            text = f"{unique_id} loses {', '.join(lost)}"
            yield _note("impact-upstream-column-dropped", unique_id, text, sources, path=node.path)
    if unclear:
        text = f"The columns of {listed(unclear)} could not be compared."
        yield finding("impact-unknown", text, fix=CODES["impact-unknown"].remedy)


def _lost(unique_id: str, here: Side, there: Side) -> list[str] | None:
    """The columns that a node had and has no more; None where that is unknown."""
    was, now = there.columns(unique_id), here.columns(unique_id)
    if was is None or now is None or not now.is_complete:
        return None
    same = here.prover.adapter.key
    have = {same(column.name) for column in now.columns}
    lost = [column.name for column in was.columns if same(column.name) not in have]
    return lost if lost or was.is_complete else None


def _is_unclear(unique_id: str, here: Side, there: Side) -> bool:
    node = here.manifest.node(unique_id)
    return node is not None and node.resource_type in _WITH_SQL and _lost(unique_id, here, there) is None


def _fate(old: Node, here: Side, there: Side) -> str:
    """`is now called …` where a new model has the same SQL or the same table name, else `is gone`."""
    for other, summary in here.manifest.summaries().items():
        if summary.resource_type != old.resource_type or there.manifest.node(other) is not None:
            continue
        node = here.manifest.node(other)
        if node and (node.identifier == old.identifier or _same_sql(node, old)):
            return f"is now called {other}"
    return "is gone"


def _same_sql(one: Node, other: Node) -> bool:
    return bool(one.compiled_code) and (one.compiled_code or "").split() == (other.compiled_code or "").split()


def _note(code: str, unique_id: str, text: str, sources: list[SourceReport], *, path: str = "") -> Finding:
    fed = listed([f'the {source.kind.label} "{source.name}"' for source in sources])
    place = Location(path) if path else next((source.location for source in sources if source.location), None)
    return finding(code, f"{text}; it feeds {fed}.", fix=CODES[code].remedy, unique_id=unique_id, location=place)
