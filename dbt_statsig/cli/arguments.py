"""What the raw arguments say before click has read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbt_statsig.dbt_line import place_of_dbt

if TYPE_CHECKING:
    from collections.abc import Sequence

_LISTS = frozenset({"--select", "-s", "--exclude", "--kind", "--adopt"})


def spread_lists(arguments: Sequence[str]) -> list[str]:
    """`--select a b` as `--select a --select b`, as dbt's own users write it; what follows `--` is left as it is."""
    own = own_part(arguments)
    rest = list(arguments[len(own) :])
    if own[:1] == ["run"] and rest[:1] != ["--"]:
        return [*own, *rest]  # no option of a program before dbt is ours
    result: list[str] = []
    current = ""
    awaiting = False
    for argument in own:
        if argument.startswith("-"):
            current = argument if argument in _LISTS else ""
            awaiting = bool(current)
        elif current and not awaiting:
            result.append(current)
        else:
            awaiting = False
        result.append(argument)
    return [*result, *rest]


def own_part(arguments: Sequence[str]) -> list[str]:
    """What comes before `--`; for `run` without one, before the word dbt: all that follows is dbt's."""
    own = list(arguments)
    if "--" in own:
        return own[: own.index("--")]
    return own[: place_of_dbt(own)] if own[:1] == ["run"] else own


def wanted_form(arguments: Sequence[str]) -> str:
    """The form that the answer shall have, even where the rest of the arguments makes no sense; text if unsaid."""
    return (values_of("--output", arguments) or ["text"])[-1]


def values_of(option: str, arguments: Sequence[str]) -> list[str]:
    """Each value that an option is given, as far as that can be told without knowing the other options."""
    own = own_part(arguments)
    return [
        after if argument == option else argument.removeprefix(f"{option}=")
        for argument, after in zip(own, [*own, ""][1:], strict=True)
        if argument == option or argument.startswith(f"{option}=")
    ]
