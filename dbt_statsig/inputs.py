"""Finds and reads what a run starts from: settings, manifest and catalog, where dbt would look for them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from dbt_statsig.artifacts import Catalog, Manifest, load_catalog, load_manifest
from dbt_statsig.errors import ArtifactError
from dbt_statsig.settings import Resolved, resolve

if TYPE_CHECKING:
    from dbt_statsig.request import Request

PROJECT_FILE = "dbt_project.yml"
_KEY = re.compile(
    r"""^(?P<key>name|target-path)[ \t]*:[ \t]*(?P<quote>["']?)(?P<value>[^"'#\n]*)(?P=quote)""", re.MULTILINE
)


class Inputs(Struct, frozen=True, kw_only=True):
    """Everything that is read before anything is decided. `project` is the dbt project's name."""

    project_dir: Path
    project: str
    manifest_path: Path
    manifest: Manifest
    catalog: Catalog | None
    resolved: Resolved


def project_keys(project_dir: Path) -> dict[str, str]:
    """`name` and `target-path` of dbt_project.yml, as far as they are plain values; empty where there is no file."""
    try:
        text = (project_dir / PROJECT_FILE).read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return {}
    found = {match["key"]: match["value"].strip() for match in _KEY.finditer(text)}
    return {key: value for key, value in found.items() if value and "{{" not in value}


def artifacts_dir(request: Request) -> Path:
    """The folder that holds dbt's artifacts: as asked for, else as dbt_project.yml says, else `target`."""
    if request.manifest is not None:
        return request.manifest.parent
    if request.target_path is not None:
        return request.project_dir / request.target_path
    return request.project_dir / project_keys(request.project_dir).get("target-path", "target")


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


def load_inputs(request: Request) -> Inputs:
    """Read settings, manifest and catalog.

    Raises SettingsError, and ArtifactError for a file that is missing, unreadable, empty or of another project.
    """
    resolved = resolve(request.project_dir, request.environ, request.flags)
    path = manifest_path(request)
    manifest = load_manifest(path)
    if manifest.is_empty:
        raise ArtifactError(
            f"{path} holds no models, seeds, snapshots or sources at all.",
            fix="Run `dbt parse` in the project, and look at what it says.",
        )
    project = _project_name(manifest, request, path)
    catalog = catalog_path(request)
    return Inputs(
        project_dir=request.project_dir,
        project=project,
        manifest_path=path,
        manifest=manifest,
        catalog=None if catalog is None else load_catalog(catalog),
        resolved=resolved,
    )


def _project_name(manifest: Manifest, request: Request, path: Path) -> str:
    here = project_keys(request.project_dir).get("name", "")
    if manifest.project_name and here and manifest.project_name != here:
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
