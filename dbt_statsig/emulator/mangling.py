"""What a service may make of an object before it keeps it: each way is one that real services have."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Way", "mangled"]

Way = Literal["trim", "escape", "lower", "add_tag", "drop_flags", "upper_columns"]

_COLUMNS = ("timestampColumn", "experimentIDColumn", "groupIDColumn", "groupNameColumn")


def mangled(body: Mapping[str, Any], ways: Sequence[Way], fields: Mapping[str, Any]) -> dict[str, Any]:
    """The body as it is kept: changed in these ways, then with these fields."""
    kept = dict(body)
    for way in ways:
        kept = _WAYS[way](kept)
    return {**kept, **fields}


def _texts(change: Callable[[str], str]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The way that changes description and SQL."""

    def apply(body: dict[str, Any]) -> dict[str, Any]:
        return {
            key: change(value) if key in ("description", "sql") and isinstance(value, str) else value
            for key, value in body.items()
        }

    return apply


def _lower(body: dict[str, Any]) -> dict[str, Any]:
    body = _texts(str.lower)(body)
    return {**body, "tags": [tag.lower() for tag in body["tags"]]} if "tags" in body else body


def _add_tag(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "tags": [*(body.get("tags") or []), "from-api"]} if "tags" in body or "sql" in body else body


def _drop_flags(body: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key not in ("isReadOnly", "isVerified", "disableCURE")}


def _upper_columns(body: dict[str, Any]) -> dict[str, Any]:
    return {key: value.upper() if key in _COLUMNS else value for key, value in body.items()}


_WAYS: dict[Way, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "trim": _texts(lambda text: " ".join(text.split())),
    "escape": _texts(lambda text: html.escape(text, quote=True)),
    "lower": _lower,
    "add_tag": _add_tag,
    "drop_flags": _drop_flags,
    "upper_columns": _upper_columns,
}
