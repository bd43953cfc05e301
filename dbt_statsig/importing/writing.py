"""The blocks of an import in the project's files, and the list of imported objects that `sync` reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import json, structs

from dbt_statsig.errors import DbtStatsigError
from dbt_statsig.importing.yaml_files import BlockEdit, FileEdit, Refusal, edit_files, write_files
from dbt_statsig.project.import_list import ListedObject
from dbt_statsig.support.files import read_regular
from dbt_statsig.vocabulary.imports import Exactness, Imported, ImportedFile, ImportedObject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from dbt_statsig.importing.new_models import NewModel
    from dbt_statsig.project.artifacts.nodes import Node


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
    wanted = {
        id(one): one for one in result.objects if one.block and (one.exactness.is_proven or one.exactness in allowed)
    }
    edits = {
        key: BlockEdit(node=node, kind=one.kind.value, block=dict(one.block))
        for key, one in wanted.items()
        if (node := models[one.unique_id].node if one.unique_id in models else node_of(one.unique_id)) is not None
    }
    files, refusals = edit_files(root, edits.values())
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


def _model_files(root: Path, models: Mapping[str, NewModel]) -> tuple[list[FileEdit], dict[str, str]]:
    """The files of the new models, and why some cannot be made."""
    files, refused = [], {}
    for unique_id, model in models.items():
        path = root / model.path
        if path.exists():
            refused[unique_id] = f"{model.path} is there already."
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
