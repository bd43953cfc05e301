"""The blocks and new models of an import in the project's files, and the list of imported objects that `sync` reads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct, json, structs

from dbt_statsig.errors import DbtStatsigError
from dbt_statsig.importing.yaml_files import BlockEdit, FileEdit, MetricsEdit, Refusal, edit_files, write_files
from dbt_statsig.project.artifacts.nodes import BUILT, Node
from dbt_statsig.project.import_list import ListedObject
from dbt_statsig.support.files import read_regular
from dbt_statsig.vocabulary.imports import Exactness, Imported, ImportedFile, ImportedObject
from dbt_statsig.vocabulary.sources import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from dbt_statsig.columns.prover import Prover
    from dbt_statsig.importing.matching import Match
    from dbt_statsig.vocabulary.sources import Source

PROPERTIES = "_statsig.yml"
_OTHER = re.compile(r"[^a-z0-9]+")


def in_files(
    result: Imported,
    root: Path,
    node_of: Callable[[str], Node | None],
    *,
    accept_changes: bool,
    models: Mapping[str, NewModel],
) -> tuple[Imported, Sequence[FileEdit]]:
    """The import with the files that its blocks change, and those edits; nothing is written.

    An object whose block no file can take is not imported.
    """
    allowed = {Exactness.NEW_MODEL, Exactness.CHANGES} if accept_changes else {Exactness.NEW_MODEL}
    wanted = [one for one in result.objects if one.block and (one.exactness.is_proven or one.exactness in allowed)]
    edits = _edits(wanted, lambda one: models[one].node if one in models else node_of(one))
    files, refusals = edit_files(root, {id(edit): edit for edit in edits.values()}.values())
    made, unmade = _model_files(root, models)
    refusals += [
        Refusal(edit=edit, reason=unmade[one]) for edit in edits.values() if (one := edit.node.unique_id) in unmade
    ]
    refused = {id(refusal.edit): refusal.reason for refusal in refusals}
    objects = tuple(
        one if id(one) not in edits else _placed(one, refused.get(id(edits[id(one)]), "")) for one in result.objects
    )
    files += made
    shown = tuple(ImportedFile(path=file.shown, is_new=file.before is None, diff=file.diff()) for file in files)
    return structs.replace(result, objects=objects, files=shown), files


def _edits(
    wanted: Sequence[ImportedObject], node_of: Callable[[str], Node | None]
) -> dict[int, BlockEdit | MetricsEdit]:
    """The edit of each object, by its identity: metrics are in that of their source, which may have a block already."""
    metrics: dict[str, list[ImportedObject]] = {}
    for one in wanted:
        if one.kind is Kind.METRIC:
            metrics.setdefault(one.within, []).append(one)
    edits: dict[int, BlockEdit | MetricsEdit] = {}
    for one in wanted:
        node = node_of(one.unique_id)
        if node is None or one.kind is Kind.METRIC:
            continue
        below = metrics.pop(str(one.block["name"]), []) if one.kind is Kind.METRIC_SOURCE else []
        more = {"metrics": [dict(metric.block) for metric in below]} if below else {}
        edit = BlockEdit(node=node, kind=one.kind.value, block={**one.block, **more})
        edits |= dict.fromkeys(map(id, (one, *below)), edit)
    for below in metrics.values():
        if (node := node_of(below[0].unique_id)) is not None:
            listed = tuple(dict(metric.block) for metric in below)
            edits |= dict.fromkeys(map(id, below), MetricsEdit(node=node, source=below[0].within, metrics=listed))
    return edits


def _model_files(root: Path, models: Mapping[str, NewModel]) -> tuple[list[FileEdit], dict[str, str]]:
    """The files of the new models, and why some cannot be made."""
    files, refused = [], {}
    for unique_id, model in models.items():
        path = root / model.path
        if path.exists():
            refused[unique_id] = f"{model.path} already exists."
        else:
            files.append(FileEdit(path=path, shown=model.path, before=None, after=model.text.encode()))
    return files, refused


def _placed(one: ImportedObject, reason: str) -> ImportedObject:
    if not reason:
        return structs.replace(one, is_written=True)
    return structs.replace(one, exactness=Exactness.NOT_IMPORTED, reason=reason)


def write_import(result: Imported, files: Iterable[FileEdit], path: Path, *, waiting: Iterable[ListedObject]) -> None:
    """Write all files and the list at `path`, or none; `waiting` are objects of earlier imports.

    Raises DbtStatsigError where that cannot be done.
    """
    listed = {(one.kind, one.name): one for one in waiting}
    for one in result.objects:
        if one.is_written and one.exactness is not Exactness.NEW_MODEL:
            listed[one.kind, one.name] = ListedObject(
                kind=one.kind, name=one.name, unique_id=one.unique_id, exactness=one.exactness.value
            )
    content = json.format(json.encode(list(listed.values())), indent=2) + b"\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        before = read_regular(path) if path.exists() else None
    except OSError as error:
        raise DbtStatsigError(
            f"{path} cannot be written: {error.strerror or error}. No file was changed.",
            fix="Remove it, or use another --target-path.",
        ) from None
    # The list first: listing what has no block yet changes nothing, should the process be killed in between.
    write_files([FileEdit(path=path, shown=str(path), before=before, after=content), *files])


class NewModel(Struct, frozen=True, kw_only=True):
    """A model that is not there yet, as the node that it will be, and the text of its file."""

    node: Node
    path: str
    text: str


class ModelMaker:
    """Makes models for one import; each has a name of its own."""

    def __init__(self, prover: Prover, project: str, folder: str, taken: frozenset[str]) -> None:
        """`folder` is where the models go, as seen from the project; `taken` are the names of the project's nodes."""
        self._prover = prover
        self._project = project
        self._folder = folder
        self._taken = set(taken)

    def make(self, live: Source, match: Match) -> NewModel | str:
        """The model of an object's query, or why there can be none."""
        sql = live.sql if isinstance(live.sql, str) else ""
        if match.is_table or not match.tables:
            return match.why
        if "{statsig_" in sql:
            return f"{match.why} It cannot become a model: Statsig's date macros are part of its SQL."
        name = _OTHER.sub("_", live.name.casefold()).strip("_")
        if not name or name in self._taken or name[0].isdigit():
            return f'{match.why} It cannot become a model: "{name}" cannot be the name of a new one.'
        text = self._with_references(sql, match)
        if text is None:
            return f"{match.why} It cannot become a model: it is not certain where its tables are named."
        self._taken.add(name)
        node = Node(
            unique_id=f"model.{self._project}.{name}",
            name=name,
            resource_type="model",
            package_name=self._project,
            compiled_code=sql,
            depends_on=tuple(node.unique_id for table in match.tables for node in self._prover.meant(table.parts)),
            materialized="view",
            path=f"{self._folder}/{PROPERTIES}",
        )
        path = f"{self._folder}/{name}.sql"
        return NewModel(node=node, path=path, text=text.rstrip().rstrip(";").rstrip() + "\n")

    def _with_references(self, sql: str, match: Match) -> str | None:
        """The text in which each table that is one node of the project is its reference; None where it is not clear."""
        text = sql
        for table in sorted(match.tables, key=lambda one: one.start, reverse=True):
            nodes = self._prover.meant(table.parts)
            chosen = [node for node in nodes if node.resource_type in BUILT] or list(nodes)
            if len(chosen) > 1 or table.start < 0:
                return None
            if chosen:
                text = f"{text[: table.start]}{{{{ {self._reference(chosen[0])} }}}}{text[table.end :]}"
        return text

    def _reference(self, node: Node) -> str:
        if node.resource_type == "source":
            return f"source('{node.source_name}', '{node.name}')"
        package = "" if node.package_name == self._project else f"'{node.package_name}', "
        version = "" if node.is_latest else f", v={node.version!r}"
        return f"ref({package}'{node.name}'{version})"
