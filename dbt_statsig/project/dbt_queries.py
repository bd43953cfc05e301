"""Many statements put to the user's warehouse in one dbt command. Works with dbt-core and dbt 2.

dbt runs them as the tests of a project in a temporary folder, with the user's own profile and target: each statement
ends by itself, and the user's project need not be parsed again.
"""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from dbt_statsig.errors import QueryFailed
from dbt_statsig.project.artifacts.catalog import CatalogColumn
from dbt_statsig.project.dbt_command import DbtLine
from dbt_statsig.support.files import read_regular

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dbt_statsig.project.dbt_command import DbtCommand

_PROFILE = re.compile(r"^profile[ \t]*:[^\n]*", re.MULTILINE)
_PROJECT = """name: statsig_queries
version: "1.0.0"
config-version: 2
test-paths: [tests]
model-paths: [none]
seed-paths: [none]
snapshot-paths: [none]
analysis-paths: [none]
macro-paths: [none]
"""
# A test of no rows; BigQuery takes no WHERE without FROM.
_TEST = """{%- set sql -%}{% raw %}
SQL
{% endraw %}{%- endset -%}
{%- if execute -%}
  {%- set found = [] -%}
  {%- FOUND -%}
  {%- do print(tojson({"statsig_query": NUMBER, "found": found})) -%}
{%- endif -%}
select * from (select 1 as one) nothing where 1 = 0
"""
_COLUMNS = (
    "for column in get_column_schema_from_query(sql) -%}"
    "{%- do found.append([column.name, column.dtype ~ '']) -%}{%- endfor"
)
_ROWS = "for row in run_query(sql).rows -%}{%- do found.append(row.values() | map('string') | list) -%}{%- endfor"
# What a flag in the environment would make of these tests: they store nothing, and one does not stop the others.
_FLAGS = {
    **dict.fromkeys(("DBT_WARN_ERROR", "DBT_FAIL_FAST", "DBT_STORE_FAILURES", "DBT_POPULATE_CACHE"), "false"),
    **dict.fromkeys(("DBT_DEFER", "DBT_EMPTY", "DBT_SEND_ANONYMOUS_USAGE_STATS"), "false"),
    "DBT_PRINT": "true",
    "DBT_STATSIG_ENABLED": "0",
}
_NOT_KEPT = (
    frozenset(
        f"DBT_{name}"
        for name in (
            *("PROJECT_DIR", "TARGET_PATH", "LOG_PATH", "STATE", "DEFER_STATE", "WARN_ERROR_OPTIONS", "LOG_FORMAT"),
            *("LOG_LEVEL", "RESOURCE_TYPES", "EXCLUDE_RESOURCE_TYPES", "WRITE_JSON"),
        )
    )
    | _FLAGS.keys()
)
_NO_TYPES = "data_type_code_to_name"
_FRAME = re.compile(
    r"^\W*((\w+ )?error( in (test|macro|sql.operation) .*)?|compiled code at .*|in test \w+ \(.*\)|> in macro .*"
    r"|> called by .*|line \d+: .*|\(in tests.*\)|-->.*)?\W*$",
    re.IGNORECASE,
)
_MOST_LINES = 8


class Query(Struct, frozen=True):
    """A statement. Of a query only the columns are asked for, and no row is read; with `rows` it runs as it is."""

    sql: str
    rows: bool = False


class Answer(Struct, frozen=True, kw_only=True):
    """What came back: columns (None where the adapter cannot name them) or rows; or the warehouse's message."""

    columns: tuple[CatalogColumn, ...] | None = None
    rows: tuple[tuple[str, ...], ...] = ()
    error: str = ""


