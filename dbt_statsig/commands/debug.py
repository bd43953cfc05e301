"""`debug`: whether all that a sync needs is there, check by check; one failing check does not hide the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import json

from dbt_statsig.commands.pipeline import LoadedProject, declare_project, load_project, prove_project
from dbt_statsig.commands.validate import validate_project
from dbt_statsig.console.key import KEY_VARIABLES, ApiKey
from dbt_statsig.errors import DbtStatsigError
from dbt_statsig.project.newer_yaml import outdated
from dbt_statsig.project.settings import Resolved, resolve
from dbt_statsig.report.text.style import counted
from dbt_statsig.report.text.validation import tally
from dbt_statsig.vocabulary.findings import Severity
from dbt_statsig.vocabulary.inspections import Check, Diagnosis, SettingOrigin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from dbt_statsig.console.rights import About
    from dbt_statsig.project.request import Request


def debug(request: Request) -> Diagnosis:
    """Every check with its outcome, and every setting with its origin. Raises nothing that a check can report."""
    checks: list[Check] = []
    resolved = _settings(request, checks)
    loaded = _files(request, checks) if resolved is not None else None
    declared = frozenset[str]() if loaded is None else _declared(loaded, checks)
    key = _key(request, checks)
    if resolved is not None and key is not None:
        checks += _console(key, resolved, declared)
    return Diagnosis(checks=tuple(checks), settings=tuple(_origins(resolved)))


def _origins(resolved: Resolved | None) -> Iterator[SettingOrigin]:
    if resolved is None:
        return
    for key, origin in resolved.origins.items():
        value = getattr(resolved.settings, key)
        text = value if isinstance(value, str) else json.encode(value).decode()
        yield SettingOrigin(key=key, value=text, origin=origin)


def _failed(name: str, error: DbtStatsigError) -> Check:
    return Check(name=name, ok=False, message=error.message, fix=error.fix)


def _settings(request: Request, checks: list[Check]) -> Resolved | None:
    try:
        resolved = resolve(request.project_dir, request.environ, request.flags)
    except DbtStatsigError as error:
        checks.append(_failed("settings", error))
        return None
    checks.append(Check(name="settings", ok=True, message="All settings are valid."))
    return resolved


def _files(request: Request, checks: list[Check]) -> LoadedProject | None:
    try:
        loaded = load_project(request)
    except DbtStatsigError as error:
        checks.append(_failed("dbt files", error))
        return None
    inputs, manifest = loaded.inputs, loaded.manifest
    compiled, models = manifest.compiled
    message = (
        f"{inputs.manifest_path}: dbt {manifest.dbt_version}, {manifest.adapter_type or 'adapter unknown'}, project "
        f'"{inputs.project}", {compiled} of {models} SQL models compiled.'
    )
    checks.append(Check(name="manifest", ok=True, message=message))
    newer = outdated(inputs.newer_yaml, inputs.shown_path, severity=Severity.WARNING)
    checks += [Check(name="manifest", ok=None, message=found.message) for found in newer]
    catalog = inputs.catalog.path if inputs.catalog is not None else None
    if inputs.catalog is None:
        missing = "There is no catalog.json; columns are inferred from compiled SQL."
        checks.append(Check(name="catalog", ok=None, message=missing, fix="Run `dbt docs generate` for more evidence."))
    elif inputs.catalog.is_fresh_for(manifest):
        checks.append(Check(name="catalog", ok=True, message=f"{catalog}: as new as the manifest."))
    else:
        old = f"{catalog}: older than the manifest."
        checks.append(Check(name="catalog", ok=None, message=old, fix="Run `dbt docs generate` again."))
    return loaded


def _declared(loaded: LoadedProject, checks: list[Check]) -> frozenset[str]:
    """Adds what is declared to the checks; the unit IDs that the declarations use."""
    project = validate_project(prove_project(declare_project(loaded)))
    declarations, found = project.declared.declarations, tally(project.validation.findings)
    sources = f"{counted(len(declarations), 'source')} declared, {found or 'no findings'}."
    checks.append(Check(name="declarations", ok=True, message=sources, fix="`dbt-statsig validate` shows each."))
    mappings: list[Any] = [getattr(one.meta, "id_type_mapping", None) for one in declarations]
    return frozenset(unit for mapping in mappings if isinstance(mapping, dict) for unit in mapping)


def _key(request: Request, checks: list[Check]) -> ApiKey | None:
    try:
        key = ApiKey.from_environment(request.environ)
    except DbtStatsigError as error:
        checks.append(_failed("key", error))
        return None
    if key is None:
        fix = f"Set {KEY_VARIABLES[0]}; `validate` does not need it."
        checks.append(Check(name="key", ok=None, message="No Console API key is set.", fix=fix))
        return None
    checks.append(Check(name="key", ok=True, message=f"Taken from {key.origin}."))
    return key


_NATIVE = {
    True: Check(name="warehouse native", ok=True, message="The Statsig project is warehouse native."),
    False: Check(
        name="warehouse native",
        ok=False,
        message="The Statsig project is not warehouse native, so it has no sources.",
        fix="Use a key of a warehouse-native Statsig project.",
    ),
    None: Check(
        name="warehouse native", ok=None, message="Statsig does not say whether the project is warehouse native."
    ),
}
_WRITES = {
    True: Check(name="writes", ok=True, message="The key may write."),
    False: Check(name="writes", ok=None, message="The key may only read: enough for `plan`, not for `sync`."),
    None: Check(name="writes", ok=None, message="It is not known whether the key may write."),
}
_REVIEWS = {
    True: Check(
        name="reviews",
        ok=None,
        message="Statsig requires a review of changed sources.",
        fix="`respect_review_settings: true` lets `sync` ask for that.",
    ),
    False: Check(name="reviews", ok=True, message="Changed sources need no review."),
    None: Check(name="reviews", ok=None, message="It is not known whether changed sources need a review."),
}


def _about(project: About) -> Iterator[Check]:
    """What the Statsig project is, what the key may do, and whether changes of sources need a review."""
    yield _NATIVE[project.warehouse_native]
    refused = ", ".join(what for what, may in project.may_read.items() if may is False)
    unknown = ", ".join(what for what, may in project.may_read.items() if may is None)
    reads = [f"The key may not read {refused}."] if refused else []
    reads += [f"It is not known whether the key may read {unknown}."] if unknown else []
    message = " ".join(reads) or f"The key may read {', '.join(project.may_read)}."
    yield Check(name="reads", ok=None if reads else True, message=message)
    yield _WRITES[project.may_write]
    yield _REVIEWS[project.reviews_required]


def _console(key: ApiKey, resolved: Resolved, units: frozenset[str]) -> Iterator[Check]:
    from dbt_statsig.console.client import ConsoleClient  # with it comes httpx

    settings = resolved.settings
    name = f"console {settings.base_url}"
    try:
        with ConsoleClient(key, base_url=settings.base_url, read_timeout=settings.read_timeout, budget=10) as client:
            client.ping()
            yield Check(name=name, ok=True, message="The key is accepted.")
            known = frozenset(client.unit_ids())
            project = client.about()
    except DbtStatsigError as error:
        yield _failed(name, error)
        return
    yield from _about(project)
    missing = ", ".join(sorted(units - known))
    if missing:
        yield Check(
            name="unit IDs",
            ok=None,
            message=f"Statsig does not list these, which is normal for built-in ones such as userID: {missing}.",
            fix="Compare with Settings > Unit IDs in Statsig; unit IDs are case-sensitive.",
        )
    elif units:
        yield Check(name="unit IDs", ok=True, message="Statsig lists every unit ID that is mapped.")
