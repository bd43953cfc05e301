"""Sources to JSON bodies and back: what is sent is only what was declared, what is read may be odd but not wrong."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, Struct, structs

from dbt_statsig.errors import ProtocolError, Refused
from dbt_statsig.vocabulary.kinds import SPECS
from dbt_statsig.vocabulary.kinds.base import NATIVE, wire_form
from dbt_statsig.vocabulary.sources import CustomField, IdType, Kind, Owner, Role, Source, fields_with

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

_LARGEST = 2**63
_NOTHING: tuple[Any, ...] = (None, "", [], {})
_PAIRS = ("idTypeMapping", "customFieldMapping")
_PARTS: dict[str, type[Struct]] = {"idTypeMapping": IdType, "customFieldMapping": CustomField, "owner": Owner}
_FLAT = ("metricSourceName", "criteria", "valueColumn")
"""The deprecated form of a list of one metric source."""
_SERVERS_OWN = frozenset(
    {"id", "permalink", "createdTime", "creatorID", "creatorName", "creatorEmail"}
    | {"lastModifiedTime", "lastModifierID", "lastModifierName", "lastModifierEmail"}
)
"""What Statsig publishes for other kinds as written by itself alone: no update of ours can lose it."""


def create_body(payload: Source, *, dry_run: bool) -> bytes:
    """The whole object, but for what only updates take. Raises Refused (status 0) for text that JSON cannot hold."""
    content = _content(payload, without=Role.UPDATE_ONLY)
    spec = next(spec for spec in SPECS.values() if spec.payload is type(payload))
    return _encoded({**content, "type": spec.type_} if spec.type_ else content, dry_run=dry_run)


def update_body(name: str, payload: Source, *, dry_run: bool) -> bytes:
    """The whole object, its name only where that changes: two of the kinds refuse one in an update."""
    content = _content(payload)
    if payload.name == name:
        del content["name"]
    return _encoded(content, dry_run=dry_run)


def patch_body(payload: Source, fields: frozenset[str], *, dry_run: bool) -> bytes:
    """The named fields (snake_case) and nothing else."""
    wire_names = {field.encode_name for field in structs.fields(payload) if field.name in fields}
    content = {name: value for name, value in _content(payload).items() if name in wire_names}
    return _encoded(content, dry_run=dry_run)


def keep_fields(payload: Source, fields: frozenset[str]) -> Source:
    """The payload with every other field undeclared; the name stays."""
    others = {name: UNSET for name in payload.__struct_fields__ if name not in fields and name != "name"}
    return structs.replace(payload, **others)


def decoded(kind: Kind, data: Any, place: str) -> Source:
    """One object of an answer, taken from plain JSON values.

    Null and missing keys are "not there"; unknown keys are ignored. Raises ProtocolError, which names `place` and the
    path in it, for a value of a wrong type: to go on would be to plan from half an object.
    """
    try:
        return msgspec.convert(_lenient(kind, data), SPECS[kind].payload)
    except msgspec.ValidationError as error:
        fault = str(error)
    raise ProtocolError(f"{place}: {fault}.", fix="Check this object in Statsig; report it if it looks right there.")


class Entry(Struct, frozen=True):
    """One object as read; `fault` says why only its name and description could be read, or is empty.

    One that is not named got its name here, as it has none that can be addressed. `unpublished` are the values that no
    write can send, by their places.
    """

    source: Source
    fault: str = ""
    is_named: bool = True
    unpublished: Mapping[str, Any] = {}


def read_entry(kind: Kind, data: Any, number: int) -> Entry:
    """One object of a list, the `number`th: one that cannot be read in full must not keep others from being read.

    An object without a name gets one in brackets.
    """
    content = data if isinstance(data, dict) else {}
    name, description = content.get("name"), content.get("description")
    try:
        source = decoded(kind, data, "")
        # Half a character can be read, but never be sent back.
        msgspec.json.encode(source)
    except ProtocolError as error:
        fault = error.message.removeprefix(": ").removesuffix(".")
    except UnicodeEncodeError:
        fault = "A text in it contains an unpaired surrogate"
    else:
        if source.name:
            return Entry(source, unpublished=unpublished(kind, content))
        fault = "Its name is empty"
    if isinstance(name, int) and not isinstance(name, bool) and abs(name) < _LARGEST:
        name = str(name)
    is_named = isinstance(name, str) and name != ""
    shown = _shown(str(name)) if is_named else f"(object {number} of the list, without a name)"
    text = description if isinstance(description, str) else UNSET
    return Entry(SPECS[kind].payload(name=shown, description=text), fault, is_named)


def unpublished(kind: Kind, data: Any) -> dict[str, Any]:
    """The values of an object that can be read, but that the published API does not let be sent, by their places."""
    fields = {field.encode_name for field in structs.fields(SPECS[kind].payload)}
    if NATIVE in SPECS[kind].answered:
        # An update needs no field of a metric, so it may only lose what is in the definition that it sends.
        native = data.get(NATIVE)
        return _others(native, fields | set(_FLAT), f"{NATIVE}.") if isinstance(native, dict) else {}
    found = _others(data, fields | _SERVERS_OWN, "")
    read_only = _wire_names(SPECS[kind].payload, Role.READ_ONLY)
    for name, part in _PARTS.items():
        if name in read_only:
            continue
        keys = {field.encode_name for field in structs.fields(part)}
        value = data.get(name)
        if isinstance(value, dict):
            found |= _others(value, keys, f"{name}.")
        for number, entry in enumerate(value if isinstance(value, list) else ()):
            found |= _others(entry, keys, f"{name}[{number}].")
    return found


def _others(content: dict[str, Any], known: AbstractSet[str], place: str) -> dict[str, Any]:
    return {f"{place}{key}": value for key, value in content.items() if key not in known and value not in _NOTHING}


def _content(payload: Source, without: Role = Role.READ_ONLY) -> dict[str, Any]:
    content = wire_form(payload)
    for role in (Role.READ_ONLY, without):
        for name in _wire_names(type(payload), role):
            content.pop(name, None)
    for path, text in _texts(content, ""):
        if not _is_sendable(text):
            raise Refused(
                f'{path} of "{_shown(payload.name)}" contains an unpaired surrogate, which cannot be sent.',
                status=0,
                fix="Remove or retype the broken character.",
            )
    return content


@functools.cache
def _wire_names(payload: type[Source], role: Role) -> frozenset[str]:
    """The fields that have a role, as the API names them."""
    names = dict(zip(payload.__struct_fields__, payload.__struct_encode_fields__, strict=True))
    return frozenset(names[field] for field in fields_with(payload, role))


def _encoded(content: dict[str, Any], *, dry_run: bool) -> bytes:
    return msgspec.json.encode({**content, "dryRun": True} if dry_run else content)


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield from _texts(entry, f"{path}.{key}" if path else key)
    elif isinstance(value, (list, tuple)):
        for index, entry in enumerate(value):
            yield from _texts(entry, f"{path}[{index}]")


def _is_sendable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()


def _lenient(kind: Kind, data: Any) -> Any:
    """The object with null taken for absent where our types have no null, and without what is only ever written."""
    if not isinstance(data, dict):
        return data
    write_only = _wire_names(SPECS[kind].payload, Role.WRITE_ONLY)
    spec = SPECS[kind]
    kept = {key: value for key, value in data.items() if key not in write_only and key not in spec.answered}
    if isinstance(native := data.get(NATIVE), dict) and NATIVE in spec.answered:
        kept |= _unflattened(native)
    if isinstance(kept.get("owner"), dict):
        kept["owner"] = {key: value for key, value in kept["owner"].items() if value is not None}
    for key in _PAIRS:
        if isinstance(kept.get(key), list):
            kept[key] = [_without_null(entry) for entry in kept[key]]
    return kept


def _unflattened(native: dict[str, Any]) -> dict[str, Any]:
    """What stands under `warehouseNative`, with the list of sources in place of its deprecated form."""
    kept = {key: value for key, value in native.items() if key not in _FLAT}
    if not kept.get("metricSources") and native.get("metricSourceName"):
        kept["metricSources"] = [{key: native[key] for key in _FLAT if native.get(key) is not None}]
    return kept


def _without_null(entry: Any) -> Any:
    return {key: "" if value is None else value for key, value in entry.items()} if isinstance(entry, dict) else entry


def text_at(content: Any, *path: str) -> str:
    """The text at a path of keys; empty where there is none."""
    for key in path:
        content = content.get(key) if isinstance(content, dict) else None
    return content if isinstance(content, str) else ""
