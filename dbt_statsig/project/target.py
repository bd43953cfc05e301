"""Whether this dbt target may push: a development schema must never reach the production console by accident."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from dbt_statsig.errors import ArtifactError, TargetNotAllowed, TargetRefused
from dbt_statsig.project.artifacts import load_run_results
from dbt_statsig.project.artifacts.nodes import BUILT
from dbt_statsig.project.artifacts.reading import MAX_MB
from dbt_statsig.project.namespace import needs_target
from dbt_statsig.project.yaml_nodes import YamlError, load
from dbt_statsig.vocabulary.adapters import adapter_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dbt_statsig.project.artifacts import Manifest, Node
    from dbt_statsig.project.request import Request
    from dbt_statsig.project.settings import Settings

NAME_TARGET = (
    "Give --target, with the value of the dbt command that wrote the manifest. `dbt-statsig run -- dbt build` and the "
    "macros find it themselves."
)


class Target(Struct, frozen=True, kw_only=True):
    """The dbt target of a run, empty where it is not known; `conflict` says what contradicts it.

    `is_certain` where dbt itself says it for the very manifest.
    """

    name: str
    conflict: str = ""
    is_certain: bool = False


def target_of(request: Request, manifest: Manifest, run_results: Path, *, max_mb: int = MAX_MB) -> Target:
    """The dbt target that the manifest was made for.

    What dbt itself recorded for this manifest counts first, then the run results of the same dbt command, then what
    somebody says. manifest.json does not hold its target.
    """
    claims = [
        ("dbt says", request.dbt_target or ""),
        (f"{run_results.name} of the same dbt command says", _recorded(manifest, run_results, max_mb)),
        ("--target (or DBT_TARGET) says", request.target or ""),
    ]
    made = [(who, name) for who, name in claims if name]
    if not made:
        return Target(name="")
    (who, known), *others = made
    conflicts = (f'{other} "{name}", but {who} "{known}".' for other, name in others if name != known)
    return Target(name=known, conflict=next(conflicts, ""), is_certain=who != claims[-1][0])


def check_target(target: Target, settings: Settings) -> None:
    """Raise TargetRefused for a target that is doubtful, not listed, or not known although settings depend on it."""
    if target.conflict:
        raise TargetRefused(
            f"Nothing was pushed: {target.conflict}",
            fix="Give the target that the manifest was made for, or run dbt to write it again.",
        )
    if not target.name and (setting := needs_target(settings)):
        raise TargetRefused(
            f"Nothing was pushed: the dbt target is not known, and `{setting}` depends on it.",
            fix=NAME_TARGET,
        )
    allowed = settings.allowed_targets
    if allowed is None or target.name in allowed:
        return
    listed = ", ".join(allowed) or "none"
    if not target.name:
        raise TargetRefused(
            f"Nothing was pushed: the dbt target is not known, and only these may push: {listed}.",
            fix=NAME_TARGET,
        )
    raise TargetNotAllowed(
        f'Nothing was pushed: the dbt target "{target.name}" may not push; allowed: {listed}.',
        fix="If it should push, add it to `allowed_targets` in dbt_statsig.yml.",
    )


def elsewhere(target: Target, settings: Settings, nodes: Iterable[Node]) -> str:
    """Why nothing of this target may be pushed, so that a plan can only show the change; empty where something may."""
    try:
        check_target(target, settings)
    except TargetNotAllowed as refusal:
        return refusal.message
    except TargetRefused:
        return ""
    refused = [refused_place(node, settings) for node in nodes if node.resource_type in BUILT]
    why = refused[0].removeprefix("Its ") if refused and all(refused) else ""
    return f"No declared model may be pushed: {why}" if why else ""


def other_target(name: str, places: Mapping[str, Place], nodes: Iterable[Node], *, own_names: bool) -> str:
    """Why a manifest cannot be of the dbt target of this name: none of these nodes is where that target builds.

    `own_names` says that the project has its own macro for the names of schemas or databases: then only a manifest
    whose nodes all are where another target builds is reported. Empty where nothing speaks against it.
    """
    place = places.get(name, Place())
    telling = [node for node in nodes if _is_telling(node)]
    if not telling or not str(place) or any(_is_built_in(node, place) for node in telling):
        return ""
    others = [
        other
        for other, there in places.items()
        if there.schema and other != name and all(_is_built_in(node, there) for node in telling)
    ]
    if own_names and not others:
        return ""
    built = Place(database=(place.database and telling[0].database) or "", schema=telling[0].schema or "")
    like = f', as target "{others[0]}" does' if others else ""
    return f'target "{name}" builds in {place}, but the manifest builds {telling[0].name} in {built}{like}.'


def _is_telling(node: Node) -> bool:
    """Whether the node's schema follows from the target's."""
    fixed = node.config.get("target_schema") if node.resource_type == "snapshot" else None
    return node.resource_type in BUILT and bool(node.schema) and node.enabled and not fixed


def _is_built_in(node: Node, place: Place) -> bool:
    """Whether dbt's own rule gives the node this place: `<schema>` or `<schema>_<custom schema>`."""
    custom = node.config.get("schema")
    schema = f"{place.schema}_{custom}" if isinstance(custom, str) and custom.strip() else place.schema
    database = "" if node.config.get("database") else place.database
    return (not place.schema or (node.schema or "").casefold() == schema.replace(" ", "").casefold()) and (
        not database or not node.database or node.database.casefold() == database.casefold()
    )


