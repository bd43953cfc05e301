"""dbt's command line, read as dbt reads it; and dbt as another process: what it selects, and its target.

Short options may be glued (`-xtprod`), some options take many words. Facts: the options of dbt-core 1.8 to 1.12 (click)
and of dbt 2 (clap). Neither takes abbreviations of long options.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from dbt_statsig.errors import DbtStatsigError, QueryFailed, UsageError

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Sequence

PROJECT_OPTIONS = ("--project-dir", "--profiles-dir", "--profile", "--target", "--vars")
_SELECTABLE = ("model", "snapshot", "seed", "source")
DBT_TIMEOUT_SECONDS = 600
_LONGEST_ARGUMENT = 100_000
_MOST_LINES = 8
_FRAME = re.compile(
    r"^\W*(\d\d:\d\d:\d\d\b|encountered an error|runtime error( in sql.operation.*)?|database error.*"
    r"|compilation error.*|compiled code at.*|\d+: .*|at .*/.*|=+ .*|suggestion:.*|dbt-fusion.*|loading .*"
    r"|finished .*)?\W*$",
    re.IGNORECASE,
)


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
        index
        for index, word in enumerate(words)
        if PurePath(word.replace("\\", "/")).name in PROGRAMS or (word == _MODULE and words[index - 1] == "-m")
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


class DbtContext(Struct, frozen=True, kw_only=True):
    """What the macro `statsig_context` prints: the target of the dbt command that ran it."""

    target: str
    project: str = ""
    database: str | None = None
    schema: str | None = None
    adapter: str = ""
    invocation_id: str = ""


class TestsDone(Struct, frozen=True, kw_only=True):
    """What a run of tests printed as JSON, and the last words of dbt."""

    printed: tuple[dict[str, Any], ...]
    said: str


class DbtCommand(Struct, frozen=True, kw_only=True):
    """How to call dbt for one project: the words up to and including dbt, and the line that names the project."""

    words: tuple[str, ...] = ("dbt",)
    line: DbtLine = DbtLine()
    cwd: Path | None = None
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def __repr__(self) -> str:
        """Without the environment: it holds the key."""
        return f"DbtCommand({' '.join(self.words)})"

    @property
    def options(self) -> tuple[str, ...]:
        """Those of the line's options that say which project, profile, target and vars it uses."""
        given = self.line.options
        return tuple(word for name in PROJECT_OPTIONS if name in given for word in (name, given[name]))

    @property
    def is_there(self) -> bool:
        """Whether the command exists."""
        return shutil.which(self.words[0], path=self.environ.get("PATH")) is not None

    def selected(
        self, *, select: Sequence[str], exclude: Sequence[str], selector: str | None, state: Path | None
    ) -> frozenset[str]:
        """The unique IDs of the models, snapshots, seeds and source tables that dbt's own selection chooses.

        Leaves manifest.json as it is. Raises UsageError with dbt's own words where dbt cannot answer.
        """
        arguments = ["ls", "--quiet", "--no-write-json", "--output", "json", "--output-keys", "unique_id"]
        for kind in _SELECTABLE:
            arguments += ["--resource-type", kind]
        arguments += ["--select", *select] if select else []
        arguments += ["--exclude", *exclude] if exclude else []
        arguments += ["--selector", selector] if selector else []
        arguments += ["--state", str(state)] if state else []
        done = self._run(*arguments)
        if done.returncode:
            raise UsageError(
                f"dbt could not answer the selection: {_last_words(done)}", fix="Try the same with `dbt ls`."
            )
        return frozenset(entry["unique_id"] for entry in _objects(done.stdout) if "unique_id" in entry)

    def context(self) -> DbtContext | None:
        """Which target this command runs against; None where dbt or the macro `statsig_context` cannot say."""
        done = self._run("run-operation", "statsig_context", "--quiet", "--no-write-json")
        for entry in _objects(done.stdout):
            if entry.get("dbt_statsig") == 1 and isinstance(entry.get("target"), str):
                return DbtContext(**{key: entry[key] for key in DbtContext.__struct_fields__ if key in entry})
        return None

    def compile(self, unique_ids: Sequence[str], folder: Path) -> bool:
        """Compile these nodes and all that they read into a folder of artifacts; whether dbt could."""
        names = [f"+{unique_id.split('.')[2]}" for unique_id in unique_ids]
        done = self._run("compile", "--quiet", "--target-path", str(folder), "--select", *names)
        return done.returncode == 0

    def show(self, sql: str, limit: int) -> list[dict[str, Any]]:
        """The first rows of a query in the user's warehouse; dbt neither renders the SQL nor writes artifacts.

        Raises QueryFailed with the warehouse's message.
        """
        if len(sql.encode()) > _LONGEST_ARGUMENT:
            raise QueryFailed(
                f"The SQL is longer than {_LONGEST_ARGUMENT:,} bytes, which dbt's command line cannot take."
            )
        inline = f"{{% raw %}}{sql}{{% endraw %}}"
        options = ("--quiet", "--no-write-json", "--output", "json", "--limit", str(limit))
        done = self._run("show", *options, "--inline", inline)
        if done.returncode:
            raise QueryFailed(_query_error(done))
        for start in (at for at, line in _lines(done.stdout) if line[:1] in {"{", "["}):
            try:
                value, _ = json.JSONDecoder().raw_decode(done.stdout, start)
            except ValueError:
                continue
            rows = value.get("show") if isinstance(value, dict) else value
            if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
                return rows
        raise QueryFailed(f"dbt gave no rows that can be read: {_last_words(done)}")

    def connects(self) -> bool:
        """Whether dbt reaches the warehouse of its profile and target, whatever the project is like."""
        return self._run("debug", "--connection").returncode == 0

    def test(self, target_path: Path, log_path: Path) -> TestsDone:
        """Run all tests of the project, with artifacts in these folders."""
        done = self._run("test", "--quiet", "--target-path", str(target_path), "--log-path", str(log_path))
        return TestsDone(printed=tuple(_objects(done.stdout)), said=_query_error(done))

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        import subprocess  # most runs ask dbt nothing

        try:
            return subprocess.run(  # noqa: S603 - the user's own dbt, with the user's own arguments
                [*self.words, *arguments, *self.options],
                cwd=self.cwd,
                env={**self.environ, "DBT_USE_COLORS": "false", "NO_COLOR": "1"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                timeout=DBT_TIMEOUT_SECONDS,
                # A profile that asks for a password then finds no terminal, and fails.
                start_new_session=arguments[0] in {"show", "test", "debug"},
            )
        except OSError as error:
            raise DbtStatsigError(
                f"{self.words[0]} cannot be run: {error.strerror}.", fix="Check that dbt is installed and on the PATH."
            ) from error
        except subprocess.TimeoutExpired as error:
            raise DbtStatsigError(f"`dbt {arguments[0]}` did not end within {DBT_TIMEOUT_SECONDS} s.") from error


def dbt_for(project_dir: Path, *, target: str | None = None, profiles_dir: str | None = None) -> DbtCommand | None:
    """How to ask the `dbt` of the PATH about a project; None where there is no project to ask about."""
    if not (project_dir / "dbt_project.yml").is_file():
        return None
    given = {"--project-dir": str(project_dir), "--target": target, "--profiles-dir": profiles_dir}
    return DbtCommand(line=DbtLine(options={name: value for name, value in given.items() if value}))


def dbt_of(words: Sequence[str]) -> DbtCommand:
    """How to call the dbt of this command line: all words up to dbt itself, and the options that name the project.

    Raises UsageError where no word is dbt.
    """
    place = place_of_dbt(words)
    if place is None:
        raise UsageError(
            f"There is no dbt command to run{f' in `{shlex.join(words)}`' if words else ''}.",
            fix=(
                "Write it after two dashes: dbt-statsig run -- dbt build. After a script that runs dbt, run: "
                "dbt-statsig sync --run-results"
            ),
        )
    return DbtCommand(words=tuple(words[: place + 1]), line=dbt_line(words[place + 1 :]))


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects among the lines of a text: dbt writes other lines between them at will."""
    for line in text.splitlines():
        if line.startswith("{"):
            try:
                value = json.loads(line)
            except ValueError:
                continue
            if isinstance(value, dict):
                yield value


def _last_words(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line.strip() for line in (done.stdout + "\n" + done.stderr).splitlines() if line.strip()]
    return " ".join(lines[-4:]) or f"exit code {done.returncode}."


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Each line of a text, with the place where it begins."""
    start = 0
    for line in text.splitlines(keepends=True):
        yield start, line
        start += len(line)


def _query_error(done: subprocess.CompletedProcess[str]) -> str:
    """What dbt says of a query that failed, without its own frame around the warehouse's message."""
    lines = (line.strip() for line in f"{done.stdout}\n{done.stderr}".splitlines())
    lines = (re.sub(r"^\d\d:\d\d:\d\d\s*", "", line) for line in lines)
    # What dbt did not expect, it shows with a traceback.
    before = takewhile(lambda line: not line.startswith("Traceback"), lines)
    output = [line for line in before if line and not _FRAME.match(line)]
    return " ".join(output[:_MOST_LINES]) or _last_words(done)
