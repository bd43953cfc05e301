"""Whether two sources mean the same: field by field, blind to what a server may rearrange. Pure.

Order of tags and mappings, white space between SQL tokens, and values that stand for "nothing" (`""`, null, absent,
false) are no differences. White space inside quotes and comments is one.
"""

from __future__ import annotations

import functools
import hashlib
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, Struct, UnsetType, structs

from dbt_statsig.vocabulary.changes import FieldChange
from dbt_statsig.vocabulary.sources import CustomField, Default, Owner, Role, Source, fields_with, roles_of
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


def _absent(value: object) -> bool:
    return value is None or value is UNSET or value == "" or value is False or value == ()


def _normal_text(value: str) -> str:
    return "\n".join(line.rstrip() for line in value.strip().splitlines())


def _normal_set(value: Any) -> tuple[Any, ...] | None:
    # An empty mapping is answered as one entry with an empty key (Statsig's published example).
    return tuple(sorted({one for one in value if not isinstance(one, CustomField) or one.key})) or None


def _normal_nested(value: Any, *, is_set: bool) -> tuple[Any, ...] | None:
    """The parts without what is empty; of a predicate in them, white space does not count."""
    parts = [part for one in msgspec.to_builtins(value) if (part := _part(one))]
    return tuple(sorted(parts) if is_set else parts) or None


def _part(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return tuple(_part(one) for one in value)
    if not isinstance(value, dict):
        return value
    if value.get("condition") == "sql_filter" and value.get("values"):
        value = {**value, "values": [[*normal_sql(one)] for one in value["values"]]}
    return tuple(sorted((key, _part(one)) for key, one in value.items() if not _absent(one) and one != []))


def _form(roles: frozenset[Role | Default]) -> Callable[[Any], Any]:
    """What makes a value that is there comparable, for a field of these roles."""
    if any(isinstance(one, Default) for one in roles):
        return lambda value: str(value).lower()
    if Role.NESTED in roles:
        return functools.partial(_normal_nested, is_set=Role.SET in roles)
    if Role.SET in roles:
        return _normal_set
    if Role.SQL in roles:
        return normal_sql
    return lambda value: _normal_text(value) if isinstance(value, str) else value


@functools.cache
def _forms(payload: type[Struct]) -> dict[str, tuple[Callable[[Any], Any], str | None]]:
    """For each field what makes its value comparable, and what stands for a value that is not there."""
    return {
        field: (_form(roles), next((one.value for one in roles if isinstance(one, Default)), None))
        for field, roles in roles_of(payload).items()
    }


def canonical(payload: type[Struct], field: str, value: Any) -> Any:
    """A form of one field's value that is equal for equal meanings, as the field's roles say."""
    form, default = _forms(payload)[field]
    return default if _absent(value) else form(value)


def _same_owner(desired: Owner | None, live: object) -> bool:
    if desired is None:
        return live is None or live is UNSET
    if not isinstance(live, Owner):
        return False
    declared = {name: value for name, value in structs.asdict(desired).items() if value is not UNSET}
    return all(getattr(live, name) == value for name, value in declared.items())


def _is_same(payload: type[Struct], field: str, desired: Any, live: Any) -> bool:
    if Role.PARTS in roles_of(payload)[field]:
        return _same_owner(desired, live)
    return bool(desired == live or canonical(payload, field, desired) == canonical(payload, field, live))


def _readable(value: Any) -> Any:
    return None if isinstance(value, UnsetType) else value


def differences(desired: Source, live: Source) -> tuple[FieldChange, ...]:
    """The declared fields but the name in which the live object differs, in the order of the API's description.

    Undeclared fields are not looked at. The SQL of a table source is the server's own affair.
    """
    payload = type(desired)
    not_compared = {"name", *fields_with(payload, Role.WRITE_ONLY)}
    if getattr(desired, "source_type", UNSET) == "table":
        not_compared.add("sql")
    changes = []
    for field in desired.__struct_fields__:
        wanted = getattr(desired, field)
        if wanted is UNSET or field in not_compared:
            continue
        has = getattr(live, field, UNSET)
        if not _is_same(payload, field, wanted, has):
            changes.append(FieldChange(field=field, before=_readable(has), after=_readable(wanted)))
    return tuple(changes)


def fill_undeclared_from(desired: Source, live: Source) -> Source:
    """The desired object with every undeclared field as the console has it, for an update that could reset them."""
    other = getattr(desired, "aggregation", UNSET) != getattr(live, "aggregation", UNSET)
    kept = {
        field: getattr(live, field)
        for field, roles in roles_of(type(desired)).items()
        if getattr(desired, field) is UNSET and getattr(live, field, UNSET) not in (UNSET, None)
        # A metric that is computed in another way keeps nothing of how it was computed before.
        if not (other and Role.NATIVE in roles)
    }
    return structs.replace(desired, **kept)


def fingerprint(source: Source) -> str:
    """A digest of every field but those that are only written: equal for objects that mean the same."""
    fields = [
        (field, _owner_parts(value) if Role.PARTS in roles else canonical(type(source), field, value))
        for field, roles in roles_of(type(source)).items()
        for value in (getattr(source, field),)
        if Role.WRITE_ONLY not in roles
    ]
    return hashlib.sha256(repr((type(source).__name__, fields)).encode(errors="backslashreplace")).hexdigest()


def _owner_parts(owner: Owner | UnsetType | None) -> object:
    return sorted(structs.asdict(owner).items()) if isinstance(owner, Owner) else None
