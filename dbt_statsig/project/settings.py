"""What a project sets for itself: a flag wins over the environment, which wins over dbt_statsig.yml."""

from __future__ import annotations

import json
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec.inspect as types
from msgspec import Meta, Struct, structs

from dbt_statsig.errors import SettingsError
from dbt_statsig.project.conversion import (
    INVALID,
    Fault,
    convert,
    dotted,
    field_types,
    show,
    unknown_key,
)
from dbt_statsig.support.files import read_regular
from dbt_statsig.vocabulary.sources import LINE_SCHEMA, REPEATS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from dbt_statsig.project.yaml_nodes import Loaded

FILE_NAME = "dbt_statsig.yml"
ENVIRONMENT_PREFIX = "DBT_STATSIG_"
MAX_FILE_BYTES = 1_000_000
KEY_VARIABLE = "STATSIG_CONSOLE_API_KEY"

_SECRET_KEY = re.compile(r"api_?key|token|secret|password|console_?key|sdk_?key", re.IGNORECASE)
_SECRET_VALUE = re.compile(r"\b(console|secret)-[A-Za-z0-9]{16,}")
_CLOSE = 0.85
_JSON_MAPPING = "a mapping written as JSON"
_LIST = 'a list: texts separated by commas, such as pii,secret, or JSON, such as ["pii", "secret"]'

_Line = Annotated[str, Meta(min_length=1, extra={"line": True}, extra_json_schema=LINE_SCHEMA)]
TARGET = "{target}"
NAMESPACE = r"^[A-Za-z0-9._-]{1,100}$(?!\n)"
_NAMESPACE_LETTERS = 'Use letters, digits, ".", "_", "-" and {target}.'
_Namespace = Annotated[
    str,
    Meta(
        pattern=r"^(?:[A-Za-z0-9._-]|\{target\}){1,100}$(?!\n)",
        extra={"noun": "a namespace", "allowed": _NAMESPACE_LETTERS},
        extra_json_schema={"patternErrorMessage": _NAMESPACE_LETTERS},
    ),
]
_Seconds = Annotated[float, Meta(ge=1, le=86_400)]
_Writes = Annotated[int, Meta(ge=1, le=1_000_000)]
_Count = Annotated[int, Meta(ge=0)]


class SemanticLayerSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which metrics of dbt's semantic layer become metrics in Statsig."""

    metrics: Annotated[
        Literal["marked", "all"],
        Meta(description="marked: those with `config.meta.statsig.metric`, or whose semantic model has it; all: all."),
    ] = "marked"
    exclude: Annotated[
        tuple[_Line, ...], Meta(description="Names of metrics and semantic models not to take.", **REPEATS)
    ] = ()


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of one project; every one has a default."""

    base_url: Annotated[
        _Line,
        Meta(
            description="Where the Console API is: https, or http on this machine (the emulator). In the file only "
            "Statsig's own hosts and loopback; any other host only from the environment or a flag."
        ),
    ] = "https://statsigapi.net"
    defaults: Annotated[
        dict[str, Any],
        Meta(description="Keys for every block, and below a kind's name for every block of that kind; a block wins."),
    ] = {}
    hidden_tags: Annotated[
        tuple[_Line, ...],
        Meta(
            description="Select columns with one of these dbt tags only if a block names or maps them.",
            **REPEATS,
        ),
    ] = ("pii", "sensitive")
    docs_url: Annotated[
        _Line | None, Meta(description="The address of the project's dbt docs. Descriptions link to it.")
    ] = None
    respect_review_settings: Annotated[
        bool, Meta(description="Send writes through Statsig's reviews if the Statsig project requires them.")
    ] = False
    allowed_targets: Annotated[
        tuple[_Line, ...] | None, Meta(description="The dbt targets that may push; null: any.")
    ] = None
    allowed_databases: Annotated[
        tuple[_Line, ...] | None, Meta(description="The databases whose tables may be pushed; null: any.")
    ] = None
    allowed_schemas: Annotated[
        tuple[_Line, ...] | None,
        Meta(description="The schemas whose tables may be pushed, whatever the target; null: any."),
    ] = None
    name_prefix: Annotated[
        dict[_Line, str], Meta(description="dbt target to the prefix that its sources' names get in Statsig.")
    ] = {}
    namespace: Annotated[
        dict[_Line, _Namespace] | _Namespace,
        Meta(
            description="dbt target to its namespace in the ownership line, or one text for all targets ({target}: "
            "the target's name). Another namespace is another owner; a `name_prefix` implies one."
        ),
    ] = {}
    semantic_layer: Annotated[
        SemanticLayerSettings, Meta(description="Which metrics of dbt's semantic layer become metrics in Statsig.")
    ] = SemanticLayerSettings()
    unit_ids: Annotated[
        dict[_Line, _Line],
        Meta(description="Entity of dbt's semantic layer to its Statsig unit ID, where the entity has no `unit_id`."),
    ] = {}
    read_only: Annotated[
        bool,
        Meta(description="Make sources without their own `is_read_only` read-only: only the API may edit them."),
    ] = False
    write_timeout: Annotated[
        _Seconds, Meta(description="Time limit of a write in seconds. Statsig runs the SQL meanwhile.")
    ] = 60
    read_timeout: Annotated[_Seconds, Meta(description="Time limit of a read in seconds.")] = 30
    wait_budget: Annotated[
        Annotated[float, Meta(ge=0, le=86_400)],
        Meta(description="Seconds that one run may spend waiting for rate limits and retries."),
    ] = 900
    concurrency: Annotated[
        Annotated[int, Meta(ge=1, le=64)], Meta(description="The number of writes at the same time.")
    ] = 8
    write_rate: Annotated[
        _Writes,
        Meta(description="Writes per 10 seconds at first: more while Statsig accepts them, fewer after a 429."),
    ] = 25
    write_rate_max: Annotated[_Writes, Meta(description="The most writes per 10 seconds.")] = 95
    write_quota: Annotated[_Writes, Meta(description="The most writes per 15 minutes, refused ones included.")] = 1700
    prune_threshold_percent: Annotated[
        Annotated[float, Meta(ge=0, le=100)],
        Meta(description="Refuse to change or delete more than this share (%) of the project's own objects at once."),
    ] = 30
    prune_threshold_objects: Annotated[
        _Count, Meta(description="The limit applies to deletions if the project has at least this many objects.")
    ] = 3
    change_threshold_objects: Annotated[
        _Count, Meta(description="The limit applies to all changes if the project has at least this many objects.")
    ] = 10
    reload_most: Annotated[_Count, Meta(description="Start no load if more experiments than this need one.")] = 50
    max_artifact_mb: Annotated[
        Annotated[int, Meta(ge=1, le=1_048_576)],
        Meta(
            description="The largest size in MB of each of dbt's artifacts (manifest, catalog, run results), unpacked."
        ),
    ] = 1_024
    cache: Annotated[bool, Meta(description="Cache parsed SQL in the user's cache folder.")] = True
    guides: Annotated[bool, Meta(description="Also report what makes scans slow according to Statsig's guides.")] = (
        False
    )
    strict: Annotated[bool, Meta(description="Let warnings block a push, as errors do.")] = False
    enabled: Annotated[
        bool, Meta(description="false: macros and hooks inside dbt do nothing. The command line ignores this.")
    ] = True
    on_failure: Annotated[
        Literal["warn", "fail"],
        Meta(description="What a hook does if the sync failed: warn, or fail the dbt job."),
    ] = "warn"
    after_failure: Annotated[
        Literal["push", "skip"],
        Meta(description="What a hook pushes if some nodes of the dbt job failed: what was built, or nothing."),
    ] = "push"
    on_test_failure: Annotated[
        Literal["hold", "push"],
        Meta(description="What happens to a node's sources if a data test of the node failed in `dbt build`."),
    ] = "hold"
    require_tests: Annotated[
        tuple[_Line, ...],
        Meta(
            description="Generic data tests, such as fit_for_statsig, that must pass. If one failed or was skipped in "
            "the dbt command before, no source of its node is pushed, whatever `on_test_failure` says.",
            **REPEATS,
        ),
    ] = ()
    hook_timeout: Annotated[_Seconds, Meta(description="Time limit of a hook in seconds.")] = 300


SETTING_NAMES = Settings.__struct_encode_fields__


class Resolved(Struct, frozen=True, kw_only=True):
    """The settings in force, and for each key where its value came from."""

    settings: Settings
    origins: dict[str, str]


class _Given(Struct, frozen=True, kw_only=True):
    """One value for one key: `origin` names its source, `place` says where a fault is to be looked for."""

    key: str
    value: object
    origin: str
    place: str
    lenient: bool = True


def resolve(project_dir: Path, environ: Mapping[str, str], flags: Mapping[str, object]) -> Resolved:
    """The settings of the project in a folder. Flags that are None were not given.

    Raises SettingsError that lists every fault of all three sources.
    """
    faults: list[str] = []
    values: dict[str, Any] = {}
    origins = dict.fromkeys(SETTING_NAMES, "default")
    for given in (*_from_file(project_dir, faults), *_from_environment(environ, faults), *_from_flags(flags, faults)):
        value, found = convert(given.value, field_types(Settings)[given.key], lenient=given.lenient)
        faults.extend(f"{given.place}: {_sentence(given, fault)}" for fault in found)
        if value is not INVALID:
            values[given.key] = value
            origins[given.key] = given.origin
    if origins["base_url"].startswith(FILE_NAME):
        faults.extend(_foreign_host(origins["base_url"], values["base_url"]))
    if faults and _links_away(project_dir):
        # Whoever makes the link must not read in a report what it leads to.
        faults = [fault for fault in faults if not fault.startswith(FILE_NAME)]
        faults.append(f"{FILE_NAME} links to a file outside of the project that has faults. Put the file itself here.")
    if faults:
        raise SettingsError("\n".join(faults))
    return Resolved(settings=structs.replace(Settings(), **values), origins=origins)


def _sentence(given: _Given, fault: Fault) -> str:
    if fault.code == "unrendered-jinja":
        variable = ENVIRONMENT_PREFIX + given.key.upper()
        return f"`{given.key}` contains {{{{ or {{%: {FILE_NAME} is not rendered. Set the variable {variable} instead."
    return f"`{dotted((given.key, *fault.path))}` {fault.message} {fault.fix}".rstrip()


def _links_away(project_dir: Path) -> bool:
    file = project_dir / FILE_NAME
    return file.is_symlink() and not file.resolve().is_relative_to(project_dir.resolve())


def _foreign_host(place: str, url: str) -> Iterator[str]:
    from dbt_statsig.support.hosts import STATSIG_HOSTS, is_own  # few files name a host

    if not is_own(url):
        own = " and ".join(f"https://{host}" for host in STATSIG_HOSTS)
        yield (
            f"{place}: `base_url` is neither Statsig's own host nor this machine. Only {own} and loopback addresses "
            f"are accepted in {FILE_NAME}, because the key is sent there. Set any other host "
            f"with {ENVIRONMENT_PREFIX}BASE_URL or --base-url."
        )


def _from_file(project_dir: Path, faults: list[str]) -> Iterator[_Given]:
    loaded = _load(project_dir, faults)
    if loaded is None or loaded.value is None:
        return
    faults.extend(
        f"{_place(duplicate.again)}: `{dotted(duplicate.path)}` is already set in line {duplicate.first[0]}; YAML "
        "keeps only the last. Remove one of the two."
        for duplicate in loaded.duplicates
    )
    if not isinstance(loaded.value, dict):
        faults.append(f"{FILE_NAME}:1:1: the file contains {show(loaded.value)}, not a mapping of settings.")
        return
    for key, value in loaded.value.items():
        where = loaded.places.get((str(key),), (1, 1))
        if _secret(key, value):
            faults.append(f"{_place(where)}: {_secret_refused(key)}")
        elif key in SETTING_NAMES:
            origin = f"{FILE_NAME}:{where[0]}"
            yield _Given(key=key, value=value, origin=origin, place=_place(where), lenient=False)
        else:
            fault = unknown_key(key, SETTING_NAMES)
            faults.append(f"{_place(where)}: `{dotted(fault.path)}` {fault.message} {fault.fix}")


def _load(project_dir: Path, faults: list[str]) -> Loaded | None:
    path = project_dir / FILE_NAME
    other = path.with_suffix(".yaml")
    try:
        if not path.exists():
            if other.exists():
                faults.append(f"{other.name}: the file must be named {FILE_NAME}. Rename it.")
            return None
        if path.stat().st_size > MAX_FILE_BYTES:
            faults.append(f"{FILE_NAME}: the file is larger than {MAX_FILE_BYTES} bytes.")
            return None
        text = read_regular(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        faults.append(f"{FILE_NAME}: the file is not UTF-8 (byte {error.start}). Save it as UTF-8.")
        return None
    except OSError as error:
        faults.append(f"{FILE_NAME}: the file cannot be read: {error.strerror}.")
        return None
    from dbt_statsig.project import yaml_nodes  # PyYAML is paid for only where there is a file to read

    try:
        return yaml_nodes.load(text)
    except yaml_nodes.YamlError as error:
        where = f"{FILE_NAME}:{error.line}:{error.column}" if error.line else FILE_NAME
        faults.append(f"{where}: the file cannot be read as YAML: {error.message}.")
        return None


def _place(where: tuple[int, int]) -> str:
    return f"{FILE_NAME}:{where[0]}:{where[1]}"


def _secret(key: object, value: object) -> bool:
    if isinstance(key, str) and key not in SETTING_NAMES and _SECRET_KEY.search(key):
        return True
    if isinstance(value, dict):
        return any(_secret(below, item) for below, item in value.items())
    if isinstance(value, (list, tuple)):
        return any(_secret("", item) for item in value)
    return isinstance(value, str) and _SECRET_VALUE.search(value) is not None


def _secret_refused(key: object) -> str:
    return (
        f"`{dotted((str(key),))}` looks like a secret, and secrets are read from the environment only. "
        f"Remove it here (and replace the key in Statsig if this was ever committed), and set {KEY_VARIABLE}."
    )


def _from_environment(environ: Mapping[str, str], faults: list[str]) -> Iterator[_Given]:
    by_variable = {ENVIRONMENT_PREFIX + key.upper(): key for key in SETTING_NAMES}
    for variable, text in sorted(environ.items()):
        if not variable.startswith(ENVIRONMENT_PREFIX) or not text.strip():
            continue
        origin = f"environment {variable}"
        if variable in by_variable:
            key = by_variable[variable]
            if _secret("", text):
                faults.append(f"{origin}: {_secret_refused(key)}")
                continue
            try:
                value = _parse(text, field_types(Settings)[key])
            except ValueError as error:
                faults.append(f"{origin}: `{key}` takes {error}.")
            else:
                yield _Given(key=key, value=value, origin=origin, place=origin)
        elif close := get_close_matches(variable, by_variable, n=1, cutoff=_CLOSE):
            faults.append(f'{origin}: unknown setting. Did you mean "{close[0]}"?')


def _parse(text: str, expected: types.Type) -> object:
    expected = _bare(expected)
    parts = expected.types if isinstance(expected, types.UnionType) else (expected,)
    if any(isinstance(part, (types.DictType, types.StructType)) for part in parts):
        try:
            return json.loads(text)
        except (RecursionError, ValueError) as error:
            if isinstance(error, ValueError) and any(isinstance(_bare(part), types.StrType) for part in parts):
                return text.strip()
            raise ValueError(_JSON_MAPPING) from None
    if any(isinstance(part, types.BoolType) for part in parts):
        return {"0": "false", "1": "true"}.get(text.strip(), text)
    if any(isinstance(part, types.VarTupleType) for part in parts):
        return _list(text.strip())
    return text.strip()


def _list(text: str) -> object:
    """A list of the environment: a tag with a stray bracket or quote in it would be no tag, and hide nothing."""
    if text.startswith("["):
        try:
            return json.loads(text)
        except (RecursionError, ValueError):
            raise ValueError(_LIST) from None
    if any(mark in text for mark in "[]\"'"):
        raise ValueError(_LIST)
    return [item.strip() for item in text.split(",") if item.strip()]


def _bare(expected: types.Type) -> types.Type:
    return _bare(expected.type) if isinstance(expected, types.Metadata) else expected


def _from_flags(flags: Mapping[str, object], faults: list[str]) -> Iterator[_Given]:
    for key, value in flags.items():
        option = f"--{key.replace('_', '-')}"
        if value is None:
            continue
        if key not in SETTING_NAMES:
            fault = unknown_key(key, SETTING_NAMES)
            faults.append(f"flag {option}: {fault.message} {fault.fix}")
        else:
            yield _Given(key=key, value=value, origin="flag", place=f"flag {option}")
