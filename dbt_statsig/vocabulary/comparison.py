"""Whether two sources mean the same: field by field, blind to what a server may rearrange. Pure.

Order of tags and mappings, white space between SQL tokens, and values that stand for "nothing" (`""`, null, absent,
false) are no differences. White space inside quotes and comments is one.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, UnsetType, structs

from dbt_statsig.vocabulary.changes import FieldChange
from dbt_statsig.vocabulary.sources import WRITE_ONLY_FIELDS, Owner, Source
from dbt_statsig.vocabulary.sql_pieces import PieceKind, pieces

if TYPE_CHECKING:
    from collections.abc import Callable


def normal_sql(sql: str) -> tuple[str, ...]:
    """The SQL with each run of white space between tokens as one blank, under both readings of a backslash.

    Whether it escapes a quote depends on the warehouse; two texts are the same only if both readings agree.
    """
    text = sql.replace("\r\n", "\n")
    plain = _collapsed(text, escapes=False)
    return (plain, _collapsed(text, escapes=True) if "\\" in text else plain)


def _collapsed(sql: str, *, escapes: bool) -> str:
    parts = pieces(sql, escapes=escapes)
    return "".join(" " if part.kind is PieceKind.BLANK else part.text for part in parts).strip()


_NOT_COMPARED = WRITE_ONLY_FIELDS | {"name"}


def _absent(value: object) -> bool:
    return value is None or value is UNSET or value == "" or value is False or value == ()


def _normal_text(value: str) -> str:
    return "\n".join(line.rstrip() for line in value.strip().splitlines())


def _normal_source_type(value: object) -> str:
    return "query" if _absent(value) else str(value).lower()


def _normal_set(value: Any) -> tuple[Any, ...] | None:
    return tuple(sorted(set(value or ()))) or None


def _normal_fields(value: Any) -> tuple[Any, ...] | None:
    # An empty mapping is answered as one entry with an empty key (Statsig's published example).
    return _normal_set(entry for entry in value or () if entry.key)


_NORMAL_FORMS: dict[str, Callable[[Any], Any]] = {
    "source_type": _normal_source_type,
    "custom_field_mapping": _normal_fields,
    "tags": _normal_set,
    "id_type_mapping": _normal_set,
    "sql": lambda value: None if _absent(value) else normal_sql(value),
}


def normal(field: str, value: Any) -> Any:
    """A form of one field's value that is equal for equal meanings."""
    if field in _NORMAL_FORMS:
        return _NORMAL_FORMS[field](None if value is UNSET else value)
    if _absent(value):
        return None
    return _normal_text(value) if isinstance(value, str) else value


def _same_owner(desired: Owner | None, live: object) -> bool:
    if desired is None:
        return live is None or live is UNSET
    if not isinstance(live, Owner):
        return False
    declared = {name: value for name, value in structs.asdict(desired).items() if value is not UNSET}
    return all(getattr(live, name) == value for name, value in declared.items())


def _is_same(field: str, desired: Any, live: Any) -> bool:
    if field == "owner":
        return _same_owner(desired, live)
    return bool(desired == live or normal(field, desired) == normal(field, live))


def _shown(value: Any) -> Any:
    return None if isinstance(value, UnsetType) else value


def differences(desired: Source, live: Source) -> tuple[FieldChange, ...]:
    """The declared fields but the name in which the live object differs, in the order of the API's description.

    Undeclared fields are not looked at. The SQL of a table source is the server's own affair.
    """
    is_table = getattr(desired, "source_type", UNSET) == "table"
    changes = []
    for field in desired.__struct_fields__:
        wanted = getattr(desired, field)
        if wanted is UNSET or field in _NOT_COMPARED or (field == "sql" and is_table):
            continue
        has = getattr(live, field, UNSET)
        if not _is_same(field, wanted, has):
            changes.append(FieldChange(field=field, before=_shown(has), after=_shown(wanted)))
    return tuple(changes)


def completed(desired: Source, live: Source) -> Source:
    """The desired object with every undeclared field as the console has it, for an update that could reset them."""
    kept = {
        field: getattr(live, field)
        for field in desired.__struct_fields__
        if getattr(desired, field) is UNSET and getattr(live, field, UNSET) not in (UNSET, None)
    }
    return structs.replace(desired, **kept)


def fingerprint(source: Source) -> str:
    """A digest of every field but those that are only written: equal for objects that mean the same."""
    fields = [
        (field, _plain(getattr(source, field)) if field == "owner" else normal(field, getattr(source, field)))
        for field in source.__struct_fields__
        if field not in WRITE_ONLY_FIELDS
    ]
    return hashlib.sha256(repr((type(source).__name__, fields)).encode(errors="backslashreplace")).hexdigest()


def _plain(owner: Owner | UnsetType | None) -> object:
    return sorted(structs.asdict(owner).items()) if isinstance(owner, Owner) else None
