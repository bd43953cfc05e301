"""The public Python API: the request and the eleven functions that take it. `docs/python.md` describes it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct, field
from msgspec.structs import force_setattr

from dbt_statsig.commands import columns as columns_command
from dbt_statsig.commands import debug as debug_command
from dbt_statsig.commands import exposures as exposures_command
from dbt_statsig.commands import importing as import_command
from dbt_statsig.commands import init as init_command
from dbt_statsig.commands import plan as plan_command
from dbt_statsig.commands import release as release_command
from dbt_statsig.commands import reload as reload_command
from dbt_statsig.commands import sync as sync_command
from dbt_statsig.commands import validate as validate_command
from dbt_statsig.errors import UsageError
from dbt_statsig.project.dbt_command import dbt_for
from dbt_statsig.project.request import Request as Run
from dbt_statsig.vocabulary.findings import did_you_mean
from dbt_statsig.vocabulary.results import Synced
from dbt_statsig.vocabulary.sources import Kind

if TYPE_CHECKING:
    from dbt_statsig.vocabulary.exposures import DbtYaml
    from dbt_statsig.vocabulary.imports import FirstBlocks, Imported
    from dbt_statsig.vocabulary.inspections import Diagnosis, Listing
    from dbt_statsig.vocabulary.progress import Progress
    from dbt_statsig.vocabulary.reloads import Reloaded
    from dbt_statsig.vocabulary.results import Planned, Validation

T = TypeVar("T")


def _environment() -> Mapping[str, str]:
    return os.environ


class Request(Struct, frozen=True, kw_only=True):
    """What a run reads, what it is about, and what it may do. Raises UsageError for a value of a wrong type.

    Paths are texts or Path objects; those that are not given are found from `project_dir` as dbt finds them.
    `select` and `exclude` are dbt's own methods, as one text with blanks or a list of texts. `selector` names one of
    selectors.yml. `state` is a folder of artifacts to compare with. dbt is started for a selection that a manifest
    cannot answer. `kinds` are kinds of sources, as Kind or text; empty means all.

    With `run_results` (a file of dbt's), only what that dbt command built is in scope. With `require_fresh`, YAML that
    is newer than the manifest is an error. With `warehouse`, `validate` also asks the warehouse, through dbt. With
    `strict`, warnings are errors.

    `flags` are settings that win over the environment, which wins over dbt_statsig.yml. `environ` is the environment
    to read, the Console API key included; the process's own if it is not given.

    `adopt` names objects in Statsig to take over (a name, or OLD=NEW); `adopt_all` takes over every declared one that
    no other project owns, `adopt_from` the declared ones of these dbt projects (only those that `adopt` names, if it
    names any), and `adopt_imported` those that `dbt-statsig import` has listed. `prune` deletes this project's objects
    that are no longer declared; metrics are archived, but deleted with `delete_metrics`. `force` lifts the limits on
    how much may change at once. `server_check` lets Statsig check each change first. With `dry_run`, `sync` writes
    nothing; with `show_sql`, `plan` has the SQL that Statsig generates for metrics. `saved_plan` is a file of
    `dbt-statsig plan --out`: only its changes are written.
    """

    project_dir: str | os.PathLike[str]
    manifest: str | os.PathLike[str] | None = None
    target_path: str | os.PathLike[str] | None = None
    catalog: str | os.PathLike[str] | None = None
    target: str | None = None
    select: str | Iterable[str] = ()
    exclude: str | Iterable[str] = ()
    selector: str | None = None
    state: str | os.PathLike[str] | None = None
    kinds: Kind | str | Iterable[Kind | str] = ()
    run_results: str | os.PathLike[str] | None = None
    require_fresh: bool = False
    warehouse: bool = False
    strict: bool = False
    flags: Mapping[str, Any] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=_environment)
    adopt: str | Iterable[str] = ()
    adopt_all: bool = False
    adopt_from: str | Iterable[str] = ()
    adopt_imported: bool = False
    prune: bool = False
    delete_metrics: bool = False
    force: bool = False
    server_check: bool = False
    dry_run: bool = False
    show_sql: bool = False
    saved_plan: str | os.PathLike[str] | None = None

    def __post_init__(self) -> None:
        """Give every value its one form: Path, tuple of words, frozenset."""
        for name, form in _FORMS.items():
            force_setattr(self, name, form(name, getattr(self, name)))

    def __repr__(self) -> str:
        """What was given, without the environment: it holds the key."""
        given = {name: getattr(self, name) for name in self.__struct_fields__ if name != "environ"}
        shown = (f"{name}={value!r}" for name, value in given.items() if name == "project_dir" or value)
        return f"Request({', '.join(shown)})"


def _refused(name: str, wanted: str, value: object) -> UsageError:
    return UsageError(f"`{name}` takes {wanted}, not {type(value).__name__}.", fix=f"Correct the argument `{name}`.")


def _path(name: str, value: object) -> Path:
    if isinstance(value, str | os.PathLike) and isinstance(text := os.fspath(value), str) and text:
        return Path(text)
    if value == "":
        raise UsageError(f"`{name}` is an empty string.", fix=f"Give `{name}` a path, or None where it is optional.")
    raise _refused(name, "a path (string or Path)", value)


def _text(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    raise _refused(name, "a string", value)


def _optional(form: Callable[[str, object], T]) -> Callable[[str, object], T | None]:
    return lambda name, value: None if value is None else form(name, value)


def _texts(name: str, value: object) -> tuple[str, ...]:
    items = (value,) if isinstance(value, str) else value
    if not isinstance(items, Iterable) or isinstance(items, bytes | Mapping):
        raise _refused(name, "a string or a list of strings", value)
    found = tuple(items)
    for item in found:
        if not isinstance(item, str):
            raise UsageError(f"`{name}` contains {item!r}, which is not a string.", fix=f"Give `{name}` strings only.")
    return found


def _words(name: str, value: object) -> tuple[str, ...]:
    return tuple(word for text in _texts(name, value) for word in text.split())


def _names(name: str, value: object) -> frozenset[str]:
    return frozenset(_texts(name, value))


def _kinds(name: str, value: object) -> frozenset[Kind]:
    known = {kind.value: kind for kind in Kind}
    words = _names(name, value)
    for word in sorted(words - known.keys()):
        fix = did_you_mean(word, known) or f"The kinds are: {', '.join(known)}."
        raise UsageError(f'`{name}`: "{word}" is not a kind of source.', fix=fix)
    return frozenset(known[word] for word in words)


def _switch(name: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise _refused(name, "True or False", value)


def _seconds(name: str, value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return float(value)
    raise _refused(name, "seconds (a number from 0)", value)


def _number(name: str, value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    raise _refused(name, "a whole number from 1", value)


def _progress(value: Progress | None) -> Progress | None:
    if value is None or all(callable(getattr(value, method, None)) for method in ("say", "done")):
        return value
    raise _refused("progress", "an object with the methods `say` and `done`", value)


def _confirm(value: Callable[[Planned], bool] | None) -> Callable[[Planned], bool] | None:
    if value is None or callable(value):
        return value
    raise _refused("confirm", "a function that takes a Planned", value)


def _mapping(name: str, value: object) -> Mapping[str, Any]:
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return value
    raise _refused(name, "a mapping with string keys", value)


def _environ(name: str, value: object) -> Mapping[str, str]:
    found = _mapping(name, value)
    # Values are not shown: one of them is the key.
    if all(isinstance(one, str) for one in found.values()):
        return found
    raise UsageError(f"`{name}` contains a value that is not a string.", fix=f"Give `{name}` strings only, not None.")


_FORMS: Mapping[str, Callable[[str, object], object]] = {
    "project_dir": _path,
    **dict.fromkeys(
        ("manifest", "target_path", "catalog", "state", "run_results", "saved_plan"),
        _optional(_path),
    ),
    **dict.fromkeys(("target", "selector"), _optional(_text)),
    **dict.fromkeys(("select", "exclude"), _words),
    "kinds": _kinds,
    **dict.fromkeys(("adopt", "adopt_from"), _names),
    **dict.fromkeys(
        ("require_fresh", "strict", "adopt_all", "adopt_imported", "prune", "delete_metrics", "force", "server_check"),
        _switch,
    ),
    **dict.fromkeys(
        ("dry_run", "show_sql", "warehouse"),
        _switch,
    ),
    "flags": _mapping,
    "environ": _environ,
}


def _run(request: Request) -> Run:
    """The request as the commands take it: with dbt at hand for what a manifest cannot answer."""
    if not isinstance(request, Request):
        raise UsageError(
            f"This function takes a Request, not {type(request).__name__}.",
            fix='Make one: `Request(project_dir="path/of/the/dbt/project")`.',
        )
    values = {name: getattr(request, name) for name in request.__struct_fields__}
    return Run(**values, dbt=dbt_for(values["project_dir"], target=request.target))


def validate(request: Request) -> Validation:
    """What the project declares and all findings about it, from dbt's files alone: no key, no network.

    With `state`, it also compares with those artifacts; with `warehouse`, it also runs the SQL there without reading
    rows. Raises SettingsError, ArtifactError and UsageError, and QueryFailed where the warehouse cannot be asked.
    """
    return validate_command.validate(_run(request))


def plan(request: Request, *, progress: Progress | None = None) -> Planned:
    """What a sync would change. Writes nothing. Raises as `validate`, and ConsoleError where Statsig cannot be read."""
    return plan_command.plan(_run(request), progress=_progress(progress))


def sync(
    request: Request, *, progress: Progress | None = None, confirm: Callable[[Planned], bool] | None = None
) -> Synced:
    """Plan, and write the changes; `confirm` gets the plan first and writes nothing where it returns False.

    Raises as `plan` before anything is written, and TargetRefused for a dbt target that must not be pushed. What
    happens to an object after that is in the outcome.
    """
    return sync_command.sync(_run(request), progress=_progress(progress), confirm=_confirm(confirm))


def import_objects(
    request: Request,
    *,
    names: str | tuple[str, ...] | list[str] | frozenset[str] = (),
    name_pattern: str = "",
    write: bool = False,
    accept_changes: bool = False,
    models_path: str = "",
    progress: Progress | None = None,
) -> Imported:
    """The objects in Statsig as blocks of the project's YAML; with `write` they are written. Statsig is only read.

    `names` or a `name_pattern` (with `*` and `?`) choose objects; of `request`, kinds count, selections do not. With
    `accept_changes`, blocks that change more than the ownership line are written too. `models_path` is a folder of the
    project, from its root, for models of queries that belong to no node. Raises as `plan`, and
    DbtStatsigError where the files cannot be written: then none is changed.
    """
    chosen = import_command.Chosen(
        names=_names("names", names),
        pattern=_text("name_pattern", name_pattern),
        write=_switch("write", write),
        accept_changes=_switch("accept_changes", accept_changes),
        models_path=_text("models_path", models_path),
    )
    return import_command.import_objects(_run(request), chosen, progress=_progress(progress))


def init(request: Request, model: str = "", *, kind: Kind | str | None = None, write: bool = False) -> FirstBlocks:
    """A first block for a model (its name or unique_id), in its file with `write`; without a model the candidates.

    Raises as `validate`, and UsageError for a model that is not there or looks like no source.
    """
    chosen = None if kind is None else next(iter(_kinds("kind", kind)))
    return init_command.init(_run(request), _text("model", model), kind=chosen, write=_switch("write", write))


def release(
    request: Request,
    names: str | Iterable[str],
    *,
    progress: Progress | None = None,
    confirm: Callable[[Planned], bool] | None = None,
) -> Synced:
    """Take this project's ownership line off the objects of these names; `confirm` as for `sync`.

    Raises as `sync`, and UsageError for a name that no object has, or several objects of this project.
    """
    return release_command.release(
        _run(request), _texts("names", names), progress=_progress(progress), confirm=_confirm(confirm)
    )


def reload(
    request: Request,
    *,
    refresh: str = "auto",
    turbo: bool = False,
    wait: bool = False,
    timeout: float = reload_command.TIMEOUT,
    synced: Synced | None = None,
    progress: Progress | None = None,
) -> Reloaded:
    """Load the results of running experiments that read what dbt has just built; with `wait`, until they are there.

    `refresh` is incremental, full, metric or auto (chosen for each experiment), `timeout` the seconds to wait at most.
    Without `run_results` in the request, those beside the manifest count. `synced` is the result of a sync just before:
    what it changed decides how much is loaded. Raises as `sync` before anything is started.
    """
    if not isinstance(synced, Synced | None):
        raise _refused("synced", "the result of `sync`", synced)
    if synced is not None and synced.outcome.stopped:
        raise UsageError("Nothing was loaded: the sync did not come to its end.", fix="Run the sync again.")
    options = reload_command.Options.of(
        _text("refresh", refresh),
        turbo=_switch("turbo", turbo),
        wait=_switch("wait", wait),
        timeout=_seconds("timeout", timeout),
    )
    return reload_command.reload(_run(request), options, synced=synced, progress=_progress(progress))


def exposures(
    request: Request,
    *,
    metrics: bool = False,
    write: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> DbtYaml:
    """The active experiments that read the project's nodes as dbt exposures, with `metrics` the metrics too.

    `write` is the YAML file to put them in, if they have changed. Raises as `plan`, UsageError for a file that this
    program did not make, and ProtocolError where a list to write is incomplete.
    """
    run = _run(request)
    path = _optional(_path)("write", write)
    return exposures_command.exposures(
        run, metrics=_switch("metrics", metrics), write=path, progress=_progress(progress)
    )


def statsig_tables(
    request: Request,
    *,
    schema: str | None = None,
    database: str | None = None,
    exposures_table: str | None = None,
    events_table: str | None = None,
    write: str | os.PathLike[str] | None = None,
) -> DbtYaml:
    """A dbt source with the tables that Statsig writes; `write` as for `exposures`. Raises as that."""
    places = exposures_command.table_places(
        schema=_optional(_text)("schema", schema),
        database=_optional(_text)("database", database),
        exposures=_optional(_text)("exposures_table", exposures_table),
        events=_optional(_text)("events_table", events_table),
    )
    return exposures_command.statsig_tables(_run(request), places, write=_optional(_path)("write", write))


def debug(request: Request) -> Diagnosis:
    """Whether settings, dbt's files, the key and the connection are in order: a check for each, and every setting."""
    return debug_command.debug(_run(request))


def list_columns(request: Request, *, only_inferred: bool = False, jobs: int = 1) -> Listing:
    """The columns of every selected model, seed, snapshot and source table, with the evidence for each.

    With `only_inferred`, columns of models come from their SQL alone, not from the catalog. `jobs` processes read the
    SQL. Raises as `validate`.
    """
    return columns_command.list_columns(_run(request), only_inferred=only_inferred, jobs=_number("jobs", jobs))
