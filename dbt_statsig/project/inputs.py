"""Finds and reads what a run starts from: settings, manifest and catalog, where dbt would look for them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from dbt_statsig.errors import ArtifactError, UsageError
from dbt_statsig.project.artifacts import Catalog, Manifest, RunResults, load_catalog, load_manifest, load_run_results
from dbt_statsig.project.artifacts.catalog import load_info_schema
from dbt_statsig.project.artifacts.reading import MAX_MB
from dbt_statsig.project.dbt_command import DbtLine
from dbt_statsig.project.newer_yaml import NewerYaml, newer_yaml
from dbt_statsig.project.settings import Resolved, resolve
from dbt_statsig.project.target import Place, rendered, target_places
from dbt_statsig.support.files import read_regular

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dbt_statsig.project.request import Request

PROJECT_FILE = "dbt_project.yml"
RUN_RESULTS_FILE = "run_results.json"
INFO_SCHEMA = "info_schema/v1"
BUILDING = ("build", "run", "seed", "snapshot", "retry")
"""The dbt commands that build tables; run results of all others (compile, docs generate) say nothing of tables."""
TESTING = "test"
_GROUPED = {"generate": "docs generate", "freshness": "source freshness"}
"""The commands that dbt records without the word before them."""

_KEY = re.compile(
    r"""^(?P<key>name|target-path|profile)[ \t]*:[ \t]*(?P<quote>["']?)(?P<value>[^"'#\n]*)(?P=quote)""", re.MULTILINE
)
_TARGET_PATH = re.compile(r"^target-path[ \t]*:[ \t]*(?P<value>[^\n]*)", re.MULTILINE)


class Inputs(Struct, frozen=True, kw_only=True):
    """Everything that is read before anything is decided. `project` is the dbt project's name.

    `results` are the statuses of the dbt command that this run follows, None where it follows none.
    """

    project_dir: Path
    project: str
    manifest_path: Path
    manifest: Manifest
    catalog: Catalog | None
    resolved: Resolved
    results: Mapping[str, str] | None = None

    @property
    def places(self) -> Path | None:
        """The folder whose YAML files declare what the manifest holds; None where it is another project's."""
        here = project_keys(self.project_dir).get("name", "")
        return self.project_dir if here in {"", self.manifest.project_name or here} else None

    @property
    def newer_yaml(self) -> tuple[NewerYaml, ...]:
        """The project's YAML files that declare something else than the manifest's file, which is older."""
        if self.places is None:
            return ()
        settings = self.resolved.settings.semantic_layer
        return newer_yaml(self.manifest, self.manifest_path, self.places, settings)

    @property
    def shown_path(self) -> str:
        """The manifest's path as messages name it: from the project's folder, where it is in there."""
        path, folder = self.manifest_path.absolute(), self.project_dir.absolute()
        return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(self.manifest_path)


def project_keys(project_dir: Path) -> dict[str, str]:
    """`name`, `profile` and `target-path` of dbt_project.yml, as far as they are plain values."""
    text = _project_text(project_dir)
    found = {match["key"]: match["value"].strip() for match in _KEY.finditer(text)}
    return {key: value for key, value in found.items() if value and "{{" not in value}


def _project_text(project_dir: Path) -> str:
    try:
        return read_regular(project_dir / PROJECT_FILE).decode("utf-8-sig", "replace")
    except OSError:
        return ""


def artifacts_dir(request: Request) -> Path:
    """The folder that holds dbt's artifacts: as asked for, else as dbt_project.yml says, else `target`."""
    if request.manifest is not None:
        return request.manifest.parent
    if request.target_path is not None:
        return request.project_dir / request.target_path
    return request.project_dir / (_own_target_path(request) or "target")


def _own_target_path(request: Request) -> str:
    """`target-path` of dbt_project.yml; raises UsageError where only dbt can tell what it says."""
    found = _TARGET_PATH.search(_project_text(request.project_dir))
    written = found["value"].partition(" #")[0].strip() if found else ""
    if "{" not in written:
        return project_keys(request.project_dir).get("target-path", "")
    path = rendered(written.strip("\"'"), request.environ)
    if not path:
        raise UsageError(
            f"`target-path` in {PROJECT_FILE} is {written}, which only dbt can read.",
            fix="Give --target-path, or set DBT_TARGET_PATH.",
        )
    return path


def manifest_path(request: Request) -> Path:
    """The manifest to read, plain or gzip; it need not exist."""
    if request.manifest is not None:
        return request.manifest
    plain = artifacts_dir(request) / "manifest.json"
    packed = plain.with_suffix(".json.gz")
    return packed if packed.exists() and not plain.exists() else plain


def catalog_path(request: Request) -> Path | None:
    """The catalog asked for, or the one beside the manifest if there is one."""
    if request.catalog is not None:
        return request.catalog
    folder = artifacts_dir(request)
    beside = (folder / "catalog.json", folder / "catalog.json.gz")
    return next((path for path in beside if path.is_file()), None)


def built_by(path: Path, manifest: Manifest, *, max_mb: int = MAX_MB) -> dict[str, str]:
    """Node by node how the dbt command ended that wrote both. Raises as `results_of`."""
    return results_of(path, manifest, max_mb=max_mb).results


def results_of(path: Path, manifest: Manifest, *, max_mb: int = MAX_MB) -> RunResults:
    """The results of the dbt command that wrote both the manifest and the run results at `path`.

    Raises ArtifactError for a file that cannot be read or is of another dbt command than the manifest, and UsageError
    where that command builds no tables.
    """
    found = load_run_results(path, max_mb=max_mb)
    same_run = _is_of(found, manifest)
    is_empty = built_empty(found, manifest)
    if found.which not in (*BUILDING, TESTING) or is_empty:
        which = _GROUPED.get(found.which, found.which) or "(unknown)"
        command = f"dbt {which}{' --empty' if is_empty else ''}"
        raise UsageError(
            f"{path} was written by `{command}`, which builds no tables and tests none.",
            fix="Run it right after `dbt build` or `dbt run`, or remove --run-results.",
        )
    if not same_run:
        raise ArtifactError(
            f"{path} and the manifest were written by different dbt commands.",
            fix="Run it right after `dbt build` or `dbt run`: later dbt commands write the manifest again.",
        )
    return found


def built_empty(results: RunResults, manifest: Manifest) -> bool:
    """Whether these results are of a command that built tables without rows (`--empty`)."""
    return results.empty or (_is_of(results, manifest) and _without_rows(manifest, results.succeeded()))


def _is_of(results: RunResults, manifest: Manifest) -> bool:
    """Whether one dbt command wrote both."""
    return bool(results.invocation_id) and results.invocation_id == manifest.invocation_id


def _without_rows(manifest: Manifest, built: Iterable[str]) -> bool:
    """Whether the SQL of what was built reads no row of any node, as `--empty` compiles it (dbt 2 records no more)."""
    limited = whole = 0
    for node in filter(None, map(manifest.node, built)):
        code = (node.compiled_code or "").casefold()
        parents = (manifest.node(unique_id) for unique_id in node.depends_on)
        for name in {parent.relation_name.casefold() for parent in parents if parent and parent.relation_name}:
            # A relation that is not quoted may be how another one begins.
            reads = len(re.findall(rf"(?<![\w$]){re.escape(name)}(?![\w$])", code))
            empty = sum(code.count(f" * from {name} {limit})") for limit in ("limit 0", "where false limit 0"))
            limited, whole = limited + empty, whole + reads - empty
    return limited > 0 and whole == 0


def places_of(request: Request) -> dict[str, Place]:
    """The place of each dbt target, as profiles.yml has it; empty where it is unknown."""
    line = DbtLine() if request.dbt is None else request.dbt.line
    profile = line.value("--profile", request.environ) or project_keys(request.project_dir).get("profile", "")
    given = line.value("--profiles-dir", request.environ)
    usual = (request.project_dir, Path(), Path.home() / ".dbt")
    return target_places([Path(given)] if given else usual, profile, request.environ)


def load_inputs(request: Request, manifest: Manifest | None = None, *, named: bool = True) -> Inputs:
    """Read settings, manifest (unless one is given) and catalog.

    Unless `named`, it does not matter which project the manifest is of, and `project` may be empty.

    Raises SettingsError, UsageError (see `built_by`), and ArtifactError for a file that is missing, unreadable, empty
    or of another project.
    """
    resolved = resolve(request.project_dir, request.environ, request.flags)
    max_mb = resolved.settings.max_artifact_mb
    path = manifest_path(request)
    manifest = load_manifest(path, max_mb=max_mb) if manifest is None else manifest
    if manifest.is_empty:
        raise ArtifactError(
            f"{path} contains no models, seeds, snapshots or sources.",
            fix="Run `dbt parse` in the project and check its output.",
        )
    project = _project_name(manifest, request, path) if named else manifest.project_name
    results = request.results
    if results is None and request.run_results is not None:
        results = built_by(request.run_results, manifest, max_mb=max_mb)
    return Inputs(
        project_dir=request.project_dir,
        project=project,
        manifest_path=path,
        manifest=manifest,
        catalog=_catalog(request, max_mb),
        resolved=resolved,
        results=results,
    )


def _catalog(request: Request, max_mb: int) -> Catalog | None:
    """catalog.json, or what dbt 2 writes in its place where there is none."""
    path = catalog_path(request)
    if path is not None:
        return load_catalog(path, max_mb=max_mb)
    folder = artifacts_dir(request) / INFO_SCHEMA
    if not folder.is_dir():
        return None
    return load_info_schema(folder)


def _project_name(manifest: Manifest, request: Request, path: Path) -> str:
    here = project_keys(request.project_dir).get("name", "")
    # A manifest that is named is what is meant, whichever project is around.
    if manifest.project_name and here and manifest.project_name != here and request.manifest is None:
        raise ArtifactError(
            f'{path} was written for the dbt project "{manifest.project_name}", but {PROJECT_FILE} says "{here}".',
            fix="Run `dbt compile` in this project, or name its folder with --project-dir.",
        )
    name = manifest.project_name or here
    if not name:
        raise ArtifactError(
            f"{path} does not say which dbt project it belongs to (dbt {manifest.dbt_version}).",
            fix=f"Name the folder that holds {PROJECT_FILE} with --project-dir.",
        )
    return name