def ask(dbt: DbtCommand, queries: Sequence[Query], *, project_dir: Path, dbt_version: str) -> tuple[Answer, ...]:
    """The answer to each query, from the warehouse of the user's profile and target. Nothing is written there.

    Raises QueryFailed, with the reason, where the warehouse cannot be reached or dbt cannot be run.
    """
    if not queries:
        return ()
    with tempfile.TemporaryDirectory(prefix="statsig-") as name:
        folder = Path(name)
        _write(folder, project_dir, (Query("select 1 as one"), *queries))
        here = _here(dbt, folder, _profiles_dir(dbt, project_dir, is_dbt_2=dbt_version.startswith("2.")))
        done = here.test(folder / "target", folder / "logs")
        found = {entry["statsig_query"]: entry["found"] for entry in done.printed if "statsig_query" in entry}
        errors = _errors(folder / "target" / "run_results.json")
    reached, *answers = (
        _answer(found.get(number), errors.get(_name(number), ""), query)
        for number, query in enumerate((Query(""), *queries))
    )
    if reached.error:
        raise unreachable(errors.get(_name(0)) or done.said)
    return tuple(answers)


def unreachable(reason: str) -> QueryFailed:
    """The error of a warehouse that answers no query at all."""
    return QueryFailed(f"The warehouse cannot be asked: {reason}", fix="Check the profile and target with `dbt debug`.")


def unusable(reason: str) -> QueryFailed:
    """The error of a project in which dbt runs no query, although it reaches the warehouse."""
    return QueryFailed(f"dbt cannot run in this project: {reason}", fix="Run `dbt parse`, and correct what it names.")


def _name(number: int) -> str:
    return f"query_{number:05}"


def _write(folder: Path, project_dir: Path, queries: Sequence[Query]) -> None:
    """The project that asks."""
    try:
        given = _PROFILE.search(read_regular(project_dir / "dbt_project.yml").decode("utf-8-sig", "replace"))
    except OSError:
        given = None
    profile = f"{given[0]}\n" if given else ""
    (folder / "dbt_project.yml").write_text(_PROJECT + profile, encoding="utf-8")
    (folder / "tests").mkdir()
    for number, query in enumerate(queries):
        text = _TEST.replace("FOUND", _ROWS if query.rows else _COLUMNS).replace("NUMBER", str(number))
        # The last, as it may hold any word.
        (folder / "tests" / f"{_name(number)}.sql").write_text(text.replace("SQL", query.sql, 1), encoding="utf-8")


def _here(dbt: DbtCommand, folder: Path, profiles_dir: Path | None) -> DbtCommand:
    """The same dbt with the same profile, about the project in this folder."""
    options = {**dbt.line.options, "--project-dir": str(folder)}
    if profiles_dir is not None:
        options["--profiles-dir"] = str(profiles_dir)
    environ = {
        name: value for name, value in dbt.environ.items() if name.replace("DBT_ENGINE_", "DBT_") not in _NOT_KEPT
    }
    return structs.replace(dbt, line=DbtLine(options=options), environ={**environ, **_FLAGS})


def _profiles_dir(dbt: DbtCommand, project_dir: Path, *, is_dbt_2: bool) -> Path | None:
    """Where dbt would look first; dbt 2 looks in the project, which is now another one."""
    if dbt.line.value("--profiles-dir", dbt.environ):
        return None
    here = dbt.cwd or Path()
    looked = (project_dir, here) if is_dbt_2 else (here,)
    return next((place.absolute() for place in looked if (place / "profiles.yml").is_file()), None)


def _errors(path: Path) -> dict[str, str]:
    """The message of each test that ended with an error, by its name."""
    try:
        results = json.loads(read_regular(path))["results"]
        return {one["unique_id"].split(".")[2]: _without_frame(one["message"] or one["status"]) for one in results}
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError):
        return {}


def _without_frame(message: str) -> str:
    """The warehouse's message in one line, without dbt's frame and places in a text that the user has not written."""
    lines = [line.strip() for line in message.splitlines()]
    kept = [line for line in lines if line and not _FRAME.match(line) and not re.match(r"(LINE \d+:|\^$|\d+: )", line)]
    return " ".join(kept[:_MOST_LINES]) or " ".join(message.split())


def _answer(found: list[list[str]] | None, error: str, query: Query) -> Answer:
    if found is None:
        # The statement ran, and the adapter has no names of types.
        return Answer() if _NO_TYPES in error else Answer(error=error or "dbt gave no answer.")
    if query.rows:
        return Answer(rows=tuple(map(tuple, found)))
    columns = enumerate(found, start=1)
    return Answer(columns=tuple(CatalogColumn(name=name, type=kind, index=at) for at, (name, kind) in columns))
