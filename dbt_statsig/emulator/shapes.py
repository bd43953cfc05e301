"""What a body or an answer may hold: checks that are put together, in the words of zod, which checks it there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dbt_statsig.emulator.replies import Fault
from dbt_statsig.emulator.validation import expected, unknown

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping

__all__ = ["CONDITIONS", "Check", "each", "enum", "number", "or_null", "record", "text"]

Check = Callable[[str, Any], list[Fault]]

CONDITIONS = (
    *("in", "not_in", "=", ">", "<", ">=", "<=", "is_null", "non_null", "contains", "not_contains", "sql_filter"),
    *("starts_with", "ends_with", "after_exposure", "before_exposure", "is_true", "is_false"),
)
"""What a filter may ask of a column."""


def enum(*values: str) -> Check:
    """One of some texts."""
    options = " | ".join(f"'{one}'" for one in values)

    def checked(name: str, value: Any) -> list[Fault]:
        if not isinstance(value, str):
            return [Fault(name, fault.message.replace("string", options)) for fault in expected("string", name, value)]
        wrong = f"Invalid enum value. Expected {options}, received '{value}'"
        return [] if value in values else [Fault(name, wrong)]

    return checked


def number(low: float | None = None, high: float | None = None, *, whole: bool = False) -> Check:
    """A number within limits."""

    def checked(name: str, value: Any) -> list[Fault]:
        if faults := expected("number", name, value):
            return faults
        if whole and value != int(value):
            return [Fault(name, "Expected integer, received float")]
        if low is not None and value < low:
            return [Fault(name, f"Number must be greater than or equal to {low:g}")]
        is_over = high is not None and value > high
        return [Fault(name, f"Number must be less than or equal to {high:g}")] if is_over else []

    return checked


def text(least: int = 0, most: int = 0, pattern: re.Pattern[str] | None = None) -> Check:
    """A text within limits."""

    def checked(name: str, value: Any) -> list[Fault]:
        if faults := expected("string", name, value):
            return faults
        if len(value) < least:
            faults.append(Fault(name, f"String must contain at least {least} character(s)"))
        if most and len(value) > most:
            faults.append(Fault(name, f"String must contain at most {most} character(s)"))
        return faults if pattern is None or pattern.fullmatch(value) else [*faults, Fault(name, "Invalid")]

    return checked


def or_null(check: Check) -> Check:
    """The same, or null."""
    return lambda name, value: [] if value is None else check(name, value)


def each(check: Check) -> Check:
    """A list whose items pass."""
    return lambda name, value: (
        expected("array", name, value)
        or [fault for index, item in enumerate(value) for fault in check(f"{name}[{index}]", item)]
    )


def record(fields: Mapping[str, Check], required: tuple[str, ...] = ()) -> Check:
    """An object with these fields and no others."""

    def checked(place: str, value: Any) -> list[Fault]:
        if faults := expected("object", place, value):
            return faults
        for key, check in fields.items():
            name = f"{place}.{key}" if place else key
            if key in value:
                faults += check(name, value[key])
            elif key in required:
                faults.append(Fault(name, "Required"))
        return faults + unknown(place, value, fields)

    return checked
