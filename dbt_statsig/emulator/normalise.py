"""What a server may do to an object that it stores: none of it is a change that a user made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dbt_statsig.emulator.kinds import Kind

__all__ = ["normalised"]


def normalised(kind: Kind, source: Mapping[str, Any]) -> dict[str, Any]:
    """The source with defaults filled in, nulls dropped, SQL trimmed, tags and mapping sorted, tags once each."""
    given = {key: value for key, value in source.items() if value is not None}
    return {
        **kind.defaults,
        **given,
        "sql": "\n".join(line.rstrip() for line in given.get("sql", "").strip().splitlines()),
        "tags": sorted(set(given.get("tags", []))),
        "idTypeMapping": sorted(
            given.get("idTypeMapping", []), key=lambda item: (item["statsigUnitID"], item["column"])
        ),
    }
