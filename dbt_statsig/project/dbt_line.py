"""A dbt command line, read as dbt reads it: short options may be glued (`-xtprod`), some options take many words.

Facts: the options of dbt-core 1.8 to 1.12 (click) and of dbt 2 (clap). Neither takes abbreviations of long options.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


PROGRAMS = frozenset({"dbt", "dbt.exe", "dbtf"})
_MODULE = "dbt.cli.main"
COMMANDS = _names(
    "build clean clone compile debug deps docs format init lint list login ls parse retry run run-operation seed show "
    "snapshot source test"
)
_ONE_WORD = _names(
    "--add-package --args --compute --defer-state --deprecated-defer --deprecated-favor-state "
    "--deprecated-state --event-time-end --event-time-start --host --index-dir --indirect-selection --inline "
    "--inline-direct --invocation-id --limit --log-file-max-bytes --log-format --log-format-file --log-level "
    "--log-level-file --log-path --maximum-seed-size-mib --metadata-dir --otel-file-name --otel-parquet-file-name "
    "--output --packages-install-path --parent-span-id --partial-parse-file-path --port --printer-width --profile "
    "--profiles-dir --project-dir --record-timing-info --run-cache-mode --sample --selector --source --sql --sqlparse "
    "--state --static-analysis --target --target-path --threads --v2-parser --vars --warn-error-options "
    "--with-sample"
)
_MANY_WORDS = _names(
    "--exclude --exclude-resource-type --exclude-resource-types --model --models --output-keys --resource-type "
    "--resource-types --sampled --select"
)
_SHORT = {
    "t": "--target",
    "s": "--select",
    "m": "--models",
    "r": "--record-timing-info",
    "o": "--output",
    "d": "--debug",
    "f": "--full-refresh",
    "q": "--quiet",
    "x": "--fail-fast",
}
_TRUE = frozenset({"1", "true", "t", "yes", "y", "on"})


class DbtLine(Struct, frozen=True, kw_only=True):
    """The words after dbt: `command` is the first of them that belongs to no option, empty where there is none.

    `options` are the long options given, each with its last value; one that takes none, or many, has the value "".
    """

    command: str = ""
    options: dict[str, str] = {}

    def value(self, option: str, environ: Mapping[str, str]) -> str:
        """What dbt takes for an option: the command line's word, else that of the option's variable, else nothing."""
        name = option.removeprefix("--").replace("-", "_").upper()
        given = (self.options.get(option), environ.get(f"DBT_ENGINE_{name}"), environ.get(f"DBT_{name}"))
        return next((value for value in given if value), "")

    def is_on(self, option: str, environ: Mapping[str, str]) -> bool:
        """The same for an option that is on or off."""
        off = f"--no-{option.removeprefix('--')}"
        found = [one for one in self.options if one in (option, off)]
        return found[-1] == option if found else self.value(option, environ).strip().casefold() in _TRUE


def dbt_line(words: Sequence[str]) -> DbtLine:
    """The words after dbt, read."""
    command = ""
    options: dict[str, str] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            command = command or next(iter(rest), "")
            break
        if not word.startswith("-") or word == "-":
            command = command or word
            continue
        for name, value in _options(word, rest):
            options.pop(name, None)  # the last one given is the last one here
            options[name] = value
    return DbtLine(command=command, options=options)


def place_of_dbt(words: Sequence[str]) -> int | None:
    """Where dbt itself is in a command line that may begin with another program (`uvx --from dbt dbt build`).

    It is the first word of dbt's name that a dbt command follows. None: no word is dbt.
    """
    places = [
        place
        for place, word in enumerate(words)
        if PurePath(word.replace("\\", "/")).name in PROGRAMS or (word == _MODULE and words[place - 1] == "-m")
    ]
    called = (place for place in places if dbt_line(words[place + 1 :]).command in COMMANDS)
    return next(called, places[-1] if places else None)


def _options(word: str, rest: list[str]) -> list[tuple[str, str]]:
    """The options that one word holds, with the values that they take from it or from the words that follow."""
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        return [(name, _value(name, value if equals else None, rest))]
    found = []
    letters = word[1:]
    while letters:
        name, letters = _SHORT.get(letters[0], f"-{letters[0]}"), letters[1:]
        given: str | None = None
        if letters and name in _ONE_WORD | _MANY_WORDS:
            given, letters = letters.removeprefix("="), ""
        found.append((name, _value(name, given, rest)))
    return found


def _value(name: str, given: str | None, rest: list[str]) -> str:
    if name in _MANY_WORDS:
        while rest and not rest[0].startswith("-"):
            rest.pop(0)
        return ""
    if name in _ONE_WORD:
        return given if given is not None else (rest.pop(0) if rest else "")
    return given or ""
