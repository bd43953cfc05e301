"""`exposures`: the experiments that read the project's nodes, as dbt exposures. Statsig is only read."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import yaml
from msgspec import structs

from dbt_statsig.applying.console_state import begin_reading
from dbt_statsig.commands.pipeline import load_project
from dbt_statsig.commands.plan import open_console
from dbt_statsig.console.key import ApiKey
from dbt_statsig.errors import ConsoleError, ProtocolError, UsageError
from dbt_statsig.importing.exposures import MARK, TABLES, Tables, exposures_of, exposures_yaml, nodes_of, tables_yaml
from dbt_statsig.planning.asked import Live
from dbt_statsig.planning.owned import owned_nodes
from dbt_statsig.project.inputs import PROJECT_FILE
from dbt_statsig.support.files import read_regular, write_whole
from dbt_statsig.vocabulary.exposures import DbtYaml
from dbt_statsig.vocabulary.kinds import EXPERIMENT_SOURCES
from dbt_statsig.vocabulary.progress import Progress, Silent
from dbt_statsig.vocabulary.uses import Uses

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from dbt_statsig.commands.pipeline import LoadedProject
    from dbt_statsig.project.request import Request
    from dbt_statsig.vocabulary.experiments import Metric

_TAGS_IN_CONFIG = (1, 10)
"""The dbt version from which on an exposure's tags are a part of its config; before, dbt does not read them there."""
_ENDINGS = (".yml", ".yaml")
_FOLDERS = {
    "model-paths": "models",
    "seed-paths": "seeds",
    "snapshot-paths": "snapshots",
    "analysis-paths": "analyses",
    "macro-paths": "macros",
}
_UNREAD = "dbt does not read {}: it is in no folder of the project's `model-paths`."


def exposures(
    request: Request, *, metrics: bool = False, write: Path | None = None, progress: Progress | None = None
) -> DbtYaml:
    """One exposure for each active experiment that reads a node of the project, and with `metrics` for each metric.

    The project's sources in Statsig are known by their ownership lines, in any namespace: every dbt target gives the
    same file. Raises as `validate`, ConsoleError where a list cannot be read, and UsageError for a file to `write` that
    this program did not make, or that would be the second one with an exposure. An incomplete list is a warning, and
    is not written; neither is a file where Statsig has no source of the project.
    """
    _check_path(write)
    project = load_project(request)
    progress = progress or Silent()
    with open_console(project, progress) as client:
        lists = begin_reading(client, EXPERIMENT_SOURCES, progress).result()
        progress.say("Reading experiments")
        found, doubt = client.experiments()
        watched: tuple[Metric, ...] = ()
        if metrics or any(one.metrics or one.metric_tags for one in found if one.is_running):
            progress.say("Reading metrics")
            watched, more = client.metrics()
            doubt = doubt or more
        warnings = list(client.warnings)
        requests = client.requests
    doubt = next(filter(None, (doubt, *(one.doubt for one in lists.values()))), "")
    name = project.inputs.project
    live = {kind: Live(items=one.items) for kind, one in lists.items()}
    nodes = nodes_of(owned_nodes(live, lambda line: line.project == name), project.manifest.node, name)
    if not nodes.by_source:
        warnings.append(f'Statsig has no source of the dbt project "{name}": run `dbt-statsig sync` first.')
    made, unclear = exposures_of(Uses(found, watched), nodes, metrics=metrics)
    text = exposures_yaml(made, tags_in_config=_version(project.manifest.dbt_version) >= _TAGS_IN_CONFIG)
    if doubt and write is not None:
        raise ProtocolError(
            f"{write} was not written: Statsig's lists may be incomplete ({doubt}).", fix="Run it again."
        )
    if write is not None and not nodes.by_source:
        raise UsageError(
            f'{write} was not written: Statsig has no source of the dbt project "{name}".',
            fix="Run `dbt-statsig sync` first, and check that the key is of the right Statsig project.",
        )
    _check_unique(project, [f"exposure.{name}.{one.name}" for one in made], write)
    warnings += [f"Statsig's lists may be incomplete: {doubt}."] if doubt else []
    result = DbtYaml(text=text, exposures=made, warnings=(*warnings, *unclear), requests=requests)
    return _written(result, write, project.inputs.project_dir)


def statsig_tables(request: Request, tables: Tables, *, write: Path | None = None) -> DbtYaml:
    """A dbt source with the tables that Statsig writes; with a key, also columns of the project's own unit IDs.

    Raises as `validate`, and UsageError as `exposures`.
    """
    _check_path(write)
    project = load_project(request)
    warnings: list[str] = []
    requests = 0
    if ApiKey.from_environment(request.environ) is None:
        warnings.append("No Console API key is set, so columns of custom unit IDs are not listed.")
    else:
        with open_console(project, Silent()) as client:
            try:
                tables = structs.replace(tables, units=client.unit_ids())
            except ConsoleError as error:
                warnings.append(f"Custom unit IDs were not read: {error}")
            requests = client.requests
    _check_unique(project, [f"source.{project.inputs.project}.{one}" for one in TABLES], write)
    result = DbtYaml(text=tables_yaml(tables), warnings=tuple(warnings), requests=requests)
    return _written(result, write, project.inputs.project_dir)


