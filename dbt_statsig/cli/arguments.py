"""What the raw arguments say before click has read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_LISTS = frozenset({"--select", "-s", "--exclude", "--kind", "--adopt"})


def spread_lists(arguments: Sequence[str]) -> list[str]:
    """`--select a b` as `--select a --select b`, as dbt's own users write it; what follows `--` is left as it is."""
    result: list[str] = []
    current = ""
    awaiting = False
    for place, argument in enumerate(arguments):
        if argument == "--":
            return [*result, *arguments[place:]]
        if argument.startswith("-"):
            current = argument if argument in _LISTS else ""
            awaiting = bool(current)
        elif current and not awaiting:
            result.append(current)
        else:
            awaiting = False
        result.append(argument)
    return result


def wanted_form(arguments: Sequence[str]) -> str:
    """The form that the answer shall have, even where the rest of the arguments makes no sense; text if unsaid."""
    return (values_of("--output", arguments) or ["text"])[-1]


def values_of(option: str, arguments: Sequence[str]) -> list[str]:
    """Each value that an option is given, as far as that can be told without knowing the other options."""
    own = list(arguments)[: list(arguments).index("--")] if "--" in arguments else list(arguments)
    return [
        after if argument == option else argument.removeprefix(f"{option}=")
        for argument, after in zip(own, [*own, ""][1:], strict=True)
        if argument == option or argument.startswith(f"{option}=")
    ]
