"""What a project declares, as far as dbt's parser knows it: the content of target/statsig.json.

At parse time there is no compiled SQL, so nothing is inferred: a column counts as proven or absent only under an
enforced contract, and SQL that users wrote is not checked yet. httpx is never loaded, and sqlglot only where metrics of
dbt's semantic layer are taken.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from dbt_statsig import __version__
from dbt_statsig.columns.evidence import Facts
from dbt_statsig.columns.prover import Prover
from dbt_statsig.commands.proving import declared_in, payloads_of
from dbt_statsig.dbt_runtime.manifest import live_manifest
from dbt_statsig.project.settings import resolve
from dbt_statsig.report.documents import DeclaredFinding
from dbt_statsig.report.json import declared_finding
from dbt_statsig.vocabulary.findings import Severity
from dbt_statsig.vocabulary.kinds.base import wire_form
from dbt_statsig.vocabulary.verdicts import ColumnSet, SqlCheck

if TYPE_CHECKING:
    from pathlib import Path

    from dbt_statsig.project.artifacts import Manifest, Node
    from dbt_statsig.project.declarations import Declaration
    from dbt_statsig.project.settings import Settings

SCHEMA_VERSION = 1
NOT_COMPILED = "nothing is compiled at parse time"


class DeclaredSource(Struct, frozen=True, kw_only=True):
    """One declared source.

    `payload` is what Statsig would be sent, in the form of its API. Its `sql` is null where it needs columns that
    only compiled code shows. `is_proven` says that all its columns are known already, from a contract.
    """

    kind: str
    name: str
    unique_id: str
    relation_name: str | None
    path: str | None
    is_proven: bool
    payload: dict[str, Any] | None


class DeclaredFile(Struct, frozen=True, kw_only=True):
    """The content of target/statsig.json; `fingerprint` changes with whatever else in it may change."""

    fingerprint: str
    schema_version: int
    version: str
    project: str
    target: str
    adapter: str
    dbt_version: str
    sources: tuple[DeclaredSource, ...]
    findings: tuple[DeclaredFinding, ...]


class ParsingProver(Prover):
    """A prover for parse time: contracts and YAML only, and no look into any SQL."""

    def check_predicate(
        self,
        node: Node,  # noqa: ARG002 - the signature is the prover's
        sql: str,  # noqa: ARG002
        *,
        macros: frozenset[str],  # noqa: ARG002
        columns: ColumnSet | None = None,  # noqa: ARG002
        of_row: bool = False,  # noqa: ARG002
    ) -> SqlCheck:
        """Nothing is checked yet."""
        return SqlCheck()

    def check_query(self, node: Node, sql: str, *, macros: frozenset[str]) -> SqlCheck:  # noqa: ARG002 - as above
        """Nothing is checked yet, and no column known."""
        return SqlCheck(columns=ColumnSet(columns=(), closed=False, reasons=(NOT_COMPILED,)))

    def facts(self, node: Node) -> Facts:
        """What a contract says; else nothing."""
        if node.contract_enforced:
            return super().facts(node)
        return Facts(label=f"T{node.label[1:]}", inferred_reasons=(NOT_COMPILED,))


def declared_json(dbt_manifest: Any, *, project_dir: Path, target: str, fingerprint: str) -> str:
    """The text of the file for dbt's live manifest.

    Raises SettingsError where the project's settings cannot be used.
    """
    settings = resolve(project_dir, os.environ, {}).settings
    all_metrics = settings.semantic_layer.metrics == "all"
    manifest = live_manifest(dbt_manifest, only_marked=True, all_metrics=all_metrics)
    content = declared_file(manifest, settings=settings, target=target, fingerprint=fingerprint)
    return msgspec.json.format(msgspec.json.encode(content), indent=2).decode() + "\n"


def declared_file(manifest: Manifest, *, settings: Settings, target: str, fingerprint: str) -> DeclaredFile:
    """What the marked nodes of a manifest declare."""
    declared = declared_in(manifest, settings, target, places=None)
    payloads = payloads_of(
        declared.declarations,
        ParsingProver(manifest),
        project=manifest.project_name,
        settings=settings,
        target=target,
    )
    errors = (found for _, built in payloads for found in built.findings if found.severity is Severity.ERROR)
    sources = (
        _source(one, None if built.payload is None else wire_form(built.payload), is_proven=bool(built.selected))
        for one, built in payloads
    )
    return DeclaredFile(
        fingerprint=fingerprint,
        schema_version=SCHEMA_VERSION,
        version=__version__,
        project=manifest.project_name,
        target=target,
        adapter=manifest.adapter_type,
        dbt_version=manifest.dbt_version,
        sources=tuple(sources),
        findings=tuple(map(declared_finding, (*declared.findings, *errors))),
    )


def _source(declaration: Declaration, payload: dict[str, Any] | None, *, is_proven: bool) -> DeclaredSource:
    node = declaration.node
    meta: Any = declaration.meta
    written = isinstance(getattr(meta, "sql", None), str) or getattr(meta, "source_type", None) == "table"
    if payload is not None and not is_proven and not written and declaration.within is None:
        payload = {**payload, "sql": None}
    return DeclaredSource(
        kind=declaration.kind.value,
        name=declaration.name,
        unique_id=node.unique_id,
        relation_name=node.relation_name,
        path=node.patch_path or node.path or None,
        is_proven=is_proven,
        payload=payload,
    )
