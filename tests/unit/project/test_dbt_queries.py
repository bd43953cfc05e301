"""Statements in one dbt command: what dbt gets, and what is made of its answers. A small program stands in for dbt."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dbt_statsig.errors import QueryFailed
from dbt_statsig.project.dbt_command import DbtCommand, DbtLine
from dbt_statsig.project.dbt_queries import Answer, Query, ask

if TYPE_CHECKING:
    from collections.abc import Mapping

DBT = """
import json, os, sys
from pathlib import Path
words = sys.argv[1:]
option = lambda name: words[words.index(name) + 1]
folder = Path(option("--project-dir"))
seen = {
    "words": words, "environ": dict(os.environ), "project": (folder / "dbt_project.yml").read_text(),
    "tests": [file.read_text() for file in sorted((folder / "tests").iterdir())],
}
Path(SEEN).write_text(json.dumps(seen))
answers, results = ANSWERS
for answer in answers:
    print(json.dumps(answer))
if results is not None:
    Path(option("--target-path")).mkdir()
    Path(option("--target-path"), "run_results.json").write_text(json.dumps(results))
"""
REACHED = {"statsig_query": 0, "found": [["one", "INTEGER"]]}


def asked(
    folder: Path,
    *queries: Query,
    answers: tuple[Any, ...] = (REACHED,),
    errors: dict[int, str] | None = None,
    version: str = "1.11.0",
    environ: Mapping[str, str] | None = None,
    options: Mapping[str, str] | None = None,
) -> tuple[tuple[Answer, ...], dict[str, Any]]:
    """The answers, and what the program got."""
    rows = [
        {"unique_id": f"test.statsig_queries.query_{number:05}", "status": "error", "message": text}
        for number, text in (errors or {}).items()
    ]
    results = None if errors is None else {"results": rows}
    seen = folder / "seen.json"
    program = DBT.replace("SEEN", repr(str(seen))).replace("ANSWERS", repr((answers, results)))
    line = DbtLine(options={f"--{name}": value for name, value in (options or {}).items()})
    dbt = DbtCommand(words=(sys.executable, "-c", program), line=line, cwd=folder, environ=environ or {})
    found = ask(dbt, queries, project_dir=folder, dbt_version=version)
    return found, json.loads(seen.read_text())


def test_what_dbt_gets(tmp_path: Path) -> None:
    """The user's profile, target and variables; no flag that would stop at the first error or store anything."""
    (tmp_path / "dbt_project.yml").write_text("name: shop\nprofile: \"{{ env_var('P', 'shop') }}\"  # ours\n")
    environ = {"DBT_FAIL_FAST": "1", "DBT_ENGINE_WARN_ERROR": "1", "DBT_ENV_X": "s", "DBT_TARGET_PATH": "x"}
    _, seen = asked(tmp_path, Query("select '{{ a }}' as a"), options={"target": "ci"}, environ=environ)
    assert "profile: \"{{ env_var('P', 'shop') }}\"  # ours" in seen["project"].splitlines()
    assert seen["words"][seen["words"].index("--target") + 1] == "ci"
    assert (seen["environ"]["DBT_FAIL_FAST"], seen["environ"]["DBT_STORE_FAILURES"]) == ("false", "false")
    assert seen["environ"]["DBT_ENV_X"] == "s"
    assert not {"DBT_ENGINE_WARN_ERROR", "DBT_TARGET_PATH"} & seen["environ"].keys()
    assert "{% raw %}\nselect '{{ a }}' as a\n{% endraw %}" in seen["tests"][1]
    assert not Path(seen["words"][seen["words"].index("--project-dir") + 1]).exists()


@pytest.mark.parametrize(("version", "expected"), [("1.11.0", None), ("2.0.0", "project")])
def test_where_the_profile_is(version: str, expected: str | None, tmp_path: Path) -> None:
    """Dbt 2 finds profiles.yml in the project, dbt-core in the folder in which it runs."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "profiles.yml").touch()
    seen = tmp_path / "seen.json"
    program = DBT.replace("SEEN", repr(str(seen))).replace("ANSWERS", repr(((REACHED,), None)))
    dbt = DbtCommand(words=(sys.executable, "-c", program), cwd=tmp_path, environ={})
    ask(dbt, [Query("select 1 as a")], project_dir=project, dbt_version=version)
    words = json.loads(seen.read_text())["words"]
    assert ("--profiles-dir" in words) == bool(expected)
    assert expected is None or words[words.index("--profiles-dir") + 1] == str(project)
    (tmp_path / "profiles.yml").touch()
    ask(dbt, [Query("select 1 as a")], project_dir=tmp_path, dbt_version=version)
    words = json.loads(seen.read_text())["words"]
    assert words[words.index("--profiles-dir") + 1] == str(tmp_path)
    _, given = asked(tmp_path, Query("select 1 as a"), options={"profiles-dir": "elsewhere"})
    assert given["words"][given["words"].index("--profiles-dir") + 1] == "elsewhere"


def test_answers(tmp_path: Path) -> None:
    """Rows are texts; an adapter without names of types gives no columns; a message is without dbt's frame."""
    errors = {
        2: "Runtime Error in test query_00002 (tests/query_00002.sql)\n  `data_type_code_to_name` is not implemented",
        3: "Database Error in test query_00003 (tests/query_00003.sql)\n  no column x\n  LINE 3: select x\n     ^\n"
        "  compiled code at target/x.sql",
    }
    queries = [Query("explain x", rows=True), *(Query(f"select {number}") for number in (2, 3, 4))]
    rows = {"statsig_query": 1, "found": [["a", "b"]]}
    found, _ = asked(tmp_path, *queries, answers=(REACHED, rows, {"other": 1}), errors=errors)
    assert found[0].rows == (("a", "b"),)
    assert found[1] == Answer()
    assert found[2].error == "no column x"
    assert found[3].error == "dbt gave no answer."


def test_no_warehouse(tmp_path: Path) -> None:
    """Where not even one row of nothing comes back, the first reason is the error; no query asks nothing."""
    with pytest.raises(QueryFailed, match="The warehouse cannot be asked: Connection refused"):
        asked(tmp_path, Query("select 1"), answers=(), errors={0: "Connection refused", 1: "Connection refused"})
    with pytest.raises(QueryFailed, match="The warehouse cannot be asked: exit code 0"):
        asked(tmp_path, Query("select 1"), answers=())
    assert ask(DbtCommand(), (), project_dir=tmp_path, dbt_version="") == ()