def refused_place(node: Node, settings: Settings) -> str:
    """Why this node's database or schema may not be pushed; empty where it may."""
    for what, place, allowed in (
        ("database", node.database, settings.allowed_databases),
        ("schema", node.schema, settings.allowed_schemas),
    ):
        if allowed is not None and (place or "").casefold() not in {name.casefold() for name in allowed}:
            return f'Its {what} "{place or ""}" is not one that may be pushed (allowed_{what}s: {", ".join(allowed)}).'
    return ""


def _recorded(manifest: Manifest, run_results: Path, max_mb: int) -> str:
    if not run_results.is_file():
        return ""
    try:
        results = load_run_results(run_results, max_mb=max_mb)
    except ArtifactError:
        return ""
    same_run = bool(results.invocation_id) and results.invocation_id == manifest.invocation_id
    return results.target if same_run else ""


FILE_NAME = "profiles.yml"
_LARGEST = 1_000_000
_SCHEMA = ("schema", "dataset")
_DATABASE = ("database", "dbname", "project", "catalog")
_VARIABLE = re.compile(
    r"""\{\{\s*env_var\(\s*(?P<a>['"])(?P<name>\w+)(?P=a)\s*(?:,\s*(?P<b>['"])(?P<default>[^'"]*)(?P=b)\s*)?\)\s*\}\}"""
)
_SECRET = "DBT_ENV_SECRET"  # noqa: S105 - the beginning of such variables' names  # pragma: allowlist secret


class Place(Struct, frozen=True, kw_only=True):
    """The database and the schema of a target or of a relation; empty where not known."""

    database: str = ""
    schema: str = ""

    def __str__(self) -> str:
        """Both, as SQL joins them."""
        return ".".join(part for part in (self.database, self.schema) if part)


def target_places(folders: Iterable[Path], profile: str, environ: Mapping[str, str]) -> dict[str, Place]:
    """Target name to place, from the first of these folders with a profiles.yml; empty where it cannot be read."""
    path = next((folder / FILE_NAME for folder in folders if (folder / FILE_NAME).is_file()), None)
    try:
        if path is None or path.stat().st_size > _LARGEST:
            return {}
        profiles: Any = load(path.read_bytes().decode("utf-8-sig")).value
        outputs = profiles[profile]["outputs"].items()
    except (OSError, UnicodeDecodeError, YamlError, KeyError, TypeError, AttributeError):
        return {}
    return {str(name): _place(output, environ) for name, output in outputs if isinstance(output, dict)}


def _place(output: dict[Any, Any], environ: Mapping[str, str]) -> Place:
    def known(keys: tuple[str, ...]) -> str:
        return next((rendered(output[key], environ) for key in keys if output.get(key)), "")

    database = known(_DATABASE)
    path = rendered(output.get("path"), environ)
    if (
        adapter_for(str(output.get("type"))).reads_files
        and not database
        and re.fullmatch(r"[\w./\\-]+\.(duckdb|db)", path)
    ):
        database = Path(path).stem
    return Place(database=database, schema=known(_SCHEMA))


def rendered(value: object, environ: Mapping[str, str]) -> str:
    """A text with its env_var() calls replaced; empty where another Jinja expression or an unset variable remains."""

    def replaced(match: re.Match[str]) -> str:
        found = None if match["name"].startswith(_SECRET) else environ.get(match["name"], match["default"])
        return match[0] if found is None else found

    text = _VARIABLE.sub(replaced, value) if isinstance(value, str) else ""
    return "" if "{" in text else text.strip()