def table_places(
    *, schema: str | None = None, database: str | None = None, exposures: str | None = None, events: str | None = None
) -> Tables:
    """Where Statsig's tables are; what is not given is as Statsig sets it up."""
    given = {"schema": schema, "database": database, "exposures": exposures, "events": events}
    return structs.replace(Tables(), **{name: value for name, value in given.items() if value})


def _version(text: str) -> tuple[int, ...]:
    """Major and minor version; a text that is none counts as the newest."""
    parts = text.split(".")[:2]
    return tuple(map(int, parts)) if len(parts) > 1 and all(one.isdecimal() for one in parts) else _TAGS_IN_CONFIG


def _check_path(path: Path | None) -> None:
    """Raise UsageError for a file that is not this program's to write."""
    if path is None:
        return
    if path.suffix not in _ENDINGS:
        raise UsageError(
            f"{path} is not a YAML file.", fix="Name a .yml file in a folder of the project's `model-paths`."
        )
    if path.exists() and not _content(path).startswith(MARK):
        raise UsageError(
            f"{path} was not made by dbt-statsig, so it is not overwritten.", fix="Name another file, or delete it."
        )


def _check_unique(project: LoadedProject, unique_ids: Collection[str], path: Path | None) -> None:
    """Raise UsageError where another file has one of them already: dbt parses no project that has one twice."""
    if path is None:
        return
    root, summaries = project.inputs.project_dir, project.manifest.summaries()
    elsewhere = {one: summaries[one].path for one in unique_ids if one in summaries} | {
        unique_id: str(file.relative_to(root) if file.is_relative_to(root) else file)
        for file in _own_files(root)
        for unique_id in _written_in(file, project.inputs.project)
    }
    for unique_id in unique_ids:
        place = elsewhere.get(unique_id, "")
        if place and (root / place).is_file() and (root / place).resolve() != path.resolve():
            kind, _, name = unique_id.split(".", 2)
            raise UsageError(
                f"{path} was not written: {place} has the {kind} {name} already, and dbt allows no second one.",
                fix=f"Remove it there and run `dbt parse`, or give --write {place}.",
            )


def _folders(root: Path) -> tuple[Path, ...]:
    """The folders in which dbt reads property files; none where only dbt can tell."""
    try:
        found = yaml.safe_load(read_regular(root / PROJECT_FILE).decode("utf-8-sig"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return ()
    keys = found if isinstance(found, dict) else {}
    given = [keys.get(key) or [usual] for key, usual in _FOLDERS.items()]
    named = [name for names in given for name in (names if isinstance(names, list) else [names])]
    if not all(isinstance(name, str) and "{" not in name for name in named):
        return ()
    return tuple(root / name for name in named)


def _own_files(root: Path) -> Iterator[Path]:
    """The files of this program that dbt reads, whether dbt has read them yet or not."""
    for file in {file for folder in _folders(root) for end in _ENDINGS for file in folder.rglob(f"*{end}")}:
        with suppress(OSError):
            if read_regular(file).startswith(MARK.encode()):
                yield file


def _written_in(file: Path, project: str) -> Iterator[str]:
    """The unique_ids of the exposures and source tables in a file of this program."""
    with suppress(OSError, UnicodeDecodeError, yaml.YAMLError, TypeError, KeyError, AttributeError):
        content = yaml.safe_load(read_regular(file).decode())
        yield from (f"exposure.{project}.{one['name']}" for one in content.get("exposures") or ())
        for one in content.get("sources") or ():
            yield from (f"source.{project}.{one['name']}.{table['name']}" for table in one["tables"])


def _content(path: Path) -> str:
    try:
        return read_regular(path).decode("utf-8", "replace")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}.", fix="Name another file.") from None


def _written(result: DbtYaml, path: Path | None, root: Path) -> DbtYaml:
    """The result, in the file if there is one; a file with the same content is not touched."""
    if path is None:
        return result
    changed = not path.exists() or _content(path) != result.text
    if changed:
        write_whole(path, result.text.encode(), private=False)
    folders = _folders(root)
    unread = [_UNREAD.format(path)] if folders and not any(_is_in(path, folder) for folder in folders) else []
    return structs.replace(result, path=str(path), written=changed, warnings=(*result.warnings, *unread))


def _is_in(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())
