"""Statsig's SQL macros, resolved as its documentation gives them: dates, dates as whole numbers, a timestamp."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

__all__ = ["refused_macros", "resolved"]

_MACRO = re.compile(r"\{(statsig_\w+)\}")
_VALUES = {
    "statsig_start_date": "DATE '2024-01-01'",
    "statsig_end_date": "DATE '2024-01-31'",
    "statsig_start_date_int": "20240101",
    "statsig_end_date_int": "20240131",
    "statsig_experiment_start_timestamp": "TIMESTAMP '2024-01-01 00:00:00'",
}


def refused_macros(sql: str, allowed: AbstractSet[str]) -> list[str]:
    """The macros of `sql` that do not exist, or not in such a source, in order of appearance."""
    return [name for name in dict.fromkeys(_MACRO.findall(sql)) if name not in allowed]


def resolved(sql: str) -> str:
    """`sql` with a value for every known macro."""
    return _MACRO.sub(lambda macro: _VALUES.get(macro[1], macro[0]), sql)
